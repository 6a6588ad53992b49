"""From GitHub's answers to readings: every number beside plain loops over the list of what really happened.

A stand-in tells of made-up histories as far as they have come; they are collected at several times
while they unfold, and what is read from the store is held against the oracle, which knows the whole
history, the future included.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import oracle
import pytest
from keyresults.collectors import github_client
from keyresults.config.load import load
from keyresults.jobs.clock import parse_as_of
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate, explain, metric_series
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.definition import MetricDefinition
from keyresults.metrics.facts import Deployment, Run, StatusChange
from keyresults.metrics.reading import Reading
from keyresults.metrics.unit import PER_WORKDAY
from metric_cases import definition
from standins import histories
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_world import World

# Many histories, each collected several times: too long for every change, and in CI all the same.
pytestmark = pytest.mark.soak

PAYMENTS, LEDGER = "acme/payments", "acme/ledger"
BOTH = (PAYMENTS, LEDGER)
BERLIN = Calendar("Europe/Berlin", holidays=frozenset({date(2026, 10, 30)}))
CYCLE = datetime(2026, 9, 30, 22, tzinfo=UTC)
ASKED_FROM = datetime(2026, 9, 1, 22, tzinfo=UTC)
"""Midnight in Berlin, a day more than the longest window before the cycle's start."""

UNCLAIMED = timedelta(minutes=1)
"""GitHub's lists lag behind: a collection answers for the time up to a minute before it."""

POINTS = (
    datetime(2026, 10, 6, 7, 12, 33, 400_000, tzinfo=UTC),
    datetime(2026, 10, 20, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 10, 27, 22, 59, 20, tzinfo=UTC),
    datetime(2026, 11, 12, 12, 0, 0, 1, tzinfo=UTC),
)
"""When the whole is looked at; Berlin leaves summer time between the second and the third."""

SEEDS = (1, 2)

JUDGED = (
    "per-workday",
    "worst",
    "days",
    "count",
    "rollbacks",
    "everywhere",
    "duration",
    "attempts",
    "run-rollbacks",
    "ci",
)
"""Metrics of key results: their readings of finished days are kept in the store."""

Facts = Callable[[Sequence[Deployment | Run]], list[Deployment | Run]]


@dataclass(frozen=True)
class Metric:
    """What the config says of a metric, and the same for the oracle; `facts` are those it may look at."""

    said: str
    meant: MetricDefinition
    facts: Facts = lambda facts: [f for f in facts if isinstance(f, Deployment)]
    subjects: tuple[str, ...] = BOTH


def one(said: str, meant: MetricDefinition, facts: Facts = Metric.facts) -> Metric:
    return Metric(f'{said}\nrepositories = ["{PAYMENTS}"]', meant, facts, (PAYMENTS,))


def deploying(happened: Sequence[Deployment | Run]) -> list[Deployment | Run]:
    """Attempts of deploy.yml on main as deployments: successful when the attempt was."""
    told = {"success": "success", "failure": "failure", "timed_out": "failure", "startup_failure": "error"}
    found: list[Deployment | Run] = []
    for run in happened:
        if isinstance(run, Run) and run.workflow == "deploy.yml" and run.branch == "main" and not is_forked(run):
            assert run.started_at is not None
            assert run.completed_at is not None
            statuses = [StatusChange("in_progress", run.started_at)]
            if run.conclusion in told:
                statuses.append(StatusChange(told[run.conclusion], run.completed_at))
            found.append(
                Deployment(
                    key=run.key,
                    subject=run.subject,
                    environment="production",
                    commit=run.commit,
                    created_at=run.created_at,
                    statuses=tuple(statuses),
                    run=run.key,
                )
            )
    return found


def is_forked(run: Run) -> bool:
    return int(run.run) % 17 == 0


def on_main(happened: Sequence[Deployment | Run]) -> list[Deployment | Run]:
    return [
        f
        for f in every_run(happened)
        if isinstance(f, Run) and f.workflow == "ci.yml" and not is_forked(f) and f.branch == "main"
    ]


def every_run(happened: Sequence[Deployment | Run]) -> list[Deployment | Run]:
    return [f for f in happened if isinstance(f, Run)]


WORKFLOW = 'deployments = { workflow = "deploy.yml" }'
DAY = {"max_age": timedelta(days=1)}
METRICS = {
    "per-day": one('measure = "deployment_frequency"', definition("deployment_frequency", **DAY)),
    "per-workday": one(
        'measure = "deployment_frequency"\nper = "workday"\nwindow = "2w"',
        definition("deployment_frequency", "14d", unit=PER_WORKDAY, **DAY),
    ),
    "summed": Metric(
        'measure = "deployment_frequency"\nacross = "sum"', definition("deployment_frequency", across="sum", **DAY)
    ),
    "worst": Metric(
        'measure = "deployment_frequency"\nacross = "worst"\nwindow = "7d"',
        definition("deployment_frequency", "7d", across="worst", **DAY),
    ),
    "days": one('measure = "deployment_days"', definition("deployment_days", **DAY)),
    "count": Metric('measure = "deployment_count"\nwindow = "cycle"', definition("deployment_count", "cycle", **DAY)),
    "rollbacks": Metric('measure = "rollback_rate"', definition("rollback_rate", **DAY)),
    "newest": one(
        'measure = "rollback_rate"\nrollback = { mark = "newest" }',
        definition("rollback_rate", rollback_mark="newest", **DAY),
    ),
    "marked": Metric(
        'measure = "rollback_rate"\nrollback = { rules = ["version_return", "marked"] }\nwindow = "cycle"',
        definition("rollback_rate", "cycle", rollback_rules=("version_return", "marked"), **DAY),
    ),
    "everywhere": Metric(
        'measure = "rollback_rate"\nenvironment = "*production"\ncount = "last"\nsettle = "5d"\n'
        'duplicates_within = "1m"',
        definition(
            "rollback_rate",
            environment="*production",
            count="last",
            settle=timedelta(days=5),
            duplicates_within=timedelta(minutes=1),
            **DAY,
        ),
    ),
    "duration": Metric('measure = "deployment_duration"', definition("deployment_duration", **DAY)),
    "duration-p90": one(
        'measure = "deployment_duration"\nquantile = 0.9', definition("deployment_duration", quantile=0.9, **DAY)
    ),
    "attempts": Metric(
        'measure = "deployment_attempt_failure_rate"', definition("deployment_attempt_failure_rate", **DAY)
    ),
    "runs-per-day": one(
        f'measure = "deployment_frequency"\n{WORKFLOW}', definition("deployment_frequency", **DAY), deploying
    ),
    "run-rollbacks": Metric(f'measure = "rollback_rate"\n{WORKFLOW}', definition("rollback_rate", **DAY), deploying),
    "run-duration": Metric(
        f'measure = "deployment_duration"\n{WORKFLOW}\nwindow = "14d"',
        definition("deployment_duration", "14d", **DAY),
        deploying,
    ),
    "run-attempts": one(
        f'measure = "deployment_attempt_failure_rate"\n{WORKFLOW}',
        definition("deployment_attempt_failure_rate", **DAY),
        deploying,
    ),
    "ci": Metric(
        'measure = "ci_success_rate"\nworkflow = "ci.yml"\nwindow = "14d"',
        definition("ci_success_rate", "14d", **DAY),
        on_main,
    ),
    "ci-everywhere": one('measure = "ci_success_rate"\nbranch = "*"', definition("ci_success_rate", **DAY), every_run),
    "ci-duration": Metric('measure = "ci_duration"\nworkflow = "ci.yml"', definition("ci_duration", **DAY), on_main),
    "ci-p90": one(
        'measure = "ci_duration"\nbranch = "*"\nquantile = 0.9\nwindow = "1w"',
        definition("ci_duration", "7d", quantile=0.9, **DAY),
        every_run,
    ),
}

CONFIG = """
[tracker]
timezone = "Europe/Berlin"
cycle = "2026-Q4"

[calendar]
holidays = [2026-10-30]

[sources.github]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = ["acme/payments", "acme/ledger"]

{metrics}
[[objectives]]
id = "flow"
title = "Ship calmly"

{key_results}"""

KEY_RESULT = """
  [[objectives.key_results]]
  id = "kr-{name}"
  title = "Better {name}"
  metric = "{name}"
  target = {{ from = 0.1, to = 0.9 }}
"""


def history(seed: int) -> dict[str, list[Deployment | Run]]:
    """Two repositories over nine weeks; the second is the quieter one."""
    told: dict[str, list[Deployment | Run]] = {}
    for n, (name, often) in enumerate(((PAYMENTS, 3.0), (LEDGER, 1.5))):
        began = {"subject": name, "start": datetime(2026, 9, 4, tzinfo=UTC), "days": 64}
        told[name] = [
            *histories.deployments(seed * 10 + n, per_day=often, first_key=1000 + 100_000 * n, **began),
            *histories.runs(seed * 10 + n, per_day=1.4 * often, first_run=50_000 + 100_000 * n, **began),
        ]
    return told


@dataclass(frozen=True)
class Unfolded:
    """What really happened and will happen, and the tracker's folder as it was at each point."""

    happened: list[Deployment | Run]
    folders: dict[datetime, Path]
    known: dict[tuple[str, datetime, datetime, datetime], oracle.Expected] = field(default_factory=dict)

    def workspace(self, point: datetime) -> Workspace:
        return Workspace(load(self.folders[point] / "keyresults.toml"), clock=lambda: point)

    def world(self, name: str, point: datetime, as_of: datetime) -> oracle.World:
        """What is known by `as_of` to a tracker that last collected at `point`."""
        asked = METRICS[name]
        ours = [f for f in asked.facts(self.happened) if f.subject in asked.subjects and f.created_at <= as_of]
        return oracle.World(ours, [(ASKED_FROM, point - UNCLAIMED)], BERLIN, as_of, asked.subjects)

    def expected(self, name: str, at: datetime, point: datetime, as_of: datetime) -> oracle.Expected:
        asked = (name, at, point, as_of)
        if asked not in self.known:
            self.known[asked] = oracle.reading(METRICS[name].meant, self.world(name, point, as_of), at, CYCLE)
        return self.known[asked]


def write_tracker(folder: Path, url: str) -> Path:
    folder.mkdir()
    (folder / "token").write_text(TOKEN)
    metrics = "\n".join(f'[metrics.{n}]\nsource = "github"\n{m.said}\n' for n, m in METRICS.items())
    key_results = "".join(KEY_RESULT.format(name=name) for name in JUDGED)
    config = folder / "keyresults.toml"
    config.write_text(CONFIG.format(url=url, metrics=metrics, key_results=key_results))
    return config


def collect_at(now: datetime, config: Path, server: GitHubStandIn) -> None:
    server.world.now = now
    with pytest.MonkeyPatch.context() as unpaced, Workspace(load(config), writing=True, clock=lambda: now) as one:
        unpaced.setattr(github_client, "PER_MINUTE", {})  # weeks go by in seconds here
        result = collect(one)
    assert not result.failed, result


def times_until(point: datetime, now: datetime, chance: random.Random) -> Iterator[datetime]:
    """Now and then, and at the point: then a day after the last time, so that all that may change is read again."""
    while True:
        now += timedelta(hours=chance.choice((3, 60, 150, 220)), seconds=chance.random())
        if now > point - timedelta(hours=25):
            break
        yield now
    yield point


def world_of(told: dict[str, list[Deployment | Run]]) -> World:
    world = World(datetime(2026, 10, 1, 12, tzinfo=UTC))
    for name, facts in told.items():
        world.add(name, facts, forks={f.run for f in facts if isinstance(f, Run) and is_forked(f)})
    return world


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"history {seed}")
def unfolded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Unfolded:
    told = history(request.param)
    chance = random.Random(request.param)
    base = tmp_path_factory.mktemp("unfolded")
    folders: dict[datetime, Path] = {}
    with github(world_of(told)) as server:
        config = write_tracker(base / "tracker", server.url)
        for point in POINTS:
            for now in times_until(point, server.world.now, chance):
                collect_at(now, config, server)
            folders[point] = Path(shutil.copytree(config.parent, base / f"{point:%m-%d}"))
    return Unfolded([fact for facts in told.values() for fact in facts], folders)


def check(reading: Reading, expected: oracle.Expected, *where: object) -> None:
    assert (reading.health, reading.value is None) == (expected.health, expected.value is None), (reading, where)
    assert reading.covered == pytest.approx(expected.covered), (reading, where)
    if expected.value is None:
        return
    assert reading.value == pytest.approx(expected.value, rel=1e-9, abs=1e-12), (reading, expected, where)
    assert reading.n == expected.n, (reading, expected, where)
    if expected.numerator is not None:
        assert reading.numerator == expected.numerator, (reading, expected, where)
        assert reading.denominator == pytest.approx(expected.denominator), (reading, expected, where)


def instants_until(as_of: datetime) -> list[datetime]:
    """Each day's end since the cycle began, and `as_of` for the open day."""
    ends = BERLIN.day_ends(CYCLE, as_of)
    return ends if ends[-1] == as_of else [*ends, as_of]


def test_the_histories_hold_what_makes_counting_hard(unfolded: Unfolded) -> None:
    point = POINTS[-1]
    placed = oracle.walk(METRICS["rollbacks"].meant, unfolded.world("rollbacks", point, point))
    roles = Counter(p.role for p in placed)
    assert min(roles[role] for role in ("forward", "rollback", "redeploy", "duplicate")) >= 3, roles
    # Rollbacks over several versions: more versions came back than there were rollbacks.
    assert sum(p.rolled_back for p in placed) > roles["rollback"]
    runs = oracle.walk(METRICS["run-rollbacks"].meant, unfolded.world("run-rollbacks", point, point))
    assert any(p.role == "rollback" for p in runs)
    for when in POINTS:
        running = [f for f in histories.known_by(unfolded.happened, when) if isinstance(f, Run) and not f.conclusion]
        assert when == POINTS[-1] or running
        assert any(isinstance(f, Deployment) and oracle.success(f, when) is None for f in unfolded.happened)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point:%m-%d}")
def test_readings_agree_with_plain_loops_while_the_history_unfolds(unfolded: Unfolded, point: datetime) -> None:
    instants = instants_until(point)
    with unfolded.workspace(point) as one:
        for name in METRICS:
            series = metric_series(one, name, since=None, until=None, as_of=point)
            assert [r.at for r in series.readings] == instants
            for reading in series.readings:
                check(reading, unfolded.expected(name, reading.at, point, point), name)


def test_days_that_were_kept_say_what_is_known_now(unfolded: Unfolded) -> None:
    """Readings of finished days are kept from one collection to the next; a late rollback reaches them all the same."""
    for point in POINTS[1:]:
        with unfolded.workspace(point) as one:
            (objective,) = evaluate(one, as_of=point).objectives
        assert len(objective.key_results) == len(JUDGED)
        for kr in objective.key_results:
            assert len(kr.series) == len(instants_until(point))
            for day, at in zip(kr.series, instants_until(point), strict=True):
                expected = unfolded.expected(kr.judgement.metric, at, point, point)
                same = None if expected.value is None else pytest.approx(expected.value, rel=1e-9, abs=1e-12)
                assert (day.value, day.health) == (same, expected.health), (kr.id, at, point)


@pytest.mark.parametrize(
    ("written", "as_of"),
    [
        ("2026-10-25", datetime(2026, 10, 25, 23, tzinfo=UTC)),
        ("2026-11-03T14:30", datetime(2026, 11, 3, 13, 30, tzinfo=UTC)),
    ],
)
def test_as_of_in_the_past_says_what_was_known_then(unfolded: Unfolded, written: str, as_of: datetime) -> None:
    """Later rollbacks, successes and attempts are not known yet, however much has been collected since."""
    point = POINTS[-1]
    assert parse_as_of(written, BERLIN, point) == as_of
    differs = 0
    with unfolded.workspace(point) as one:
        for name in METRICS:
            for reading in metric_series(one, name, since=None, until=None, as_of=as_of).readings:
                check(reading, unfolded.expected(name, reading.at, point, as_of), name, written)
                differs += unfolded.expected(name, reading.at, point, point).value != reading.value
    assert differs > 10, "what came later should matter"


@pytest.mark.parametrize("as_of", [POINTS[-1], datetime(2026, 10, 25, 23, tzinfo=UTC)], ids=["now", "then"])
def test_explain_lists_every_fact_of_the_window_and_which_counted(unfolded: Unfolded, as_of: datetime) -> None:
    with unfolded.workspace(POINTS[-1]) as one:
        for name in METRICS:
            told = explain(one, name, as_of=as_of)
            expected = unfolded.expected(name, as_of, POINTS[-1], as_of)
            check(told.reading, expected, name)
            notes = {note.key: note for note in told.facts}
            assert len(notes) == len(told.facts)
            assert {key for key, note in notes.items() if note.counted} == expected.keys, name
            assert set(notes) == looked_at(name, unfolded.world(name, POINTS[-1], as_of), told.reading), name
            if METRICS[name].meant.measure == "rollback_rate":
                assert {k for k, n in notes.items() if n.counted and "taken back by" in n.why} == expected.hits
            assert all(note.why and note.url for note in told.facts)


def looked_at(name: str, world: oracle.World, reading: Reading) -> set[str]:
    """Keys of all that lies in the reading's window, other environments and failed attempts included."""
    meant = METRICS[name].meant
    start = oracle.window_start(meant, world, reading.at, CYCLE)
    return {f.key for f in world.facts if start <= placed_at(meant, f, world.as_of) < reading.at and is_known(f, world)}


def placed_at(meant: MetricDefinition, fact: object, as_of: datetime) -> datetime:
    """A run at its creation; a deployment at its first success, an attempt at its first end; else at its creation."""
    assert isinstance(fact, (Deployment, Run))
    if isinstance(fact, Run):
        return fact.created_at
    wanted = ("success", "failure", "error") if meant.measure.endswith("attempt_failure_rate") else ("success",)
    ends = [s.at for s in fact.statuses if s.state in wanted and s.at <= as_of]
    return min(ends, default=fact.created_at)


def is_known(fact: object, world: oracle.World) -> bool:
    """Whether it had begun when it was last collected: a later attempt exists only once it starts."""
    started = min((s.at for s in fact.statuses), default=None) if isinstance(fact, Deployment) else fact.started_at
    return started is None or started <= world.coverage[0][1] + UNCLAIMED


def test_one_late_collection_says_what_many_small_ones_say(unfolded: Unfolded, tmp_path: Path) -> None:
    told = {name: [f for f in unfolded.happened if f.subject == name] for name in BOTH}
    point = POINTS[-1]
    with github(world_of(told)) as server:
        config = write_tracker(tmp_path / "late", server.url)
        collect_at(point, config, server)
    with unfolded.workspace(point) as small, Workspace(load(config), clock=lambda: point) as late:
        for name in METRICS:
            asked = {"since": None, "until": None, "as_of": point}
            assert metric_series(late, name, **asked) == metric_series(small, name, **asked), name
