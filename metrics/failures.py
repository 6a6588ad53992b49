"""Which forward deployments failed in production, what told so, and when all was well again."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from .definition import MetricDefinition
from .facts import name_within
from .ownership import LEFT_OUT, ownership_notes, roles_by_owner
from .reverts import reverted
from .roles import FORWARD
from .shipping import Shipping, shipping
from .table import MICROSECOND, FactTables, microseconds
from .tracks import NEVER_RETURNS, TrackRules, ordered

if TYPE_CHECKING:
    import pandas as pd

BY_ROLLBACK = "by rollback"
BY_DEPLOYMENT = "by a fixing deployment"
BY_INCIDENT = "as the incident ended"


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
    """What told of each failed deployment, by row. `notes` say which signals there were to listen to."""

    told: dict[int, list[Sign]]
    notes: tuple[str, ...]

    def in_words(self, row: int) -> str:
        return ", ".join(sign.words for sign in self.told[row])

    def recovery(self, row: int) -> tuple[int, Sign] | None:
        """The earliest good state after a failed deployment and what brought it; None while there is none."""
        ended = [(sign.good_at, sign) for sign in self.told[row] if sign.good_at is not None]
        return min(ended, key=lambda one: one[0], default=None)


def failures(definition: MetricDefinition, tables: FactTables, deployments: pd.DataFrame, as_of: datetime) -> Failures:
    """The forward ones of `deployments` (ordered) that failed, by what is known at `as_of`."""
    found = shipping(tables, definition.split, deployments, deployments["role"].tolist(), as_of)
    forward = _Forward.of(deployments)
    cause = _Cause(definition, tables, found, forward, as_of)
    told: dict[int, list[Sign]] = {}
    for row, sign in (
        *_rolled_back(deployments, forward),
        *_reverted(deployments, found, forward),
        *_hotfixed(definition, found, forward),
        *_blamed(cause, tables, forward, as_of),
    ):
        told.setdefault(row, []).append(sign)
    listened = [*signals(definition, deployments), *(["incidents"] if "incidents" in tables.kinds else [])]
    return Failures(told, delivery_notes(definition, listened, found))


def delivery_notes(definition: MetricDefinition, listened: Iterable[str], found: Shipping) -> tuple[str, ...]:
    """Which signals there were, and which changes could be none of any service."""
    changes = found.changes
    whose = [(service,) for service in changes["service"]]
    nobodys = roles_by_owner(changes, whose, definition.split, None)
    unsaid = (f"{nobodys.count(role)} {words} are no service's" for role, words in LEFT_OUT.items())
    return (
        f"signals: {', '.join(listened)}",
        *(note for note in unsaid if not note.startswith("0 ")),
        *ownership_notes(definition.split, definition.services),
    )


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
    """The forward deployments of each service, in order of success.

    `named` is the service and commit of each deployment, by repository and its name there; `services`
    those of a repository that have any.
    """

    rows: dict[str, list[int]]
    at: dict[str, list[int]]
    by_commit: dict[tuple[str, str], list[int]]
    named: dict[tuple[str, str], tuple[str, str]]
    services: dict[str, list[str]]
    keys: list[str]
    succeeded: list[int]

    @classmethod
    def of(cls, deployments: pd.DataFrame) -> _Forward:
        rows: dict[str, list[int]] = {}
        at: dict[str, list[int]] = {}
        by_commit: dict[tuple[str, str], list[int]] = {}
        succeeded = deployments["at"].to_numpy().astype("int64").tolist()
        named: dict[tuple[str, str], tuple[str, str]] = {}
        services: dict[str, dict[str, None]] = {}
        columns = [deployments[name].tolist() for name in ("subject", "service", "commit", "key", "role")]
        for row, (subject, service, commit, key, role) in enumerate(zip(*columns, strict=True)):
            named[subject, name_within(subject, key)] = service, commit
            if role == FORWARD:
                services.setdefault(subject, {})[service] = None
                rows.setdefault(service, []).append(row)
                at.setdefault(service, []).append(succeeded[row])
                by_commit.setdefault((service, commit), []).append(row)
        theirs = {subject: list(found) for subject, found in services.items()}
        return cls(rows, at, by_commit, named, theirs, deployments["key"].tolist(), succeeded)

    def before(self, service: str, instant: int, row: int | None) -> int | None:
        """The newest that had succeeded before the instant, and stands before that row where there is one."""
        place = bisect_left(self.at.get(service, []), instant)
        if row is not None:
            place = min(place, bisect_left(self.rows[service], row))
        return self.rows[service][place - 1] if place else None

    def until(self, services: Iterable[str], instant: int) -> int | None:
        """The newest of these services up to the instant."""
        places = ((service, bisect_right(self.at[service], instant)) for service in services)
        return max((self.rows[service][place - 1] for service, place in places if place), default=None)

    def newest_with(self, service: str, commit: str, opened: int) -> int | None:
        """The newest of this commit that had succeeded by the instant."""
        rows = [row for row in self.by_commit.get((service, commit), ()) if self.succeeded[row] <= opened]
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
    """What ran when a hotfix was merged had failed, until the hotfix was shipped: never what shipped it."""
    names = ("service", "key", "labels", "head")
    merged = found.changes["merged_at"].to_numpy().astype("int64").tolist()
    columns = (found.changes[name].tolist() for name in names)
    for service, key, labels, head, at, shipped in zip(*columns, merged, found.by_change, strict=True):
        by = None if shipped is None else shipped.row
        row = forward.before(service, at, by) if is_hotfix(definition, labels, head) else None
        if row is None:
            continue
        words = f"mended by the hotfix {key}"
        if by is None:
            yield row, Sign(words)
        else:
            yield row, Sign(words, forward.succeeded[by], forward.keys[by], BY_DEPLOYMENT)


def _blamed(cause: _Cause, tables: FactTables, forward: _Forward, as_of: datetime) -> Iterator[tuple[int, Sign]]:
    """What each incident is the fault of, until it is closed."""
    incidents = tables.frame("incidents")
    opened_at, closed_at = (incidents[name].to_numpy().astype("int64").tolist() for name in ("opened_at", "closed_at"))
    columns = (incidents[name].tolist() for name in ("key", "subject", "environment", "commit", "deployment"))
    for opened, closed, key, subject, environment, commit, deployment in zip(
        opened_at, closed_at, *columns, strict=True
    ):
        if opened > microseconds(as_of):
            continue
        for row in cause.of(opened, subject, environment, commit, deployment):
            words = f"blamed by the incident {key}"
            # A missing end is the smallest integer there is.
            over = forward.succeeded[row] <= closed <= microseconds(as_of)
            yield row, Sign(words, closed, f"the end of {key}", BY_INCIDENT) if over else Sign(words)


class _Cause:
    """Finds the deployments that an incident names as its cause, or else what was shipped shortly before it."""

    def __init__(
        self, definition: MetricDefinition, tables: FactTables, found: Shipping, forward: _Forward, as_of: datetime
    ) -> None:
        self._definition = definition
        self._rules = TrackRules.of(definition)
        self._forward = forward
        self._everywhere = _everywhere(tables, self._rules, as_of) or forward
        self._own_environments = {s.name: s.environment for s in definition.split if s.environment is not None}
        self._owners: dict[tuple[str, str], list[str]] = {}
        self._by_change: dict[tuple[str, str], int] = {}
        columns = (found.changes[name].tolist() for name in ("subject", "service", "commit"))
        for subject, service, commit, shipped in zip(*columns, found.by_change, strict=True):
            self._owners.setdefault((subject, commit), []).append(service)
            if shipped is not None:
                self._by_change[service, commit] = shipped.row

    def of(
        self, opened: int, subject: str, environment: str | None, commit: str | None, deployment: str | None
    ) -> list[int]:
        if deployment is not None:
            service, commit = self._forward.named.get((subject, name_within(subject, deployment)), (None, None))
            services = [] if service is None else [service]
        elif commit is not None:
            services = self._owners.get((subject, commit)) or self._forward.services.get(subject, [])
        else:
            row = self._shipped_shortly_before(subject, environment, opened)
            return [] if row is None else [row]
        found = (self._shipped(s, commit, opened) for s in services if commit and self._is_there(environment, s))
        return [row for row in found if row is not None]

    def _shipped(self, service: str, commit: str, opened: int) -> int | None:
        """The newest deployment of this commit, or the one that shipped the change that became it."""
        row = self._forward.newest_with(service, commit, opened)
        return self._by_change.get((service, commit)) if row is None else row

    def _shipped_shortly_before(self, subject: str, environment: str | None, opened: int) -> int | None:
        """The newest of any service of the repository, where it is one that the metric is about."""
        services = [s for s in self._everywhere.services.get(subject, ()) if self._is_there(environment, s)]
        row = self._everywhere.until(services, opened)
        window = self._definition.failure_window // MICROSECOND
        if row is None or opened - self._forward.succeeded[row] > window:
            return None
        return row if row in self._counted else None

    @cached_property
    def _counted(self) -> frozenset[int]:
        return frozenset(row for rows in self._forward.rows.values() for row in rows)

    def _is_there(self, environment: str | None, service: str) -> bool:
        """Whether what happened in an environment may be this service's fault."""
        if environment is None:
            return True
        own = self._own_environments.get(service)
        return self._rules.covers(environment, service) and (own is None or fnmatchcase(environment, own))


def _everywhere(tables: FactTables, rules: TrackRules, as_of: datetime) -> _Forward | None:
    """The forward deployments of all services, where the metric is about some of them only; rows are the same."""
    if not rules.split:
        return None
    own = frozenset(s.name for s in rules.split if s.environment is not None)
    return _Forward.of(ordered(tables, replace(rules, services=None, own_environments=own), as_of))
