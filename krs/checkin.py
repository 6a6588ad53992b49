"""Check-ins: what people say of a key result. They never alter a measured number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ..metrics.comparison import below
from .forecast import Forecast

SURE = 10
"""The highest confidence."""

APART = 0.40
"""As far as this, as shares, confidence and forecast may not differ without somebody talking about it."""


_CONFIDENCE = re.compile("[0-9]|10")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """`confidence` is 0 (no chance) to 10 (certain) that the target will be satisfied; None for a note alone."""

    at: datetime
    by: str
    confidence: int | None
    note: str = ""


def confidence_of(text: str) -> int:
    """
    Raises:
        ValueError: in words for people, for anything but a whole number from 0 to 10.
    """
    if _CONFIDENCE.fullmatch(text.strip()) is None:
        raise ValueError(f"{text[:40]!r} is no confidence: a whole number from 0 (no chance) to {SURE} (certain)")
    return int(text)


def differs_from(forecast: Forecast | None, check_in: CheckIn | None) -> bool:
    """Whether people and figures differ by 40 points or more; never where one of them says nothing."""
    if forecast is None or check_in is None or check_in.confidence is None:
        return False
    return not below(abs(check_in.confidence / SURE - forecast.probability), APART)
