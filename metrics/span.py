"""The part of a window that counts: cut at the data's end, less what is excluded and what was not collected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .calendar import Calendar
from .definition import Exclusion
from .ranges import TimeRange, TimeRanges
from .window import Window


@dataclass(frozen=True, slots=True)
class Span:
    """`window` ends where the data ends; `counted` are the ranges inside it whose facts count.

    `covered` is the share (0 to 1) of the window, less exclusions, that was collected completely;
    `age` is how old the newest collected instant is at the reading's time; None where there is none.
    """

    window: Window
    counted: TimeRanges
    covered: float
    age: timedelta | None

    @property
    def is_whole(self) -> bool:
        """Whether every instant of the window counts."""
        return self.counted.ranges == (TimeRange(self.window.start, self.window.end),)


class Spans:
    """Cuts windows by one metric's coverage and exclusions."""

    def __init__(self, coverage: TimeRanges, exclude: Sequence[Exclusion], calendar: Calendar) -> None:
        self._coverage = coverage
        self._calendar = calendar
        self.excluded = TimeRanges.of(*(TimeRange(calendar.start_of(e.start), calendar.end_of(e.end)) for e in exclude))
        self.usable = coverage - self.excluded

    def of(self, window: Window) -> Span:
        newest = self._newest_by(window.end)
        if newest is None or newest <= window.start:
            age = None if newest is None else window.end - newest
            return Span(Window(window.start, window.start), TimeRanges(), 0.0, age)
        cut = Window(window.start, newest)
        counted = self.usable.clip(cut.start, cut.end)
        span = Span(cut, counted, 1.0, window.end - newest)
        return span if span.is_whole else Span(cut, counted, self._share(cut, counted), span.age)

    def until(self, window: Window) -> Span:
        """The whole window, as if all the time after the newest collected instant were going to be collected."""
        newest = max(window.start, self._newest_by(window.end) or window.start)
        ahead = TimeRanges.of(TimeRange(newest, window.end)) - self.excluded
        counted = self.usable.clip(window.start, newest) | ahead
        return Span(window, counted, 1.0, window.end - newest)

    def _newest_by(self, at: datetime) -> datetime | None:
        """The newest collected instant not after `at`."""
        ends = [min(r.end, at) for r in self._coverage if r.start < at]
        return max(ends, default=None)

    def _share(self, window: Window, counted: TimeRanges) -> float:
        asked = TimeRanges.of(TimeRange(window.start, window.end)) - self.excluded
        days = self._calendar.days_in(asked)
        return self._calendar.days_in(counted) / days if days > 0 else 0.0


def age_in_words(length: timedelta | None) -> str:
    if length is None:
        return "of unknown age"
    hours = length / timedelta(hours=1)
    number, unit = (hours / 24, "days") if hours >= 48 else (hours, "h")
    return f"{number:.1f}".removesuffix(".0") + f" {unit}"


def length_in_words(seconds: float) -> str:
    """To the second, every unit from days on that there is some of: `3 d 5 h 52 min`."""
    if abs(seconds) < 1:
        return f"{seconds:.3g} s"
    left = round(abs(seconds))
    said = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        number, left = divmod(left, size)
        if number:
            said.append(f"{number} {unit}")
    return ("-" if seconds < 0 else "") + " ".join(said)
