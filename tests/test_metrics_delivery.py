"""What deployments and changes say together, by hand."""

from __future__ import annotations

import pytest
from columns import at
from keyresults.metrics.facts import Shipment
from keyresults.metrics.reading import Health
from metric_cases import definition, deployed, explained, merged, read

LEAD = definition("lead_time_for_changes", min_samples=0)
TRACK = [
    deployed("A", "2026-10-05 10:00", key="1"),
    deployed("B", "2026-10-06 10:00", key="2"),
    deployed("C", "2026-10-07 10:00", key="3"),
]
HOUR = 3600


def between(previous, commit, *commits, method="clone", **fields):
    key = f"{previous}..{commit}"
    given = {"key": key, "subject": "acme/pay", "found_at": at("2026-10-30"), "commits": commits, "method": method}
    return Shipment(**{**given, "previous": previous, "commit": commit, **fields})


def roles(*changes, **fields):
    notes = explained(definition("lead_time_for_changes", min_samples=0, **fields), [*TRACK, *changes])
    return {key: note.role for key, note in notes.items()}


def test_a_change_ships_with_the_first_deployment_created_after_its_merge():
    reading = read(LEAD, [*TRACK, merged("b", "2026-10-06 07:00"), merged("c", "2026-10-06 10:00")])
    assert (reading.value, reading.n) == ((3 * HOUR + 24 * HOUR) / 2, 2)
    assert "what shipped them is known: 2 by merge-time" in reading.notes


def test_what_is_merged_while_a_deployment_is_under_way_ships_with_the_next():
    slow = deployed("B", "2026-10-06 10:00", key="2", seconds=3600)
    track = [TRACK[0], slow, TRACK[2]]
    assert read(LEAD, [*track, merged("b", "2026-10-06 09:00")]).value == HOUR
    assert read(LEAD, [*track, merged("b", "2026-10-06 09:01")]).value == 25 * HOUR - 60


def test_the_commits_between_two_deployments_decide_where_they_are_known():
    change = merged("b", "2026-10-06 07:00")
    assert read(LEAD, [*TRACK, change, between("A", "B", "a", "b", "B")]).value == 3 * HOUR
    later = [between("A", "B", "B"), between("B", "C", "b", "C", method="compare")]
    reading = read(LEAD, [*TRACK, change, *later])
    assert reading.value == 27 * HOUR
    assert "what shipped them is known: 1 by compare" in reading.notes


def test_a_change_in_none_of_the_known_commits_is_not_shipped():
    shipments = [between("A", "B", "B"), between("B", "C", "C")]
    reading = read(LEAD, [*TRACK, merged("b", "2026-10-06 07:00"), *shipments])
    assert (reading.value, reading.health) == (None, Health.NO_DATA)
    assert "1 left out: merged and not shipped yet" in reading.notes


def test_commits_that_nobody_could_tell_leave_it_to_the_order_of_time():
    unknown = between("A", "B", method="merge-time")
    assert read(LEAD, [*TRACK, merged("b", "2026-10-06 07:00"), unknown]).value == 3 * HOUR


def test_a_clone_is_believed_before_a_comparison():
    change = merged("b", "2026-10-06 07:00")
    for told in ([("clone", "b"), ("compare", "x")], [("compare", "x"), ("clone", "b")]):
        facts = [between("A", "B", commit, method=method, key=method) for method, commit in told]
        assert read(LEAD, [*TRACK, change, *facts]).value == 3 * HOUR


def test_commits_are_looked_up_beside_what_ran_before_be_it_a_rollback():
    facts = [*TRACK[:2], deployed("A", "2026-10-06 20:00", key="back"), TRACK[2], merged("c", "2026-10-06 21:00")]
    assert read(LEAD, [*facts, between("A", "C", "c")]).value == 13 * HOUR
    assert read(LEAD, [*facts, between("A", "C"), between("B", "C", "c")]).value is None


def test_a_rollback_and_a_redeploy_ship_nothing():
    facts = [
        *TRACK[:2],
        deployed("B", "2026-10-06 15:00", key="again"),
        deployed("A", "2026-10-06 20:00", key="back"),
        TRACK[2],
    ]
    assert read(LEAD, [*facts, merged("c", "2026-10-06 11:00")]).value == 23 * HOUR


def test_the_first_known_deployment_ships_nothing():
    assert roles(merged("a", "2026-10-05 09:00"), merged("b", "2026-10-05 10:00")) == {
        "a": "with the first known",
        "b": "shipped",
    }


def test_a_change_counts_when_it_was_shipped():
    change = merged("c", "2026-10-06 11:00")
    day = definition("lead_time_for_changes", "1d", min_samples=0)
    assert read(day, [*TRACK, change], "2026-10-07").value is None
    assert read(day, [*TRACK, change], "2026-10-08").value == 23 * HOUR


def test_a_change_of_another_repository_is_another_matter():
    assert roles(merged("b", "2026-10-06 07:00", subject="acme/ledger")) == {"b": "not shipped"}


def test_it_may_begin_at_the_first_commit():
    changes = [
        merged("b", "2026-10-06 07:00", first_commit_at=at("2026-10-04 10:00")),
        merged("c", "2026-10-06 08:00"),
    ]
    reading = read(definition("lead_time_for_changes", min_samples=0, lead_time_from="first_commit"), [*TRACK, *changes])
    assert (reading.value, reading.n) == (48 * HOUR, 1)
    assert "1 left out: without a known first commit" in reading.notes


def test_bots_and_what_shipped_before_its_merge_are_left_out_and_noted():
    robot = merged("bot", "2026-10-06 07:00", author_kind="bot")
    early = merged("early", "2026-10-06 12:00")
    reading = read(LEAD, [*TRACK, robot, early, between("A", "B", "early")])
    assert reading.value is None
    assert {"1 left out: changes by bots", "1 left out: shipped before their own beginning"} <= set(reading.notes)


def test_a_quantile_may_be_asked_for():
    changes = [merged(f"b{hour}", f"2026-10-06 0{hour}:00") for hour in range(10)]
    assert read(definition("lead_time_for_changes", quantile=0.9, min_samples=0), [*TRACK, *changes]).value == (
        pytest.approx(9.1 * HOUR)
    )


def test_what_was_not_there_yet_is_not_known():
    changes = [merged("b", "2026-10-06 07:00"), merged("c", "2026-10-06 11:00")]
    reading = read(LEAD, [*TRACK, *changes], "2026-10-07")
    assert (reading.value, reading.n) == (3 * HOUR, 1)
    assert "1 left out: merged and not shipped yet" in reading.notes


def test_without_a_deployment_to_the_environment_there_is_no_reading():
    reading = read(definition("lead_time_for_changes", environment="prod"), [*TRACK, merged("b", "2026-10-06 07:00")])
    assert any("was never seen" in note for note in reading.notes)
