"""What a key result of the last cycle is to become in the next: its target, as TOML holds it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ..krs.model import ChangeBy, Keep, Reach, Target, Threshold
from ..metrics.comparison import equal
from ..metrics.definition import MetricTraits
from ..metrics.quantity import Quantity
from ..metrics.unit import Unit
from ..reports.numbers import amount as shown
from ..reports.numbers import written
from ..reports.progress_report import ReportedKeyResult

SHARE = "95%"
"""The share of days that what was reached is proposed to hold on."""

_ROUNDED = 0.005
"""How far a rounded value may be from what was computed, as a share of it."""

Written = Mapping[str, Any]
"""A table of the config as TOML gave it."""


def in_force(key_result: Written, key: str, day: date) -> Any:  # noqa: ANN401 (what TOML holds)
    """What the config says of a key that revisions replace, on a day."""
    until = [key_result, *(one for one in key_result.get("revisions", []) if one["on"] <= day)]
    return next((table[key] for table in reversed(until) if key in table), None)


def still_to_reach(said: Written, target: Target, told: ReportedKeyResult, traits: MetricTraits) -> dict[str, Any]:
    """The same end from a new start.

    A baseline that is measured anew takes the place of `from`; a change that was asked of the old
    baseline is the value it came to.
    """
    limit = told.judgement.target_value
    if isinstance(target, ChangeBy) and limit is not None:
        return {_side(target, told, traits): amount(limit, traits.unit)}
    if not isinstance(target, Reach):
        return dict(said)
    # Without a direction of its own a bare `to` would lead wherever the new baseline happens to lie.
    return {"to" if traits.better else _side(target, told, traits): said["to"]}


def to_hold(said: Written, target: Target, told: ReportedKeyResult, traits: MetricTraits) -> dict[str, Any]:
    """What was reached, to be held day by day. A count over the cycle starts anew, so its target stands."""
    reached = still_to_reach(said, target, told, traits)
    if isinstance(target, Keep) or "change" in reached or (traits.counts and traits.window.is_cycle):
        return reached
    limit = {_side(target, told, traits): reached["to"]} if "to" in reached else reached
    return {"keep": limit, "share": SHARE}


def _side(target: Target, told: ReportedKeyResult, traits: MetricTraits) -> str:
    return "at_least" if _is_rising(target, told, traits) else "at_most"


def _is_rising(target: Target, told: ReportedKeyResult, traits: MetricTraits) -> bool:
    match target:
        case ChangeBy():
            return target.amount > 0
        case Reach(start=float() | int() as start):
            return target.to > start
        case Threshold():
            return target.comparison in ("at_least", "above")
    start_value = told.judgement.baseline
    if traits.better is None and isinstance(target, Reach) and start_value is not None:
        return target.to > start_value.value
    return traits.better != "lower"


def amount(value: float, unit: Unit) -> str | float:
    """A value in the base of a metric's unit, as reports show it and a config takes it: `"315 ms"`; else a number."""
    plain = value / unit.scale
    if unit.dimension == "count":
        return int(plain) if equal(plain, round(plain)) else plain
    texts = (text.replace(",", "") for text in (shown(value, unit.text), written(value, unit.text)))
    return next((text for text in texts if _reads_as(text, value, unit)), plain)


def _reads_as(text: str, value: float, unit: Unit) -> bool:
    try:
        return abs(Quantity.parse(text).into(unit) - value) <= _ROUNDED * abs(value)
    except ValueError:
        return False
