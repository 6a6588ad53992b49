"""What CI runs say. Each run counts once, by its latest attempt completed by `as_of`, at the run's creation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .definition import MetricDefinition
from .ledger import Ledger, each
from .span import length_in_words
from .table import FactTables, microseconds

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FAILED = frozenset({"failure", "timed_out", "startup_failure"})
LATEST = "latest attempt"
EARLIER = "earlier attempt"
RUNNING = "in progress"
NO_VERDICT = "no verdict"
OTHER_RUN = "other workflow or branch"
NO_TIMES = "no times"
NOT_GREEN = "not green"
UNKNOWN_BEFORE = "earlier attempts unknown"


def success_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Latest attempts that ended in success or failure count; successes are hits."""
    rows = _latest_attempts(definition, tables, as_of)
    latest = rows["role"] == LATEST
    verdict = rows["conclusion"].isin(FAILED | {"success"})
    rows["hit"] = rows["conclusion"] == "success"
    rows["counted"] = latest & verdict
    rows["role"] = rows["role"].mask(latest & ~verdict, NO_VERDICT)
    return Ledger(
        rows=rows,
        why=_explain(rows),
        left_out={RUNNING: "still in progress", NO_VERDICT: "cancelled, skipped or without a verdict"},
        refusal=_nothing_known(rows),
    )


def duration_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Latest attempts that succeeded count; their value is start to end, in seconds."""
    rows = _latest_attempts(definition, tables, as_of)
    succeeded = (rows["role"] == LATEST) & (rows["conclusion"] == "success")
    rows["value"] = (rows["completed_at"] - rows["started_at"]).dt.total_seconds()
    rows["counted"] = succeeded & (rows["value"] >= 0)
    rows["role"] = rows["role"].mask(succeeded & ~rows["counted"], NO_TIMES)
    rows["role"] = rows["role"].mask((rows["role"] == LATEST) & ~rows["counted"], NO_VERDICT)
    return Ledger(
        rows=rows,
        why=_explain(rows, timed=True),
        left_out={RUNNING: "still in progress", NO_TIMES: "without a start or an end"},
        notes=_estimated,
        refusal=_nothing_known(rows),
    )


def flaky_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Runs whose latest attempt succeeded count; those with an earlier attempt that failed are hits."""
    import numpy as np

    rows = _latest_attempts(definition, tables, as_of)
    latest = rows["role"] == LATEST
    green = latest & (rows["conclusion"] == "success")
    before = _attempts_before(rows)
    rows["hit"] = green & np.array([not FAILED.isdisjoint(earlier.values()) for earlier in before], dtype=bool)
    known = np.array([len(earlier) for earlier in before], dtype="int64")
    # Where an attempt is missing it may be the one that failed.
    unknown = green & ~rows["hit"] & (known < rows["attempt"].to_numpy().astype("int64") - 1)
    rows["before"] = [", ".join(f"{n}: {c}" for n, c in sorted(earlier.items())) for earlier in before]
    rows["counted"] = green & ~unknown
    rows["role"] = rows["role"].mask(latest & ~green, NOT_GREEN).mask(unknown, UNKNOWN_BEFORE)
    return Ledger(
        rows=rows,
        why=_explain_flaky(rows),
        left_out={RUNNING: "still in progress", UNKNOWN_BEFORE: "an earlier attempt is not known"},
        refusal=_nothing_known(rows),
    )


def _attempts_before(rows: pd.DataFrame) -> list[dict[int, str]]:
    """Of each row's run: the attempts known to have ended before its latest, with their conclusions."""
    earlier: dict[tuple[str, str], dict[int, str]] = {}
    columns = (rows[name].tolist() for name in ("subject", "run", "role", "attempt", "conclusion"))
    for subject, run, role, attempt, conclusion in zip(*columns, strict=True):
        if role == EARLIER:
            earlier.setdefault((subject, run), {})[attempt] = conclusion
    return [earlier.get(whose, {}) for whose in zip(rows["subject"], rows["run"], strict=True)]


def _estimated(counted: pd.DataFrame) -> tuple[str, ...]:
    n = int(counted["end_estimated"].astype(bool).sum())
    return (f"the end of {n} runs is when the source last touched them",) if n else ()


def _latest_attempts(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> pd.DataFrame:
    query = definition.queries.get("runs", {})
    workflow, branch = query.get("workflow"), query.get("branch")
    return tables.once(
        ("runs", workflow, branch, as_of), lambda: _roles(tables.frame("runs"), workflow, branch, as_of)
    ).copy(deep=False)


def _roles(runs: pd.DataFrame, workflow: object, branch: object, as_of: datetime) -> pd.DataFrame:
    import numpy as np

    limit = np.datetime64(microseconds(as_of), "us")
    rows = runs[runs["created_at"].to_numpy() <= limit].copy()
    rows["at"] = rows["created_at"]
    ours = np.ones(len(rows), dtype=bool)
    if workflow is not None:
        ours &= (rows["workflow"] == workflow).to_numpy()
    if branch not in (None, "*"):
        ours &= (rows["branch"] == branch).to_numpy()
    done = rows["completed_at"].notna().to_numpy() & (rows["completed_at"].to_numpy() <= limit)
    done &= rows["conclusion"].notna().to_numpy()
    attempts = rows["attempt"].to_numpy().astype("int64") * done
    latest = _latest(rows["subject"].tolist(), rows["run"].tolist(), attempts)
    rows["role"] = np.where(~ours, OTHER_RUN, np.where(~done, RUNNING, np.where(attempts == latest, LATEST, EARLIER)))
    return rows.sort_values(["at", "key"], kind="stable", ignore_index=True)


def _latest(subjects: list[str], runs: list[str], attempts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The highest attempt of each row's run."""
    import numpy as np

    whose = list(zip(subjects, runs, strict=True))
    latest: dict[tuple[str, str], int] = {}
    for one, attempt in zip(whose, attempts.tolist(), strict=True):
        latest[one] = max(attempt, latest.get(one, 0))
    return np.array([latest[one] for one in whose], dtype=np.int64)


def _nothing_known(rows: pd.DataFrame) -> str | None:
    if (rows["role"] != OTHER_RUN).any():
        return None
    known = sorted({str(w) for w in rows["workflow"]})
    return f"no such run was ever seen; known workflows are {', '.join(known)}" if known else "no run is known at all"


def _explain(rows: pd.DataFrame, *, timed: bool = False) -> Callable[[int], str]:
    row_of = each(rows)

    def why(row: int) -> str:
        one = row_of(row)
        words = {
            EARLIER: f"attempt {one['attempt']} was run again",
            RUNNING: "not completed yet",
            NO_VERDICT: f"ended as {one['conclusion']}",
            OTHER_RUN: f"{one['workflow']} on {one['branch']}",
            NO_TIMES: "its start or end is not known",
        }
        said = words.get(one["role"], f"attempt {one['attempt']}: {one['conclusion']}")
        return f"{said}, took {length_in_words(one['value'])}" if timed and one["counted"] else said

    return why


def _explain_flaky(rows: pd.DataFrame) -> Callable[[int], str]:
    row_of, plain = each(rows), _explain(rows)

    def why(row: int) -> str:
        one = row_of(row)
        if one["role"] == UNKNOWN_BEFORE:
            return f"attempt {one['attempt']}: success; an attempt before it is not known"
        said = plain(row)
        return f"{said}, after attempt {one['before']}" if one["hit"] else said

    return why
