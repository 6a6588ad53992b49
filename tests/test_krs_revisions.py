"""Changing course: which terms hold on which day, and which changes are worth a flag."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.krs.judgement import Status
from keyresults.krs.model import Between, ChangeBy, Keep, KeyResult, PlanPoint, Reach, Revision, Threshold
from keyresults.krs.terms import measured_since, terms
from keyresults.metrics.definition import Exclusion
from krs_cases import BERLIN, END, START, codes, day, judged, key_result, midnight, series, stated, traits

SEVENTY_FIVE = Reach(0.75, 0.60, "60% to 75%")
NINETY = Reach(0.90, 0.60, "60% to 90%")


def on(number):
    """The local day `number` days after the first."""
    return START + timedelta(days=number)


def revision(number, **more):
    return Revision(on=on(number), reason="A reason", **more)


def with_revisions(*revisions, **more):
    return key_result(revisions=revisions, **more)


def test_a_revision_holds_from_the_start_of_its_local_day():
    kr = with_revisions(revision(46, target=SEVENTY_FIVE))
    assert terms(kr, on(45)).target.to == 0.85
    assert terms(kr, on(46)).target.to == 0.75
    # The midnight that closes the day before is judged by the terms of the day before.
    assert judged(kr, series(0.75, day(46)), day(46)).status is Status.ON_TRACK
    assert judged(kr, series(0.75, day(47)), day(47)).status is Status.MET


def test_revisions_replace_whole_keys_and_keep_the_others():
    plan = (PlanPoint(on(50), 0.3),)
    kr = with_revisions(
        revision(30, deadline=on(80), weight=0.5, plan=()),
        revision(20, target=SEVENTY_FIVE, metric="other"),
        plan=plan,
    )
    before, between, after = (terms(kr, on(n)) for n in (10, 25, 40))
    assert (before.plan, before.deadline, before.weight, before.metric) == (plan, END, 1.0, "m")
    assert (between.target, between.metric, between.plan) == (SEVENTY_FIVE, "other", plan)
    assert (after.target, after.metric, after.plan, after.deadline, after.weight) == (
        SEVENTY_FIVE,
        "other",
        (),
        on(80),
        0.5,
    )


def test_a_withdrawal_is_not_taken_back():
    kr = with_revisions(revision(10, withdraw=True), revision(20, target=SEVENTY_FIVE))
    assert [terms(kr, on(n)).withdrawn for n in (9, 10, 30)] == [False, True, True]


def test_baseline_and_start_of_pace_stay():
    kr = with_revisions(revision(46, target=ChangeBy(0.2, relative=True, text="+20%")))
    judgement = judged(kr, series(0.66, day(60)), day(60))
    assert judgement.target_value == pytest.approx(0.72)
    assert judgement.raw_progress == pytest.approx(0.5)
    assert judgement.expected == pytest.approx(60 / 92)


def test_a_revised_weight_and_metric_are_told():
    kr = with_revisions(revision(46, weight=0.0, metric="other"))
    known = {"m": traits(), "other": traits("other")}
    judgement = judged(kr, series(0.7, day(60)), day(60), traits=known)
    assert (judgement.weight, judgement.metric) == (0.0, "other")


def test_a_revision_after_the_deadline_changes_no_verdict():
    kr = with_revisions(revision(92, target=SEVENTY_FIVE), revision(93, withdraw=True))
    assert judged(kr, series(0.80, day(92)), day(96)).status is Status.MISSED


def test_a_later_deadline_reopens_it():
    kr = with_revisions(revision(95, deadline=on(110)))
    assert judged(kr, series(0.80, day(92)), day(94)).status is Status.MISSED
    judgement = judged(kr, series(0.80, day(100)), day(100))
    assert judgement.status is Status.AT_RISK  # 0.8 of the way, 100/111 was due
    assert judgement.deadline == on(110)
    assert "eased" in codes(judgement)


def test_an_earlier_deadline_ends_it_earlier():
    kr = with_revisions(revision(40, deadline=on(59)))
    assert judged(kr, series(0.85, day(60)), day(80)).status is Status.MET
    assert judged(kr, series(0.80, day(59)), day(59)).expected == pytest.approx(59 / 60)


def flags_of(*revisions, value=0.70, at=91, **more):
    return [c for c in codes(judged(with_revisions(*revisions, **more), series(value, day(at)), day(at))) if "e" in c]


def of_change(*revisions, **more):
    return [c for c in flags_of(*revisions, **more) if c in ("retargeted", "eased")]


def on_plan(days):
    return 0.60 + 0.25 * days / 92


def test_retargeted_from_its_day_on():
    harder = revision(46, target=NINETY)
    assert of_change(harder, at=46) == []
    assert of_change(harder, at=47) == ["retargeted"]


def test_easier_in_the_last_fifth_is_eased():
    # Four fifths of 92 days are 73.6.
    assert of_change(revision(74, target=SEVENTY_FIVE), value=on_plan) == ["retargeted", "eased"]
    assert of_change(revision(73, target=SEVENTY_FIVE), value=on_plan) == ["retargeted"]
    assert of_change(revision(74, target=NINETY), value=on_plan) == ["retargeted"]


def test_easier_once_off_track_is_eased():
    # At half time 0.61 is 4% of the way, half of it was due.
    assert of_change(revision(46, target=SEVENTY_FIVE), value=0.61) == ["retargeted", "eased"]
    assert of_change(revision(46, target=NINETY), value=0.61) == ["retargeted"]
    # Behind, but not off track: 0.3 of 0.5.
    assert of_change(revision(46, target=SEVENTY_FIVE), value=0.675) == ["retargeted"]


def test_off_track_is_judged_by_what_was_seen_on_that_day():
    def recovered_later(days):
        return 0.61 if days <= 46 else 0.85

    assert of_change(revision(46, target=SEVENTY_FIVE), value=recovered_later) == ["retargeted", "eased"]

    def broke_later(days):
        return on_plan(days) if days <= 46 else 0.61

    assert of_change(revision(46, target=SEVENTY_FIVE), value=broke_later) == ["retargeted"]


@pytest.mark.parametrize(
    ("change", "eased"),
    [
        ({"deadline": END + timedelta(days=5)}, True),
        ({"deadline": END - timedelta(days=1)}, False),
        ({"plan": (PlanPoint(on(89), 0.1),)}, True),
        ({"plan": (PlanPoint(on(79), 0.99),)}, False),
        ({"weight": 0.0}, False),
        ({"target": Reach(0.85, 0.55, "55% to 85%")}, True),  # the way done so far grows
        ({"target": Threshold("at_least", 0.80, "80%")}, True),
        ({"target": Threshold("at_most", 0.80, "80%")}, False),  # another direction can't be compared
    ],
)
def test_what_counts_as_easier(change, eased):
    assert ("eased" in of_change(revision(80, **change), value=on_plan)) is eased


def test_easier_downwards_is_higher():
    latency = {"m": traits(better="lower")}
    easier, harder = (
        judged(
            key_result(Threshold("at_most", 0.4, "400ms"), revisions=(revision(80, target=target),)),
            series(0.5, day(85)),
            day(85),
            traits=latency,
        )
        for target in (Threshold("at_most", 0.45, "450ms"), Threshold("at_most", 0.35, "350ms"))
    )
    assert "eased" in codes(easier)
    assert "eased" not in codes(harder)


def keeps(low, high, share=0.95):
    return Keep(Between(low, high), share, "")


@pytest.mark.parametrize(
    ("after", "eased"),
    [
        (keeps(2, 3), False),
        (keeps(2, 3.1), True),
        (keeps(1.9, 3), True),
        (keeps(2.1, 2.9), False),
        (keeps(2, 3, share=0.9), True),
        (keeps(2, 3, share=0.99), False),
        (Threshold("at_most", 9, "9"), False),
    ],
)
def test_a_wider_band_or_a_smaller_share_of_days_is_easier(after, eased):
    kr = key_result(keeps(2, 3), revisions=(revision(80, target=after),))
    assert ("eased" in codes(judged(kr, series(2.5, day(85)), day(85)))) is eased


def test_targets_that_mean_nothing_are_not_compared():
    kr = key_result(ChangeBy(-0.3, relative=True, text="-30%"), revisions=(revision(80, target=NINETY),))
    assert "eased" not in codes(judged(kr, series(2.5, day(85)), day(85), baseline=stated(0.0)))


revisions = st.builds(
    Revision,
    on=st.integers(0, 91).map(on),
    reason=st.just("r"),
    target=st.none() | st.sampled_from([SEVENTY_FIVE, NINETY, Threshold("at_least", 0.8, "80%")]),
    deadline=st.none() | st.integers(0, 40).map(lambda n: END + timedelta(days=n)),
    weight=st.none() | st.floats(0, 3),
    plan=st.none() | st.just((PlanPoint(on(60), 0.2),)),
    withdraw=st.booleans(),
)


@given(st.lists(revisions, max_size=3), revisions, st.integers(1, 91))
def test_a_revision_changes_no_day_before_it(earlier, added, at):
    as_of = day(at)
    if BERLIN.day_closed_by(as_of) >= added.on:
        as_of = midnight(added.on)
    readings = series(on_plan, as_of)
    without, with_it = (
        judged(KeyResult(**_fields(rs)), readings, as_of, baseline=stated(0.6)) for rs in (earlier, [*earlier, added])
    )
    assert without == with_it


def _fields(rs):
    kr = key_result(revisions=tuple(rs))
    return {name: getattr(kr, name) for name in KeyResult.__dataclass_fields__}


def excluding(start, end, added, **more):
    """The flags on day 60 of a key result whose metric leaves these days of the quarter out."""
    exclude = (Exclusion(on(start), on(end), "The probe broke", added),)
    known = {"m": traits(days=28, exclude=exclude)}
    judgement = judged(key_result(**more), series(0.7, day(60)), day(60), traits=known)
    return [f.words for f in judgement.flags if f.code == "eased"]


def test_days_left_out_once_they_had_begun_are_told_like_an_easing_revision():
    assert excluding(20, 22, on(25)) == [
        f"Since {on(25)} the days from {on(20)} to {on(22)} are left out: The probe broke"
    ]
    assert excluding(20, 22, on(21)) != []
    assert excluding(20, 22, on(20)) == []  # by the morning of their first day: planned
    assert excluding(20, 22, None) == []  # `check` and the report tell it as a change without a reason


def test_days_that_none_of_its_readings_looks_at_are_nobodys_concern():
    assert excluding(-29, -28, on(25)) != []  # 28 days before the start
    assert excluding(-31, -29, on(25)) == []


def test_days_left_out_are_told_from_the_day_on_which_they_were_written_down():
    assert excluding(20, 22, on(59)) != []
    assert excluding(20, 22, on(60)) == []


def test_a_metric_measures_since_the_last_revision_that_named_another_one():
    changed = [(date(2026, 10, 10), "b"), (date(2026, 10, 20), "b"), (date(2026, 11, 1), "m"), (date(2026, 12, 1), "c")]
    kr = key_result(revisions=tuple(Revision(on=on, reason="r", metric=metric) for on, metric in changed))
    asked = (date(2026, 10, 9), date(2026, 10, 10), date(2026, 10, 31), date(2026, 11, 1), date(2026, 12, 24))
    assert [measured_since(kr, day) for day in asked] == [
        None,
        date(2026, 10, 10),
        date(2026, 10, 10),
        date(2026, 11, 1),
        date(2026, 12, 1),
    ]
