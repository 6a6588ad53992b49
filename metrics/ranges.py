"""Ranges of time: half-open, in order, never overlapping or touching."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class TimeRange:
    """`[start, end)`; `start <= end`, both aware."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a time range needs instants with a time zone")
        if self.start > self.end:
            raise ValueError(f"a time range can't end ({self.end}) before it starts ({self.start})")

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class TimeRanges:
    """A set of instants as ranges. `of` puts any ranges into the one normal form, so equal sets are equal values."""

    ranges: tuple[TimeRange, ...] = ()

    @classmethod
    def of(cls, *ranges: TimeRange) -> TimeRanges:
        merged: list[TimeRange] = []
        for r in sorted(r for r in ranges if r.start < r.end):
            if merged and r.start <= merged[-1].end:
                merged[-1] = TimeRange(merged[-1].start, max(merged[-1].end, r.end))
            else:
                merged.append(r)
        return cls(tuple(merged))

    def __iter__(self) -> Iterator[TimeRange]:
        return iter(self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, instant: datetime) -> bool:
        return any(instant in r for r in self.ranges)

    def __or__(self, other: TimeRanges) -> TimeRanges:
        return TimeRanges.of(*self.ranges, *other.ranges)

    def __and__(self, other: TimeRanges) -> TimeRanges:
        return TimeRanges.of(
            *(
                TimeRange(max(a.start, b.start), min(a.end, b.end))
                for a in self.ranges
                for b in other.ranges
                if max(a.start, b.start) < min(a.end, b.end)
            )
        )

    def __sub__(self, other: TimeRanges) -> TimeRanges:
        left = list(self.ranges)
        for cut in other.ranges:
            left = [piece for r in left for piece in _without(r, cut)]
        return TimeRanges.of(*left)

    def clip(self, start: datetime, end: datetime) -> TimeRanges:
        """What lies inside `[start, end)`."""
        return TimeRanges(
            tuple(
                r if start <= r.start and r.end <= end else TimeRange(max(r.start, start), min(r.end, end))
                for r in self.ranges
                if r.start < end and r.end > start and start < end
            )
        )

    @property
    def start(self) -> datetime | None:
        return self.ranges[0].start if self.ranges else None

    @property
    def end(self) -> datetime | None:
        """The newest instant reached; None for no range."""
        return self.ranges[-1].end if self.ranges else None


def _without(r: TimeRange, cut: TimeRange) -> Iterator[TimeRange]:
    if cut.end <= r.start or cut.start >= r.end:
        yield r
        return
    if r.start < cut.start:
        yield TimeRange(r.start, cut.start)
    if cut.end < r.end:
        yield TimeRange(cut.end, r.end)


def intersection(sets: Iterable[TimeRanges]) -> TimeRanges:
    """What all of them cover; nothing for no sets."""
    result: TimeRanges | None = None
    for one in sets:
        result = one if result is None else result & one
    return result or TimeRanges()
