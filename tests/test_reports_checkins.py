"""What `checkin` prints, from hand-made key results."""

from dataclasses import replace
from datetime import timedelta

import pytest
from keyresults.cli.printing import rendered
from keyresults.krs.checkin import CheckIn
from keyresults.krs.forecast import Forecast
from keyresults.reports import terminal_checkins, wording
from report_cases import AS_OF, DATES, kept, key_result, latency, rollbacks_without_data

APART = "Confidence and forecast are 40 points or more apart: worth talking about"


def words(page):
    return " ".join(rendered(page, colour=False).split())


def said(days, confidence=7):
    return CheckIn(at=AS_OF - timedelta(days=days), by="ana", confidence=confidence)


def forecast(probability):
    return Forecast(low=0.318, high=0.402, median=0.36, probability=probability)


def test_who_is_asked_sees_reading_forecast_move_and_the_last_words():
    kr = replace(latency(), forecast=forecast(0.22), check_ins=(said(10),))
    told = rendered(terminal_checkins.asked(kr, "committed", DATES, "2 of 5"), colour=False).splitlines()
    assert told == [
        "2 of 5  Reduce P99 latency of payment processing by 30% (p99)",
        "  ▲ at risk · 450 ms (provisional) → 402 ms → 315 ms · 35%, expected 53%, needs",
        "  1.4× the planned pace",
        "  Forecast: likely 318 to 402 ms on 31 Dec; 22% chance",
        "  407 → 402 ms since 13 Nov, the day of the last check-in",
        "  Confidence 7 of 10, 10 days ago by ana",
    ]


def test_it_is_said_why_there_is_no_value():
    assert "No deployment is known since 30 Oct" in words(
        terminal_checkins.asked(rollbacks_without_data(), "committed", DATES)
    )


@pytest.mark.parametrize(("confidence", "apart"), [(7, True), (6, False), (None, False)])
def test_people_who_differ_from_the_forecast_are_told_so(confidence, apart):
    kr = replace(latency(), forecast=forecast(0.22), check_ins=(said(0, confidence),))
    assert (APART in words(terminal_checkins.kept(kr, "committed", DATES))) is apart


def test_a_move_is_told_only_where_two_readings_can_be_compared():
    # The series ends on 22 November with 398 ms; it has no value on 11 October, and 441 ms on the day before.
    assert "441 → 402 ms since 11 Oct" in wording.since_check_in(replace(latency(), check_ins=(said(43),)), DATES)
    assert wording.since_check_in(replace(latency(), check_ins=(said(0),)), DATES) == ""
    assert wording.since_check_in(replace(latency(), check_ins=(said(60),)), DATES) == ""
    assert wording.since_check_in(latency(), DATES) != ""
    for other in (key_result(check_ins=(said(9),)), replace(kept(), check_ins=(said(9),)), rollbacks_without_data()):
        assert wording.since_check_in(other, DATES) == ""


def test_where_nothing_moved_it_says_so():
    still = replace(latency(), check_ins=(said(5),))
    days = tuple(replace(d, value=0.402) for d in still.series)
    assert wording.since_check_in(replace(still, series=days), DATES).startswith("still 402 ms since 18 Nov")
