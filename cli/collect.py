"""The commands that ask the sources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from . import completing
from .invocation import Invocation, pass_invocation
from .names import known_sources
from .options import day, json_option
from .printing import show, write
from .watched import stoppable

if TYPE_CHECKING:
    from ..jobs.workspace import Workspace
    from ..reports.values import CollectionResult

SOURCE_FAILED = 3
"""The exit code where a source could not be collected; what the others gave is stored."""

plan_option = click.option(
    "--plan", "only_plan", is_flag=True, help="Only say how many requests it would take, and whether they are left."
)


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]…", shell_complete=completing.sources)
@plan_option
@json_option
@pass_invocation
def collect(invocation: Invocation, sources: tuple[str, ...], only_plan: bool, as_json: bool) -> None:
    """Fetch what is new, and judge the key results by it.

    The first collection reaches back as far as the key results need.

    \b
    Examples:
      keyresults collect
      keyresults collect github prometheus
      keyresults collect --plan
    """
    from ..jobs.collect import collect as collected

    workspace = invocation.open(writing=True)
    wanted = known_sources(sources, workspace.config)
    if only_plan or as_json:
        _plan(workspace, wanted, None, only_plan, as_json)
        return
    with stoppable(" ".join(("keyresults collect", *sources))) as progress:
        result = collected(workspace, wanted, progress=progress)
    _tell(workspace, result)


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]…", shell_complete=completing.sources)
@click.option("--since", type=day, metavar="DAY", required=True, help="The first day to fetch.")
@plan_option
@json_option
@pass_invocation
def backfill(invocation: Invocation, sources: tuple[str, ...], since: datetime, only_plan: bool, as_json: bool) -> None:
    """Fetch older facts, as far as the sources still know them.

    It can be stopped and started again: what is already there is not fetched twice.

    \b
    Examples:
      keyresults backfill --since 2026-01-01
      keyresults backfill github --since 2025-07-01
      keyresults backfill --since 2025-07-01 --plan
    """
    from ..jobs.collect import backfill as backfilled

    workspace = invocation.open(writing=True)
    wanted = known_sources(sources, workspace.config)
    if only_plan or as_json:
        _plan(workspace, wanted, since.date(), only_plan, as_json)
        return
    first = since.date()
    with stoppable(" ".join(("keyresults backfill", *sources, f"--since {first}"))) as progress:
        result = backfilled(workspace, since=first, sources=wanted, progress=progress)
    _tell(workspace, result)


def _plan(workspace: Workspace, sources: Sequence[str], since: date | None, only_plan: bool, as_json: bool) -> None:
    if not only_plan:
        raise click.UsageError("--json goes with --plan: a collection itself is told in lines")
    from ..jobs.plan import plan

    planned = plan(workspace, since=since, sources=sources)
    zone = workspace.config.calendar.timezone
    if as_json:
        from ..reports import machine

        write(machine.plan(planned, zone))
    else:
        from ..reports import terminal_plan
        from ..reports.dates import Dates

        show(terminal_plan.plan(planned, Dates.seen_at(workspace.clock(), zone)))
    if planned.failed:
        click.get_current_context().exit(SOURCE_FAILED)


def _tell(workspace: Workspace, result: CollectionResult) -> None:
    from ..reports import terminal_tables
    from ..reports.dates import Dates

    show(terminal_tables.collection(result, Dates.seen_at(workspace.clock(), workspace.config.calendar.timezone)))
    if result.failed:
        click.get_current_context().exit(SOURCE_FAILED)
