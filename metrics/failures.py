"""Which forward deployments failed in production, what told so, and when all was well again."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
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

BY_ROLLBACK = "by rollback"
BY_DEPLOYMENT = "by a fixing deployment"
BY_INCIDENT = "as the incident ended"

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that tells of a failed deployment, in words; `good_at` (microseconds) is when `good_by` ended that.

    `ended` is how: by a rollback, a deployment or the end of an incident.
    """

    words: str
    good_at: int | None = None
    good_by: str = ""
    ended: str = ""


@dataclass(frozen=True)
class Failures:
    """What told of each failed deployment, by row, and which signals there were to listen to."""

    told: dict[int, list[Sign]]
    signals: tuple[str, ...]

    def in_words(self, row: int) -> str:
        return ", ".join(sign.words for sign in self.told[row])

    def recovery(self, row: int) -> tuple[int, Sign] | None:
        """The earliest good state after a failed deployment and what brought it; None while there is none."""
        ended = [(sign.good_at, sign) for sign in self.told[row] if sign.good_at is not None]
        return min(ended, key=lambda one: one[0], default=None)


def failures(definition: MetricDefinition, tables: FactTables, deployments: pd.DataFrame, as_of: datetime) -> Failures:
    """The forward ones of `deployments` (ordered) that failed, by what is known at `as_of`."""
    found = shipping(tables, deployments, deployments["role"].tolist(), as_of)
    forward = _Forward.of(deployments)
    told: dict[int, list[Sign]] = {}
    for row, sign in (
        *_rolled_back(deployments, forward),
        *_reverted(deployments, found, forward),
        *_hotfixed(definition, found, forward),
        *_blamed(definition, tables, found, forward, as_of),
    ):
        told.setdefault(row, []).append(sign)
    listened = [*signals(definition, deployments), *(["incidents"] if "incidents" in tables.kinds else [])]
    return Failures(told, tuple(listened))


def signals(definition: MetricDefinition, deployments: pd.DataFrame) -> Iterator[str]:
    """What can tell of trouble by deployments and changes alone."""
    origins = set(deployments.loc[deployments["role"] == FORWARD, "origin"])
    if not origins or origins - NEVER_RETURNS:
        yield "rollbacks"
    yield "reverts"
    if definition.hotfix_labels or definition.hotfix_branches:
        yield "hotfixes"


@dataclass(frozen=True)
class _Forward:
    """The forward deployments of each repository, in order of success."""

    rows: dict[str, list[int]]
    at: dict[str, list[int]]
    by_commit: dict[tuple[str, str], list[int]]
    commit_of: dict[tuple[str, str], str]
    keys: list[str]
    succeeded: list[int]

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
        return cls(rows, at, by_commit, commit_of, deployments["key"].tolist(), succeeded)

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


def _rolled_back(deployments: pd.DataFrame, forward: _Forward) -> Iterator[tuple[int, Sign]]:
    for row, (role, by) in enumerate(zip(deployments["role"], deployments["undone_by"].tolist(), strict=True)):
        if role == FORWARD and by >= 0:
            key = forward.keys[by]
            yield row, Sign(f"taken back by {key}", forward.succeeded[by], key, BY_ROLLBACK)


def _reverted(deployments: pd.DataFrame, found: Shipping, forward: _Forward) -> Iterator[tuple[int, Sign]]:
    for row, by in reverted(found, deployments).items():
        key = forward.keys[by]
        yield row, Sign(f"reverted by {key}", forward.succeeded[by], key, BY_DEPLOYMENT)


def is_hotfix(definition: MetricDefinition, labels: str, head: str) -> bool:
    """Whether a change is one, by its labels (JSON) or the branch it came from."""
    labelled = bool(definition.hotfix_labels) and not set(definition.hotfix_labels).isdisjoint(json.loads(labels))
    return labelled or any(fnmatchcase(head, glob) for glob in definition.hotfix_branches)


def _hotfixed(definition: MetricDefinition, found: Shipping, forward: _Forward) -> Iterator[tuple[int, Sign]]:
    """What ran when a hotfix was merged had failed, until the hotfix was shipped."""
    names = ("subject", "key", "labels", "head")
    merged = found.changes["merged_at"].to_numpy().astype("int64").tolist()
    columns = (found.changes[name].tolist() for name in names)
    for subject, key, labels, head, at, shipped in zip(*columns, merged, found.by_change, strict=True):
        row = forward.before(subject, at) if is_hotfix(definition, labels, head) else None
        if row is None:
            continue
        words = f"mended by the hotfix {key}"
        if shipped is None or shipped.row <= row:
            yield row, Sign(words)
        else:
            by = shipped.row
            yield row, Sign(words, forward.succeeded[by], forward.keys[by], BY_DEPLOYMENT)


def _blamed(
    definition: MetricDefinition, tables: FactTables, found: Shipping, forward: _Forward, as_of: datetime
) -> Iterator[tuple[int, Sign]]:
    """What an incident names as its cause, or else what was shipped shortly before it; until it is closed."""
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
    opened_at, closed_at = (incidents[name].to_numpy().astype("int64").tolist() for name in ("opened_at", "closed_at"))
    columns = (incidents[name].tolist() for name in ("subject", "key", "environment", "commit", "deployment"))
    for opened, closed, subject, key, environment, commit, deployment in zip(
        opened_at, closed_at, *columns, strict=True
    ):
        if opened > microseconds(as_of) or not (environment is None or rules.covers(environment, subject)):
            continue
        if commit is None and deployment is None:
            row = forward.within(subject, opened, window)
        else:
            named = forward.commit_of.get((subject, deployment)) if deployment is not None else commit
            row = _named(subject, named, opened, forward, by_change)
        if row is not None:
            words = f"blamed by the incident {key}"
            # A missing end is the smallest integer there is.
            over = forward.succeeded[row] <= closed <= microseconds(as_of)
            yield row, Sign(words, closed, f"the end of {key}", BY_INCIDENT) if over else Sign(words)


def _named(
    subject: str, commit: str | None, opened: int, forward: _Forward, by_change: Mapping[tuple[str, str], int]
) -> int | None:
    """The deployment of this commit, or the one that shipped the change that became it."""
    if commit is None:
        return None
    row = forward.newest_with(subject, commit, opened)
    return by_change.get((subject, commit)) if row is None else row
