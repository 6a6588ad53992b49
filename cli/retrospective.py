from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import completing
from .invocation import Invocation, pass_invocation
from .options import json_option
from .printing import save, write

if TYPE_CHECKING:
    from ..jobs.workspace import Workspace


@click.command()
@click.argument("cycle", shell_complete=completing.cycles)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option(
    "--learned",
    "lessons",
    multiple=True,
    metavar="[KR=]TEXT",
    help="Keep what was learned, of one key result or of the whole cycle. May come more than once.",
)
@click.option(
    "--by", metavar="NAME", help="Who learned it. Default: $KEYRESULTS_USER, else git's name, else the login."
)
@json_option
@pass_invocation
def retrospective(
    invocation: Invocation, cycle: str, output: Path | None, lessons: tuple[str, ...], by: str | None, as_json: bool
) -> None:
    """Look back at a cycle, with room for what was learned.

    It prints Markdown: each key result from start to end, grade, target history, days unknown, biggest moves with
    the facts behind them, check-ins. What is kept with --learned stands in it, and in the next cycle's draft.

    \b
    Examples:
      keyresults retrospective 2026-Q4 --output retrospective.md
      keyresults retrospective 2026-Q4 --learned "p99=Measure before promising"
    """
    from ..jobs.closing import looking_back

    workspace = invocation.open(writing=bool(lessons))
    if lessons:
        _keep(workspace, cycle, lessons, by)
    report, learned = looking_back(workspace, cycle)
    if as_json:
        from ..reports import machine

        text = machine.retrospective(report, learned)
    else:
        from ..reports.retrospective import retrospective as in_markdown

        text = in_markdown(report, learned)
    if output is None:
        write(text)
    else:
        save(output, text)


def _keep(workspace: Workspace, cycle: str, lessons: tuple[str, ...], by: str | None) -> None:
    from ..jobs.closing import learn
    from ..jobs.who import who

    learn(workspace, cycle, lessons, by=who(by, os.environ, workspace.config.path.parent))
