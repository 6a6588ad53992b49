"""What the daemon does for a config: collect each source, evaluate, and look after the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from ..config.model import BackupSettings, Config, ReportSettings, SourceConfig
from ..krs.rhythm import Rhythm
from ..reports.values import CollectionResult, StreamRun
from ..storage.backups import back_up
from ..storage.pruning import prune, thin_said
from .checkin import CannotCheckIn
from .collect import fetch
from .deliver import deliver
from .due import Cron, Every, Schedule
from .evaluate import NoCycle, evaluate_all
from .pulse import Pulse
from .remembered import Remembered
from .routine import Failed, Idle, Later, Routine, spread_of
from .tell import tell_checkins, tell_report
from .tell_changes import tell_changes
from .workspace import Workspace

MINUTE, WEEK = timedelta(minutes=1), timedelta(weeks=1)

KEEP_RUNS = timedelta(days=90)
"""How long records of collections are kept where the config does not say."""

USUAL_RHYTHM = timedelta(hours=1)
"""How often a source is collected whose config does not say."""

log = logging.getLogger("keyresults.daemon")

DAY_END, NIGHT = "0 0 * * *", "30 3 * * *"

_NAMED = 3


@dataclass
class Work:
    """What routines do to one workspace. Threads may share it. `soon` has another routine run at once."""

    workspace: Workspace
    pulse: Pulse
    soon: Callable[[str], None] = lambda name: None
    _remembered: Remembered = field(default_factory=Remembered)

    def routines(self) -> dict[str, Routine]:
        return {one.name: one for one in self._routines()}

    def _routines(self) -> Iterator[Routine]:
        config = self.workspace.config
        zone = config.calendar.timezone
        for source in config.sources.values():
            yield Routine(
                name=f"collect/{source.name}",
                schedule=_rhythm(source, zone),
                run=partial(self.collect, source.name),
                spread=spread_of(source.longest_gap),
                lane="sources",
            )
        yield Routine(name="evaluate", schedule=Cron(DAY_END, zone), run=lambda due: self.evaluate())
        for report in config.reports.values():
            yield Routine(
                name=f"report/{report.name}",
                schedule=Cron(report.schedule, zone),
                run=partial(self.report, report),
                at_once=False,
                behind=True,
            )
        if config.checkins is not None:
            asking = Asking(config.checkins, config)
            yield Routine(name="checkins", schedule=asking, run=self.remind, at_once=False, behind=True)
        if config.notify:
            yield Routine(name="deliver", schedule=Every(MINUTE), run=lambda due: self.deliver())
        if (backup := config.daemon.backup) is not None:
            yield Routine(name="backup", schedule=Every(backup.every), run=partial(self.back_up, backup))
        yield Routine(name="check", schedule=Cron(NIGHT, zone), run=lambda due: self.check())

    def collect(self, source: str, due: datetime) -> Later | None:
        """
        Raises:
            Failed: where not everything could be collected; what came is stored, and evaluated behind this.
        """
        try:
            result = fetch(self.workspace, [source])
        finally:
            self.soon("evaluate")
        return _said(result)

    def evaluate(self) -> None:
        try:
            evaluate_all(self.workspace, self._remembered)
        finally:  # one cycle that can't be evaluated keeps nothing of the others back
            tell_changes(self.workspace, self.workspace.clock())
            self.soon("deliver")
        self.pulse.ready = True

    def report(self, settings: ReportSettings, due: datetime) -> None:
        """
        Raises:
            Failed: where it can't be written, or there is nothing to report of.
        """
        with _told():
            tell_report(self.workspace, settings, due)
        self.soon("deliver")

    def remind(self, due: datetime) -> None:
        """
        Raises:
            Failed: where there is no cycle to ask about.
        """
        with _told():
            tell_checkins(self.workspace, due)
        self.soon("deliver")

    def deliver(self) -> Idle | None:
        arrived = deliver(self.workspace, self.workspace.clock())
        return None if arrived else Idle()

    def back_up(self, settings: BackupSettings, due: datetime) -> None:
        path = back_up(self.workspace.store, settings.directory, settings.keep, self.workspace.clock())
        log.info("the store is backed up", extra={"file": path.name})

    def check(self) -> None:
        """Look for faults of the store, and let go of old records; where the config wants it, of words said over too.

        Raises:
            Failed: where something is wrong with the store.
        """
        faults = self.workspace.store.check()
        if faults:
            raise Failed("; ".join(faults[:_NAMED]))
        now, config = self.workspace.clock(), self.workspace.config
        prune(self.workspace.store, now - (config.daemon.keep_runs or KEEP_RUNS))
        if (age := config.daemon.keep_said) is not None:
            thin_said(self.workspace.store, config.calendar.day_of(now - age))


@dataclass(frozen=True)
class Asking:
    """When people are asked for their check-ins: at the rounds of the cycle that is shown."""

    rhythm: Rhythm
    config: Config

    def after(self, due: datetime, begun: datetime) -> datetime:
        calendar, then = self.config.calendar, max(due, begun)
        first = self.config.cycle.start if self.config.cycle else calendar.day_of(then)
        until = max(then, calendar.start_of(first)) + 2 * self.rhythm.every + WEEK
        return next(at for at in self.rhythm.rounds(calendar, first, until) if at > then)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (NoCycle, CannotCheckIn) as error:
        raise Failed(str(error)) from error
    except OSError as error:
        raise Failed(f"it can't be written: {error.filename or ''} {error.strerror}") from error


def _rhythm(source: SourceConfig, zone: str) -> Schedule:
    if source.schedule is not None:
        return Cron(source.schedule, zone)
    return Every(source.every or USUAL_RHYTHM)


def _said(result: CollectionResult) -> Later | None:
    """Where all that went wrong is that the source asked to wait, when to ask again."""
    wrong = [run for run in result.runs if run.outcome not in ("ok", "busy")]
    if not wrong:
        return None
    waits = [run.retry_at for run in wrong if run.outcome == "retry" and run.retry_at is not None]
    if len(waits) == len(wrong):
        return Later(min(waits), in_part=any(run.outcome == "ok" for run in result.runs))
    raise Failed("; ".join(_errors(wrong)))


def _errors(wrong: list[StreamRun]) -> Iterator[str]:
    said = list(dict.fromkeys(run.error or run.outcome for run in wrong if run.outcome != "retry"))
    yield from said[:_NAMED]
    if len(said) > _NAMED:
        yield f"and {len(said) - _NAMED} more"
