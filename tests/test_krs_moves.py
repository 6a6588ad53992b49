"""How a value moved, by series made by hand."""

from __future__ import annotations

import math
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.krs.moves import STRIDE, DayOf, biggest_strides, stretch_since

START = date(2026, 10, 1)


def series(*values):
    """One value a day from `START`; None for a day without one."""
    return [DayOf(START + timedelta(days=n), v) for n, v in enumerate(values) if v is not None]


def day(n):
    return START + timedelta(days=n)


def shown(stretch):
    return (stretch.start.day, stretch.end.day, stretch.start.value, stretch.end.value)


class TestSinceADay:
    def test_it_goes_from_that_day_s_end_to_the_newest_value(self):
        assert shown(stretch_since(series(1, 2, 4, 8), day(1))) == (day(1), day(3), 2, 8)

    def test_without_a_value_on_that_day_the_last_one_before_it_stands(self):
        assert shown(stretch_since(series(1, 2, None, 8), day(2))) == (day(1), day(3), 2, 8)

    def test_what_began_later_moved_since_its_first_value(self):
        assert shown(stretch_since(series(3, 5), day(-4))) == (day(0), day(1), 3, 5)

    def test_with_one_value_nothing_moved(self):
        assert stretch_since(series(3), day(-1)) is None
        assert stretch_since([], day(0)) is None

    def test_what_ended_before_that_day_moved_no_more(self):
        assert stretch_since(series(3, 4), day(30)) is None


class TestTheBiggestStrides:
    def test_a_step_is_found_with_its_very_days(self):
        flat = [10.0] * 20 + [4.0] * 20
        assert [shown(s) for s in biggest_strides(series(*flat))] == [(day(19), day(20), 10, 4)]

    def test_they_come_biggest_first_and_at_most_three(self):
        values = [0.0] * 10 + [1.0] * 10 + [4.0] * 10 + [2.0] * 10 + [2.5] * 10
        found = biggest_strides(series(*values))
        assert [(s.end.day, s.change) for s in found] == [(day(20), 3.0), (day(30), -2.0), (day(10), 1.0)]

    def test_a_steady_walk_has_strides_and_an_even_wobble_none(self):
        wobble = [5.0 + (n % 2) for n in range(40)]
        assert biggest_strides(series(*wobble)) == []

    def test_a_constant_has_none(self):
        assert biggest_strides(series(*[7.0] * 30)) == []

    @settings(deadline=None)
    @given(st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=2, max_size=80))
    def test_they_share_no_time_end_apart_and_beat_what_is_usual(self, values):
        days = series(*values)
        found = biggest_strides(days)
        by_day = {d.day: d.value for d in days}
        daily = [abs(by_day[d] - by_day[d - timedelta(days=1)]) for d in by_day if d - timedelta(days=1) in by_day]
        usual = median(daily) * math.sqrt(7) if daily else 0
        spans = sorted((s.start.day, s.end.day) for s in found)
        assert len(found) <= 3
        assert all(start < end and end - start <= STRIDE for start, end in spans)
        assert all(a[1] <= b[0] for a, b in pairwise(spans))
        assert all(abs(s.change) > usual * (1 - 1e-9) for s in found)
