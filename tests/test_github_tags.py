"""Tags as deployments, told by GitHub as a clone tells them."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from keyresults.collectors.git_clone import Clone
from keyresults.collectors.git_history import merged, tagged
from keyresults.collectors.github_cursor import SETTLES
from keyresults.metrics.ranges import TimeRange, TimeRanges
from standins import github_source
from standins.github import GitHubStandIn
from standins.github_code import Commit, Tag
from standins.github_source import DAY, PAYMENTS, Make, a_maker, a_repository, a_server, a_world  # noqa: F401 (fixtures)
from standins.github_world import Repository, World
from standins.histories import START
from standins.keeping import Keeper

HOUR = timedelta(hours=1)


def keeper(make: Make, pattern: str = "v*") -> Keeper:
    return github_source.keeper(make(), "deployments", START, deployments={"tags": pattern})


def light(repository: Repository, name: str, hours: float) -> None:
    oid = hashlib.sha1(f"{name} {hours}".encode(), usedforsecurity=False).hexdigest()
    repository.code.add(Commit(oid, START + hours * HOUR))
    repository.code.tags[name] = oid


def seen(followed: Keeper) -> dict[str, tuple[str, datetime]]:
    return {key: (fact.commit, fact.created_at) for key, fact in followed.facts.items()}


def told(repository: Repository, *, prefix: str = "v") -> dict[str, tuple[str, datetime]]:
    """Of lightweight tags."""
    names = {name: oid for name, oid in repository.code.tags.items() if name.startswith(prefix)}
    return {name: (oid, repository.code.objects[oid].at) for name, oid in names.items()}


def test_tags_of_many_pages_are_told_where_they_match(world: World, repository: Repository, make: Make) -> None:
    for number in range(120):
        light(repository, f"v{number}", number)
        light(repository, f"web/{number}", number)
    followed = keeper(make)
    followed.collect(make(), world.now)
    assert seen(followed) == told(repository)
    assert len(followed.facts) == 120
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_a_poll_without_news_is_one_free_request(
    world: World, repository: Repository, make: Make, server: GitHubStandIn
) -> None:
    light(repository, "v1", 1)
    memo: dict[str, str] = {}
    followed = keeper(make)
    followed.collect(make(memo), world.now)
    server.forget()
    world.now += HOUR
    followed.collect(make(memo), world.now)
    assert server.counts() == {304: 2}


def test_moved_deleted_and_late_tags_are_told_by_the_next_poll(
    world: World, repository: Repository, make: Make
) -> None:
    for number in range(1, 6):
        light(repository, f"v{number}", number)
    followed = keeper(make)
    followed.collect(make(), world.now)
    light(repository, "v2", 90)
    del repository.code.tags["v3"]
    light(repository, "v0", 0.5)
    # To another commit of the same second.
    twin = Commit("e" * 40, START + 4 * HOUR)
    repository.code.add(twin)
    repository.code.tags["v4"] = twin.oid
    world.now += HOUR
    followed.collect(make(), world.now)
    assert seen(followed) == told(repository)
    assert sorted(followed.facts) == ["v0", "v1", "v2", "v4", "v5"]


def test_the_last_tag_deleted_is_withdrawn_and_one_made_later_told(
    world: World, repository: Repository, make: Make
) -> None:
    light(repository, "v1", 1)
    followed = keeper(make)
    followed.collect(make(), world.now)
    repository.code.tags.clear()
    world.now += HOUR
    followed.collect(make(), world.now)
    assert not followed.facts
    light(repository, "v2", 2)
    world.now += HOUR
    followed.collect(make(), world.now)
    assert sorted(followed.facts) == ["v2"]


def test_annotated_tags_count_when_they_were_made_and_tags_of_no_commit_never(
    world: World, repository: Repository, make: Make
) -> None:
    commit = Commit("c" * 40, START + HOUR)
    made = (START + 5 * HOUR).astimezone(timezone(2 * HOUR))
    repository.code.add(commit, Tag("a" * 40, commit.oid, made), Tag("b" * 40, "a" * 40, made + HOUR))
    repository.code.add(Tag("d" * 40, commit.oid))
    repository.code.tags |= {"v1": "a" * 40, "v2": "b" * 40, "v3": "d" * 40, "v4": "f" * 40}
    followed = keeper(make)
    followed.collect(make(), world.now)
    assert seen(followed) == {
        "v1": (commit.oid, START + 5 * HOUR),
        "v2": (commit.oid, START + 6 * HOUR),
        "v3": (commit.oid, START + HOUR),
    }
    assert followed.facts["v1"].created_at.tzinfo is UTC


def test_a_glob_that_matches_nothing_is_said(world: World, repository: Repository, make: Make) -> None:
    light(repository, "release-1", 1)
    followed = keeper(make)
    followed.collect(make(), world.now)
    assert followed.problems == ["no tag matches 'v*'; tags are like release-1"]
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_another_word_for_what_deploys_starts_another_stream(world: World, repository: Repository, make: Make) -> None:
    light(repository, "v1", 1)
    light(repository, "web-1", 2)
    by_version = keeper(make, "v*")
    by_version.collect(make(), world.now)
    assert sorted(by_version.facts) == ["v1"]
    of_the_web = keeper(make, "web-*")
    assert of_the_web.stream != by_version.stream
    of_the_web.collect(make(), world.now)
    assert sorted(of_the_web.facts) == ["web-1"]


def test_a_sweep_a_day_reads_all_tags_again(
    world: World, repository: Repository, make: Make, server: GitHubStandIn
) -> None:
    light(repository, "v1", 1)
    memo: dict[str, str] = {}
    followed = keeper(make)
    followed.collect(make(memo), world.now)
    server.forget()
    world.now += DAY + HOUR
    followed.collect(make(memo), world.now)
    assert [asked.verb for asked in server.asked] == ["GET", "GET", "POST"]


def test_github_and_a_clone_tell_the_same(world: World, repository: Repository, make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "payments"
    a_clone(folder)
    clone = Clone(folder, None)
    mirror(clone, repository)
    for query, expected in (
        ({"tags": "v*"}, [tagged(tag, PAYMENTS) for tag in clone.tags()]),
        ({"merges": "main"}, [merged(c, clone.branch("main"), PAYMENTS) for c in clone.first_parents("main")]),
    ):
        followed = github_source.keeper(make(), "deployments", START, deployments=query)
        followed.collect(make(), world.now)
        assert followed.facts == {fact.key: fact for fact in expected}
        assert len(expected) == 3


def a_clone(folder: Path) -> None:
    """Three commits on the main line, one of them a merge of a side branch, and three kinds of tags."""

    def git(*words: str, hours: float = 0) -> None:
        at = f"{int((START + hours * HOUR).timestamp())} +0200"
        who = {f"GIT_{r}_{w}": "a@example.com" for r in ("AUTHOR", "COMMITTER") for w in ("NAME", "EMAIL")}
        dates = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at, "GIT_CONFIG_GLOBAL": "/dev/null"}
        subprocess.run(
            ["git", "-C", str(folder), *words],
            check=True,
            capture_output=True,
            env={"PATH": "/usr/bin:/bin", **who, **dates},
        )

    folder.mkdir()
    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "one", hours=1)
    git("tag", "v1")
    git("switch", "-q", "-c", "side")
    git("commit", "-q", "--allow-empty", "-m", "aside", hours=2)
    git("switch", "-q", "main")
    git("commit", "-q", "--allow-empty", "-m", "two", hours=3)
    git("merge", "-q", "--no-ff", "-m", "three", "side", hours=4)
    git("tag", "-a", "-m", "made later", "v2", hours=6)
    git("tag", "-a", "-m", "of a tag", "v3", "v2", hours=7)


def mirror(clone: Clone, repository: Repository) -> None:
    """A clone's objects and refs, by git's own word."""
    for line in clone.git.lines("log", "--all", "--format=%H %ct %P"):
        oid, at, *parents = line.split()
        repository.code.add(Commit(oid, datetime.fromtimestamp(int(at), UTC), tuple(parents)))
    form = "%(refname:lstrip=2) %(objecttype) %(objectname) %(creatordate:unix)"
    for line in clone.git.lines("for-each-ref", f"--format={form}", "refs/tags"):
        name, kind, oid, made = line.split()
        repository.code.tags[name] = oid
        if kind == "tag":
            target = clone.git.text("cat-file", "tag", oid).split()[1]
            repository.code.add(Tag(oid, target, datetime.fromtimestamp(int(made), timezone(2 * HOUR))))
    repository.code.branches["main"] = clone.git.line("rev-parse", "main") or ""
