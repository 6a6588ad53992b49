"""What deployments and changes say together: how long changes take, and how many deployments failed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING

from .definition import MetricDefinition
from .deployments import never_seen, rollback_ledger
from .failures import failures
from .ledger import Ledger, each
from .ownership import LEFT_OUT, ownership_notes, roles_by_owner, untouched_notes
from .pairs import brought_notes
from .quantiles import MANY, TAIL, linear
from .roles import FORWARD, NO_SERVICE, OTHER_SERVICE, OUTSIDE, UNKNOWN_FILES
from .shipping import shipping
from .span import length_in_words
from .table import FactTables
from .tracks import TrackRules, ordered

if TYPE_CHECKING:
    import pandas as pd

SHIPPED = "shipped"
BY_A_BOT = "by a bot"
NOT_SHIPPED = "not shipped"
BEFORE_THE_KNOWN = "with the first known"
NEGATIVE = "negative"
NO_FIRST_COMMIT = "no first commit"


def lead_time_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Merged changes count, at the first success of the deployment that shipped them first; their value is the time
    to it from the merge (or the first commit), in seconds."""
    deployments = ordered(tables, TrackRules.of(definition), as_of)
    rows = _shipped_changes(definition, tables, deployments, as_of)
    brought = brought_notes(tables, TrackRules.of(definition), as_of)
    start = rows["merged_at"] if definition.lead_time_from == "merge" else rows["first_commit_at"]
    rows["value"] = (rows["at"] - start).dt.total_seconds()
    counts = rows["role"] == SHIPPED
    rows["role"] = (
        rows["role"].mask(counts & (rows["value"] < 0), NEGATIVE).mask(counts & start.isna(), NO_FIRST_COMMIT)
    )
    rows["counted"] = rows["role"] == SHIPPED
    rows = rows.sort_values(["at", "key"], kind="stable", ignore_index=True)
    untouched = untouched_notes(rows, set(rows["service"]), definition.split, definition.services)
    return Ledger(
        rows=rows,
        why=_explain_change(rows),
        left_out={
            BY_A_BOT: "changes by bots",
            NOT_SHIPPED: "merged and not shipped yet",
            BEFORE_THE_KNOWN: "shipped with the first known deployment, or before it",
            NEGATIVE: "shipped before their own beginning",
            NO_FIRST_COMMIT: "without a known first commit",
            **LEFT_OUT,
        },
        notes=lambda counted: (
            *_lead_time_notes(counted),
            *brought,
            *ownership_notes(definition.split, definition.services),
            *untouched,
        ),
        refusal=never_seen(deployments, definition),
    )


def failure_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Settled forward deployments count, and those that failed in production are hits, once each."""
    import numpy as np

    ledger = rollback_ledger(definition, tables, as_of)
    rows = ledger.rows
    found = failures(definition, tables, ordered(tables, TrackRules.of(definition), as_of), as_of)
    rows["hit"] = np.isin(np.arange(len(rows)), list(found.told))

    def why(row: int) -> str:
        if row not in found.told:
            return ledger.why(row)
        said = "a new version" if rows["role"].iat[row] == FORWARD else ledger.why(row)
        return f"{said}; failed: {found.in_words(row)}"

    return Ledger(
        rows=rows,
        why=why,
        left_out=ledger.left_out,
        notes=lambda counted: dict.fromkeys(
            (*found.notes, *ledger.notes(counted), *brought_notes(tables, TrackRules.of(definition), as_of))
        ),
        refusal=never_seen(rows, definition),
    )


def _shipped_changes(
    definition: MetricDefinition, tables: FactTables, deployments: pd.DataFrame, as_of: datetime
) -> pd.DataFrame:
    """The changes merged by `as_of`, each at the first success of what shipped it (at its merge, where nothing did)."""
    import numpy as np

    found = shipping(tables, definition.split, deployments, deployments["role"].tolist(), as_of)
    rows = found.changes.copy()
    place = np.array([-1 if shipped is None else shipped.row for shipped in found.by_change], dtype=np.int64)
    rows["method"] = ["" if shipped is None else shipped.method for shipped in found.by_change]
    keys: list[str] = deployments["key"].tolist()
    rows["by"] = ["" if shipped is None else keys[shipped.row] for shipped in found.by_change]
    bot = rows["author_kind"] == "bot"
    rows["role"] = np.where(
        bot,
        BY_A_BOT,
        np.where(place < 0, NOT_SHIPPED, np.where(np.isin(place, list(found.first_known)), BEFORE_THE_KNOWN, SHIPPED)),
    )
    _leave_out_others(definition, rows, set(deployments["service"][~deployments["role"].isin(OUTSIDE)]))
    if len(deployments):
        at = deployments["at"].to_numpy()[np.maximum(place, 0)]
        rows["at"] = np.where(place < 0, rows["merged_at"].to_numpy(), at)
    else:
        rows["at"] = rows["merged_at"]
    return rows


def _leave_out_others(definition: MetricDefinition, rows: pd.DataFrame, deployed: Collection[str]) -> None:
    """Gives the changes that aren't the metric's the role that says why. What no service owns is the repository's own,
    and so it counts where the repository has deployments of its own."""
    whose = [(service,) for service in rows["service"]]
    others = roles_by_owner(rows, whose, definition.split, definition.services)
    kept = definition.services is None
    rows["role"] = [
        role if other is None or (other == NO_SERVICE and kept and service in deployed) else other
        for role, other, (service,) in zip(rows["role"], others, whose, strict=True)
    ]


def _lead_time_notes(counted: pd.DataFrame) -> tuple[str, ...]:
    if counted.empty:
        return ()
    methods = counted["method"].value_counts()
    how = ", ".join(f"{methods[method]} by {method}" for method in sorted(methods.index))
    known = f"what shipped them is known: {how}"
    if len(counted) < MANY:
        return (known,)
    slow = linear(counted["value"].to_numpy(dtype=float), TAIL)
    return (known, f"the 90th percentile is {slow / 3600:.1f} h")


def _explain_change(rows: pd.DataFrame) -> Callable[[int], str]:
    row_of = each(rows)
    words = {
        BY_A_BOT: "its author is a bot",
        NOT_SHIPPED: "no deployment is known to have shipped it yet",
        NEGATIVE: "shipped before it began",
        NO_FIRST_COMMIT: "its first commit is not known",
        NO_SERVICE: "it touches no service's files",
        UNKNOWN_FILES: "its files are not known, and so not whose it is",
    }

    def why(row: int) -> str:
        one = row_of(row)
        if one["role"] == OTHER_SERVICE:
            return f"of {one['service']}"
        if one["role"] == BEFORE_THE_KNOWN:
            return f"shipped with {one['by']}, the first deployment known, or before it"
        if one["role"] != SHIPPED:
            return words[one["role"]]
        return f"shipped with {one['by']} (by {one['method']}), took {length_in_words(one['value'])}"

    return why
