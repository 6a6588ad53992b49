from __future__ import annotations

import click

from .invocation import Invocation, as_of_instant, pass_invocation
from .options import as_of_option, json_option
from .printing import show, write


@click.command()
@json_option
@as_of_option
@pass_invocation
def sources(invocation: Invocation, as_json: bool, as_of: str | None) -> None:
    """Show what is collected from each source, how far, and how well.

    \b
    Examples:
      keyresults sources
      keyresults sources --json | jq '.[] | select(.health != "ok")'
    """
    from ..jobs.sources import source_states

    workspace = invocation.open()
    states = source_states(workspace, as_of_instant(workspace, as_of))
    zone = workspace.config.calendar.timezone
    if as_json:
        from ..reports import machine

        write(machine.sources(states, zone))
    else:
        from ..reports import terminal_tables

        show(terminal_tables.sources(states, zone))
