"""Guardrails: other metrics that must hold while a key result is pursued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..metrics.comparison import equal
from ..metrics.definition import MetricTraits
from ..metrics.reading import Reading
from .comparison import excess, within
from .judgement import GuardrailState
from .model import Between, Guardrail, KeyResult, Threshold

BROKEN_BY_ONE = "broken by one"
"""The words of a guardrail that one fact fewer on the wrong side would mend."""


def guardrail_states(
    kr: KeyResult, readings: Mapping[str, Reading | None], traits: Mapping[str, MetricTraits]
) -> tuple[GuardrailState, ...]:
    return tuple(_state(g, readings.get(g.metric), traits.get(g.metric), kr.accept_partial) for g in kr.guardrails)


def all_hold(states: Sequence[GuardrailState]) -> bool:
    return all(s.holds is True for s in states)


def any_broken(states: Sequence[GuardrailState]) -> bool:
    return any(s.holds is False for s in states)


def _state(
    guardrail: Guardrail, reading: Reading | None, traits: MetricTraits | None, accept_partial: bool
) -> GuardrailState:
    limit = _written(guardrail.limit)
    unit = "" if traits is None else traits.unit.text
    if reading is None or reading.value is None or not reading.usable(accept_partial):
        why = "no reading" if reading is None else reading.health.value.replace("_", " ")
        return GuardrailState(
            metric=guardrail.metric, holds=None, value=None, unit=unit, limit=limit, words=f"unseen: {why}"
        )
    beyond = excess(reading.value, guardrail.limit)
    return GuardrailState(
        metric=guardrail.metric,
        holds=beyond is None,
        value=reading.value,
        unit=unit,
        limit=limit,
        excess=beyond,
        words="holds" if beyond is None else _broken(reading, guardrail.limit, traits),
    )


def _broken(reading: Reading, limit: Threshold | Between, traits: MetricTraits | None) -> str:
    one_better = _with_one_fact_fewer(reading, limit, traits)
    if one_better is not None and within(one_better, limit):
        return BROKEN_BY_ONE
    return "broken"


def _with_one_fact_fewer(reading: Reading, limit: Threshold | Between, traits: MetricTraits | None) -> float | None:
    """The value with one fact fewer on the wrong side; None where that can't be told.

    The wrong side of a ratio with a lower limit are the facts that are in the denominator alone.
    """
    part, whole, value = reading.numerator, reading.denominator, reading.value
    assert value is not None
    too_high = _is_too_high(value, limit)
    if part is not None and whole and equal(part / whole, value):
        if too_high:
            return (part - 1) / whole
        return (part + 1) / whole if traits is not None and traits.ratio_of_counts else None
    return value - 1 if too_high and traits is not None and traits.counts else None


def _is_too_high(value: float, limit: Threshold | Between) -> bool:
    if isinstance(limit, Between):
        return value > limit.high
    return limit.comparison in ("at_most", "below")


def _written(limit: Threshold | Between) -> str:
    return f"between {limit.low:g} and {limit.high:g}" if isinstance(limit, Between) else limit.text
