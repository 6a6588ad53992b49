"""Work side by side in threads that end with the command."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic

GRACE = 10.0
"""Seconds that threads are given to end what they are at, once they have been told to stop."""


class Stopped(BaseException):
    """Raised in a thread whose work is no longer wanted; like KeyboardInterrupt no failure of the work."""


class Crew:
    """Threads over one list of work; one alone works in the caller's own thread. `unwanted` stops it from outside."""

    def __init__(self, unwanted: threading.Event | None = None) -> None:
        self._stopping = threading.Event()
        self._unwanted = unwanted or threading.Event()
        self._failures: list[Exception] = []

    def check(self) -> None:
        """To be called by the work now and then, where it can be left.

        Raises:
            Stopped: where the command is being ended, or other work of the crew failed.
        """
        if self._stopping.is_set() or self._unwanted.is_set():
            raise Stopped

    def do(self, work: Iterable[Callable[[], None]], most: int) -> None:
        """Do all of it, begun in its order, in as many threads at `most`.

        Raises what the first failing piece raised, once every thread has come to rest; an interrupt
        of the caller stops the threads where they next `check`.
        """
        left = deque(work)
        size = min(most, len(left))
        if size < 2:
            while left:
                self.check()
                left.popleft()()
            return
        # A join that Ctrl-C interrupts takes its thread for ended: each says so by itself.
        ended: list[threading.Event] = []
        try:
            for _ in range(size):
                ended.append(threading.Event())
                threading.Thread(target=self._work, args=(left, ended[-1]), daemon=True).start()
            for one in ended:
                one.wait()
        except BaseException:
            self._rest(ended)
            raise
        if self._failures:
            raise self._failures[0]
        if self._unwanted.is_set():
            raise Stopped

    def _work(self, left: deque[Callable[[], None]], ended: threading.Event) -> None:
        try:
            while not (self._stopping.is_set() or self._unwanted.is_set()):
                try:
                    piece = left.popleft()
                except IndexError:
                    return
                piece()
        except Stopped:
            return
        except Exception as error:
            self._failures.append(error)
            self._stopping.set()
        finally:
            ended.set()

    def _rest(self, ended: Iterable[threading.Event]) -> None:
        self._stopping.set()
        give_up = monotonic() + GRACE
        for one in ended:
            one.wait(max(give_up - monotonic(), 0))
