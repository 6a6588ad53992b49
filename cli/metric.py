from __future__ import annotations

from datetime import datetime

import click

from . import completing
from .invocation import Invocation, as_of_instant, pass_invocation
from .names import metric_named
from .options import as_of_option, day, json_option
from .printing import show, write


@click.command()
@click.argument("name", shell_complete=completing.names)
@click.option("--since", type=day, metavar="DAY", help="The first day, included.")
@click.option("--until", type=day, metavar="DAY", help="The last day, included.")
@json_option
@as_of_option
@pass_invocation
def metric(
    invocation: Invocation, name: str, since: datetime | None, until: datetime | None, as_json: bool, as_of: str | None
) -> None:
    """Show a metric's daily readings, oldest first.

    NAME is a metric, or a key result to see the metric it rests on.

    \b
    Examples:
      keyresults metric deploy-frequency
      keyresults metric p99-payments --since 2026-10-01 --until 2026-10-31
      keyresults metric rollback-rate --json
    """
    from ..jobs.evaluate import metric_series

    workspace = invocation.open()
    at = as_of_instant(workspace, as_of)
    series = metric_series(
        workspace,
        metric_named(name, workspace.config, at),
        since=since.date() if since else None,
        until=until.date() if until else None,
        as_of=at,
    )
    if as_json:
        from ..reports import machine

        write(machine.metric(series))
    else:
        from ..reports import terminal_tables

        show(terminal_tables.metric(series))
