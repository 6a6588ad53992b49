"""Ranges of time against sets of whole hours."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from columns import at
from hypothesis import given
from hypothesis import strategies as st
from keyresults.metrics.ranges import TimeRange, TimeRanges, intersection

ZERO = at("2026-10-01")


def hour(n: int) -> datetime:
    return ZERO + timedelta(hours=n)


def ranges_of(pairs: list[tuple[int, int]]) -> TimeRanges:
    return TimeRanges.of(*(TimeRange(hour(min(p)), hour(max(p))) for p in pairs))


def hours_of(pairs: list[tuple[int, int]]) -> set[int]:
    return {n for p in pairs for n in range(min(p), max(p))}


def held(ranges: TimeRanges) -> set[int]:
    return {n for n in range(-1, 41) if hour(n) in ranges}


pairs = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6)


@given(pairs, pairs)
def test_ranges_are_sets(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    one, other = ranges_of(a), ranges_of(b)
    assert held(one) == hours_of(a)
    assert held(one | other) == hours_of(a) | hours_of(b)
    assert held(one & other) == hours_of(a) & hours_of(b)
    assert held(one - other) == hours_of(a) - hours_of(b)


@given(pairs, st.integers(0, 40), st.integers(0, 40))
def test_clipping_is_an_intersection_with_one_range(a: list[tuple[int, int]], start: int, end: int) -> None:
    assert held(ranges_of(a).clip(hour(start), hour(end))) == hours_of(a) & set(range(start, end))


@given(pairs, pairs)
def test_every_result_is_in_order_and_never_touches(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    one, other = ranges_of(a), ranges_of(b)
    for result in (one, one | other, one & other, one - other, one.clip(hour(3), hour(30))):
        edges = [edge for r in result for edge in (r.start, r.end)]
        assert edges == sorted(set(edges))


@given(pairs)
def test_equal_sets_are_equal_values(a: list[tuple[int, int]]) -> None:
    hours = [(n, n + 1) for n in hours_of(a)]
    assert ranges_of(a) == ranges_of(hours[::-1])


@given(st.lists(pairs, max_size=4))
def test_an_intersection_is_what_all_cover(sets: list[list[tuple[int, int]]]) -> None:
    expected = set.intersection(*map(hours_of, sets)) if sets else set()
    assert held(intersection(map(ranges_of, sets))) == expected


@given(pairs)
def test_the_ends_are_the_first_and_the_last_instant(a: list[tuple[int, int]]) -> None:
    hours = hours_of(a)
    ranges = ranges_of(a)
    assert bool(ranges) is bool(hours)
    assert ranges.start == (hour(min(hours)) if hours else None)
    assert ranges.end == (hour(max(hours) + 1) if hours else None)


def test_a_range_is_half_open() -> None:
    day = TimeRange(hour(0), hour(24))
    assert hour(0) in day
    assert hour(24) not in day
    assert day.length == timedelta(days=1)


def test_a_range_needs_a_zone_and_runs_forward() -> None:
    with pytest.raises(ValueError, match="time zone"):
        TimeRange(datetime(2026, 1, 1), hour(0))  # noqa: DTZ001 (the naive one is the point)
    with pytest.raises(ValueError, match="before it starts"):
        TimeRange(hour(1), hour(0))
