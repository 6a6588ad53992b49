"""Facts that a clone's history tells: tags and merges as deployments, commits of a branch as changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..metrics.facts import Change, Deployment, StatusChange
from .git_clone import Branch, Clone, Commit, Tag
from .git_program import instant

ENVIRONMENT = "production"
"""Where a tag or a merge counts as deployed: git knows no environments."""

_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{7,64})|^Reverts (?:[\w.-]+/[\w.-]+)?(#\d+)\s*$", re.MULTILINE)
_MERGED = re.compile(r"^(Merge pull request #\d+) from [^/\s]+/(\S+)$|^Merge (?:remote-tracking )?branch '([^']+)'")
_COMMITS = re.compile(r"\x01(?=[0-9a-f]{40,64}\0)")
_SUMMARY = "%x00".join(("%H", "%an", "%ae", "%s", "%b"))
_SIDE = "%x00".join(("%H", "%at", "%P", "%an", "%ae"))


def tagged(tag: Tag, subject: str) -> Deployment:
    return _deployment(tag.name, tag.commit, tag.at, subject, tag.name, "tag")


def merged(commit: Commit, branch: Branch, subject: str) -> Deployment:
    return _deployment(commit.id, commit.id, commit.at, subject, branch.name, "merge")


def _deployment(
    key: str, commit: str, at: datetime, subject: str, ref: str, origin: Literal["tag", "merge"]
) -> Deployment:
    return Deployment(
        key=key,
        subject=subject,
        environment=ENVIRONMENT,
        commit=commit,
        created_at=at,
        statuses=(StatusChange("success", at),),
        ref=ref,
        origin=origin,
    )


def changes(
    clone: Clone, commits: Sequence[Commit], sides: Sides, branch: Branch, subject: str, *, files: bool
) -> Iterator[Change]:
    """One change for each commit of the branch's own line: a merge, a squashed change, a direct push."""
    asked = "\n".join(commit.id for commit in commits)
    log = ("log", "--no-walk=unsorted", "-z", "--encoding=UTF-8", f"--format={_SUMMARY}", "--stdin")
    told = {row[0]: row[1:] for row in _records(clone.git.text(*log, given=asked), 5)}
    touched = _touched(clone, commits) if files else {}
    for commit in commits:
        if commit.id in told:
            yield _change(commit, told[commit.id], sides.of(commit), branch, subject, touched.get(commit.id))


def _touched(clone: Clone, commits: Sequence[Commit]) -> dict[str, tuple[str, ...]]:
    """The files each commit changed beside its first parent, moved ones under both names.

    Where the history is cut off, a commit's parent is not there to compare it with: its files are not known.
    """
    asked = "\n".join(commit.id for commit in commits if commit.id not in clone.cut_off)
    if not asked:
        return {}
    how = ("--no-walk=unsorted", "--root", "-m", "--first-parent", "--no-renames", "--no-ext-diff", "--name-only")
    told = clone.git.text("log", *how, "-z", "--format=%x01%H", "--stdin", given=asked)
    found: dict[str, tuple[str, ...]] = {}
    for part in _COMMITS.split(told)[1:]:
        commit, _, paths = part.partition("\0")
        found[commit] = tuple(path for path in paths.removeprefix("\n").split("\0") if path)
    return found


def _change(
    commit: Commit, told: Sequence[str], side: Side, branch: Branch, subject: str, paths: tuple[str, ...] | None
) -> Change:
    name, address, title, body = told
    title, head = _title(title, body)
    return Change(
        key=commit.id,
        subject=subject,
        commit=commit.id,
        merged_at=commit.at,
        first_commit_at=side.began,
        title=title,
        base=branch.name,
        head=head,
        author_kind="bot" if side.by_bots or (side.by_bots is None and _is_bot(name, address)) else "unknown",
        reverts=taken_back(body),
        paths=paths,
    )


def taken_back(body: str) -> str | None:
    """The commit, or the change (`#12`), that a message says it reverts."""
    found = _REVERTS.search(body)
    return (found[1] or found[2]) if found else None


def _title(subject: str, body: str) -> tuple[str, str]:
    """Title and merged branch. A platform's merge commit has the title below, and a person's name in its subject."""
    merge = _MERGED.match(subject)
    if merge is None:
        return subject, ""
    if merge[1]:
        return body.strip().partition("\n")[0] or merge[1], merge[2]
    return subject, merge[3]


def _is_bot(name: str, address: str) -> bool:
    return name.endswith("[bot]") or "[bot]@" in address


@dataclass(frozen=True, slots=True)
class Side:
    """What a merge brought in: when its oldest commit was written, and whether bots wrote all (None: no merge)."""

    began: datetime | None = None
    by_bots: bool | None = None


class Sides:
    """The commits that merges brought in, each counted with the first merge that did."""

    def __init__(self, found: Mapping[str, Side]) -> None:
        self._found = found

    def of(self, commit: Commit) -> Side:
        return self._found.get(commit.id, Side())

    @classmethod
    def read(cls, clone: Clone, line: Sequence[Commit], wanted: int) -> Sides:
        """The sides of the newest `wanted` commits of a branch's own line, which is given newest first."""
        newest = line[:wanted]
        if not any(len(commit.parents) > 1 for commit in newest):
            return cls({})
        before = [f"^{line[wanted].id}"] if wanted < len(line) else []
        text = clone.git.text("log", "-z", f"--format={_SIDE}", newest[0].id, *before, "--")
        pool = {row[0]: row for row in _records(text, 5)}
        for commit in newest:
            pool.pop(commit.id, None)
        return cls({c.id: _side(c, pool, clone.cut_off) for c in reversed(newest) if len(c.parents) > 1})


def _side(merge: Commit, pool: dict[str, list[str]], cut_off: frozenset[str]) -> Side:
    rows, ahead = [], list(merge.parents[1:])
    while ahead:
        row = pool.pop(ahead.pop(), None)
        if row is not None:
            rows.append(row)
            ahead += row[2].split()
    if not rows:
        return Side()
    began = [at for row in rows if (at := instant(row[1]))]
    whole = not any(row[0] in cut_off for row in rows)
    return Side(min(began, default=None) if whole else None, all(_is_bot(row[3], row[4]) for row in rows))


def _records(text: str, fields: int) -> Iterator[list[str]]:
    """Records of NUL-ended fields; `git log -z` ends each with one more."""
    parts = text.split("\0")
    for start in range(0, len(parts) - fields + 1, fields):
        yield parts[start : start + fields]
