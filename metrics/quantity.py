"""Amounts as people write them in a config: `"85%"`, `"+5pp"`, `"450ms"`, `"1/workday"`, `0.5`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from .unit import DAYS_PER_MONTH, SECONDS, Dimension, Unit

_TEXT = re.compile(r"^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$")
_RATES: dict[str, tuple[Dimension, float]] = {
    "day": ("per_day", 1.0),
    "workday": ("per_workday", 1.0),
    "week": ("per_day", 7.0),
    "month": ("per_day", DAYS_PER_MONTH),
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A written amount, not yet in a metric's unit.

    `kind` is what the suffix says: `"number"` (none), `"percent"`, `"points"`, `"duration"`
    (seconds), `"rate"` (per day or workday) or `"named"` (a unit of the metric's own, in `unit`).
    `value` is in that kind's base: percent and points as fractions.
    """

    value: float
    kind: Literal["number", "percent", "points", "duration", "rate", "named"]
    unit: str
    text: str

    @classmethod
    def parse(cls, written: str | float) -> Quantity:
        """
        Raises:
            ValueError: for booleans, nan, infinity and text that is no amount, in words for the author.
        """
        if isinstance(written, bool):
            raise ValueError("a true/false value is no amount")
        if isinstance(written, (int, float)):
            if not math.isfinite(written):
                raise ValueError(f"{written} is no amount to compare with")
            return cls(float(written), "number", "", f"{written:g}")
        match = _TEXT.match(written)
        if match is None:
            raise ValueError(
                f'{written!r} is no amount: write a number with its unit, such as "85%", "450ms" or "1/day"'
            )
        number, suffix = float(match[1]), match[2]
        if not math.isfinite(number):
            raise ValueError(f"{written!r} is too large to compare with")
        return cls._with_suffix(number, suffix, written)

    @classmethod
    def _with_suffix(cls, number: float, suffix: str, text: str) -> Quantity:
        if suffix == "":
            return cls(number, "number", "", text)
        if suffix == "%":
            return cls(number / 100, "percent", "%", text)
        if suffix == "pp":
            return cls(number / 100, "points", "pp", text)
        if suffix in SECONDS:
            return cls(number * SECONDS[suffix], "duration", "s", text)
        if suffix.startswith("/"):
            per = suffix[1:].strip()
            if per not in _RATES:
                raise ValueError(f"{text!r}: a rate is per day, workday, week or month")
            dimension, days = _RATES[per]
            return cls(number / days, "rate", dimension, text)
        return cls(number, "named", suffix, text)

    def into(self, unit: Unit) -> float:
        """The amount in the base of `unit`.

        A bare number is in the metric's own unit, so `450` on a metric in `ms` is 0.45 s.

        Raises:
            ValueError: where the units don't fit, or a bare number above 1 stands on a ratio.
        """
        if self.kind == "number":
            return self._bare_into(unit)
        fits = {
            "percent": unit.dimension == "ratio",
            "points": unit.dimension == "ratio",
            "duration": unit.dimension == "duration",
            "rate": unit.dimension == self.unit,
            "named": unit.dimension == "plain" and unit.text == self.unit,
        }
        if not fits[self.kind]:
            raise ValueError(f"{self.text!r} doesn't fit a metric in {unit_in_words(unit)}")
        return self.value

    def _bare_into(self, unit: Unit) -> float:
        if unit.dimension == "ratio" and unit.scale == 1.0 and abs(self.value) > 1:
            raise ValueError(f'{self.text} on a ratio: write "{self.value:g}%", or a fraction between 0 and 1')
        return self.value * unit.scale


def unit_in_words(unit: Unit) -> str:
    return {
        "ratio": "percent",
        "duration": "seconds (s, ms, min, h, d)",
        "count": "plain numbers",
        "per_day": "per day (/day, /week, /month)",
        "per_workday": "per workday (/workday)",
        "plain": f"{unit.text!r}",
    }[unit.dimension]
