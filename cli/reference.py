"""docs/commands.md, written from what the commands say of themselves: `python -m keyresults.cli.reference`."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

import click

from .main import keyresults
from .printing import write

_UNWRAPPED = "\b\n"


def reference() -> str:
    """The page, as Markdown."""
    context = click.Context(keyresults, info_name="keyresults", **keyresults.context_settings)
    lines = ["# Commands", "", "Written from `keyresults --help`; run `make docs` after a change.", ""]
    lines += _body(keyresults, context)
    lines += _below(keyresults, context, "##")
    return "\n".join(lines) + "\n"


def _below(group: click.Group, context: click.Context, level: str) -> Iterator[str]:
    """A section for each command of a group, one level deeper for those of a group in it."""
    for name in group.list_commands(context):
        command = group.commands[name]
        below = click.Context(command, info_name=name, parent=context)
        pieces = " ".join(command.collect_usage_pieces(below))
        path = below.command_path
        yield from ("", f"{level} {path}", "", f"`{path} {pieces}`", "", *_body(command, below))
        if isinstance(command, click.Group):
            yield from _below(command, below, level + "#")


def _body(command: click.Command, context: click.Context) -> Iterator[str]:
    for n, part in enumerate(cleandoc(command.help or "").split("\n\n")):
        if n:
            yield ""
        yield from _examples(part) if part.startswith(_UNWRAPPED) else [" ".join(part.split())]
    records = [r for p in command.get_params(context) if (r := p.get_help_record(context)) and r[1]]
    yield from ("", "| option | |", "|---|---|")
    for option, words in records:
        yield f"| `{_cell(option)}` | {_cell(words)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _examples(part: str) -> list[str]:
    title, *commands = part.removeprefix(_UNWRAPPED).splitlines()
    return [title, "", "```console", *(f"$ {c.strip()}" for c in commands), "```"]


if __name__ == "__main__":
    write(reference())
