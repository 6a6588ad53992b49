"""The clockwork under the daemon: runs each job at the time it is due for, one run of it at a time.

APScheduler holds the times and the threads. It waits by a clock that does not know of a laptop that slept or of a
clock that was set, so that no wait is longer than `BOUND`, and times are looked at anew where the clock was set back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, get_args

from .routine import Lane

BOUND = 30.0
"""Seconds between two looks at the clock, at most."""

SET_BACK = timedelta(minutes=1)
"""A clock that goes back by less has been put right; by more, times in the store may lie in the future."""

THREADS = 8
"""For sources, and as many for all else: whatever sources hang, what is known of the others is told."""

logging.getLogger("apscheduler").setLevel(logging.ERROR)  # what goes wrong in a job is told by whoever runs it


class Clockwork:
    """`beat` is called before each look at what is due; `replan` where the clock was set back."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        beat: Callable[[], None],
        replan: Callable[[], None],
        bound: float = BOUND,
        threads: int = THREADS,
    ) -> None:
        self._clock = clock
        self._seen = clock()
        self._beat = beat
        self._replan = replan
        self._bound = bound
        self._ids: dict[str, int] = {}
        self._numbers = count()
        self._planning = threading.RLock()
        self._scheduler = self._made(threads)

    def _made(self, threads: int) -> Any:  # noqa: ANN401 (APScheduler has no types)
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        look = self._look

        class Bounded(BackgroundScheduler):  # type: ignore[misc]  # APScheduler ships no types
            def _process_jobs(self) -> float:
                return look(super()._process_jobs)

        return Bounded(
            timezone="UTC",
            executors={lane: ThreadPoolExecutor(threads) for lane in get_args(Lane)},
            # A job that is late runs all the same, once.
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def _look(self, process: Callable[[], float | None]) -> float:
        from apscheduler.jobstores.base import JobLookupError

        now = self._clock()
        if now < self._seen - SET_BACK:
            self._replan()
        self._seen = now
        self._beat()
        try:
            wait = process()
        except JobLookupError:  # it was stopped in the middle of it
            wait = None
        return self._bound if wait is None else min(max(wait, 0.0), self._bound)

    def at(self, name: str, when: datetime, run: Callable[[], None], lane: Lane = "default") -> None:
        """Run it once at that time, or at once where it is past; what was planned under this name is forgotten."""
        with self._planning:
            self._forget(name)
            # Each run has an id of its own: a run that plans the next one is still counted as running, and where that
            # is due at once, APScheduler would drop it.
            self._ids[name] = number = next(self._numbers)
            begin = partial(self._begin, name, number, run)
            self._scheduler.add_job(begin, "date", run_date=when, id=str(number), name=name, executor=lane)

    def _begin(self, name: str, number: int, run: Callable[[], None]) -> None:
        """Not what was forgotten while it waited for its thread."""
        if self._ids.get(name) == number:
            run()

    def knows(self, name: str) -> bool:
        """Whether anything was ever planned under this name, and not forgotten."""
        return name in self._ids

    def forget(self, name: str) -> None:
        with self._planning:
            self._forget(name)

    def _forget(self, name: str) -> None:
        from apscheduler.jobstores.base import JobLookupError

        number = self._ids.pop(name, None)
        if number is not None:
            with suppress(JobLookupError):  # begun, just now perhaps
                self._scheduler.remove_job(str(number))

    def start(self) -> None:
        self._scheduler.start()

    def wake(self) -> None:
        """Look at the clock now."""
        self._scheduler.wakeup()

    def stop(self, seconds: float) -> bool:
        """Begin nothing more. What runs goes on; False where somebody hangs so long while looking at what is due."""
        # The scheduler waits for its own thread, without end.
        ending = threading.Thread(target=self._scheduler.shutdown, kwargs={"wait": False}, daemon=True)
        ending.start()
        ending.join(seconds)
        return not ending.is_alive()
