"""Definitions that changed without a revision."""

import json
from dataclasses import replace
from datetime import date

import pytest
from keyresults.krs.changes import Definition, silent_changes, snapshot
from keyresults.krs.model import ChangeBy, Guardrail, Keep, PlanPoint, Reach, Revision, Threshold
from krs_cases import key_result

FIRST, CHANGED, TODAY = date(2026, 10, 2), date(2026, 11, 10), date(2026, 11, 20)
KR = key_result()
EIGHTY = Reach(0.80, 0.60, "60% to 80%")


def stored(kr, seen=FIRST):
    return Definition(seen, json.loads(json.dumps(snapshot(kr))))


def told(former, *present, today=TODAY):
    return [(c.key_result, c.words) for c in silent_changes(former, present, today)]


def test_an_unchanged_definition_tells_nothing():
    assert told({"kr": [stored(KR)]}, KR) == []


def test_a_new_key_result_tells_nothing():
    assert told({}, KR) == []


def test_an_edited_target_is_told_with_the_day_it_was_first_seen():
    words = "target 60% to 85% → 60% to 80%: changed without a reason, first seen on 2026-11-20"
    assert told({"kr": [stored(KR)]}, replace(KR, target=EIGHTY)) == [("kr", words)]


def test_a_stored_change_keeps_the_day_it_was_first_seen():
    edited = replace(KR, target=EIGHTY)
    (change,) = silent_changes({"kr": [stored(KR), stored(edited, CHANGED)]}, [edited], TODAY)
    assert change.seen == CHANGED
    assert change.words.endswith("first seen on 2026-11-10")


def test_a_revision_is_a_reason():
    revised = replace(KR, revisions=(Revision(on=CHANGED, reason="Two services joined", target=EIGHTY),))
    assert told({"kr": [stored(KR)]}, revised) == []


@pytest.mark.parametrize(
    ("change", "start"),
    [
        ({"deadline": date(2027, 1, 15)}, "deadline 2026-12-31 → 2027-01-15: "),
        ({"start": date(2026, 10, 15)}, "start 2026-10-01 → 2026-10-15: "),
        ({"metric": "other"}, "metric m → other: "),
        ({"weight": 0.5}, "weight 1.0 → 0.5: "),
        ({"baseline": 0.5}, "baseline none → 0.5: "),
        ({"baseline_days": 56}, "baseline window none → 56: "),
        ({"plan": (PlanPoint(CHANGED, 0.1),)}, "plan (0) → (1): "),
        ({"guardrails": (Guardrail("g", Threshold("at_most", 1, "1")),)}, "guardrails (0) → (1): "),
        ({"accept_partial": True}, "acceptance of partial readings False → True: "),
        ({"draft": True}, "draft False → True: "),
        ({"target": Threshold("at_least", 0.85, "85%")}, "target 60% to 85% → 85%: "),
        ({"target": Keep(Threshold("at_least", 0.85, "85%"), 0.9, "keep 85%")}, "target 60% to 85% → keep 85%: "),
        ({"target": ChangeBy(0.25, relative=False, text="+25pp")}, "target 60% to 85% → +25pp: "),
    ],
)
def test_whatever_decides_a_judgement_is_told(change, start):
    ((_, words),) = told({"kr": [stored(KR)]}, replace(KR, **change))
    assert words.startswith(start)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "In better words"},
        {"owner": "platform"},
        {"initiatives": ("https://example.org/1",)},
        {"target": Reach(0.85, 0.60, "0.60 to 0.85")},
        {"forecast": False},
    ],
)
def test_what_decides_nothing_may_change(change):
    assert told({"kr": [stored(KR)]}, replace(KR, **change)) == []


def test_before_it_starts_and_as_a_draft_it_may_change_freely():
    edited = replace(KR, target=EIGHTY)
    assert told({"kr": [stored(KR, date(2026, 9, 1))]}, edited, today=date(2026, 9, 30)) == []
    assert told({"kr": [stored(KR, date(2026, 9, 1))]}, edited, today=date(2026, 10, 1)) != []
    assert told({"kr": [stored(replace(KR, draft=True))]}, edited) == []


def test_a_past_revision_that_is_edited_or_taken_away_is_told():
    first = Revision(on=CHANGED, reason="Two services joined", target=EIGHTY)
    revised = replace(KR, revisions=(first,))
    former = {"kr": [stored(revised, CHANGED)]}
    words = "revision of 2026-11-10: changed without a reason, first seen on 2026-11-20"
    assert told(former, KR) == [("kr", words)]
    assert told(former, replace(KR, revisions=(replace(first, target=KR.target),))) == [("kr", words)]
    assert told(former, replace(KR, revisions=(replace(first, reason="In better words"),))) == []


def test_a_revision_yet_to_come_may_change():
    coming = replace(KR, revisions=(Revision(on=date(2026, 12, 1), reason="Planned", target=EIGHTY),))
    assert told({"kr": [stored(coming)]}, KR) == []


def test_a_vanished_key_result_is_told():
    words = "vanished from the file without being withdrawn; it had been there since 2026-10-02"
    assert told({"kr": [stored(KR)]}) == [("kr", words)]
    assert told({"kr": [stored(KR)]}, today=date(2026, 9, 30)) == []
    assert told({"kr": [stored(replace(KR, draft=True))]}) == []


def test_a_renamed_key_result_has_not_vanished_and_keeps_its_past():
    renamed = replace(KR, id="coverage", was="kr")
    assert told({"kr": [stored(KR)]}, renamed) == []
    ((name, words),) = told({"kr": [stored(KR)]}, replace(renamed, target=EIGHTY))
    assert name == "coverage"
    assert words.startswith("target")


def test_a_key_an_older_snapshot_lacks_is_no_change():
    old = {k: v for k, v in snapshot(KR).items() if k != "accept_partial"}
    assert told({"kr": [Definition(FIRST, old)]}, replace(KR, accept_partial=True)) == []
