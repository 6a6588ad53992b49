"""Progress of long work on standard error: drawn where somebody watches, else a plain line now and then."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from threading import current_thread, main_thread
from time import monotonic
from types import FrameType

from ..jobs.progress import Course, Progress
from ..reports.numbers import many

EVERY = 30.0
"""Seconds between plain lines: a short collection writes none."""

_BESIDE_THE_WORDS = len("⠋  0:00:00 ") + 1
"""Columns of the line that is drawn: what spins before its words, and the time behind them."""


@contextmanager
def watched() -> Iterator[Progress]:
    """Nothing is drawn unless standard error is a terminal."""
    if not sys.stderr.isatty():
        yield Told(_plainly(monotonic))
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True, highlight=False), transient=True) as bars:
        task = bars.add_task("starting", total=None)
        most = max(bars.console.width - _BESIDE_THE_WORDS, 1)
        yield Told(lambda words: bars.update(task, description=words), most)


@contextmanager
def stoppable(again: str) -> Iterator[Progress]:
    """Watched, and on Ctrl-C or SIGTERM a line on standard error says that the command `again` goes on."""
    seen: Progress = Told(lambda _: None)
    try:
        with watched() as seen, _terminable():
            yield seen
    except (KeyboardInterrupt, _Terminated):
        made = seen.requests if isinstance(seen, Course) else 0
        after = f" after {many(made, 'requests')}" if made else ""
        sys.stderr.write(f"stopped{after}; what came is stored, `{again}` goes on\n")
        raise


class _Terminated(SystemExit):
    """The process was asked to end; its code is the one that shells know for the signal."""


@contextmanager
def _terminable() -> Iterator[None]:
    """What is asked to end (SIGTERM) ends as with Ctrl-C: threads come to rest, and what was taken is given back."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, _: FrameType | None) -> None:
    raise _Terminated(128 + number)


class Told(Course):
    """A course that tells its words with every step, in `most` characters."""

    def __init__(self, tell: Callable[[str], None], most: int | None = None) -> None:
        super().__init__()
        self._tell = tell
        self._most = most

    def stream(self, name: str, detail: str = "") -> None:
        super().stream(name, detail)
        self._tell(self.words(self._most))

    def advance(
        self, facts: int, requests: int = 0, *, name: str = "", back_to: date | None = None, share: float | None = None
    ) -> None:
        super().advance(facts, requests, name=name, back_to=back_to, share=share)
        self._tell(self.words(self._most))


def _plainly(clock: Callable[[], float]) -> Callable[[str], None]:
    told = clock()

    def tell(words: str) -> None:
        nonlocal told
        if clock() - told >= EVERY:
            told = clock()
            sys.stderr.write(f"{words}\n")
            sys.stderr.flush()

    return tell
