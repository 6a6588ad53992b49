"""From a real Prometheus to readings: every number beside the same question asked by plain HTTP.

Ninety days with restarts, missed scrapes and a service that goes quiet are collected at several
times, in a zone whose clocks change on the way; the tracker believes that the days are just past.
"""

from __future__ import annotations

import json
import math
import statistics
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from pathlib import Path

import pytest
from keyresults.config.load import load
from keyresults.jobs.collect import backfill, collect
from keyresults.jobs.evaluate import evaluate, metric_series
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.reading import Health, Reading
from standins.latencies import END, GONE, IDLE, START
from truth_scenes import Command

pytestmark = pytest.mark.soak  # ninety days of a real Prometheus: in CI, and not for every change

BERLIN = Calendar("Europe/Berlin")
FIRST = date(2026, 8, 23)
NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
TIMES = (datetime(2026, 10, 9, 4, tzinfo=UTC), datetime(2026, 10, 25, 22, 30, tzinfo=UTC), NOW)
"""When it was collected; the second time lies in the last hour of the day that has 25."""

P99 = 'histogram_quantile(0.99, sum by (le) (rate(latency_seconds_bucket{service="payments"}[$day])))'
MEDIAN = 'histogram_quantile(0.5, sum by (le) (increase(latency_seconds_bucket{service="ledger"}[$day])))'
DEPTH = "max by (service) (avg_over_time(depth[$day]))"
REQUESTS = 'sum by (service) (increase(latency_seconds_bucket{le="+Inf"}[$day]))'
BUCKETS = 'latency_seconds_bucket{service="%s"}'

CONFIG = """
[tracker]
timezone = "Europe/Berlin"
cycle = "2026-Q4"

[sources.prometheus]
type = "prometheus"
url = "{url}"

{metrics}
[[objectives]]
id = "fast"
title = "Answer fast"

{key_results}"""

KEY_RESULT = """
  [[objectives.key_results]]
  id = "kr-{name}"
  title = "Better {name}"
  metric = "{name}"
  baseline = 1.0
  target = {{ to = 0.5 }}
"""

METRICS = {
    "p99": f'query = \'{P99}\'\nunit = "s"\naggregate = "last"\nwindow = "1d"',
    "median": f'query = \'{MEDIAN}\'\nunit = "s"\naggregate = "last"\nwindow = "1d"',
    "deepest": f'query = \'{DEPTH}\'\nby = "service"\nacross = "max"\naggregate = "last"\nwindow = "1d"',
    "chosen": f'query = \'{DEPTH}\'\nby = "service"\nselect = "ledger"\naggregate = "last"\nwindow = "1d"',
    "busy": f"query = '{DEPTH}'\nby = \"service\"\nselect = \"ledger\"\ncount = '{REQUESTS}'\nmin_count = 900\n"
    'aggregate = "last"\nwindow = "1d"',
    "in-ms": f'query = \'1000 * {P99}\'\nunit = "ms"\naggregate = "median"\nwindow = "7d"',
    "week": f'histogram = \'{BUCKETS % "payments"}\'\nquantile = 0.99\nunit = "s"\nwindow = "7d"',
    "month": f'histogram = \'{BUCKETS % "payments"}\'\nquantile = 0.9\nunit = "s"\nwindow = "28d"',
    "quiet-week": f'histogram = \'{BUCKETS % "ledger"}\'\nquantile = 0.5\nunit = "s"\nwindow = "7d"',
    "all": 'histogram = \'latency_seconds_bucket\'\nquantile = 0.95\nunit = "s"\nwindow = "28d"',
}

Answers = dict[tuple[tuple[str, str], ...], float]
Ask = Callable[[str, date], Answers]


def write_tracker(folder: Path, url: str, metrics: dict[str, str]) -> Path:
    told = "\n".join(f'[metrics.{name}]\nsource = "prometheus"\n{said}\n' for name, said in metrics.items())
    key_results = "".join(KEY_RESULT.format(name=name) for name in metrics)
    config = folder / "keyresults.toml"
    config.write_text(CONFIG.format(url=url, metrics=told, key_results=key_results))
    return config


@pytest.fixture(scope="module")
def config(prometheus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracker that collected at all the times, and was then asked to reach back to before the server's memory."""
    config = write_tracker(tmp_path_factory.mktemp("tracker"), prometheus.url, METRICS)
    for now in TIMES:
        with Workspace(load(config), writing=True, clock=partial(_same, now)) as one:
            assert not collect(one).failed
    with Workspace(load(config), writing=True, clock=partial(_same, NOW)) as one:
        assert not backfill(one, since=FIRST - timedelta(days=4)).failed
    return config


def _same(now: datetime) -> datetime:
    return now


@pytest.fixture(scope="module")
def ask(prometheus) -> Ask:
    """A question about a local day (the open one up to now), by plain HTTP; NaN is no answer."""

    @cache
    def asked(promql: str, day: date) -> Answers:
        start, end = BERLIN.start_of(day), min(BERLIN.end_of(day), NOW)
        promql = promql.replace("$day", f"{(end - start) // timedelta(seconds=1)}s")
        result = by_http(prometheus.url, promql, end)["data"]["result"]
        found = {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in result}
        return {labels: value for labels, value in found.items() if not math.isnan(value)}

    return asked


def by_http(url: str, promql: str, at: datetime) -> dict:
    query = urllib.parse.urlencode({"query": promql, "time": f"{at.timestamp():.3f}"})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        return json.load(refused)


def series(config: Path, name: str, since: date = FIRST) -> list[Reading]:
    with Workspace(load(config), clock=lambda: NOW) as one:
        return list(metric_series(one, name, since=since, until=None, as_of=NOW).readings)


def days_since(first: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((BERLIN.day_of(NOW) - first).days + 1)]


ledger = (("service", "ledger"),)
SINGLE: dict[str, Callable[[Ask, date], float | None]] = {
    "p99": lambda ask, day: ask(P99, day).get(()),
    "median": lambda ask, day: ask(MEDIAN, day).get(()),
    "deepest": lambda ask, day: max(ask(DEPTH, day).values(), default=None),
    "chosen": lambda ask, day: ask(DEPTH, day).get(ledger),
    "busy": lambda ask, day: ask(DEPTH, day).get(ledger) if ask(REQUESTS, day).get(ledger, 0) >= 900 else None,
}


@pytest.mark.parametrize("name", SINGLE)
def test_each_days_reading_is_what_plain_http_says_at_its_end(config: Path, ask: Ask, name: str) -> None:
    readings = series(config, name)
    days = days_since(FIRST)
    assert [r.day for r in readings] == days
    assert [r.at for r in readings] == [min(BERLIN.end_of(day), NOW) for day in days]
    for reading in readings:
        expected = SINGLE[name](ask, reading.day)
        assert reading.value == expected, reading
        assert reading.health is (Health.NO_DATA if expected is None else Health.OK), reading


def test_quiet_days_have_no_reading(config: Path) -> None:
    """Neither days without anything nor days without requests have a value; days they begin or end on do."""
    for name, times in (("median", (GONE, IDLE)), ("chosen", (GONE,))):
        silent = {r.day for r in series(config, name) if r.value is None}
        # The quiet times are whole UTC days; one that begins at 02:00 in Berlin leaves its first day two hours.
        expected = {
            day
            for start, end in times
            for day in days_since(FIRST)
            if BERLIN.start_of(day) >= start and BERLIN.end_of(day) <= end
        }
        assert len(expected) == (5 if len(times) == 1 else 8)
        assert silent == expected


def test_a_few_requests_are_too_few(config: Path, ask: Ask) -> None:
    few = [r.day for r in series(config, "busy") if r.value is None]
    assert 0 < len(few) < len(days_since(FIRST))
    assert few == [day for day in days_since(FIRST) if ask(REQUESTS, day).get(ledger, 0) < 900]


def test_an_aggregate_over_a_week_is_that_of_the_days_answers(config: Path, ask: Ask) -> None:
    readings = series(config, "in-ms", FIRST + timedelta(days=7))
    for reading in readings[:-1]:
        week = [reading.day - timedelta(days=n) for n in range(7)]
        # Seconds, whatever the unit that the query answers in.
        answers = [ask(f"1000 * {P99}", day)[()] / 1000 for day in week]
        assert reading.value == pytest.approx(statistics.median(answers), rel=1e-12)
        assert (reading.n, reading.health) == (7, Health.OK)


HISTOGRAMS = [
    ("week", "payments", 0.99, 7),
    ("month", "payments", 0.9, 28),
    ("quiet-week", "ledger", 0.5, 7),
    ("all", None, 0.95, 28),
]


@pytest.mark.parametrize(("name", "service", "quantile", "length"), HISTOGRAMS)
def test_a_quantile_over_a_window_is_that_of_the_merged_buckets(
    config: Path, ask: Ask, prometheus, name: str, service: str | None, quantile: float, length: int
) -> None:
    selector = BUCKETS % service if service else "latency_seconds_bucket"
    for reading in series(config, name, FIRST + timedelta(days=length))[:-1]:
        window = [reading.day - timedelta(days=n) for n in range(length)]
        merged = merged_buckets([ask(f"sum by (le) (increase({selector}[$day]))", day) for day in window])
        assert reading.n == pytest.approx(merged[math.inf], rel=1e-12)
        assert reading.value == pytest.approx(quantile_of(quantile, merged), rel=1e-9), reading
        assert reading.health is Health.OK


def merged_buckets(days: list[Answers]) -> dict[float, float]:
    merged: dict[float, float] = {}
    for day in days:
        counts = {float(dict(labels)["le"]): count for labels, count in day.items()}
        if counts.get(math.inf, 0) > 0:  # a day without requests says nothing
            for bound, count in counts.items():
                merged[bound] = merged.get(bound, 0) + count
    return merged


def quantile_of(q: float, cumulative: dict[float, float]) -> float:
    """By walking up the buckets: linear inside the one that holds it, the lower bound of the last."""
    rank, lower, below = q * cumulative[math.inf], 0.0, 0.0
    for bound in sorted(cumulative):
        if cumulative[bound] >= rank:
            return (
                lower if bound == math.inf else lower + (bound - lower) * (rank - below) / (cumulative[bound] - below)
            )
        lower, below = bound, cumulative[bound]
    raise AssertionError("the last bucket holds everything")


def test_the_merged_buckets_are_close_to_what_really_happened(config: Path, prometheus) -> None:
    """Prometheus loses the requests between a restart and the scrape before it, and extrapolates a little."""
    for reading in series(config, "month", FIRST + timedelta(days=28))[:-1:5]:
        happened = prometheus.history.requests("payments", reading.window.start, reading.window.end)
        assert reading.n == pytest.approx(happened["+Inf"], rel=0.01)
        true = quantile_of(0.9, {float(bound): float(count) for bound, count in happened.items()})
        assert reading.value == pytest.approx(true, rel=0.02)


def test_key_results_are_judged_by_the_same_days(config: Path) -> None:
    """Days kept from one collection to the next say what one computation over all of them says."""
    with Workspace(load(config), clock=lambda: NOW) as one:
        (objective,) = evaluate(one, as_of=NOW).objectives
        for kr in objective.key_results:
            told = metric_series(one, kr.judgement.metric, since=None, until=None, as_of=NOW)
            assert [(d.day, d.value, d.health) for d in kr.series] == [
                (r.day, r.value, r.health) for r in told.readings
            ]


def test_collecting_once_says_the_same(config: Path, prometheus, tmp_path: Path) -> None:
    late = write_tracker(tmp_path, prometheus.url, METRICS)
    with Workspace(load(late), writing=True, clock=lambda: NOW) as one:
        assert not backfill(one, since=FIRST - timedelta(days=4)).failed
    for name in METRICS:
        for alone, bit_by_bit in zip(series(late, name), series(config, name), strict=True):
            # Notes also tell what the last collection met with.
            assert replace(alone, notes=()) == replace(bit_by_bit, notes=()), name


def test_days_before_the_servers_memory_have_no_reading(config: Path) -> None:
    for name in METRICS:
        before = series(config, name, FIRST - timedelta(days=4))[:4]
        assert [(r.value, r.health, r.n) for r in before] == [(None, Health.NO_DATA, 0)] * 4


class TestQueriesThatCannotBeAnswered:
    """Through the command, as people meet them."""

    SEVERAL = "avg_over_time(depth[$day])"
    BROKEN = "sum(rate(latency_seconds_bucket[1d])"

    @pytest.fixture
    def command(self, prometheus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
        self.url = prometheus.url
        metrics = {
            "several": f"query = '{self.SEVERAL}'",
            "broken": f"query = '{self.BROKEN}'",
            "fine": METRICS["p99"],
        }
        return Command(write_tracker(tmp_path, prometheus.url, metrics), capsys)

    def test_they_are_told_with_their_reason_and_cost_the_others_nothing(self, command: Command, ask: Ask) -> None:
        code, out, err = command(NOW, "collect")
        assert code == 3
        told = " ".join((out + err).split())
        refusal = by_http(self.url, self.BROKEN, NOW)
        assert refusal["status"] == "error"
        assert refusal["error"] in told
        for service in ("payments", "ledger"):
            assert f'service="{service}"' in told
        errors = [s["last_error"] for s in command.json(NOW, "sources") if s["last_error"]]
        assert len(errors) == 2
        assert any(refusal["error"] in error for error in errors)
        assert any("2 series" in e and 'service="ledger"' in e and 'service="payments"' in e for e in errors)
        (objective,) = command.json(NOW, "status")["objectives"]
        by_id = {kr["id"]: kr for kr in objective["key_results"]}
        for name in ("several", "broken"):
            kr = by_id[f"kr-{name}"]
            assert (kr["status"], kr["reading"]["value"], kr["reading"]["health"]) == ("unknown", None, "failed")
            assert kr["reading"]["notes"]
        assert by_id["kr-fine"]["reading"]["value"] == ask(P99, BERLIN.day_of(NOW))[()]

    def test_a_mended_query_is_collected_from_the_start(self, command: Command, ask: Ask, tmp_path: Path) -> None:
        assert command(NOW, "collect")[0] == 3
        config = tmp_path / "keyresults.toml"
        mended = config.read_text().replace(
            f"query = '{self.BROKEN}'", f'query = \'{P99}\'\nwindow = "1d"\nunit = "s"\naggregate = "last"'
        )
        config.write_text(mended.replace(f"query = '{self.SEVERAL}'", f"query = 'max({self.SEVERAL})'"))
        code, out, err = command(NOW, "collect")
        assert code == 0, out + err
        readings = command.json(NOW, "metric", "broken", "--since", "2026-10-01")["readings"]
        assert [r["value"] for r in readings] == [ask(P99, day)[()] for day in days_since(date(2026, 10, 1))]


def test_the_data_lies_around_the_days_read() -> None:
    assert START < BERLIN.end_of(FIRST) < NOW < END
