"""Facts as rows of their table, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from typing import Any

from ..metrics.facts import FACT_TYPES, Deployment, Fact, FactKind
from .columns import codec_of
from .fact_tables import FACT_TABLES, OWN_INSTANT

Row = tuple[Any, ...]


def _finished_at(deployment: Deployment) -> object:
    final = deployment.first_final
    return final and final.at


def _outcome(deployment: Deployment) -> object:
    final = deployment.first_final
    return final and final.state


# Columns that are properties of a deployment: worked out once, when it is written.
_DERIVED: Mapping[str, Callable[[Any], object]] = {
    "started_at": attrgetter("started_at"),
    "succeeded_at": attrgetter("succeeded_at"),
    "finished_at": _finished_at,
    "outcome": _outcome,
    "waited_seconds": attrgetter("waited_seconds"),
}


@dataclass(frozen=True)
class FactRows:
    """One kind's table seen as rows. `names` are the columns in order, `stream` first, then `at` and `key`."""

    kind: FactKind
    names: tuple[str, ...]
    takes: tuple[tuple[Callable[[Any], Any], Callable[[Any], Any], bool], ...]
    gives: Mapping[str, tuple[str, Callable[[Any], Any]]]

    def rows(self, stream: int, facts: Iterable[Fact]) -> dict[str, Row]:
        """The facts' rows by key; of two with the same key the later."""
        takes = self.takes
        rows: dict[str, Row] = {}
        for fact in facts:
            row: list[Any] = [stream]
            for take, write, nullable in takes:
                value = take(fact)
                row.append(None if nullable and value is None else write(value))
            rows[row[2]] = tuple(row)
        return rows

    def fact(self, row: Mapping[str, Any]) -> Fact:
        values = {name: row[column] for name, (column, _) in self.gives.items()}
        made: Callable[..., Fact] = FACT_TYPES[self.kind]
        return made(**{name: None if value is None else self.gives[name][1](value) for name, value in values.items()})


@cache
def rows_of(kind: FactKind) -> FactRows:
    columns = [column for column in FACT_TABLES[kind].columns if column.name != "stream"]
    derived = _DERIVED if kind == "deployments" else {}
    takes = tuple(
        (derived.get(column.name) or attrgetter(column.name), codec_of(column).write, bool(column.nullable))
        for column in columns
    )
    codecs = {column.name: codec_of(column) for column in columns}
    gives = {}
    for field in fields(FACT_TYPES[kind]):
        column = "at" if field.name == OWN_INSTANT[kind] else field.name
        gives[field.name] = (column, codecs[column].read)
    return FactRows(kind, ("stream", *codecs), takes, gives)
