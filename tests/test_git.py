"""Deployments from the tags and merges of a local clone."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from git_layouts import Repo
from keyresults.collectors.contract import ConfigError, Context, SourceError
from keyresults.collectors.git import Git
from keyresults.collectors.git_program import GitProgram
from keyresults.collectors.http import HttpDoor
from keyresults.collectors.testing import Case, CollectorContract
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.ranges import TimeRange, TimeRanges

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG_AGO = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def day(n: int, hour: int = 10) -> datetime:
    return datetime(2026, 10, 1, hour, tzinfo=UTC) + n * DAY


def source(path: Path, now: datetime = NOW, **options: object) -> Git:
    context = Context(
        source="repo", http=HttpDoor(), clock=lambda: now, calendar=Calendar("Europe/Berlin"), base=path.parent
    )
    return Git(Git.Options.model_validate({"path": path.name, **options}), context)


def told(git: Git, query: dict | None = None, cursor=None, kind="deployments", start=LONG_AGO, end=NOW):
    (stream,) = git.streams([(kind, query or {})])
    batches = list(git.collect(stream, TimeRange(start, end), cursor))
    facts = {fact.key: fact for batch in batches for fact in batch.facts}
    return facts, batches[-1]


@pytest.fixture
def repo(tmp_path) -> Repo:
    """v1.0 on day 1 (annotated, made on day 2), v1.1 on day 5 (lightweight), a tag of another kind."""
    made = Repo.create(tmp_path / "shop")
    made.commit(day(0), "Begin")
    made.commit(day(1), "One")
    made.git("tag", "-a", "v1.0", "-m", "first", at=day(2))
    made.commit(day(5), "Two")
    made.git("tag", "v1.1")
    made.git("tag", "nightly-7")
    return made


class TestContract(CollectorContract):
    @pytest.fixture
    def case(self, repo) -> Case:
        return Case(
            collector=Git,
            options={"path": "shop", "deployments": {"tags": "v*"}},
            queries=[
                ("deployments", {}),
                ("deployments", {"deployments": {"merges": "main"}}),
                ("changes", {}),
            ],
            window=TimeRange(day(-30), NOW),
            now=NOW,
            base=repo.path.parent,
        )


def test_tags_are_deployments_at_the_time_they_were_made(repo):
    facts, last = told(source(repo.path, deployments={"tags": "v*"}))
    assert {key: fact.succeeded_at for key, fact in facts.items()} == {"v1.0": day(2), "v1.1": day(5)}
    first = facts["v1.0"]
    assert (first.environment, first.origin, first.subject, first.ref) == ("production", "tag", "shop", "v1.0")
    assert first.commit == repo.git("rev-parse", "v1.0^{commit}")
    assert last.covered == TimeRanges.of(TimeRange(day(0), NOW))
    assert last.horizon == day(0)


def test_merges_are_every_first_parent_commit(repo):
    repo.git("checkout", "-q", "-b", "side", "HEAD~1")
    repo.commit(day(6), "Aside")
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge branch 'side'", "side", at=day(8))
    facts, _ = told(source(repo.path), {"deployments": {"merges": "main"}})
    assert [fact.at for fact in facts.values()] == [day(8), day(5), day(1), day(0)]
    assert {fact.origin for fact in facts.values()} == {"merge"}
    assert all(fact.succeeded_at == fact.at and fact.key == fact.commit for fact in facts.values())


def test_only_facts_of_the_window_are_told_first(repo):
    facts, last = told(source(repo.path, deployments={"tags": "v*"}), start=day(3), end=day(9))
    assert set(facts) == {"v1.1"}
    assert last.covered == TimeRanges.of(TimeRange(day(3), day(9)))


def test_a_query_may_say_another_glob_and_is_another_stream(repo):
    git = source(repo.path, deployments={"tags": "v*"})
    usual, other = git.streams([("deployments", {}), ("deployments", {"deployments": {"tags": "nightly-*"}})])
    assert usual.id != other.id
    assert set(told(git, {"deployments": {"tags": "nightly-*"}})[0]) == {"nightly-7"}


def test_saying_nothing_of_deployments_is_an_error(repo):
    with pytest.raises(ConfigError, match="tags"):
        source(repo.path).streams([("deployments", {})])


def test_a_tag_pushed_late_is_told_though_its_date_is_old(repo):
    git = source(repo.path, deployments={"tags": "v*"})
    cursor = told(git)[1].cursor
    repo.git("tag", "-a", "v1.0.1", "-m", "late", "HEAD~1", at=day(3))
    facts, _ = told(git, cursor=cursor, start=NOW - DAY)
    assert set(facts) == {"v1.0.1"}


def test_a_moved_tag_is_the_same_fact_at_its_new_commit(repo):
    git = source(repo.path, deployments={"tags": "v*"})
    cursor = told(git)[1].cursor
    commit = repo.commit(day(20), "Three")
    repo.git("tag", "-f", "v1.1")
    facts, last = told(git, cursor=cursor, start=NOW - DAY)
    assert (facts["v1.1"].commit, facts["v1.1"].at) == (commit, day(20))
    assert last.removed == ()


def test_a_deleted_tag_is_withdrawn(repo):
    git = source(repo.path, deployments={"tags": "v*"})
    cursor = told(git)[1].cursor
    repo.git("tag", "-d", "v1.0")
    assert told(git, cursor=cursor)[1].removed == ("v1.0",)


def test_nothing_new_leaves_the_cursor_alone(repo):
    git = source(repo.path, deployments={"tags": "v*"})
    facts, last = told(git, cursor=told(git)[1].cursor, start=NOW - DAY)
    assert (facts, last.cursor, last.removed) == ({}, None, ())


def test_rewritten_history_is_withdrawn(repo):
    git = source(repo.path)
    query = {"deployments": {"merges": "main"}}
    gone = repo.git("rev-parse", "HEAD")
    cursor = told(git, query)[1].cursor
    repo.git("reset", "-q", "--hard", "HEAD~1")
    new = repo.commit(day(6), "Two, again")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("tag", "-d", "v1.1", "nightly-7")
    repo.git("gc", "-q", "--prune=now")
    facts, last = told(git, query, cursor=cursor, start=NOW - DAY)
    assert set(facts) == {new}
    assert last.removed == (gone,)


def test_a_glob_that_matches_nothing_says_how_tags_look(repo):
    repo.git("tag", "-d", "v1.0", "v1.1")
    facts, last = told(source(repo.path, deployments={"tags": "v*"}))
    assert facts == {}
    assert last.covered
    assert last.problems == ("no tag matches 'v*'; tags are like nightly-7",)


def test_a_repository_of_its_own_without_tags_never_deployed(repo):
    repo.git("tag", "-d", "v1.0", "v1.1", "nightly-7")
    facts, last = told(source(repo.path, deployments={"tags": "v*"}))
    assert (facts, last.problems) == ({}, ())
    assert last.covered == TimeRanges.of(TimeRange(day(0), NOW))


def test_tags_of_tags_lead_to_the_commit_and_tags_of_files_are_none(repo):
    repo.git("tag", "-a", "v2.0", "-m", "again", "v1.0", at=day(7))
    repo.git("tag", "v-file", repo.git("hash-object", "-w", "--stdin"))
    facts, _ = told(source(repo.path, deployments={"tags": "v*"}))
    assert facts["v2.0"].commit == repo.git("rev-parse", "v1.0^{commit}")
    assert "v-file" not in facts


def test_a_missing_branch_names_a_near_one(repo):
    repo.git("branch", "release")
    with pytest.raises(ConfigError, match="no branch 'relase'; did you mean 'release'"):
        told(source(repo.path), {"deployments": {"merges": "relase"}})


def test_an_empty_repository_covers_nothing_and_says_why(tmp_path):
    Repo.create(tmp_path / "empty")
    git = source(tmp_path / "empty", deployments={"tags": "v*"})
    facts, last = told(git)
    assert (facts, bool(last.covered)) == ({}, False)
    assert last.problems == ("the repository has no commit yet",)
    assert git.probe().detail == "the repository has no commit yet"


def test_a_folder_that_is_no_repository_is_a_config_error(tmp_path):
    (tmp_path / "plain").mkdir()
    for name, words in (("plain", "no git repository"), ("nowhere", "no folder")):
        with pytest.raises(ConfigError, match=words):
            source(tmp_path / name, deployments={"tags": "v*"}).streams([("deployments", {})])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_explained_and_not_read(repo):
    os.chown(repo.path, 12345, 12345)
    os.chown(repo.path / ".git", 12345, 12345)
    with pytest.raises(ConfigError, match=r"belongs to another user.*safe\.directory .* --system"):
        source(repo.path, deployments={"tags": "v*"}).streams([("deployments", {})])


def test_a_hook_s_environment_does_not_lead_astray(repo, tmp_path, monkeypatch):
    Repo.create(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert set(told(source(repo.path, deployments={"tags": "v*"}))[0]) == {"v1.0", "v1.1"}


def test_a_missing_git_is_said_in_words(repo, monkeypatch):
    monkeypatch.setenv("PATH", str(repo.path))
    with pytest.raises(SourceError, match="git is not installed"):
        source(repo.path, deployments={"tags": "v*"}).streams([("deployments", {})])


def test_a_git_that_hangs_is_given_up(tmp_path, monkeypatch):
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(SourceError, match=r"git remote took over 0\.2 s"):
        GitProgram(tmp_path, seconds=0.2).lines("remote")


def test_replace_refs_and_aliases_change_nothing(repo):
    repo.git("replace", "--graft", "HEAD")
    repo.git("config", "alias.log", "!false")
    facts, _ = told(source(repo.path), {"deployments": {"merges": "main"}})
    assert len(facts) == 3
