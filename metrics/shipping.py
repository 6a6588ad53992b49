"""Which deployment brought a change to its users first.

Where the commits between two deployments are known, they decide. Elsewhere the order of time does:
what a deployment ships was fixed when it was created, not when it succeeded; and it ships at least
the commit that it deploys, whenever that is said to have been merged.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING

from .ownership import by_service
from .roles import FORWARD, SHIPPED_ROLES
from .service import Service
from .table import FactTables, microseconds

if TYPE_CHECKING:
    import pandas as pd

Pair = tuple[str, str, str]
"""A repository, a commit deployed there, and the one deployed after it in the same track."""

MERGE_TIME = "merge-time"
OWN_COMMIT = "own commit"

_THE_OTHER_WAY = {"ahead": "behind", "behind": "ahead", "diverged": "diverged", "identical": "identical"}

_BY_TRUST = ("compare", "clone")
"""How commits between two deployments came to be known; a comparison may be cut short, a clone is not."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """The row of the deployment that shipped a change first, and how that is known."""

    row: int
    method: str


@dataclass(frozen=True)
class Shipping:
    """What shipped which change; `first_known` are the rows of the version that begins their service."""

    changes: pd.DataFrame
    by_change: Sequence[Shipped | None]
    first_known: frozenset[int]


def shipping(
    tables: FactTables,
    split: Sequence[Service],
    deployments: pd.DataFrame,
    role: Sequence[str],
    as_of: datetime,
) -> Shipping:
    """For each change merged by `as_of` (in order of merge) the forward deployment that shipped it first.

    Where repositories are `split` into services, a change stands there once for each `service` it
    belongs to, and is shipped by that one's deployments. `deployments` stand in the order of their
    tracks; `role` is each one's part in it. A change goes with the first deployment whose commits are
    known to hold it, or, where the commits of that one are not known, that is of the very commit it
    became or was created at or after its merge.
    """
    changes = by_service(_merged_by(tables, as_of), split)
    first_known, commits = _since_the_one_before(tables, deployments, role)
    lanes = _lanes(deployments, role, commits)
    by_change = [
        lanes[service].first_with(commit, merged) if service in lanes else None
        for service, commit, merged in zip(
            changes["service"], changes["commit"], changes["merged_at"].to_numpy().astype("int64").tolist(), strict=True
        )
    ]
    return Shipping(changes, by_change, first_known)


def _merged_by(tables: FactTables, as_of: datetime) -> pd.DataFrame:
    """The changes merged by `as_of`, numbered in order of merge: a revert comes after what it takes back."""
    changes = tables.frame("changes")
    known = changes[changes["merged_at"].to_numpy().astype("int64") <= microseconds(as_of)]
    return known.sort_values(["merged_at", "key"], kind="stable", ignore_index=True)


@dataclass(frozen=True)
class _Lane:
    """One service's forward deployments: what is known to be `holding` a commit first, and in order those of which
    nobody knows what they brought. `reach` is the newest creation up to each of these."""

    holding: Mapping[str, Shipped]
    unknown: Sequence[int]
    reach: Sequence[int]

    def first_with(self, commit: str, merged: int) -> Shipped | None:
        place = bisect_left(self.reach, merged)
        holding = self.holding.get(commit)
        if place == len(self.unknown):
            return holding
        row = self.unknown[place]
        return holding if holding is not None and holding.row < row else Shipped(row, MERGE_TIME)


def _lanes(
    deployments: pd.DataFrame, role: Sequence[str], commits: Mapping[int, tuple[str, Sequence[str]]]
) -> dict[str, _Lane]:
    forward: dict[str, list[int]] = {}
    for row, (service, one) in enumerate(zip(deployments["service"], role, strict=True)):
        if one == FORWARD:
            forward.setdefault(service, []).append(row)
    created = deployments["created_at"].to_numpy().astype("int64").tolist()
    own: list[str] = deployments["commit"].tolist()
    lanes = {}
    for service, rows in forward.items():
        holding: dict[str, Shipped] = {}
        for row in rows:
            method, brought = commits.get(row, (OWN_COMMIT, (own[row],)))
            for commit in brought:
                holding.setdefault(commit, Shipped(row, method))
        unknown = [row for row in rows if row not in commits]
        lanes[service] = _Lane(holding, unknown, list(accumulate((created[row] for row in unknown), max)))
    return lanes


def _since_the_one_before(
    tables: FactTables, deployments: pd.DataFrame, role: Sequence[str]
) -> tuple[frozenset[int], dict[int, tuple[str, Sequence[str]]]]:
    """The rows of each service's first version, and what the others brought beside the one before, where that is known.

    A service's history is known since then, so that what follows in one more environment is no beginning.
    """
    between = known_between(tables)
    begins: dict[str, str] = {}
    first: set[int] = set()
    known: dict[int, tuple[str, Sequence[str]]] = {}
    columns = (deployments[name].tolist() for name in ("service", "subject", "previous", "commit"))
    for row, (service, subject, previous, commit) in enumerate(zip(*columns, strict=True)):
        if role[row] not in SHIPPED_ROLES:
            continue
        if previous is None:
            if begins.setdefault(service, commit) == commit:
                first.add(row)
        elif (found := between.get((subject, previous, commit))) is not None:
            known[row] = found
    return frozenset(first), known


def relations(tables: FactTables) -> Mapping[Pair, str]:
    """How the later commit lies to the earlier one, where that is known; told of one way it is known the other way."""
    return tables.once(("relations",), lambda: _relations(tables))


def _relations(tables: FactTables) -> Mapping[Pair, str]:
    facts = tables.frame("shipments")
    found: dict[Pair, str] = {}
    columns = (facts[name].tolist() for name in ("subject", "previous", "commit", "relation"))
    for subject, previous, commit, relation in zip(*columns, strict=True):
        if relation in _THE_OTHER_WAY:
            found[subject, previous, commit] = relation
            found.setdefault((subject, commit, previous), _THE_OTHER_WAY[relation])
    return found


def known_between(tables: FactTables) -> Mapping[Pair, tuple[str, Sequence[str]]]:
    """How the commits between two deployed ones are known, and which they are."""
    return tables.once(("between",), lambda: _between(tables))


def _between(tables: FactTables) -> Mapping[Pair, tuple[str, Sequence[str]]]:
    facts = tables.frame("shipments")
    found: dict[Pair, tuple[str, Sequence[str]]] = {}
    columns = (facts[name].tolist() for name in ("subject", "previous", "commit", "method", "commits"))
    told = [one for one in zip(*columns, strict=True) if one[3] in _BY_TRUST]
    for subject, previous, commit, method, commits in sorted(told, key=lambda one: _BY_TRUST.index(one[3])):
        found[subject, previous, commit] = (method, json.loads(commits))
    return found
