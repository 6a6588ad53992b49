from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Literal

import click

from .invocation import Invocation, pass_invocation

if TYPE_CHECKING:
    from types import FrameType

GRACE = 9.0
"""Seconds that running jobs are given to end when the daemon is stopped."""


@click.command()
@click.option(
    "--log",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How standard error tells of each run, in a line.",
)
@pass_invocation
def run(invocation: Invocation, form: Literal["text", "json"]) -> None:
    """Collect and tell on schedule, until it is stopped.

    Ctrl-C or SIGTERM stops it within ten seconds; SIGHUP reads the config again, as a change of the
    file does by itself.

    \b
    Examples:
      keyresults run
      keyresults --config /etc/keyresults/keyresults.toml run
    """
    from ..jobs.logs import configure
    from ..jobs.service import Service

    configure(form)
    ending, rereading = threading.Event(), threading.Event()
    _listen(ending, rereading)
    with invocation.open(writing=True) as workspace, Service(workspace, lost=ending.set, reread=rereading) as service:
        service.start()
        while not ending.wait(1.0):
            if rereading.is_set():
                service.wake()
        done = service.stop(GRACE)
        problem = service.problem
    if problem:
        raise click.ClickException(problem)
    if not done:
        # A request still waits for its answer, in a thread that nothing can end; all that came is stored.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _listen(ending: threading.Event, rereading: threading.Event) -> None:
    def end(number: int, frame: FrameType | None) -> None:
        ending.set()

    def reread(number: int, frame: FrameType | None) -> None:
        rereading.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, reread)
