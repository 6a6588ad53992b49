"""Flags: what is worth knowing beside the status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..metrics.comparison import TOLERANCE, at_most, below
from ..metrics.reading import Health
from .comparison import cut, percent
from .easing import exclusion_flags, revision_flags
from .judgement import Flag, GuardrailState
from .standing import Case, Standing, is_coarse
from .terms import terms

_STALL_TIME = 1 / 6
_STALL_MOVE = 0.02


def flags(case: Case, standing: Standing, guardrails: Sequence[GuardrailState]) -> tuple[Flag, ...]:
    return (
        *_of_progress(standing),
        *_of_stalling(case, standing),
        *_of_measurement(case, standing),
        *revision_flags(case, standing.moment.day),
        *exclusion_flags(case, standing),
        *_of_guardrails(guardrails),
    )


def _of_progress(standing: Standing) -> Iterator[Flag]:
    if standing.goal and standing.goal.met_at_start:
        yield Flag("met_at_start", "The target was met at the start: holding it is all that is asked; `keep` says so")
    if standing.raw is None or standing.is_budget:
        return
    if standing.raw < -TOLERANCE:
        yield Flag("regressed", "It is further from the target than at the start")
    if cut(standing.raw) > 1.0:
        yield Flag("exceeded", "It is beyond the target")


def _of_stalling(case: Case, standing: Standing) -> Iterator[Flag]:
    if standing.raw is None or standing.satisfied or standing.is_budget or standing.moment.ended:
        return
    before = _raw_before(case, standing)
    if before is not None and below(abs(standing.raw - before), _STALL_MOVE):
        yield Flag("stalled", "It has moved by less than 2% of the way in the last sixth of its time")


def _raw_before(case: Case, standing: Standing) -> float | None:
    """Progress a sixth of the time earlier, towards the target of today and of the same metric."""
    assert standing.goal is not None
    moment, course = standing.moment, case.whole_course(standing.moment.terms)
    latest = course.elapsed(moment.at) - _STALL_TIME
    for reading in reversed(case.readings):
        if reading.at <= moment.start or reading.at > moment.at or not at_most(course.elapsed(reading.at), latest):
            continue
        same_metric = terms(case.kr, reading.day).metric == moment.terms.metric
        if same_metric and case.usable(reading) and reading.value is not None:
            return standing.goal.raw_progress(reading.value, 0.0)
    return None


def _of_measurement(case: Case, standing: Standing) -> Iterator[Flag]:
    reading = standing.reading
    if reading is not None and is_coarse(standing):
        yield Flag(
            "coarse",
            f"One fact of {reading.n:g} moves it by more than what lies between the target and its end of the scale",
        )
    uses_baseline = standing.goal is not None and standing.goal.from_baseline
    if uses_baseline and case.baseline and case.baseline.provisional:
        yield Flag("provisional", "The baseline may still change: the time before the start is not collected yet")
    if reading is not None and case.usable(reading) and reading.health is Health.PARTIAL:
        yield Flag("partial", f"Only {percent(reading.covered)} of the window was collected")
    if reading is not None and standing.late:
        yield Flag("last_usable", f"Judged by the reading of {reading.day}: there was no usable one at the deadline")


def _of_guardrails(guardrails: Sequence[GuardrailState]) -> Iterator[Flag]:
    for guardrail in guardrails:
        if guardrail.holds is not True:
            yield Flag("guardrail", f"{guardrail.metric} ({guardrail.limit}): {guardrail.words}")
