"""Windows, collected time, health and knowledge, edge by edge. Values are worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from columns import at, covered
from keyresults.metrics.calendar import Calendar, ClosedPeriod
from keyresults.metrics.definition import Exclusion
from keyresults.metrics.measurement import Trouble
from keyresults.metrics.reading import Health
from keyresults.metrics.unit import PER_WORKDAY
from metric_cases import definition, deployed, explained, measurement, read

DAILY = [deployed(f"c{day}", f"2026-10-{day:02} 12:00", key=str(day)) for day in range(1, 32)]
FREQUENCY = definition("deployment_frequency", "7d")
WORKDAYS = replace(FREQUENCY, unit=PER_WORKDAY)
BERLIN = Calendar("Europe/Berlin")


def excluding(first: date, last: date, reason: str = "A migration", **fields):
    return replace(FREQUENCY, exclude=(Exclusion(first, last, reason),), **fields)


# ---- windows


def test_a_window_holds_its_start_but_not_its_end():
    facts = [deployed("A", "2026-10-05"), deployed("B", "2026-10-12")]
    what = definition("deployment_count", "7d")
    assert read(what, facts, "2026-10-12").value == 1
    assert read(what, facts, "2026-10-12 00:01").value == 1
    assert read(what, facts, "2026-10-13").value == 1


def test_a_cycle_window_runs_from_its_start_to_the_reading():
    what = definition("deployment_count", "cycle")
    assert [read(what, DAILY, f"2026-10-{day:02}", start="2026-10-05").value for day in (6, 7, 12)] == [1, 2, 7]


def test_a_cycle_window_is_empty_at_its_start():
    reading = read(definition("deployment_count", "cycle"), DAILY, "2026-10-05", start="2026-10-05")
    assert (reading.value, reading.health) == (None, Health.NO_DATA)


def test_a_window_of_days_counts_as_that_many_though_the_clocks_changed():
    complete = covered("2026-09-01", "2026-11-30")
    # Berlin's 25 October has 25 hours: the week before noon of the 28th has 169.
    reading = read(FREQUENCY, DAILY, "2026-10-28 11:00", coverage=complete, calendar=BERLIN)
    assert reading.denominator == 7
    assert reading.window.start == at("2026-10-21 10:00")


def test_an_hour_of_a_long_day_is_a_twenty_fifth_of_it():
    october_25 = covered("2026-10-24 22:00", "2026-10-25 03:00")
    reading = read(
        definition("deployment_frequency", "1d"), DAILY, "2026-10-25 03:00", coverage=october_25, calendar=BERLIN
    )
    assert reading.denominator == pytest.approx(5 / 25)


def test_the_last_hour_of_a_long_day_belongs_to_it():
    late = [deployed("A", "2026-10-25 22:59")]
    assert read(definition("deployment_count", "1d"), late, "2026-10-25 23:00", calendar=BERLIN).value == 1


def test_a_window_keeps_whole_days_where_the_clocks_jump_over_midnight():
    # In Santiago 6 September 2026 begins at 01:00, at 04:00 UTC; the 5th began at 04:00 UTC, midnight.
    facts = [deployed("A", "2026-09-05 04:30")]
    reading = read(
        definition("deployment_count", "1d"),
        facts,
        "2026-09-06 04:00",
        coverage=covered("2026-08-01", "2026-09-06 04:00"),
        calendar=Calendar("America/Santiago"),
    )
    assert (reading.value, reading.window.start, reading.day) == (1, at("2026-09-05 04:00"), date(2026, 9, 5))


def test_a_reading_at_midnight_closes_the_day_before():
    assert read(FREQUENCY, DAILY, "2026-10-12").day == date(2026, 10, 11)
    assert read(FREQUENCY, DAILY, "2026-10-12 00:01").day == date(2026, 10, 12)


# ---- what was collected


def test_a_collected_window_without_a_deployment_is_zero_and_an_uncollected_one_is_nothing():
    known = [deployed("A", "2026-09-02")]
    assert (read(FREQUENCY, known).value, read(FREQUENCY, known).health) == (0.0, Health.OK)
    reading = read(FREQUENCY, known, coverage=covered("2026-09-01", "2026-10-20"), as_of="2026-11-01")
    assert (reading.value, reading.health, reading.covered) == (None, Health.NO_DATA, 0.0)


def test_facts_of_a_gap_count_no_more_than_its_days():
    gap = covered("2026-10-01", "2026-10-08", "2026-10-10", "2026-10-12")
    reading = read(FREQUENCY, DAILY, "2026-10-12", coverage=gap)
    assert (reading.numerator, reading.denominator, reading.health) == (5, 5, Health.PARTIAL)
    assert reading.covered == pytest.approx(5 / 7)


def test_the_tail_is_age_and_no_gap():
    reading = read(FREQUENCY, DAILY, "2026-10-12", coverage=covered("2026-09-01", "2026-10-11"))
    assert (reading.numerator, reading.denominator, reading.covered, reading.health) == (6, 6, 1.0, Health.OK)


@pytest.mark.parametrize(("end", "health"), [("2026-10-10", "ok"), ("2026-10-09 23:59", "stale")])
def test_data_is_stale_once_older_than_max_age(end, health):
    assert read(FREQUENCY, DAILY, "2026-10-12", coverage=covered("2026-09-01", end)).health == health


def test_a_reading_of_the_past_has_the_age_it_had_then():
    later = covered("2026-09-01", "2026-10-05", "2026-10-20", "2026-11-01")
    assert read(FREQUENCY, DAILY, "2026-10-11", coverage=later, as_of="2026-11-01").health == Health.STALE


def test_time_collected_after_as_of_is_not_collected_yet():
    reading = read(FREQUENCY, DAILY, "2026-10-12", coverage=covered("2026-09-01", "2026-12-01"), as_of="2026-10-12")
    assert reading.denominator == 7


@pytest.mark.parametrize(("hours", "health"), [(3, "ok"), (4, "partial")])
def test_under_98_percent_is_partial(hours, health):
    gap = covered("2026-09-01", "2026-10-06", f"2026-10-06 0{hours}:00", "2026-10-12")
    assert read(FREQUENCY, DAILY, "2026-10-12", coverage=gap).health == health


def test_excluded_days_leave_both_sides_and_are_no_gap():
    reading = read(excluding(date(2026, 10, 6), date(2026, 10, 7)), DAILY, "2026-10-12")
    assert (reading.numerator, reading.denominator, reading.covered, reading.health) == (5, 5, 1.0, Health.OK)
    assert any("A migration" in note for note in reading.notes)


def test_an_exclusion_elsewhere_is_not_mentioned():
    reading = read(excluding(date(2026, 9, 6), date(2026, 9, 7)), DAILY, "2026-10-12")
    assert not any("A migration" in note for note in reading.notes)


def test_a_window_excluded_as_a_whole_has_no_reading():
    assert read(excluding(date(2026, 10, 1), date(2026, 10, 20)), DAILY, "2026-10-12").health == Health.NO_DATA


def test_an_excluded_fact_says_so():
    notes = explained(excluding(date(2026, 10, 6), date(2026, 10, 6)), DAILY, "2026-10-12")
    assert not notes["6"].counted
    assert "its day is excluded" in notes["6"].why
    assert notes["7"].counted


# ---- workdays


@pytest.mark.parametrize(
    ("calendar", "open_days"),
    [
        (Calendar(), 5),
        (Calendar(holidays=frozenset({date(2026, 10, 6), date(2026, 10, 10)})), 4),
        (Calendar(workdays=frozenset(range(7))), 7),
        (Calendar(closed=(ClosedPeriod(date(2026, 10, 7), date(2026, 10, 30), "Freeze"),)), 2),
    ],
)
def test_a_rate_per_workday_divides_by_open_workdays(calendar, open_days):
    reading = read(WORKDAYS, DAILY, "2026-10-12", calendar=calendar)
    assert (reading.numerator, reading.denominator) == (7, open_days)


def test_a_workday_cut_by_the_data_counts_by_its_share():
    reading = read(
        WORKDAYS, DAILY, "2026-10-12", coverage=covered("2026-09-01", "2026-10-07 06:00"), as_of="2026-10-07 06:00"
    )
    assert reading.denominator == pytest.approx(2.25)


def test_a_rate_per_workday_has_no_reading_where_all_days_are_closed():
    closed = Calendar(closed=(ClosedPeriod(date(2026, 10, 1), date(2026, 10, 30), "Freeze"),))
    assert read(WORKDAYS, DAILY, "2026-10-12", calendar=closed).health == Health.NO_DATA
    assert read(definition("deployment_days", "7d"), DAILY, "2026-10-12", calendar=closed).health == Health.NO_DATA


def test_the_open_day_is_no_finished_one():
    days = definition("deployment_days", "7d")
    assert read(days, DAILY, "2026-10-09 18:00").denominator == 4  # Monday to Thursday; the 2nd is cut at 18:00
    assert read(days, DAILY, "2026-10-10").denominator == 5


def test_two_deployments_of_a_day_make_one_day():
    facts = [deployed("A", "2026-10-05 01:00"), deployed("B", "2026-10-05 23:00")]
    assert read(definition("deployment_days", "7d"), facts, "2026-10-12").value == pytest.approx(1 / 5)


def test_days_are_those_of_the_trackers_zone():
    late = [deployed("A", "2026-10-05 22:30")]  # in Berlin Tuesday, 00:30
    days = definition("deployment_days", "1d")
    assert read(days, late, "2026-10-06 22:00", calendar=BERLIN).value == 1
    assert read(days, late, "2026-10-05 22:00", as_of="2026-10-06 22:00", calendar=BERLIN).value == 0


# ---- several services


def test_a_frequency_over_several_services_must_say_what_it_means():
    facts = [*DAILY, deployed("A", "2026-10-05", subject="acme/ledger")]
    both = {"subjects": ("acme/ledger", "acme/pay")}
    assert read(FREQUENCY, facts, "2026-10-12", **both).health == Health.NO_DATA
    assert read(replace(FREQUENCY, across="sum"), facts, "2026-10-12", **both).value == pytest.approx(8 / 7)
    assert read(replace(FREQUENCY, across="worst"), facts, "2026-10-12", **both).value == pytest.approx(1 / 7)


def test_a_service_that_never_ships_is_the_worst():
    idle = {"subjects": ("acme/idle", "acme/pay")}
    reading = read(replace(FREQUENCY, across="worst"), DAILY, "2026-10-12", **idle)
    assert reading.value == 0
    assert "the least frequent of 2 services: acme/idle" in reading.notes


def test_ratios_over_several_services_pool_their_counts():
    facts = [*(deployed(c, f"2026-10-0{n + 4}", key=c) for n, c in enumerate("ABCDEF"))]
    facts += [deployed(c, f"2026-10-1{n}", key=f"l{n}", subject="acme/ledger") for n, c in enumerate("XYX")]
    reading = read(definition("rollback_rate"), facts, subjects=("acme/ledger", "acme/pay"))
    assert (reading.numerator, reading.denominator) == (1, 8)


# ---- health


def test_an_environment_never_seen_lists_those_known():
    reading = read(
        definition("deployment_count", environment="prod"), [*DAILY, deployed("A", "2026-10-02", environment="staging")]
    )
    assert (reading.value, reading.health) == (None, Health.NO_DATA)
    assert any("production, staging" in note for note in reading.notes)


@pytest.mark.parametrize("said", [{"tags": "v*"}, {"merges": "main"}, {"releases": True}, {"workflow": "ship.yml"}])
def test_what_knows_no_environments_is_zero_where_nothing_was_shipped(said):
    shipped = definition("deployment_frequency", queries={"deployments": {"deployments": said}})
    reading = read(shipped, [])
    assert (reading.value, reading.n, reading.health) == (0, 0, Health.OK)
    assert read(shipped, [], coverage=covered()).health == Health.NO_DATA
    elsewhere = read(replace(shipped, environment="prod"), [deployed("A", "2026-10-05", origin="tag")])
    assert (elsewhere.value, elsewhere.health) == (None, Health.NO_DATA)


def test_a_seen_environment_without_a_success_is_zero():
    waiting = [deployed("A", "2026-10-05", statuses=())]
    assert (read(FREQUENCY, waiting).value, read(FREQUENCY, waiting).health) == (0, Health.OK)


def test_nothing_known_at_all_is_no_data():
    for measure in ("deployment_frequency", "rollback_rate", "ci_success_rate", "test_coverage", "sampled"):
        assert read(definition(measure), []).health == Health.NO_DATA


UNAUTHORIZED = Trouble(Health.UNAUTHORIZED, "the token was refused")


def test_a_failing_source_is_only_a_note_while_its_data_is_young():
    reading = read(FREQUENCY, DAILY, "2026-10-12", coverage=covered("2026-09-01", "2026-10-11"), trouble=UNAUTHORIZED)
    assert (reading.health, reading.value) == (Health.OK, 1.0)
    assert "the token was refused" in reading.notes


def test_a_failing_source_decides_once_its_data_is_too_old():
    old = covered("2026-09-01", "2026-10-09")
    assert read(FREQUENCY, DAILY, "2026-10-12", coverage=old, trouble=UNAUTHORIZED).health == Health.UNAUTHORIZED
    none = covered()
    assert read(FREQUENCY, DAILY, "2026-10-12", coverage=none, trouble=UNAUTHORIZED).health == Health.UNAUTHORIZED


def test_a_failing_source_doesnt_hide_a_wrong_environment():
    what = definition("deployment_count", environment="nowhere")
    assert read(what, DAILY, trouble=UNAUTHORIZED).health == Health.NO_DATA


def test_stale_comes_before_too_few_and_too_few_before_partial():
    few = replace(FREQUENCY, min_samples=100)
    gap = covered("2026-10-06", "2026-10-09")
    assert read(few, DAILY, "2026-10-12", coverage=gap).health == Health.STALE
    patient = replace(few, max_age=timedelta(days=9))
    assert read(patient, DAILY, "2026-10-12", coverage=gap).health == Health.TOO_FEW
    assert read(replace(patient, min_samples=0), DAILY, "2026-10-12", coverage=gap).health == Health.PARTIAL


@pytest.mark.parametrize(("n", "health"), [(4, "too_few"), (5, "ok")])
def test_ratios_and_medians_need_five(n, health):
    for measure in ("rollback_rate", "deployment_duration", "deployment_attempt_failure_rate"):
        assert read(definition(measure, "31d"), DAILY[:n]).health == health


@pytest.mark.parametrize(("n", "health"), [(19, "too_few"), (20, "ok")])
def test_quantiles_from_p90_up_need_twenty(n, health):
    assert read(definition("deployment_duration", "31d", quantile=0.9), DAILY[:n]).health == health
    assert read(definition("deployment_duration", "31d", quantile=0.89), DAILY[:n]).health == "ok"


def test_too_few_still_says_its_value():
    reading = read(definition("rollback_rate", "31d"), DAILY[:3])
    assert (reading.value, reading.usable(), reading.usable(accept_partial=True)) == (0, False, False)


def test_a_partial_reading_is_used_only_where_it_is_accepted():
    reading = read(FREQUENCY, DAILY, "2026-10-12", coverage=covered("2026-10-06", "2026-10-12"))
    assert (reading.usable(), reading.usable(accept_partial=True)) == (False, True)


def test_a_measure_nobody_knows_is_said_to_be_unknown():
    what = replace(FREQUENCY, measure="happiness")
    reading = read(what, DAILY)
    assert (reading.value, reading.health) == (None, Health.NO_DATA)
    assert any("unknown" in note for note in reading.notes)
    assert explained(what, DAILY) == {}


def test_the_reason_why_there_is_no_stream_is_told():
    reading = read(FREQUENCY, [], coverage=covered(), missing="not collected yet")
    assert reading.health == Health.NO_DATA
    assert "not collected yet" in reading.notes


# ---- series


def test_a_series_says_what_each_of_its_readings_says_alone():
    instants = [at(f"2026-10-{day:02}") for day in range(5, 31)]
    complete = covered("2026-09-01", "2026-10-31")
    series = measurement(FREQUENCY, DAILY, complete, "2026-10-31").readings(instants, at("2026-10-01"))
    alone = [read(FREQUENCY, DAILY, when, as_of="2026-10-31", coverage=complete) for when in instants]
    assert series == alone


def test_the_same_facts_twice_say_the_same():
    once, again = (read(definition("rollback_rate"), DAILY) for _ in range(2))
    assert once == again
    assert repr(once) == repr(again)
