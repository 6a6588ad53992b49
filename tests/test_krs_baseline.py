"""Where a key result starts from."""

from datetime import date, timedelta

import pytest
from keyresults.krs.baseline import baseline_window, choose_baseline
from keyresults.krs.model import Reach, Threshold
from keyresults.metrics.reading import Health
from keyresults.metrics.window import WindowLength
from krs_cases import BERLIN, COUNTED, day, key_result, midnight, reading, traits

TO = Reach(0.85, None, "85%")


def chosen(kr=None, measured=None, *, settled=True, first=None):
    return choose_baseline(
        kr or key_result(TO), calendar=BERLIN, measured=measured, settled=settled, first_ok_after_start=first
    )


@pytest.mark.parametrize(
    ("window", "days"),
    [(7, 28), (28, 28), (56, 56), (0, 28), (None, 28)],
)
def test_the_window_is_the_larger_of_its_own_and_28_days(window, days):
    at, length = baseline_window(key_result(TO), traits(days=window), BERLIN)
    assert (at, length) == (day(0), WindowLength(days))


def test_a_count_is_compared_with_a_count_over_as_long():
    assert baseline_window(key_result(TO), COUNTED, BERLIN)[1] == WindowLength(92)
    assert baseline_window(key_result(TO), traits(days=7, counts=True), BERLIN)[1] == WindowLength(7)


def test_a_stated_window_is_taken():
    assert baseline_window(key_result(TO, baseline_days=56), COUNTED, BERLIN)[1] == WindowLength(56)


def test_a_stated_number_needs_no_reading():
    baseline = chosen(key_result(TO, baseline=0.042), reading(day(0), 0.6))
    assert (baseline.value, baseline.at, baseline.measured, baseline.provisional) == (0.042, None, False, False)
    assert baseline.pace_start == day(0)


def test_from_states_the_baseline():
    assert chosen(key_result(Reach(0.85, 0.60, "")), reading(day(0), 0.5)).value == 0.60


def test_a_measured_one_is_provisional_until_its_time_is_settled():
    seen = reading(day(0), 0.62)
    early, later = chosen(measured=seen, settled=False), chosen(measured=seen, settled=True)
    assert (early.value, early.provisional, later.provisional) == (0.62, True, False)
    assert (later.at, later.reading, later.pace_start) == (day(0), seen, day(0))


@pytest.mark.parametrize("before", [None, Health.NO_DATA, Health.PARTIAL, Health.TOO_FEW, Health.STALE])
def test_without_data_before_the_start_the_first_reading_after_it_counts_from_there(before):
    measured = None if before is None else reading(day(0), 0.5, health=before)
    baseline = chosen(measured=measured, first=reading(day(9), 0.64))
    assert (baseline.value, baseline.at, baseline.pace_start) == (0.64, day(9), day(9))
    assert baseline.provisional is False


def test_a_late_one_is_provisional_while_older_data_may_still_come():
    assert chosen(first=reading(day(9), 0.64), settled=False).provisional is True


def test_without_any_reading_there_is_none():
    assert chosen() is None
    assert chosen(measured=reading(day(0), None), first=None) is None


def test_a_partial_one_counts_where_partial_readings_are_accepted():
    partial = reading(day(0), 0.5, health=Health.PARTIAL)
    assert chosen(key_result(TO, accept_partial=True), partial).value == 0.5


def test_a_key_result_that_starts_later_is_measured_at_its_own_start():
    kr = key_result(Threshold("below", 0.01, ""), start=date(2026, 10, 15), deadline=date(2026, 12, 15))
    at, length = baseline_window(kr, COUNTED, BERLIN)
    assert at == midnight(date(2026, 10, 15))
    assert length == WindowLength(62)
    assert at - midnight(date(2026, 10, 1)) == timedelta(days=14)
