"""A whole store into another database: every row as it is, with its number, so that nothing has to be said anew."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import closing, suppress
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, LargeBinary, Table, literal, select, type_coerce

from .columns import PackedText
from .connected import Connected
from .errors import StoreBroken, StoreFilled, StoreMissing
from .store import Store
from .tables import metadata, version

Row = tuple[Any, ...]

BATCH = 2000
"""How many rows are held in memory at a time."""

TABLES: tuple[Table, ...] = tuple(table for table in metadata.sorted_tables if table is not version)
"""All that is kept, each table after those its rows refer to."""


def open_to_fill(url: str, *, password: str | None = None) -> Store:
    """The store that another is to be copied into, made where it is not there yet.

    Raises:
        StoreError: also where an older release made it, which is left as it is.
    """
    with suppress(StoreMissing):
        Store.open(url, password=password, read_only=True).close()
    return Store.open(url, password=password)


def copy(source: Store, target: Store) -> dict[str, int]:
    """Copy all of one moment, in one transaction of the target; how many rows each table has got.

    All of it is read back from the target before it counts as stored.

    Raises:
        StoreFilled: where anything is in the target.
        StoreBroken: where what arrived is not what was sent; nothing is kept then.
    """
    with source._reading() as reading, target._writing() as writing:
        _refuse_filled(target, writing)
        sent = {table: _send(source, reading, target, writing, table) for table in TABLES}
        for table, (_, digest) in sent.items():
            if _digest(target, writing, table) != digest:
                raise StoreBroken(f"{target.place}: not all of {table.name} arrived as it was sent; nothing was kept")
    return {table.name: count for table, (count, _) in sent.items()}


def _refuse_filled(target: Store, writing: Connection) -> None:
    for table in TABLES:
        if writing.execute(select(literal(1)).select_from(table).limit(1)).first():
            raise StoreFilled(f"{target.place} is not empty: name a place for a store that is not there yet")


def _send(source: Store, reading: Connection, target: Store, writing: Connection, table: Table) -> tuple[int, str]:
    count, digest = 0, hashlib.sha256()
    with closing(_batches(source, reading, table)) as batches:
        for rows in batches:
            digest.update(repr(rows).encode())
            target._db.add_rows(writing, table, rows)
            count += len(rows)
    if "id" in table.columns:
        target._db.renumber(writing, table)
    return count, digest.hexdigest()


def _digest(store: Store, conn: Connection, table: Table) -> str:
    digest = hashlib.sha256()
    with closing(_batches(store, conn, table)) as batches:
        for rows in batches:
            digest.update(repr(rows).encode())
    return digest.hexdigest()


def _batches(store: Connected, conn: Connection, table: Table) -> Generator[list[Row], None, None]:
    """All rows in the order of their key, which is the same in every database."""
    found = select(*map(as_stored, table.columns)).order_by(*table.primary_key.columns)
    # Two stores are at work here: each explains its own faults.
    with store._db.explained(), closing(conn.execute(found, execution_options={"yield_per": BATCH})) as result:
        for rows in result.partitions():
            yield [_plain(row) for row in rows]


def as_stored(column: Column[Any]) -> ColumnElement[Any]:
    """To be read as the database holds it, and so that `add_rows` can write it."""
    return type_coerce(column, LargeBinary) if isinstance(column.type, PackedText) else column


def _plain(row: Any) -> Row:  # noqa: ANN401 (SQLAlchemy's own Row)
    # A file keeps no sign of zero, a server does.
    return tuple([value + 0.0 if type(value) is float else value for value in row])
