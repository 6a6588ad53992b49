"""Cells as values: times, numbers, words. What a cell can't be is said in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

TimeFormat = Literal["iso", "unix", "unix_ms"]
LARGEST = 2**53
"""Beyond it a number in a file is no longer the one that was written; no store holds much more."""

LIST_SEPARATORS = ",;"


@dataclass(frozen=True, slots=True)
class Cells:
    """How this file writes times. Each method takes a cell that is not empty.

    Raises:
        ValueError: in words, from each of them.
    """

    time_format: TimeFormat
    zone: ZoneInfo

    def text(self, cell: object) -> str:
        return cell if isinstance(cell, str) else str(cell)

    def time(self, cell: object) -> datetime:
        if self.time_format == "iso":
            return self._iso(str(cell))
        number = self.number(cell)
        try:
            return datetime.fromtimestamp(number / 1000 if self.time_format == "unix_ms" else number, UTC)
        except (OverflowError, ValueError, OSError):
            unit = "seconds" if self.time_format == "unix" else "milliseconds"
            raise ValueError(f"{cell} is no number of {unit} since 1970") from None

    def _iso(self, text: str) -> datetime:
        try:
            at = datetime.fromisoformat(text)
            return (at if at.tzinfo else at.replace(tzinfo=self.zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            words = f'{text[:40]!r} is no time: write 2026-11-02T10:00:00+01:00, or say time = "unix" or "unix_ms"'
            raise ValueError(words) from None

    def day(self, cell: object) -> date:
        try:
            return date.fromisoformat(str(cell))
        except ValueError:
            raise ValueError(f"{str(cell)[:40]!r} is no day: write 2026-11-02") from None

    def number(self, cell: object) -> float:
        try:
            value = math.nan if isinstance(cell, bool) else float(str(cell))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"{str(cell)[:40]!r} is no number: write 12.5, without a unit")
        return value

    def whole(self, cell: object) -> int:
        value = self.number(cell)
        if value != int(value) or abs(value) >= LARGEST:
            raise ValueError(f"{str(cell)[:40]!r} is no whole number, or larger than any count")
        return int(value)

    def flag(self, cell: object) -> bool:
        word = str(cell).lower()
        if word in ("true", "yes", "1"):
            return True
        if word in ("false", "no", "0"):
            return False
        raise ValueError(f"{str(cell)[:40]!r} is neither true nor false")

    def words(self, cell: object) -> tuple[str, ...]:
        if isinstance(cell, list):
            return tuple(str(one) for one in cell)
        text = str(cell)
        for separator in LIST_SEPARATORS:
            text = text.replace(separator, "\n")
        return tuple(one.strip() for one in text.split("\n") if one.strip())


def checked_zone(name: str) -> str:
    """
    Raises:
        ValueError: for a name that is no zone.
    """
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError(f'{name!r} is no time zone; write one such as "Europe/Berlin" or "UTC"') from None
    return name
