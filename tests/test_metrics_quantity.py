"""Amounts as people write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.metrics.comparison import above, at_least, at_most, below, equal
from keyresults.metrics.quantity import Quantity
from keyresults.metrics.unit import COUNT, DURATION, PER_DAY, PER_WORKDAY, RATIO, Unit

MS, PERCENT, POINTS = Unit.parse("ms"), Unit.parse("%"), Unit.parse("points")


@pytest.mark.parametrize(
    ("written", "unit", "value"),
    [
        ("85%", RATIO, 0.85),
        ("85 %", RATIO, 0.85),
        ("-30%", RATIO, -0.3),
        ("+5pp", RATIO, 0.05),
        ("0.5%", RATIO, 0.005),
        (0.85, RATIO, 0.85),
        (1, RATIO, 1.0),
        ("85%", PERCENT, 0.85),
        (85, PERCENT, 0.85),
        ("450ms", DURATION, 0.45),
        ("450ms", MS, 0.45),
        (450, MS, 0.45),
        ("-200ms", DURATION, -0.2),
        ("250us", DURATION, 250e-6),
        ("250µs", DURATION, 250e-6),
        ("2m", DURATION, 120.0),
        ("2min", DURATION, 120.0),
        ("1.5h", DURATION, 5400.0),
        ("2d", DURATION, 172_800.0),
        ("1w", DURATION, 604_800.0),
        ("1/day", PER_DAY, 1.0),
        ("1 / day", PER_DAY, 1.0),
        ("5/week", PER_DAY, 5 / 7),
        ("4/month", PER_DAY, 4 / (365.25 / 12)),
        ("1/workday", PER_WORKDAY, 1.0),
        (".5/workday", PER_WORKDAY, 0.5),
        ("1e3", COUNT, 1000.0),
        (12, COUNT, 12.0),
        (-3, COUNT, -3.0),
        ("7 points", POINTS, 7.0),
    ],
)
def test_an_amount_is_read_into_the_base_of_its_unit(written: str | float, unit: Unit, value: float) -> None:
    assert Quantity.parse(written).into(unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "written",
    [True, False, float("nan"), float("inf"), -float("inf"), "1e999", "", "fast", "%", "--3", "NaN", "1/year"],
)
def test_what_is_no_amount_is_refused(written: str | float) -> None:
    with pytest.raises(ValueError, match=r"amount|compare|rate"):
        Quantity.parse(written)


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("450ms", RATIO),
        ("85%", DURATION),
        ("5pp", COUNT),
        ("1/day", PER_WORKDAY),
        ("1/workday", PER_DAY),
        ("1/day", COUNT),
        ("7 points", COUNT),
        ("7 apples", POINTS),
    ],
)
def test_a_unit_that_does_not_fit_is_refused(written: str, unit: Unit) -> None:
    with pytest.raises(ValueError, match="doesn't fit"):
        Quantity.parse(written).into(unit)


@pytest.mark.parametrize("written", [85, 1.01, -2, "85"])
def test_a_bare_number_above_one_on_a_ratio_asks_for_percent(written: str | float) -> None:
    with pytest.raises(ValueError, match="%"):
        Quantity.parse(written).into(RATIO)


@given(st.floats(-1e9, 1e9, allow_nan=False), st.sampled_from(["ms", "s", "m", "h", "d", "w"]))
def test_any_number_may_carry_a_unit_of_time(number: float, suffix: str) -> None:
    seconds = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}[suffix]
    assert Quantity.parse(f"{number!r}{suffix}").into(DURATION) == pytest.approx(number * seconds)


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_refused_in_words(text: str) -> None:
    with contextlib.suppress(ValueError):  # anything else would be an error nobody can read
        assert Quantity.parse(text).text == text


@pytest.mark.parametrize("text", ["s", "ms", "%", "ratio", "count", "per_day", "per_workday", "points"])
def test_a_unit_is_found_by_its_word(text: str) -> None:
    assert Unit.parse(text).dimension == {
        "s": "duration", "ms": "duration", "%": "ratio", "points": "plain",
    }.get(text, text)  # fmt: skip


# ---- comparing


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_of_two_numbers_one_comparison_of_each_pair_holds(a: float, b: float) -> None:
    assert at_most(a, b) is not above(a, b)
    assert at_least(a, b) is not below(a, b)
    assert [below(a, b), equal(a, b), above(a, b)].count(True) == 1


@pytest.mark.parametrize(("value", "limit"), [(0.7 * 0.3, 0.21), (0.1 + 0.2, 0.3), (1e15 + 0.1, 1e15), (0.0, 0.0)])
def test_the_noise_of_arithmetic_is_equal(value: float, limit: float) -> None:
    assert at_most(value, limit)
    assert at_least(value, limit)
    assert not below(value, limit)
    assert not above(value, limit)


@pytest.mark.parametrize(("value", "limit"), [(1.0, 1.0 + 2e-9), (0.0, 1e-30), (-1e-30, 0.0)])
def test_what_differs_by_more_than_a_billionth_differs(value: float, limit: float) -> None:
    assert below(value, limit)
    assert not at_least(value, limit)
