"""Changes and their reverts from a local clone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from git_layouts import Repo
from keyresults.collectors.contract import Context
from keyresults.collectors.git import Git
from keyresults.collectors.http import HttpDoor
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.facts import Change
from keyresults.metrics.ranges import TimeRange

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def day(n: int) -> datetime:
    return datetime(2026, 10, 1, 10, tzinfo=UTC) + timedelta(days=n)


def changes(repo: Repo, start: datetime | None = None, **query: object) -> list[Change]:
    context = Context(source="repo", http=HttpDoor(), clock=lambda: NOW, calendar=Calendar(), base=repo.path.parent)
    git = Git(Git.Options.model_validate({"path": repo.path.name}), context)
    (stream,) = git.streams([("changes", query)])
    batches = list(git.collect(stream, TimeRange(start or day(-100), NOW), None))
    return [fact for batch in batches for fact in batch.facts if isinstance(fact, Change)]


@pytest.fixture
def repo(tmp_path) -> Repo:
    made = Repo.create(tmp_path / "shop")
    made.commit(day(0), "Begin")
    return made


def branch(repo: Repo, name: str, *commits: tuple[datetime, str]) -> None:
    repo.git("checkout", "-q", "-b", name)
    for at, author in commits:
        repo.commit(at, "Work", author=author)
    repo.git("checkout", "-q", "main")


def merge(repo: Repo, name: str, at: datetime, message: str | None = None) -> None:
    repo.git("merge", "-q", "--no-ff", "-m", message or f"Merge branch '{name}'", name, at=at)


def test_a_merge_is_one_change_that_began_with_its_oldest_commit(repo):
    branch(repo, "feature/pay", (day(2), "Ana"), (day(3), "Ben"))
    merge(repo, "feature/pay", day(5))
    newest, first = changes(repo)
    assert (newest.merged_at, newest.first_commit_at) == (day(5), day(2))
    assert (newest.title, newest.head, newest.base) == ("Merge branch 'feature/pay'", "feature/pay", "main")
    assert (first.merged_at, first.first_commit_at, first.title) == (day(0), None, "Begin")


def write(repo: Repo, at: datetime, **files: str) -> str:
    for name, text in files.items():
        path = repo.path / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    repo.git("add", "-A")
    return repo.commit(at, "Work")


def test_the_files_a_change_touched_are_told_where_they_are_asked(repo):
    write(repo, day(1), web__a="1", **{"ledger__b ü": "1"})
    repo.git("checkout", "-q", "-b", "move")
    repo.git("mv", "web/a", "ledger/a")
    repo.commit(day(2), "Move")
    write(repo, day(3), ledger__c="1")
    repo.git("checkout", "-q", "main")
    write(repo, day(4), docs__d="1")
    merge(repo, "move", day(5))
    repo.commit(day(6), "Nothing at all")
    (label,) = {c.subject for c in changes(repo)}
    told = changes(repo, files_of=[label])
    assert [(c.merged_at, c.paths) for c in told] == [
        (day(6), ()),
        (day(5), ("ledger/a", "ledger/c", "web/a")),
        (day(4), ("docs/d",)),
        (day(1), ("ledger/b ü", "web/a")),
        (day(0), ()),
    ]
    assert {c.paths for c in changes(repo)} == {None}
    assert {c.paths for c in changes(repo, files_of=["acme/other"])} == {None}


def test_the_files_of_a_root_are_all_it_has_and_those_of_a_cut_are_not_known(repo, tmp_path):
    made = Repo.create(tmp_path / "made")
    write(made, day(0), web__a="1")
    write(made, day(1), web__b="1")
    (label,) = {c.subject for c in changes(made)}
    assert [c.paths for c in changes(made, files_of=[label])] == [("web/b",), ("web/a",)]
    shallow = made.clone(tmp_path / "shallow", "--depth", "1")
    told = changes(shallow, files_of=[c.subject for c in changes(shallow)])
    assert [c.paths for c in told] == [None]


def test_a_commit_counts_with_the_first_merge_that_brought_it(repo):
    branch(repo, "a", (day(1), "Ana"))
    merge(repo, "a", day(2))
    repo.git("checkout", "-q", "a")
    repo.commit(day(4), "More")
    repo.git("checkout", "-q", "main")
    merge(repo, "a", day(5))
    assert [c.first_commit_at for c in changes(repo)] == [day(4), day(1), None]


def test_a_window_reads_only_its_own_merges(repo):
    branch(repo, "a", (day(1), "Ana"))
    merge(repo, "a", day(2))
    branch(repo, "b", (day(6), "Ana"))
    merge(repo, "b", day(9))
    assert [(c.merged_at, c.first_commit_at) for c in changes(repo, start=day(8))] == [(day(9), day(6))]


def test_a_platform_s_merge_has_the_title_of_its_change_and_no_person_s_name(repo):
    branch(repo, "ana-fix", (day(1), "Ana"))
    merge(repo, "ana-fix", day(2), "Merge pull request #12 from ana/hotfix/round\n\nRound amounts up")
    merged = changes(repo)[0]
    assert (merged.title, merged.head) == ("Round amounts up", "hotfix/round")
    branch(repo, "next", (day(3), "Ana"))
    merge(repo, "next", day(4), "Merge pull request #13 from ana/next")
    assert changes(repo)[0].title == "Merge pull request #13"
    assert "ana@example.org" not in repr(changes(repo))


def test_a_revert_names_the_commit_it_takes_back(repo):
    bad = repo.commit(day(1), "Break things")
    repo.commit(day(2), f'Revert "Break things"\n\nThis reverts commit {bad}.')
    repo.commit(day(3), 'Revert "Something" (#14)\n\nReverts acme/shop#13')
    assert [c.reverts for c in changes(repo)] == ["#13", bad, None, None]


def test_only_bots_are_told_apart(repo):
    branch(repo, "bump", (day(1), "dependabot[bot]"), (day(2), "dependabot[bot]"))
    merge(repo, "bump", day(3))
    branch(repo, "mixed", (day(4), "dependabot[bot]"), (day(5), "Ana"))
    merge(repo, "mixed", day(6))
    repo.commit(day(7), "Bump", author="x", address="49699333+renovate[bot]@users.noreply.example.org")
    assert [c.author_kind for c in changes(repo)] == ["bot", "unknown", "bot", "unknown"]


def test_a_branch_may_be_named(repo):
    branch(repo, "release", (day(4), "Ana"))
    assert [c.merged_at for c in changes(repo, branch="release")] == [day(4), day(0)]


def test_a_merge_at_the_cut_of_a_shallow_clone_has_no_beginning(repo, tmp_path):
    branch(repo, "a", (day(1), "Ana"), (day(2), "Ana"))
    merge(repo, "a", day(5))
    shallow = repo.clone(tmp_path / "shallow", "--depth", "2")
    assert [c.first_commit_at for c in changes(shallow)] == [None, None]


def test_odd_messages_are_read_whole(repo):
    repo.commit(day(1), "Zażółć – naïve\n\nbody\n\nwith lines")
    repo.git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "", at=day(2))
    assert [c.title for c in changes(repo)] == ["", "Zażółć – naïve", "Begin"]
