"""Days, workdays and windows, in zones that change their clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import oracle
import pytest
from columns import at, covered
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.metrics.calendar import Calendar, ClosedPeriod
from keyresults.metrics.window import WindowLength

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago",
         "Africa/Cairo", "America/Havana", "Asia/Kathmandu", "Pacific/Chatham")  # fmt: skip
zones = st.sampled_from(ZONES)
days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
instants = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001 (hypothesis wants naive bounds)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 10, 26), 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("America/Santiago", date(2026, 9, 6), 23),
        ("Africa/Cairo", date(2026, 4, 24), 23),
        ("America/Havana", date(2026, 11, 1), 25),
    ],
)
def test_days_have_the_length_their_clocks_give_them(zone: str, day: date, hours: float) -> None:
    calendar = Calendar(zone)
    assert (calendar.end_of(day) - calendar.start_of(day)) / timedelta(hours=1) == hours


@settings(max_examples=200, deadline=None)
@given(zones, days)
def test_a_day_starts_at_its_first_instant(zone: str, day: date) -> None:
    calendar = Calendar(zone)
    start = calendar.start_of(day)
    assert start == oracle.midnight(day, zone)
    assert calendar.day_of(start) == day
    assert calendar.day_closed_by(start) == day - timedelta(days=1)


@given(zones, instants)
def test_an_instant_lies_in_its_day(zone: str, instant: datetime) -> None:
    calendar = Calendar(zone)
    day = calendar.day_of(instant)
    assert calendar.start_of(day) <= instant < calendar.end_of(day)


@given(zones, days, st.integers(1, 120))
def test_whole_days_before_a_days_end_start_with_a_day(zone: str, day: date, many: int) -> None:
    calendar = Calendar(zone)
    end = calendar.end_of(day)
    start = calendar.days_before(end, many)
    assert start == calendar.start_of(day + timedelta(days=1 - many))
    assert calendar.days_between(start, end) == many
    assert len(calendar.day_ends(start, end)) == many


@given(zones, instants, st.integers(1, 60))
def test_days_before_keep_the_local_time_where_there_is_one(zone: str, instant: datetime, many: int) -> None:
    calendar = Calendar(zone)
    earlier = calendar.days_before(instant, many)
    local, before = (i.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for i in (instant, earlier))
    assert abs((local - before) - timedelta(days=many)) <= timedelta(hours=1)
    wall = (local - timedelta(days=many)).replace(tzinfo=ZoneInfo(zone))
    if wall.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall.replace(tzinfo=None):
        at_day_start = calendar.start_of(calendar.day_of(instant)) == instant
        assert at_day_start or before == local - timedelta(days=many)


@given(zones, st.lists(instants, min_size=3, max_size=3).map(sorted))
def test_days_add_up(zone: str, three: list[datetime]) -> None:
    calendar = Calendar(zone, holidays=frozenset({date(2026, 12, 25)}))
    a, b, c = three
    for between in (calendar.days_between, calendar.open_days_between):
        assert between(a, b) + between(b, c) == pytest.approx(between(a, c), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(zones, instants, st.integers(0, 60 * 24 * 40), st.frozensets(st.integers(0, 6)), days)
def test_open_days_are_the_shares_of_open_days(
    zone: str, start: datetime, minutes: int, workdays: frozenset[int], closed: date
) -> None:
    calendar = Calendar(zone, workdays, frozenset({closed}), (ClosedPeriod(closed, closed + timedelta(days=9), ""),))
    end = start + timedelta(minutes=minutes)
    expected = sum(
        (min(closes, end) - max(opens, start)) / (closes - opens)
        for day, opens, closes in oracle.days_from(start, end, zone)
        if oracle.is_open(day, calendar)
    )
    assert calendar.open_days_between(start, end) == pytest.approx(expected, abs=1e-6)


@given(zones, instants, instants)
def test_day_ends_are_the_midnights_after_the_start_up_to_the_end(zone: str, a: datetime, b: datetime) -> None:
    calendar = Calendar(zone)
    start, end = min(a, b), min(max(a, b), min(a, b) + timedelta(days=100))
    ends = calendar.day_ends(start, end)
    assert ends == sorted(set(ends))
    assert all(start < midnight <= end for midnight in ends)
    assert len(ends) == (calendar.day_of(end) - calendar.day_of(start)).days


def test_a_closed_period_holds_both_its_ends() -> None:
    closed = ClosedPeriod(date(2026, 12, 19), date(2026, 12, 31), "Change freeze")
    assert [date(2026, 12, d) in closed for d in (18, 19, 31)] == [False, True, True]
    assert date(2027, 1, 1) not in closed


def test_days_of_ranges_leave_the_gaps_out() -> None:
    gaps = covered("2026-10-05", "2026-10-06 12:00", "2026-10-10", "2026-10-12")
    assert Calendar().days_in(gaps) == 3.5
    assert Calendar().open_days_in(gaps) == 1.5


# ---- windows


@pytest.mark.parametrize(("text", "length"), [("1d", 1), ("28d", 28), ("4w", 28), ("cycle", None)])
def test_windows_are_days_weeks_or_the_cycle(text: str, length: int | None) -> None:
    assert WindowLength.parse(text).days == length


@pytest.mark.parametrize(
    "text", ["", "0d", "0w", "-7d", "7", "d", "1.5d", "7 d", "24h", "1m", "Cycle", "99999d", "7d\n"]
)
def test_other_windows_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no window"):
        WindowLength.parse(text)


@given(st.integers(1, 9999))
def test_a_window_says_itself(many: int) -> None:
    assert WindowLength.parse(str(WindowLength(many))) == WindowLength(many)


def test_a_cycle_window_never_runs_backwards() -> None:
    window = WindowLength(None).ending(at("2026-10-01"), Calendar(), at("2026-10-05"))
    assert window.start == window.end == at("2026-10-01")
