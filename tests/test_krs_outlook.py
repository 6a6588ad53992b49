"""What drawn values mean for a key result, counted by hand."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.krs.judge import judge
from keyresults.krs.judgement import KeptDays
from keyresults.krs.model import Keep, Pace, Revision, Threshold
from keyresults.krs.outlook import instants_ahead, keeps, outlook
from keyresults.krs.standing import Case
from krs_cases import BERLIN, END, SECONDS, day, key_result, series, stated, traits

FAST = Keep(Threshold("at_most", 0.45, "450ms"), 0.95, "450ms on 95% of days")


def case(kr, readings, **more):
    known = {
        "kind": "committed",
        "pace": Pace(),
        "calendar": BERLIN,
        "traits": {"m": traits()},
        "baseline": stated(0.60),
    }
    return Case(kr=kr, readings=readings, **known | more)


def seen(one, at):
    return judge(one, guardrails={}, as_of=at)


def test_the_deadline_alone_decides_a_way():
    one = case(key_result(), series(0.7, day(46)))
    assert instants_ahead(one, seen(one, day(46)), day(46)) == [day(92)]


def test_every_day_to_come_decides_days_to_keep():
    one = case(
        key_result(FAST), series(0.4, day(90)), traits={"m": traits(unit=SECONDS, better="lower")}, baseline=None
    )
    assert instants_ahead(one, seen(one, day(90)), day(90)) == [day(91), day(92)]


@pytest.mark.parametrize(
    "kr",
    [
        key_result(draft=True),
        key_result(forecast=False),
        key_result(start=date(2026, 12, 1)),
        key_result(deadline=date(2026, 11, 1)),
        key_result(revisions=(Revision(on=date(2026, 10, 10), reason="no more", withdraw=True),)),
    ],
    ids=["draft", "not wanted", "not started", "ended", "withdrawn"],
)
def test_nothing_is_forecast_where_nothing_is_to_come(kr):
    one = case(kr, series(0.7, day(46)))
    assert instants_ahead(one, seen(one, day(46)), day(46)) == []


def test_the_probability_is_the_share_of_draws_that_satisfy_the_target():
    one = case(key_result(), series(0.7, day(46)))
    drawn = np.array([[0.80], [0.84], [0.85], [0.90]])
    found = outlook(one, seen(one, day(46)), day(46), drawn)
    assert found.probability == 0.5  # the limit of 85% is included
    assert (found.low, found.high) == (0.80, 0.90)


def test_a_strict_limit_is_not_satisfied_by_itself():
    one = case(key_result(Threshold("above", 0.85, "above 85%")), series(0.7, day(46)))
    assert outlook(one, seen(one, day(46)), day(46), np.array([[0.85], [0.9]])).probability == 0.5


def test_without_a_baseline_there_is_nothing_to_hold_it_against():
    from keyresults.krs.model import ChangeBy

    one = case(key_result(ChangeBy(0.1, False, "+10pp")), series(0.7, day(46)), baseline=None)
    assert outlook(one, seen(one, day(46)), day(46), np.array([[0.9]])) is None


def test_days_kept_are_those_so_far_and_those_drawn():
    kr = key_result(FAST, deadline=date(2026, 10, 20))  # 20 days, of which one may be bad
    kept = KeptDays(days=20, measured=17, bad=0, budget=1.0)
    days = [date(2026, 10, 18), date(2026, 10, 19), date(2026, 10, 20)]
    drawn = np.array([[0.4, 0.4, 0.4], [0.4, 0.5, 0.4], [0.5, 0.5, 0.4], [0.45, 0.45, 0.46]])
    assert keeps(kr, kept, days, drawn).tolist() == [True, True, False, True]


def test_too_few_measured_days_are_no_success():
    kr = key_result(FAST, deadline=date(2026, 10, 10))
    kept = KeptDays(days=10, measured=6, bad=0, budget=0.5)
    days = [date(2026, 10, 8) + timedelta(days=n) for n in range(3)]
    # 8 of 10 days have to be measured: two of these three.
    drawn = np.array([[0.4, 0.4, 0.4], [0.4, np.nan, 0.4], [np.nan, 0.4, np.nan]])
    assert keeps(kr, kept, days, drawn).tolist() == [True, True, False]


def test_each_day_to_come_is_held_against_the_limit_in_force_on_it():
    looser = Keep(Threshold("at_most", 0.6, "600ms"), 0.95, "600ms")
    revision = Revision(on=date(2026, 12, 31), reason="The last day is a sale", target=looser)
    kr = key_result(FAST, revisions=(revision,))
    kept = KeptDays(days=92, measured=90, bad=4, budget=4.6)
    drawn = np.array([[0.4, 0.5], [0.5, 0.4]])
    assert keeps(kr, kept, [date(2026, 12, 30), END], drawn).tolist() == [True, False]


@given(st.lists(st.lists(st.floats(0.3, 0.6) | st.just(float("nan")), min_size=4, max_size=4), min_size=1, max_size=6))
def test_keeping_equals_a_plain_count(rows):
    kr = key_result(FAST, deadline=date(2026, 10, 24))
    kept = KeptDays(days=24, measured=18, bad=1, budget=24 * 0.05)
    days = [date(2026, 10, 21) + timedelta(days=n) for n in range(4)]
    for row, fits in zip(rows, keeps(kr, kept, days, np.array(rows)), strict=True):
        bad = 1 + sum(1 for value in row if value > 0.45 * (1 + 1e-9))
        measured = 18 + sum(1 for value in row if value == value)
        assert fits == (bad <= 1.2 and measured >= 0.8 * 24)
