"""What deployments and changes say together, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from columns import at
from keyresults.metrics.facts import Incident, Shipment
from keyresults.metrics.reading import Health
from keyresults.metrics.traits import in_words
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
    assert not any("90th" in note for note in reading.notes)


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


def test_a_change_ships_with_the_deployment_of_its_own_commit_though_it_was_said_to_be_merged_later():
    """Merges and tags bear the time of their commit, and a merge queue says `merged` minutes after it."""
    track = [
        deployed(c, f"2026-10-{day:02} 10:00", key=c, seconds=0, origin="merge") for day, c in enumerate("ABCD", 5)
    ]
    changes = [
        merged(c, f"2026-10-{day:02} 10:08", first_commit_at=at(f"2026-10-{day:02} 07:00"))
        for day, c in enumerate("BCD", 6)
    ]
    since_commit = definition("lead_time_for_changes", min_samples=0, lead_time_from="first_commit")
    reading = read(since_commit, [*track, *changes])
    assert (reading.value, reading.n) == (3 * HOUR, 3)
    assert "what shipped them is known: 3 by own commit" in reading.notes
    assert {note.role for note in explained(LEAD, [*track, *changes]).values()} == {"negative"}
    back = merged("C", "2026-10-07 10:00:01", reverts="B")
    assert failed(changes[0], back, track=track) == {"B"}


def test_a_change_is_looked_for_by_time_behind_deployments_that_are_known_not_to_bring_it():
    change = merged("x", "2026-10-06 09:30")
    reading = read(LEAD, [*TRACK, change, between("A", "B", "B")])
    assert reading.value == 24.5 * HOUR
    assert "what shipped them is known: 1 by merge-time" in reading.notes
    later = deployed("D", "2026-10-08 10:00", key="4")
    assert read(LEAD, [*TRACK, later, change, between("A", "B", "B"), between("C", "D", "x", "D")]).value == 24.5 * HOUR


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


def test_a_region_s_first_deployment_is_no_beginning_where_its_service_was_known_before():
    regions = [
        deployed("A", "2026-10-05 10:00", key="eu1", environment="prod-eu"),
        deployed("B", "2026-10-06 10:00", key="eu2", environment="prod-eu"),
        deployed("C", "2026-10-07 10:00", key="ap1", environment="prod-ap"),
        deployed("C", "2026-10-07 12:00", key="eu3", environment="prod-eu"),
    ]
    changes = [merged("a", "2026-10-05 09:00"), merged("c", "2026-10-07 08:00")]
    everywhere = definition("lead_time_for_changes", min_samples=0, environment="prod-*")
    reading = read(everywhere, [*regions, *changes])
    assert (reading.value, reading.n) == (2 * HOUR, 1)
    assert "1 left out: shipped with the first known deployment, or before it" in reading.notes


def test_the_first_version_ships_nothing_in_any_region():
    regions = [
        deployed("A", f"2026-10-05 1{hour}:00", key=region, environment=f"prod-{region}")
        for hour, region in enumerate(("eu", "ap"))
    ]
    for count in ("first", "last", "each"):
        what = definition("lead_time_for_changes", min_samples=0, environment="prod-*", count=count)
        assert read(what, [*regions, merged("a", "2026-10-05 09:00")]).n == 0


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
    reading = read(
        definition("lead_time_for_changes", min_samples=0, lead_time_from="first_commit"), [*TRACK, *changes]
    )
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


def test_from_twenty_changes_up_the_notes_tell_the_90th_percentile():
    changes = [merged(f"b{n}", f"2026-10-06 {n // 2:02}:{30 * (n % 2):02}") for n in range(19)]
    assert not any("90th" in note for note in read(LEAD, [*TRACK, *changes]).notes)
    assert "the 90th percentile is 9.1 h" in read(LEAD, [*TRACK, *changes, merged("b19", "2026-10-06 09:30")]).notes


def test_what_was_not_there_yet_is_not_known():
    changes = [merged("b", "2026-10-06 07:00"), merged("c", "2026-10-06 11:00")]
    reading = read(LEAD, [*TRACK, *changes], "2026-10-07")
    assert (reading.value, reading.n) == (3 * HOUR, 1)
    assert "1 left out: merged and not shipped yet" in reading.notes


def test_without_a_deployment_to_the_environment_there_is_no_reading():
    reading = read(definition("lead_time_for_changes", environment="prod"), [*TRACK, merged("b", "2026-10-06 07:00")])
    assert any("was never seen" in note for note in reading.notes)


# ---- change_failure_rate
FAILED = definition("change_failure_rate", min_samples=0, hotfix_labels=("hotfix",), hotfix_branches=("hotfix/*",))


def broke(opened, **fields):
    return Incident(**{"key": "7", "subject": "acme/pay", "opened_at": at(opened), **fields})


def failed(*facts, track=TRACK, what=FAILED, when="2026-11-01"):
    """The keys of the deployments that failed."""
    notes = explained(what, [*track, *facts], when)
    return {key for key, note in notes.items() if "; failed: " in note.why}


def test_nothing_failed_that_nothing_tells_of():
    reading = read(FAILED, [*TRACK, merged("b", "2026-10-06 07:00")])
    assert (reading.value, reading.numerator, reading.denominator) == (0, 0, 3)


def test_a_rollback_fails_what_it_takes_back():
    track = [*TRACK, deployed("A", "2026-10-07 12:00", key="back")]
    assert failed(track=track) == {"2", "3"}


def test_a_revert_within_seven_days_fails_what_shipped_the_change():
    back = merged("r", "2026-10-06 12:00", reverts="b")
    assert failed(merged("b", "2026-10-06 07:00"), back) == {"2"}
    late = [*TRACK[:2], deployed("C", "2026-10-13 10:00:01", key="3")]
    assert failed(merged("b", "2026-10-06 07:00"), back, track=late) == set()
    assert failed(merged("b", "2026-10-06 07:00"), merged("r", "2026-10-06 08:00", reverts="b")) == set()


def test_a_revert_finds_its_change_by_number_and_by_known_commits():
    change, back = merged("b", "2026-10-06 07:00", key="12"), merged("r", "2026-10-06 12:00", reverts="#12")
    assert failed(change, back) == {"2"}
    assert failed(change, back, between("A", "B"), between("B", "C", "b", "r")) == set()


def test_a_revert_may_abbreviate_the_commit_as_long_as_only_one_is_meant():
    change, back = merged("b" * 40, "2026-10-06 07:00"), merged("r", "2026-10-06 12:00", reverts="b" * 7)
    assert failed(change, back) == {"2"}
    other = merged("b" * 7 + "0" * 33, "2026-10-07 12:00")
    assert failed(change, back, other) == set()
    assert failed(change, merged("r", "2026-10-06 12:00", reverts="b" * 8), other) == {"2"}
    assert failed(change, merged("r", "2026-10-06 12:00", reverts="b" * 6)) == set()
    elsewhere = merged("b" * 7 + "0" * 33, "2026-10-07 12:00", subject="acme/ledger")
    assert failed(change, back, elsewhere) == {"2"}


def test_references_are_by_the_names_a_subject_gives_where_a_stream_holds_several_subjects():
    track = [deployed(c, f"2026-10-0{n} 10:00", key=f"acme/pay/d{n}") for n, c in enumerate("ABC", 5)]
    change = merged("b", "2026-10-06 07:00", key="acme/pay/12")
    for said in ("#12", "#acme/pay/12"):
        assert failed(change, merged("r", "2026-10-06 12:00", reverts=said), track=track) == {"acme/pay/d6"}
    for said in ("d5", "acme/pay/d5"):
        assert failed(broke("2026-10-20", deployment=said), track=track) == {"acme/pay/d5"}
    assert failed(broke("2026-10-20", deployment="acme/pay/1")) == {"1"}


@pytest.mark.parametrize("told", [{"labels": ("bug", "hotfix")}, {"head": "hotfix/now"}])
def test_a_hotfix_fails_what_ran_when_it_was_merged(told):
    assert failed(merged("h", "2026-10-06 12:00", **told)) == {"2"}
    assert failed(merged("h", "2026-10-06 10:00", **told)) == {"1"}
    assert failed(merged("h", "2026-10-05 10:00", **told)) == set()


def test_a_hotfix_never_fails_the_deployment_that_ships_it():
    late = deployed("C", "2026-10-07 10:00", key="3", seconds=0, origin="merge")
    assert failed(merged("C", "2026-10-07 10:08", labels=("hotfix",)), track=[*TRACK[:2], late]) == {"2"}
    assert failed(merged("A", "2026-10-05 10:08", labels=("hotfix",))) == set()


def test_other_labels_and_branches_are_no_hotfix():
    assert failed(merged("h", "2026-10-06 12:00", labels=("hot",), head="main")) == set()


def test_an_incident_fails_what_was_shipped_within_a_day_before_it():
    assert failed(broke("2026-10-06 10:00")) == {"2"}
    assert failed(broke("2026-10-07 09:59")) == {"2"}
    assert failed(broke("2026-10-08 10:00")) == {"3"}
    assert failed(broke("2026-10-08 10:01")) == set()
    assert failed(broke("2026-10-05 09:59")) == set()


def test_the_failure_window_may_be_longer():
    what = definition("change_failure_rate", min_samples=0, failure_window=timedelta(days=2))
    assert failed(broke("2026-10-08 10:01"), what=what) == {"3"}


def test_an_incident_may_name_its_cause():
    assert failed(broke("2026-10-20", commit="B")) == {"2"}
    assert failed(broke("2026-10-20", deployment="1")) == {"1"}
    assert failed(broke("2026-10-20", commit="b"), merged("b", "2026-10-06 07:00")) == {"2"}
    assert failed(broke("2026-10-07 11:00", commit="elsewhere")) == set()
    assert failed(broke("2026-10-07 11:00", deployment="elsewhere")) == set()


def test_an_incident_that_names_what_went_not_forward_blames_nothing():
    back = [*TRACK, deployed("B", "2026-10-08 10:00", key="4"), deployed("B", "2026-10-09 10:00", key="5")]
    staged = deployed("B", "2026-10-06 09:00", key="s", environment="staging")
    for named, blamed in (("4", {"3"}), ("5", {"3"}), ("s", {"3"}), ("2", {"2", "3"})):
        assert failed(broke("2026-10-20", deployment=named), track=[*back, staged]) == blamed, named


def test_an_incident_that_names_a_duplicate_or_another_environment_s_blames_what_counts():
    again = deployed("B", "2026-10-06 10:05", key="2 again")
    assert failed(broke("2026-10-20", deployment="2 again"), track=[*TRACK, again]) == {"2"}
    regions = [
        deployed(commit, f"2026-10-0{day} {hour}:00", key=f"{region}{day}", environment=f"prod-{region}")
        for day, commit in enumerate("AB", 5)
        for region, hour in (("eu", "10"), ("us", "12"))
    ]
    for count, blamed in (("first", {"eu6"}), ("last", {"us6"}), ("each", {"us6"})):
        what = definition("change_failure_rate", min_samples=0, environment="prod-*", count=count)
        assert failed(broke("2026-10-20", deployment="us6"), track=regions, what=what) == blamed


def test_nothing_is_to_blame_for_what_had_broken_before_it():
    change = merged("c", "2026-10-06 11:00")
    assert failed(broke("2026-10-06 12:00", commit="c"), change) == set()
    assert failed(broke("2026-10-07 10:00", commit="c"), change) == {"3"}
    assert failed(broke("2026-10-07 09:59", deployment="3")) == set()
    assert failed(broke("2026-10-07 10:00", deployment="3")) == {"3"}


def test_an_incident_of_another_environment_or_service_blames_nothing_here():
    assert failed(broke("2026-10-07 11:00", environment="staging")) == set()
    assert failed(broke("2026-10-07 11:00", environment="production")) == {"3"}
    assert failed(broke("2026-10-07 11:00", subject="acme/ledger")) == set()


def test_each_deployment_fails_once():
    facts = [*TRACK, broke("2026-10-06 11:00"), broke("2026-10-06 12:00", key="8")]
    facts.append(merged("h", "2026-10-06 12:00", labels=("hotfix",)))
    reading = read(FAILED, facts)
    assert (reading.value, reading.numerator, reading.denominator) == (pytest.approx(1 / 3), 1, 3)


def test_what_has_not_settled_is_in_neither_side():
    reading = read(FAILED, [*TRACK, broke("2026-10-07 11:00")], "2026-10-08 09:59")
    assert (reading.numerator, reading.denominator) == (0, 2)
    assert "1 left out: younger than 24 h" in reading.notes


def test_what_happens_later_is_not_known_yet():
    facts = [*TRACK, broke("2026-10-20", commit="B")]
    assert read(FAILED, facts, "2026-10-12").value == 0
    assert read(FAILED, facts, "2026-10-12", as_of="2026-10-21").numerator == 1


def test_the_reading_names_the_signals_it_had():
    plain = definition("change_failure_rate", min_samples=0)
    assert "signals: rollbacks, reverts" in read(plain, TRACK).notes
    assert "signals: rollbacks, reverts, hotfixes, incidents" in read(FAILED, [*TRACK, broke("2026-10-20")]).notes
    tags = [deployed(c, f"2026-10-0{n}", key=c, origin="tag") for n, c in enumerate("AB", start=5)]
    assert "signals: reverts" in read(plain, tags).notes
    for rules, said in ((("marked",), "rollbacks by marked, reverts"), (("revert",), "reverts")):
        assert f"signals: {said}" in read(definition(plain.measure, rollback_rules=rules), TRACK).notes
    marks = definition(plain.measure, rollback_rules=("version_return", "marked"))
    assert "signals: rollbacks by version_return and marked, reverts" in read(marks, TRACK).notes
    assert "signals: rollbacks by marked, reverts" in read(marks, tags).notes


def test_it_tells_how_far_back_versions_are_known_and_what_other_rules_would_say():
    track = [*TRACK, deployed("D", "2026-10-08 10:00", key="4", marked_rollback=True)]
    notes = read(FAILED, track).notes
    assert "the order of versions is known since 2026-10-05" in notes
    assert "the rule 'marked' would take 1 of these for rollbacks" in notes


def test_the_definition_in_words_tells_what_failures_go_by():
    plain, hours = definition("change_failure_rate"), timedelta(hours=9)
    told = definition(
        "change_failure_rate", hotfix_labels=("urgent",), hotfix_branches=("fix/*",), failure_window=hours
    )
    assert "hotfixes by label urgent, branch fix/*; incidents up to 9 h after a deployment;" in in_words(told)
    assert "hotfix" not in in_words(plain)
    several = replace(plain, sources={"deployments": "gh", "changes": "gh", "incidents": "tickets"})
    assert "deployments from gh, changes from gh, incidents from tickets" in in_words(several)
