"""Grades of key results and objectives, beside numbers worked out by hand."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.krs.grading import (
    CannotGrade,
    FirstGrade,
    Grade,
    HandGrade,
    as_begun,
    grade,
    grade_objective,
    wants_hand,
)
from keyresults.krs.judgement import Status
from keyresults.krs.model import Guardrail, Keep, Reach, Revision, Threshold
from krs_cases import COUNTED, SECONDS, day, judged, key_result, reading, series, traits

END = day(92)
LATENCY = {"m": traits(unit=SECONDS, better="lower")}
EIGHTY = date(2026, 12, 19)
FAST = Keep(Threshold("at_most", 0.450, "450ms"), 0.95, "450ms on 95% of days")
GUARDED = (Guardrail("g", Threshold("at_most", 0.05, "5%")),)


def at_end(value, *, kind="committed", target=None, guardrail=None, **more):
    """Judged at the deadline by one reading there; `guardrail` is the value of one that may be 5% at most."""
    kr = key_result(target, guardrails=GUARDED if guardrail is not None else ())
    held = {"g": reading(END, guardrail if guardrail != "unseen" else None)} if guardrail is not None else {}
    known = {"m": traits(), "g": traits("g")} | more.pop("traits", {})
    return judged(kr, [reading(END, value)], END, kind=kind, guardrails=held, traits=known, **more)


def graded(value, *, kind="committed", **more):
    found = grade(kind, at_end(value, kind=kind, **more))
    return found.value, found.succeeded


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        # (value − 60%) ÷ 25 points, cut
        (0.85, "committed", (1.00, True)),
        (0.8499, "committed", (0.99, False)),
        (0.775, "committed", (0.70, False)),
        (0.775, "aspirational", (0.70, True)),
        (0.774, "aspirational", (0.69, False)),
        (0.55, "committed", (0.00, False)),
        (0.95, "aspirational", (1.00, True)),
    ],
)
def test_committed_ones_succeed_at_1_and_aspirational_ones_from_070_up(value, kind, expected):
    assert graded(value, kind=kind) == expected


@pytest.mark.parametrize("guardrail", [0.06, "unseen"])
@pytest.mark.parametrize(("value", "kind"), [(0.85, "committed"), (0.80, "aspirational"), (0.85, "aspirational")])
def test_held_back_is_never_a_success(value, kind, guardrail):
    judgement = at_end(value, kind=kind, guardrail=guardrail)
    assert judgement.status is Status.HELD_BACK
    assert grade(kind, judgement).succeeded is False
    assert graded(value, kind=kind, guardrail=0.05)[1] is True


def kept(bad, *, missing=0):
    """80 days, of which 4 may be bad; those missing are the last."""

    def value(days):
        return None if days > 80 - missing else 0.5 if days <= bad else 0.4

    kr = key_result(FAST, deadline=EIGHTY)
    return judged(kr, series(value, day(80)), day(80), traits=LATENCY, baseline=None)


def test_days_to_keep_are_graded_by_their_budget():
    assert [(g.value, g.succeeded) for g in (grade("committed", kept(bad)) for bad in (0, 4, 5, 8))] == [
        (1.00, True),
        (1.00, True),
        (0.75, False),  # one over 4: 1 − 1/4
        (0.00, False),
    ]


def test_days_to_keep_with_too_few_measured_have_no_grade_but_for_one_over_its_budget():
    blind = kept(2, missing=17)  # 63 of 80 are 79%
    assert blind.status is Status.NOT_MEASURED
    assert grade("committed", blind) == Grade(value=None, succeeded=None)
    over = kept(5, missing=17)
    assert (grade("committed", over).value, grade("committed", over).succeeded) == (0.75, False)


@pytest.mark.parametrize(("used", "expected"), [(10, (1.00, True)), (12, (0.80, False)), (25, (0.00, False))])
def test_budgets_are_graded_by_what_was_overspent(used, expected):
    target = Threshold("at_most", 10, "at most 10")
    assert graded(used, target=target, traits={"m": COUNTED}, baseline=None) == expected


def revised(*revisions, target=None):
    return key_result(target or Reach(0.3, 0.6, "600ms to 300ms"), revisions=revisions)


def eased(**more):
    return Revision(on=date(2026, 11, 2), reason="Traffic doubled", **more)


def test_a_revised_target_is_graded_beside_the_one_it_began_with():
    kr = revised(eased(target=Reach(0.45, 0.6, "600ms to 450ms")))
    last = judged(kr, [reading(END, 0.45)], END, traits=LATENCY)
    first = judged(as_begun(kr, kr.deadline), [reading(END, 0.45)], END, traits=LATENCY)
    # (600 − 450) ÷ (600 − 450) and (600 − 450) ÷ (600 − 300)
    assert grade("committed", last, first=first) == Grade(
        value=1.00, succeeded=True, first=FirstGrade(value=0.50, succeeded=False)
    )


def test_what_it_began_with_keeps_deadline_plan_weight_and_withdrawal():
    later = eased(target=Reach(0.45, 0.6, ""), deadline=date(2027, 1, 15), metric="n", weight=2.0, withdraw=True)
    (one,) = as_begun(revised(later), date(2026, 12, 31)).revisions
    assert one == replace(later, target=None, metric=None)


def test_there_is_nothing_to_grade_twice_where_target_and_metric_are_the_same():
    day_of_end = date(2026, 12, 31)
    assert as_begun(revised(), day_of_end) is None
    assert as_begun(revised(eased(deadline=date(2027, 1, 15))), day_of_end) is None
    assert as_begun(revised(eased(target=Reach(0.3, 0.6, "0.6s to 0.3s"))), day_of_end) is None
    assert as_begun(revised(eased(target=Reach(0.4, 0.6, ""))), date(2026, 11, 1)) is None  # not in force yet
    assert as_begun(revised(eased(metric="n")), day_of_end) is not None
    rewritten = replace(FAST, limit=replace(FAST.limit, text="0.45s"), text="on 95%")
    assert as_begun(revised(eased(target=rewritten), target=FAST), day_of_end) is None


@pytest.mark.parametrize("status", ["withdrawn", "draft", "not_started"])
def test_what_is_not_judged_is_not_graded(status):
    judgement = replace(at_end(0.85), status=Status(status))
    assert grade("committed", judgement, first=at_end(0.85), early=True) == Grade(value=None, succeeded=None)
    assert not wants_hand(judgement)
    with pytest.raises(CannotGrade, match="nothing to grade"):
        grade("committed", judgement, hand=HandGrade(1.0, "it went well"))


def unmeasured(**more):
    return at_end(None, **more)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (1.0, "committed", (1.0, True)),
        (0.999, "committed", (0.99, False)),
        (0.7, "aspirational", (0.7, True)),
        (0.456, "aspirational", (0.45, False)),
        (0.0, "committed", (0.0, False)),
        (None, "committed", (None, None)),
    ],
)
def test_what_was_not_measured_is_graded_by_hand_with_a_reason(value, kind, expected):
    assert wants_hand(unmeasured())
    found = grade(kind, unmeasured(kind=kind), hand=HandGrade(value, "counted by hand"))
    assert (found.value, found.succeeded) == expected
    assert found.by_hand == "counted by hand"


def test_a_hand_can_not_overrule_a_broken_guardrail():
    found = grade("committed", unmeasured(guardrail=0.06), hand=HandGrade(1.0, "counted by hand"))
    assert (found.value, found.succeeded) == (1.0, False)


@pytest.mark.parametrize(
    ("judgement", "hand", "words"),
    [
        (at_end(0.8), HandGrade(1.0, "nearly"), "it was measured"),
        (unmeasured(), HandGrade(1.0, "  "), "needs its reason"),
        (unmeasured(), HandGrade(1.01, "more"), "from 0 to 1"),
        (unmeasured(), HandGrade(-0.1, "less"), "from 0 to 1"),
        (unmeasured(), HandGrade(float("nan"), "none"), "from 0 to 1"),
    ],
)
def test_a_hand_grades_nothing_else(judgement, hand, words):
    with pytest.raises(CannotGrade, match=words):
        grade("committed", judgement, hand=hand)


def test_before_the_deadline_it_is_graded_by_where_it_stands():
    kr = key_result()
    judgement = judged(kr, [reading(day(46), 0.85)], day(46))
    found = grade("committed", judgement, early=True)
    assert (found.value, found.succeeded, found.early) == (1.0, True, True)
    halfway = judged(key_result(FAST, deadline=EIGHTY), series(0.4, day(40)), day(40), traits=LATENCY, baseline=None)
    assert (grade("committed", halfway, early=True).value, grade("committed", halfway).succeeded) == (0.5, False)


def objective(kind, *parts):
    """`parts` are the value at the deadline and the weight, or a grade by hand."""
    found = []
    for value, weight in parts:
        hand = HandGrade(float(value), "by hand") if isinstance(value, str) else None
        judgement = replace(at_end(None if hand else value, kind=kind), weight=weight)
        found.append((judgement, grade(kind, judgement, hand=hand)))
    result = grade_objective(kind, found)
    return result.value, result.graded, result.succeeded, result.total, result.too_easy


def test_an_objective_is_graded_by_the_weighted_mean_of_what_was_graded():
    # (1 × 0.5 + 3 × 1) ÷ 4
    assert objective("committed", (0.725, 1), (0.85, 3)) == (0.87, 2, 1, 2, False)
    # 0.4 and 0.8 by hand, one that nobody graded, one of weight 0
    assert objective("committed", (0.70, 1), ("0.8", 1), (None, 1), (0.85, 0)) == (0.60, 2, 0, 3, False)
    assert objective("committed", (None, 1)) == (None, 0, 0, 1, False)


def test_parts_are_averaged_before_they_are_cut():
    # Each 0.336 and shown as 0.33; three of them are 0.336 still, and 0.996 shows as 0.99.
    assert objective("committed", (0.684, 1), (0.684, 1))[0] == 0.33
    assert objective("committed", (0.8499, 1), (0.85, 100))[0] == 0.99


def test_an_aspirational_objective_that_came_to_1_throughout_was_too_easy():
    assert objective("aspirational", (0.85, 1), (0.95, 1)) == (1.00, 2, 2, 2, True)
    assert objective("committed", (0.85, 1), (0.95, 1)) == (1.00, 2, 2, 2, False)
    assert objective("aspirational", (0.85, 1), (0.84, 1))[4] is False
    assert objective("aspirational", (0.85, 1), (None, 1))[4] is False
    assert objective("aspirational", (None, 1))[4] is False


def test_withdrawn_ones_and_drafts_are_in_no_objectives_grade():
    full, gone = at_end(0.85), replace(at_end(0.6), status=Status.WITHDRAWN)
    draft = replace(at_end(0.6), status=Status.DRAFT)
    found = grade_objective("committed", [(j, grade("committed", j)) for j in (full, gone, draft)])
    assert (found.value, found.graded, found.total) == (1.0, 1, 1)


@given(
    value=st.floats(0, 1),
    guardrail=st.one_of(st.none(), st.floats(0, 1)),
    kind=st.sampled_from(["committed", "aspirational"]),
)
def test_a_grade_agrees_with_the_status_at_the_deadline(value, guardrail, kind):
    judgement = at_end(value, kind=kind, guardrail=guardrail)
    found = grade(kind, judgement)
    assert found.value == judgement.progress
    assert found.succeeded is (judgement.status in (Status.MET, Status.LANDED))
    assert found.succeeded is False or kind == "aspirational" or found.value == 1.0


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_an_objectives_grade_lies_between_its_key_results(values):
    parts = [(judgement, grade("committed", judgement)) for judgement in map(at_end, values)]
    found = grade_objective("committed", parts)
    shown = [g.value for _, g in parts]
    assert min(shown) <= found.value <= max(shown) + 0.01
