"""A long history costs an evaluation nothing, and changes nothing of what is said."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from keyresults.config.load import load
from keyresults.jobs.bindings import Bindings, questions
from keyresults.jobs.evaluate import evaluate
from keyresults.jobs.evidence import Evaluation
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.facts import Run, Sample
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.stream import Batch, Stream

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BEGAN = datetime(2021, 1, 1, tzinfo=UTC)

CONFIG = """
[tracker]
timezone = "UTC"
cycle = "2026-Q4"

[sources.prometheus]
type = "prometheus"
url = "http://localhost:9090"

[sources.github]
type = "github"
repositories = ["acme/shop"]
token = { env = "GITHUB_TOKEN" }

[metrics.p99]
source = "prometheus"
query = "p99"
unit = "ms"
aggregate = "mean"
better = "lower"
window = "28d"
exclude = [{ from = 2026-11-16, to = 2026-11-22, reason = "load tests" }]

[metrics.slowest]
source = "prometheus"
query = "slowest"
unit = "ms"
aggregate = "max"
better = "lower"
window = "cycle"

[metrics.newest]
source = "prometheus"
query = "newest"
unit = "count"
aggregate = "last"
better = "lower"

[metrics.latency]
source = "prometheus"
measure = "histogram_quantile"
histogram = "latency_bucket"
quantile = 0.99
unit = "s"
window = "14d"

[metrics.green]
source = "github"
measure = "ci_success_rate"
workflow = "tests"

[metrics.fast]
source = "github"
measure = "ci_duration"
workflow = "tests"
quantile = 0.9

[metrics.given_up]
source = "github"
measure = "ci_success_rate"
workflow = "nightly"

[metrics.never]
source = "github"
measure = "ci_flaky_rate"
workflow = "unheard"

[[objectives]]
id = "fast"
title = "Nobody waits"
"""
TARGETS = {
    "p99": '"80ms"',
    "slowest": '"150ms"',
    "newest": "10",
    "latency": '"0.2s"',
    "green": '"99%"',
    "fast": '"300s"',
    "given_up": '"99%"',
    "never": '"1%"',
}


@pytest.fixture
def lived(tmp_path):
    """Almost six years of samples, histograms and runs; one source has been silent for half a year."""
    chance = random.Random(5)
    (tmp_path / "keyresults.toml").write_text(CONFIG + "".join(_key_result(*one) for one in TARGETS.items()))
    with Workspace(load(tmp_path / "keyresults.toml"), writing=True, clock=lambda: NOW) as opened:
        bindings = Bindings(opened.config, opened.store)
        for metric in opened.config.metrics.values():
            (question,) = questions(metric)
            subject = "prometheus" if question.source == "prometheus" else "acme/shop"
            stream = Stream(question.source, question.kind, subject, question.query)
            end = NOW - 180 * DAY if metric.name == "slowest" else NOW
            facts = tuple(_facts(metric.name, chance, end))
            opened.store.write(stream, Batch(facts=facts, covered=TimeRanges.of(TimeRange(BEGAN, end))), NOW)
            bindings.remember(question, [stream])
        yield opened


def _key_result(metric, to):
    limit = "at_least" if metric in ("green", "given_up") else "at_most"
    return f"""
  [[objectives.key_results]]
  id = "{metric}"
  title = "{metric}"
  metric = "{metric}"
  target = {{ {limit} = {to} }}
"""


def _facts(metric, chance, end):
    days = (BEGAN + number * DAY for number in range((end - BEGAN).days))
    if metric == "newest":
        yield _sample(BEGAN + 9 * DAY, 12.0)  # never again: it is carried forward for years
    elif metric in ("p99", "slowest"):
        yield from (_sample(day, 100 + 20 * chance.random()) for day in days)
    elif metric == "latency":
        for day in days:
            seen = chance.randrange(50, 90)
            yield _sample(day, None, {"0.1": seen, "0.5": seen + 9, "+Inf": seen + 10})
    else:
        workflow = {"given_up": "nightly", "never": "other"}.get(metric, "tests")
        until = BEGAN + 90 * DAY if metric == "given_up" else end
        yield from (_run(day, workflow, chance) for day in days if day < until)


def _sample(day, value, parts=None):
    return Sample(
        key=day.isoformat(), subject="prometheus", at=day, until=day + DAY, value=value, parts=parts or {}, final=True
    )


def _run(day, workflow, chance, run="", attempt=1):
    return Run(
        key=day.isoformat(),
        subject="acme/shop",
        workflow=workflow,
        run=run or day.isoformat(),
        attempt=attempt,
        branch="main",
        commit="c1",
        conclusion="failure" if chance.random() < 0.1 else "success",
        created_at=day + 9 * DAY / 24,
        started_at=day + 9 * DAY / 24,
        completed_at=day + 9 * DAY / 24 + timedelta(seconds=chance.randrange(100, 900)),
    )


def test_the_same_is_said_as_by_the_whole_history(lived):
    for as_of in (NOW, NOW - 20 * DAY):
        whole = evaluate(lived, as_of=as_of, evaluation=Evaluation(lived.config, lived.store, as_of))
        assert evaluate(lived, as_of=as_of).to_json() == whole.to_json()


def test_facts_that_can_no_longer_matter_are_not_read(lived):
    evaluation = Evaluation(lived.config, lived.store, NOW, of_key_results=True)
    read = {name: len(evaluation.measurement(name).counted.at) for name in ("p99", "latency", "green")}
    # Two years, a week and a month at most; every day of them but those excluded.
    assert all(735 - 7 < number < 735 + 32 for number in read.values())
    whole = Evaluation(lived.config, lived.store, NOW)
    assert len(whole.measurement("latency").counted.at) == (NOW - BEGAN).days
    # A value is carried forward from however long ago, and only the whole past knows that nothing was ever seen.
    assert len(evaluation.measurement("newest").counted.at) == 1
    assert "no such run was ever seen" in (evaluation.measurement("never").refusal or "")
    assert evaluation.measurement("given_up").refusal is None


LATE = """
[tracker]
timezone = "UTC"
cycle = "2026-Q4"

[sources.prometheus]
type = "prometheus"
url = "http://localhost:9090"

[metrics.late]
source = "prometheus"
query = "late"
unit = "ms"
aggregate = "mean"
better = "lower"
window = "120d"
max_age = "90d"
min_samples = 5

[[objectives]]
id = "fast"
title = "Nobody waits"
"""


def test_a_forecast_looks_back_from_where_data_ended_then_not_from_where_it_ends_now(tmp_path):
    chance, as_of = random.Random(5), NOW - 2 * DAY
    (tmp_path / "keyresults.toml").write_text(LATE + _key_result("late", '"80ms"'))
    ended, again = NOW - 82 * DAY, NOW - DAY
    days = (BEGAN + number * DAY for number in range((NOW - BEGAN).days))
    # It grew all the time: facts left out make another forecast.
    facts = [_sample(day, 50 + (day - BEGAN) / (10 * DAY) + chance.random()) for day in days]
    facts = [fact for fact in facts if not ended <= fact.at < again]
    covered = TimeRanges.of(TimeRange(BEGAN, ended), TimeRange(again, NOW))
    with Workspace(load(tmp_path / "keyresults.toml"), writing=True, clock=lambda: NOW) as opened:
        (question,) = questions(opened.config.metrics["late"])
        stream = Stream(question.source, question.kind, "prometheus", question.query)
        opened.store.write(stream, Batch(facts=tuple(facts), covered=covered), NOW)
        Bindings(opened.config, opened.store).remember(question, [stream])
        whole = evaluate(opened, as_of=as_of, evaluation=Evaluation(opened.config, opened.store, as_of))
        assert whole.objectives[0].key_results[0].forecast is not None
        assert evaluate(opened, as_of=as_of).to_json() == whole.to_json()


FLAKY = """
[tracker]
timezone = "UTC"
cycle = "2021-Q3"

[sources.github]
type = "github"
repositories = ["acme/shop"]
token = { env = "GITHUB_TOKEN" }

[metrics.flaky]
source = "github"
measure = "ci_flaky_rate"
workflow = "tests"
min_samples = 1

[[objectives]]
id = "fast"
title = "Nobody waits"
"""


def test_a_run_is_flaky_however_long_ago_its_first_attempt_failed(tmp_path):
    failed, passed = datetime(2021, 2, 20, tzinfo=UTC), datetime(2021, 6, 20, tzinfo=UTC)
    (tmp_path / "keyresults.toml").write_text(FLAKY + _key_result("flaky", '"1%"'))
    attempts = [_run(failed, "tests", random.Random(1), "1", 1), _run(passed, "tests", random.Random(1), "1", 2)]
    attempts = [replace(one, conclusion=how) for one, how in zip(attempts, ("failure", "success"), strict=True)]
    with Workspace(load(tmp_path / "keyresults.toml"), writing=True, clock=lambda: NOW) as opened:
        (question,) = questions(opened.config.metrics["flaky"])
        stream = Stream(question.source, question.kind, "acme/shop", question.query)
        covered = TimeRanges.of(TimeRange(BEGAN, NOW))
        opened.store.write(stream, Batch(facts=tuple(attempts), covered=covered), NOW)
        Bindings(opened.config, opened.store).remember(question, [stream])
        days = evaluate(opened, as_of=NOW).objectives[0].key_results[0].series
    assert (days[0].day.isoformat(), days[0].value) == ("2021-07-01", 1.0)
