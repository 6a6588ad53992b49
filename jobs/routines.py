"""What the daemon does for a config: collect each source, evaluate, and look after the store."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from ..config.model import SourceConfig
from ..reports.values import CollectionResult, StreamRun
from .collect import fetch
from .due import Cron, Every, Schedule
from .evaluate import evaluate_all
from .pulse import Pulse
from .routine import Failed, Later, Routine, spread_of
from .workspace import Workspace

USUAL_RHYTHM = timedelta(hours=1)
"""How often a source is collected whose config does not say."""

DAY_END, NIGHT = "0 0 * * *", "30 3 * * *"

_NAMED = 3


@dataclass
class Work:
    """What routines do to one workspace. Threads may share it: one of them at a time evaluates, for all."""

    workspace: Workspace
    pulse: Pulse
    _asked: int = 0
    _done: int = 0
    _evaluating: threading.Lock = field(default_factory=threading.Lock)
    _counting: threading.Lock = field(default_factory=threading.Lock)

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
            )
        yield Routine(name="evaluate", schedule=Cron(DAY_END, zone), run=lambda due: self.evaluate())
        yield Routine(name="check", schedule=Cron(NIGHT, zone), run=lambda due: self.check())

    def collect(self, source: str, due: datetime) -> Later | None:
        """
        Raises:
            Failed: where not everything could be collected; what came is stored and evaluated.
        """
        result = fetch(self.workspace, [source])
        self.evaluate()
        return _said(result)

    def evaluate(self) -> None:
        """Of several that ask while one evaluates, the next does it for all."""
        with self._counting:
            self._asked += 1
            mine = self._asked
        with self._evaluating:
            if self._done >= mine:
                return
            with self._counting:
                upto = self._asked
            evaluate_all(self.workspace)
            self._done = upto
        self.pulse.ready = True

    def check(self) -> None:
        """
        Raises:
            Failed: where something is wrong with the store.
        """
        faults = self.workspace.store.check()
        if faults:
            raise Failed("; ".join(faults[:_NAMED]))


def routines(workspace: Workspace, pulse: Pulse) -> Mapping[str, Routine]:
    return Work(workspace, pulse).routines()


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
        return Later(min(waits))
    raise Failed("; ".join(_errors(wrong)))


def _errors(wrong: list[StreamRun]) -> Iterator[str]:
    said = list(dict.fromkeys(run.error or run.outcome for run in wrong if run.outcome != "retry"))
    yield from said[:_NAMED]
    if len(said) > _NAMED:
        yield f"and {len(said) - _NAMED} more"
