"""Windows: the time a reading looks back over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from .calendar import Calendar

_TEXT = re.compile(r"([0-9]{1,4})(d|w)")


@dataclass(frozen=True, slots=True)
class Window:
    """`[start, end)`, in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class WindowLength:
    """A number of calendar days; None is `"cycle"`: from the start of what is judged to the reading."""

    days: int | None

    @classmethod
    def parse(cls, text: str) -> WindowLength:
        """`"28d"`, `"4w"` or `"cycle"`.

        Raises:
            ValueError: in words for the author of the config.
        """
        if text == "cycle":
            return cls(None)
        match = _TEXT.fullmatch(text)
        if match is None or int(match[1]) == 0:
            raise ValueError(f'{text!r} is no window: write whole days ("28d"), weeks ("4w") or "cycle"')
        return cls(int(match[1]) * (7 if match[2] == "w" else 1))

    @property
    def is_cycle(self) -> bool:
        return self.days is None

    def ending(self, at: datetime, calendar: Calendar, start: datetime) -> Window:
        """The window that ends at `at`; `start` is where a cycle window begins."""
        if self.days is None:
            return Window(min(start, at), at)
        return Window(calendar.days_before(at, self.days), at)

    def __str__(self) -> str:
        return "cycle" if self.days is None else f"{self.days}d"
