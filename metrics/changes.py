"""What merged changes say: how many there were, how long they took, how long they waited for a review.

A change belongs to the instant of its merge, and is known from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from .definition import MetricDefinition
from .ledger import Ledger, each
from .ownership import LEFT_OUT, owners, ownership_notes, roles_by_owner, untouched_notes
from .roles import OTHER_SERVICE
from .span import length_in_words
from .table import FactTables, microseconds

if TYPE_CHECKING:
    import pandas as pd

MERGED = "merged"
BOT = "by a bot"
NEGATIVE = "negative"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """From one instant of a change to another; `missing` is the role and what is said where one is not known."""

    start: str
    end: str
    missing: Mapping[str, tuple[str, str]]
    backwards: str


_CYCLE = _Stretch(
    start="first_commit_at",
    end="merged_at",
    missing={"first_commit_at": ("no first commit", "without a known first commit")},
    backwards="merged before their first commit",
)
_REVIEW = _Stretch(
    start="opened_at",
    end="first_review_at",
    missing={
        "first_review_at": ("no review", "without a review by someone else"),
        "opened_at": ("no opening", "without a known opening"),
    },
    backwards="reviewed before they were opened",
)


def count_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Every change merged by `as_of` counts, of the services that the metric is about."""
    rows = _merged(definition, tables, as_of)
    rows["counted"] = rows["role"] == MERGED
    return _of_services(definition, Ledger(rows=rows, why=_explain(rows, {})))


def cycle_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Changes by people with a known first commit count; their value is first commit to merge, in seconds."""
    return _timed(_CYCLE, definition, tables, as_of)


def review_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Changes by people that were reviewed by `as_of` count; their value is opening to first review, in seconds."""
    return _timed(_REVIEW, definition, tables, as_of)


def _timed(stretch: _Stretch, definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    rows = _merged(definition, tables, as_of)
    ours = rows["role"] == MERGED
    rows["value"] = (rows[stretch.end] - rows[stretch.start]).dt.total_seconds()
    rows["role"] = rows["role"].mask(ours & (rows["value"] < 0), NEGATIVE)
    for column, (role, _) in stretch.missing.items():
        rows["role"] = rows["role"].mask(ours & rows[column].isna(), role)
    # Whatever else is known of it: a bot's change says nothing of how people work.
    rows["role"] = rows["role"].mask(ours & (rows["author_kind"] == "bot"), BOT)
    rows["counted"] = rows["role"] == MERGED
    left_out = {BOT: "by bots", NEGATIVE: stretch.backwards, **dict(stretch.missing.values())}
    return _of_services(definition, Ledger(rows=rows, why=_explain(rows, left_out), left_out=left_out))


def _of_services(definition: MetricDefinition, ledger: Ledger) -> Ledger:
    """With what is to be noted where only some services' changes count."""
    if definition.services is None:
        return ledger
    owning = {name for found in ledger.rows["owners"] for name in found}
    notes = (
        *ownership_notes(definition.split, definition.services),
        *untouched_notes(ledger.rows, owning, definition.split, definition.services),
    )
    return replace(ledger, left_out={**ledger.left_out, **LEFT_OUT}, notes=lambda counted: notes)


def _merged(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> pd.DataFrame:
    """Changes as they stood at `as_of`: later merges are gone, later reviews not yet there. Those of no service that
    the metric is about have the role that says why; `owners` are, in words, whose a change is."""
    import numpy as np

    limit = np.datetime64(microseconds(as_of), "us")
    changes = tables.frame("changes")
    rows = changes[changes["merged_at"].to_numpy() <= limit].copy()
    reviewed = rows["first_review_at"].to_numpy().copy()
    reviewed[reviewed > limit] = np.datetime64("NaT")
    rows["first_review_at"] = reviewed
    rows["at"] = rows["merged_at"]
    rows["role"] = MERGED
    if definition.services is not None:
        whose = owners(rows, definition.split)
        others = roles_by_owner(rows, whose, definition.split, definition.services)
        rows["role"] = [other or MERGED for other in others]
        rows["owners"] = whose
    return rows.sort_values(["at", "key"], kind="stable", ignore_index=True)


def _explain(rows: pd.DataFrame, left_out: Mapping[str, str]) -> Callable[[int], str]:
    row_of = each(rows)

    def why(row: int) -> str:
        one = row_of(row)
        if one["role"] == OTHER_SERVICE:
            return f"of {' and '.join(one['owners'])}"
        words = left_out.get(one["role"]) or LEFT_OUT.get(one["role"])
        if words is not None:
            return words
        took = f", took {length_in_words(one['value'])}" if "value" in one else ""
        return f"{one['title'] or 'merged'}{took}"

    return why
