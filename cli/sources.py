from __future__ import annotations

import click

from .invocation import Invocation, pass_invocation
from .options import json_option
from .printing import show, write


@click.command()
@json_option
@pass_invocation
def sources(invocation: Invocation, as_json: bool) -> None:
    """Show what is collected from each source, and how far.

    \b
    Examples:
      keyresults sources
      keyresults sources --json | jq '.[] | select(.health != "ok")'
    """
    from ..jobs.sources import source_states

    workspace = invocation.open()
    states = source_states(workspace)
    zone = workspace.config.calendar.timezone
    if as_json:
        from ..reports import machine

        write(machine.sources(states, zone))
    else:
        from ..reports import terminal_tables
        from ..reports.dates import Dates

        now = workspace.clock()
        show(terminal_tables.sources(states, Dates.seen_at(now, zone), now))
