"""Tables of facts: the pandas frame made of a store's plain columns, made once and shared by metrics."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from .facts import FactKind

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Columns = Mapping[str, Sequence[Any]]
"""Column name to values, all of one length. Times are microseconds since 1970 UTC, or None."""

TIMES: Mapping[FactKind, tuple[str, ...]] = {
    "deployments": ("at", "created_at", "started_at", "succeeded_at", "finished_at"),
    "runs": ("at", "created_at", "started_at", "completed_at"),
    "changes": ("at", "merged_at", "opened_at", "first_commit_at", "first_review_at"),
    "incidents": ("at", "opened_at", "closed_at"),
    "shipments": ("at", "found_at"),
    "samples": ("at", "until"),
}

USED: Mapping[FactKind, tuple[str, ...]] = {
    "deployments": (
        "key",
        "subject",
        "environment",
        "commit",
        "task",
        "run",
        "origin",
        "marked_rollback",
        "waited_seconds",
        "outcome",
        "url",
    ),
    "runs": ("key", "subject", "workflow", "run", "attempt", "branch", "conclusion", "end_estimated", "url"),
    "changes": ("key", "subject", "commit", "reverts", "title", "author_kind", "labels", "head", "url"),
    "incidents": ("key", "subject", "title", "environment", "commit", "deployment", "url"),
    "shipments": ("key", "subject", "commit", "previous", "commits", "method", "relation"),
    "samples": ("key", "subject", "commit", "value", "n", "parts", "final", "url", "note"),
}
"""The columns besides times that metrics read; the rest of a fact (status histories, payloads) stays in the store."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_UNKNOWN = -(2**63)  # numpy's own NaT, so that a missing time stays missing in every comparison

T = TypeVar("T")


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (instant - _EPOCH) // MICROSECOND


def from_microseconds(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def frame(kind: FactKind, columns: Columns) -> pd.DataFrame:
    """A frame of these columns; times become `datetime64[us]` in UTC, missing ones NaT."""
    import pandas as pd

    times = TIMES[kind]
    return pd.DataFrame(
        {
            name: time_array(values) if name in times else pd.Series(values, dtype=object)
            for name, values in columns.items()
        }
    )


def time_array(values: Sequence[int | None]) -> np.ndarray[Any, Any]:
    import numpy as np

    integers = np.array([_UNKNOWN if v is None else v for v in values], dtype=np.int64)
    return integers.view("datetime64[us]")


class FactTables:
    """The facts behind one or more metrics, by kind. Frames and what is derived from them are made once."""

    def __init__(self, columns: Mapping[FactKind, Columns]) -> None:
        self._columns = dict(columns)
        self._subjects: dict[FactKind, frozenset[str]] = {
            kind: frozenset(found.get("subject", ())) for kind, found in columns.items()
        }
        self._made: dict[Hashable, Any] = {}

    def frame(self, kind: FactKind) -> pd.DataFrame:
        """The kind's facts; never changed in place. Empty where none were given."""
        # Each fact is held once: the plain columns are let go when the frame is made.
        return self.once(("frame", kind), lambda: frame(kind, self._columns.pop(kind, {}) or _empty(kind)))

    @property
    def kinds(self) -> frozenset[FactKind]:
        """The kinds that were asked for, those without a single fact among them."""
        return frozenset(self._subjects)

    def subjects(self, kind: FactKind) -> frozenset[str]:
        """Whose facts of this kind there are."""
        return self._subjects.get(kind, frozenset())

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """`make()` the first time, the same value afterwards."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]  # type: ignore[no-any-return]  # one key is always made by one function


def _empty(kind: FactKind) -> Columns:
    return {name: [] for name in (*TIMES[kind], *USED[kind])}
