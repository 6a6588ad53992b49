"""A metric's value at a time, and everything that says how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from .window import Window


class Health(StrEnum):
    """Why a reading can or can't be used; the first that applies, worst first."""

    UNAUTHORIZED = "unauthorized"
    FAILED = "failed"
    NO_DATA = "no_data"
    STALE = "stale"
    TOO_FEW = "too_few"
    PARTIAL = "partial"
    OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`value` in the unit's base (ratios as fractions, durations in seconds, rates per day or workday).

    `value` is None where there is nothing to say: never 0 for missing data, never nan or infinity.
    `at` is the end of the window and `day` the day it closes. `n` counts what the value rests on,
    `covered` is the share of the window before the uncovered tail that was collected completely.
    `interval` is the 80 % Wilson interval of a ratio of counts.
    """

    at: datetime
    day: date
    value: float | None
    unit: str
    interval: tuple[float, float] | None = None
    n: float = 0
    numerator: float | None = None
    denominator: float | None = None
    health: Health
    covered: float
    window: Window
    notes: tuple[str, ...] = ()

    def usable(self, accept_partial: bool = False) -> bool:
        """Whether the reading may move progress."""
        return is_usable(self.value, self.health, accept_partial)


def is_usable(value: float | None, health: Health, accept_partial: bool) -> bool:
    accepted = (Health.OK, Health.PARTIAL) if accept_partial else (Health.OK,)
    return value is not None and health in accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class FactNote:
    """One fact a reading looked at: whether it counted, as what, and why (in words)."""

    key: str
    at: datetime
    subject: str
    counted: bool
    role: str
    why: str
    url: str | None = None
