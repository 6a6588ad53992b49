from __future__ import annotations

import click

from . import completing
from .invocation import Invocation, measured_instant, pass_invocation
from .names import metric_named
from .printing import write


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("metric", shell_complete=completing.metrics)
@click.argument("value")
@click.option("--at", metavar="TIME", help="When it was measured: a date or an ISO time. Default: now.")
@click.option("--by", metavar="WHO", help="Who measured it.")
@click.option("--evidence", metavar="TEXT", help="Where it can be looked up: a link or a sentence.")
@pass_invocation
def record(
    invocation: Invocation, metric: str, value: str, at: str | None, by: str | None, evidence: str | None
) -> None:
    """Write down a value that no source can tell.

    The metric's source must be one of type "manual". VALUE may carry a unit.

    \b
    Examples:
      keyresults record engagement 74%
      keyresults record onboarding 2.5h --at 2026-11-20 --by ana --evidence https://wiki/survey
    """
    from ..jobs.record import record as recorded

    workspace = invocation.open(writing=True)
    instant = measured_instant(workspace, at) if at else None
    name = metric_named(metric, workspace.config, workspace.clock())
    sample = recorded(workspace, name, value, at=instant, by=by, evidence=evidence)
    from ..reports.dates import Dates

    dates = Dates.seen_at(workspace.clock(), workspace.config.calendar.timezone)
    write(f"Recorded {value} for {name}, measured {dates.as_of(sample.at)}.\n")
