"""Numbers as people read them: the one place that turns a value into text."""

from __future__ import annotations

import math
import re
from typing import Literal

from ..krs.comparison import percent as cut_percent
from ..metrics.comparison import equal
from ..metrics.unit import DAYS_PER_MONTH, Unit

Period = Literal["day", "week", "month"]

MISSING = "–"
_DAYS: dict[Period, float] = {"day": 1.0, "week": 7.0, "month": DAYS_PER_MONTH}
_WRITTEN_PERIOD = re.compile(r"/\s*(day|week|month)\b")
_READABLE_RATE = 0.3
_LEAST_CHANCE = 0.01
_NUMBER = re.compile(r"-?\d[\d,.]*")
_DURATIONS = (  # shown in the largest unit of which there are at least as many seconds as the first number
    (172_800.0, 86_400.0, "d"),
    (7_200.0, 3_600.0, "h"),
    (120.0, 60.0, "min"),
    (1.0, 1.0, "s"),
    (1e-3, 1e-3, "ms"),
    (0.0, 1e-6, "µs"),
)
_MOST_DIGITS = 8
_WRITTEN_DIGITS = 6


def amount(value: float | None, unit: str, *, beside: float | None = None, per: Period | None = None) -> str:
    """A value in the unit's base as text: `402 ms`, `85.1%`, `6.4%`, `1.2/workday`.

    Three significant digits (of ratios below 10 % two), more where the text would otherwise read
    the same as that of a different value `beside` it (450.4 ms beside a limit of 450 ms), or claim
    a full ratio. A rate per day is shown per `per`, by default in the period that reads best.
    """
    if value is None:
        return MISSING
    per = per or readable_period(value)
    for digits in range(3, _MOST_DIGITS + 1):
        text = _text(value, unit, digits, per)
        if beside is None or equal(value, beside) or text != _text(beside, unit, digits, per):
            return text
    return _text(value, unit, _MOST_DIGITS, per)


def limit(value: float, unit: str, *, at_least: bool, per: Period | None = None) -> str:
    """As `amount`, rounded so that whoever keeps to the text keeps to the value: down for a most, up for a least."""
    per = per or readable_period(value)
    one = size_of_one(value, unit, per)
    if not value:
        return _text(value, unit, 3, per)
    step = 10.0 ** (math.floor(math.log10(abs(value / one))) - 2)
    steps = value / one / step
    safe = (math.ceil(steps - 1e-6) if at_least else math.floor(steps + 1e-6)) * step
    return _text(safe * one, unit, 4 if unit == "ratio" else 3, per)


def written(value: float, unit: str, per: Period | None = None) -> str:
    """A limit that somebody wrote down: none of its digits is lost."""
    return _text(value, unit, _WRITTEN_DIGITS, per or readable_period(value))


def interval(low: float, high: float, unit: str, *, per: Period | None = None) -> str:
    """`0.21 to 2.3%`, `318 to 402 ms`; one number where both read the same."""
    first, last = amount(low, unit, per=per), amount(high, unit, per=per)
    return first if first == last else f"{_without_unit_of(last, first)} to {last}"


def size_of_one(value: float, unit: str, per: Period) -> float:
    """How much in the base unit is 1 of what `value` is shown in: 0.01 of percents, 60 of minutes."""
    dimension = Unit.parse(unit).dimension
    if dimension == "duration":
        return _shown_in(value)[0]
    return {"ratio": 0.01, "per_day": 1 / _DAYS[per]}.get(dimension, 1.0)


def on_scale(value: float, largest: float, unit: str, per: Period) -> str:
    """A value as it stands on an axis up to `largest`: all in one unit, which only percents and durations repeat."""
    dimension, one = Unit.parse(unit).dimension, size_of_one(largest, unit, per)
    if dimension == "ratio":
        return written(value, unit)
    number = _grouped(value / one, _WRITTEN_DIGITS)
    return f"{number} {_shown_in(largest)[1]}" if dimension == "duration" else number


def scale(unit: str, per: Period) -> str:
    """What the numbers of an axis are of, where they don't say so themselves: `per week`, `points`."""
    dimension = Unit.parse(unit).dimension
    known = {"ratio": "", "duration": "", "count": "", "per_day": f"per {per}", "per_workday": "per workday"}
    return known.get(dimension, unit)


def change(before: float, after: float, unit: str, *, per: Period | None = None) -> str:
    """`547 → 431 ms`: told apart wherever they differ."""
    first, last = amount(before, unit, beside=after, per=per), amount(after, unit, beside=before, per=per)
    return f"{_without_unit_of(last, first)} → {last}"


def chance(probability: float) -> str:
    """`22%`, rounded; nothing reads as impossible or certain: where none of many trials came true, the next one may."""
    if probability < _LEAST_CHANCE:
        return f"under {_LEAST_CHANCE:.0%}"
    if probability > 1 - _LEAST_CHANCE:
        return f"over {1 - _LEAST_CHANCE:.0%}"
    return f"{probability:.0%}"


def _without_unit_of(whole: str, text: str) -> str:
    """The number alone where `whole`, which is said after it, has the same unit."""
    numbers = _NUMBER.match(text), _NUMBER.match(whole)
    if not all(numbers):
        return text
    first, last = (n for n in numbers if n)
    return first[0] if text[first.end() :] == whole[last.end() :] else text


def written_period(text: str) -> Period | None:
    """The period in which a written amount gives a rate: `week` for `at least 1/week`."""
    found = _WRITTEN_PERIOD.search(text)
    return next((period for period in _DAYS if found and found[1] == period), None)


def readable_period(per_day: float | None) -> Period:
    """The shortest period in which a rate isn't a small fraction."""
    if not per_day:
        return "day"
    for period, days in _DAYS.items():
        if abs(per_day) * days >= _READABLE_RATE:
            return period
    return "month"


def percent(fraction: float | None) -> str:
    """Progress: cut to whole percents, never rounded up."""
    return MISSING if fraction is None else cut_percent(fraction)


def graded(grade: float | None) -> str:
    """`0.80`: two decimals, to which a grade was cut."""
    return MISSING if grade is None else f"{grade:.2f}"


def count(number: float | None) -> str:
    """`12,345`; fractions only where there are any."""
    return MISSING if number is None else _grouped(number, 3)


def about(number: int) -> str:
    """An estimate: `~40`, `~3,000`."""
    return f"~{count(round(number, 2 - len(str(number))))}" if number > 99 else f"~{count(number)}"


def many(number: float, plural: str) -> str:
    """`144 deployments`, `1 deployment`."""
    return f"{count(number)} {plural.removesuffix('s') if number == 1 else plural}"


def times(factor: float | None) -> str:
    """A multiple of the planned pace; infinity can't be reached any more."""
    return MISSING if factor is None else f"{_grouped(factor, 2)}×"


def _text(value: float, unit: str, digits: int, per: Period) -> str:
    dimension = Unit.parse(unit).dimension
    if dimension == "ratio":
        return _ratio(value, digits if abs(value) >= 0.1 else digits - 1)
    if dimension == "duration":
        return _duration(value, digits)
    if dimension == "count":
        return _grouped(value, digits)
    if dimension == "per_day":
        return f"{_grouped(value * _DAYS[per], digits)}/{per}"
    if dimension == "per_workday":
        return f"{_grouped(value, digits)}/workday"
    return f"{_grouped(value, digits)} {unit}".rstrip()


def _ratio(value: float, digits: int) -> str:
    shown = 100 * value
    for more in range(digits, _MOST_DIGITS + 1):
        text = _grouped(shown, more)
        if text != "100" or value == 1.0:
            return f"{text}%"
    return "nearly 100%"


def _duration(seconds: float, digits: int) -> str:
    if seconds == 0:
        return "0 s"
    one, name = _shown_in(seconds)
    return f"{_grouped(seconds / one, digits)} {name}"


def _shown_in(seconds: float) -> tuple[float, str]:
    return next((one, name) for least, one, name in _DURATIONS if abs(seconds) >= least)


def _grouped(number: float, digits: int) -> str:
    """`digits` significant ones, all those before the decimal point, no idle zeros."""
    if number == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(number))))
    text = f"{number:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
