"""Definitions that changed without a revision."""

import json
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pytest
from keyresults.krs.changes import MeasuredBy, silent_changes, snapshot, target_text_before
from keyresults.krs.model import ChangeBy, Guardrail, Keep, PlanPoint, Reach, Revision, Threshold
from krs_cases import BERLIN, key_result, midnight

FIRST, CHANGED, TODAY = date(2026, 10, 2), date(2026, 11, 10), date(2026, 11, 20)
KR = key_result()
EIGHTY = Reach(0.80, 0.60, "60% to 80%")


@dataclass(frozen=True)
class Stored:
    snapshot: dict
    first_seen: datetime
    last_seen: datetime
    earlier: tuple = ()


def stored(kr, seen=FIRST, *earlier):
    noon = midnight(seen) + timedelta(hours=12)
    return Stored(json.loads(json.dumps(snapshot(kr, MeasuredBy("a p99")))), noon, noon, earlier)


def told(former, *present, today=TODAY):
    as_of = midnight(today) + timedelta(hours=12)
    return list(
        silent_changes(
            former, {kr.id: kr for kr in present}, {kr.id: MeasuredBy("a p99") for kr in present}, BERLIN, as_of
        )
    )


def test_an_unchanged_definition_tells_nothing():
    assert told({"kr": stored(KR)}, KR) == []


def test_a_new_key_result_tells_nothing():
    assert told({}, KR) == []


def test_an_edited_target_is_told_with_the_day_it_was_first_seen():
    words = "kr: target 60% to 85% → 60% to 80%: changed without a reason, first seen on 2026-11-20"
    assert told({"kr": stored(KR)}, replace(KR, target=EIGHTY)) == [words]


def test_a_stored_change_keeps_the_day_it_was_first_seen():
    edited = replace(KR, target=EIGHTY)
    (words,) = told({"kr": stored(edited, CHANGED, stored(KR))}, edited)
    assert words.endswith("first seen on 2026-11-10")


def test_a_revision_is_a_reason():
    revised = replace(KR, revisions=(Revision(on=CHANGED, reason="Two services joined", target=EIGHTY),))
    assert told({"kr": stored(KR)}, revised) == []


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
    (words,) = told({"kr": stored(KR)}, replace(KR, **change))
    assert words.startswith(f"kr: {start}")


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
    assert told({"kr": stored(KR)}, replace(KR, **change)) == []


def test_before_it_starts_and_as_a_draft_it_may_change_freely():
    edited = replace(KR, target=EIGHTY)
    assert told({"kr": stored(KR, date(2026, 9, 1))}, edited, today=date(2026, 9, 30)) == []
    assert told({"kr": stored(KR, date(2026, 9, 1))}, edited, today=date(2026, 10, 1)) != []
    assert told({"kr": stored(replace(KR, draft=True))}, edited) == []


def test_a_past_revision_that_is_edited_or_taken_away_is_told():
    first = Revision(on=CHANGED, reason="Two services joined", target=EIGHTY)
    revised = replace(KR, revisions=(first,))
    former = {"kr": stored(revised, CHANGED)}
    words = "kr: revision of 2026-11-10: changed without a reason, first seen on 2026-11-20"
    assert told(former, KR) == [words]
    assert told(former, replace(KR, revisions=(replace(first, target=KR.target),))) == [words]
    assert told(former, replace(KR, revisions=(replace(first, reason="In better words"),))) == []


def test_a_revision_yet_to_come_may_change():
    coming = replace(KR, revisions=(Revision(on=date(2026, 12, 1), reason="Planned", target=EIGHTY),))
    assert told({"kr": stored(coming)}, KR) == []


def test_a_vanished_key_result_is_told():
    words = "kr: vanished from the file without being withdrawn, last seen on 2026-10-02"
    assert told({"kr": stored(KR)}) == [words]
    assert told({"kr": stored(KR)}, today=date(2026, 9, 30)) == []
    assert told({"kr": stored(replace(KR, draft=True))}) == []


def test_a_renamed_key_result_has_not_vanished_and_keeps_its_past():
    renamed = replace(KR, id="coverage", was="kr")
    assert told({"kr": stored(KR)}, renamed) == []
    (words,) = told({"kr": stored(KR)}, replace(renamed, target=EIGHTY))
    assert words.startswith("coverage: target")


def test_a_key_an_older_snapshot_lacks_is_no_change():
    old = {k: v for k, v in snapshot(KR, MeasuredBy("a p99")).items() if k != "accept_partial"}
    assert told({"kr": replace(stored(KR), snapshot=old)}, replace(KR, accept_partial=True)) == []


def test_looking_back_does_not_date_a_change_before_it_was_seen():
    edited = replace(KR, target=EIGHTY)
    assert told({"kr": stored(KR, CHANGED)}, edited, today=FIRST)[0].endswith("first seen on 2026-11-10")


def test_of_a_metrics_definition_only_the_parts_that_differ_are_told():
    former = replace_words(stored(KR), "p99 of requests; up; over 28 days", "releases")
    now = MeasuredBy("p99 of requests; up; over 7 days", "releases")
    words = (
        "kr: definition of its metric over 28 days → over 7 days: changed without a reason, first seen on 2026-11-20"
    )
    assert list(silent_changes({"kr": former}, {"kr": KR}, {"kr": now}, BERLIN, midnight(TODAY))) == [words]


def test_a_part_that_came_or_went_is_told_alone():
    former = replace_words(stored(KR), "p99; up", "releases")
    now = MeasuredBy("p99; up; 2026-10-03 to 2026-10-04 left out (a fire)")
    said = list(silent_changes({"kr": former}, {"kr": KR}, {"kr": now}, BERLIN, midnight(TODAY)))
    assert said[0].startswith("kr: definition of its metric now with 2026-10-03 to 2026-10-04 left out (a fire): ")
    assert said[1].startswith("kr: definition of its metric no longer with releases: ")


def test_what_was_asked_before_it_was_stored_is_no_change():
    former = stored(KR)
    unasked = {key: value for key, value in former.snapshot.items() if key != "asked"}
    now = MeasuredBy("a p99", "releases")
    said = silent_changes({"kr": replace(former, snapshot=unasked)}, {"kr": KR}, {"kr": now}, BERLIN, midnight(TODAY))
    assert said == ()


def replace_words(former, definition, asked):
    return replace(former, snapshot={**former.snapshot, "measured_by": definition, "asked": asked})


def test_days_left_out_with_a_date_and_a_reason_are_no_silent_change():
    days = "2026-10-05 to 2026-10-07 left out (The probe broke; nobody saw it)"

    def seen(metric):
        noon = midnight(FIRST) + timedelta(hours=12)
        return Stored(json.loads(json.dumps(snapshot(KR, metric))), noon, noon)

    def said(before, after):
        return list(silent_changes({"kr": seen(before)}, {"kr": KR}, {"kr": after}, BERLIN, midnight(TODAY)))

    plain, without = MeasuredBy("a p99; over 7 days"), MeasuredBy(f"a p99; over 7 days; {days}")
    dated = without._replace(told=(days,))
    assert said(plain, dated) == []
    assert said(dated, plain) == []
    assert said(dated, dated._replace(definition=f"a p99; over 28 days; {days}")) == [
        "kr: definition of its metric over 7 days → over 28 days: changed without a reason, first seen on 2026-11-20"
    ]
    (words,) = said(plain, without)
    assert words.startswith("kr: definition of its metric now with 2026-10-05 to 2026-10-07 left out (The probe broke")


def test_a_withdrawn_one_may_leave_the_file():
    withdrawn = replace(KR, revisions=(Revision(on=CHANGED, reason="The market is gone", withdraw=True),))
    assert told({"kr": stored(withdrawn)}) == []
    (words,) = told({"kr": stored(withdrawn)}, today=CHANGED - timedelta(days=1))
    assert words.startswith("kr: vanished")  # announced, and not yet in force


@pytest.mark.parametrize(("early", "text"), [(timedelta(minutes=30), "60% to 85%"), (-timedelta(minutes=30), None)])
def test_a_target_is_held_to_from_the_local_midnight_it_begins_with(early, text):
    """Half an hour into 1 October in Berlin it is still September in London."""
    seen = midnight(date(2026, 10, 1)) + early
    before = replace(stored(KR), first_seen=seen, last_seen=seen)
    edited = replace(KR, target=EIGHTY, revisions=(Revision(on=CHANGED, reason="Two joined", weight=2.0),))
    assert target_text_before(edited, before, BERLIN) == text
