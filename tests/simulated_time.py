"""The daemon's clockwork under a clock that a test turns: hours pass in milliseconds, and nothing else is replaced."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import apscheduler.schedulers.base as apscheduler
from apscheduler.executors.base import BaseExecutor, run_job
from keyresults.jobs.daemon import Daemon


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class _Afterwards(BaseExecutor):
    """Runs what was begun once the clockwork has looked through all that is due, as threads would."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[tuple[Any, list[datetime]]] = []

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        self.begun.append((job, run_times))

    def run(self) -> None:
        while self.begun:
            job, run_times = self.begun.pop(0)
            self._run_job_success(job.id, run_job(job, job._jobstore_alias, run_times, self._logger.name))


class Simulation:
    """`pass_until` turns the clock to every moment at which the daemon wakes, up to an instant."""

    def __init__(self, daemon: Daemon, clock: Clock) -> None:
        self.daemon = daemon
        self.clock = clock
        self.woken = 0
        self._scheduler = daemon._clockwork._scheduler
        self._executor = _Afterwards()
        lanes = list(self._scheduler._executors)
        self._scheduler._executors.clear()
        for lane in lanes:
            self._scheduler.add_executor(self._executor, lane)

    def look(self) -> float:
        wait: float = self._scheduler._process_jobs()
        self._executor.run()
        self.woken += 1
        return wait

    def pass_until(self, end: datetime, *, seen: Callable[[], None] = lambda: None) -> None:
        while self.clock.now < end:
            self.look()
            seen()
            upcoming = [job.next_run_time for job in self._scheduler.get_jobs()]
            # As the wait says, but no look in between where nothing would be found.
            then = min([end, *upcoming])
            self.clock.now = max(then, self.clock.now + timedelta(microseconds=1))


@contextmanager
def simulated(daemon: Daemon, clock: Clock, monkeypatch: Any) -> Iterator[Simulation]:
    class Turned(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return clock.now.astimezone(tz or UTC)

    with monkeypatch.context() as patched:
        patched.setattr(apscheduler, "datetime", Turned)
        scheduler = daemon._clockwork._scheduler
        simulation = Simulation(daemon, clock)
        patched.setattr(type(scheduler), "start", apscheduler.BaseScheduler.start)
        patched.setattr(type(scheduler), "wakeup", lambda self: None)
        daemon.start()
        yield simulation


def wait_until_idle(daemon: Daemon) -> None:
    """What collections bring is evaluated behind them."""
    seen_at_work = time.monotonic()
    while time.monotonic() - seen_at_work < 0.3:
        if daemon._running:
            seen_at_work = time.monotonic()
        time.sleep(0.01)
