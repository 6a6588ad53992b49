"""The commands that ask the sources."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from . import completing
from .invocation import Invocation, pass_invocation
from .names import known_sources
from .options import day
from .printing import show
from .watched import watched

if TYPE_CHECKING:
    from ..jobs.workspace import Workspace
    from ..reports.values import CollectionResult

SOURCE_FAILED = 3
"""The exit code where a source could not be collected; what the others gave is stored."""


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]…", shell_complete=completing.sources)
@pass_invocation
def collect(invocation: Invocation, sources: tuple[str, ...]) -> None:
    """Fetch what is new, and judge the key results by it.

    The first collection reaches back as far as the key results need.

    \b
    Examples:
      keyresults collect
      keyresults collect github prometheus
    """
    from ..jobs.collect import collect as collected

    workspace = invocation.open(writing=True)
    wanted = known_sources(sources, workspace.config)
    with watched() as progress:
        result = collected(workspace, wanted, progress=progress)
    _tell(workspace, result)


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]…", shell_complete=completing.sources)
@click.option("--since", type=day, metavar="DAY", required=True, help="The first day to fetch.")
@pass_invocation
def backfill(invocation: Invocation, sources: tuple[str, ...], since: datetime) -> None:
    """Fetch older facts, as far as the sources still know them.

    It can be stopped and started again: what is already there is not fetched twice.

    \b
    Examples:
      keyresults backfill --since 2026-01-01
      keyresults backfill github --since 2025-07-01
    """
    from ..jobs.collect import backfill as backfilled

    workspace = invocation.open(writing=True)
    wanted = known_sources(sources, workspace.config)
    with watched() as progress:
        result = backfilled(workspace, since=since.date(), sources=wanted, progress=progress)
    _tell(workspace, result)


def _tell(workspace: Workspace, result: CollectionResult) -> None:
    from ..reports import terminal_tables
    from ..reports.dates import Dates

    show(terminal_tables.collection(result, Dates.seen_at(workspace.clock(), workspace.config.calendar.timezone)))
    if result.failed:
        click.get_current_context().exit(SOURCE_FAILED)
