"""Axes, lines and small lines by hand, and what must hold whatever the values are."""

import re
from bisect import bisect_right
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.metrics.reading import Health
from keyresults.reports.axis import day_axis, value_axis
from keyresults.reports.course import Course, corners
from keyresults.reports.numbers import on_scale, scale
from keyresults.reports.progress_report import DayValue
from keyresults.reports.sparkline import sparkline
from report_cases import DATES, charted, key_result

START = date(2026, 10, 1)
UNITS = ("ratio", "s", "count", "per_day", "per_workday", "tickets")


@pytest.mark.parametrize(
    ("values", "unit", "texts"),
    [
        ([0.45, 0.402, 0.315], "s", ("350 ms", "400 ms", "450 ms")),
        ([0.6, 0.85], "ratio", ("60%", "65%", "70%", "75%", "80%", "85%")),
        ([0.05, 0.01], "ratio", ("0%", "1%", "2%", "3%", "4%", "5%")),
        ([60, 200], "s", ("0 min", "1 min", "2 min", "3 min")),
        ([3, 41], "count", ("0", "10", "20", "30", "40")),
        ([0.5, 1.2], "per_workday", ("0.6", "0.8", "1", "1.2")),
        ([-4, 4], "points", ("-4", "-2", "0", "2", "4")),
        ([7, 7], "points", ("6", "7", "8")),
        ([0, 0], "ratio", ("0%", "0.2%", "0.4%", "0.6%", "0.8%", "1%")),
    ],
)
def test_an_axis_has_round_numbers_in_one_unit(values, unit, texts):
    assert value_axis(values, unit, "week").texts == texts


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.sampled_from(UNITS))
def test_an_axis_has_room_for_every_value_and_lines_to_read_it_by(values, unit):
    axis = value_axis([round(v, 6) for v in values], unit, "month")
    assert axis.low <= min(round(v, 6) for v in values)
    assert axis.high >= max(round(v, 6) for v in values)
    assert 2 <= len(axis.at) <= 8
    assert len(set(axis.texts)) == len(axis.texts)


def test_a_scale_is_said_where_its_numbers_dont():
    assert [scale(unit, "week") for unit in UNITS] == ["", "", "", "per week", "per workday", "tickets"]
    assert on_scale(1 / 7, 2 / 7, "per_day", "week") == "1"


@pytest.mark.parametrize(
    ("days", "texts"),
    [
        (13, ("5 Oct", "14 Oct")),
        (35, ("5 Oct", "19 Oct", "5 Nov")),
        (91, ("1 Oct", "1 Nov", "1 Dec", "31 Dec")),
        (364, ("1 Oct", "1 Jan 2027", "1 Apr 2027", "1 Jul 2027", "30 Sep 2027")),
    ],
)
def test_days_are_named_where_weeks_or_months_begin_and_at_the_end(days, texts):
    assert day_axis(START, START + timedelta(days=days), DATES).texts == texts


def value_on(line, day):
    """By a straight line between the points beside it."""
    after = bisect_right(line, day, key=lambda point: point[0])
    left = line[after - 1]
    right = line[min(after, len(line) - 1)]
    share = (day - left[0]) / (right[0] - left[0]) if right[0] > left[0] else 0
    return left[1] + share * (right[1] - left[1])


@given(st.lists(st.integers(-3, 3), max_size=40))
def test_corners_draw_the_same_line(steps):
    line = [(START + timedelta(days=n), float(v)) for n, v in enumerate(steps)]
    kept = corners(line)
    assert set(kept) <= set(line)
    assert [value_on(kept, day) for day, _ in line] == pytest.approx([v for _, v in line])


def test_a_straight_line_has_two_corners():
    line = [(START + timedelta(days=n), n / 3) for n in range(90)]
    assert corners(line) == [line[0], line[-1]]


def test_a_course_is_cut_where_a_day_has_no_value():
    course = Course.of(charted().objectives[0].key_results[0], DATES)
    assert [len(stretch) for stretch in course.stretches] == [10, 42]
    assert (course.first, course.last) == (START, date(2026, 12, 31))
    assert course.revised == (date(2026, 11, 2),)
    assert course.checked_in == (date(2026, 11, 20),)
    assert course.excluded == ((date(2026, 10, 21), date(2026, 10, 23)),)


def test_a_small_line_has_a_path_for_each_stretch():
    stretches = [[(START, 1.0), (START + timedelta(days=1), 3.0)], [(START + timedelta(days=4), 2.0)]]
    image = sparkline(stretches, 'so & "so"')
    # 120 by 28, 3 at each edge: 114 across for four days, 22 high from 1 to 3.
    assert re.search(r'<path d="(.*?)"', image)[1] == "M3,25L31.5,3 M117,14h0"
    assert 'aria-label="so &amp; &#34;so&#34;"' in image
    assert sparkline([[(START, 1.0)]], "") == ""


@pytest.mark.parametrize("accepted", [False, True])
def test_readings_with_gaps_are_drawn_as_usable_only_where_they_are_accepted(accepted):
    days = [DayValue(START + timedelta(days=n), 0.4, Health.PARTIAL if n == 2 else Health.OK) for n in range(5)]
    course = Course.of(key_result(series=tuple(days), accept_partial=accepted), DATES)
    assert [len(stretch) for stretch in course.stretches] == ([5] if accepted else [2, 2])
    assert [day for day, _ in course.doubtful] == ([] if accepted else [days[2].day])
