"""The ledger of a metric: every fact it looked at, and what each was taken for.

Readings and explanations are both read off the ledger, so they can't disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class FactRow(Mapping[str, Any]):
    """One row of a frame by name of column, without the series that pandas would make of it."""

    __slots__ = ("_columns", "_row")

    def __init__(self, columns: Mapping[str, Any], row: int) -> None:
        self._columns = columns
        self._row = row

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 (whatever the column holds)
        return self._columns[name][self._row]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def each(rows: pd.DataFrame) -> Callable[[int], FactRow]:
    """The frame's rows by number, as the frame stands at the first call."""
    columns: dict[str, Any] = {}

    def row(number: int) -> FactRow:
        if not columns:
            columns.update((str(name), column.array) for name, column in rows.items())
        return FactRow(columns, number)

    return row


def _nothing_to_note(counted: pd.DataFrame) -> Iterable[str]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """`rows` stand in order of `at` (datetime64[us], UTC: the instant a fact belongs to) and have the columns

    - `key`, `subject`, `url`: which fact; `service`: whose a deployment is;
    - `role`: what it was taken for; `counted`: whether that makes it part of a reading;
    - `hit`: for ratios, whether it is in the numerator; `value`: for quantiles and samples.

    `why` puts a row's part into words. `left_out` says in words what a role's rows, left out of a
    window, are worth noting as ("without a known start"). `notes` is given the counted rows of the
    newest window and says what else its readers should know. `refusal` says why no reading can be
    given at all.
    """

    rows: pd.DataFrame
    why: Callable[[int], str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: Callable[[pd.DataFrame], Iterable[str]] = _nothing_to_note
    refusal: str | None = None

    @cached_property
    def row(self) -> Callable[[int], FactRow]:
        return each(self.rows)
