"""Every row of the table of targets, by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.krs.comparison import cut, excess, within
from keyresults.krs.model import Between, ChangeBy, Reach, Threshold
from keyresults.krs.progress import TargetError, resolve
from krs_cases import COUNTED, SECONDS, traits

RISING = traits(better="higher")
FALLING = traits(unit=SECONDS, better="lower")
UNSAID = traits(better=None)


def raw(target, value, baseline=None, metric=RISING, elapsed=0.5):
    return resolve(target, metric, baseline).raw_progress(value, elapsed)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.60, 0.0), (0.75, 0.6), (0.85, 1.0), (0.90, 1.2), (0.55, -0.2)],
)
def test_from_to_measures_the_way_between_them(value, expected):
    assert raw(Reach(0.85, 0.60, ""), value) == pytest.approx(expected)


@pytest.mark.parametrize(("value", "expected"), [(600, 0.0), (540, 0.4), (450, 1.0), (420, 1.2), (630, -0.2)])
def test_from_to_works_downwards_too(value, expected):
    assert raw(Reach(450, 600, ""), value, metric=FALLING) == pytest.approx(expected)


def test_to_starts_at_the_baseline():
    assert raw(Reach(0.85, None, ""), 0.70, baseline=0.65) == pytest.approx(0.25)  # 5 of 20 points


def test_to_needs_a_baseline():
    assert raw(Reach(0.85, None, ""), 0.70) is None
    assert resolve(Reach(0.85, None, ""), UNSAID, None) is None


@pytest.mark.parametrize(("value", "expected"), [(0.86, 1.0), (0.85, 1.0), (0.84, 0.0)])
def test_to_with_a_baseline_beyond_it_is_a_threshold(value, expected):
    goal = resolve(Reach(0.85, None, ""), RISING, 0.90)
    assert goal.met_at_start
    assert goal.raw_progress(value, 0.5) == expected


def test_to_takes_its_direction_from_the_metric_before_the_baseline():
    goal = resolve(Reach(400, None, ""), FALLING, 300)
    assert (goal.comparison, goal.met_at_start) == ("at_most", True)


def test_to_takes_its_direction_from_the_baseline_where_the_metric_has_none():
    assert resolve(Reach(0.85, None, ""), UNSAID, 0.6).comparison == "at_least"
    assert resolve(Reach(0.85, None, ""), UNSAID, 0.9).comparison == "at_most"


def test_an_unknown_direction_is_an_error_that_says_what_to_write():
    with pytest.raises(TargetError, match='better = "higher" or "lower" on the metric \'m\''):
        resolve(Reach(0.85, None, "85%"), UNSAID, 0.85)


def test_a_relative_change_resolves_from_the_baseline():
    goal = resolve(ChangeBy(-0.30, relative=True, text="-30%"), FALLING, 0.600)
    assert goal.limit == pytest.approx(0.420)
    assert goal.raw_progress(0.510, 0.5) == pytest.approx(0.5)


def test_points_and_differences_add_to_the_baseline():
    assert resolve(ChangeBy(0.05, relative=False, text="+5pp"), RISING, 0.60).limit == pytest.approx(0.65)
    goal = resolve(ChangeBy(-0.2, relative=False, text="-200ms"), FALLING, 0.6)
    assert goal.raw_progress(0.45, 0.5) == pytest.approx(0.75)  # 150 of 200 ms


def test_a_change_goes_its_own_way_whatever_the_metric_prefers():
    assert resolve(ChangeBy(0.1, relative=True, text="+10%"), FALLING, 100).comparison == "at_least"


def test_a_relative_change_of_a_negative_baseline_keeps_its_direction():
    goal = resolve(ChangeBy(-0.30, relative=True, text="-30%"), UNSAID, -10)
    assert (goal.limit, goal.comparison) == (-13, "at_most")


@pytest.mark.parametrize("target", [Reach(0.6, 0.6, ""), ChangeBy(0.0, relative=True, text="+0%")])
def test_a_target_that_asks_for_nothing_is_an_error(target):
    with pytest.raises(TargetError):
        resolve(target, RISING, 0.6)


def test_a_change_waits_for_its_baseline():
    assert resolve(ChangeBy(-0.3, relative=True, text=""), RISING, None) is None


def test_a_percentage_of_nothing_is_an_error():
    with pytest.raises(TargetError, match="baseline of 0"):
        resolve(ChangeBy(-0.30, relative=True, text="-30%"), RISING, 0.0)


@pytest.mark.parametrize(
    ("comparison", "baseline", "value", "expected"),
    [
        ("at_least", 1.0, 1.5, 0.5),
        ("at_least", 1.0, 2.0, 1.0),
        ("at_least", 1.0, 2.5, 1.5),
        ("above", 1.0, 2.5, 1.5),
        ("at_most", 6.0, 4.0, 0.5),
        ("at_most", 6.0, 2.0, 1.0),
        ("below", 6.0, 1.0, 1.25),
        ("below", 6.0, 8.0, -0.5),
    ],
)
def test_thresholds_measure_the_way_from_the_baseline(comparison, baseline, value, expected):
    assert raw(Threshold(comparison, 2.0, ""), value, baseline) == pytest.approx(expected)


@pytest.mark.parametrize("comparison", ["above", "below"])
def test_a_strict_threshold_is_not_reached_by_its_limit(comparison):
    goal = resolve(Threshold(comparison, 2.0, ""), RISING, 1.0 if comparison == "above" else 3.0)
    assert not goal.holds(2.0)
    assert 0.999 < goal.raw_progress(2.0, 0.5) < 1


@pytest.mark.parametrize(("value", "expected"), [(0.005, 1.0), (0.01, 1.0), (0.02, 0.0)])
def test_a_threshold_met_at_the_start_is_all_or_nothing(value, expected):
    assert raw(Threshold("at_most", 0.01, ""), value, baseline=0.008) == expected


@pytest.mark.parametrize(("value", "expected"), [(0.009, 1.0), (0.01, 0.0), (0.02, 0.0)])
def test_a_strict_threshold_at_its_baseline_leaves_no_way_to_measure(value, expected):
    assert raw(Threshold("below", 0.01, ""), value, baseline=0.01) == expected


def test_a_threshold_that_holds_needs_no_baseline():
    assert raw(Threshold("at_most", 5.0, ""), 4.0) == 1.0
    assert raw(Threshold("at_most", 5.0, ""), 6.0) is None


@pytest.mark.parametrize(("used", "expected"), [(0, 0.25), (10, 0.25), (12, 0.2), (20, 0.0), (25, 0.0)])
def test_a_budget_is_kept_or_overspent(used, expected):
    assert raw(Threshold("at_most", 10, ""), used, metric=COUNTED, elapsed=0.25) == pytest.approx(expected)


def test_a_budget_of_nothing_is_lost_by_one():
    budget = Threshold("at_most", 0, "")
    assert raw(budget, 0, metric=COUNTED) == 0.5
    assert raw(budget, 1, metric=COUNTED) == 0.0


@pytest.mark.parametrize(("value", "expected"), [(0, 0.0), (15, 0.25), (60, 1.0), (75, 1.25)])
def test_a_total_starts_at_nothing(value, expected):
    assert raw(Threshold("at_least", 60, ""), value, metric=COUNTED) == pytest.approx(expected)


def test_a_change_of_a_count_over_the_cycle_becomes_a_total_or_a_budget():
    more = resolve(ChangeBy(0.5, relative=True, text="+50%"), COUNTED, 40)
    fewer = resolve(ChangeBy(-0.5, relative=True, text="-50%"), COUNTED, 40)
    assert (more.shape, more.limit, more.raw_progress(15, 0.5)) == ("total", 60, 0.25)
    assert (fewer.shape, fewer.limit, fewer.raw_progress(15, 0.5)) == ("budget", 20, 0.5)


@pytest.mark.parametrize(
    ("value", "comparison", "limit", "holds"),
    [
        (0.7 * (1 - 0.30), "at_least", 0.49, True),  # 0.48999999999999994
        (0.49, "at_least", 0.7 * (1 + 0.30) - 0.42, True),
        (0.4 - 0.3, "at_most", 0.1, True),  # 0.10000000000000003
        (0.4 - 0.3, "above", 0.1, False),
        (0.7 * (1 - 0.30), "below", 0.49, False),
        (0.1 + 0.2, "at_most", 0.3, True),
        (0.1 + 1e-8, "at_most", 0.1, False),
        (0.0, "at_most", 0.0, True),
        (0.0, "below", 0.0, False),
        (1e-12, "at_most", 0.0, False),
    ],
)
def test_noise_of_arithmetic_decides_nothing(value, comparison, limit, holds):
    assert within(value, Threshold(comparison, limit, "")) is holds


def test_a_change_resolved_with_noise_is_met_by_the_written_number():
    goal = resolve(ChangeBy(-0.30, relative=True, text="-30%"), FALLING, 0.7)
    assert goal.holds(0.49)
    assert goal.raw_progress(0.49, 0.5) >= 1


def test_both_ends_of_between_are_inside():
    assert [within(v, Between(2, 3)) for v in (1.99, 2, 2.5, 3, 3.01)] == [False, True, True, True, False]


def test_excess_is_the_distance_beyond_a_limit():
    assert excess(0.08, Threshold("at_most", 0.05, "")) == pytest.approx(0.03)
    assert excess(1.5, Between(2, 3)) == pytest.approx(0.5)
    assert excess(3.5, Between(2, 3)) == pytest.approx(0.5)
    assert excess(0.05, Threshold("at_most", 0.05, "")) is None


@pytest.mark.parametrize(
    ("fraction", "shown"), [(0.849, 0.84), (0.29, 0.29), (0.57, 0.57), (0.9999, 0.99), (1.0, 1.0), (0.7 * 0.1, 0.07)]
)
def test_progress_is_cut_not_rounded(fraction, shown):
    assert cut(fraction) == shown


@given(st.integers(0, 100))
def test_whole_percents_survive_the_cut(percents):
    assert cut(percents / 100) == percents / 100


sensible = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3))
shares = st.floats(0, 1)


def ways(draw_both=sensible):
    return st.tuples(draw_both, draw_both).filter(lambda ends: abs(ends[0] - ends[1]) > 0.01)


@given(ways(), shares, shares)
def test_progress_grows_from_baseline_to_target(ends, one, other):
    start, to = ends
    nearer, farther = max(one, other), min(one, other)
    progress = [raw(Reach(to, start, ""), start + share * (to - start)) for share in (farther, nearer)]
    assert progress[0] <= progress[1]


@given(ways(), st.floats(-1, 2))
def test_increase_and_decrease_are_mirrors(ends, share):
    start, to = ends
    value = start + share * (to - start)
    up, down = raw(Reach(to, start, ""), value), raw(Reach(-to, -start, ""), -value)
    assert up == down


@given(
    st.tuples(st.floats(0.01, 1e4), st.floats(0.01, 1e4)).filter(lambda e: abs(e[0] - e[1]) > 0.01 * e[0]),
    st.floats(0, 1.5),
    st.sampled_from([1000.0, 1 / 60, 100.0, 1 / 86400]),
    st.sampled_from(["to", "from", "change", "at_most", "at_least"]),
)
def test_a_change_of_unit_changes_no_progress(ends, share, scale, form):
    start, to = ends
    value = start + share * (to - start)
    shapes = {
        "to": lambda k: Reach(to * k, None, ""),
        "from": lambda k: Reach(to * k, start * k, ""),
        "change": lambda k: ChangeBy((to - start) * k, relative=False, text=""),
        "at_most": lambda k: Threshold("at_most", to * k, ""),
        "at_least": lambda k: Threshold("at_least", to * k, ""),
    }
    here, there = (raw(shapes[form](k), value * k, start * k, UNSAID) for k in (1.0, scale))
    assert math.isclose(here, there, rel_tol=1e-6, abs_tol=1e-6)
