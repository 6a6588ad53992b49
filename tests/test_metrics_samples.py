"""CI runs, durations, samples and histograms, edge by edge. Values are worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from columns import at, covered
from keyresults.metrics.definition import Aggregate
from keyresults.metrics.histogram import bucket_quantile
from keyresults.metrics.interval import wilson
from keyresults.metrics.reading import Health
from keyresults.metrics.unit import Unit
from metric_cases import daily, definition, deployed, explained, measured, ran, read, statuses

DURATION = definition("deployment_duration", min_samples=0)
CI = definition("ci_success_rate", min_samples=0)
CI_TIME = definition("ci_duration", min_samples=0)


def attempt(when, *told, created=None):
    return deployed("A", when, created_at=at(created or when), statuses=statuses(*told))


# ---- durations and attempts


def test_a_duration_starts_at_the_first_in_progress():
    told = (("in_progress", "2026-10-05 10:05"), ("in_progress", "2026-10-05 10:01"), ("success", "2026-10-05 10:11"))
    assert read(DURATION, [attempt("2026-10-05 10:00", *told)]).value == 600


def test_a_duration_without_in_progress_starts_at_the_creation():
    assert read(DURATION, [attempt("2026-10-05 10:00", ("success", "2026-10-05 10:11"))]).value == 660


def test_a_record_made_when_all_was_done_has_no_duration():
    reading = read(DURATION, [attempt("2026-10-05 10:00", ("success", "2026-10-05 10:00"))])
    assert (reading.value, reading.health) == (None, Health.NO_DATA)
    assert any("without a known start" in note for note in reading.notes)


def test_a_clock_that_ran_backwards_gives_no_duration():
    told = (("in_progress", "2026-10-05 10:20"), ("success", "2026-10-05 10:11"))
    assert read(DURATION, [attempt("2026-10-05 10:00", *told)]).value is None


def test_a_start_and_success_in_one_instant_took_no_time():
    told = (("in_progress", "2026-10-05 10:11"), ("success", "2026-10-05 10:11"))
    assert read(DURATION, [attempt("2026-10-05 10:00", *told)]).value == 0


def test_waiting_for_approval_is_told_apart():
    told = (("waiting", "2026-10-05 10:00"), ("in_progress", "2026-10-05 10:30"), ("success", "2026-10-05 10:40"))
    reading = read(DURATION, [attempt("2026-10-05 10:00", *told)])
    assert reading.value == 600
    assert "1 deployments waited for approval, 30 min in the median" in reading.notes


def test_redeploys_and_rollbacks_have_durations_and_duplicates_have_none():
    commits = [("A", "05 10:00", 10), ("A", "05 10:05", 20), ("B", "06", 30), ("A", "07", 40), ("A", "08", 50)]
    facts = [deployed(c, f"2026-10-{when}", seconds=s) for c, when, s in commits]
    reading = read(DURATION, facts)
    assert (reading.value, reading.n) == (35, 4)


def test_a_duration_counts_on_the_day_of_the_success():
    facts = [deployed("A", "2026-10-06 01:00", seconds=7200)]
    assert read(definition("deployment_duration", "1d"), facts, "2026-10-06", as_of="2026-10-07").value is None
    assert read(definition("deployment_duration", "1d"), facts, "2026-10-07").value == 7200


def test_an_attempt_is_judged_by_its_first_final_status():
    facts = [
        attempt("2026-10-05", ("failure", "2026-10-05 10:00"), ("success", "2026-10-05 11:00")),
        attempt("2026-10-06", ("success", "2026-10-06 10:00"), ("error", "2026-10-06 11:00")),
        attempt("2026-10-07", ("in_progress", "2026-10-07 10:00"), ("inactive", "2026-10-08")),
    ]
    facts = [replace(f, key=str(n)) for n, f in enumerate(facts)]
    reading = read(definition("deployment_attempt_failure_rate", min_samples=0), facts)
    assert (reading.numerator, reading.denominator) == (1, 2)
    assert read(definition("deployment_count"), facts).value == 1  # the second success is a redeploy of A


def test_an_attempt_counts_on_the_day_of_its_first_final_status():
    facts = [attempt("2026-10-05 23:00", ("failure", "2026-10-06 01:00"), ("success", "2026-10-08"))]
    what = definition("deployment_attempt_failure_rate", "1d", min_samples=0)
    values = [read(what, facts, f"2026-10-0{day}", as_of="2026-10-12").value for day in (6, 7, 9)]
    assert values == [None, 1, None]


def test_a_final_status_that_came_later_is_not_known():
    facts = [attempt("2026-10-05", ("failure", "2026-10-06 12:00"))]
    what = definition("deployment_attempt_failure_rate", min_samples=0)
    assert read(what, facts, "2026-10-06").value is None
    assert read(what, facts, "2026-10-07").value == 1


# ---- CI


@pytest.mark.parametrize(
    ("conclusion", "parts"),
    [
        ("success", (1, 1)),
        ("failure", (0, 1)),
        ("timed_out", (0, 1)),
        ("startup_failure", (0, 1)),
        ("cancelled", (None, None)),
        ("skipped", (None, None)),
        ("neutral", (None, None)),
        ("stale", (None, None)),
        ("action_required", (None, None)),
        (None, (None, None)),
    ],
)
def test_what_a_conclusion_counts_for(conclusion, parts):
    reading = read(CI, [ran("1", "2026-10-05", conclusion)])
    assert (reading.numerator or 0, reading.denominator or 0) == (parts[0] or 0, parts[1] or 0)
    assert (reading.value is None) is (parts[1] is None)


def test_a_run_counts_by_its_latest_attempt():
    facts = [ran("1", "2026-10-05", "failure"), ran("1", "2026-10-05", "success", attempt=2, seconds=900)]
    assert read(CI, facts).value == 1
    assert read(CI, facts, "2026-10-05 00:10").value == 0


def test_an_attempt_in_progress_leaves_the_verdict_of_the_one_before():
    facts = [ran("1", "2026-10-05", "failure"), ran("1", "2026-10-05", None, attempt=2)]
    assert read(CI, facts).value == 0


def test_a_latest_attempt_that_was_cancelled_leaves_the_run_out():
    facts = [ran("1", "2026-10-05", "failure"), ran("1", "2026-10-05", "cancelled", attempt=2)]
    assert read(CI, facts).value is None


def test_runs_of_two_repositories_may_share_a_number():
    facts = [
        ran("1", "2026-10-05", "failure", key="a"),
        ran("1", "2026-10-05", "success", key="b", attempt=2, subject="acme/ledger"),
    ]
    assert read(CI, facts).value == 0.5


def test_a_run_counts_at_its_creation_however_late_it_ends():
    facts = [ran("1", "2026-10-05 23:00", "success", seconds=7200)]
    what = definition("ci_success_rate", "1d", min_samples=0)
    assert [read(what, facts, f"2026-10-0{d}", as_of="2026-10-09").value for d in (6, 7)] == [1, None]


def test_other_workflows_and_branches_are_left_out():
    facts = [
        ran("1", "2026-10-05", "success"),
        ran("2", "2026-10-05", "failure", workflow="nightly.yml"),
        ran("3", "2026-10-05", "failure", branch="topic"),
    ]
    query = {"workflow": "ci.yml", "branch": "main"}
    what = definition("ci_success_rate", min_samples=0, queries={"runs": query})
    assert read(what, facts).value == 1
    everywhere = definition("ci_success_rate", min_samples=0, queries={"runs": {**query, "branch": "*"}})
    assert read(everywhere, facts).value == 0.5
    assert explained(what, facts)["2/1"].role == "other workflow or branch"


def test_ci_durations_are_those_of_the_attempt_that_succeeded():
    facts = [
        ran("1", "2026-10-05", "failure", seconds=900),
        ran("1", "2026-10-05", "success", attempt=2, started_at=at("2026-10-05 01:00"), seconds=3700),
        ran("2", "2026-10-05", "failure", seconds=9999),
    ]
    reading = read(CI_TIME, facts)
    assert (reading.value, reading.n) == (100, 1)


def test_a_run_without_a_start_has_no_duration():
    reading = read(CI_TIME, [ran("1", "2026-10-05", "success", started_at=None), ran("2", "2026-10-05", "success")])
    assert (reading.value, reading.n) == (300, 1)
    assert "1 left out: without a start or an end" in reading.notes


def test_ends_that_the_source_did_not_state_are_counted_in_a_note():
    reading = read(CI_TIME, [ran("1", "2026-10-05", "success", end_estimated=True), ran("2", "2026-10-05", "success")])
    assert any("the end of 1 runs" in note for note in reading.notes)


# ---- files


COVERAGE = definition("test_coverage", max_age=timedelta(days=7))


def lines(when, covered_lines, coverable):
    return measured(when, parts={"covered": covered_lines, "coverable": coverable})


def test_the_newest_file_is_carried_into_later_windows():
    what = definition("test_coverage", "1d", max_age=timedelta(days=7))
    reading = read(what, [lines("2026-10-05", 60, 100)], "2026-10-10")
    assert (reading.value, reading.health, reading.n) == (0.6, Health.OK, 100)
    assert [note.key for note in _evidence(what, [lines("2026-10-05", 60, 100)], "2026-10-10")] == ["2026-10-05"]


def _evidence(what, facts, when):
    return [note for note in explained(what, facts, when).values() if note.counted]


@pytest.mark.parametrize(("when", "health"), [("2026-10-12", "ok"), ("2026-10-12 00:01", "stale")])
def test_a_file_is_stale_once_older_than_max_age(when, health):
    assert read(COVERAGE, [lines("2026-10-05", 60, 100)], when).health == health


def test_a_file_replaces_those_before_it():
    facts = [lines("2026-10-05", 60, 100), lines("2026-10-06", 10, 100)]
    assert read(COVERAGE, facts, "2026-10-07").value == pytest.approx(0.1)
    notes = explained(COVERAGE, facts, "2026-10-07")
    assert "replaced by a newer one" in notes["2026-10-05"].why


def test_a_file_without_code_says_nothing():
    facts = [lines("2026-10-05", 60, 100), lines("2026-10-06", 0, 0)]
    assert read(COVERAGE, facts, "2026-10-07").value == pytest.approx(0.6)


def test_a_share_without_its_counts_is_carried_as_it_is_and_counts_no_lines():
    share = measured("2026-10-05 12:00", 0.923)
    reading = read(COVERAGE, [lines("2026-10-04 12:00", 50, 100), share], when="2026-10-08")
    assert (reading.value, reading.health, reading.n) == (0.923, Health.OK, 0)
    assert (reading.numerator, reading.denominator, reading.interval) == (None, None, None)
    assert explained(COVERAGE, [share], when="2026-10-08")[share.key].why == "92.3%, without its counts"


@pytest.mark.parametrize("value", [92.3, -0.1, None])
def test_a_number_that_is_no_share_is_no_coverage(value):
    assert read(COVERAGE, [measured("2026-10-05 12:00", value)], when="2026-10-08").value is None


def test_gaps_before_the_newest_file_do_not_matter():
    gaps = covered("2026-10-01", "2026-10-02", "2026-10-05", "2026-10-08")
    assert read(COVERAGE, [lines("2026-10-05", 60, 100)], "2026-10-08", coverage=gaps).health == Health.OK


def test_all_tests_failing_is_zero_and_no_tests_is_nothing():
    what = definition("test_pass_rate", max_age=timedelta(days=7))
    failing = measured("2026-10-05", parts={"passed": 0, "failed": 4, "errors": 1, "skipped": 9})
    assert read(what, [failing], "2026-10-06").value == 0
    none = measured("2026-10-05", parts={"passed": 0, "failed": 0, "errors": 0, "skipped": 9})
    assert read(what, [none], "2026-10-06").value is None
    assert read(definition("test_count", max_age=timedelta(days=7)), [none], "2026-10-06").value == 0


# ---- samples


def sampled(how, **fields):
    return definition("sampled", fields.pop("window", "7d"), aggregate=how, **fields)


WEEK = [daily(f"2026-10-{5 + n:02}", value) for n, value in enumerate((4.0, 1.0, 3.0, 2.0))]


@pytest.mark.parametrize(("have", "health"), [(3, "too_few"), (4, "ok")])
def test_an_aggregate_needs_half_the_windows_days(have, health):
    assert read(sampled(Aggregate("mean")), WEEK[:have], "2026-10-12").health == health


def test_a_last_needs_one():
    assert read(sampled(Aggregate("last")), WEEK[:1], "2026-10-06").health == Health.OK


def test_the_last_sample_of_a_whole_day_is_its_own_evidence():
    counted = _evidence(sampled(Aggregate("last")), WEEK, "2026-10-09")
    assert [note.key for note in counted] == ["2026-10-08"]


def test_a_last_is_as_old_as_the_end_of_its_day():
    assert read(sampled(Aggregate("last")), WEEK, "2026-10-11").health == Health.OK
    assert read(sampled(Aggregate("last")), WEEK, "2026-10-11 00:01").health == Health.STALE


def test_a_last_is_not_carried_beyond_its_window():
    assert read(sampled(Aggregate("last"), window="2d"), WEEK, "2026-10-12").value is None


def test_a_day_without_a_value_is_no_sample():
    facts = [*WEEK, daily("2026-10-09")]
    reading = read(sampled(Aggregate("mean")), facts, "2026-10-12")
    assert (reading.value, reading.n) == (2.5, 4)


def test_a_value_of_zero_is_a_sample():
    assert read(sampled(Aggregate("min")), [*WEEK, daily("2026-10-09", 0.0)], "2026-10-12").value == 0


def test_a_day_is_known_once_it_is_over():
    today = daily("2026-10-09", 9.0, until=at("2026-10-09 15:00"), final=False)
    most = sampled(Aggregate("max"))
    assert read(most, [*WEEK, today], "2026-10-09 15:00").value == 9
    assert read(most, [*WEEK, today], "2026-10-09 14:59").value == 4
    assert read(most, [*WEEK, daily("2026-10-09", 9.0)], "2026-10-09 15:00").value == 4


def test_values_are_turned_into_the_base_of_their_unit():
    facts = [daily("2026-10-05", 450.0)]
    assert read(sampled(Aggregate("last"), unit=Unit.parse("ms")), facts, "2026-10-06").value == pytest.approx(0.45)
    assert read(sampled(Aggregate("last"), unit=Unit.parse("%")), facts, "2026-10-06").value == pytest.approx(4.5)


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        (Aggregate("share_within", at_most=3.0), 0.75),
        (Aggregate("share_within", at_least=3.0), 0.5),
        (Aggregate("share_within", at_least=2.0, at_most=3.0), 0.5),
        (Aggregate("share_within", at_most=3.0 - 1e-12), 0.75),
        (Aggregate("share_within", at_most=0.5), 0.0),
        (Aggregate("quantile", quantile=0.0), 1.0),
        (Aggregate("quantile", quantile=0.75), 3.25),
        (Aggregate("quantile", quantile=1.0), 4.0),
    ],
)
def test_aggregates_of_four_three_two_one(aggregate, expected):
    assert read(sampled(aggregate), WEEK, "2026-10-12").value == pytest.approx(expected)


def test_a_share_within_is_a_ratio_of_counts_with_an_interval():
    reading = read(sampled(Aggregate("share_within", at_most=3.0)), WEEK, "2026-10-12")
    assert (reading.numerator, reading.denominator) == (3, 4)
    assert reading.interval == wilson(3, 4)


# ---- histograms


@pytest.mark.parametrize(
    ("quantile", "buckets", "value", "saturated"),
    [
        (0.5, {"1": 10, "2": 10, "+Inf": 10}, 0.5, False),
        (0.5, {"1": 0, "2": 10, "+Inf": 10}, 1.5, False),
        (1.0, {"1": 5, "2": 10, "+Inf": 10}, 2.0, False),
        (0.9, {"1": 5, "2": 8, "+Inf": 10}, 2.0, True),
        (0.5, {"-1": 8, "1": 10, "+Inf": 10}, -1.0, False),
        (0.75, {"1": 4, "2": 4, "3": 8, "+Inf": 8}, 2.5, False),
        (0.5, {"1": 4, "2": 3.9, "+Inf": 8}, 1.0, False),
    ],
)
def test_quantiles_lie_where_prometheus_puts_them(quantile, buckets, value, saturated):
    found = bucket_quantile(quantile, [buckets])
    assert (found.value, found.saturated) == (pytest.approx(value), saturated)


def test_no_request_is_no_quantile():
    assert bucket_quantile(0.5, []).value is None
    assert bucket_quantile(0.5, [{"1": 0, "+Inf": 0}]).value is None


def test_days_are_merged_not_averaged():
    quiet, busy = {"1": 10, "2": 10, "+Inf": 10}, {"1": 0, "2": 90, "+Inf": 90}
    assert bucket_quantile(0.5, [quiet, busy]).value == pytest.approx(1 + 40 / 90)


def test_bounds_that_changed_leave_those_common():
    found = bucket_quantile(0.5, [{"1": 4, "2": 8, "+Inf": 8}, {"2": 8, "3": 8, "+Inf": 8}])
    assert (found.value, found.common_bounds) == (1.0, False)


HISTOGRAM = definition("histogram_quantile", "2d", quantile=0.9)


@pytest.mark.parametrize(("requests", "health"), [(19, "too_few"), (20, "ok")])
def test_a_high_quantile_needs_twenty_requests(requests, health):
    day = daily("2026-10-05", parts={"1": requests, "+Inf": requests})
    assert read(HISTOGRAM, [day], "2026-10-06").health == health


def test_the_median_of_a_histogram_needs_five_requests():
    day = daily("2026-10-05", parts={"1": 5, "+Inf": 5})
    assert read(definition("histogram_quantile", "1d", quantile=0.5), [day], "2026-10-06").health == Health.OK


def test_a_saturated_quantile_says_that_it_is_a_lower_bound():
    day = daily("2026-10-05", parts={"1": 1, "+Inf": 50})
    reading = read(HISTOGRAM, [day], "2026-10-06")
    assert reading.value == 1
    assert any(note.startswith("saturated") for note in reading.notes)


# ---- intervals


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) ÷ (1 + z²/n) with z² = 1.642374; at p = 0 the upper end is z²/(n + z²).
    [(0, 10, 0.0, 1.642374 / 11.642374), (10, 10, 10 / 11.642374, 1.0), (5, 10, 0.312205, 0.687795)],
)
def test_the_interval_is_wilsons_at_80_percent(hits, n, low, high):
    assert wilson(hits, n) == pytest.approx((low, high), abs=1e-5)


def test_there_is_no_interval_of_nothing():
    assert wilson(0, 0) is None
