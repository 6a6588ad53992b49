"""Values to come: what is known stays, and what is drawn is as the past was."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from columns import at, covered
from keyresults.metrics import drawn_facts, simulated_facts, simulated_samples
from keyresults.metrics.calendar import Calendar, ClosedPeriod
from keyresults.metrics.definition import Aggregate, Exclusion, MetricDefinition
from keyresults.metrics.measurement import Measurement
from keyresults.metrics.quantiles import linear, linear_of_each
from keyresults.metrics.simulation import NotEnough, Simulated, simulate
from keyresults.metrics.unit import PER_WORKDAY
from metric_cases import daily, definition, deployed, measured, measurement

BEGAN = at("2026-01-05")  # a Monday
NOW = at("2026-09-28")  # a Monday
DAYS = (NOW - BEGAN).days
CYCLE = at("2026-09-01")
KNOWN = covered("2026-01-05", "2026-09-28")
ALL_OF_IT = covered("2026-01-05", "2026-12-31")


@pytest.fixture
def as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing drifts, and what was never seen never happens: what is drawn is the past itself."""
    monkeypatch.setattr(drawn_facts, "LEVEL_NOW", 0)
    monkeypatch.setattr(drawn_facts, "LEVEL_WEEKLY", 0)
    monkeypatch.setattr(drawn_facts, "LEVEL_WITHIN", 0)
    monkeypatch.setattr(drawn_facts, "UNSEEN", 1e-12)
    monkeypatch.setattr(simulated_facts, "UNSEEN", 1e-12)
    monkeypatch.setattr(simulated_facts, "DRIFT_NOW", 0)
    monkeypatch.setattr(simulated_facts, "DRIFT_WEEKLY", 0)
    monkeypatch.setattr(simulated_samples, "STEP_SPREAD", 0)


def simulated(one: Measurement, *instants: datetime, seed: int = 1) -> Any:
    found = one.simulated(instants, CYCLE, seed=seed)
    assert isinstance(found, Simulated), found
    return found.values


def shipped(times: list[datetime], **fields: Any) -> list[Any]:
    return [deployed(f"c{number}", when, **fields) for number, when in enumerate(times)]


def each_day(hour: int = 10, days: int = DAYS, began: datetime = BEGAN) -> list[datetime]:
    return [began + timedelta(days=day, hours=hour) for day in range(days)]


def test_an_even_past_goes_on_evenly(as_ever: None) -> None:
    one = measurement(definition("deployment_count"), shipped(each_day()), KNOWN, NOW)
    deadlines = [NOW + timedelta(days=days) for days in (1, 7, 28, 90)]
    assert (simulated(one, *deadlines) == 28).all()


def test_the_known_part_of_the_window_stays_and_the_rest_is_one_of_the_pasts_weeks(as_ever: None) -> None:
    """Tuesdays had one deployment or three in turn: so the next one adds one or three to the known."""
    tuesdays = [BEGAN + timedelta(days=1 + 7 * week, hours=9) for week in range(DAYS // 7)]
    times = [when + timedelta(hours=n) for k, when in enumerate(tuesdays) for n in range(1 if k % 2 else 3)]
    one = measurement(definition("deployment_count"), shipped(times), KNOWN, NOW)
    values = simulated(one, at("2026-09-30"))[:, 0]
    known = sum(1 for when in times if when >= at("2026-09-02"))
    assert set(values) == {known + 1.0, known + 3.0}
    # The newest week comes first; a week 13 weeks older is drawn half as often.
    weights = [0.5 ** (age / 13) for age in range(len(tuesdays))]
    three = sum(w for age, w in enumerate(weights) if (len(tuesdays) - 1 - age) % 2 == 0) / sum(weights)
    assert np.mean(values == known + 3) == pytest.approx(three, abs=0.05)


def test_a_day_before_the_deadline_the_range_is_narrow() -> None:
    one = measurement(definition("deployment_count"), shipped(each_day()), KNOWN, NOW)
    low, high = np.quantile(simulated(one, NOW + timedelta(days=1)), [0.1, 0.9])
    assert 27 <= low <= 28 <= high <= 29


def test_draws_of_chance_have_the_quantiles_of_chance(as_ever: None) -> None:
    """Three a day on average, independent of each other: 84 in four weeks, with a deviation of about 9.2."""
    rng = random.Random(7)
    times = [
        BEGAN + timedelta(days=day, minutes=30 * n) for day in range(DAYS) for n in range(_poisson(rng, 3.0)) if n < 40
    ]
    one = measurement(definition("deployment_count"), shipped(times), KNOWN, NOW)
    low, middle, high = np.quantile(simulated(one, NOW + timedelta(days=28)), [0.1, 0.5, 0.9])
    lately = sum(0.5 ** ((NOW - when).days // 7 / 13) for when in times) / sum(
        0.5 ** (day // 7 / 13) for day in range(DAYS)
    )
    assert middle == pytest.approx(28 * lately, rel=0.04)
    assert high - low == pytest.approx(2 * 1.2816 * (28 * lately) ** 0.5, rel=0.25)


def _poisson(rng: random.Random, mean: float) -> int:
    n, product = 0, rng.random()
    while product > 2.718281828459045**-mean:
        n, product = n + 1, product * rng.random()
    return n


def test_drift_widens_with_distance_and_keeps_the_mean() -> None:
    one = measurement(definition("deployment_count"), shipped(each_day()), KNOWN, NOW)
    near, far = (simulated(one, NOW + timedelta(days=days))[:, 0] for days in (28, 90))
    assert np.std(far) > np.std(near) > 1
    assert np.mean(near) == pytest.approx(28, rel=0.05)


def test_nothing_is_drawn_on_closed_days() -> None:
    shut = Calendar(closed=(ClosedPeriod(date(2026, 9, 28), date(2026, 12, 31), "holidays"),))
    one = measurement(definition("deployment_count"), shipped(each_day()), KNOWN, NOW, shut)
    assert (simulated(one, at("2026-10-12")) == 14).all()


def test_closed_days_of_the_past_stand_for_no_open_day(as_ever: None) -> None:
    """August was closed and empty; October's workdays are as the open ones were."""
    shut = Calendar(closed=(ClosedPeriod(date(2026, 8, 1), date(2026, 8, 31), "summer"),))
    times = [when for when in each_day() if when.month != 8]
    one = measurement(definition("deployment_count"), shipped(times), KNOWN, NOW, shut)
    assert (simulated(one, at("2026-10-26")) == 28).all()


@pytest.mark.parametrize(
    "what",
    [
        definition("deployment_count"),
        definition("deployment_count", "cycle"),
        definition("deployment_frequency"),
        definition("deployment_frequency", unit=PER_WORKDAY),
        definition("deployment_days"),
        definition("deployment_duration"),
        definition("deployment_duration", quantile=0.9),
        definition("rollback_rate", settle=timedelta(0)),
    ],
    ids=lambda what: f"{what.measure}-{what.window}-{what.unit.text}-{what.quantile}",
)
def test_where_nothing_is_drawn_it_is_the_metrics_own_reading(what: MetricDefinition) -> None:
    """Over a month that is closed the value is what the metric says once the month was collected."""
    shut = Calendar(closed=(ClosedPeriod(date(2026, 9, 28), date(2026, 10, 31), "moving house"),))
    rng = random.Random(3)
    facts = [
        deployed(f"c{rng.randrange(40)}", t, seconds=rng.randrange(20, 900)) for t in each_day() if rng.random() < 0.7
    ]
    instants = [at("2026-10-01"), at("2026-10-09"), at("2026-10-20")]
    values = simulated(measurement(what, facts, KNOWN, NOW, shut), *instants)
    later = measurement(what, facts, ALL_OF_IT, "2026-11-01", shut).readings(instants, CYCLE)
    for column, reading in enumerate(later):
        assert reading.value is not None
        assert values[:, column] == pytest.approx(np.full(len(values), reading.value))


def test_over_a_change_of_clocks_each_day_is_drawn_once(as_ever: None) -> None:
    berlin = Calendar("Europe/Berlin")
    began = berlin.start_of(date(2026, 1, 5))
    times = [berlin.days_before(began + timedelta(hours=10), -day) for day in range(280)]
    now = berlin.start_of(date(2026, 10, 12))
    known = [when for when in times if when < now]
    coverage = covered("2026-01-04 23:00", "2026-10-11 22:00")
    one = measurement(definition("deployment_count"), shipped(known), coverage, now, berlin)
    ends = [berlin.start_of(date(2026, 10, 24) + timedelta(days=days)) for days in range(4)]
    assert (simulated(one, *ends) == 28).all()


def test_in_the_middle_of_a_day_only_its_rest_is_drawn(as_ever: None) -> None:
    times = [BEGAN + timedelta(hours=hour) for hour in range(24 * DAYS + 15)]
    coverage = covered("2026-01-05", "2026-09-28 15:00")
    one = measurement(definition("deployment_count", "7d"), shipped(times), coverage, "2026-09-28 15:00")
    assert (simulated(one, at("2026-09-29"), at("2026-10-03")) == 24 * 7).all()


def test_the_slower_of_two_services_counts_where_the_worst_does(as_ever: None) -> None:
    facts = shipped(each_day()) + [
        deployed(f"d{n}", when, subject="acme/web") for n, when in enumerate(each_day()[::7])
    ]
    what = definition("deployment_frequency", across="worst")
    one = measurement(what, facts, KNOWN, NOW, subjects=("acme/pay", "acme/web"))
    assert simulated(one, at("2026-11-02")) == pytest.approx(np.full((1000, 1), 4 / 28))


def test_shares_stay_as_they_were(as_ever: None) -> None:
    """One deployment in two is taken back a minute later by its forerunner's return."""
    facts = []
    for number, when in enumerate(each_day()):
        facts.append(deployed(f"c{number}", when))
        if number % 2:
            facts.append(deployed(f"c{number - 1}", when + timedelta(hours=1)))
    one = measurement(definition("rollback_rate", settle=timedelta(0)), facts, KNOWN, NOW)
    values = simulated(one, at("2026-11-02"))
    assert np.quantile(values, [0.1, 0.9]) == pytest.approx([0.5, 0.5], abs=0.04)


def levels(values: list[float], unit: str = "s", **fields: Any) -> Measurement:
    facts = [daily(f"{BEGAN + timedelta(days=day):%Y-%m-%d}", value) for day, value in enumerate(values)]
    return measurement(definition("sampled", "28d", **fields), facts, KNOWN, NOW)


@pytest.mark.parametrize("how", ["last", "mean", "median", "min", "max", "quantile"])
def test_a_level_that_never_moved_stays(how: Any) -> None:
    one = levels([7.0] * DAYS, aggregate=Aggregate(how))
    assert simulated(one, at("2026-10-01"), at("2026-12-01")) == pytest.approx(np.full((1000, 2), 7.0))


def test_a_sum_is_of_all_days() -> None:
    one = levels([7.0] * DAYS, aggregate=Aggregate("sum"))
    assert simulated(one, at("2026-12-01")) == pytest.approx(np.full((1000, 1), 28 * 7.0))


def test_a_share_within_limits_counts_days() -> None:
    one = levels([7.0] * DAYS, aggregate=Aggregate("share_within", at_most=7.0))
    assert (simulated(one, at("2026-12-01")) == 1).all()


def test_of_a_mean_the_known_days_stay() -> None:
    """Six of seven days are known; the seventh lies among what days were like."""
    rng = random.Random(5)
    values = [100 + rng.choice([-3.0, 3.0]) for _ in range(DAYS)]
    facts = [daily(f"{BEGAN + timedelta(days=day):%Y-%m-%d}", value) for day, value in enumerate(values)]
    one = measurement(definition("sampled", "7d", aggregate=Aggregate("mean")), facts, KNOWN, NOW)
    found = simulated(one, NOW + timedelta(days=1))
    known = sum(values[-6:])
    low, high = np.quantile(found * 7 - known, [0.1, 0.9])
    assert 94 < low < 99
    assert 101 < high < 106


def test_noise_around_a_level_does_not_carry_it_away() -> None:
    rng = random.Random(11)
    one = levels([rng.gauss(100, 10) for _ in range(DAYS)], aggregate=Aggregate("mean"))
    low, high = np.quantile(simulated(one, at("2026-11-23")), [0.1, 0.9])
    assert 85 < low < 98
    assert 102 < high < 115


def test_a_share_never_leaves_its_range() -> None:
    rng = random.Random(2)
    covered_lines = [min(1.0, 0.9 + rng.random() / 8) for _ in range(DAYS)]
    facts = [
        measured(
            f"{BEGAN + timedelta(days=day, hours=9):%Y-%m-%d %H:%M}", parts={"covered": 1000 * share, "coverable": 1000}
        )
        for day, share in enumerate(covered_lines)
    ]
    values = simulated(measurement(definition("test_coverage"), facts, KNOWN, NOW), at("2026-12-20"))
    assert 0 <= values.min() < values.max() <= 1


def test_histograms_of_the_same_days_give_the_same_quantile(as_ever: None) -> None:
    facts = [
        daily(f"{BEGAN + timedelta(days=day):%Y-%m-%d}", parts={"0.1": 50, "0.5": 90, "+Inf": 100})
        for day in range(DAYS)
    ]
    one = measurement(definition("histogram_quantile", quantile=0.7), facts, KNOWN, NOW)
    # The 70th of 100 lies half way from the 50th (0.1) to the 90th (0.5).
    assert simulated(one, at("2026-10-05"), at("2026-12-01")) == pytest.approx(np.full((1000, 2), 0.3))


SHAPES = {
    "rate": definition("deployment_frequency"),
    "count": definition("deployment_count", "cycle"),
    "days": definition("deployment_days"),
    "ratio": definition("rollback_rate"),
    "quantile": definition("deployment_duration"),
    "newest": definition("sampled", aggregate=Aggregate("last")),
    "samples": definition("sampled", aggregate=Aggregate("mean")),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_facts_after_now_change_no_byte(shape: str) -> None:
    what = SHAPES[shape]
    rng = random.Random(1)
    made = (
        [daily(f"{BEGAN + timedelta(days=day):%Y-%m-%d}", rng.random()) for day in range(DAYS)]
        if what.measure == "sampled"
        else [deployed(f"c{rng.randrange(60)}", t, seconds=rng.randrange(600)) for t in each_day()]
    )
    later = (
        [daily(f"{NOW + timedelta(days=day):%Y-%m-%d}", 99.0) for day in range(40)]
        if what.measure == "sampled"
        else [deployed(f"x{n}", t, seconds=5000) for n, t in enumerate(each_day(3, 40, NOW))]
    )
    found = []
    for facts, coverage in ((made, KNOWN), ([*made, *later], ALL_OF_IT)):
        whole = measurement(what, facts, coverage, NOW)
        values = simulate(
            what, whole.counted, coverage, Calendar(), now=NOW, instants=[at("2026-10-20")], start=CYCLE, seed=4
        )
        assert isinstance(values, Simulated)
        found.append(values.values.tobytes())
    assert found[0] == found[1]


def test_another_seed_draws_otherwise() -> None:
    one = measurement(definition("deployment_count"), shipped(each_day()), KNOWN, NOW)
    first, again, other = (simulated(one, at("2026-10-20"), seed=seed) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize(
    ("what", "facts", "coverage", "why"),
    [
        (definition("deployment_count"), [], KNOWN, "no deployment is known at all"),
        (definition("deployment_count"), shipped(each_day()), covered(), "nothing was collected yet"),
        (
            definition("deployment_count"),
            shipped(each_day()),
            covered("2026-09-01", "2026-09-28"),
            "fewer than 42 days",
        ),
        (definition("deployment_duration"), shipped(each_day()[:2]), KNOWN, "fewer than 3 facts"),
        (definition("rollback_rate"), shipped(each_day()[:2]), KNOWN, "fewer than 3 facts"),
        (definition("sampled"), [daily("2026-09-20", 1.0)], KNOWN, "fewer than 3 samples"),
    ],
)
def test_it_abstains_and_says_why(what: MetricDefinition, facts: Any, coverage: Any, why: str) -> None:
    found = measurement(what, facts, coverage, NOW).simulated([at("2026-10-20")], CYCLE, seed=1)
    assert isinstance(found, NotEnough)
    assert why in found.reason


def test_it_abstains_where_windows_are_mostly_empty() -> None:
    rare = [BEGAN + timedelta(days=day) for day in (3, 60, 160)]
    found = measurement(definition("deployment_duration", "7d"), shipped(rare), KNOWN, NOW).simulated(
        [at("2026-12-01")], CYCLE, seed=1
    )
    assert found == NotEnough("a window holds too rarely anything to measure")


def test_excluded_days_to_come_are_left_out(as_ever: None) -> None:
    away = Exclusion(date(2026, 10, 1), date(2026, 10, 7), "migration", date(2026, 9, 1))
    one = measurement(definition("deployment_count", exclude=(away,)), shipped(each_day()), KNOWN, NOW)
    assert (simulated(one, at("2026-10-12")) == 21).all()


def test_quantiles_of_many_groups_are_those_of_each() -> None:
    rng = np.random.default_rng(3)
    groups, values = rng.integers(0, 30, 200), rng.normal(size=200)
    for quantile in (0.0, 0.25, 0.5, 0.9, 1.0):
        found = linear_of_each(groups, values, 32, quantile)
        for group in range(32):
            mine = values[groups == group]
            assert found[group] == pytest.approx(linear(mine, quantile)) if len(mine) else np.isnan(found[group])


def test_of_many_times_some_stand_for_all() -> None:
    """Sixty a day, and a month that is closed: what is known keeps its median and its 99th percentile."""
    shut = Calendar(closed=(ClosedPeriod(date(2026, 9, 28), date(2026, 10, 31), "moving house"),))
    rng = random.Random(9)
    times = [NOW - timedelta(days=day, minutes=24 * n) for day in range(1, 70) for n in range(60)]
    facts = [deployed(f"c{n}", when, seconds=rng.lognormvariate(5, 0.6)) for n, when in enumerate(times)]
    for quantile in (0.5, 0.99):
        what = definition("deployment_duration", quantile=quantile)
        values = simulated(measurement(what, facts, covered("2026-07-20", "2026-09-28"), NOW, shut), at("2026-10-05"))
        later = measurement(what, facts, covered("2026-07-20", "2026-12-31"), "2026-11-01", shut)
        (reading,) = later.readings([at("2026-10-05")], CYCLE)
        assert reading.value is not None
        assert values == pytest.approx(np.full(values.shape, reading.value), rel=0.02)
