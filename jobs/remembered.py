"""Key results as they were last evaluated, so that only those of which something is new are evaluated again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date, datetime

from ..krs.model import KeyResult, Objective
from ..reports.progress_report import ReportedKeyResult
from ..storage.rows import StreamState
from .evidence import Evaluation, trouble_of


@dataclass(frozen=True, slots=True)
class _Evaluated:
    day: tuple[date, date]
    ground: Hashable
    until: datetime | None
    said: ReportedKeyResult


@dataclass
class Remembered:
    """What one process said of the key results of one config.

    Something is new of a key result when facts or covered time came to a stream that it rests on, when one of these, or
    their source, began or ceased to fail or was asked for the first time, when what it rests on becomes too old, and
    with each local day. Time that passes between these is nothing new: what was said stands, as of when it was said.
    """

    _evaluated: dict[tuple[str, str], _Evaluated] = field(default_factory=dict)

    def said(
        self,
        evaluation: Evaluation,
        objective: Objective,
        kr: KeyResult,
        evaluate: Callable[[], tuple[ReportedKeyResult, datetime | None]],
    ) -> ReportedKeyResult:
        """What is said of the key result, by `evaluate` where something is new of it.

        `evaluate` tells besides until when what it rests on is not too old.
        """
        calendar, now = evaluation.config.calendar, evaluation.as_of
        day = calendar.day_of(now), calendar.day_closed_by(now)  # at midnight the one that ended is judged
        ground = tuple(_ground(evaluation, metric) for metric in sorted(kr.metrics))
        known = self._evaluated.get(key := (objective.cycle.name, kr.id))
        if known and known.day == day and known.ground == ground and (known.until is None or now <= known.until):
            return known.said
        said, until = evaluate()
        self._evaluated[key] = _Evaluated(day, ground, until, said)
        return said


def _ground(evaluation: Evaluation, metric: str) -> Hashable:
    """All that is stored and may change what is said of a metric, but for what people say."""
    streams = (*evaluation.states(metric), *evaluation.beside(metric))
    troubles, never_asked = evaluation.source_troubles(metric), evaluation.never_asked(metric)
    return tuple(map(_state, streams)), tuple(troubles), tuple(never_asked)


def _state(state: StreamState) -> Hashable:
    # Where a backup was put back, revisions are counted a second time.
    revision = state.revision, state.changed_at
    return state.stream.id, revision, state.problems, state.open_keys, trouble_of(state.last_run)
