"""How long users had to live with a failed deployment, and how much of what is deployed is rework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from .definition import MetricDefinition
from .deployments import DOUBTFUL, IN_DOUBT, forward_ledger, leave_out_doubtful
from .failures import Failures, delivery_notes, failures, is_hotfix, signals
from .ledger import Ledger
from .roles import FORWARD, ROLLBACK
from .shipping import Shipping, shipping
from .span import length_in_words
from .table import FactTables
from .tracks import judged_apart

if TYPE_CHECKING:
    import pandas as pd

RECOVERED = "recovered"
NOT_RECOVERED = "not recovered"


def recovery_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Failed deployments that users have recovered from by `as_of` count, at their own success; their value is the
    time from there to the earliest good state, in seconds."""
    import numpy as np

    ledger = forward_ledger(definition, tables, as_of)
    rows = ledger.rows
    found = failures(definition, tables, rows, as_of)
    leave_out_doubtful(rows)
    at: list[int] = rows["at"].to_numpy().astype("int64").tolist()
    roles: list[str] = rows["role"].tolist()
    values = np.full(len(roles), np.nan)
    how = [""] * len(roles)
    failed = {row for row in found.told if roles[row] != IN_DOUBT}
    for row in failed:
        recovery = found.recovery(row)
        roles[row] = NOT_RECOVERED if recovery is None else RECOVERED
        if recovery is not None:
            values[row], how[row] = (recovery[0] - at[row]) / 1e6, recovery[1].ended

    def why(row: int) -> str:
        if row not in failed:
            return ledger.why(row)
        return f"a new version; failed: {found.in_words(row)}; {_since(found, row, float(values[row]))}"

    return Ledger(
        rows=rows.assign(role=roles, value=values, how=how, counted=~np.isnan(values)),
        why=why,
        left_out={NOT_RECOVERED: "failed and not recovered yet", **DOUBTFUL},
        notes=lambda counted: (*found.notes, *_how(counted)),
        refusal=ledger.refusal,
    )


def _since(found: Failures, row: int, seconds: float) -> str:
    recovery = found.recovery(row)
    if recovery is None:
        return "not recovered yet"
    return f"recovered {recovery[1].ended} ({recovery[1].good_by}) after {length_in_words(seconds)}"


def _how(counted: pd.DataFrame) -> Iterator[str]:
    ways = counted["how"].value_counts()
    if len(ways):
        yield "recovered " + ", ".join(f"{ways[way]} {way}" for way in sorted(ways.index))


def rework_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Forward deployments and rollbacks count; hits are rollbacks and what ships nothing but reverts or hotfixes.

    What the rule `ancestor` can't tell to be the one or the other is in neither side.
    """
    ledger = forward_ledger(definition, tables, as_of)
    rows = ledger.rows
    shipped = shipping(tables, definition.split, rows, rows["role"].tolist(), as_of)
    mending: dict[int, list[str]] = {}
    for here in judged_apart(definition, rows):
        there = shipped if here is rows else shipping(tables, definition.split, here, here["role"].tolist(), as_of)
        mending |= _mending(definition, there)
    leave_out_doubtful(rows)
    rows["counted"] = rows["role"].isin([FORWARD, ROLLBACK])
    rows["hit"] = (rows["role"] == ROLLBACK) | rows.index.isin(list(mending))
    notes = delivery_notes(definition, signals(definition, rows), shipped)

    def why(row: int) -> str:
        only = f"; ships nothing but {', '.join(mending[row])}" if row in mending else ""
        return ledger.why(row) + only

    return Ledger(
        rows=rows,
        why=why,
        left_out=DOUBTFUL,
        notes=lambda counted: notes,
        refusal=ledger.refusal,
    )


def _mending(definition: MetricDefinition, found: Shipping) -> Mapping[int, list[str]]:
    """The rows all of whose changes are reverts or hotfixes, each with these in words.

    What the first known deployment of a service ships besides is known to nobody.
    """
    brought: dict[int, list[str]] = {}
    columns = (found.changes[name].tolist() for name in ("key", "labels", "head", "reverts"))
    for key, labels, head, reverts, shipped in zip(*columns, found.by_change, strict=True):
        if shipped is None or shipped.row in found.first_known:
            continue
        hotfix = is_hotfix(definition, labels, head)
        words = f"the revert {key}" if reverts else f"the hotfix {key}" if hotfix else ""
        brought.setdefault(shipped.row, []).append(words)
    return {row: words for row, words in brought.items() if all(words)}
