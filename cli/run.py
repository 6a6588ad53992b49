from __future__ import annotations

import os
import signal
import sys
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Literal, NoReturn

import click

from .invocation import Invocation, pass_invocation

if TYPE_CHECKING:
    from types import FrameType

GRACE = 7.0
"""Seconds that running jobs are given to end when the daemon is stopped; the interpreter takes up to three more."""

Wish = Literal["end", "reread"]


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
    wishes: SimpleQueue[Wish] = SimpleQueue()
    _listen(wishes)
    with invocation.open(writing=True) as workspace, Service(workspace, lost=partial(wishes.put, "end")) as service:
        service.start()
        while wishes.get() == "reread":
            service.reread()
        if not service.stop(GRACE):
            _leave(service.problem)
        problem = service.problem
    if problem:
        raise click.ClickException(problem)


def _leave(problem: str) -> NoReturn:
    """A request still waits for its answer, in a thread that nothing can end; all that came is stored."""
    from .main import WRONG_USAGE

    if problem:
        click.echo(f"Error: {problem}", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(WRONG_USAGE if problem else 0)


def _listen(wishes: SimpleQueue[Wish]) -> None:
    """A signal may come at any moment, and what waits for an event must not be interrupted by who sets it; a simple
    queue may."""

    def note(number: int, frame: FrameType | None) -> None:
        wishes.put("reread" if number == signal.SIGHUP else "end")

    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(one, note)
