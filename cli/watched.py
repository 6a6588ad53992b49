"""Progress of long work, drawn on standard error where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..jobs.progress import Progress, Quiet

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


@contextmanager
def watched() -> Iterator[Progress]:
    """Nothing is drawn unless standard error is a terminal."""
    if not sys.stderr.isatty():
        yield Quiet()
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True, highlight=False), transient=True) as bars:
        yield _Drawn(bars)


class _Drawn:
    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: TaskID = bars.add_task("starting", total=None)
        self._about = ""
        self._facts = self._requests = 0

    def stream(self, name: str, detail: str = "") -> None:
        self._about = f"{name} {detail}".strip()
        self._facts = self._requests = 0
        self._bars.update(self._task, description=self._about)

    def advance(self, facts: int, requests: int = 0) -> None:
        self._facts += facts
        self._requests += requests
        said = f"{self._about}: {self._facts} facts, {self._requests} requests"
        self._bars.update(self._task, description=said)
