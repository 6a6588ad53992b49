"""The order of a track: which deployments moved forward, went back, or only repeated.

A track is what one service shipped to one environment, named exactly. Its successful deployments
are walked by time with a stack of versions: shipping what lies on it already takes back all above;
so does, by the rule `ancestor`, shipping an ancestor of what lies there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from .definition import MetricDefinition, RollbackRule
from .reverts import reverted
from .roles import (
    DUPLICATE,
    ELSEWHERE,
    FORWARD,
    OTHER_ENVIRONMENT,
    OTHER_SERVICE,
    OTHER_TASK,
    OUTSIDE,
    ROLLBACK,
    UNSUCCESSFUL,
)
from .service import PATTERN, Service, rests, services_of
from .shipping import Pair, relations, shipping
from .table import FactTables, microseconds
from .walk import Step, Walk

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NEVER_RETURNS = frozenset({"tag", "release", "merge"})
"""Origins whose versions can't come back, so that a rollback can't be seen as a version's return."""


@dataclass(frozen=True, slots=True)
class TrackRules:
    """What the order of a track depends on, besides its facts."""

    environment: str
    task: str
    count: str
    duplicates_within: timedelta
    rules: tuple[RollbackRule, ...]
    mark: str
    split: tuple[Service, ...] = ()
    services: tuple[str, ...] | None = None
    own_environments: frozenset[str] = frozenset()

    @classmethod
    def of(cls, definition: MetricDefinition) -> TrackRules:
        return cls(
            definition.environment,
            definition.task,
            definition.count,
            definition.duplicates_within,
            definition.rollback_rules,
            definition.rollback_mark,
            definition.split,
            definition.services,
            _with_own_environments(definition),
        )

    def covers(self, environment: str, service: str) -> bool:
        """Whether deployments of this service to this environment count."""
        own = service in self.own_environments
        return own or environment == self.environment or fnmatchcase(environment, self.environment)

    def counts(self, service: str) -> bool:
        return self.services is None or service in self.services


def _with_own_environments(definition: MetricDefinition) -> frozenset[str]:
    named = definition.services or () if definition.own_environments else ()
    return frozenset(s.name for s in definition.split if s.environment is not None and s.name in named)


def ordered(tables: FactTables, rules: TrackRules, as_of: datetime) -> pd.DataFrame:
    """All deployments with their part in the order of their track, by what is known at `as_of`.

    Adds `service` (whose it is) and `role`; `at` becomes the first success (creation, where there
    was none); `previous` is the commit that ran before in the track, None for the first; `undone_by`
    is the row of the rollback that took the deployment back, -1 for none; `stands_for_it` is the row
    that counts in its place: its own, but for duplicates and what counts in another environment;
    `rule` is what made it a rollback; `in_doubt` says that the rule `ancestor` would have to know how
    commits lie to each other, and nobody told. Rows are numbered from 0 by (at, key) and stand in that order.
    """
    return _ordered(tables, rules, as_of)[0]


def relations_wanted(tables: FactTables, rules: TrackRules, as_of: datetime) -> Collection[Pair]:
    """The pairs of commits that the rule `ancestor` asked for in vain, in order of time."""
    return _ordered(tables, rules, as_of)[1]


def _ordered(tables: FactTables, rules: TrackRules, as_of: datetime) -> tuple[pd.DataFrame, Collection[Pair]]:
    return tables.once(("ordered", rules, as_of), lambda: _order(tables, rules, as_of))


def _order(tables: FactTables, rules: TrackRules, as_of: datetime) -> tuple[pd.DataFrame, Collection[Pair]]:
    import pandas as pd

    deployments = _known_by(tables.frame("deployments"), as_of)
    deployments["service"] = services_of(deployments, rules.split)
    deployments["role"] = _first_roles(deployments, rules)
    deployments = deployments.sort_values(["at", "key"], kind="stable", ignore_index=True)
    walked = _walk_tracks(deployments, rules, relations(tables) if "ancestor" in rules.rules else {})
    deployments["previous"] = pd.Series(walked.previous, index=deployments.index, dtype=object)
    if "revert" in rules.rules:
        _mark_reverted(tables, rules, deployments, walked, as_of)
    deployments["role"] = _counted_once(deployments, walked, rules)
    deployments["undone_by"] = walked.undone_by
    # What a duplicate repeats may itself count in another environment.
    deployments["stands_for_it"] = walked.stands_for_it[walked.stands_for_it]
    deployments["rule"] = walked.rule
    deployments["in_doubt"] = walked.in_doubt
    return deployments, walked.wanted.keys()


def _known_by(facts: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Facts as they stood at `as_of`: later creations are gone, later statuses not yet there."""
    import numpy as np

    limit = np.datetime64(microseconds(as_of), "us")
    facts = facts[facts["created_at"].to_numpy() <= limit].copy()
    for column in ("started_at", "succeeded_at", "finished_at"):
        times = facts[column].to_numpy().copy()
        times[times > limit] = np.datetime64("NaT")
        facts[column] = times
    facts["at"] = facts["succeeded_at"].fillna(facts["created_at"])
    return facts


def _first_roles(deployments: pd.DataFrame, rules: TrackRules) -> list[str]:
    services, environments, tasks = (deployments[name].tolist() for name in ("service", "environment", "task"))
    matching = {(s, e): rules.covers(e, s) for s, e in set(zip(services, environments, strict=True))}
    return [
        OTHER_SERVICE
        if not rules.counts(service)
        else OTHER_TASK
        if task != rules.task
        else OTHER_ENVIRONMENT
        if not matching[service, environment]
        else FORWARD
        if succeeded
        else UNSUCCESSFUL
        for service, environment, task, succeeded in zip(
            services, environments, tasks, deployments["succeeded_at"].notna(), strict=True
        )
    ]


@dataclass(slots=True)
class _Walked:
    """What the walks found, row by row, and which pairs of commits they lacked."""

    role: list[str]
    previous: list[str | None]
    undone_by: np.ndarray[Any, Any]
    stands_for_it: np.ndarray[Any, Any]
    rule: list[str]
    in_doubt: np.ndarray[Any, Any]
    wanted: dict[Pair, None] = field(default_factory=dict)

    def note(self, row: int, step: Step) -> None:
        self.role[row], self.rule[row] = step.role, step.rule
        for undone in step.undone:
            self.undone_by[undone] = row
        for doubtful in step.in_doubt:
            self.in_doubt[doubtful] = True


def _walk_tracks(deployments: pd.DataFrame, rules: TrackRules, known: Mapping[Pair, str]) -> _Walked:
    import numpy as np

    role: list[str] = list(deployments["role"])
    n = len(role)
    walked = _Walked(role, [None] * n, np.full(n, -1), np.arange(n), [""] * n, np.zeros(n, dtype=bool))
    tracks: dict[tuple[str, str], Walk] = {}
    kept: dict[tuple[str, str], int] = {}
    at = deployments["at"].to_numpy().astype(np.int64).tolist()
    names = ("service", "environment", "subject", "commit", "run", "marked_rollback")
    columns = (deployments[name].tolist() for name in names)
    for row, (service, environment, subject, commit, run, marked) in enumerate(zip(*columns, strict=True)):
        if role[row] != FORWARD:
            continue
        walk = tracks.get((service, environment))
        if walk is None:
            walk = tracks[service, environment] = Walk(rules, subject, known, walked.wanted)
        walked.previous[row] = walk.kept_commit
        walked.note(row, walk.step(row, at[row], commit, run, bool(marked)))
        if role[row] != DUPLICATE:
            kept[service, environment] = row
        walked.stands_for_it[row] = kept[service, environment]
    return walked


def _mark_reverted(
    tables: FactTables, rules: TrackRules, deployments: pd.DataFrame, walked: _Walked, as_of: datetime
) -> None:
    """Mark forward deployments whose change was reverted by one shipped within seven days."""
    found = shipping(tables, rules.split, deployments, walked.role, as_of)
    for row, revert_row in reverted(found, deployments).items():
        if walked.undone_by[row] < 0:
            walked.undone_by[row] = revert_row


def _counted_once(deployments: pd.DataFrame, walked: _Walked, rules: TrackRules) -> list[str]:
    """Where one commit reached several environments of a service, all but one of its deployments step back.

    A commit pushed again after a rollback is a deployment of its own, so the n-th push in one
    environment belongs with the n-th in the others; so does the n-th return to it. One taken back
    (or in doubt) anywhere is so altogether.
    """
    role, undone_by, in_doubt = walked.role, walked.undone_by, walked.in_doubt
    if rules.count == "each" or not (rules.own_environments or PATTERN & set(rules.environment)):
        return role
    seen: dict[tuple[str, str, str, str], int] = {}
    groups: dict[tuple[str, str, str, int], list[int]] = {}
    for row, (service, environment, commit) in enumerate(
        zip(deployments["service"], deployments["environment"], deployments["commit"], strict=True)
    ):
        if role[row] in (FORWARD, ROLLBACK):
            here = (role[row], service, environment, commit)
            nth = seen[here] = seen.get(here, 0) + 1
            groups.setdefault((role[row], service, commit, nth), []).append(row)
    for rows in groups.values():
        kept = rows[0] if rules.count == "first" else rows[-1]
        undone_by[kept], in_doubt[kept] = max(undone_by[rows]), any(in_doubt[rows])
        walked.stands_for_it[rows] = kept
        for row in rows:
            if row != kept:
                role[row] = ELSEWHERE
    return role


def judged_apart(definition: MetricDefinition, deployments: pd.DataFrame) -> list[pd.DataFrame]:
    """The ordered deployments, once for each environment where each counts by itself: all others are outside then."""
    places = sorted(set(deployments["environment"][deployments["role"] == FORWARD]))
    if definition.count != "each" or len(places) < 2:
        return [deployments]
    role, environment = deployments["role"], deployments["environment"]
    return [deployments.assign(role=role.mask(environment != place, OTHER_ENVIRONMENT)) for place in places]


def measured_services(
    definition: MetricDefinition, repositories: tuple[str, ...], deployments: pd.DataFrame
) -> tuple[str, ...]:
    """Which services the metric is about, of these repositories; `deployments` are ordered.

    One without a single deployment is among them, unless its environment isn't the metric's. What
    no service of a split repository owns is one more where there is any; but beside others it can't be
    the worst of them unless it is named, for nobody goes on deploying it.
    """
    rules = TrackRules.of(definition)
    seen = set(deployments["service"][~deployments["role"].isin(OUTSIDE)])
    homes = {repository.lower() for repository in repositories}
    split = [s for s in definition.split if s.home in homes]
    idle = {s.name for s in split if s.environment is None or rules.covers(s.environment, s.name)}
    whole = {r for r in repositories if r.lower() not in {s.home for s in split}}
    found = seen | idle | whole
    if definition.across == "worst" and definition.services is None:
        found = found - rests(definition.split, found) or found
    return tuple(sorted(s for s in found if rules.counts(s)))
