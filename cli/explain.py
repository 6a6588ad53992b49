from __future__ import annotations

import click

from . import completing
from .invocation import Invocation, as_of_instant, pass_invocation
from .options import as_of_option, json_option
from .printing import show, write


@click.command()
@click.argument("name", shell_complete=completing.names)
@json_option
@as_of_option
@pass_invocation
def explain(invocation: Invocation, name: str, as_json: bool, as_of: str | None) -> None:
    """Show every fact behind a number, and why it counted or not.

    NAME is a key result or a metric. Where both are called p99, the key result is meant;
    metric:p99 asks for the metric, and 2026-Q3/p99 for a key result of another cycle.

    \b
    Examples:
      keyresults explain rollbacks
      keyresults explain metric:p99
      keyresults explain 2026-Q3/p99 --as-of 2026-08-15
    """
    from ..jobs.evaluate import explain as explained

    workspace = invocation.open()
    found = explained(workspace, name, as_of=as_of_instant(workspace, as_of))
    if as_json:
        from ..reports import machine

        write(machine.explanation(found))
    else:
        from ..reports import terminal_tables

        show(terminal_tables.explanation(found))
