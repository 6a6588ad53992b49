"""Which forward deployments failed in production, what told so, and when all was well again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .blame import Blame, Forward
from .definition import MetricDefinition
from .ownership import LEFT_OUT, ownership_notes, roles_by_owner, untouched_notes
from .reverts import reverted
from .roles import FORWARD
from .shipping import Shipping, shipping
from .table import FactTables, microseconds
from .tracks import NEVER_RETURNS, judged_apart

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
    forward = Forward.of(deployments)
    blame = Blame(definition, tables, found, forward, as_of)
    told: dict[int, list[Sign]] = {}
    for row, sign in (
        *_rolled_back(deployments, forward),
        *_mended(definition, tables, deployments, found, as_of),
        *_blamed(blame, tables, forward, as_of),
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
        *untouched_notes(changes, set(changes["service"]), definition.split, definition.services),
    )


def signals(definition: MetricDefinition, deployments: pd.DataFrame) -> Iterator[str]:
    """What can tell of trouble by deployments and changes alone; of rollbacks the rules in force, but for the usual."""
    origins = set(deployments.loc[deployments["role"] == FORWARD, "origin"])
    deaf = {"revert"} if not origins or origins - NEVER_RETURNS else {"revert", "version_return"}
    rules = [rule for rule in definition.rollback_rules if rule not in deaf]
    if rules:
        yield "rollbacks" if rules == ["version_return"] else f"rollbacks by {' and '.join(rules)}"
    yield "reverts"
    if definition.hotfix_labels or definition.hotfix_branches:
        yield "hotfixes"


def _rolled_back(deployments: pd.DataFrame, forward: Forward) -> Iterator[tuple[int, Sign]]:
    for row, (role, by) in enumerate(zip(deployments["role"], deployments["undone_by"].tolist(), strict=True)):
        if role == FORWARD and by >= 0:
            key = forward.keys[by]
            yield row, Sign(f"taken back by {key}", forward.succeeded[by], key, BY_ROLLBACK)


def _mended(
    definition: MetricDefinition, tables: FactTables, deployments: pd.DataFrame, found: Shipping, as_of: datetime
) -> Iterator[tuple[int, Sign]]:
    """What reverts and hotfixes tell, in each environment by itself where each of its deployments counts."""
    for here in judged_apart(definition, deployments):
        there = found if here is deployments else shipping(tables, definition.split, here, here["role"].tolist(), as_of)
        forward = Forward.of(here)
        yield from _reverted(here, there, forward)
        yield from _hotfixed(definition, there, forward)


def _reverted(deployments: pd.DataFrame, found: Shipping, forward: Forward) -> Iterator[tuple[int, Sign]]:
    for row, by in reverted(found, deployments).items():
        key = forward.keys[by]
        yield row, Sign(f"reverted by {key}", forward.succeeded[by], key, BY_DEPLOYMENT)


def is_hotfix(definition: MetricDefinition, labels: str, head: str) -> bool:
    """Whether a change is one, by its labels (JSON) or the branch it came from."""
    labelled = bool(definition.hotfix_labels) and not set(definition.hotfix_labels).isdisjoint(json.loads(labels))
    return labelled or any(fnmatchcase(head, glob) for glob in definition.hotfix_branches)


def _hotfixed(definition: MetricDefinition, found: Shipping, forward: Forward) -> Iterator[tuple[int, Sign]]:
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


def _blamed(blame: Blame, tables: FactTables, forward: Forward, as_of: datetime) -> Iterator[tuple[int, Sign]]:
    """What each incident is the fault of, until it is closed."""
    incidents = tables.frame("incidents")
    opened_at, closed_at = (incidents[name].to_numpy().astype("int64").tolist() for name in ("opened_at", "closed_at"))
    columns = (incidents[name].tolist() for name in ("key", "subject", "environment", "commit", "deployment"))
    for opened, closed, key, subject, environment, commit, deployment in zip(
        opened_at, closed_at, *columns, strict=True
    ):
        if opened > microseconds(as_of):
            continue
        for row in blame.of(opened, subject, environment, commit, deployment):
            words = f"blamed by the incident {key}"
            # A missing end is the smallest integer there is.
            over = forward.succeeded[row] <= closed <= microseconds(as_of)
            yield row, Sign(words, closed, f"the end of {key}", BY_INCIDENT) if over else Sign(words)
