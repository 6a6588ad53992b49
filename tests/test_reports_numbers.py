import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.krs.judgement import Status
from keyresults.metrics.reading import Health
from keyresults.reports import wording
from keyresults.reports.numbers import amount, count, percent, times
from keyresults.reports.progress_report import DayValue, TargetTerms
from report_cases import END, START, judgement, key_result, latency, rollbacks_without_data

FINITE = st.floats(-1e12, 1e12).filter(lambda v: v == 0 or abs(v) > 1e-9)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "s", "–"),
        (0.0, "s", "0 s"),
        (0.402, "s", "402 ms"),
        (0.0000021, "s", "2.1 µs"),
        (1.5, "s", "1.5 s"),
        (119.0, "s", "119 s"),
        (744.0, "s", "12.4 min"),
        (12600.0, "s", "3.5 h"),
        (259200.0, "s", "3 d"),
        (0.8512, "ratio", "85.1%"),
        (0.0, "ratio", "0%"),
        (1.0, "ratio", "100%"),
        (0.00123, "ratio", "0.123%"),
        (0.8234, "per_day", "0.823/day"),
        (1.0, "per_workday", "1/workday"),
        (1234567.0, "count", "1,234,567"),
        (12.345, "requests", "12.3 requests"),
    ],
)
def test_a_value_reads_in_a_unit_for_people(value, unit, text):
    assert amount(value, unit) == text


def test_a_ratio_is_only_full_when_it_is_one():
    assert amount(0.99951, "ratio") == "99.95%"
    assert amount(1 - 1e-15, "ratio") == "nearly 100%"


def test_a_value_never_reads_as_the_limit_it_misses():
    assert amount(0.4504, "s", beside=0.45) == "450.4 ms"
    assert amount(0.45, "s", beside=0.45) == "450 ms"


@given(st.floats(0, 1))
def test_progress_is_never_rounded_up(fraction):
    assert int(percent(fraction).rstrip("%")) <= (fraction + 1e-9) * 100


def test_progress_that_two_decimals_hold_is_shown_whole():
    assert [percent(n / 100) for n in range(101)] == [f"{n}%" for n in range(101)]


@given(FINITE, st.sampled_from(["s", "ratio", "count", "per_day", "per_workday", "points"]))
def test_every_value_reads_within_half_a_percent_of_itself(value, unit):
    text = amount(value, unit)
    if text == "nearly 100%":
        return
    scale = {"ratio": 0.01}
    names = {"µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
    number = text.replace(",", "").split("%")[0].split("/")[0].split(" ")
    factor = names[number[1]] if unit == "s" else scale.get(unit, 1.0)
    assert math.isclose(float(number[0]) * factor, value, rel_tol=0.0051, abs_tol=1e-12)


def test_counts_and_paces_are_short():
    assert (count(12345), count(4.6), count(None)) == ("12,345", "4.6", "–")
    assert times(1.41) == "1.4×"


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        (TargetTerms(kind="to", text="to 85%", value=0.85), "85%"),
        (TargetTerms(kind="at_most", comparison="at_most", text="x", value=0.05), "≤ 5%"),
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


def test_blindness_says_since_when_and_what_was_last_seen():
    assert wording.blindness(rollbacks_without_data()) == "no data since 30 Oct (2% then)"
    assert wording.blindness(latency()) == ""


def test_a_key_result_that_has_not_started_is_not_called_blind():
    assert wording.blindness(key_result(judgement=judgement(status=Status.NOT_STARTED, reading=None))) == ""


def test_a_trend_scales_from_lowest_to_highest_and_dots_the_missing():
    series = [DayValue(START, v, Health.OK) for v in (0.0, None, 7.0)]
    assert wording.trend(series) == "▁·█"
    assert wording.trend(series[:1]) == "▄"
    assert wording.trend([DayValue(END, None, Health.NO_DATA)]) == ""


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=400))
def test_a_trend_fits_its_width(values):
    assert len(wording.trend([DayValue(START, v, Health.OK) for v in values], width=24)) <= 24


def test_a_bar_is_full_only_at_one():
    assert wording.bar(0.999, 4) == "███░"
    assert wording.bar(1.0, 4) == "████"
    assert wording.bar(None, 4) == "░░░░"


def test_every_status_and_health_has_words_and_a_sign_of_its_own_colour_or_not():
    assert set(wording.LOOKS) == set(Status)
    assert set(wording.HEALTH_WORDS) == set(Health)
    assert len({look.words for look in wording.LOOKS.values()}) == len(Status)
