from __future__ import annotations

import click

from . import completing
from .invocation import Invocation, pass_invocation
from .printing import write


@click.command()
@click.option(
    "--test",
    "channel",
    required=True,
    metavar="CHANNEL",
    shell_complete=completing.channels,
    help="A channel of [notify].",
)
@pass_invocation
def notify(invocation: Invocation, channel: str) -> None:
    """Send a test to a channel, and say whether it arrived.

    It ends with 3 where it did not. What `keyresults run` tells waits in the store until it has arrived; this
    does not.

    \b
    Examples:
      keyresults notify --test chat
    """
    from ..jobs.deliver import try_out

    try_out(invocation.open(), channel)
    write(f"{channel} accepted a test.\n")
