"""Workflow runs that were lost for good once: listed minutes late, or behind the end of a list that was cut off."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from keyresults.collectors import github_told
from keyresults.collectors.contract import CollectorError
from keyresults.collectors.remembered import recall, remember, remember_more
from keyresults.metrics.facts import Run
from keyresults.metrics.ranges import TimeRange, TimeRanges
from standins import github_source
from standins.github import GitHubStandIn
from standins.github_source import DAY, PAYMENTS, Make, keeper
from standins.github_world import Repository, World
from standins.histories import START
from standins.keeping import Keeper

pytestmark = pytest.mark.soak  # many pages of runs: in CI, and not for every change

a_world, a_server, a_maker, a_repository = (
    github_source.a_world,
    github_source.a_server,
    github_source.a_maker,
    github_source.a_repository,
)

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def run(number: int, at: datetime, attempt: int = 1) -> Run:
    return Run(
        key=f"{number}/{attempt}", subject=PAYMENTS, workflow="ci.yml", run=str(number), attempt=attempt,
        branch="main", commit=f"{number:040x}", created_at=at, started_at=at + (attempt - 1) * HOUR,
        completed_at=at + (attempt - 1) * HOUR + 20 * SECOND, conclusion="success", event="push",
    )  # fmt: skip


def polled(followed: Keeper, make: Make, world: World, *hours: int) -> None:
    began = world.now
    for after in hours:
        world.now = began + after * HOUR
        followed.collect(make(), world.now)


@pytest.mark.parametrize("lag", [30, 90, 300, 7200])
def test_a_run_listed_late_is_told_by_the_next_collection(
    world: World, repository: Repository, make: Make, lag: int
) -> None:
    history = [run(n, START + n * DAY) for n in range(1, 30)]
    repository.history += history
    followed = keeper(make(), "runs", START)
    polled(followed, make, world, 0)
    at = world.now - lag * SECOND
    late = [run(99, at), run(98, at), run(98, at, attempt=2)]
    repository.history += late
    repository.listed["98"] = world.now + HOUR
    polled(followed, make, world, 2)
    assert followed.facts == {fact.key: fact for fact in map(as_told, history + late)}


def as_told(fact: Run) -> Run:
    """Its end is GitHub's estimate."""
    path = f"{PAYMENTS}/actions/runs/{fact.run}/attempts/{fact.attempt}"
    return replace(fact, end_estimated=True, url=f"https://github.com/{path}")


def test_a_run_listed_late_behind_the_newest_hundred_is_told_by_the_sweep(
    world: World, repository: Repository, make: Make
) -> None:
    followed = keeper(make(), "runs", START)
    polled(followed, make, world, 0)
    repository.history.append(run(1, world.now - 5 * HOUR))
    repository.history += [run(n, world.now + n * SECOND) for n in range(2, 202)]
    polled(followed, make, world, 1)
    assert "1/1" not in followed.facts
    polled(followed, make, world, 24)
    assert "1/1" in followed.facts


def told_by(followed: Keeper, world: World, make: Make, server: GitHubStandIn) -> tuple[list[str], int]:
    """The keys handed over by one more collection, and how many requests it took."""
    server.forget()
    before = len(followed.batches)
    followed.collect(make({}), world.now)
    return [fact.key for batch in followed.batches[before:] for fact in batch.facts], len(server.asked)


def test_a_run_that_was_handed_over_is_not_told_again_by_a_sweep(
    world: World, repository: Repository, make: Make, server: GitHubStandIn
) -> None:
    repository.history += [run(n, START + n * HOUR) for n in range(1, 900)]
    followed = keeper(make(), "runs", START)
    polled(followed, make, world, 0)
    # Touched a day after its end: read anew, it would end later or take a request for its jobs.
    repository.touched = {fact.key: world.now for fact in repository.history}
    world.now += 25 * HOUR
    told, requests = told_by(followed, world, make, server)
    assert (told, requests) == ([], 1 + 1 + 7), "the repository, the newest page, and the other 680 of 35 days"


def test_runs_told_by_an_earlier_release_are_not_told_again(
    world: World, repository: Repository, make: Make, server: GitHubStandIn
) -> None:
    repository.history += [run(n, START + n * HOUR) for n in range(1, 300)]
    followed = keeper(make(), "runs", START)
    polled(followed, make, world, 0)
    assert followed.cursor
    followed.cursor = {key: value for key, value in followed.cursor.items() if not key.startswith("told")}
    repository.history.append(run(999, world.now + HOUR))
    world.now += 25 * HOUR
    assert told_by(followed, world, make, server)[0] == ["999/1"]


def test_a_cursor_stays_small_and_what_it_forgot_counts_as_told(
    world: World, repository: Repository, make: Make, server: GitHubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github_told, "LARGEST", 50)
    repository.history += [run(n, START + 30 * DAY + n * HOUR) for n in range(1, 200)]
    followed = keeper(make(), "runs", START)
    polled(followed, make, world, 0)
    assert len(str(followed.cursor)) < 1500
    late = [run(1001, world.now - 300 * SECOND), run(1002, world.now - 5 * DAY)]
    repository.history += late
    world.now += 25 * HOUR
    assert told_by(followed, world, make, server)[0] == ["1001/1"], "the other one is older than the fifty newest"


def test_ten_thousand_runs_are_remembered_in_a_hundred_kilobytes(
    world: World, repository: Repository, make: Make
) -> None:
    repository.history += [run(10**10 + 37 * n, START + 20 * DAY + n * 150 * SECOND) for n in range(11_000)]
    followed = keeper(make(), "runs", START + 20 * DAY)
    polled(followed, make, world, 0)
    assert len(followed.facts) == 11_000
    assert len(str(followed.cursor)) < 150_000


def test_each_batch_of_a_first_collection_remembers_every_run_up_to_it(
    world: World, repository: Repository, make: Make
) -> None:
    repository.history += [run(n, START + n * HOUR) for n in range(1, 900)]
    followed = keeper(make(), "runs", START)
    polled(followed, make, world, 0)
    told: set[str] = set()
    for batch in followed.batches[:-1]:
        told |= {fact.run for fact in batch.facts if isinstance(fact, Run)}
        assert batch.cursor
        assert set(recall(batch.cursor["told"])) == told, "a kill may come behind any of them"
    assert len(told) == 899


# ---- lists that are cut off


def burst(first: int, count: int, at: datetime) -> list[Run]:
    return [run(n, at) for n in range(first, first + count)]


def lost(followed: Keeper, history: Sequence[Run]) -> list[str]:
    return [fact.key for fact in history if fact.created_at in followed.covered and fact.key not in followed.facts]


@pytest.mark.parametrize("breaks_off", [None, 10, 11, 12])
@pytest.mark.parametrize("shape", [(905, 200), (950, 90), (500, 700), (90, 950)])
def test_what_a_list_cut_off_within_a_second_is_told_before_its_time_is_covered(
    world: World, repository: Repository, make: Make, server: GitHubStandIn, shape: tuple[int, int],
    breaks_off: int | None,
) -> None:  # fmt: skip
    newest, older = shape
    at = world.now - DAY
    history = burst(1, newest, at) + burst(5000, older, at - 60 * SECOND) + [run(9000, START + DAY)]
    repository.history += history
    followed = keeper(make(), "runs", START)
    if breaks_off:
        server.plan = {breaks_off: "403"}
        with pytest.raises(CollectorError):
            followed.collect(make(), world.now)
        assert not lost(followed, history)
        server.plan = {}
    followed.collect(make(), world.now)
    assert len(followed.facts) == len(history)
    assert not (TimeRanges.of(TimeRange(START, world.now - HOUR)) - followed.covered)
    assert not followed.problems


def test_what_an_earlier_build_remembered_is_still_known() -> None:
    packed = base64.b85encode(zlib.compress(json.dumps({"7": 1000, "8": 2000}).encode())).decode()
    assert recall(packed) == {"7": 1000, "8": 2000}
    assert recall(remember(recall(packed), 1)) == {"8": 2000}
    assert remember_more(packed, {"9": 3000}) is None, "to be packed anew"


def test_what_is_remembered_bit_by_bit_is_what_is_remembered_at_once() -> None:
    text, times, anew = remember({}, 10), dict[str, int](), 0
    for n in range(250):
        times |= {str(n): n, str(1000 + n): n}
        more = remember_more(text, {str(n): n, str(1000 + n): n})
        anew += more is None
        text = remember(times, 10_000) if more is None else more
        assert recall(text) == times
    assert anew == 2, "seldom enough to take no time"
    assert remember_more(None, {"9": 1}) is None
