"""Changes, incidents and flaky runs, worked out by hand."""

from __future__ import annotations

import pytest
from columns import at
from keyresults.metrics.reading import Health
from metric_cases import broke, definition, explained, merged, ran, read

CYCLE = definition("change_cycle_time", min_samples=0)
REVIEW = definition("change_review_time", min_samples=0)
FLAKY = definition("ci_flaky_rate", min_samples=0)


def change(key: str, **times: str):
    return merged(key, "2026-10-08 12:00", **{name: at(f"2026-10-{when}") for name, when in times.items()})


def test_a_cycle_is_from_the_first_commit_to_the_merge():
    assert read(CYCLE, [change("a", first_commit_at="07 12:00", opened_at="08 11:00")]).value == 24 * 3600


def test_a_review_waits_from_the_opening_to_the_first_review():
    assert read(REVIEW, [change("a", opened_at="08 09:00", first_review_at="08 09:45")]).value == 45 * 60


def test_a_review_at_the_instant_of_reading_is_known_and_a_later_one_is_not():
    late = [change("a", opened_at="08 09:00", first_review_at="09 09:00")]
    assert read(REVIEW, late, "2026-10-09 09:00").value == 24 * 3600
    before = read(REVIEW, late, "2026-10-09 08:59")
    assert (before.value, before.health) == (None, Health.NO_DATA)
    assert "1 left out: without a review by someone else" in before.notes


def test_what_is_left_out_is_noted_with_its_reason():
    told = [
        change("a", first_commit_at="08 11:00"),
        change("b", first_commit_at="08 12:01"),
        change("c"),
        merged("d", "2026-10-08 12:00", author_kind="bot", first_commit_at=at("2026-10-08")),
    ]
    reading = read(CYCLE, told)
    assert (reading.value, reading.n) == (3600, 1)
    assert {note for note in reading.notes if "left out" in note} == {
        "1 left out: merged before their first commit",
        "1 left out: without a known first commit",
        "1 left out: by bots",
    }
    roles = {key: (note.counted, note.role) for key, note in explained(CYCLE, told).items()}
    assert roles == {
        "a": (True, "merged"),
        "b": (False, "negative"),
        "c": (False, "no first commit"),
        "d": (False, "by a bot"),
    }


def test_a_change_that_took_no_time_took_zero():
    assert read(CYCLE, [change("a", first_commit_at="08 12:00")]).value == 0


@pytest.mark.parametrize("measure", ["change_cycle_time", "change_review_time"])
def test_four_changes_are_too_few_and_five_are_enough(measure):
    times = {"first_commit_at": "08 11:00", "opened_at": "08 10:00", "first_review_at": "08 11:00"}
    told = [change(str(n), **times) for n in range(5)]
    assert read(definition(measure), told[:4]).health == Health.TOO_FEW
    assert read(definition(measure), told).health == Health.OK


def test_counts_begin_with_the_cycle_and_none_is_zero():
    told = [merged(day, f"2026-{day}") for day in ("09-30 23:59", "10-01 00:00", "10-20 10:00")]
    total = definition("change_count", "cycle")
    assert [read(total, told, f"2026-10-{day}").value for day in ("02", "20", "21")] == [1, 1, 2]
    nothing = read(total, [], "2026-10-21")
    assert (nothing.value, nothing.health) == (0, Health.OK)


def test_an_incident_counts_when_it_was_opened_whenever_it_was_closed():
    told = [broke("1", "2026-10-05 10:00", closed_at=at("2026-10-09")), broke("2", "2026-10-06 10:00")]
    count = definition("incident_count", "1d")
    assert [read(count, told, f"2026-10-{day}").value for day in ("06", "07", "08", "10")] == [1, 1, 0, 0]


@pytest.mark.parametrize("failed", ["failure", "timed_out", "startup_failure"])
def test_a_green_run_is_flaky_once_an_attempt_before_failed(failed):
    told = [
        ran("1", "2026-10-05", failed),
        ran("1", "2026-10-05", "success", attempt=2),
        ran("2", "2026-10-05", "success"),
    ]
    reading = read(FLAKY, told)
    assert (reading.numerator, reading.denominator) == (1, 2)
    assert explained(FLAKY, told)["1/2"].why == f"attempt 2: success, after attempt 1: {failed}"


def test_a_failure_two_attempts_before_counts_once():
    ends = ("failure", "failure", "success")
    told = [ran("1", "2026-10-05", end, attempt=n) for n, end in enumerate(ends, 1)]
    reading = read(FLAKY, told)
    assert (reading.numerator, reading.denominator) == (1, 1)


def test_a_green_run_with_an_unknown_attempt_is_neither_flaky_nor_stable():
    reading = read(FLAKY, [ran("1", "2026-10-05", "success", attempt=2), ran("2", "2026-10-05", "success")])
    assert (reading.numerator, reading.denominator) == (0, 1)
    assert "1 left out: an earlier attempt is not known" in reading.notes


def test_a_known_failure_makes_a_run_flaky_whatever_else_is_unknown():
    told = [ran("1", "2026-10-05", "failure", attempt=2), ran("1", "2026-10-05", "success", attempt=3)]
    assert read(FLAKY, told).value == 1


def test_runs_of_another_branch_say_nothing():
    told = [
        ran("1", "2026-10-05", "success"),
        ran("2", "2026-10-05", "failure", branch="feature"),
        ran("2", "2026-10-05", "success", attempt=2, branch="feature"),
    ]
    of_main = definition("ci_flaky_rate", min_samples=0, queries={"runs": {"branch": "main"}})
    assert (read(of_main, told).value, read(FLAKY, told).value) == (0, 0.5)
