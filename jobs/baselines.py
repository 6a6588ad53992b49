"""Where key results start from: measured once, provisional while their time may still fill up, then frozen."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from ..krs.baseline import baseline_window, choose_baseline
from ..krs.judgement import Baseline
from ..krs.model import KeyResult
from ..metrics.measurement import Measurement
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.reading import Reading
from ..metrics.traits import is_carried, still_unsettled, traits_of
from ..storage.errors import BaselineFrozen
from .evidence import Evaluation


def baseline_of(
    evaluation: Evaluation, cycle: str, kr: KeyResult, readings: list[Reading], *, freeze: bool
) -> Baseline | None:
    """The key result's baseline. `readings` is its series so far; `freeze` stores what was measured."""
    stated = choose_baseline(
        kr, calendar=evaluation.config.calendar, measured=None, settled=True, first_ok_after_start=None
    )
    if stated is not None:
        return stated
    digest = definition_digest(evaluation, kr)
    stored = evaluation.store.baseline(cycle, kr.id, digest)
    if stored is not None and not stored.baseline.provisional:
        return stored.baseline
    measurement, measured = _measure(evaluation, kr)
    baseline = choose_baseline(
        kr,
        calendar=evaluation.config.calendar,
        measured=measured,
        settled=_settled(evaluation, kr, measurement),
        first_ok_after_start=next((r for r in readings if r.usable(kr.accept_partial)), None),
    )
    if freeze and baseline is not None and baseline.reading is not None:
        evidence = measurement.evidence(baseline.reading)
        with suppress(BaselineFrozen):  # another process was first; the next evaluation takes its
            evaluation.store.put_baseline(cycle, kr.id, digest, baseline, evidence, evaluation.as_of)
    return baseline


def definition_digest(evaluation: Evaluation, kr: KeyResult) -> str:
    """What the baseline was measured by. Another metric, or another definition of it, measures anew."""
    definition = evaluation.config.metrics[kr.metric]
    # What is excluded or said of ages later must not measure a frozen baseline anew.
    lasting = replace(definition, exclude=(), max_age=timedelta(0))
    text = f"{lasting!r} {kr.baseline_days} {kr.start} {evaluation.config.calendar.timezone}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _measure(evaluation: Evaluation, kr: KeyResult) -> tuple[Measurement, Reading | None]:
    """The metric over the baseline's window, read at the key result's start; nothing before that has come."""
    config = evaluation.config
    at, window = baseline_window(kr, traits_of(config.metrics[kr.metric]), config.calendar)
    measurement = evaluation.measurement(kr.metric, window=window)
    if at > evaluation.as_of:
        return measurement, None
    return measurement, measurement.readings([at], at)[0]


def _settled(evaluation: Evaluation, kr: KeyResult, measurement: Measurement) -> bool:
    """Whether nothing can change the baseline any more: its time is collected, or out of the sources' reach."""
    config = evaluation.config
    at, window = baseline_window(kr, traits_of(config.metrics[kr.metric]), config.calendar)
    states = evaluation.states(kr.metric)
    if evaluation.as_of < at + still_unsettled(measurement.definition) or not states:
        return False
    if is_carried(measurement.definition):
        return True
    asked = TimeRanges.of(TimeRange(config.calendar.days_before(at, window.days or 0), at))
    return not any((asked - state.coverage).clip(state.horizon or _beginning(asked), at) for state in states)


def _beginning(asked: TimeRanges) -> datetime:
    assert asked.start is not None
    return asked.start
