"""What monitoring is told of key results: the last stored evaluation of each running cycle, and how old its data is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from ..config.model import Config
from ..krs.cycle import Cycle
from ..krs.forecast import Forecast
from ..krs.judgement import ObjectiveJudgement, Status
from ..metrics.window import Window
from ..reports.codec import decode_json
from ..reports.progress_report import Closed
from .exported import (
    AGE,
    EVALUATED,
    EXPECTED,
    MAX_AGE,
    OBJECTIVE_PROGRESS,
    PROBABILITY,
    PROGRESS,
    RAW_PROGRESS,
    READING,
    STATUS,
    TARGET,
    Point,
    seconds,
    since_1970,
)
from .workspace import Workspace

UNJUDGED = frozenset({Status.WITHDRAWN, Status.DRAFT, Status.NOT_STARTED})

Ages = list[tuple[tuple[str, str, str], datetime | None, str, date]]
"""Of key results that are judged: the labels, where the data ends, the metric, and the last day on which they are."""


@dataclass(frozen=True, slots=True)
class _Named:
    name: str


@dataclass(frozen=True, slots=True)
class _Reading:
    value: float | None
    covered: float
    window: Window


@dataclass(frozen=True, slots=True)
class _Judged:
    status: Status
    reading: _Reading | None
    target_value: float | None
    progress: float | None
    raw_progress: float | None
    expected: float | None
    deadline: date
    metric: str


@dataclass(frozen=True, slots=True)
class _KeyResult:
    id: str
    unit: str
    judgement: _Judged
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class _Objective:
    id: str
    judgement: ObjectiveJudgement
    key_results: tuple[_KeyResult, ...]


@dataclass(frozen=True, slots=True)
class _Report:
    """What of a stored report is exported: to read the rest, the days above all, would take ten times as long."""

    cycle: _Named
    objectives: tuple[_Objective, ...]
    closed: Closed | None = None


class KeyResultPoints:
    """What was worked out of an evaluation is kept until there is a newer one: reading a large one takes long."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[datetime, list[Point], Ages]] = {}

    def points(self, workspace: Workspace) -> Iterator[Point]:
        for cycle in _running(workspace.config, workspace.config.calendar.day_of(workspace.clock())):
            confirmed = workspace.store.last_confirmed(cycle.name)
            if confirmed is None:
                continue
            if cycle.name not in self._told or self._told[cycle.name][0] != confirmed:
                self._read(workspace, cycle.name)
            if cycle.name in self._told:
                at, points, ages = self._told[cycle.name]
                yield EVALUATED, (cycle.name,), since_1970(at)
                yield from points
                yield from _ages(workspace, ages)

    def _read(self, workspace: Workspace, cycle: str) -> None:
        self._told.pop(cycle, None)
        stored = workspace.store.last_evaluation(cycle)
        if stored is None:
            return
        try:
            report = decode_json(_Report, stored.content)
        except ValueError:
            return  # kept by another release: the next evaluation replaces it
        self._told[cycle] = stored.confirmed_at, list(_of_report(report)), list(_data_ends(report))


def _running(config: Config, today: date) -> list[Cycle]:
    """The cycle that is shown, and those with objectives that today belongs to."""
    used = {objective.cycle.name: objective.cycle for objective in config.objectives}
    shown = config.cycle.name if config.cycle else None
    return [one for name, one in used.items() if name == shown or one.start <= today <= one.end]


def _of_report(report: _Report) -> Iterator[Point]:
    cycle = report.cycle.name
    for objective in report.objectives:
        yield OBJECTIVE_PROGRESS, (cycle, objective.id), objective.judgement.progress
        for kr in objective.key_results:
            yield from _of_key_result((cycle, objective.id, kr.id), kr)


def _of_key_result(labels: tuple[str, str, str], kr: _KeyResult) -> Iterator[Point]:
    judgement = kr.judgement
    yield PROGRESS, labels, judgement.progress
    yield RAW_PROGRESS, labels, judgement.raw_progress
    yield EXPECTED, labels, judgement.expected
    yield from ((STATUS, (*labels, status.value), float(status is judgement.status)) for status in Status)
    yield READING, (*labels, kr.unit), judgement.reading.value if judgement.reading else None
    yield TARGET, (*labels, kr.unit), judgement.target_value
    yield PROBABILITY, labels, kr.forecast.probability if kr.forecast else None


def _data_ends(report: _Report) -> Iterator[tuple[tuple[str, str, str], datetime | None, str, date]]:
    if report.closed is not None:
        return  # what is frozen is not judged anew
    for objective in report.objectives:
        for kr in objective.key_results:
            if kr.judgement.status not in UNJUDGED:
                labels = (report.cycle.name, objective.id, kr.id)
                yield labels, _data_end(kr.judgement.reading), kr.judgement.metric, kr.judgement.deadline


def _data_end(reading: _Reading | None) -> datetime | None:
    """None where nothing of the reading's window was collected."""
    if reading is None or (reading.value is None and not reading.covered > 0):
        return None
    return reading.window.end


def _ages(workspace: Workspace, ages: Ages) -> Iterator[Point]:
    """Of those still judged: what was collected after the deadline says nothing of them."""
    now, config = workspace.clock(), workspace.config
    today = config.calendar.day_of(now)
    for labels, end, metric, deadline in ages:
        if today <= deadline and metric in config.metrics:
            yield AGE, labels, None if end is None else seconds(now - end)
            yield MAX_AGE, labels, seconds(config.metrics[metric].max_age)
