"""Where key results start from: measured once, provisional while their time may still fill up, then frozen."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from ..krs.baseline import baseline_window, choose_baseline, may_start_late
from ..krs.judgement import Baseline
from ..krs.model import KeyResult
from ..metrics.definition import essence
from ..metrics.measurement import Measurement
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.reading import Reading
from ..metrics.traits import is_carried, still_unsettled, traits_of
from ..storage.errors import BaselineFrozen
from ..storage.rows import StreamState
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
    frozen = _frozen(evaluation, cycle, kr, digest)
    if frozen is not None:
        return frozen
    measurement, measured = _measure(evaluation, kr)
    first = _first_after_start(evaluation, kr, readings)
    taken = measured if measured is not None and measured.usable(kr.accept_partial) else first
    baseline = choose_baseline(
        kr,
        calendar=evaluation.config.calendar,
        measured=measured,
        settled=taken is not None and _settled(evaluation, kr, measurement, taken.at),
        first_ok_after_start=first,
    )
    if freeze and baseline is not None and baseline.reading is not None:
        evidence = measurement.evidence(baseline.reading)
        try:
            evaluation.store.put_baseline(cycle, kr.id, digest, baseline, evidence, evaluation.as_of)
        except BaselineFrozen:  # another process was first
            return _frozen(evaluation, cycle, kr, digest) or baseline
    return baseline


def _frozen(evaluation: Evaluation, cycle: str, kr: KeyResult, digest: str) -> Baseline | None:
    """The one that is kept for good; seen from a time before its own instant it is not yet known."""
    stored = evaluation.store.baseline(cycle, kr.id, digest)
    if stored is None or stored.baseline.provisional:
        return None
    at = stored.baseline.at
    return stored.baseline if at is None or at <= evaluation.as_of else None


def _first_after_start(evaluation: Evaluation, kr: KeyResult, readings: list[Reading]) -> Reading | None:
    if not may_start_late(traits_of(evaluation.config.metrics[kr.metric])):
        return None
    return next((r for r in readings if r.usable(kr.accept_partial)), None)


def definition_digest(evaluation: Evaluation, kr: KeyResult) -> str:
    """What the baseline was measured by. Another metric, or another definition of it, measures anew."""
    definition = evaluation.config.metrics[kr.metric]
    # What is excluded or said of ages later must not measure a frozen baseline anew.
    lasting = essence(replace(definition, exclude=(), max_age=timedelta(0)))
    text = f"{lasting} {kr.baseline_days} {kr.start} {evaluation.config.calendar.timezone}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _measure(evaluation: Evaluation, kr: KeyResult) -> tuple[Measurement, Reading | None]:
    """The metric over the baseline's window, read at the key result's start; nothing before that has come."""
    config = evaluation.config
    at, window = baseline_window(kr, traits_of(config.metrics[kr.metric]), config.calendar)
    measurement = evaluation.measurement(kr.metric, window=window)
    if at > evaluation.as_of:
        return measurement, None
    return measurement, measurement.readings([at], at)[0]


def _settled(evaluation: Evaluation, kr: KeyResult, measurement: Measurement, at: datetime) -> bool:
    """Whether nothing can change a baseline read at `at` any more.

    All the time that decides it is then collected or out of the sources' reach, and no fact of it
    is still open.
    """
    config, definition = evaluation.config, measurement.definition
    start, window = baseline_window(kr, traits_of(config.metrics[kr.metric]), config.calendar)
    states = evaluation.states(kr.metric)
    if evaluation.as_of < at + still_unsettled(definition) or not states:
        return False
    looks_back = start - definition.max_age if is_carried(definition) else None
    earliest = looks_back or config.calendar.days_before(start, window.days or 0)
    asked = TimeRanges.of(TimeRange(earliest, at))
    return all(_is_final(evaluation, state, asked, at) for state in states)


def _is_final(evaluation: Evaluation, state: StreamState, asked: TimeRanges, at: datetime) -> bool:
    since = evaluation.config.sources[state.stream.source].since
    never_asked_before = evaluation.config.calendar.start_of(since) if since is not None else None
    reach = [limit for limit in (asked.start, state.horizon, never_asked_before) if limit is not None]
    if (asked - state.coverage).clip(max(reach), at):
        return False
    still_open = (evaluation.store.fact(state.stream.id, key) for key in state.open_keys)
    return not any(fact is not None and fact.at < at for fact in still_open)
