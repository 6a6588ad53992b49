"""Which forward deployments failed in production, and what told so."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .definition import MetricDefinition
from .roles import FORWARD
from .shipping import Shipping, reverted, shipping
from .table import FactTables, microseconds
from .tracks import NEVER_RETURNS, TrackRules

if TYPE_CHECKING:
    import pandas as pd

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Failures:
    """What told of each failed deployment, in words by row, and which signals there were to listen to."""

    told: dict[int, list[str]]
    signals: tuple[str, ...]


def failures(definition: MetricDefinition, tables: FactTables, deployments: pd.DataFrame, as_of: datetime) -> Failures:
    """The forward ones of `deployments` (ordered) that failed, by what is known at `as_of`."""
    found = shipping(tables, deployments, deployments["role"].tolist(), as_of)
    forward = _Forward.of(deployments)
    told: dict[int, list[str]] = {}
    for row, words in (
        *_rolled_back(deployments),
        *((row, f"reverted by {deployments['key'].iat[by]}") for row, by in reverted(found, deployments).items()),
        *_hotfixed(definition, found, forward),
        *_blamed(definition, tables, found, forward, as_of),
    ):
        told.setdefault(row, []).append(words)
    return Failures(told, tuple(_signals(definition, tables, deployments)))


def _signals(definition: MetricDefinition, tables: FactTables, deployments: pd.DataFrame) -> Iterator[str]:
    origins = set(deployments.loc[deployments["role"] == FORWARD, "origin"])
    if not origins or origins - NEVER_RETURNS:
        yield "rollbacks"
    yield "reverts"
    if definition.hotfix_labels or definition.hotfix_branches:
        yield "hotfixes"
    if "incidents" in tables.kinds:
        yield "incidents"


@dataclass(frozen=True)
class _Forward:
    """The forward deployments of each repository, in order of success."""

    rows: dict[str, list[int]]
    at: dict[str, list[int]]
    by_commit: dict[tuple[str, str], list[int]]
    commit_of: dict[tuple[str, str], str]
    succeeded: Sequence[int]

    @classmethod
    def of(cls, deployments: pd.DataFrame) -> _Forward:
        rows: dict[str, list[int]] = {}
        at: dict[str, list[int]] = {}
        by_commit: dict[tuple[str, str], list[int]] = {}
        succeeded = deployments["at"].to_numpy().astype("int64").tolist()
        columns = [deployments[name].tolist() for name in ("subject", "commit", "key", "role")]
        for row, (subject, commit, _, role) in enumerate(zip(*columns, strict=True)):
            if role == FORWARD:
                rows.setdefault(subject, []).append(row)
                at.setdefault(subject, []).append(succeeded[row])
                by_commit.setdefault((subject, commit), []).append(row)
        commit_of = {(subject, key): commit for subject, commit, key, _ in zip(*columns, strict=True)}
        return cls(rows, at, by_commit, commit_of, succeeded)

    def before(self, subject: str, instant: int) -> int | None:
        """The newest that had succeeded before the instant."""
        place = bisect_left(self.at.get(subject, []), instant)
        return self.rows[subject][place - 1] if place else None

    def within(self, subject: str, opened: int, window: int) -> int | None:
        """The newest up to the instant, where it succeeded within the window before it."""
        place = bisect_right(self.at.get(subject, []), opened)
        if not place or opened - self.at[subject][place - 1] > window:
            return None
        return self.rows[subject][place - 1]

    def newest_with(self, subject: str, commit: str, opened: int) -> int | None:
        """The newest of this commit that had succeeded by the instant."""
        rows = [row for row in self.by_commit.get((subject, commit), ()) if self.succeeded[row] <= opened]
        return rows[-1] if rows else None


def _rolled_back(deployments: pd.DataFrame) -> Iterator[tuple[int, str]]:
    for row, (role, by) in enumerate(zip(deployments["role"], deployments["undone_by"].tolist(), strict=True)):
        if role == FORWARD and by >= 0:
            yield row, f"taken back by {deployments['key'].iat[by]}"


def _hotfixed(definition: MetricDefinition, found: Shipping, forward: _Forward) -> Iterator[tuple[int, str]]:
    """What ran when a hotfix was merged had failed."""
    names = ("subject", "key", "labels", "head")
    merged = found.changes["merged_at"].to_numpy().astype("int64").tolist()
    for (subject, key, labels, head), at in zip(
        zip(*(found.changes[name] for name in names), strict=True), merged, strict=True
    ):
        labelled = not set(definition.hotfix_labels).isdisjoint(json.loads(labels))
        if labelled or any(fnmatchcase(head, glob) for glob in definition.hotfix_branches):
            row = forward.before(subject, at)
            if row is not None:
                yield row, f"mended by the hotfix {key}"


def _blamed(
    definition: MetricDefinition, tables: FactTables, found: Shipping, forward: _Forward, as_of: datetime
) -> Iterator[tuple[int, str]]:
    """What an incident names as its cause, or else what was shipped shortly before it."""
    rules = TrackRules.of(definition)
    incidents = tables.frame("incidents")
    by_change = {
        (subject, commit): shipped.row
        for subject, commit, shipped in zip(
            found.changes["subject"], found.changes["commit"], found.by_change, strict=True
        )
        if shipped is not None
    }
    window = definition.failure_window // _MICROSECOND
    opened_at = incidents["opened_at"].to_numpy().astype("int64").tolist()
    names = ("subject", "key", "environment", "commit", "deployment")
    for opened, (subject, key, environment, commit, deployment) in zip(
        opened_at, zip(*(incidents[name] for name in names), strict=True), strict=True
    ):
        if opened > microseconds(as_of) or not (environment is None or rules.covers(environment, subject)):
            continue
        if commit is None and deployment is None:
            row = forward.within(subject, opened, window)
        else:
            named = forward.commit_of.get((subject, deployment)) if deployment is not None else commit
            row = _named(subject, named, opened, forward, by_change)
        if row is not None:
            yield row, f"blamed by the incident {key}"


def _named(
    subject: str, commit: str | None, opened: int, forward: _Forward, by_change: Mapping[tuple[str, str], int]
) -> int | None:
    """The deployment of this commit, or the one that shipped the change that became it."""
    if commit is None:
        return None
    row = forward.newest_with(subject, commit, opened)
    return by_change.get((subject, commit)) if row is None else row
