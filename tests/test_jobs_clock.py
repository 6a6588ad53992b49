"""What people mean by a time on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from keyresults.jobs.clock import parse_as_of, parse_measured_at
from keyresults.metrics.calendar import Calendar

BERLIN = Calendar("Europe/Berlin")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (None, NOW),
        ("2026-11-20", NOW),
        ("2026-11-19", datetime(2026, 11, 19, 23, tzinfo=UTC)),
        ("2026-10-25", datetime(2026, 10, 25, 23, tzinfo=UTC)),  # the day the clocks went back
        ("2026-11-19T09:30", datetime(2026, 11, 19, 8, 30, tzinfo=UTC)),
        ("2026-11-19T09:30+00:00", datetime(2026, 11, 19, 9, 30, tzinfo=UTC)),
        ("2026-11-20T12:00:00Z", NOW),
    ],
)
def test_a_date_means_its_end_and_today_means_now(text, meant):
    assert parse_as_of(text, BERLIN, NOW) == meant


@pytest.mark.parametrize("text", ["2026-11-21", "2026-11-20T12:00:01Z", "2027-01-01"])
def test_the_future_is_an_error(text):
    with pytest.raises(ValueError, match="lies in the future"):
        parse_as_of(text, BERLIN, NOW)


@pytest.mark.parametrize("text", ["yesterday", "20/11/2026", "", "2026-13-01"])
def test_what_is_no_time_is_an_error_that_shows_how_to_write_one(text):
    with pytest.raises(ValueError, match="2026-11-23"):
        parse_as_of(text, BERLIN, NOW)


def test_a_value_measured_on_a_day_belongs_to_that_day():
    at = parse_measured_at("2026-11-19", BERLIN, NOW)
    assert BERLIN.day_of(at).isoformat() == "2026-11-19"
    assert parse_measured_at("2026-11-20", BERLIN, NOW) == NOW
    assert parse_measured_at("2026-11-19T09:30", BERLIN, NOW) == datetime(2026, 11, 19, 8, 30, tzinfo=UTC)
