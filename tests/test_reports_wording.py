from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.krs.checkin import CheckIn
from keyresults.krs.forecast import Forecast
from keyresults.krs.judgement import Baseline, Flag, GuardrailState, KeptDays, Status
from keyresults.krs.model import ChangeBy, KeyResult, Revision, Threshold
from keyresults.metrics.reading import Health
from keyresults.metrics.window import Window
from keyresults.reports import wording
from keyresults.reports.dates import Dates
from keyresults.reports.details import details
from keyresults.reports.looks import LOOKS, bar, tally, trend
from keyresults.reports.progress_report import Before, DayValue, Move, ReportedRevision, TargetTerms
from report_cases import (
    AS_OF,
    DATES,
    END,
    START,
    judgement,
    kept,
    key_result,
    latency,
    reading,
    report,
    rollbacks_without_data,
)

WEEKLY = TargetTerms(kind="at_least", comparison="at_least", text="at least 1/week", value=1 / 7)


def started_at(value):
    return Baseline(value=value, at=None, measured=False, provisional=False, pace_start=AS_OF)


def releases(value, **more):
    judged = judgement(baseline=started_at(2 / 28), reading=reading(value, "per_day", numerator=4, denominator=28, n=4))
    return key_result(unit="per_day", counted="deployments", target=WEEKLY, judgement=replace(judged, **more))


def rollbacks(value, n, **more):
    counts = reading(value / n, numerator=value, denominator=n, n=n, interval=(0.0021, 0.0229))
    target = TargetTerms(kind="below", comparison="below", text="below 1%", value=0.01)
    return key_result(unit="ratio", counted="deployments", target=target, judgement=judgement(reading=counts, **more))


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        (TargetTerms(kind="to", text="to 85%", value=0.85), "85%"),
        (TargetTerms(kind="at_most", comparison="at_most", text="x", value=0.05), "≤ 5%"),
        (TargetTerms(kind="at_most", comparison="at_most", text="x", value=0.0125), "≤ 1.25%"),
        (TargetTerms(kind="below", comparison="below", text="x", value=0.01), "< 1%"),
        (TargetTerms(kind="above", comparison="above", text="x", value=0.01), "> 1%"),
        (TargetTerms(kind="change", text="-30%"), "-30%"),
        (TargetTerms(kind="keep", comparison="at_least", text="x", value=0.9, share=0.95), "≥ 90% on 95% of days"),
        (TargetTerms(kind="keep", between=(0.1, 0.2), text="x", share=0.95), "10% to 20% on 95% of days"),
    ],
)
def test_a_target_reads_with_its_sign(terms, text):
    assert wording.target(terms, "ratio") == text


def test_the_way_goes_from_baseline_over_now_to_the_target():
    assert wording.way(latency()) == "450 ms (provisional) → 402 ms → 315 ms"


def test_rates_read_per_the_period_of_the_target():
    assert wording.way(releases(3 / 28)) == "0.5/week → 0.75/week → ≥ 1/week"


def test_a_value_just_short_of_its_target_never_reads_as_it():
    assert wording.way(releases(0.99999 / 7, satisfied=False)) == "0.5/week → 0.99999/week → ≥ 1/week"


def test_a_value_that_reached_its_target_may_read_as_it():
    assert wording.way(releases(1.0000001 / 7, satisfied=True)) == "0.5/week → 1/week → ≥ 1/week"


def test_rates_without_a_written_period_share_the_one_that_suits_the_target():
    half = TargetTerms(kind="change", text="+50%", value=3 / 28)
    assert wording.way(replace(releases(2 / 28), target=half)) == "0.5/week → 0.5/week → 0.75/week"


def test_what_a_value_rests_on_is_named():
    assert wording.rests_on(reading(0.4, "s", n=833640), "requests") == "833,640 requests"
    assert wording.rests_on(reading(1 / 144, numerator=1, denominator=144, n=144), "deployments") == (
        "1 of 144 deployments"
    )
    frequency = reading(1.2, "per_workday", numerator=24, denominator=20, n=24)
    assert wording.rests_on(frequency, "deployments") == "24 deployments in 20 workdays"
    once = reading(1 / 28, "per_day", numerator=1, denominator=28, n=1)
    assert wording.rests_on(once, "deployments") == "1 deployment in 28 days"


def test_what_says_nothing_is_not_said():
    assert wording.rests_on(reading(7.3, "points", n=1), "") == ""
    assert wording.rests_on(reading(None), "deployments") == ""


def test_a_lucky_share_shows_its_interval():
    assert wording.by_luck(rollbacks(1, 144)) == "80% interval 0.21 to 2.3%"


def test_a_share_far_from_its_target_shows_none_in_short():
    far = rollbacks(1, 144)
    assert wording.by_luck(replace(far, target=replace(far.target, value=0.05))) == ""


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"progress": 0.88, "expected": 0.79, "needed_pace": 0.54}, "88%, expected 79%"),
        ({"progress": 0.58, "expected": 0.77, "needed_pace": 1.8}, "58%, expected 77%, needs 1.8× the planned pace"),
        ({"progress": 0.58, "expected": 0.6, "needed_pace": 1.04}, "58%, expected 60%"),
        ({"progress": 1.0, "expected": 0.77, "needed_pace": 0.0, "satisfied": True}, "100%"),
        ({"progress": 0.76, "expected": 0.87, "needed_pace": 1.9, "status": Status.DRAFT}, "76%"),
        ({"progress": 0.31, "expected": 0.87, "needed_pace": 5.3, "status": Status.WITHDRAWN}, "31%"),
        ({"progress": 0.64, "expected": 1.0, "status": Status.MISSED}, "64%"),
        ({"progress": None, "expected": None}, ""),
    ],
)
def test_pace_is_said_where_it_matters(more, text):
    assert wording.pace(key_result(judgement=judgement(**more)), "committed") == text


def test_of_an_aspirational_key_result_seventy_percent_are_expected():
    judged = judgement(progress=0.5, expected=0.8, needed_pace=1.4)
    assert wording.pace(key_result(judgement=judged), "aspirational") == (
        "50%, expected 56%, needs 1.4× the planned pace"
    )


def test_kept_days_have_no_journey():
    one = kept()
    assert wording.way(one) == "≤ 450 ms on 95% of days"
    assert wording.pace(one, "committed") == "3 of 4 bad days used, 58% of the time gone"
    assert wording.newest_day(one, DATES) == "today 402 ms"
    closed = Window(AS_OF - timedelta(days=1), datetime(2026, 11, 22, 23, tzinfo=UTC))
    yesterday = replace(one.judgement, reading=reading(0.402, "s", n=1, window=closed))
    assert wording.newest_day(replace(one, judgement=yesterday), DATES) == "yesterday 402 ms"
    assert "Baseline" not in [row.label for row in details(one, DATES)]


@pytest.mark.parametrize(("budget", "allowed"), [(4.6, 4), (5.000000000001, 5), (4.9999999999, 5), (0.9, 0)])
def test_only_whole_days_can_be_bad(budget, allowed):
    assert wording.kept_days(KeptDays(days=92, measured=50, bad=3, budget=budget)) == f"3 of {allowed} bad days used"


def test_a_budget_says_how_much_of_it_is_used():
    target = TargetTerms(kind="at_most", comparison="at_most", text="at most 5", value=5.0)
    judged = judgement(
        reading=reading(3.0, "count", n=3), baseline=started_at(9.0), shape="budget", progress=0.58, expected=0.58
    )
    one = key_result(unit="count", target=target, judgement=judged)
    assert wording.way(one) == "≤ 5"
    assert wording.pace(one, "committed") == "3 of 5 used, 58% of the time gone"


def test_a_count_that_is_no_budget_has_its_way_though_it_is_judged_by_all_of_its_time():
    """Open bugs, noted down from time to time: the newest number decides, and may fall again."""
    target = TargetTerms(kind="at_most", comparison="at_most", text="at most 5", value=5.0)
    whole = Window(datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC))
    fields = {"reading": reading(7.0, "count", n=3), "baseline": started_at(9.0), "shape": "way", "decides_on": whole}
    one = key_result(unit="count", target=target, judgement=judgement(**fields, progress=0.5, expected=0.58))
    assert wording.way(one) == "9 → 7 → ≤ 5"
    assert wording.pace(one, "committed") == "50%, expected 58%"


def test_blindness_says_since_when_and_what_was_last_seen():
    assert wording.blindness(rollbacks_without_data(), DATES) == (
        "no deployment is known since 30 Oct (last 2% on 30 Oct)"
    )
    assert wording.blindness(latency(), DATES) == ""


def test_an_old_value_has_the_day_it_was_measured_not_the_last_it_was_carried_to():
    until = datetime(2026, 10, 21, 13, tzinfo=UTC)
    old = reading(
        7.3,
        "points",
        Health.STALE,
        window=Window(until, until),
        notes=("the last value is 33 days old; it may be 28 days",),
    )
    carried = tuple(DayValue(START + timedelta(days=n), 7.3, Health.OK) for n in range(20, 48))
    judged = judgement(status=Status.UNKNOWN, reading=old, why=f"The reading can't be used: stale; {old.notes[0]}")
    one = key_result(unit="points", series=carried, judgement=judged)
    assert wording.blindness(one, DATES) == (
        "the last value is 33 days old; it may be 28 days (7.3 points, measured 21 Oct)"
    )
    assert wording.reason(one, DATES) == ""


def test_a_key_result_that_has_not_started_is_not_called_blind():
    judged = judgement(status=Status.NOT_STARTED, reading=None, why="It starts on 2027-01-01")
    assert wording.blindness(key_result(judgement=judged), DATES) == ""
    assert wording.reason(key_result(judgement=judged), DATES) == "It starts on 1 Jan 2027"


def test_a_reason_that_the_data_does_not_tell_is_said_beside_it():
    judged = replace(rollbacks_without_data().judgement, why="a change of nothing is no target")
    assert wording.reason(key_result(judgement=judged), DATES) == "a change of nothing is no target"


def test_what_is_beyond_its_target_is_no_warning():
    flagged = judgement(flags=(Flag("exceeded", "It is beyond the target"), Flag("stalled", "It has not moved")))
    assert [f.code for f in wording.flags(key_result(judgement=flagged))] == ["stalled"]


def test_a_revision_that_eases_is_told_once():
    on = date(2026, 11, 2)
    flags = (Flag("retargeted", "…", on), Flag("eased", "…", on, "while it was off track"))
    one = latency()
    one = replace(one, judgement=replace(one.judgement, flags=flags))
    said = ["eased the target from -40% to -30% on 2 Nov, while it was off track: Traffic doubled"]
    assert list(wording.revisions(one, DATES)) == list(wording.revisions(one, DATES, flagged_only=True)) == said
    assert not [row for row in details(one, DATES) if row.label == "Flag"]


def test_a_revision_without_a_flag_is_told_in_full_only():
    assert list(wording.revisions(latency(), DATES, flagged_only=True)) == []
    assert list(wording.revisions(latency(), DATES)) == [
        "changed the target from -40% to -30% on 2 Nov: Traffic doubled"
    ]


def test_each_revision_is_held_against_the_one_before_it():
    revisions = (
        Revision(on=date(2026, 11, 20), reason="c", withdraw=True),
        Revision(on=date(2026, 11, 10), reason="b", target=ChangeBy(-0.2, True, "-20%"), deadline=date(2027, 1, 15)),
        Revision(on=date(2026, 11, 2), reason="a", target=ChangeBy(-0.25, True, "-25%"), weight=2.0),
    )
    kr = KeyResult(
        id="x",
        title="x",
        metric="m",
        target=ChangeBy(-0.4, True, "-40%"),
        start=START,
        deadline=END,
        revisions=revisions,
    )
    one = replace(latency(), revisions=ReportedRevision.all_of(kr))
    assert list(wording.revisions(one, Dates("UTC", date(2026, 11, 15)))) == [
        "changed the target from -40% to -25% and the weight from 1 to 2 on 2 Nov: a",
        "changed the target from -25% to -20% and the deadline from 31 Dec to 15 Jan 2027 on 10 Nov: b",
        "withdrawn on 20 Nov: c",
    ]


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (
            {"holds": False, "value": 3 / 47, "limit": "at most 5%", "words": "broken by one"},
            "g is 6.4% (limit 5%); one fewer would mend it",
        ),
        (
            {"holds": False, "value": 0.88, "limit": "at least 90%", "words": "broken by one"},
            "g is 88% (limit at least 90%); one more would mend it",
        ),
        ({"holds": False, "value": 0.2, "limit": "at most 5%", "words": "broken"}, "g is 20% (limit 5%)"),
        ({"holds": True, "value": 0.02, "limit": "below 5%", "words": "holds"}, "g is 2% (limit below 5%)"),
        (
            {"holds": None, "value": None, "limit": "at most 5%", "words": "unseen: stale"},
            "g is unseen: stale (limit 5%)",
        ),
    ],
)
def test_a_guardrail_reads_as_a_sentence(state, text):
    assert wording.guardrail(GuardrailState(metric="g", unit="ratio", **state)) == text


def test_a_guardrails_rate_reads_like_its_limit():
    state = GuardrailState(
        metric="g", holds=False, value=0.5 / 7, unit="per_day", limit="at least 1/week", words="broken by one"
    )
    assert wording.guardrail(state).startswith("g is 0.5/week (limit at least 1/week)")


def test_the_tally_begins_with_what_needs_attention():
    statuses = (Status.MET, Status.DRAFT, Status.OFF_TRACK, Status.MET, Status.UNKNOWN)
    one = report(*(key_result(judgement=judgement(status=status)) for status in statuses))
    assert tally(one) == "1 off track, 2 met, 1 unknown, 1 draft"


def test_dates_have_a_year_only_where_it_is_not_todays():
    assert [DATES.day(d) for d in (date(2026, 9, 4), date(2025, 9, 4))] == ["4 Sep", "4 Sep 2025"]
    assert DATES.days(date(2026, 12, 4), date(2026, 12, 31)) == "4–31 Dec"
    assert DATES.days(date(2026, 12, 28), date(2027, 1, 3)) == "28 Dec – 3 Jan 2027"
    assert DATES.instant(AS_OF) == "23 Nov 09:00"


def test_a_midnight_is_the_end_of_a_day():
    end = datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert DATES.as_of(end) == "the end of 22 Nov 2026 Europe/Berlin"
    assert Dates.seen_at(end, "Europe/Berlin").nearly(date(2026, 11, 22)) == "today"
    assert DATES.as_of(AS_OF) == "23 Nov 2026 09:00 Europe/Berlin"


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("since 2026-08-10", "since 10 Aug"),
        ("2025-12-24 to 2026-01-02 left out: holidays", "24 Dec 2025 to 2 Jan left out: holidays"),
        ("at 2026-11-21 10:00 UTC", "at 21 Nov 10:00 UTC"),
        ("by 2026-11-21.", "by 21 Nov."),
        ("2026-13-40 is none", "2026-13-40 is none"),
        ("release-2026-11-21", "release-2026-11-21"),
        ("https://wiki/2026-11-21", "https://wiki/2026-11-21"),
        ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
    ],
)
def test_sentences_have_dates_for_people(sentence, text):
    assert DATES.in_text(sentence) == text


def test_streams_are_named_by_what_they_tell():
    assert wording.stream("prometheus", "samples", "prometheus", ("p99",)) == "prometheus samples: p99"
    assert wording.stream("kit", "deployments", "payment-kit") == "kit deployments of payment-kit"
    assert wording.stream("github", "", "") == "github"


def test_a_trend_scales_from_lowest_to_highest_and_dots_the_missing():
    series = [DayValue(START, v, Health.OK) for v in (0.0, None, 7.0)]
    assert trend(series) == "▁·█"
    assert trend(series[:1]) == "▄"
    assert trend([DayValue(END, None, Health.NO_DATA)]) == ""


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=400))
def test_a_trend_fits_its_width(values):
    assert len(trend([DayValue(START, v, Health.OK) for v in values], width=24)) <= 24


def test_a_bar_is_full_only_at_one():
    assert bar(0.999, 4) == "███░"
    assert bar(1.0, 4) == "████"
    assert bar(None, 4) == "░░░░"


def test_every_status_and_health_has_words_and_a_sign_of_its_own_colour_or_not():
    assert set(LOOKS) == set(Status)
    assert set(wording.HEALTH_WORDS) == set(Health)
    assert len({look.words for look in LOOKS.values()}) == len(Status)


def test_a_guardrails_limit_that_is_a_threshold_has_its_words():
    assert wording.target(TargetTerms.of(Threshold("at_most", 0.05, "at most 5%"), None), "ratio") == "≤ 5%"


def test_a_forecast_reads_as_range_day_and_chance():
    kr = replace(latency(), forecast=Forecast(low=0.318, high=0.402, median=0.36, probability=0.22))
    assert wording.forecast(kr, DATES) == "likely 318 to 402 ms on 31 Dec; 22% chance"


def test_a_forecast_of_days_to_be_kept_is_a_chance_alone():
    kr = replace(kept(), forecast=Forecast(low=0.4, high=0.5, median=0.45, probability=0.9))
    assert wording.forecast(kr, DATES) == "90% chance"


def test_without_a_forecast_nothing_is_said():
    assert wording.forecast(latency(), DATES) == ""


def test_a_rate_is_forecast_per_the_period_of_the_target():
    kr = replace(releases(1 / 14), forecast=Forecast(low=1 / 14, high=1 / 7, median=0.1, probability=0.4))
    assert wording.forecast(kr, DATES) == "likely 0.5 to 1/week on 31 Dec; 40% chance"


def test_a_move_names_what_was_behind_it():
    move = Move(
        start=date(2026, 11, 16), end=date(2026, 11, 23), before=0.547, after=0.431, why=("ledger", "#123 Cache")
    )
    assert wording.moved(latency(), move, DATES) == "547 → 431 ms since 16 Nov: ledger, #123 Cache"


def test_another_status_than_before_is_said_with_its_day():
    before = Before(at=datetime(2026, 11, 16, 23, tzinfo=UTC), status=Status.ON_TRACK, value=None, progress=None)
    assert wording.was(replace(latency(), before=before), DATES) == "was on track on 16 Nov"  # at its last instant
    assert wording.was(replace(latency(), before=replace(before, status=Status.AT_RISK)), DATES) == ""
    assert wording.was(latency(), DATES) == ""


def test_a_move_that_is_over_says_from_when_to_when():
    move = Move(start=date(2026, 10, 28), end=date(2026, 11, 4), before=0.547, after=0.431)
    assert wording.moved(latency(), move, DATES) == "547 → 431 ms from 28 Oct to 4 Nov"
    move = replace(move, start=date(2026, 10, 20))
    assert wording.moved(latency(), replace(move, end=date(2026, 10, 27)), DATES) == "547 → 431 ms from 20 to 27 Oct"


def said(days, confidence=7, note=""):
    return CheckIn(at=AS_OF - timedelta(days=days), by="ana", confidence=confidence, note=note)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (said(0, note="all live"), "confidence 7 of 10, today by ana: all live"),
        (said(1, 0), "confidence 0 of 10, yesterday by ana"),
        (said(3, None, "waiting"), "3 days ago by ana: waiting"),
        (said(13, 10), "confidence 10 of 10, 13 days ago by ana"),
        (said(14), "confidence 7 of 10, on 9 Nov by ana"),
    ],
)
def test_a_check_in_says_how_sure_when_who_and_why(one, words):
    assert wording.check_in(one, DATES) == words


def test_a_check_in_late_in_the_evening_is_of_the_trackers_day():
    late = CheckIn(at=datetime(2026, 11, 22, 23, 30, tzinfo=UTC), by="ana", confidence=1)
    assert wording.check_in(late, DATES) == "confidence 1 of 10, today by ana"


def test_only_the_newest_check_ins_are_listed_newest_first():
    kr = key_result(check_ins=tuple(said(days, days) for days in range(7, -1, -1)))
    told = list(wording.check_ins(kr, DATES))
    assert [words.partition(" of")[0] for words in told[:-1]] == [f"confidence {n}" for n in range(5)]
    assert told[-1] == "3 more before: keyresults checkin p99 --history"
    assert wording.last_check_in(kr, DATES) == "confidence 0 of 10, today by ana"
    assert wording.last_check_in(key_result(), DATES) == ""


def test_a_long_note_is_cut_where_little_room_is_and_whole_in_the_details():
    kr = key_result(check_ins=(said(0, note="x" * 300),))
    assert len(wording.last_check_in(kr, DATES)) == 160
    assert wording.last_check_in(kr, DATES).endswith("xx…")
    assert "x" * 300 in next(wording.check_ins(kr, DATES))


def test_values_of_the_metric_before_are_neither_compared_nor_shown_in_the_unit_of_this_one():
    """Seconds until 19 November, a share since: 0.45 of them is no 45 %."""
    days = [START + timedelta(days=n) for n in range(53)]
    since = date(2026, 11, 20)
    series = tuple(DayValue(d, 0.450 if d < since else 0.03, Health.OK) for d in days)
    said = (CheckIn(at=AS_OF - timedelta(days=6), by="ana", confidence=5),)
    share = judgement(reading=reading(0.03, "ratio", n=100))
    one = key_result(unit="ratio", series=series, measured_since=since, check_ins=said, judgement=share)
    assert wording.since_check_in(one, DATES) == ""
    assert rows_of(one)["Trend"] == "▄▄▄ 3% since 20 Nov"
    gone = tuple(DayValue(d.day, d.value if d.day < since else None, d.health) for d in series)
    blind = judgement(status=Status.UNKNOWN, reading=reading(None, "ratio", Health.NO_DATA))
    assert wording.blindness(replace(one, series=gone, judgement=blind), DATES) == (
        "no data (never measured since 20 Nov)"
    )


def test_a_move_since_the_last_check_in_is_one_between_values_that_can_be_used():
    said = (CheckIn(at=AS_OF - timedelta(days=6), by="ana", confidence=5),)
    days = [START + timedelta(days=n) for n in range(53)]
    few = tuple(DayValue(d, 0.9, Health.TOO_FEW) for d in days)
    assert wording.since_check_in(key_result(series=few, check_ins=said), DATES) == ""
    known = tuple(DayValue(d, 0.45, Health.OK) for d in days)
    now_few = judgement(reading=reading(0.402, "s", Health.TOO_FEW))
    assert wording.since_check_in(key_result(series=known, check_ins=said, judgement=now_few), DATES) == ""
    assert wording.since_check_in(key_result(series=known, check_ins=said), DATES).startswith("450 → 402 ms since")


def rows_of(kr):
    return {row.label: row.words for row in details(kr, DATES)}
