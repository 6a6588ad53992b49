"""GitHub's deployments and runs, read from a stand-in that speaks its APIs over a socket."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from keyresults.collectors.contract import Quota, Unlimited
from keyresults.collectors.github import GitHub
from keyresults.collectors.github_cursor import SETTLES
from keyresults.metrics.facts import Deployment, Run, StatusChange
from keyresults.metrics.ranges import TimeRange, TimeRanges
from standins import github_source, histories
from standins.github import GitHubStandIn
from standins.github_source import DAY, PAYMENTS, Make, a_server, a_world, collectors  # noqa: F401 (fixtures)
from standins.github_world import World
from standins.histories import START, known_by
from standins.keeping import Keeper


@pytest.fixture
def make(server: GitHubStandIn, tmp_path: Path) -> Iterator[Make]:
    with collectors(server, tmp_path) as one:
        yield one


def keeper(collector: GitHub, kind: str = "deployments", since: datetime = START, **query: object) -> Keeper:
    return github_source.keeper(collector, kind, since, **query)


def deployment(key: int, at: datetime, *states: tuple[str, float], **traits: Any) -> Deployment:
    """`states` are names with the hours after `at` at which they were reached."""
    return Deployment(
        key=str(key),
        subject=PAYMENTS,
        environment="production",
        commit=f"{key:040x}",
        created_at=at,
        statuses=tuple(StatusChange(state, at + timedelta(hours=after)) for state, after in states),
        url="https://github.com/acme/payments/deployments/production",
        **traits,
    )


def run(number: int, at: datetime, *, minutes: float | None = 10, attempt: int = 1, **traits: Any) -> Run:
    started = traits.pop("started_at", at)
    return Run(
        key=f"{number}/{attempt}",
        subject=traits.pop("subject", PAYMENTS),
        workflow=traits.pop("workflow", "ci.yml"),
        run=str(number),
        attempt=attempt,
        branch=traits.pop("branch", "main"),
        commit=f"{number:040x}",
        created_at=at,
        started_at=started,
        completed_at=None if minutes is None else started + timedelta(minutes=minutes),
        conclusion=None if minutes is None else "success",
        event="push",
        end_estimated=minutes is not None and minutes <= 360,
        url=f"https://github.com/acme/payments/actions/runs/{number}/attempts/{attempt}",
        **traits,
    )


def told(facts: Any, now: datetime) -> dict[str, Deployment | Run]:
    return {fact.key: fact for fact in known_by(facts, now)}


# ---- whole histories


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize(("kind", "query"), [("deployments", {}), ("runs", {"branch": "*"})])
def test_following_a_history_ends_with_all_of_it_whatever_crashes(
    world: World, make: Make, seed: int, kind: str, query: dict[str, object]
) -> None:
    chance = random.Random(seed)
    history = histories.deployments(seed) if kind == "deployments" else histories.runs(seed, per_day=4)
    world.add(PAYMENTS, history)
    world.now = START + 2 * DAY
    followed = keeper(make(), kind, **query)
    while world.now < START + 75 * DAY:
        world.now += timedelta(hours=chance.choice((2, 7, 30, 100)))
        # Another process, now and then: nothing but cursor, facts and coverage is carried over.
        collector = make()
        followed.collect(
            collector, world.now, crashes=lambda: chance.random() < 0.15, oldest_gap_first=chance.random() < 0.5
        )
        collector.close()
        covered = [f for f in known_by(history, world.now) if f.created_at in followed.covered]
        assert {f.key for f in covered} <= set(followed.facts), "covered, and yet missing"
    world.now += 2 * DAY
    assert followed.collect(make(), world.now)
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))
    assert followed.facts == told(history, world.now)
    assert not followed.problems


@pytest.mark.parametrize("seed", range(3))
def test_a_backfill_reads_older_windows_with_the_same_call(world: World, make: Make, seed: int) -> None:
    history = histories.deployments(seed) + histories.runs(seed, branches=("main",))
    world.add(PAYMENTS, history)
    for kind in ("deployments", "runs"):
        followed = keeper(make(), kind, since=START + 30 * DAY)
        followed.collect(make(), world.now)
        followed.since = START
        followed.collect(make(), world.now)
        assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))
        assert followed.facts == {k: f for k, f in told(history, world.now).items() if f.kind == kind}


@pytest.mark.parametrize("kind", ["deployments", "runs"])
def test_a_window_that_ends_in_the_past_hides_nothing_from_the_next(world: World, make: Make, kind: str) -> None:
    hour = timedelta(hours=1)
    history = [deployment(n, START + n * hour, ("success", 0.5)) for n in range(1, 9)]
    history += [run(n, START + n * hour) for n in range(1, 9)]
    world.add(PAYMENTS, history)
    world.now = START + 12 * hour
    followed = keeper(make(), kind)
    followed.collect(make(), START + 4 * hour)
    assert followed.covered == TimeRanges.of(TimeRange(START, START + 4 * hour))
    followed.collect(make(), world.now)
    assert followed.facts == {k: f for k, f in told(history, world.now).items() if f.kind == kind}


@pytest.mark.parametrize("kind", ["deployments", "runs"])
def test_a_store_that_lost_its_facts_but_not_the_cursor_is_told_everything(world: World, make: Make, kind: str) -> None:
    history = histories.deployments(8) + histories.runs(8, branches=("main",))
    world.add(PAYMENTS, history)
    followed = keeper(make(), kind)
    followed.collect(make(), world.now)
    followed.facts, followed.covered = {}, TimeRanges()
    world.now += timedelta(hours=1)
    followed.collect(make(), world.now)
    assert followed.facts == {k: f for k, f in told(history, world.now).items() if f.kind == kind}


# ---- deployments


def test_deployments_of_one_second_on_two_pages_are_not_covered_by_the_first(world: World, make: Make) -> None:
    world.add(PAYMENTS, [deployment(n, START + DAY, ("success", 1)) for n in range(1, 70)])
    followed = keeper(make())
    assert not followed.collect(make(), world.now, crashes=lambda: True)
    assert len(followed.facts) == 50
    assert START + DAY not in followed.covered
    followed.collect(make(), world.now)
    assert len(followed.facts) == 69


def test_a_status_after_the_final_one_is_read_behind_the_first_page(world: World, make: Make) -> None:
    mended = deployment(1, START, ("failure", 1), ("success", 76))
    history = [mended, *(deployment(n, START + timedelta(hours=n), ("success", 1)) for n in range(2, 71))]
    history.append(deployment(99, START + timedelta(hours=77), ("success", 1)))
    world.add(PAYMENTS, history)
    world.now = START + timedelta(hours=74)
    followed = keeper(make())
    followed.collect(make(), world.now)
    world.now = START + timedelta(hours=80)
    followed.collect(make(), world.now)
    assert followed.facts["1"] == mended


def test_a_status_that_comes_late_is_read(world: World, make: Make) -> None:
    history = [deployment(1, START, ("in_progress", 0.1), ("success", 24 * 20)), deployment(2, START + 25 * DAY)]
    world.add(PAYMENTS, history)
    world.now = START + DAY
    followed = keeper(make())
    followed.collect(make(), world.now)
    assert followed.batches[-1].open_keys == ("1",)
    world.now = START + 21 * DAY
    followed.collect(make(), world.now)
    assert followed.facts == told(history, world.now)
    assert followed.batches[-1].open_keys == ()


def test_a_deployment_without_an_end_is_abandoned_after_thirty_days(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    world.add(PAYMENTS, [deployment(1, START, ("in_progress", 0.1))])
    world.now = START + 29 * DAY
    followed = keeper(make())
    followed.collect(make(), world.now)
    assert followed.batches[-1].open_keys == ("1",)
    world.now = START + 31 * DAY
    followed.collect(make(), world.now)
    assert followed.batches[-1].open_keys == ()


def test_more_statuses_than_a_page_holds_are_all_read(world: World, make: Make) -> None:
    states = [("in_progress" if n % 2 else "queued", n / 60) for n in range(250)]
    history = [deployment(1, START, *states, ("success", 6))]
    world.add(PAYMENTS, history)
    followed = keeper(make())
    followed.collect(make(), world.now)
    assert followed.facts == told(history, world.now)


def test_ids_beyond_32_bits_do_not_fall_together(world: World, make: Make) -> None:
    world.add(PAYMENTS, [deployment(2**31 + n, START + n * DAY, ("success", 1)) for n in range(3)])
    followed = keeper(make())
    followed.collect(make(), world.now)
    assert len(followed.facts) == 3


def test_the_platforms_word_for_a_rollback_is_kept(world: World, make: Make) -> None:
    world.add(
        PAYMENTS,
        [
            deployment(1, START, ("success", 1)),
            deployment(2, START + DAY, ("success", 1), payload={"rollback": True}),
            deployment(3, START + 2 * DAY, ("success", 1), task="deploy:rollback"),
        ],
    )
    followed = keeper(make())
    followed.collect(make(), world.now)
    assert {k: f.marked_rollback for k, f in followed.facts.items()} == {"1": False, "2": True, "3": True}


def test_a_deployment_that_was_deleted_is_withdrawn(world: World, make: Make) -> None:
    repository = world.add(PAYMENTS, [deployment(1, START), deployment(2, START + DAY, ("success", 1))])
    world.now = START + 2 * DAY
    followed = keeper(make())
    followed.collect(make(), world.now)
    del repository.history[0]
    world.now += DAY
    followed.collect(make(), world.now)
    assert set(followed.facts) == {"2"}


def test_pages_github_cannot_answer_whole_are_asked_for_in_smaller_ones(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    history = histories.deployments(7)
    world.add(PAYMENTS, history)
    server.limits.heaviest = 6
    followed = keeper(make())
    followed.collect(make(), world.now)
    assert followed.facts == told(history, world.now)
    assert not followed.problems
    assert {one.body["variables"]["first"] for one in server.asked if one.body} == {50, 20, 5}


def test_a_deployment_github_never_shows_leaves_a_hole_in_the_coverage(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    history = [deployment(n, START + n * DAY, ("success", 1)) for n in range(1, 6)]
    world.add(PAYMENTS, history)
    server.limits.hidden = frozenset({"DE_3"})
    followed = keeper(make())
    followed.collect(make(), world.now)
    assert set(followed.facts) == {"1", "2", "4", "5"}
    assert followed.problems
    assert START + 3 * DAY not in followed.covered
    assert START + 2 * DAY not in followed.covered, "others of that second may be hidden too"
    assert START + 4 * DAY + timedelta(seconds=1) in followed.covered
    assert START + DAY + timedelta(seconds=1) in followed.covered


def test_successful_attempts_of_a_workflow_are_deployments_where_asked(world: World, make: Make) -> None:
    world.add(
        PAYMENTS,
        [
            run(1, START, workflow="deploy.yml"),
            run(2, START + DAY, workflow="deploy.yml", branch="feature"),
            run(3, START + DAY),
            replace(run(4, START + 2 * DAY, workflow="deploy.yml"), conclusion="failure"),
            run(4, START + 2 * DAY, workflow="deploy.yml", attempt=2, started_at=START + 3 * DAY),
            run(5, START + 4 * DAY, workflow="deploy.yml", minutes=None),
        ],
    )
    followed = keeper(make(), deployments={"workflow": "deploy.yml"})
    followed.collect(make(), world.now)
    found = [f for f in followed.facts.values() if isinstance(f, Deployment)]
    assert {f.key: f.succeeded_at for f in found} == {
        "1/1": START + timedelta(minutes=10),
        "4/1": None,
        "4/2": START + 3 * DAY + timedelta(minutes=10),
        "5/1": None,
    }
    assert {(f.origin, f.workflow) for f in found} == {("workflow", "deploy.yml")}
    assert {f.environment for f in found} == {"production"}


# ---- runs


def test_it_keeps_open_runs(world: World, make: Make) -> None:
    history = [run(1, START, minutes=3 * 24 * 60), run(2, START + DAY)]
    world.add(PAYMENTS, history)
    world.now = START + 2 * DAY
    followed = keeper(make(), "runs")
    followed.collect(make(), world.now)
    assert followed.batches[-1].open_keys == ("1/1",)
    world.now = START + 4 * DAY
    followed.collect(make(), world.now)
    assert followed.facts == told(history, world.now)
    assert followed.batches[-1].open_keys == ()


def test_an_open_run_behind_the_newest_page_is_asked_for_by_id(world: World, make: Make, server: GitHubStandIn) -> None:
    slow = run(1, START, minutes=30 * 60)
    quick = [run(n, START + timedelta(minutes=n)) for n in range(2, 150)]
    world.add(PAYMENTS, [slow, *quick])
    world.now = START + timedelta(hours=20)
    followed = keeper(make(), "runs")
    followed.collect(make(), world.now)
    world.now = START + timedelta(hours=31)
    server.forget()
    followed.collect(make(), world.now)
    assert followed.facts == told([slow, *quick], world.now)
    assert [one.path for one in server.asked if one.path.endswith("/runs/1")] == ["/repos/acme/payments/actions/runs/1"]


def test_an_end_once_read_stays_when_github_touches_the_run(world: World, make: Make) -> None:
    repository = world.add(PAYMENTS, [run(1, START), run(2, START + DAY)])
    world.now = START + 2 * DAY
    followed = keeper(make(), "runs")
    followed.collect(make(), world.now)
    repository.touched["1/1"] = START + 2.5 * DAY
    world.now = START + 4 * DAY
    followed.collect(make(), world.now)
    assert followed.facts["1/1"].completed_at == START + timedelta(minutes=10)


def test_a_run_touched_before_it_was_first_read_ends_with_its_last_job(world: World, make: Make) -> None:
    repository = world.add(PAYMENTS, [run(1, START)])
    repository.touched["1/1"] = START + 30 * DAY
    followed = keeper(make(), "runs")
    followed.collect(make(), world.now)
    assert followed.facts["1/1"] == replace(run(1, START), end_estimated=False)


@pytest.mark.parametrize("drift", [0.96, 1.0, 1.04])
def test_lists_that_github_cuts_off_at_a_thousand_are_read_in_slices(
    world: World, make: Make, server: GitHubStandIn, drift: float
) -> None:
    chance = random.Random(3)
    history = [run(n, START + timedelta(seconds=chance.randint(0, 39 * 86400)), minutes=2) for n in range(1, 2501)]
    history += [run(n, START + 10 * DAY, minutes=2) for n in range(2501, 3201)]
    world.add(PAYMENTS, history)
    server.drift = drift
    followed = keeper(make(), "runs")
    followed.collect(make(), world.now)
    assert set(followed.facts) == {fact.key for fact in history}
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_a_second_with_more_runs_than_github_lists_is_said_and_not_covered(world: World, make: Make) -> None:
    world.add(PAYMENTS, [run(n, START + DAY, minutes=2) for n in range(1, 1300)] + [run(9999, START + 2 * DAY)])
    followed = keeper(make(), "runs")
    followed.collect(make(), world.now)
    assert "listed 1000 of 1299" in followed.problems[0]
    assert START + DAY not in followed.covered
    assert START + timedelta(hours=23) in followed.covered
    assert START + 2 * DAY in followed.covered


def test_runs_are_those_of_the_default_branch_and_no_forks(world: World, make: Make) -> None:
    repository = world.add(
        PAYMENTS,
        [run(1, START, branch="trunk"), run(2, START, branch="feature"), run(3, START, branch="trunk")],
        default_branch="trunk",
    )
    repository.forks = {"3"}
    for query, expected in (({}, {"1/1"}), ({"branch": "feature"}, {"2/1"}), ({"branch": "*"}, {"1/1", "2/1", "3/1"})):
        followed = keeper(make(), "runs", **query)
        followed.collect(make(), world.now)
        assert set(followed.facts) == expected


def test_time_before_github_keeps_runs_is_not_covered(world: World, make: Make) -> None:
    world.add(PAYMENTS, [run(1, START)])
    followed = keeper(make(), "runs", since=datetime(2026, 1, 1, tzinfo=UTC))
    followed.collect(make(), world.now)
    assert followed.covered.start == world.now - 90 * DAY
    assert followed.batches[-1].horizon == world.now - 90 * DAY


def test_a_repetition_behind_the_newest_page_is_found_within_a_day(world: World, make: Make) -> None:
    again = run(1, START, attempt=2, started_at=START + timedelta(hours=40))
    history = [run(1, START), again, *(run(n, START + timedelta(minutes=n)) for n in range(2, 250))]
    history.append(run(999, START + timedelta(hours=41)))
    world.add(PAYMENTS, history)
    world.now = START + timedelta(hours=30)
    followed = keeper(make(), "runs")
    followed.collect(make(), world.now)
    for hours in (42, 48, 55):
        world.now = START + timedelta(hours=hours)
        followed.collect(make(), world.now)
    assert followed.facts == told(history, world.now)


def test_a_run_that_was_deleted_while_open_is_withdrawn(world: World, make: Make) -> None:
    repository = world.add(PAYMENTS, [run(1, START, minutes=None), run(2, START + DAY)])
    world.now = START + 2 * DAY
    followed = keeper(make(), "runs")
    followed.collect(make(), world.now)
    del repository.history[0]
    world.now += DAY
    followed.collect(make(), world.now)
    assert set(followed.facts) == {"2/1"}


@pytest.mark.parametrize("kind", ["deployments", "runs"])
def test_what_github_lists_a_moment_late_is_not_lost(world: World, make: Make, kind: str) -> None:
    """It cuts instants to whole seconds, so what happens just after a poll may be dated just before it."""
    repository = world.add(PAYMENTS, [deployment(1, START), run(1, START)])
    world.now = START + DAY + timedelta(seconds=0.5)
    followed = keeper(make(), kind)
    followed.collect(make(), world.now)
    repository.history += [deployment(2, START + DAY), run(2, START + DAY)]
    world.now += timedelta(hours=1)
    followed.collect(make(), world.now)
    assert followed.facts == {k: f for k, f in told(repository.history, world.now).items() if f.kind == kind}


# ---- what it costs


def test_an_idle_repository_costs_no_quota(world: World, make: Make, server: GitHubStandIn) -> None:
    world.add(PAYMENTS, histories.deployments(5, days=5) + histories.runs(5, days=5))
    memo: dict[str, str] = {}
    streams = [keeper(make(memo=memo), kind) for kind in ("deployments", "runs")]
    for followed in streams:
        followed.collect(make(memo=memo), world.now)
        followed.collect(make(memo=memo), world.now)
    for _ in range(3):
        world.now += timedelta(hours=1)
        for followed in streams:
            before = server.quota.left
            server.forget()
            followed.collect(make(memo=memo), world.now)
            assert followed.covered.end == world.now - SETTLES
            assert set(server.counts()) <= {200, 304}
            spent = [one.path for one in server.asked if one.status != 304]
            # Open deployments are asked for by id, a hundred in one request.
            assert before - server.quota.left <= (1 if followed.batches[-1].open_keys else 0), spent
            assert len(server.asked) <= 3


def test_an_etag_of_another_credential_is_not_sent(world: World, make: Make, server: GitHubStandIn) -> None:
    world.add(PAYMENTS, [run(1, START)])
    followed = keeper(make(), "runs")
    followed.collect(make(), world.now)
    assert followed.cursor is not None
    followed.cursor["seen"]["credential"] = "another"
    world.now += timedelta(hours=1)
    server.forget()
    followed.collect(make(), world.now)
    assert server.counts()[304] == 0


def test_the_budget_is_asked_before_each_request_and_told_of_each_answer(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    class Ledger(Unlimited):
        def __init__(self) -> None:
            self.spent: list[str] = []
            self.learned: list[tuple[str, int, int]] = []

        def spend(self, resource: str, requests: int = 1, *, per_minute: int | None = None) -> float:
            assert per_minute == {"core": 900, "graphql": 2000}[resource]
            self.spent += [resource] * requests
            return 0.0

        def learn(self, resource: str, quota: Quota | None, *, free: bool = False) -> None:
            assert quota is not None
            assert quota.reset > world.now
            self.learned.append((resource, quota.limit, quota.remaining))

    ledger = Ledger()
    world.add(PAYMENTS, [deployment(1, START, ("success", 1))])
    followed = keeper(make(budgets=lambda credential: ledger))
    followed.collect(make(budgets=lambda credential: ledger), world.now)
    assert ledger.spent == ["graphql" if one.path == "/graphql" else "core" for one in server.asked]
    assert len(ledger.spent) == sum(batch.requests for batch in followed.batches)
    assert ledger.learned[-1] == (ledger.spent[-1], 5000, 5000 - ledger.spent.count(ledger.spent[-1]))
