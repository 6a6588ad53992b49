"""When jobs are due: by wall clocks that change, and by rhythms."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.jobs.due import Cron, Every, caught_up

BERLIN = ZoneInfo("Europe/Berlin")


def all_due(schedule, start, end):
    found, at = [], start
    while (later := schedule.after(at, at)) < end:
        assert later > at, "it goes round in circles"
        found.append(at := later)
    return found


def berlin(year, month, day, hour=0, minute=0, fold=0):
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN, fold=fold).astimezone(UTC)


def test_a_time_that_is_left_out_is_due_when_the_clock_goes_on():
    due = Cron("30 2 * * *", "Europe/Berlin").following(berlin(2026, 3, 28, 12))
    # On 29 March the clock goes from 2:00 to 3:00.
    assert due == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert due.astimezone(BERLIN).time() == time(3, 0)


def test_a_time_that_comes_twice_is_due_once():
    days = all_due(Cron("30 2 * * *", "Europe/Berlin"), berlin(2026, 10, 24, 12), berlin(2026, 10, 27))
    # On 25 October 2:30 comes at 0:30 and at 1:30 UTC.
    assert days == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "UTC"])
@pytest.mark.parametrize("clock", ["0 0", "30 2", "0 9", "59 23", "15 0"])
def test_a_daily_time_is_due_once_on_every_day_of_a_year(zone, clock):
    minute, hour = map(int, clock.split())
    start = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(seconds=1)
    end = datetime(2027, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    due = all_due(Cron(f"{minute} {hour} * * *", zone), start, end)
    days = [at.astimezone(ZoneInfo(zone)).date() for at in due]
    assert days == [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]


@pytest.mark.parametrize("line", ["*/15 * * * *", "0 * * * *", "30 */2 * * *", "0 */6 * * *", "5,50 * * * 1-5"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/London", "Atlantic/Azores", "Australia/Lord_Howe"])
def test_lines_for_any_hour_are_due_whenever_the_wall_shows_them(zone, line):
    """Against a walk minute by minute over the days around both changes of clocks."""
    minutes, hours, _, _, weekdays = line.split()
    there = ZoneInfo(zone)

    def fits(at):
        wall = at.astimezone(there)
        every = int(minutes.partition("/")[2] or 60)
        minute = wall.minute % every == 0 if minutes.startswith("*") else str(wall.minute) in minutes.split(",")
        hour = wall.hour % int(hours.partition("/")[2] or 1) == 0
        return minute and hour and (weekdays == "*" or wall.weekday() < 5)

    for first in (date(2026, 3, 27), date(2026, 4, 3), date(2026, 10, 2), date(2026, 10, 23)):
        start = datetime.combine(first, time(10), UTC)
        expected = [at for n in range(1, 4 * 24 * 60) if fits(at := start + timedelta(minutes=n))]
        assert all_due(Cron(line, zone), start, start + timedelta(days=4)) == expected


def test_a_weekly_report_is_due_on_its_mondays():
    due = all_due(Cron("0 9 * * 1", "Europe/Berlin"), berlin(2026, 12, 20), berlin(2027, 1, 12))
    assert [at.astimezone(BERLIN).isoformat() for at in due] == [
        "2026-12-21T09:00:00+01:00",
        "2026-12-28T09:00:00+01:00",
        "2027-01-04T09:00:00+01:00",
        "2027-01-11T09:00:00+01:00",
    ]


def test_sunday_is_sunday():
    due = Cron("0 0 * * 0", "UTC").following(datetime(2026, 11, 23, tzinfo=UTC))
    assert due.strftime("%A") == "Sunday"


QUARTER, DAILY = Every(timedelta(minutes=15)), Cron("0 6 * * *", "UTC")
NOW = datetime(2026, 11, 23, 9, 7, tzinfo=UTC)


def test_what_never_ran_is_due_now():
    assert caught_up(QUARTER, None, None, NOW) == NOW


@pytest.mark.parametrize("schedule", [QUARTER, DAILY])
def test_of_all_that_was_missed_one_is_due_at_once(schedule):
    three_weeks_ago = NOW - timedelta(days=21)
    assert caught_up(schedule, three_weeks_ago, three_weeks_ago, NOW) == NOW


def test_what_is_not_yet_due_waits():
    before = NOW - timedelta(minutes=5)
    assert caught_up(QUARTER, before, before, NOW) == NOW + timedelta(minutes=10)
    at_six = NOW.replace(hour=6, minute=0)
    assert caught_up(DAILY, at_six, at_six, NOW) == at_six + timedelta(days=1)


def test_a_rhythm_does_not_drift_with_runs_that_begin_late():
    due = NOW - timedelta(minutes=5)
    assert caught_up(QUARTER, due, due + timedelta(seconds=40), NOW) == due + timedelta(minutes=15)


def test_what_came_while_it_was_not_yet_begun_is_done_by_that_run():
    due = NOW - timedelta(hours=2)
    # Due at 7:07 and begun at 9:06, with 9:07 the next in its rhythm.
    assert caught_up(QUARTER, due, NOW - timedelta(minutes=1), NOW) == NOW
    assert caught_up(QUARTER, due, NOW, NOW) == NOW + timedelta(minutes=15)
    assert caught_up(DAILY, NOW.replace(day=20, hour=6, minute=0), NOW, NOW) == NOW.replace(day=24, hour=6, minute=0)


def test_a_clock_that_was_set_back_holds_nothing_up():
    ran = NOW + timedelta(days=1)
    assert caught_up(QUARTER, ran, ran, NOW) == NOW + timedelta(minutes=15)


instants = st.integers(0, 3 * 365 * 86_400).map(lambda s: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


@given(instants, st.sampled_from(["*/15 * * * *", "0 6 * * *", "30 2 * * 0", "0 9 1 * *", "5 4 * * 1-5"]))
def test_what_is_due_lies_after_and_nothing_lies_between(then, line):
    schedule = Cron(line, "Europe/Berlin")
    due = schedule.following(then)
    assert due > then
    middle = then + (due - then) / 2
    assert schedule.following(middle) == due
