"""Every measure against an independent computation, over made-up histories."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import histories
import oracle
import pytest
from columns import tables
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.metrics.calendar import Calendar, ClosedPeriod
from keyresults.metrics.definition import Aggregate, Exclusion, MetricDefinition
from keyresults.metrics.facts import Fact, StatusChange
from keyresults.metrics.measurement import Evidence, Measurement
from keyresults.metrics.measures import MEASURES
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.reading import Reading
from keyresults.metrics.table import FactTables
from keyresults.metrics.unit import PER_WORKDAY
from metric_cases import definition, deployed, merged, ran

BEGIN = datetime(2026, 9, 20, tzinfo=UTC)
CYCLE = datetime(2026, 10, 1, tzinfo=UTC)
TRACKED = [name for name, measure in MEASURES.items() if measure.kinds == ("deployments",)]
BERLIN = Calendar("Europe/Berlin", holidays=frozenset({date(2026, 10, 3), date(2026, 10, 30)}))
CALENDARS = (
    Calendar(),
    BERLIN,
    Calendar("America/Santiago", closed=(ClosedPeriod(date(2026, 10, 12), date(2026, 10, 16), "Freeze"),)),
    Calendar("Asia/Kolkata", workdays=frozenset({6, 0, 1, 2, 3})),
)


def check(
    what: MetricDefinition,
    world: oracle.World,
    instants: Sequence[datetime],
    start: datetime,
    shared: FactTables | None = None,
) -> list[Reading]:
    """Every reading, and the explanation of each, says what the plain loops say."""
    ranges = TimeRanges.of(*(TimeRange(a, b) for a, b in world.coverage))
    evidence = Evidence(tables=shared or tables(world.facts), coverage=ranges, subjects=world.subjects)
    measurement = Measurement(what, evidence, world.calendar, world.as_of)
    readings = measurement.readings(instants, start)
    for at, reading in zip(instants, readings, strict=True):
        expected = oracle.reading(what, world, at, start)
        same = None if expected.value is None else pytest.approx(expected.value, rel=1e-9, abs=1e-12)
        assert reading.value == same, (at, reading, expected)
        assert reading.health == expected.health, (at, reading, expected)
        assert reading.covered == pytest.approx(expected.covered)
        if expected.value is not None:
            check_parts(reading, expected)
            check_explanation(what, measurement, reading, expected)
    return readings


def check_parts(reading: Reading, expected: oracle.Expected) -> None:
    assert reading.n == pytest.approx(expected.n)
    if expected.numerator is not None:
        assert reading.numerator == expected.numerator
        assert reading.denominator == pytest.approx(expected.denominator)
    if reading.interval is not None:
        assert reading.interval == pytest.approx(oracle.wilson80(reading.numerator, reading.denominator), abs=1e-9)
    assert any(note.startswith("saturated") for note in reading.notes) is expected.saturated


def check_explanation(
    what: MetricDefinition, measurement: Measurement, reading: Reading, expected: oracle.Expected
) -> None:
    counted = {note.key: note for note in measurement.evidence(reading) if note.counted}
    assert set(counted) == set(expected.keys)
    for key, note in counted.items():
        hit = {
            "rollback_rate": "taken back" in note.why,
            "deployment_attempt_failure_rate": note.why.endswith(("failure", "error")),
            "ci_success_rate": note.why.endswith("success"),
            "ci_flaky_rate": ", after attempt " in note.why,
        }
        if what.measure in hit:
            assert hit[what.measure] is (key in expected.hits), note


def instants_of(rng: random.Random, calendar: Calendar, as_of: datetime) -> list[datetime]:
    """Some days' ends and the open day, as a series has them."""
    ends = calendar.day_ends(BEGIN, as_of)
    return [*sorted(rng.sample(ends, min(6, len(ends)))), as_of]


def world_of(rng: random.Random, facts: list[Fact], calendar: Calendar, subjects: tuple[str, ...] = ()) -> oracle.World:
    as_of = rng.choice((calendar.start_of(date(2026, 11, 3)), datetime(2026, 10, 28, 15, 17, 3, tzinfo=UTC)))
    covered = histories.coverage(rng, BEGIN - timedelta(days=rng.choice((0, 30))), as_of + timedelta(days=1))
    return oracle.World(facts, covered, calendar, as_of, subjects)


def common(rng: random.Random) -> dict[str, object]:
    excluded = Exclusion(date(2026, 10, 20), date(2026, 10, 21), "A migration")
    return {
        "window": rng.choice(("28d", "1w", "1d", "5d", "cycle")),
        "min_covered": rng.choice((0.98, 0.5)),
        "max_age": timedelta(days=rng.choice((1, 7, 60))),
        "min_samples": rng.choice((None, None, 0, 12)),
        "exclude": rng.choice(((), (), (excluded,))),
    }


@pytest.mark.parametrize("measure", TRACKED)
@pytest.mark.parametrize("seed", range(15))
def test_measures_of_deployments_agree_with_plain_loops(measure: str, seed: int) -> None:
    rng = random.Random(f"{measure} {seed}")
    subjects = rng.choice((("acme/pay",), ("acme/pay", "acme/ledger")))
    environment = rng.choice(("production", "prod*", "prod-??", "nowhere"))
    what = definition(
        measure,
        **common(rng),
        environment=environment,
        count=rng.choice(("first", "last", "each")),
        duplicates_within=timedelta(minutes=rng.choice((0, 10, 90))),
        rollback_rules=rng.choice((("version_return",), ("version_return", "marked"))),
        rollback_mark=rng.choice(("between", "newest")),
        settle=timedelta(hours=rng.choice((0, 24, 200))),
        quantile=rng.choice((0.5, 0.9, 0.25)),
        across="sum" if measure == "deployment_frequency" else None,
    )
    if measure == "deployment_frequency" and rng.random() < 0.5:
        what = replace(what, unit=PER_WORKDAY)
    calendar = rng.choice(CALENDARS)
    world = world_of(rng, histories.deployments(rng, BEGIN, 160, subjects), calendar, subjects)
    check(what, world, instants_of(rng, calendar, world.as_of), CYCLE)


@pytest.mark.parametrize("measure", ["ci_success_rate", "ci_duration", "ci_flaky_rate"])
@pytest.mark.parametrize("seed", range(15))
def test_measures_of_ci_agree_with_plain_loops(measure: str, seed: int) -> None:
    rng = random.Random(f"{measure} {seed}")
    what = definition(measure, **common(rng), quantile=rng.choice((0.5, 0.9, 0.99)))
    calendar = rng.choice(CALENDARS)
    world = world_of(rng, histories.runs(rng, BEGIN, 120), calendar)
    check(what, world, instants_of(rng, calendar, world.as_of), CYCLE)


@pytest.mark.parametrize("measure", ["change_count", "change_cycle_time", "change_review_time", "incident_count"])
@pytest.mark.parametrize("seed", range(12))
def test_measures_of_changes_and_incidents_agree_with_plain_loops(measure: str, seed: int) -> None:
    rng = random.Random(f"{measure} {seed}")
    what = definition(measure, **common(rng), quantile=rng.choice((0.5, 0.9, 0.25)))
    calendar = rng.choice(CALENDARS)
    facts = [*histories.changes(rng, BEGIN, 120), *histories.incidents(rng, BEGIN, 30)]
    world = world_of(rng, facts, calendar)
    check(what, world, instants_of(rng, calendar, world.as_of), CYCLE)


@st.composite
def attempts(draw: st.DrawFn) -> list[Fact]:
    """A few runs of up to four attempts; any of them may be unknown or still going on."""
    facts: list[Fact] = []
    created = datetime(2026, 10, 5, 8, tzinfo=UTC)
    for run in range(draw(st.integers(0, 6))):
        for attempt in range(1, draw(st.integers(1, 4)) + 1):
            told = draw(st.sampled_from(("success", "success", "failure", "timed_out", "cancelled", None, "unknown")))
            if told != "unknown":
                seconds = draw(st.sampled_from((60, 3600, 90_000)))
                facts.append(ran(str(run), created, told, attempt=attempt, seconds=seconds))
    return draw(st.permutations(facts))


@settings(max_examples=150, deadline=None)
@given(facts=attempts(), hours=st.sampled_from((1, 2, 30)))
def test_any_attempts_of_a_few_runs_agree_with_plain_loops(facts, hours) -> None:
    as_of = datetime(2026, 10, 5, 8, tzinfo=UTC) + timedelta(hours=hours)
    world = oracle.World(facts, [(BEGIN, as_of)], Calendar(), as_of, ("acme/pay",))
    shared = tables(facts)
    for measure in ("ci_flaky_rate", "ci_success_rate"):
        check(definition(measure, min_samples=0), world, [as_of], CYCLE, shared)


NEAR = st.sampled_from((None, -3600, -1, 0, 1, 59, 3600, 86_400))
"""Seconds around an instant, or nothing known."""


@settings(max_examples=150, deadline=None)
@given(
    told=st.lists(st.tuples(NEAR, NEAR, NEAR, st.sampled_from(("person", "unknown", "bot"))), max_size=8),
    quantile=st.sampled_from((0.0, 0.5, 0.9, 1.0)),
)
def test_any_times_of_a_few_changes_agree_with_plain_loops(told, quantile) -> None:
    as_of = datetime(2026, 10, 8, 8, tzinfo=UTC)

    def off(seconds: int | None) -> datetime | None:
        return None if seconds is None else as_of + timedelta(seconds=seconds)

    facts: list[Fact] = [
        merged(
            f"c{n}",
            "2026-10-08 07:59",
            author_kind=kind,
            first_commit_at=off(began),
            opened_at=off(opened),
            first_review_at=off(reviewed),
        )
        for n, (began, opened, reviewed, kind) in enumerate(told)
    ]
    world = oracle.World(facts, [(BEGIN, as_of)], Calendar(), as_of, ("acme/pay",))
    shared = tables(facts)
    for measure in ("change_count", "change_cycle_time", "change_review_time"):
        check(definition(measure, min_samples=0, quantile=quantile), world, [as_of], CYCLE, shared)


@pytest.mark.parametrize("measure", ["test_coverage", "test_pass_rate", "test_count"])
@pytest.mark.parametrize("seed", range(12))
def test_measures_of_files_agree_with_plain_loops(measure: str, seed: int) -> None:
    rng = random.Random(f"{measure} {seed}")
    calendar = rng.choice(CALENDARS)
    world = world_of(rng, histories.file_samples(rng, BEGIN, 30), calendar)
    check(definition(measure, **common(rng)), world, instants_of(rng, calendar, world.as_of), CYCLE)


AGGREGATES = (
    *(Aggregate(name) for name in ("last", "mean", "median", "min", "max", "sum")),
    Aggregate("quantile", quantile=0.9),
    Aggregate("quantile", quantile=0.0),
    Aggregate("share_within", at_most=1.0),
    Aggregate("share_within", at_least=0.3, at_most=1.5),
)


@pytest.mark.parametrize("aggregate", AGGREGATES, ids=lambda a: f"{a.name}-{a.quantile}-{a.at_least}")
@pytest.mark.parametrize("seed", range(6))
def test_aggregates_of_samples_agree_with_plain_loops(aggregate: Aggregate, seed: int) -> None:
    rng = random.Random(f"{aggregate} {seed}")
    calendar = rng.choice(CALENDARS)
    what = definition("sampled", **common(rng), aggregate=aggregate)
    world = world_of(rng, histories.day_samples(rng, BEGIN, 45, calendar), calendar)
    check(what, world, instants_of(rng, calendar, world.as_of), CYCLE)


@pytest.mark.parametrize("quantile", [0.0, 0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("seed", range(6))
def test_quantiles_of_histograms_agree_with_plain_loops(quantile: float, seed: int) -> None:
    rng = random.Random(f"{quantile} {seed}")
    calendar = rng.choice(CALENDARS)
    what = definition("histogram_quantile", **common(rng), quantile=quantile)
    world = world_of(rng, histories.day_samples(rng, BEGIN, 45, calendar), calendar)
    check(what, world, instants_of(rng, calendar, world.as_of), CYCLE)


@st.composite
def tracks(draw: st.DrawFn) -> list[Fact]:
    """Short histories of few versions, with gaps that fall on both sides of every limit."""
    facts: list[Fact] = []
    done = datetime(2026, 10, 5, 8, tzinfo=UTC)
    for number in range(draw(st.integers(0, 14))):
        done += timedelta(minutes=draw(st.sampled_from((1, 9, 10, 11, 60, 23 * 60, 24 * 60, 4000))))
        state = draw(st.sampled_from(("success", "success", "success", "success", "failure")))
        facts.append(
            deployed(
                draw(st.sampled_from("ABCD")),
                done,
                key=f"d{number:02}",
                environment=draw(st.sampled_from(("production", "production", "prod-eu"))),
                run=draw(st.sampled_from((None, "1/1", "2/1"))),
                marked_rollback=draw(st.sampled_from((False, False, True))),
                statuses=(StatusChange(state, done),),
            )
        )
    return facts


@settings(max_examples=80, deadline=None)
@given(
    facts=tracks(),
    environment=st.sampled_from(("production", "prod*")),
    count=st.sampled_from(("first", "last", "each")),
    rules=st.sampled_from((("version_return",), ("version_return", "marked"), ("marked",))),
    mark=st.sampled_from(("between", "newest")),
    hours=st.integers(0, 24 * 20),
)
def test_any_order_of_a_few_versions_agrees_with_plain_loops(facts, environment, count, rules, mark, hours) -> None:
    as_of = datetime(2026, 10, 8, 8, tzinfo=UTC) + timedelta(hours=hours)
    world = oracle.World(facts, [(BEGIN, as_of)], Calendar(), as_of, ("acme/pay",))
    shared = tables(facts)
    for measure in ("rollback_rate", "deployment_count"):
        what = definition(
            measure, environment=environment, count=count, rollback_rules=rules, rollback_mark=mark, min_samples=0
        )
        check(what, world, [as_of], CYCLE, shared)


def test_the_worst_of_several_services_agrees_with_plain_loops() -> None:
    for seed in range(10):
        rng = random.Random(seed)
        subjects = ("acme/pay", "acme/ledger", "acme/idle")
        as_of = datetime(2026, 11, 1, tzinfo=UTC)
        facts = histories.deployments(rng, BEGIN, 120, subjects[:2])
        world = oracle.World(facts, [(BEGIN, as_of)], Calendar(), as_of, subjects if seed % 2 else subjects[:2])
        what = definition("deployment_frequency", across="worst", environment="prod*")
        evidence = Evidence(
            tables=tables(facts), coverage=TimeRanges.of(TimeRange(BEGIN, as_of)), subjects=world.subjects
        )
        measurement = Measurement(what, evidence, Calendar(), as_of)
        (reading,) = measurement.readings([as_of], CYCLE)
        expected = oracle.reading(what, world, as_of, CYCLE)
        assert (reading.value, reading.n) == (pytest.approx(expected.value), expected.n)
        check_explanation(what, measurement, reading, expected)


def test_the_order_in_which_facts_are_stored_says_nothing() -> None:
    rng = random.Random(4)
    facts = histories.deployments(rng, BEGIN, 150, ("acme/pay",))
    as_of = datetime(2026, 11, 1, tzinfo=UTC)
    coverage = TimeRanges.of(TimeRange(BEGIN, as_of))
    for measure in TRACKED:
        what = definition(measure, environment="prod*")
        seen = set()
        for order in (facts, facts[::-1], sorted(facts, key=lambda f: f.key)):
            one = Measurement(what, Evidence(tables=tables(order), coverage=coverage), Calendar(), as_of)
            seen.add(repr(one.readings([as_of], CYCLE)))
        assert len(seen) == 1
