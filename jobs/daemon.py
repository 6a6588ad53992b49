"""The daemon: routines that run when they are due, for a year and longer, whatever fails meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

from ..storage.timetable import JobRecord
from .noted_runs import NotedRuns
from .pulse import Pulse
from .routine import LONGEST_JITTER, Planned, Routine, plan, retry
from .scheduler import BOUND, THREADS, Clockwork
from .threads import Stopped
from .workspace import Workspace

CATCHING_UP = 0.1

LONGEST_BEHIND, LOOK_AGAIN = timedelta(minutes=10), timedelta(seconds=5)
"""How long something waits for sources to be collected, and how often it looks."""

log = logging.getLogger("keyresults.daemon")


class Daemon:
    """Runs the routines of a workspace. `routines` makes them; they are made again when the config has changed.

    `watch` is called with each beat, before anything else; it may call `use`.
    """

    def __init__(
        self,
        workspace: Workspace,
        routines: Callable[[Workspace], Mapping[str, Routine]],
        *,
        pulse: Pulse | None = None,
        watch: Callable[[], None] = lambda: None,
        bound: float = BOUND,
        threads: int = THREADS,
    ) -> None:
        self.workspace = workspace
        self.pulse = pulse or Pulse()
        self._make = routines
        self._routines = routines(workspace)
        self._watch = watch
        self._running: set[str] = set()
        self._once_more: set[str] = set()
        self._begun: set[str] = set()
        self._timetable = NotedRuns()
        self._unplanned = False
        self._planned: dict[str, Planned] = {}
        self._idle = threading.Condition()
        self._clockwork = Clockwork(workspace.clock, beat=self._beat, replan=self._replan, bound=bound, threads=threads)

    def start(self) -> None:
        self._plan_all()
        self._clockwork.start()

    def use(self, workspace: Workspace) -> None:
        """Go on by another config. What runs ends by the one it began with."""
        routines = self._make(workspace)
        with self._idle:
            gone = set(self._routines) - set(routines)
            self.workspace, self._routines = workspace, routines
        for name in gone:
            self._clockwork.forget(name)
        self._plan_all()

    def soon(self, name: str) -> None:
        """Have a routine run at once; where it runs just now, again behind that."""
        with self._idle:
            if name in self._running:
                self._once_more.add(name)
            elif name in self._routines:
                self._now(name)

    def wake(self) -> None:
        """Look at once at what is due, and at the config."""
        self._clockwork.wake()

    def stop(self, seconds: float) -> bool:
        """Begin nothing more, and wait so long for what runs; False where something still runs then."""
        self.pulse.stopping = True
        self.workspace.stopping.set()
        give_up = monotonic() + seconds
        ended = self._clockwork.stop(seconds)
        with self._idle:
            while self._running and monotonic() < give_up:
                self._idle.wait(give_up - monotonic())
            return ended and not self._running

    def _beat(self) -> None:
        self.pulse.beat()
        try:
            self._watch()
        except Exception:
            log.exception("looking at the config failed")
        if self._unplanned:
            self._replan()

    def _replan(self) -> None:
        try:
            self._plan_all()
        except Exception:
            log.exception("planning failed in a way it should not, and is tried again")

    def _plan_all(self) -> None:
        self._unplanned = True
        with self._idle:
            # What is at work plans what comes next by itself, and of what ends meanwhile the records are too old.
            self._begun = set(self._running)
        records = self._timetable.records(self.workspace)
        for name in [name for name, job in (records or {}).items() if job.next_due and name not in self._routines]:
            self._timetable.plan(self.workspace, name, None)
        for name in self._routines:
            if records is not None or not self._clockwork.knows(name):
                self._plan(name, (records or {}).get(name), but=self._begun)
        self._unplanned = records is None

    def _plan(self, name: str, record: JobRecord | None, but: Collection[str] = ()) -> None:
        now = self.workspace.clock()
        planned = self._timetable.owed(name, now) or plan(self._routines[name], record, now)
        if name not in but:
            self._timetable.plan(self.workspace, name, planned.begins)
        with self._idle:
            if name not in but:
                # Of what was missed, only a little is spread: somebody may be waiting for it.
                self._at(name, planned.due, planned.begins, share=CATCHING_UP if planned.begins == now else 1.0)

    def _at(self, name: str, due: datetime, when: datetime, share: float = 1.0) -> None:
        routine = self._routines[name]
        begins = when + routine.spread * self.workspace.chance() * share
        self._planned[name] = Planned(due, begins)
        self._clockwork.at(name, begins, partial(self._run, name, due), routine.lane)

    def _now(self, name: str) -> None:
        now = self.workspace.clock()
        self._at(name, now, now, share=0.0)

    def _run(self, name: str, due: datetime, at_last: datetime | None = None) -> None:
        """`at_last` is when it is run though sources it waits for are still to be collected."""
        with self._idle:
            routine, now = self._routines.get(name), self.workspace.clock()
            if routine is None or name in self._running or self.workspace.stopping.is_set():
                return
            at_last = at_last or now + LONGEST_BEHIND
            if routine.behind and now < at_last and self._sources_come(due, now):
                self._clockwork.at(name, now + LOOK_AGAIN, partial(self._run, name, due, at_last), routine.lane)
                return
            self._running.add(name)
            self._begun.add(name)
        planned: Planned | None = None
        try:
            planned = self._timetable.run(self.workspace, routine, due)
        except Stopped:
            return
        except Exception:
            log.exception("what became of %s can't be noted", name)
            planned = Planned(due, retry(1, self.workspace.clock()))
        finally:
            self._end(name, routine, planned)

    def _sources_come(self, due: datetime, now: datetime) -> bool:
        """Whether any is being collected for a time up to `due`, or soon; what failed or has to wait is not soon."""
        sources = {name for name, routine in self._routines.items() if routine.lane == "sources"}
        return any(
            planned.due <= due and (planned.begins <= now + LONGEST_JITTER or name in self._running)
            for name, planned in self._planned.items()
            if name in sources
        )

    def _end(self, name: str, routine: Routine, planned: Planned | None) -> None:
        """Go on as it is planned, or as the config says that came meanwhile."""
        with self._idle:
            self._running.discard(name)
            once_more = name in self._once_more
            self._once_more.discard(name)
            self._idle.notify_all()
            if planned is None or self.workspace.stopping.is_set():
                return
            current = self._routines.get(name)
            # Under the lock: whoever wants it at once comes before this, or after.
            if current is not None and once_more:
                self._now(name)
            elif current is routine:
                self._at(name, planned.due, planned.begins)
        if current is None:
            self._timetable.plan(self.workspace, name, None)
        elif current is not routine and not once_more:
            self._plan(name, (self._timetable.records(self.workspace) or {}).get(name))
