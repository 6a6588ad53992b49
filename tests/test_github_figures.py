"""Coverage in commit statuses and check runs, read from a stand-in for GitHub that speaks its APIs over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from keyresults.collectors import github_client
from keyresults.collectors.contract import ConfigError
from keyresults.collectors.github_cursor import SETTLES
from keyresults.collectors.percentage import share_in
from keyresults.metrics.facts import Sample
from keyresults.metrics.ranges import TimeRange, TimeRanges
from pydantic import ValidationError
from standins.github import GitHubStandIn
from standins.github_code import Commit
from standins.github_figures import Beside, Check, Status
from standins.github_source import DAY, PAYMENTS, Make, a_server, a_world, collectors, keeper  # noqa: F401 (fixtures)
from standins.github_world import World
from standins.histories import START

HOUR = timedelta(hours=1)
CODECOV = {"figures": {"status": "codecov/project"}}
REPORT = {"figures": {"check": "coverage"}}


@pytest.fixture
def make(server: GitHubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(github_client, "PAUSES", (0.0, 0.0))
    with collectors(server, tmp_path) as one:
        yield one


def commit(world: World, number: int, at: datetime, *, of: int | None = None) -> Beside:
    """A new head of main, on top of the commit before or of `of`; what will stand beside it."""
    code = world.repositories[0].code
    parent = number - 1 if of is None else of
    oid = f"{number:040x}"
    code.add(Commit(oid, at, (f"{parent:040x}",) if parent else ()))
    code.branches["main"] = oid
    code.beside[oid] = Beside()
    return code.beside[oid]


def percent(number: int) -> float:
    """From 50.0 up, in tenths."""
    return 50 + number / 10


def status(number: int) -> Status:
    return Status("codecov/project", "failure" if number % 4 == 0 else "success", f"{percent(number)}% (+0.1%)")


def history(world: World, count: int = 130) -> dict[str, Sample]:
    """A commit every six hours, every third with an unrelated status alone; the samples the others give."""
    world.add(PAYMENTS)
    told = {}
    for n in range(1, count + 1):
        at = START + n * 6 * HOUR
        beside = commit(world, n, at)
        beside.statuses.append(Status("ci/build", "success", "100% done"))
        if n % 3:
            beside.statuses.append(status(n))
            told[f"{n:040x}"] = sample(n, at)
    return told


def sample(number: int, at: datetime) -> Sample:
    oid = f"{number:040x}"
    # Tenths of a percent as thousandths: no float in between.
    share = (500 + number) / 1000
    return Sample(key=oid, subject=PAYMENTS, at=at, value=share, commit=oid, url=f"https://coverage.example.com/{oid}")


def test_every_commits_percentage_is_read_in_pages_of_fifty(world: World, make: Make, server: GitHubStandIn) -> None:
    told = history(world)
    followed = keeper(make(), "samples", START, **CODECOV)
    followed.collect(make(), world.now)
    assert followed.facts == told
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))
    assert not followed.problems
    asked = [one.path.removeprefix(f"/repos/{PAYMENTS}") for one in server.asked]
    assert asked == ["", "/commits/heads/main/status", *["/graphql"] * 3]


def test_only_what_the_window_asks_for_is_read(world: World, make: Make, server: GitHubStandIn) -> None:
    told = history(world)
    since = world.now - 20 * DAY
    followed = keeper(make(), "samples", since, **CODECOV)
    followed.collect(make(), world.now)
    assert {key for key, fact in told.items() if fact.at >= since} <= set(followed.facts)
    assert sum(one.path == "/graphql" for one in server.asked) == 2
    followed.since = START
    followed.collect(make(), world.now)
    assert followed.facts == told


def test_a_poll_without_news_is_answered_for_free(world: World, make: Make, server: GitHubStandIn) -> None:
    history(world)
    followed = keeper(make(), "samples", START, **CODECOV)
    memo: dict[str, str] = {}
    followed.collect(make(memo), world.now)
    for _ in range(3):
        world.now += HOUR
        server.forget()
        followed.collect(make(memo), world.now)
        assert set(server.counts()) == {304}
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


@pytest.mark.parametrize("state", ["pending", "nothing yet"])
def test_a_figure_that_comes_late_is_waited_for_behind_newer_commits(world: World, make: Make, state: str) -> None:
    told = history(world)
    last = commit(world, 131, world.now - HOUR)
    if state == "pending":
        last.statuses.append(Status("codecov/project", "pending", "0% so far"))
    followed = keeper(make(), "samples", START, **CODECOV)
    followed.collect(make(), world.now)
    assert followed.facts == told
    assert followed.batches[-1].open_keys == (f"{131:040x}",)
    commit(world, 132, world.now)
    world.now += HOUR
    followed.collect(make(), world.now)
    last.statuses[:] = [status(131)]
    world.now += HOUR
    followed.collect(make(), world.now)
    assert followed.facts == told | {f"{131:040x}": sample(131, START + 40 * DAY - HOUR)}


def test_a_figure_that_comes_days_late_is_found_by_the_daily_sweep(world: World, make: Make) -> None:
    told = history(world)
    followed = keeper(make(), "samples", START, **CODECOV)
    followed.collect(make(), world.now)
    world.repositories[0].code.beside[f"{126:040x}"].statuses.append(status(126))
    world.now += 12 * HOUR
    followed.collect(make(), world.now)
    assert followed.facts == told
    world.now += 13 * HOUR
    followed.collect(make(), world.now)
    assert followed.facts == told | {f"{126:040x}": sample(126, START + 126 * 6 * HOUR)}


def test_commits_that_a_merge_brought_are_no_states_of_the_branch(world: World, make: Make) -> None:
    told = history(world, 12)
    code = world.repositories[0].code
    own, branched, merge = (f"{n:040x}" for n in (12, 200, 201))
    at = START + 4 * DAY
    code.add(Commit(branched, at, (own,)), Commit(merge, at + HOUR, (own, branched)))
    code.branches["main"] = merge
    code.beside[branched], code.beside[merge] = Beside([status(200)]), Beside([status(201)])
    followed = keeper(make(), "samples", START, **CODECOV)
    followed.collect(make(), world.now)
    assert followed.facts == told | {merge: sample(201, at + HOUR)}


def test_commits_that_a_push_threw_away_are_taken_back(world: World, make: Make) -> None:
    told = history(world, 20)
    followed = keeper(make(), "samples", START, **CODECOV)
    followed.collect(make(), world.now)
    world.now += HOUR
    commit(world, 300, world.now - 2 * HOUR, of=17).statuses.append(status(300))
    world.now += HOUR
    followed.collect(make(), world.now)
    thrown = {f"{n:040x}" for n in (18, 19, 20)}
    kept = {key: one for key, one in told.items() if key not in thrown}
    assert followed.facts == kept | {f"{300:040x}": sample(300, START + 40 * DAY - HOUR)}


def test_words_without_a_percentage_are_told_and_give_no_figure(world: World, make: Make) -> None:
    told = history(world, 6)
    for n, words in ((7, None), (8, "No report found"), (9, "Missing base report")):
        commit(world, n, START + n * 6 * HOUR).statuses.append(Status("codecov/project", "error", words))
    followed = keeper(make(), "samples", START, **CODECOV)
    followed.collect(make(), world.now)
    assert followed.facts == told
    assert followed.problems == [
        f"{PAYMENTS}: 'codecov/project' says no percentage that can be read of 3 commits, "
        "of the newest one: 'Missing base report'"
    ]
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_check_runs_are_read_from_title_summary_or_text(world: World, make: Make, server: GitHubStandIn) -> None:
    history(world, 60)
    beside = world.repositories[0].code.beside
    for n, check in (
        (10, Check("coverage", "success", "51.0% of lines", "99%")),
        (20, Check("coverage", "neutral", "Coverage report", "Lines: 52.0 %")),
        (30, Check("coverage", "failure", None, None, "| total | 53.0% |")),
        (40, Check("coverage", "skipped", "1%")),
        (50, Check("coverage", None, "2% so far")),
        (55, Check("lint", "success", "100%")),
    ):
        beside[f"{n:040x}"].checks.append(check)
    beside[f"{20:040x}"].checks.append(Check("coverage", "success", "12%", at=START))
    followed = keeper(make(), "samples", START, **REPORT)
    memo: dict[str, str] = {}
    followed.collect(make(memo), world.now)
    assert followed.facts == {f"{n:040x}": sample(n, START + n * 6 * HOUR) for n in (10, 20, 30)}
    world.now += HOUR
    server.forget()
    followed.collect(make(memo), world.now)
    assert set(server.counts()) == {304}


def test_a_check_that_is_still_running_is_waited_for_at_one_request_a_poll(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    history(world, 60)
    beside = commit(world, 61, world.now - HOUR)
    followed = keeper(make(), "samples", START, **REPORT)
    memo: dict[str, str] = {}
    followed.collect(make(memo), world.now)
    for checks in ([], [Check("coverage", None, "2% so far")]):
        beside.checks[:] = checks
        world.now += HOUR
        server.forget()
        followed.collect(make(memo), world.now)
        assert server.counts() == {304: 2, 200: 1}
        assert not followed.facts
    beside.checks[:] = [Check("coverage", "success", "56.1%")]
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert followed.facts == {f"{61:040x}": sample(61, START + 40 * DAY - HOUR)}
    world.now += HOUR
    server.forget()
    followed.collect(make(memo), world.now)
    assert set(server.counts()) == {304}


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("92.3%", 0.923),
        ("92.3% (+0.4%) compared to 1234567", 0.923),
        ("Coverage increased (+0.2%) to 87.5%", 0.875),
        ("Coverage decreased (-12.5%) to 0.0%", 0.0),
        ("Coverage remained the same at 100.0%", 1.0),
        ("92,3 %", 0.923),
        ("0.07%", 0.0007),
        ("−1.5% of 1234% is nothing", None),
        ("101%", None),
        ("92.3", None),
        ("%", None),
        ("", None),
        (None, None),
        ("x" * 30_000 + "50%", None),
    ],
)
def test_the_first_percentage_without_a_sign_is_the_figure(text: str | None, share: float | None) -> None:
    assert share_in([None, text], None) == share


def test_a_pattern_says_which_number_is_meant() -> None:
    told = "Lines 80.5%, branches 71.25% of 4,000"
    assert share_in([told], r"branches ([\d.]+)") == 0.7125
    assert share_in([told], r"functions ([\d.]+)") is None
    assert share_in([told], r"branches (of)?") is None
    assert share_in(["nothing", told], r"Lines (\S+%)") == 0.805


def test_a_pattern_is_part_of_the_stream_and_used(world: World, make: Make) -> None:
    history(world, 3)
    asked = {"figures": {"status": "ci/build", "pattern": r"(\d+)% done"}}
    followed = keeper(make(), "samples", START, **asked)
    followed.collect(make(), world.now)
    assert {fact.value for fact in followed.facts.values() if isinstance(fact, Sample)} == {1.0}
    assert followed.stream.id != keeper(make(), "samples", START, figures={"status": "ci/build"}).stream.id


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({}, "exactly one"),
        ({"status": "a", "check": "b"}, "exactly one"),
        ({"status": "a", "files": ["x"]}, "files goes with artifact"),
        ({"artifact": "a", "pattern": "(x)"}, "pattern goes with status or check"),
        ({"status": "a", "pattern": "("}, "no regular expression"),
        ({"status": "a", "pattern": "%"}, "it has 0 groups"),
        ({"status": "a", "pattern": "(a)(b)"}, "it has 2 groups"),
    ],
)
def test_figures_that_make_no_sense_are_refused_in_words(make: Make, figures: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        make().Queries["samples"].model_validate({"figures": figures})


def test_an_empty_repository_is_said(world: World, make: Make) -> None:
    world.add(PAYMENTS)
    with pytest.raises(ConfigError, match="has no branch 'main', or no commit on it"):
        keeper(make(), "samples", START, **CODECOV).collect(make(), world.now)
