"""Facts as rows of their table, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import repeat
from operator import attrgetter
from typing import Any

from ..metrics.facts import FACT_TYPES, Deployment, Fact, FactKind
from .columns import Codec, codec_of
from .fact_tables import FACT_TABLES, OWN_INSTANT

Row = tuple[Any, ...]


def _of_deployment(deployment: Deployment) -> tuple[Any, ...]:
    """The columns that are properties of a deployment, worked out once: when it is written."""
    final = deployment.first_final
    return (
        deployment.started_at,
        deployment.succeeded_at,
        final and final.at,
        final and final.state,
        deployment.waited_seconds,
    )


_OF_DEPLOYMENT = ("started_at", "succeeded_at", "finished_at", "outcome", "waited_seconds")


@dataclass(frozen=True)
class FactRows:
    """One kind's table seen as rows. `names` are the columns in order: `stream`, `at` and `key` come first.

    `take` gives a fact's values for the columns after `stream`, and `codecs` say how each is stored;
    `reads` names for each field of a fact its column, and how that is read.
    """

    kind: FactKind
    names: tuple[str, ...]
    take: Callable[[Any], Sequence[Any]]
    codecs: tuple[Codec, ...]
    reads: Mapping[str, tuple[str, Callable[[Any], Any]]]

    def columns(self, facts: Iterable[Fact]) -> list[Sequence[Any]]:
        """The facts as they are stored, column by column: most of these need no look at single values."""
        columns = zip(*map(self.take, facts), strict=True)
        return [codec.written(values) for codec, values in zip(self.codecs, columns, strict=False)]

    def rows(self, stream: int, columns: Sequence[Sequence[Any]]) -> dict[str, Row]:
        """Such columns as a stream's rows by key; of two with the same key the later."""
        return {row[2]: row for row in zip(repeat(stream), *columns, strict=False)} if columns else {}

    def fact(self, row: Mapping[str, Any]) -> Fact:
        made: Callable[..., Fact] = FACT_TYPES[self.kind]
        values: dict[str, Any] = {
            field: None if row[column] is None else read(row[column]) for field, (column, read) in self.reads.items()
        }
        return made(**values)


@cache
def rows_of(kind: FactKind) -> FactRows:
    codecs = {column.name: codec_of(column) for column in FACT_TABLES[kind].columns if column.name != "stream"}
    take: Callable[[Any], Sequence[Any]] = attrgetter(*(n for n in codecs if n not in _derived(kind)))
    reads = {}
    for field in fields(FACT_TYPES[kind]):
        column = "at" if field.name == OWN_INSTANT[kind] else field.name
        reads[field.name] = (column, codecs[column].read)
    return FactRows(
        kind,
        ("stream", *codecs),
        (lambda fact: (*take(fact), *_of_deployment(fact))) if kind == "deployments" else take,
        tuple(codecs.values()),
        reads,
    )


def _derived(kind: FactKind) -> tuple[str, ...]:
    return _OF_DEPLOYMENT if kind == "deployments" else ()
