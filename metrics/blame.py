"""Which deployments an incident is the fault of."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from .definition import MetricDefinition
from .facts import name_within
from .roles import FORWARD
from .shipping import Shipping
from .table import MICROSECOND, FactTables
from .tracks import TrackRules, ordered

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Forward:
    """The forward deployments of each service, in order of success.

    `named` is the row of each deployment, by repository and its name there, and `stands_for_it` the
    forward one that counts in its place; `services` are those of a repository that have any, and
    `homes` the repository of each that was ever deployed.
    """

    rows: Mapping[str, list[int]]
    at: Mapping[str, list[int]]
    by_commit: Mapping[tuple[str, str], list[int]]
    named: Mapping[tuple[str, str], int]
    stands_for_it: Mapping[int, int]
    services: Mapping[str, list[str]]
    homes: Mapping[str, str]
    service: list[str]
    keys: list[str]
    succeeded: list[int]

    @classmethod
    def of(cls, deployments: pd.DataFrame) -> Forward:
        rows: dict[str, list[int]] = {}
        at: dict[str, list[int]] = {}
        by_commit: dict[tuple[str, str], list[int]] = {}
        named: dict[tuple[str, str], int] = {}
        services: dict[str, dict[str, None]] = {}
        names = ("subject", "service", "commit", "key", "role", "stands_for_it")
        columns = {name: deployments[name].tolist() for name in names}
        succeeded = deployments["at"].to_numpy().astype("int64").tolist()
        roles = columns["role"]
        stands = {row: kept for row, kept in enumerate(columns["stands_for_it"]) if roles[kept] == FORWARD}
        for row, (subject, service, commit, key, role, _) in enumerate(zip(*columns.values(), strict=True)):
            named[subject, name_within(subject, key)] = row
            if role == FORWARD:
                services.setdefault(subject, {})[service] = None
                rows.setdefault(service, []).append(row)
                at.setdefault(service, []).append(succeeded[row])
                by_commit.setdefault((service, commit), []).append(row)
        theirs = {subject: list(found) for subject, found in services.items()}
        homes = dict(zip(columns["service"], columns["subject"], strict=True))
        return cls(rows, at, by_commit, named, stands, theirs, homes, columns["service"], columns["key"], succeeded)

    def before(self, service: str, instant: int, row: int | None) -> int | None:
        """The newest that had succeeded before the instant, and stands before that row where there is one."""
        place = bisect_left(self.at.get(service, []), instant)
        if row is not None:
            place = min(place, bisect_left(self.rows[service], row))
        return self.rows[service][place - 1] if place else None

    def until(self, services: Iterable[str], instant: int) -> int | None:
        """The newest of these services up to the instant."""
        places = ((service, bisect_right(self.at.get(service, []), instant)) for service in services)
        return max((self.rows[service][place - 1] for service, place in places if place), default=None)

    def newest_with(self, service: str, commit: str, opened: int) -> int | None:
        """The newest of this commit that had succeeded by the instant."""
        rows = [row for row in self.by_commit.get((service, commit), ()) if self.succeeded[row] <= opened]
        return rows[-1] if rows else None


class Blame:
    """Finds the deployments that an incident names as its cause, or else what was shipped shortly before it.

    Nothing that had not succeeded when the incident was opened is to blame.
    """

    def __init__(
        self, definition: MetricDefinition, tables: FactTables, found: Shipping, forward: Forward, as_of: datetime
    ) -> None:
        self._definition = definition
        self._rules = TrackRules.of(definition)
        self._forward = forward
        self._everywhere = _everywhere(tables, self._rules, as_of) or forward
        self._own_environments = {s.name: s.environment for s in definition.split if s.environment is not None}
        self._split = frozenset(s.name for s in definition.split)
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
        """The rows of what an incident is the fault of, be its subject a repository or a service of one; `opened` in
        microseconds."""
        home = self._everywhere.homes.get(subject, subject) if subject in self._split else subject
        if deployment is not None:
            found = [self._named(home, deployment, environment, opened)]
        elif commit is not None:
            services = self._services(subject, self._owners.get((home, commit)) or self._forward.services.get(home, []))
            found = [self._shipped(s, commit, opened) for s in services if self._is_there(environment, s)]
        else:
            services = self._services(subject, self._everywhere.services.get(home, []))
            found = [self._shipped_shortly_before([s for s in services if self._is_there(environment, s)], opened)]
        return [row for row in found if row is not None]

    def _services(self, subject: str, otherwise: list[str]) -> list[str]:
        """The service that the subject is, or those that it may be about."""
        return [subject] if subject in self._split else otherwise

    def _named(self, subject: str, deployment: str, environment: str | None, opened: int) -> int | None:
        """The deployment of this name, or the one that counts in its place, where it went forward."""
        row = self._forward.named.get((subject, name_within(subject, deployment)))
        if row is None or self._forward.succeeded[row] > opened:
            return None
        there = self._is_there(environment, self._forward.service[row])
        return self._forward.stands_for_it.get(row) if there else None

    def _shipped(self, service: str, commit: str, opened: int) -> int | None:
        """The newest deployment of this commit, or the one that shipped the change that became it."""
        row = self._forward.newest_with(service, commit, opened)
        if row is None:
            row = self._by_change.get((service, commit))
        return row if row is not None and self._forward.succeeded[row] <= opened else None

    def _shipped_shortly_before(self, services: Iterable[str], opened: int) -> int | None:
        """The newest of any of these services, where it is one that the metric is about."""
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


def _everywhere(tables: FactTables, rules: TrackRules, as_of: datetime) -> Forward | None:
    """The forward deployments of all services, where the metric is about some of them only; rows are the same."""
    if not rules.split:
        return None
    own = frozenset(s.name for s in rules.split if s.environment is not None)
    return Forward.of(ordered(tables, replace(rules, services=None, own_environments=own), as_of))
