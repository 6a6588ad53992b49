"""What people say of a key result, held against figures and against the rhythm that was agreed."""

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.config.fields import parse_span
from keyresults.config.schedule import hour_of
from keyresults.krs.checkin import CheckIn, differs_from
from keyresults.krs.forecast import Forecast
from keyresults.krs.model import Revision
from keyresults.krs.rhythm import Rhythm, is_open, missed_rounds
from keyresults.metrics.calendar import Calendar
from krs_cases import BERLIN, PER_OPEN_DAY, key_result, traits

PAGE = Path(__file__).parents[1] / "docs" / "check-ins.md"


def said(confidence):
    return CheckIn(at=datetime(2026, 11, 20, 9, tzinfo=UTC), by="ana", confidence=confidence)


def forecast(probability):
    return Forecast(low=1.0, high=3.0, median=2.0, probability=probability)


@pytest.mark.parametrize(
    ("confidence", "probability", "differs"),
    [(8, 0.40, True), (8, 0.41, False), (3, 0.70, True), (3, 0.69, False), (0, 0.0, False), (10, 0.0, True)],
)
def test_confidence_and_forecast_differ_from_40_points_on(confidence, probability, differs):
    assert differs_from(forecast(probability), said(confidence)) is differs


@pytest.mark.parametrize(
    ("one", "other"),
    [(None, said(10)), (forecast(0.0), None), (forecast(0.0), said(None)), (None, None)],
)
def test_nothing_differs_where_people_or_figures_say_nothing(one, other):
    assert differs_from(one, other) is False


FRIDAYS = Rhythm(timedelta(weeks=1), time(10), weekday=4)
EVERY_OTHER = Rhythm(timedelta(weeks=2), time(10), weekday=4)
FIRST = date(2026, 10, 1)  # a Thursday


def local(day, clock="10:00", zone=BERLIN):
    return datetime.fromisoformat(f"2026-{day}T{clock}").replace(tzinfo=zone.zone).astimezone(UTC)


def asked(rhythm, until, zone=BERLIN, first=FIRST):
    return [f"{at.astimezone(zone.zone):%m-%d %H:%M}" for at in rhythm.rounds(zone, first, until)]


def missed(last, as_of, rhythm=FRIDAYS, *, traits_of_metric=None, **of_the_key_result):
    one = key_result(**of_the_key_result)
    if not is_open(one, {"m": traits_of_metric or traits()}, BERLIN, as_of):
        return []
    found = missed_rounds(one, rhythm.rounds(BERLIN, FIRST, as_of), BERLIN, last)
    return [f"{at.astimezone(BERLIN.zone):%m-%d %H:%M}" for at in found]


def test_the_pages_table_of_rounds_is_true():
    rows = re.findall(r'^\| `"(.+?)"` \| `"(.+?)"` \| (.+?), …', PAGE.read_text(), re.MULTILINE)
    assert len(rows) == 3
    for every, on, told in rows:
        expected, days = [], []
        for number, month in re.findall(r"(\d+)|(October|November)", told):
            days += [number] if number else []
            if month:
                expected += [f"{number} {month}" for number in days]
                days = []
        rhythm = Rhythm(parse_span(every), *hour_of(on))
        rounds = rhythm.rounds(BERLIN, FIRST, local("12-31"))
        assert [f"{at.astimezone(BERLIN.zone):%-d %B}" for at in rounds][: len(expected)] == expected


def test_people_are_asked_each_week_or_every_other_one_counted_from_the_cycles_first_day():
    assert asked(FRIDAYS, local("10-30", "09:59")) == ["10-02 10:00", "10-09 10:00", "10-16 10:00", "10-23 10:00"]
    assert asked(EVERY_OTHER, local("11-27")) == [
        f"{day} 10:00" for day in ("10-02", "10-16", "10-30", "11-13", "11-27")
    ]
    assert asked(EVERY_OTHER, local("10-02", "09:59")) == []


def test_a_rhythm_that_fits_no_weekday_waits_for_the_next_that_does():
    ten_days = Rhythm(timedelta(days=10), time(10), weekday=4)
    assert asked(ten_days, local("10-31")) == ["10-02 10:00", "10-16 10:00", "10-30 10:00"]
    daily = Rhythm(timedelta(hours=12), time(9))
    assert asked(daily, local("10-03")) == ["10-01 09:00", "10-02 09:00", "10-03 09:00"]


def test_a_change_of_clocks_moves_no_round():
    # 25 Oct 2026: 03:00 becomes 02:00; 28 Mar 2027: 02:00 becomes 03:00.
    before, after = FRIDAYS.rounds(BERLIN, date(2026, 10, 19), local("10-30"))
    assert (before, after) == (datetime(2026, 10, 23, 8, tzinfo=UTC), datetime(2026, 10, 30, 9, tzinfo=UTC))
    at_night = Rhythm(timedelta(days=1), time(2, 30))
    twice = at_night.rounds(BERLIN, date(2026, 10, 25), datetime(2026, 10, 26, tzinfo=UTC))
    assert twice == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]  # the first of the two
    never = at_night.rounds(BERLIN, date(2027, 3, 27), datetime(2027, 3, 29, 1, tzinfo=UTC))
    assert never == [datetime(2027, 3, 27, 1, 30, tzinfo=UTC), datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
                     datetime(2027, 3, 29, 0, 30, tzinfo=UTC)]  # fmt: skip


@given(
    every=st.integers(1, 30),
    weekday=st.none() | st.integers(0, 6),
    minutes=st.integers(0, 24 * 60 - 1),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Pacific/Chatham", "Africa/Cairo"]),
    days=st.integers(0, 250),
)
def test_rounds_are_those_of_a_walk_over_all_days(every, weekday, minutes, zone, days):
    calendar, clock = Calendar(zone), time(*divmod(minutes, 60))
    until = calendar.start_of(FIRST + timedelta(days=days))
    expected, last = [], None
    for n in range(days + 1):
        day = FIRST + timedelta(days=n)
        at = datetime.combine(day, clock, tzinfo=calendar.zone).astimezone(UTC)
        due = last is None or (day - last).days >= every
        if due and weekday in (None, day.weekday()) and at <= until:
            expected.append(at)
            last = day
    assert Rhythm(timedelta(days=every), clock, weekday).rounds(calendar, FIRST, until) == expected


def test_a_key_result_is_due_from_the_hour_on_until_somebody_checks_in():
    assert missed(None, local("10-02", "09:59")) == []
    assert missed(None, local("10-02")) == ["10-02 10:00"]
    assert missed(local("10-02"), local("10-08")) == []
    assert missed(local("10-08", "18:00"), local("10-09", "10:30")) == ["10-09 10:00"]
    assert missed(local("10-02", "09:00"), local("10-20")) == ["10-02 10:00", "10-09 10:00", "10-16 10:00"]


def test_with_two_weeks_it_is_due_every_other_friday():
    assert missed(local("10-02", "10:30"), local("10-15"), EVERY_OTHER) == []
    assert missed(local("10-02", "10:30"), local("10-16"), EVERY_OTHER) == ["10-16 10:00"]


def test_the_hour_comes_at_the_local_time_after_a_change_of_clocks():
    assert missed(local("10-23"), datetime(2026, 10, 30, 8, 59, tzinfo=UTC)) == []
    assert missed(local("10-23"), datetime(2026, 10, 30, 9, tzinfo=UTC)) == ["10-30 10:00"]


def test_one_that_starts_late_shares_the_times_of_the_others():
    late = {"start": date(2026, 11, 3)}
    assert missed(None, local("11-12"), EVERY_OTHER, **late) == []
    assert missed(None, local("11-13"), EVERY_OTHER, **late) == ["11-13 10:00"]


def test_drafts_and_what_is_withdrawn_not_begun_or_over_are_never_due():
    gone = Revision(on=date(2026, 11, 2), reason="given up", withdraw=True)
    assert missed(None, local("11-01"), draft=True) == []
    assert missed(None, local("11-01"), revisions=(gone,)) != []
    assert missed(None, local("11-02"), revisions=(gone,)) == []
    assert missed(None, local("11-01"), start=date(2026, 11, 2)) == []
    assert missed(None, local("12-31", "23:59"), deadline=date(2026, 12, 31)) != []
    assert missed(None, BERLIN.end_of(date(2026, 12, 31)), deadline=date(2026, 12, 31)) == []


def test_a_rate_per_workday_is_over_with_its_last_open_day():
    per_workday = {"traits_of_metric": PER_OPEN_DAY, "deadline": date(2026, 11, 1)}
    assert missed(None, local("10-30", "23:59"), **per_workday) != []  # 31 Oct is a Saturday
    assert missed(None, BERLIN.end_of(date(2026, 10, 30)), **per_workday) == []


def test_a_longer_deadline_makes_it_due_again():
    longer = Revision(on=date(2026, 10, 20), reason="later", deadline=date(2026, 12, 31))
    assert missed(local("10-09"), local("11-06"), deadline=date(2026, 10, 31), revisions=(longer,)) == [
        "10-16 10:00",
        "10-23 10:00",
        "10-30 10:00",
        "11-06 10:00",
    ]
