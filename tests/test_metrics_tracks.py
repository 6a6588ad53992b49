"""The order of a track, edge by edge. Values are worked out by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from columns import at, covered
from keyresults.metrics.reading import Health
from metric_cases import definition, deployed, explained, measurement, merged, read, statuses

RATE = definition("rollback_rate", min_samples=0)
COUNT = definition("deployment_count")


def track(text, **fields):
    """`"A B A"`: one success a day, at 10:00 from the 5th on, keyed 0, 1, 2 …"""
    commits = text.split()
    return [deployed(commit, f"2026-10-{5 + n:02} 10:00", key=str(n), **fields) for n, commit in enumerate(commits)]


def roles(facts, what=RATE, **more):
    notes = explained(what, facts, **more)
    return " ".join(notes[str(n)].role for n in range(len(facts)))


def taken_back(facts, what=RATE):
    """Which deployments were rolled back, by their place."""
    return [key for key, note in explained(what, facts).items() if "taken back" in note.why]


@pytest.mark.parametrize(
    ("order", "expected", "marked"),
    [
        ("A", "forward", []),
        ("A B C", "forward forward forward", []),
        ("A B A", "forward forward rollback", ["1"]),
        ("A B A B", "forward forward rollback forward", ["1"]),
        ("A B A B A", "forward forward rollback forward rollback", ["1", "3"]),
        ("A B C A", "forward forward forward rollback", ["1", "2"]),
        ("A B C B A", "forward forward forward rollback rollback", ["1", "2"]),
        ("A B C A B", "forward forward forward rollback forward", ["1", "2"]),
        ("A B C A C", "forward forward forward rollback forward", ["1", "2"]),
        ("A B C A C B", "forward forward forward rollback forward forward", ["1", "2"]),
        ("A B C A D A", "forward forward forward rollback forward rollback", ["1", "2", "4"]),
        ("A A B A", "forward redeploy forward rollback", ["2"]),
        ("A B B A", "forward forward redeploy rollback", ["1"]),
        ("A B A A", "forward forward rollback redeploy", ["1"]),
    ],
)
def test_a_return_takes_back_every_version_above_it(order, expected, marked):
    facts = track(order)
    assert roles(facts) == expected
    assert taken_back(facts) == marked
    forward = expected.split().count("forward")
    assert read(RATE, facts).value == pytest.approx(len(marked) / forward)


@pytest.mark.parametrize(("order", "marked"), [("A B C A", ["2"]), ("A B C B A", ["1", "2"]), ("A B C A C B", ["2"])])
def test_marking_the_newest_marks_only_what_ran_when_it_was_replaced(order, marked):
    assert taken_back(track(order), definition("rollback_rate", rollback_mark="newest")) == marked


def test_versions_left_unmarked_are_off_the_stack_all_the_same():
    newest = definition("rollback_rate", rollback_mark="newest")
    assert roles(track("A B C A B"), newest) == "forward forward forward rollback forward"


def test_a_failed_deployment_of_an_old_version_is_no_rollback():
    facts = track("A B")
    facts.append(deployed("A", "2026-10-08", key="2", statuses=statuses(("failure", "2026-10-08"))))
    assert roles(facts) == "forward forward not successful"
    assert read(RATE, facts).value == 0


def test_a_deployment_counts_at_its_first_success():
    told = statuses(("success", "2026-10-07 10:00"), ("inactive", "2026-10-06"), ("success", "2026-10-06 09:00"))
    facts = [deployed("A", "2026-10-06", key="0", statuses=told)]
    assert explained(COUNT, facts)["0"].at == at("2026-10-06 09:00")


def test_being_superseded_changes_nothing():
    told = statuses(("success", "2026-10-06"), ("inactive", "2026-10-07"))
    facts = [deployed("A", "2026-10-06", key="0", statuses=told), *track("B")]
    assert read(COUNT, facts).value == 2


def test_the_order_is_that_of_successes_not_of_creations():
    slow = deployed("A", "2026-10-06 12:00", key="1", seconds=86_400)
    facts = [slow, deployed("B", "2026-10-06 10:00", key="0"), deployed("A", "2026-10-07", key="2")]
    notes = explained(RATE, facts)
    assert [notes[k].role for k in "012"] == ["forward", "forward", "redeploy"]


@pytest.mark.parametrize(("minutes", "role"), [(0, "duplicate"), (9, "duplicate"), (10, "duplicate"), (11, "redeploy")])
def test_the_same_commit_within_ten_minutes_is_told_twice(minutes, role):
    first = at("2026-10-06 10:00")
    facts = [deployed("A", first, key="0"), deployed("A", first + timedelta(minutes=minutes), key="1")]
    assert roles(facts) == f"forward {role}"


def test_a_duplicate_is_measured_from_the_one_kept():
    times = ("10:00", "10:08", "10:16", "10:24", "10:30")
    facts = [deployed("A", f"2026-10-06 {time}", key=str(n)) for n, time in enumerate(times)]
    assert roles(facts) == "forward duplicate redeploy duplicate redeploy"


def test_the_same_run_and_attempt_is_told_twice_however_late():
    facts = track("A A A", run="7/1")
    assert roles(facts) == "forward duplicate duplicate"


def test_another_attempt_of_the_run_is_a_redeploy():
    facts = [deployed("A", f"2026-10-0{n + 5}", key=str(n), run=f"7/{n + 1}") for n in range(2)]
    assert roles(facts) == "forward redeploy"


def test_a_return_within_ten_minutes_is_a_rollback_since_another_commit_lies_between():
    facts = [deployed(c, f"2026-10-06 10:0{n}", key=str(n), run="7/1") for n, c in enumerate("ABA")]
    assert roles(facts) == "forward forward rollback"


def test_a_duplicate_of_a_rollback_vanishes():
    facts = [*track("A B A"), deployed("A", "2026-10-07 10:05", key="3")]
    assert roles(facts) == "forward forward rollback duplicate"


def test_each_environment_has_an_order_of_its_own():
    facts = [*track("A B"), deployed("A", "2026-10-08", key="2", environment="staging")]
    assert roles(facts) == "forward forward other environment"


def test_each_service_has_an_order_of_its_own():
    facts = [*track("A B"), deployed("A", "2026-10-08", key="2", subject="acme/ledger")]
    assert roles(facts) == "forward forward forward"


def test_other_tasks_are_not_deployments():
    facts = [*track("A B"), deployed("A", "2026-10-08", key="2", task="migrate")]
    assert roles(facts) == "forward forward other task"


def test_an_exact_environment_may_hold_the_signs_of_a_glob():
    what = definition("deployment_count", environment="prod[eu]")
    assert read(what, track("A B", environment="prod[eu]")).value == 2


def test_globs_tell_small_letters_from_capitals():
    what = definition("deployment_count", environment="Prod*")
    assert read(what, track("A", environment="production")).health == Health.NO_DATA


def test_versions_known_from_before_the_window_can_be_returned_to():
    facts = [deployed("A", "2026-09-02", key="0"), *(f for f in track("X B A") if f.key != "0")]
    assert read(definition("rollback_rate", "28d", min_samples=0), facts).value == 1.0


def test_a_rollback_after_the_window_marks_the_deployment_inside_it():
    facts = track("A B A")
    week = definition("rollback_rate", "7d", min_samples=0)
    assert read(week, facts, "2026-10-07", as_of="2026-10-07 09:59").value == 0
    assert read(week, facts, "2026-10-07", as_of="2026-10-08").value == 0.5


@pytest.mark.parametrize(("second", "n"), [("2026-10-31 00:00", 2), ("2026-10-31 00:01", 1)])
def test_a_deployment_counts_once_it_is_as_old_as_settle(second, n):
    facts = [deployed("A", "2026-10-20"), deployed("B", second)]
    assert read(RATE, facts, "2026-11-01").n == n


def test_an_unsettled_deployment_is_in_neither_side_even_if_rolled_back():
    facts = [deployed("A", "2026-10-20"), deployed("B", "2026-10-31 12:00"), deployed("A", "2026-10-31 13:00")]
    reading = read(RATE, facts, "2026-11-01")
    assert (reading.numerator, reading.denominator) == (0, 1)
    assert any("younger than 24 h" in note for note in reading.notes)


def test_a_status_that_came_later_is_not_yet_known():
    late = deployed("B", "2026-10-20", statuses=statuses(("success", "2026-10-25")))
    facts = [*track("A"), late]
    assert read(COUNT, facts, "2026-10-24").value == 1
    assert read(COUNT, facts, "2026-10-26").value == 2


def test_a_deployment_that_was_created_later_is_not_yet_known():
    facts = track("A B A")
    assert set(explained(RATE, facts, "2026-10-07", as_of="2026-10-07")) == {"0", "1"}


@pytest.mark.parametrize("origin", ["tag", "release", "merge"])
def test_versions_that_never_return_have_no_rollback_rate(origin):
    reading = read(RATE, track("A B A", origin=origin))
    assert (reading.value, reading.health) == (None, Health.NO_DATA)
    assert any("never comes back" in note for note in reading.notes)
    assert read(COUNT, track("A B C", origin=origin)).value == 3


def test_a_marked_rollback_to_a_version_never_seen_takes_back_what_it_replaced():
    rules = definition("rollback_rate", rollback_rules=("version_return", "marked"), min_samples=0)
    facts = [*track("A B"), deployed("Z", "2026-10-07 10:00", key="2", marked_rollback=True)]
    assert roles(facts, rules) == "forward forward rollback"
    assert taken_back(facts, rules) == ["1"]
    assert roles(facts) == "forward forward forward"
    assert any("'marked' would take 1 of these" in note for note in read(RATE, facts).notes)


def test_a_marked_rollback_that_comes_first_replaces_nothing():
    rules = definition("rollback_rate", rollback_rules=("version_return", "marked"), min_samples=0)
    assert roles(track("A", marked_rollback=True), rules) == "forward"


def reverted(shipped_on, *changes):
    rules = definition("rollback_rate", rollback_rules=("revert",), min_samples=0)
    facts = [deployed("A", "2026-10-05 10:00", key="0"), deployed("B", shipped_on, key="1", environment="production")]
    return read(rules, [*facts, *changes])


def test_a_change_reverted_by_one_shipped_within_a_week_marks_its_deployment():
    bad, back = merged("bad", "2026-10-05 09:00"), merged("back", "2026-10-06", reverts="bad")
    assert reverted("2026-10-12 10:00", bad, back).value == 0.5
    assert reverted("2026-10-12 10:01", bad, back).value == 0
    assert reverted("2026-10-06", bad, merged("other", "2026-10-05 12:00")).value == 0


def test_a_revert_is_found_in_whatever_order_changes_are_stored():
    bad, back = merged("bad", "2026-10-05 09:00"), merged("back", "2026-10-06", reverts="bad")
    assert reverted("2026-10-07", back, bad).value == 0.5


def test_the_reading_says_how_far_back_the_order_is_known():
    assert any("since 2026-10-05" in note for note in read(RATE, track("A B")).notes)


def test_pushes_of_one_commit_in_several_environments_are_one():
    facts = [
        deployed("A", "2026-10-05", key="0", environment="prod-eu"),
        deployed("A", "2026-10-06", key="1", environment="prod-us"),
        deployed("A", "2026-10-07", key="2", environment="prod-us", subject="acme/ledger"),
    ]
    counts = {c: read(definition("deployment_count", environment="prod-*", count=c), facts).value for c in CHOICES}
    assert counts == {"first": 2, "last": 2, "each": 3}


CHOICES = ("first", "last", "each")


def test_a_commit_pushed_again_after_a_rollback_is_another_deployment():
    facts = [deployed(c, f"2026-10-0{n + 1}", key=str(n), environment="prod-eu") for n, c in enumerate("ABAB")]
    facts.append(deployed("B", "2026-10-08", key="4", environment="prod-us"))
    notes = explained(definition("deployment_count", environment="prod-*"), facts, "2026-10-20")
    assert [notes[str(n)].role for n in range(5)] == ["forward", "forward", "rollback", "forward", "counted elsewhere"]


def test_deployments_outside_collected_time_still_belong_to_the_order():
    facts = track("A B A")
    gap = covered("2026-09-01", "2026-10-06", "2026-10-07", "2026-11-01")
    notes = explained(RATE, facts, coverage=gap)
    assert not notes["1"].counted
    assert "outside the time collected" in notes["1"].why
    assert notes["2"].role == "rollback"


def test_facts_may_be_asked_for_any_window():
    one = measurement(RATE, track("A B A"), covered("2026-09-01", "2026-11-01"), "2026-11-01")
    assert [note.key for note in one.facts(one.readings([at("2026-10-07")], at("2026-10-01"))[0].window)] == ["0", "1"]
