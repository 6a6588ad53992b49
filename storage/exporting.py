"""Stored facts, one after another, however many there are."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from sqlalchemy import Column, select

from ..metrics.facts import FactKind
from ..metrics.table import microseconds
from .columns import codec_of
from .fact_tables import FACT_TABLES, OWN_INSTANT
from .store import Store
from .tables import streams

BATCH = 2000
"""How many rows are held in memory at a time."""


def fact_fields(kind: FactKind) -> tuple[str, ...]:
    """The keys of a record, in their order."""
    return "source", *(OWN_INSTANT[kind] if column.name == "at" else column.name for column in _columns(kind))


def _columns(kind: FactKind) -> list[Column[Any]]:
    return [column for column in FACT_TABLES[kind].columns if column.name != "stream"]


def fact_records(
    store: Store, kind: FactKind, sources: Sequence[str], since: datetime | None, until: datetime | None
) -> Generator[dict[str, Any], None, None]:
    """The facts of a kind from `since` (included) to `until` (not included), of these sources, or of all without any.

    By source and the name of the stream, oldest first: the same facts in the same order from every store. Each has
    its `source` and then its fields, named as facts name them: instants are `datetime`s, what has several values is a
    tuple. All are of one moment of the store.
    """
    table = FACT_TABLES[kind]
    columns, (_, *names) = _columns(kind), fact_fields(kind)
    reads = [codec_of(column).read for column in columns]
    found = (
        select(streams.c.source, *columns)
        .join_from(table, streams)
        .order_by(streams.c.source, streams.c.name, table.c.at, table.c.key)
    )
    if sources:
        found = found.where(streams.c.source.in_(sources))
    if since is not None:
        found = found.where(table.c.at >= microseconds(since))
    if until is not None:
        found = found.where(table.c.at < microseconds(until))
    with store._reading() as conn, closing(conn.execute(found, execution_options={"yield_per": BATCH})) as rows:
        for source, *values in rows:
            told = (None if value is None else read(value) for read, value in zip(reads, values, strict=True))
            yield {"source": source, **dict(zip(names, told, strict=True))}
