"""For which time a clone can speak: fetched, shallow, bare, without tags, a worktree."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from git_layouts import Repo
from keyresults.collectors.contract import ConfigError, Context
from keyresults.collectors.git import Git
from keyresults.collectors.http import HttpDoor
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.ranges import TimeRange, TimeRanges

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLONED = datetime(2026, 11, 1, 9, tzinfo=UTC)
FETCHED = datetime(2026, 11, 15, 9, tzinfo=UTC)
TAGS = {"deployments": {"tags": "v*"}}
MERGES = {"deployments": {"merges": "main"}}


def day(n: int) -> datetime:
    return datetime(2026, 10, 1, 10, tzinfo=UTC) + timedelta(days=n)


def told(path: Path, query: dict, cursor=None, remote: str | None = None):
    context = Context(source="repo", http=HttpDoor(), clock=lambda: NOW, calendar=Calendar(), base=path.parent)
    git = Git(Git.Options.model_validate({"path": path.name, "remote": remote}), context)
    (stream,) = git.streams([("deployments", query)])
    batches = list(git.collect(stream, TimeRange(day(-100), NOW), cursor))
    return {fact.key: fact for batch in batches for fact in batch.facts}, batches[-1]


def covers(start: datetime, end: datetime) -> TimeRanges:
    return TimeRanges.of(TimeRange(start, end))


def made_at(repo: Repo, at: datetime) -> Repo:
    """As if it had been cloned then."""
    folder = repo.path / ".git" if (repo.path / ".git").is_dir() else repo.path
    for name in ("description", "info/exclude", "config", "HEAD"):
        if (folder / name).exists():
            os.utime(folder / name, (at.timestamp(), at.timestamp()))
    return repo


def fetched_at(repo: Repo, at: datetime, *what: str) -> None:
    repo.git("fetch", "-q", *what)
    folder = Path(repo.git("rev-parse", "--absolute-git-dir"))
    os.utime(folder / "FETCH_HEAD", (at.timestamp(), at.timestamp()))


@pytest.fixture
def origin(tmp_path) -> Repo:
    made = Repo.create(tmp_path / "origin")
    for n in range(10):
        made.commit(day(n), f"Change {n}")
        if n % 3 == 0:
            made.git("tag", f"v{n}")
    return made


def test_a_fresh_clone_knows_up_to_its_cloning(origin, tmp_path):
    clone = made_at(origin.clone(tmp_path / "clone"), CLONED)
    facts, last = told(clone.path, TAGS)
    assert set(facts) == {"v0", "v3", "v6", "v9"}
    assert last.covered == covers(day(0), CLONED)


@pytest.mark.parametrize("query", [TAGS, MERGES])
def test_a_fetch_moves_what_is_known(origin, tmp_path, query):
    clone = made_at(origin.clone(tmp_path / "clone"), CLONED)
    fetched_at(clone, FETCHED)
    assert told(clone.path, query)[1].covered == covers(day(0), FETCHED)


def test_a_fetch_of_another_branch_tells_nothing_of_this_one(origin, tmp_path):
    origin.git("branch", "other")
    clone = made_at(origin.clone(tmp_path / "clone"), CLONED)
    fetched_at(clone, FETCHED, "origin", "other")
    assert told(clone.path, MERGES)[1].covered == covers(day(0), CLONED)


def test_a_fetch_that_failed_tells_nothing(origin, tmp_path):
    clone = made_at(origin.clone(tmp_path / "clone"), CLONED)
    (clone.path / ".git" / "FETCH_HEAD").write_text("")
    assert told(clone.path, MERGES)[1].covered == covers(day(0), CLONED)


def test_a_fetch_from_another_remote_tells_nothing_of_ours(origin, tmp_path):
    fork = origin.clone(tmp_path / "fork.git", "--bare")
    clone = made_at(origin.clone(tmp_path / "clone"), CLONED)
    clone.git("remote", "add", "fork", f"file://{fork.path}")
    made_at(clone, CLONED)
    fetched_at(clone, FETCHED, "fork")
    assert told(clone.path, MERGES)[1].covered == covers(day(0), CLONED)
    assert told(clone.path, MERGES, remote="fork")[1].covered == covers(day(0), FETCHED)
    with pytest.raises(ConfigError, match="no remote 'frok'; did you mean 'fork'"):
        told(clone.path, MERGES, remote="frok")


def test_the_remote_s_branch_is_read_and_not_an_older_local_one(origin, tmp_path):
    clone = made_at(origin.clone(tmp_path / "clone"), CLONED)
    new = origin.commit(day(20), "Pushed by somebody")
    fetched_at(clone, FETCHED)
    assert new in told(clone.path, MERGES)[0]


def test_what_is_younger_than_the_last_fetch_is_named_and_not_covered(origin, tmp_path):
    clone = made_at(origin.clone(tmp_path / "clone"), CLONED)
    clone.commit(CLONED + timedelta(days=3), "Local")
    clone.git("tag", "v99")
    _, last = told(clone.path, TAGS)
    assert last.covered == covers(day(0), CLONED)
    assert "v99" in last.problems[0]
    assert "git fetch" in last.problems[0]


def test_a_bare_mirror_is_known_to_its_last_update(origin, tmp_path):
    mirror = made_at(origin.clone(tmp_path / "shop.git", "--mirror"), CLONED)
    facts, last = told(mirror.path, TAGS)
    assert len(facts) == 4
    assert last.covered == covers(day(0), CLONED)
    mirror.git("remote", "update")
    os.utime(mirror.path / "FETCH_HEAD", (FETCHED.timestamp(),) * 2)
    assert told(mirror.path, MERGES)[1].covered == covers(day(0), FETCHED)


def test_a_bare_repository_people_push_to_is_known_to_now(origin, tmp_path):
    hub = Repo.create(tmp_path / "hub.git", "--bare")
    hub.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    origin.git("push", "-q", "--tags", str(hub.path), "main")
    facts, last = told(hub.path, TAGS)
    assert len(facts) == 4
    assert last.covered == covers(day(0), NOW)
    assert {fact.subject for fact in facts.values()} == {"hub"}


def test_a_shallow_clone_speaks_from_its_cut_on(origin, tmp_path):
    clone = made_at(origin.clone(tmp_path / "clone", "--depth", "4"), CLONED)
    for query, known in ((MERGES, {day(6), day(7), day(8), day(9)}), (TAGS, {day(6), day(9)})):
        facts, last = told(clone.path, query)
        assert {fact.at for fact in facts.values()} == known
        assert last.covered == covers(day(6), CLONED)
        assert last.horizon == day(6)


def test_a_clone_that_became_shallow_withdraws_nothing(origin, tmp_path):
    cursor = told(origin.clone(tmp_path / "full").path, MERGES)[1].cursor
    shallow = origin.clone(tmp_path / "shallow", "--depth", "2")
    assert told(shallow.path, MERGES, cursor)[1].removed == ()


def test_a_forced_push_withdraws_in_a_clone_that_never_saw_the_old_tip(origin, tmp_path):
    gone = origin.git("rev-parse", "HEAD")
    cursor = told(origin.clone(tmp_path / "before").path, MERGES)[1].cursor
    origin.git("reset", "-q", "--hard", "HEAD~1")
    new = origin.commit(day(12), "Instead")
    for depth in ([], ["--depth", "3"]):
        clone = origin.clone(tmp_path / f"after{len(depth)}", *depth)
        facts, last = told(clone.path, MERGES, cursor)
        assert last.removed == (gone,)
        assert new in facts


def test_a_clone_without_tags_covers_nothing_and_says_so(origin, tmp_path):
    cursor = told(origin.clone(tmp_path / "full").path, TAGS)[1].cursor
    clone = origin.clone(tmp_path / "clone", "--no-tags")
    facts, last = told(clone.path, TAGS, cursor)
    assert (facts, bool(last.covered), last.removed) == ({}, False, ())
    assert "git fetch --tags" in last.problems[0]


def test_a_worktree_is_the_repository_it_belongs_to(origin, tmp_path):
    clone = made_at(origin.clone(tmp_path / "clone"), CLONED)
    clone.git("worktree", "add", "-q", "--detach", str(tmp_path / "tree"), "HEAD~2")
    fetched_at(Repo(tmp_path / "tree"), FETCHED)
    facts, last = told(tmp_path / "tree", MERGES)
    assert len(facts) == 10
    assert last.covered == covers(day(0), FETCHED)


def test_a_submodule_is_a_clone_of_its_own(origin, tmp_path):
    outer = Repo.create(tmp_path / "outer")
    outer.commit(day(30), "Begin")
    outer.git("submodule", "add", "-q", f"file://{origin.path}", "inner")
    facts, _ = told(outer.path / "inner", TAGS)
    assert set(facts) == {"v0", "v3", "v6", "v9"}


def test_a_checkout_of_a_mere_commit_reads_that_commit_s_line(origin, tmp_path):
    work = Repo.create(tmp_path / "ci")
    work.git("remote", "add", "origin", f"file://{origin.path}")
    work.git("fetch", "-q", "--tags", "origin", "main")
    work.git("checkout", "-q", "--detach", "FETCH_HEAD")
    facts, last = told(work.path, TAGS)
    assert set(facts) == {"v0", "v3", "v6", "v9"}
    assert last.covered.start == day(0)


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("https://user:secret@example.org/acme/shop.git", "acme/shop"),
        ("git@example.org:acme/shop.git", "acme/shop"),
        ("ssh://git@example.org:2222/group/acme/shop/", "acme/shop"),
        ("/srv/git/shop.git", "origin"),
    ],
)
def test_the_subject_is_where_it_is_fetched_from(origin, url, label):
    origin.git("remote", "add", "origin", url)
    context = Context(source="repo", http=HttpDoor(), clock=lambda: NOW, calendar=Calendar(), base=origin.path.parent)
    git = Git(Git.Options.model_validate({"path": "origin", **TAGS}), context)
    (stream,) = git.streams([("deployments", {})])
    assert stream.subject == label
    assert "secret" not in repr(git.probe())
