"""Statuses, their order, and the flags beside them."""

from datetime import date, timedelta

import pytest
from keyresults.krs.judgement import Baseline, Status
from keyresults.krs.model import Between, ChangeBy, Guardrail, Pace, Reach, Revision, Threshold
from keyresults.metrics.calendar import Calendar, ClosedPeriod
from keyresults.metrics.reading import Health
from keyresults.metrics.window import Window
from krs_cases import (
    BERLIN,
    COUNTED,
    END,
    PER_OPEN_DAY,
    START,
    codes,
    day,
    judged,
    key_result,
    midnight,
    reading,
    series,
    stated,
    traits,
    utc,
)

HALF = day(46)
DEADLINE = day(92)
ROLLBACKS = Threshold("at_most", 0.05, "5%")
GUARDED = key_result(guardrails=(Guardrail("rollbacks", ROLLBACKS),))
GUARD_TRAITS = {"m": traits(), "rollbacks": traits("rollbacks", better="lower", ratio_of_counts=True)}


def at_half(value, kr=None, **more):
    """A key result from 60% to 85%, half its time gone, expected at 0.5."""
    return judged(kr or key_result(), series(value, HALF), HALF, **more)


def at_end(value, kr=None, **more):
    return judged(kr or key_result(), series(value, DEADLINE), DEADLINE, **more)


# ---- before the deadline


def test_numbers_stand_beside_the_status():
    judgement = at_half(0.70)
    assert judgement.status is Status.ON_TRACK  # 0.4 of the way, 0.5 expected: gap 0.10, pace 0.6/0.5
    assert judgement.raw_progress == pytest.approx(0.4)
    assert (judgement.progress, judgement.expected) == (0.40, pytest.approx(0.5))
    assert judgement.needed_pace == pytest.approx(1.2)
    assert (judgement.target_value, judgement.satisfied, judgement.metric) == (0.85, False, "m")


def test_a_team_with_more_than_expected_is_on_track():
    assert at_half(0.73).status is Status.ON_TRACK


def test_a_team_far_behind_is_off_track_and_told_so():
    judgement = at_half(0.61)
    assert judgement.status is Status.OFF_TRACK
    assert judgement.why == "4% of the way is done, 50% of it was due"


@pytest.mark.parametrize("window", [0, 7, 28])
def test_a_team_exactly_on_plan_is_never_worse_than_on_track_and_ends_met(window):
    """The level climbs to the target by deadline − window; a reading is the mean of the hours it looks back over."""

    def level(days):
        return 0.60 + 0.25 * min(1.0, max(0.0, days / (92 - window)))

    def seen(days):
        hours = [level(days - window + (n + 0.5) / 24) for n in range(window * 24)]
        return sum(hours) / len(hours) if hours else level(days)

    for n in [*range(1, 92, 4), 90, 91]:
        judgement = judged(key_result(), series(seen, day(n)), day(n), traits={"m": traits(days=window)})
        assert judgement.status is Status.ON_TRACK, (n, judgement)
    assert judged(key_result(), series(seen, DEADLINE), DEADLINE, traits={"m": traits(days=window)}).status == "met"


def test_expected_is_taken_where_the_data_ends():
    late = judged(key_result(), [reading(HALF, 0.7, data_end=day(23))], HALF)
    assert late.expected == pytest.approx(0.25)


def test_a_reading_of_the_open_day_judges_until_the_day_ends():
    noon = HALF + timedelta(hours=12)
    readings = [*series(0.60, HALF), reading(noon, 0.80)]
    assert judged(key_result(), readings, noon).raw_progress == pytest.approx(0.8)


def test_a_day_of_25_hours_does_not_shift_the_plan():
    before, after = day(24), day(25)  # 25 October has 25 hours
    one, other = (judged(key_result(), series(0.7, at), at).expected for at in (before, after))
    assert other - one == pytest.approx(1 / 92)


def test_a_key_result_that_starts_in_the_middle_of_the_cycle_has_its_own_time():
    start = date(2026, 11, 16)  # 46 days remain
    kr = key_result(start=start)
    judgement = judged(kr, series(0.7, day(69), start=start), day(69), baseline=stated(0.6, start))
    assert judgement.expected == pytest.approx(0.5)
    assert judged(kr, [], day(30)).status is Status.NOT_STARTED


def test_the_start_instant_itself_is_not_started():
    assert judged(key_result(), [], midnight(START)).status is Status.NOT_STARTED
    assert judged(key_result(), series(0.6, day(1)), day(1)).status is Status.ON_TRACK


@pytest.mark.parametrize("health", [h for h in Health if h is not Health.OK])
def test_readings_that_are_not_ok_make_it_unknown_never_0(health):
    judgement = judged(key_result(), [*series(0.7, day(45)), reading(HALF, 0.7, health=health)], HALF)
    assert judgement.status is Status.UNKNOWN
    assert (judgement.progress, judgement.raw_progress, judgement.satisfied) == (None, None, None)


def test_no_reading_at_all_is_unknown():
    assert judged(key_result(), [], HALF).status is Status.UNKNOWN


def test_partial_readings_count_where_accepted_and_are_marked():
    readings = [reading(HALF, 0.73, health=Health.PARTIAL, covered=0.8)]
    judgement = judged(key_result(accept_partial=True), readings, HALF)
    assert judgement.status is Status.ON_TRACK
    assert codes(judgement) == ["partial"]


def test_without_a_baseline_a_way_is_unknown():
    kr = key_result(Reach(0.85, None, "85%"))
    assert at_half(0.7, kr, baseline=None).status is Status.UNKNOWN


def test_a_target_that_means_nothing_is_unknown_and_says_why():
    kr = key_result(ChangeBy(-0.3, relative=True, text="-30%"))
    judgement = at_half(0.7, kr, baseline=stated(0.0))
    assert judgement.status is Status.UNKNOWN
    assert "baseline of 0" in judgement.why


def test_a_target_reached_early_is_met_and_can_be_lost_again():
    assert at_half(0.85).status is Status.MET
    assert at_half(0.85).progress == 1.0
    assert at_half(0.84).status is Status.ON_TRACK


def test_what_is_not_reached_shows_at_most_99_percent():
    judgement = at_half(0.85 - 1e-6)
    assert (judgement.progress, judgement.satisfied) == (0.99, False)


def test_the_order_of_statuses():
    draft = key_result(draft=True)
    withdrawn = key_result(draft=True, revisions=(Revision(on=START, reason="No longer wanted", withdraw=True),))
    assert judged(withdrawn, series(0.9, HALF), HALF).status is Status.WITHDRAWN
    assert judged(draft, [], midnight(START)).status is Status.DRAFT
    assert at_half(0.9, draft).status is Status.DRAFT
    assert at_half(0.9, draft).progress == 1.0


def test_withdrawn_from_its_day_on_and_not_before():
    kr = key_result(revisions=(Revision(on=date(2026, 11, 16), reason="The service is gone", withdraw=True),))
    assert at_half(0.73, kr).status is Status.ON_TRACK  # the midnight that closes 15 November
    after = judged(kr, series(0.73, day(47)), day(47))
    assert after.status is Status.WITHDRAWN
    assert after.why == "Withdrawn on 2026-11-16: The service is gone"


# ---- aspirational


def test_an_aspirational_one_is_paced_towards_70_percent():
    judgement = at_half(0.60 + 0.25 * 0.36, kind="aspirational")  # 0.36 / 0.70 = 0.514
    assert judgement.status is Status.ON_TRACK
    assert judgement.needed_pace == pytest.approx((1 - 0.36 / 0.7) / 0.5)


def test_an_aspirational_one_at_72_percent_is_on_track_and_lands():
    value = 0.60 + 0.25 * 0.72
    assert judged(key_result(), series(value, day(91)), day(91), kind="aspirational").status is Status.ON_TRACK
    landed = at_end(value, kind="aspirational")
    assert (landed.status, landed.progress) == (Status.LANDED, 0.72)
    assert at_end(value).status is Status.MISSED


def test_an_aspirational_one_lands_at_exactly_70_percent():
    assert at_end(0.60 + 0.25 * 0.70, kind="aspirational").status is Status.LANDED
    assert at_end(0.60 + 0.25 * 0.699, kind="aspirational").status is Status.MISSED
    assert at_end(0.85, kind="aspirational").status is Status.MET


# ---- budgets, totals, coarse


def test_a_budget_is_never_met_early():
    kr = key_result(Threshold("at_most", 10, "10"))
    judgements = {used: at_half(used, kr, traits={"m": COUNTED}) for used in (0, 7, 8, 10, 11)}
    statuses = {used: j.status.value for used, j in judgements.items()}
    # 10 × (0.5 + 0.25) = 7.5 may be spent by now.
    assert statuses == {0: "on_track", 7: "on_track", 8: "at_risk", 10: "at_risk", 11: "off_track"}
    assert (judgements[7].progress, judgements[7].satisfied) == (0.5, False)
    assert judgements[11].raw_progress == pytest.approx(0.5 * 0.9)
    assert judgements[7].decides_on == Window(day(0), DEADLINE)


def test_a_budget_is_met_at_the_end():
    kr = key_result(Threshold("at_most", 10, "10"))
    kept, overspent = (at_end(used, kr, traits={"m": COUNTED}) for used in (10, 11))
    assert (kept.status, kept.progress) == (Status.MET, 1.0)
    assert (overspent.status, overspent.progress) == (Status.MISSED, 0.9)


def test_a_budget_whose_data_ends_before_the_deadline_is_whole_all_the_same():
    kr = key_result(Threshold("at_most", 10, "10"))
    readings = [reading(DEADLINE, 3, data_end=day(91))]
    assert judged(kr, readings, DEADLINE, traits={"m": COUNTED}).progress == 1.0


def test_a_total_is_met_as_soon_as_it_is_there():
    kr = key_result(Threshold("at_least", 60, "60"))
    assert at_half(30, kr, traits={"m": COUNTED}, baseline=None).status is Status.ON_TRACK
    assert at_half(60, kr, traits={"m": COUNTED}, baseline=None).status is Status.MET


def test_a_rate_with_0_of_6_is_coarse_and_not_met_before_the_end():
    kr = key_result(Threshold("below", 0.01, "1%"))
    rate = {"m": traits(days=28, better="lower", ratio_of_counts=True)}
    zero = [reading(at, 0.0, n=6, part=0, whole=6) for at in (HALF, DEADLINE)]
    running = judged(kr, zero[:1], HALF, traits=rate, baseline=stated(0.042))
    assert (running.status, running.satisfied, codes(running)) == (Status.ON_TRACK, True, ["exceeded", "coarse"])
    assert judged(kr, zero, DEADLINE, traits=rate, baseline=stated(0.042)).status is Status.MET


@pytest.mark.parametrize(
    ("limit", "n", "coarse"),
    [(0.01, 28, True), (0.01, 99, True), (0.01, 100, False), (0.0, 28, False), (0.99, 28, True), (1.0, 28, False)],
)
def test_coarse_is_a_limit_within_one_fact_of_the_end_of_the_scale(limit, n, coarse):
    kr = key_result(Threshold("at_most", limit, ""))
    judgement = judged(kr, [reading(HALF, 0.5, n=n)], HALF, traits={"m": traits(ratio_of_counts=True)})
    assert ("coarse" in codes(judgement)) is coarse


# ---- from the deadline on


def test_the_deadline_judges_and_later_readings_change_nothing():
    readings = [*series(0.85, DEADLINE), reading(DEADLINE + timedelta(days=1), 0.60)]
    assert judged(key_result(), readings, DEADLINE + timedelta(days=3)).status is Status.MET
    lost = [*series(0.84, DEADLINE), reading(DEADLINE + timedelta(days=1), 0.90)]
    assert judged(key_result(), lost, DEADLINE + timedelta(days=3)).status is Status.MISSED


def test_one_instant_before_the_deadline_is_still_running():
    soon = DEADLINE - timedelta(seconds=1)
    assert judged(key_result(), series(0.80, soon), soon).status is Status.OFF_TRACK
    assert at_end(0.80).status is Status.MISSED


def test_a_connector_lost_in_the_last_week_leaves_the_last_usable_reading():
    readings = [*series(0.86, day(86)), *(reading(day(n), 0.5, health=Health.STALE) for n in range(87, 93))]
    judgement = judged(key_result(), readings, DEADLINE + timedelta(days=1))
    assert judgement.status is Status.MET
    assert judgement.reading.day == date(2026, 12, 25)
    assert "last_usable" in codes(judgement)
    assert "by the reading of 2026-12-25" in judgement.why


@pytest.mark.parametrize(("last", "status"), [(79, "met"), (78, "not_measured")])
def test_only_the_final_14_days_stand_in(last, status):
    # The 79th day is 18 December, the first of the final 14.
    readings = [*series(0.86, day(last)), *(reading(day(n), None) for n in range(last + 1, 93))]
    assert judged(key_result(), readings, DEADLINE).status == status


def test_never_measured_is_not_measured_and_not_missed():
    assert judged(key_result(), [], DEADLINE).status is Status.NOT_MEASURED


def test_an_unreached_threshold_without_a_baseline_is_missed_if_committed():
    kr = key_result(Threshold("at_least", 0.9, "90%"))
    assert at_end(0.8, kr, baseline=None).status is Status.MISSED
    assert at_end(0.8, kr, baseline=None, kind="aspirational").status is Status.NOT_MEASURED


def test_a_rate_per_workday_is_judged_at_the_end_of_the_last_open_day():
    freeze = Calendar("Europe/Berlin", closed=(ClosedPeriod(date(2026, 12, 19), END, "Freeze"),))
    kr = key_result(Threshold("at_least", 1.0, "1/workday"))
    known = {"calendar": freeze, "traits": {"m": PER_OPEN_DAY}, "baseline": stated(0.5)}
    open_until = utc(2026, 12, 18, 23)
    readings = [*series(1.0, open_until), reading(day(80), 0.2)]
    judgement = judged(kr, readings, day(80), **known)
    assert judgement.status is Status.MET
    assert judgement.reading.at == open_until
    assert judgement.decides_on == Window(utc(2026, 11, 20, 23), open_until)
    assert judged(kr, readings, open_until - timedelta(hours=1), **known).expected < 1


def test_a_rate_per_workday_without_an_open_day_is_judged_at_its_deadline():
    closed = Calendar("Europe/Berlin", closed=(ClosedPeriod(START, END, "Closed"),))
    judgement = judged(key_result(), [], day(91), calendar=closed, traits={"m": PER_OPEN_DAY})
    assert judgement.decides_on.end == DEADLINE


# ---- guardrails


def guarded(value, guardrail, at=HALF, **more):
    readings = series(value, at)
    return judged(GUARDED, readings, at, guardrails={"rollbacks": guardrail}, traits=GUARD_TRAITS, **more)


def test_a_guardrail_that_holds_lets_it_be_met():
    judgement = guarded(0.85, reading(HALF, 0.05))
    assert judgement.status is Status.MET
    assert judgement.guardrails[0].holds is True


def test_a_broken_guardrail_leaves_at_best_at_risk():
    broken = reading(HALF, 0.10, n=40, part=4, whole=40)
    judgement = guarded(0.85, broken)
    assert judgement.status is Status.AT_RISK
    assert judgement.guardrails[0].excess == pytest.approx(0.05)
    assert "rollbacks is broken" in judgement.why
    assert codes(judgement) == ["guardrail"]
    assert guarded(0.61, broken).status is Status.OFF_TRACK


def test_a_guardrail_broken_by_one_says_so():
    two_of_28 = guarded(0.7, reading(HALF, 2 / 28, n=28, part=2, whole=28))  # 1 of 28 is 3.6%
    assert two_of_28.guardrails[0].words == "broken by one"
    three_of_28 = guarded(0.7, reading(HALF, 3 / 28, n=28, part=3, whole=28))  # 2 of 28 is 7.1%
    assert three_of_28.guardrails[0].words == "broken"


def broken_words(limit, value, part=None, whole=None, **of_metric):
    kr = key_result(guardrails=(Guardrail("g", limit),))
    known = {"m": traits(), "g": traits("g", **of_metric)}
    seen = {"g": reading(HALF, value, part=part, whole=whole)}
    return judged(kr, series(0.7, HALF), HALF, traits=known, guardrails=seen).guardrails[0].words


def test_broken_by_one_knows_lower_limits_and_counts():
    floor = Threshold("at_least", 0.9, "90%")
    assert broken_words(floor, 17 / 20, 17, 20, ratio_of_counts=True) == "broken by one"  # 18 of 20 is 90%
    assert broken_words(floor, 16 / 20, 16, 20, ratio_of_counts=True) == "broken"
    assert broken_words(Threshold("at_most", 3, "3"), 4.0, counts=True) == "broken by one"
    assert broken_words(Threshold("at_most", 3, "3"), 5.0, counts=True) == "broken"
    assert broken_words(Threshold("at_most", 3, "3"), 4.0) == "broken"  # seconds have no single facts
    assert broken_words(Threshold("at_least", 1, "1"), 0.5, 14, 28) == "broken"  # fewer would not mend a rate


def test_a_guardrail_between_two_values_is_broken_on_either_side():
    between = Between(2.0, 3.0)
    assert broken_words(between, 2.5, counts=True) == "holds"
    assert broken_words(between, 4.0, counts=True) == "broken by one"
    assert broken_words(between, 1.0, counts=True) == "broken"


def test_an_unseen_guardrail_is_shown_and_keeps_it_from_being_met():
    for unseen in (None, reading(HALF, None), reading(HALF, 0.0, health=Health.STALE)):
        judgement = guarded(0.85, unseen)
        assert judgement.status is Status.ON_TRACK
        assert judgement.guardrails[0].holds is None
        assert judgement.guardrails[0].words.startswith("unseen: ")


def test_before_the_start_no_guardrail_is_missed():
    judgement = judged(GUARDED, [], midnight(START), traits=GUARD_TRAITS)
    assert (judgement.status, judgement.flags) == (Status.NOT_STARTED, ())


def test_at_the_deadline_a_broken_or_unseen_guardrail_holds_success_back():
    assert guarded(0.85, reading(DEADLINE, 0.2), DEADLINE).status is Status.HELD_BACK
    assert guarded(0.85, None, DEADLINE).status is Status.HELD_BACK
    assert guarded(0.78, reading(DEADLINE, 0.2), DEADLINE, kind="aspirational").status is Status.HELD_BACK
    assert guarded(0.78, reading(DEADLINE, 0.2), DEADLINE).status is Status.MISSED
    assert guarded(0.85, reading(DEADLINE, 0.0), DEADLINE).status is Status.MET


# ---- flags


def test_regressed_and_exceeded():
    assert "regressed" in codes(at_half(0.55))
    assert at_half(0.55).progress == 0.0
    assert "exceeded" in codes(at_half(0.90))
    assert codes(at_half(0.60)) == ["stalled"]
    assert codes(at_half(0.85)) == []


def test_stalled_is_a_sixth_of_the_time_without_2_percent_of_movement():
    def creep(per_day):
        return lambda days: 0.60 + 0.25 * per_day * days

    # A sixth of 92 days is 15.3; the newest reading before that is 16 days old.
    assert "stalled" in codes(at_half(creep(0.019 / 16)))
    assert "stalled" not in codes(at_half(creep(0.021 / 16)))
    assert "stalled" not in codes(judged(key_result(), series(0.60, day(15)), day(15)))


def test_met_at_the_start_is_flagged():
    held = at_half(0.9, key_result(Reach(0.85, None, "85%")), baseline=stated(0.9))
    assert (held.status, codes(held)) == (Status.MET, ["met_at_start"])
    lost = at_half(0.8, key_result(Reach(0.85, None, "85%")), baseline=stated(0.9))
    assert (lost.status, lost.raw_progress) == (Status.OFF_TRACK, 0.0)


def test_a_provisional_baseline_is_flagged_where_progress_rests_on_it():
    provisional = Baseline(value=0.6, at=day(0), measured=True, provisional=True, pace_start=day(0))
    assert "provisional" in codes(at_half(0.73, key_result(Reach(0.85, None, "85%")), baseline=provisional))
    assert "provisional" not in codes(at_half(0.73, baseline=provisional))


def test_a_late_baseline_starts_the_pace_late():
    late = Baseline(value=0.6, at=day(46), measured=True, provisional=False, pace_start=day(46))
    kr = key_result(Reach(0.85, None, "85%"))
    judgement = judged(kr, series(0.73, day(69)), day(69), baseline=late)
    assert judgement.expected == pytest.approx(0.5)  # 23 of the 46 days left
    assert judgement.status is Status.ON_TRACK


def test_the_series_after_as_of_is_not_looked_at():
    assert judged(key_result(), series(lambda d: 0.6 if d <= 46 else 0.9, day(60)), HALF).raw_progress == 0


def test_thresholds_of_the_team_are_used():
    assert at_half(0.72, pace=Pace(on_track=0.01)).status is Status.AT_RISK
    assert BERLIN.day_closed_by(HALF) == date(2026, 11, 15)
