"""Targets that must hold on a share of the days."""

from datetime import date, timedelta

import pytest
from keyresults.krs.judgement import KeptDays, Status
from keyresults.krs.model import Between, Guardrail, Keep, PlanPoint, Revision, Threshold
from keyresults.metrics.window import Window
from krs_cases import SECONDS, START, codes, day, judged, key_result, reading, series, traits

WITHIN = Threshold("at_most", 0.450, "450ms")
FAST = Keep(WITHIN, 0.95, "450ms on 95% of days")
EIGHTY = date(2026, 12, 19)  # the 80th day: 5% of 80 days may be bad, 4
KNOWN = {"traits": {"m": traits(unit=SECONDS, better="lower")}, "baseline": None}


def kept(bad, until, *, missing=(), keep=FAST, deadline=EIGHTY, at=None, **more):
    """Days count from 1; `bad` and `missing` name days, all others are good."""

    def value(days):
        if days in missing:
            return None
        return 0.5 if days in bad else 0.4

    readings = series(value, day(until))
    return judged(key_result(keep, deadline=deadline), readings, at or day(until), **(KNOWN | more))


def test_2_of_4_allowed_bad_days_at_half_time_are_on_track():
    judgement = kept({3, 30}, 40)
    assert judgement.status is Status.ON_TRACK
    assert judgement.kept == KeptDays(days=80, measured=40, bad=2, budget=pytest.approx(4))
    assert (judgement.progress, judgement.expected, judgement.satisfied) == (0.5, 0.5, False)
    assert judgement.decides_on == Window(day(0), day(80))
    assert judgement.target_value is None


@pytest.mark.parametrize(
    ("bad", "status", "raw"),
    [
        ([], "on_track", 0.5),
        ([1, 2, 3], "on_track", 0.5),  # 4 × (0.5 + 0.25) = 3 may be spent
        ([1, 2, 3, 4], "at_risk", 0.5),
        ([1, 2, 3, 4, 5], "off_track", 0.5 * 0.75),
        (range(1, 10), "off_track", 0.0),  # 5 over a budget of 4
    ],
)
def test_spending_is_compared_with_the_time_gone(bad, status, raw):
    judgement = kept(set(bad), 40)
    assert judgement.status == status
    assert judgement.raw_progress == pytest.approx(raw)


def test_the_day_before_speaks_while_the_open_day_has_no_reading_yet():
    judgement = kept({3}, 40, missing={40})
    assert judgement.status is Status.ON_TRACK
    assert judgement.reading.day == date(2026, 11, 8)  # the 39th day from 1 October


def test_two_days_without_a_reading_leave_it_unknown():
    assert kept({3}, 40, missing={39, 40}).status is Status.UNKNOWN


def test_it_is_never_met_before_the_deadline():
    assert kept((), 79).status is Status.ON_TRACK
    assert kept((), 80).status is Status.MET


@pytest.mark.parametrize(("bad", "status"), [(4, "met"), (5, "missed")])
def test_at_the_deadline_the_budget_decides(bad, status):
    assert kept(set(range(1, bad + 1)), 80).status == status


def test_without_a_budget_one_bad_day_loses_all():
    always = Keep(WITHIN, 1.0, "always")
    assert kept((), 40, keep=always).raw_progress == 0.5
    judgement = kept({7}, 40, keep=always)
    assert (judgement.raw_progress, judgement.status) == (0.0, Status.OFF_TRACK)


@pytest.mark.parametrize(
    ("missing", "bad", "status"),
    [
        (16, 0, "met"),  # 64 of 80 are 80%
        (17, 0, "not_measured"),
        (17, 4, "not_measured"),
        (17, 5, "missed"),  # what is lost stays lost
    ],
)
def test_under_80_percent_of_the_days_it_is_not_measured(missing, bad, status):
    first = range(1, bad + 1)
    judgement = kept(set(first), 80, missing=set(range(11, 11 + missing)))
    assert judgement.status == status


def test_a_connector_lost_in_the_last_week_leaves_the_days_before():
    assert kept({1}, 80, missing=set(range(74, 81))).status is Status.MET
    assert kept({1}, 79, missing=set(range(74, 81))).status is Status.UNKNOWN


def test_nothing_measured_is_not_measured():
    assert kept((), 80, missing=set(range(1, 81))).status is Status.NOT_MEASURED


def test_the_open_day_counts_once_it_has_ended():
    noon = day(40) + timedelta(hours=12)
    readings = [*series(0.4, day(40)), reading(noon, 0.9)]
    assert judged(key_result(FAST, deadline=EIGHTY), readings, noon, **KNOWN).kept.bad == 0


def test_the_limit_itself_is_a_good_day_and_between_has_two():
    assert judged(key_result(FAST), series(0.450, day(10)), day(10), **KNOWN).kept.bad == 0
    between = Keep(Between(0.3, 0.5), 0.95, "")
    values = {1: 0.29, 2: 0.3, 3: 0.5, 4: 0.51}
    judgement = judged(key_result(between), series(lambda d: values[round(d)], day(4)), day(4), **KNOWN)
    assert judgement.kept.bad == 2


def test_each_day_is_judged_by_the_limit_in_force_on_it():
    revision = Revision(
        on=START + timedelta(days=20),
        reason="New payment provider",
        target=Keep(Threshold("at_most", 0.6, "600ms"), 0.95, "600ms on 95% of days"),
    )
    kr = key_result(FAST, deadline=EIGHTY, revisions=(revision,))
    judgement = judged(kr, series(0.5, day(40)), day(40), **KNOWN)
    assert judgement.kept.bad == 20  # under the first limit; none under the second
    assert [c for c in codes(judgement) if c in ("retargeted", "eased")] == ["retargeted", "eased"]


def test_days_before_it_was_a_keep_are_not_bad():
    revision = Revision(on=START + timedelta(days=20), reason="A level to hold, not to reach", target=FAST)
    kr = key_result(Threshold("at_most", 0.4, "400ms"), deadline=EIGHTY, revisions=(revision,))
    judgement = judged(kr, series(0.5, day(22)), day(22), **KNOWN)
    assert (judgement.kept.bad, judgement.kept.measured) == (2, 22)


def test_a_broken_guardrail_holds_it_too():
    kr = key_result(FAST, deadline=EIGHTY, guardrails=(Guardrail("errors", Threshold("at_most", 0.01, "1%")),))
    for at, status in ((day(40), "at_risk"), (day(80), "held_back")):
        known = KNOWN | {"traits": {**KNOWN["traits"], "errors": traits("errors")}}
        judgement = judged(kr, series(0.4, at), at, guardrails={"errors": reading(at, 0.02)}, **known)
        assert judgement.status == status


def test_an_aspirational_one_lands_a_little_over_budget():
    # 1 over a budget of 4: 75% of it is kept.
    assert kept({1, 2, 3, 4, 5}, 80, kind="aspirational").status is Status.LANDED
    assert kept({1, 2, 3, 4, 5, 6}, 80, kind="aspirational").status is Status.MISSED


def test_a_plan_says_nothing_of_days_to_keep():
    kr = key_result(FAST, deadline=EIGHTY, plan=(PlanPoint(date(2026, 11, 9), 0.9),))
    assert judged(kr, series(0.4, day(40)), day(40), **KNOWN).expected == pytest.approx(0.5)
