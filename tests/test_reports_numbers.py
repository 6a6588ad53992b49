import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.reports.numbers import (
    about,
    amount,
    chance,
    change,
    count,
    interval,
    limit,
    many,
    percent,
    times,
    written,
    written_period,
)

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
        (0.00123, "ratio", "0.12%"),
        (1 / 144, "ratio", "0.69%"),
        (3 / 47, "ratio", "6.4%"),
        (0.8234, "per_day", "0.823/day"),
        (1 / 14, "per_day", "0.5/week"),
        (0.02, "per_day", "0.609/month"),
        (0.0001, "per_day", "0.00304/month"),
        (0.0, "per_day", "0/day"),
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


@pytest.mark.parametrize(("value", "text"), [(1 / 7, "1/week"), (2 / 28, "0.5/week"), (3.0, "21/week")])
def test_a_rate_reads_per_the_period_asked_for(value, text):
    assert amount(value, "per_day", per="week") == text


def test_a_unit_of_the_configs_own_is_never_taken_for_a_rate():
    assert amount(2.0, "per_week") == "2 per_week"


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("at least 1/week", "week"),
        ("0.5/ month to 1/ month", "month"),
        ("2/day", "day"),
        ("1/workday", None),
        ("-40%", None),
        ("at most 5 per/weekend", None),
    ],
)
def test_the_period_is_the_one_that_was_written(text, period):
    assert written_period(text) == period


def test_a_value_within_the_tolerance_of_the_limit_reads_like_it():
    assert amount(4 / 28, "per_day", beside=0.14285714285714282, per="week") == "1/week"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.0125, "ratio", "1.25%"), (0.99875, "ratio", "99.875%"), (1234.5, "points", "1,234.5 points")],
)
def test_a_written_limit_loses_no_digit(value, unit, text):
    assert written(value, unit) == text


def test_an_estimate_claims_two_digits_at_most():
    assert [about(n) for n in (1, 40, 97, 104, 2997)] == ["~1", "~40", "~97", "~100", "~3,000"]


def test_few_and_many():
    assert [many(n, "deployments") for n in (0, 1, 1.5, 144)] == [
        "0 deployments",
        "1 deployment",
        "1.5 deployments",
        "144 deployments",
    ]


@given(st.floats(0, 1))
def test_progress_is_never_rounded_up(fraction):
    assert int(percent(fraction).rstrip("%")) <= (fraction + 1e-9) * 100


def test_progress_that_two_decimals_hold_is_shown_whole():
    assert [percent(n / 100) for n in range(101)] == [f"{n}%" for n in range(101)]


@given(FINITE, st.sampled_from(["s", "ratio", "count", "per_day", "per_workday", "points"]))
def test_every_value_reads_close_to_itself(value, unit):
    text = amount(value, unit)
    if text == "nearly 100%":
        return
    names = {"µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
    periods = {"day": 1.0, "week": 1 / 7, "month": 12 / 365.25}
    number, _, rest = re.fullmatch(r"(-?[\d,.]+)(%| |/)?(.*)", text).groups()
    scale = {"ratio": {"": 0.01}, "s": names, "per_day": periods}.get(unit, {})
    closeness = 0.051 if unit == "ratio" and abs(value) < 0.1 else 0.0051
    assert math.isclose(float(number.replace(",", "")) * scale.get(rest, 1.0), value, rel_tol=closeness, abs_tol=1e-12)


def test_counts_and_paces_are_short():
    assert (count(12345), count(4.6), count(None)) == ("12,345", "4.6", "–")
    assert times(1.41) == "1.4×"


@pytest.mark.parametrize(
    ("low", "high", "unit", "text"),
    [
        (0.0021, 0.0229, "ratio", "0.21 to 2.3%"),
        (0.318, 0.402, "s", "318 to 402 ms"),
        (0.9, 1.2, "s", "900 ms to 1.2 s"),
        (3.0, 3.0, "count", "3"),
        (-2.0, 1.0, "tickets", "-2 to 1 tickets"),
        (0.5, 0.999999999, "ratio", "50% to nearly 100%"),
    ],
)
def test_a_range_says_its_unit_once(low, high, unit, text):
    assert interval(low, high, unit) == text


@pytest.mark.parametrize(
    ("before", "after", "unit", "text"),
    [
        (0.547, 0.431, "s", "547 → 431 ms"),
        (0.5471, 0.5472, "s", "547.1 → 547.2 ms"),
        (0.05, 0.0074, "ratio", "5 → 0.74%"),
        (12000, 9, "count", "12,000 → 9"),
        (200.0, 90.0, "s", "3.33 min → 90 s"),
    ],
)
def test_a_change_says_its_unit_once_and_never_the_same_twice(before, after, unit, text):
    assert change(before, after, unit) == text


def test_a_rate_changes_per_one_period():
    assert change(0.5 / 7, 1 / 7, "per_day", per="week") == "0.5 → 1/week"


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0, "under 1%"),
        (0.01, "1%"),
        (0.004, "under 1%"),
        (0.224, "22%"),
        (0.99, "99%"),
        (0.996, "over 99%"),
        (1.0, "over 99%"),
    ],
)
def test_no_chance_reads_as_certain(probability, text):
    assert chance(probability) == text


@pytest.mark.parametrize(
    ("value", "unit", "at_least", "text"),
    [
        (26.762, "tickets", False, "26.7 tickets"),  # 26.8 would be too much
        (26.762, "tickets", True, "26.8 tickets"),
        (560 / 21, "s", False, "26.6 s"),
        (0.3154, "s", False, "315 ms"),
        (0.3154, "s", True, "316 ms"),
        (0.12341, "ratio", True, "12.4%"),
        (300.0, "s", True, "5 min"),
        (2.0, "count", False, "2"),
        (0.0, "count", False, "0"),
    ],
)
def test_whoever_keeps_to_a_limit_as_it_reads_keeps_to_the_limit(value, unit, at_least, text):
    assert limit(value, unit, at_least=at_least).startswith(text.strip())
