"""Expected progress and the status by pace, by hand."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.krs.judgement import Status
from keyresults.krs.model import Pace, PlanPoint
from keyresults.krs.pace import Course, needed_pace, pace_status
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.window import Window, WindowLength
from krs_cases import BERLIN, day, utc


def course(days=0, plan=(), start=0, deadline=92):
    return Course(
        start=day(start), deadline=day(deadline), window=WindowLength(days), plan=tuple(plan), calendar=BERLIN
    )


@pytest.mark.parametrize(("at", "expected"), [(0, 0.0), (23, 0.25), (46, 0.5), (69, 0.75), (92, 1.0)])
def test_without_a_window_the_plan_is_a_line(at, expected):
    assert course().expected(day(at)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0, 0.0),
        (28, 0.21875),  # 28² / (2 · 64) / 28
        (46, 0.5),  # (46² − 18²) / (2 · 64) / 28
        (64, 0.78125),  # (64² − 36²) / (2 · 64) / 28
        (78, 0.9453125),  # (78 − 32 − 50²/128) / 28 = 26.46875 / 28
        (92, 1.0),
    ],
)
def test_a_window_lags_and_is_whole_at_the_deadline(at, expected):
    assert course(28).expected(day(at)) == pytest.approx(expected, abs=1e-4)


def test_expected_is_the_mean_of_the_line_over_the_window():
    def line(days):
        return min(1.0, max(0.0, days / 85))

    for at in (1, 5, 30, 50, 86, 90):
        steps = [line(at - 7 + 7 * (n + 0.5) / 2000) for n in range(2000)]
        assert course(7).expected(day(at)) == pytest.approx(sum(steps) / 2000, abs=1e-5)


@pytest.mark.parametrize("days", [92, 100, None])
def test_windows_as_long_as_the_key_result_and_cycles_follow_the_plain_line(days):
    assert course(days).expected(day(23)) == pytest.approx(0.25)


def test_a_day_of_25_hours_counts_as_one():
    # The clocks go back on 25 October: 25 local days are 601 hours.
    assert day(25) - day(0) == timedelta(hours=601)
    assert course().expected(day(25)) == pytest.approx(25 / 92)
    assert course().elapsed(day(24) + timedelta(hours=12.5)) == pytest.approx(24.5 / 92)


def test_a_plan_is_followed_point_by_point_and_not_averaged():
    planned = course(28, plan=[PlanPoint(date(2026, 11, 15), 0.4)])  # the end of its 46th day
    assert [planned.expected(day(n)) for n in (0, 23, 46, 69, 92)] == pytest.approx([0, 0.2, 0.4, 0.7, 1.0])


def test_plan_points_outside_the_time_are_ignored():
    points = [PlanPoint(date(2026, 9, 30), 0.3), PlanPoint(date(2026, 12, 31), 0.5), PlanPoint(date(2027, 1, 9), 0.6)]
    assert course(plan=points).expected(day(46)) == pytest.approx(0.5)


def test_a_late_start_moves_the_line():
    late = course(start=46)
    assert [late.expected(day(n)) for n in (40, 46, 69, 92)] == pytest.approx([0, 0, 0.5, 1])


def test_a_start_at_the_deadline_leaves_no_line():
    none = course(start=92)
    assert (none.elapsed(day(91)), none.expected(day(91)), none.expected(day(92))) == (0, 0, 1)


def test_the_deciding_window_ends_at_the_deadline():
    assert course(28).decides_on() == Window(utc(2026, 12, 3, 23), utc(2026, 12, 31, 23))  # 4 to 31 December
    assert course(0).decides_on() == Window(utc(2026, 12, 30, 23), utc(2026, 12, 31, 23))


@given(st.integers(0, 120), st.floats(0, 92), st.floats(0, 92))
def test_expected_never_falls_and_stays_between_0_and_1(days, one, other):
    line = course(days)
    begin = day(0)
    values = [line.expected(begin + timedelta(days=x)) for x in sorted((one, other))]
    assert 0 <= values[0] <= values[1] + 1e-12 <= 1 + 1e-12


def test_needed_pace_is_what_is_left_over_what_the_plan_has_left():
    assert needed_pace(0.25, 0.5) == pytest.approx(1.5)
    assert needed_pace(1.2, 0.5) is None
    assert needed_pace(1.0, 0.5) is None
    assert needed_pace(0.5, 1.0) is None


@pytest.mark.parametrize(
    ("expected", "progress", "status"),
    [
        (0.40, 0.40, "on_track"),
        (0.40, 0.30, "on_track"),  # gap 0.10 exactly, in floats a little more; pace 0.70/0.60
        (0.40, 0.29, "at_risk"),
        (0.40, 0.15, "at_risk"),  # gap 0.25 exactly; pace 0.85/0.60 = 1.42
        (0.40, 0.14, "off_track"),
        (0.80, 0.70, "on_track"),  # pace 0.30/0.20 = 1.5 exactly
        (0.85, 0.77, "at_risk"),  # gap 0.08, but pace 0.23/0.15 = 1.53
        (0.90, 0.84, "at_risk"),  # gap 0.06, pace 0.16/0.10 = 1.6
        (0.90, 0.75, "at_risk"),  # gap 0.15, pace 0.25/0.10 = 2.5 exactly
        (0.90, 0.74, "off_track"),  # pace 2.6
        (0.99, 0.94, "on_track"),  # gap 0.05 is not over 0.05: pace 6 is not looked at
        (1.00, 0.95, "on_track"),  # no time left in the plan: the gap alone
        (1.00, 0.80, "at_risk"),
        (0.20, 1.30, "on_track"),
    ],
)
def test_status_is_the_worse_of_gap_and_needed_pace(expected, progress, status):
    assert pace_status(progress, expected, 0.5, Pace()) == Status(status)


@pytest.mark.parametrize(("elapsed", "status"), [(0.05, "at_risk"), (0.0999, "at_risk"), (0.10, "off_track")])
def test_the_first_tenth_is_at_worst_at_risk(elapsed, status):
    assert pace_status(-1.0, elapsed, elapsed, Pace()) == Status(status)


def test_thresholds_are_the_teams_own():
    strict = Pace(on_track=0.01, at_risk=0.02, needed_on_track=1.01, needed_at_risk=1.02)
    assert pace_status(0.45, 0.5, 0.5, strict) is Status.OFF_TRACK
    generous = Pace(on_track=0.5, at_risk=0.6, needed_on_track=9, needed_at_risk=10)
    assert pace_status(0.10, 0.5, 0.5, generous) is Status.ON_TRACK


def test_a_zone_whose_midnight_is_skipped_still_has_whole_days():
    # In Santiago the clocks jumped from 24:00 to 1:00 at the end of 5 September 2026.
    santiago = Calendar("America/Santiago")
    line = Course(
        start=santiago.start_of(date(2026, 9, 1)),
        deadline=santiago.end_of(date(2026, 9, 10)),
        window=WindowLength(0),
        plan=(),
        calendar=santiago,
    )
    assert line.expected(santiago.start_of(date(2026, 9, 6))) == pytest.approx(0.5)
