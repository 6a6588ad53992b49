"""What it takes until the deadline, for a key result that is still open."""

from __future__ import annotations

from ..krs.judgement import Judgement, Status
from ..krs.model import KeyResult
from ..krs.progress import Goal
from ..krs.takes import Rest, Takes, bad_days_left, takes
from .evidence import Evaluation

OPEN = frozenset({Status.ON_TRACK, Status.AT_RISK, Status.OFF_TRACK, Status.MET})
"""Statuses of key results that run and have a reading to go by."""


def taken_by(evaluation: Evaluation, kr: KeyResult, judged: Judgement) -> Takes | None:
    """None where it is not open, and where its kind doesn't let it be said."""
    config, reading, window = evaluation.config, judged.reading, judged.decides_on
    ended = evaluation.as_of >= config.calendar.end_of(judged.deadline)
    if judged.status not in OPEN or ended or reading is None or window is None:
        return None
    if judged.kept is not None:
        return bad_days_left(judged.kept, window, reading.window.end, config.calendar)
    start = config.calendar.start_of(kr.start)
    measurement = evaluation.measurement(judged.metric)
    ahead, lately = measurement.basis_ahead(window), measurement.basis(reading.at, start)
    goal = _goal(judged)
    if goal is None or ahead is None or lately is None:
        return None
    return takes(Rest(basis=ahead, lately=lately, goal=goal, since=reading.window.end, value=reading.value))


def _goal(judged: Judgement) -> Goal | None:
    if judged.shape is None or judged.comparison is None or judged.target_value is None:
        return None
    return Goal(shape=judged.shape, comparison=judged.comparison, limit=judged.target_value)
