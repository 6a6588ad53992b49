"""What a clone tells for one stream, cut into batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from ..metrics.facts import Fact
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Batch, Json
from .git_clone import Branch, Clone, Commit
from .git_history import Sides, changes, merged, tagged
from .remembered import recall, remember, withdrawn

BATCH = 5000
REMEMBERED = 5000
"""How many of the newest tags or commits are watched for being moved, deleted or rewritten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """`times` are all keys the clone has now; `facts` makes those asked for.

    It can speak of `[since, until)`; `until` is None where it can't say that there is nothing else.
    `whole` says that what lies before `since` never was, rather than being cut off.
    """

    times: Mapping[str, datetime]
    facts: Callable[[Sequence[str]], Iterator[Fact]]
    since: datetime
    until: datetime | None
    whole: bool
    problems: tuple[str, ...] = ()

    def batches(self, window: TimeRange, cursor: Json | None) -> Iterator[Batch]:
        before = recall((cursor or {}).get("known"))
        wanted = self._wanted(window, before)
        for start in range(0, len(wanted), BATCH):
            yield Batch(facts=tuple(self.facts(wanted[start : start + BATCH])))
        yield self._last(window, before)

    def _wanted(self, window: TimeRange, before: Mapping[str, int]) -> list[str]:
        """Keys of the window, and those that are new since last time though their date is older (a tag pushed late)."""
        oldest = min(before.values(), default=None)
        return [
            key
            for key, at in self.times.items()
            if at in window or (oldest is not None and before.get(key) != (s := _seconds(at)) and s >= oldest)
        ]

    def _last(self, window: TimeRange, before: Mapping[str, int]) -> Batch:
        if self.until is None:
            return Batch(problems=self.problems)
        start, end = max(window.start, self.since), min(window.end, self.until)
        known = {key: _seconds(at) for key, at in self.times.items()}
        gone = withdrawn(before, known, 0 if self.whole else _seconds(self.since))
        unchanged = bool(before) and not gone and all(before.get(key) == at for key, at in known.items())
        return Batch(
            covered=TimeRanges.of(TimeRange(start, end)) if start < end else TimeRanges(),
            cursor=None if unchanged else {"known": remember(known, REMEMBERED)},
            removed=gone,
            horizon=self.since,
            problems=(*self.problems, *self._too_new()),
        )

    def _too_new(self) -> Iterator[str]:
        late = sorted(key for key, at in self.times.items() if self.until is not None and at >= self.until)
        if late:
            yield (
                f"{len(late)} of the clone's tags or commits ({late[-1][:40]}) are younger than its last fetch "
                f"({self.until:%Y-%m-%d %H:%M} UTC) and count once `git fetch` has run"
            )


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def tags_told(clone: Clone, default: Branch, pattern: str, subject: str, now: datetime) -> Telling:
    every = clone.tags()
    tags = {tag.name: tag for tag in every if fnmatchcase(tag.name, pattern)}
    line = clone.first_parents(default.ref)
    unsure = _no_tags_known(clone, bool(every))
    return Telling(
        times={tag.name: tag.at for tag in tags.values()},
        facts=lambda names: (tagged(tags[name], subject) for name in names),
        since=_since(clone, line, [tag.at for tag in every]),
        until=None if unsure else clone.known_until(default, now),
        whole=not clone.is_shallow,
        problems=unsure or (() if tags else unmatched(pattern, [tag.name for tag in every])),
    )


def merges_told(clone: Clone, branch: Branch, subject: str, now: datetime) -> Telling:
    line = clone.first_parents(branch.ref)
    commits = {commit.id: commit for commit in line}
    return _branch_told(clone, branch, line, now, lambda ids: (merged(commits[one], branch, subject) for one in ids))


def changes_told(clone: Clone, branch: Branch, subject: str, now: datetime, *, files: bool = False) -> Telling:
    line = clone.first_parents(branch.ref)
    place = {commit.id: n for n, commit in enumerate(line)}

    def facts(ids: Sequence[str]) -> Iterator[Fact]:
        places = sorted(place[one] for one in ids)
        sides = Sides.read(clone, line[places[0] :], places[-1] - places[0] + 1)
        return changes(clone, [line[n] for n in places], sides, branch, subject, files=files)

    return _branch_told(clone, branch, line, now, facts)


def _branch_told(
    clone: Clone,
    branch: Branch,
    line: Sequence[Commit],
    now: datetime,
    facts: Callable[[Sequence[str]], Iterator[Fact]],
) -> Telling:
    return Telling(
        times={commit.id: commit.at for commit in line},
        facts=facts,
        since=_since(clone, line, []),
        until=clone.known_until(branch, now),
        whole=not clone.is_shallow,
    )


def _since(clone: Clone, line: Sequence[Commit], others: Sequence[datetime]) -> datetime:
    # Tags of a shallow clone may reach behind its cut, but not all of them do.
    oldest = line[-1].at
    return oldest if clone.is_shallow else min([oldest, *others])


def _no_tags_known(clone: Clone, any_tags: bool) -> tuple[str, ...]:
    """Why the tags of a clone say nothing, if so: a clone fetched without tags looks like one that never had any."""
    if clone.remote is None or (any_tags and clone.brings_tags):
        return ()
    return (
        f"{clone.label} is a clone without tags, so it can't tell whether there are any; fetch them: git fetch --tags"
        + ("" if clone.brings_tags else f", and unset remote.{clone.remote}.tagOpt"),
    )


def unmatched(pattern: str, names: Sequence[str]) -> tuple[str, ...]:
    """The problem of a glob that none of the tags there are matches."""
    return (f"no tag matches {pattern!r}; tags are like {', '.join(names[-3:])}",) if names else ()
