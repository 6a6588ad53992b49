"""GitHub's merged pull requests, read from a stand-in that speaks its APIs over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from keyresults.collectors import github_client
from keyresults.collectors.contract import SourceError
from keyresults.collectors.github_cursor import SETTLES
from keyresults.metrics.facts import Change
from keyresults.metrics.ranges import TimeRange, TimeRanges
from standins import github_pulls
from standins.github import GitHubStandIn, Trouble
from standins.github_pulls import Pull, Review
from standins.github_source import DAY, PAYMENTS, Make, a_server, a_world, collectors, keeper  # noqa: F401 (fixtures)
from standins.github_world import World
from standins.histories import START

HOUR = timedelta(hours=1)


@pytest.fixture
def make(server: GitHubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(github_client, "PAUSES", (0.0, 0.0))
    with collectors(server, tmp_path) as one:
        yield one


def pull(number: int, merged: datetime, base: str = "main") -> Pull:
    change = Change(
        key=str(number),
        subject=PAYMENTS,
        commit=f"{number:040x}",
        merged_at=merged,
        opened_at=merged - 5 * HOUR,
        first_commit_at=merged - 9 * HOUR,
        first_review_at=merged - HOUR if number % 3 else None,
        title=f"Change {number}",
        base=base,
        head="topic",
        labels=("hotfix",) if number % 5 == 0 else (),
        author_kind="bot" if number % 4 == 0 else "person",
        reverts=f"#{number - 1}" if number % 7 == 0 else None,
        url=f"https://github.com/{PAYMENTS}/pull/{number}",
    )
    return Pull(change, merged, f"Reverts {PAYMENTS}#{number - 1}" if change.reverts else "")


def history(world: World, count: int = 130) -> list[Pull]:
    pulls = [pull(n, START + n * 6 * HOUR) for n in range(1, count + 1)]
    world.add(PAYMENTS).pulls.extend(pulls)
    return pulls


def test_all_merged_changes_of_the_default_branch_are_read(world: World, make: Make) -> None:
    pulls = history(world)
    world.repositories[0].pulls.append(pull(500, START + DAY, base="other"))
    followed = keeper(make(), "changes", START)
    followed.collect(make(), world.now)
    assert followed.facts == {p.told.key: p.told for p in pulls}
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))
    everywhere = keeper(make(), "changes", START, branch="*")
    everywhere.collect(make(), world.now)
    assert set(everywhere.facts) == {*followed.facts, "500"}


SPLIT = {"files_of": [PAYMENTS, "acme/ledger"]}


def touching(world: World, *counts: int | None) -> list[Pull]:
    """Merged pull requests, each with so many files; None for one whose files GitHub can't tell."""
    for number, count in enumerate(counts, 1):
        paths = None if count is None else tuple(f"services/{n:03}/a b.py" for n in range(count))
        one = pull(number, START + number * HOUR)
        world.repositories[0].pulls.append(replace(one, told=replace(one.told, paths=paths)))
    return world.repositories[0].pulls


def test_the_files_of_changes_are_read_where_a_service_has_paths(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    world.add(PAYMENTS)
    pulls = touching(world, 1, 0, 100, 101, 260, None)
    followed = keeper(make(), "changes", START, **SPLIT)
    followed.collect(make(), world.now)
    assert followed.facts == {p.told.key: p.told for p in pulls}
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))
    asked = [one for one in server.asked if "files(first: $first" in str(one.body)]
    assert len(asked) == 1 + 4 + 4  # one file, 160 files in pages of 50, and the ways to ask for none at all


def test_the_files_of_changes_are_not_asked_for_elsewhere(world: World, make: Make) -> None:
    world.add(PAYMENTS)
    pulls = touching(world, 3)
    followed = keeper(make(), "changes", START)
    followed.collect(make(), world.now)
    assert followed.facts == {p.told.key: replace(p.told, paths=None) for p in pulls}


def test_only_the_streams_of_repositories_with_paths_are_others(world: World, make: Make) -> None:
    world.add(PAYMENTS)
    asked = [("changes", {"branch": "main"}), ("changes", {"branch": "main", "files_of": ["acme/ledger"]})]
    assert {repr(s) for s in make().streams(asked[:1])} == {repr(s) for s in make().streams(asked[1:])}
    (stream,) = make().streams([("changes", {"files_of": ["Acme/Payments"]})])
    assert stream.query == {"files_of": ["Acme/Payments"]}


def test_a_poll_without_news_is_answered_for_free(world: World, make: Make, server: GitHubStandIn) -> None:
    history(world)
    followed = keeper(make(), "changes", START)
    memo: dict[str, str] = {}
    followed.collect(make(memo), world.now)
    world.now += HOUR
    server.forget()
    followed.collect(make(memo), world.now)
    assert set(server.counts()) == {304}
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_a_label_put_on_later_is_read(world: World, make: Make) -> None:
    pulls = history(world)
    followed = keeper(make(), "changes", START)
    followed.collect(make(), world.now)
    world.now += HOUR
    pulls[2].told, pulls[2].touched = replace(pulls[2].told, labels=("late",)), world.now - HOUR / 2
    followed.collect(make(), world.now)
    assert followed.facts["3"] == pulls[2].told


def test_a_pull_request_touched_between_two_pages_is_not_lost(world: World, make: Make) -> None:
    pulls = history(world)
    followed = keeper(make(), "changes", START)
    collector = make()
    for place, batch in enumerate(collector.collect(followed.stream, TimeRange(START, world.now), None)):
        followed.keep(batch)
        if place == 0:
            world.now += timedelta(minutes=1)
            pulls[0].touched = world.now
    assert followed.facts == {p.told.key: p.told for p in pulls}


@pytest.mark.parametrize("trouble", ["502", "truncated"])
def test_what_came_before_a_broken_page_is_kept_and_the_next_run_completes_it(
    world: World, make: Make, server: GitHubStandIn, trouble: Trouble
) -> None:
    pulls = history(world)
    followed = keeper(make(), "changes", START)
    server.plan = dict.fromkeys(range(4, 30), trouble)
    with pytest.raises(SourceError):
        followed.collect(make(), world.now)
    assert len(followed.facts) == 50
    assert all(p.told.key in followed.facts for p in pulls if p.told.merged_at in followed.covered)
    server.plan = {}
    followed.collect(make(), world.now)
    assert followed.facts == {p.told.key: p.told for p in pulls}


def test_pages_too_heavy_for_github_are_asked_for_in_smaller_ones(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    pulls = history(world, 30)
    server.limits.heaviest = 5
    followed = keeper(make(), "changes", START)
    followed.collect(make(), world.now)
    assert followed.facts == {p.told.key: p.told for p in pulls}


def test_a_touch_that_github_s_list_showed_days_late_is_found_by_the_sweep(world: World, make: Make) -> None:
    pulls = history(world)
    followed = keeper(make(), "changes", START)
    followed.collect(make(), world.now)
    world.now += 6 * HOUR
    pulls[20].told, pulls[20].touched = replace(pulls[20].told, labels=("late",)), world.now - 20 * DAY
    pulls.append(pull(900, world.now - HOUR))
    world.repositories[0].pulls.append(pulls[-1])
    followed.collect(make(), world.now)
    assert "900" in followed.facts
    assert followed.facts["21"] != pulls[20].told, "a poll reads a day behind its window"
    world.now += 19 * HOUR
    followed.collect(make(), world.now)
    assert followed.facts["21"] == pulls[20].told


def test_reaching_further_back_hands_over_what_was_merged_then_and_nothing_else(world: World, make: Make) -> None:
    pulls = history(world)
    followed = keeper(make(), "changes", START + 20 * DAY)
    followed.collect(make(), world.now)
    followed.since, so_far = START, len(followed.batches)
    followed.collect(make(), world.now, oldest_gap_first=False)
    assert followed.facts == {p.told.key: p.told for p in pulls}
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))
    told_now = [fact for batch in followed.batches[so_far:] for fact in batch.facts]
    older = [fact for fact in told_now if START + 20 * DAY <= fact.at < world.now - 2 * DAY]
    assert not older, "what lies outside the gap is not told again"


def test_a_change_github_never_shows_is_said_and_covers_nothing_behind_it(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    pulls = history(world, 8)
    server.limits.hidden = frozenset({"PR_5"})
    followed = keeper(make(), "changes", START)
    followed.collect(make(), world.now)
    assert set(followed.facts) == {p.told.key for p in pulls} - {"5"}
    assert set(followed.problems) == {"acme/payments: GitHub left a pull request out of its answer"}
    assert pulls[4].told.merged_at not in followed.covered
    server.limits.hidden = frozenset()
    world.now += HOUR
    followed.collect(make(), world.now)
    assert followed.facts == {p.told.key: p.told for p in pulls}
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def merged_alone(world: World, **traits: Any) -> Pull:
    """One merged change, alone in its repository, with these traits besides."""
    world.add(PAYMENTS)
    told = replace(pull(1, START + 2 * DAY).told, first_review_at=None)
    one = Pull(told, told.merged_at, **traits)
    world.repositories[0].pulls.append(one)
    return one


def read_alone(world: World, make: Make) -> Change:
    followed = keeper(make(), "changes", START)
    followed.collect(make(), world.now)
    (fact,) = followed.facts.values()
    assert isinstance(fact, Change)
    return fact


AT = START + DAY


@pytest.mark.parametrize(
    ("reviews", "first"),
    [
        ((), None),
        ((Review("copilot-pull-request-reviewer", AT, by_a_bot=True),), None),
        ((Review("dependabot[bot]", AT),), None),
        ((Review("robot", AT, by_a_bot=True), Review("other", AT + HOUR)), AT + HOUR),
        (tuple(Review("someone", AT + n * HOUR / 60) for n in range(30)), None),
        ((*(Review("robot", AT, by_a_bot=True) for _ in range(75)), Review("other", AT + HOUR)), AT + HOUR),
        ((*(Review("someone", AT) for _ in range(19)), Review("other", AT + HOUR)), AT + HOUR),
        ((Review("late", AT + HOUR), Review("early", AT)), AT),
    ],
)
def test_the_first_review_is_that_of_a_person_who_is_not_the_author(
    world: World, make: Make, reviews: tuple[Review, ...], first: datetime | None
) -> None:
    merged_alone(world, reviews=reviews)
    assert read_alone(world, make).first_review_at == first


def test_pages_of_reviews_are_asked_for_only_where_none_counts_yet(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    merged_alone(world, reviews=(Review("other", AT), *(Review("robot", AT, by_a_bot=True) for _ in range(60))))
    assert read_alone(world, make).first_review_at == AT
    assert not [one for one in server.asked if "reviews(first: $first" in str(one.body)]


def test_whoever_reviews_the_change_of_an_account_that_is_gone_is_somebody_else(world: World, make: Make) -> None:
    one = merged_alone(world, reviews=(Review("other", AT),))
    one.told = replace(one.told, author_kind="unknown")
    fact = read_alone(world, make)
    assert (fact.first_review_at, fact.author_kind) == (AT, "unknown")


@pytest.mark.parametrize("author", ["person", "unknown"])
def test_a_review_by_an_account_that_is_gone_counts(
    world: World, make: Make, author: Literal["person", "unknown"]
) -> None:
    one = merged_alone(world, reviews=(Review(None, AT),))
    one.told = replace(one.told, author_kind=author)
    assert read_alone(world, make).first_review_at == AT


def test_all_labels_of_a_change_are_read(world: World, make: Make) -> None:
    one = merged_alone(world)
    one.told = replace(one.told, labels=("hotfix", "urgent", "payments"))
    assert read_alone(world, make).labels == ("hotfix", "urgent", "payments")


@pytest.mark.parametrize("lost", [130, 129, 60, 1])
def test_a_change_whose_commit_github_knows_no_more_costs_its_own_second_alone(
    world: World, make: Make, lost: int
) -> None:
    pulls = history(world)
    pulls[lost - 1].lost = True
    at = pulls[lost - 1].told.merged_at
    followed = keeper(make(), "changes", START)
    memo: dict[str, str] = {}
    for _ in range(2):
        followed.collect(make(memo), world.now)
        assert set(followed.facts) == {p.told.key for p in pulls} - {str(lost)}
        hole = TimeRange(at, at + timedelta(seconds=1))
        assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES)) - TimeRanges.of(hole)
        words = f"acme/payments: pull request {lost} is left out, GitHub knows no commit that it was merged as"
        assert followed.problems[-1] == words
        world.now += HOUR
    pulls[lost - 1].lost = False
    followed.collect(make(memo), world.now)
    assert str(lost) in followed.facts
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_two_changes_touched_in_one_second_are_both_read_though_one_showed_first(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    """The probe shows one of them alone, before and after: as if nothing had happened."""
    pulls = history(world, 3)
    followed = keeper(make(), "changes", START)
    memo: dict[str, str] = {}
    world.now = touched = world.now.replace(microsecond=0)
    pulls[2].told, pulls[2].touched = replace(pulls[2].told, labels=("first",)), touched
    followed.collect(make(memo), world.now)
    pulls[0].told, pulls[0].touched = replace(pulls[0].told, labels=("second",)), touched
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert followed.facts["1"] == pulls[0].told
    server.forget()
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert set(server.counts()) == {304}


def test_a_pull_request_closed_without_a_merge_is_no_change_and_has_the_list_read_once(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    pulls = history(world, 5)
    followed = keeper(make(), "changes", START)
    memo: dict[str, str] = {}
    followed.collect(make(memo), world.now)
    rejected = pull(6, world.now + HOUR / 2)
    rejected.rejected = True
    world.repositories[0].pulls.append(rejected)
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert set(followed.facts) == {p.told.key for p in pulls}
    server.forget()
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert set(server.counts()) == {304}


def test_a_touch_that_github_s_list_showed_hours_late_is_found_behind_the_first_page(world: World, make: Make) -> None:
    pulls = history(world)
    followed = keeper(make(), "changes", START)
    followed.collect(make(), world.now)
    world.now += HOUR
    late, later = world.now - 2 * HOUR, world.now - 5 * HOUR
    for one in pulls[60:109]:
        one.touched = world.now - HOUR / 2
    for one, touched in ((pulls[110], late), (pulls[20], later)):
        one.told, one.touched = replace(one.told, labels=("late",)), touched
    followed.collect(make(), world.now)
    assert [followed.facts[key] for key in ("111", "21")] == [pulls[110].told, pulls[20].told]


def test_what_can_t_be_dated_leaves_all_uncovered_that_was_not_read_before_it(
    world: World, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulls = history(world)
    real = github_pulls._node

    def undated(one: Pull, connection: Any) -> dict[str, object]:
        return real(one, connection) | ({"mergedAt": None} if one is pulls[119] else {})

    monkeypatch.setattr(github_pulls, "_node", undated)
    followed = keeper(make(), "changes", START)
    followed.collect(make(), world.now)
    assert set(followed.facts) == {p.told.key for p in pulls} - {"120"}
    assert pulls[119].told.merged_at not in followed.covered
    monkeypatch.undo()
    followed.collect(make(), world.now)
    assert followed.facts == {p.told.key: p.told for p in pulls}
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))
