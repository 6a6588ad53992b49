"""What lies between two commits, as a clone on the disk tells."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from git_layouts import Repo
from keyresults.collectors.contract import Context, Resolver
from keyresults.collectors.git import Git
from keyresults.collectors.http import HttpDoor
from keyresults.metrics.calendar import Calendar

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def day(n: int) -> datetime:
    return datetime(2026, 10, 1, 10, tzinfo=UTC) + timedelta(days=n)


def resolved(path: Path, *pairs: tuple[str, str]):
    """The batches, and the shipments in them by their commits."""
    context = Context(source="repo", http=HttpDoor(), clock=lambda: NOW, calendar=Calendar(), base=path.parent)
    git = Git(Git.Options.model_validate({"path": path.name}), context)
    assert isinstance(git, Resolver)
    batches = list(git.resolve([("acme/pay", *pair) for pair in pairs]))
    return batches, {(one.previous, one.commit): one for batch in batches for one in batch.facts}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.create(tmp_path / "repo")


def test_the_commits_after_the_one_before_are_those_shipped(repo: Repo) -> None:
    first, second, third = (repo.commit(day(n)) for n in range(3))
    _, found = resolved(repo.path, (first, third))
    one = found[first, third]
    assert (set(one.commits), one.relation, one.method) == ({second, third}, "ahead", "clone")
    assert (one.key, one.subject, one.found_at) == (f"{first}..{third}", "acme/pay", NOW)


def test_an_older_commit_lies_behind_and_ships_nothing(repo: Repo) -> None:
    first, second = repo.commit(day(0)), repo.commit(day(1))
    _, found = resolved(repo.path, (second, first), (first, first))
    assert [(one.relation, one.commits) for one in found.values()] == [("behind", ()), ("identical", ())]


def test_a_branch_off_an_older_commit_ships_its_own_alone(repo: Repo) -> None:
    base, newer = repo.commit(day(0)), repo.commit(day(1))
    repo.git("checkout", "-q", "-b", "hotfix", base)
    fix = repo.commit(day(2))
    _, found = resolved(repo.path, (newer, fix))
    assert (found[newer, fix].relation, found[newer, fix].commits) == ("diverged", (fix,))


def test_a_merge_ships_all_that_it_brought(repo: Repo) -> None:
    base = repo.commit(day(0))
    repo.git("checkout", "-q", "-b", "topic")
    side = repo.commit(day(1))
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge topic", "topic", at=day(2))
    merge = repo.git("rev-parse", "HEAD")
    _, found = resolved(repo.path, (base, merge))
    assert set(found[base, merge].commits) == {side, merge}


def test_a_bare_clone_tells_the_same(repo: Repo, tmp_path: Path) -> None:
    first, second = repo.commit(day(0)), repo.commit(day(1))
    bare = repo.clone(tmp_path / "bare.git", "--bare")
    _, found = resolved(bare.path, (first, second))
    assert found[first, second].commits == (second,)


@pytest.mark.parametrize("strange", ["f" * 40, "main", "HEAD~1", "--all", "v1", ""])
def test_what_is_no_commit_of_the_clone_is_told_and_left(repo: Repo, strange: str) -> None:
    first, second = repo.commit(day(0)), repo.commit(day(1))
    repo.git("tag", "v1")
    batches, found = resolved(repo.path, (first, strange), (first, second))
    assert set(found) == {(first, second)}
    assert batches[0].problems == (
        "of 1 deployments repo lacks the commit, the one before, or the history between them",
    )


def test_a_shallow_clone_tells_only_of_what_it_has_all_of(repo: Repo, tmp_path: Path) -> None:
    made = [repo.commit(day(n)) for n in range(6)]
    repo.git("branch", "old", made[0])
    shallow = repo.clone(tmp_path / "shallow", "--depth", "3", "--no-single-branch")
    _, found = resolved(shallow.path, (made[4], made[5]), (made[0], made[5]), (made[1], made[5]), (made[3], made[5]))
    assert {key: len(one.commits) for key, one in found.items()} == {(made[4], made[5]): 1, (made[3], made[5]): 2}


def test_nothing_is_asked_of_a_network(repo: Repo) -> None:
    first, second = repo.commit(day(0)), repo.commit(day(1))
    batches, _ = resolved(repo.path, *[(first, second)] * 3)
    assert [batch.requests for batch in batches] == [0]


@pytest.mark.parametrize("seed", range(4))
def test_any_tree_of_commits_agrees_with_plain_loops(repo: Repo, seed: int) -> None:
    rng = random.Random(seed)
    tree = repo.git("write-tree")
    parents: dict[str, list[str]] = {}
    for n in range(18):
        chosen = rng.sample(list(parents), min(len(parents), rng.choice((0, 1, 1, 1, 2))))
        flags = [word for parent in chosen for word in ("-p", parent)]
        parents[repo.git("commit-tree", tree, *flags, "-m", f"{n}", at=day(rng.randrange(20)))] = chosen
    pairs = [(rng.choice(list(parents)), rng.choice(list(parents))) for _ in range(40)]
    _, found = resolved(repo.path, *pairs)
    for previous, commit in pairs:
        ours, theirs = reached(previous, parents), reached(commit, parents)
        one = found[previous, commit]
        assert set(one.commits) == theirs - ours
        relations = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
        assert one.relation == relations.get((bool(theirs - ours), bool(ours - theirs)), "diverged")


def reached(commit: str, parents: dict[str, list[str]]) -> set[str]:
    found, ahead = set(), [commit]
    while ahead:
        found.add(one := ahead.pop())
        ahead += parents[one]
    return found
