from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from ..reports.printed import PLAIN_WIDTH
from .collect import SOURCE_FAILED
from .invocation import Invocation, pass_invocation
from .printing import write

if TYPE_CHECKING:
    from ..collectors.contract import ProbeResult
    from ..jobs.workspace import Workspace
    from ..metrics.calendar import Calendar

NAMED = 3
"""How many of the things a source shows are named; the rest are counted."""


@click.command()
@click.option("--probe", is_flag=True, help="Also ask each source whether it answers, and what it lets us see.")
@pass_invocation
def check(invocation: Invocation, probe: bool) -> None:
    """Read the config and say what is wrong with it.

    \b
    Examples:
      keyresults check
      keyresults --config team.toml check --probe
    """
    workspace = invocation.open()
    config = workspace.config
    key_results = sum(len(o.key_results) for o in config.objectives)
    write(
        f"{config.path}: {_number(len(config.sources), 'source')}, {_number(len(config.metrics), 'metric')}, "
        f"{_number(len(config.objectives), 'objective')}, {_number(key_results, 'key result')}. No errors.\n"
    )
    from ..jobs.notices import concerns_of
    from ..reports.escaping import clean

    write("".join(_wrapped(f"! {clean(words)}") for words in concerns_of(workspace)))
    write(_linted(workspace))
    if probe and not _probed(workspace):
        click.get_current_context().exit(SOURCE_FAILED)


def _linted(workspace: Workspace) -> str:
    """What the rules find that need nothing but the config; the rest needs what was collected."""
    from ..jobs.lint import lint_config
    from ..reports.escaping import clean
    from ..reports.findings import place, words

    found = [one for one in lint_config(workspace.config, workspace.clock()) if one.ignored is None]
    lines = [_wrapped(f"! {one.code} {clean(place(one) or 'the cycle')}: {clean(words(one))}") for one in found]
    if lines:
        lines.append("`keyresults lint` says why each matters, and looks at the metrics' past too.\n")
    return "".join(lines)


def _wrapped(words: str) -> str:
    lines = textwrap.wrap(words, PLAIN_WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return "".join(f"{line}\n" for line in lines)


def _probed(workspace: Workspace) -> bool:
    """Whether every source answered."""
    from ..collectors.contract import CollectorError
    from ..jobs.probe import probe
    from ..reports.escaping import clean

    fine = True
    for name, result in probe(workspace):
        failed = isinstance(result, CollectorError) or not result.ok
        said = str(result) if isinstance(result, CollectorError) else _told(result, workspace.config.calendar)
        write(f"{'✖' if failed else '✔'} {clean(name)}: {clean(said)}\n")
        fine = fine and not failed
    return fine


def _told(found: ProbeResult, calendar: Calendar) -> str:
    parts = [found.detail]
    if found.visible:
        more = len(found.visible) - NAMED
        parts.append(f"sees {', '.join(found.visible[:NAMED])}" + (f" and {more} more" if more > 0 else ""))
    if found.since is not None:
        parts.append(f"since {calendar.day_of(found.since)}")
    return "; ".join(parts)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
