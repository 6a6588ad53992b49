"""A store's transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Select

from .dialects import Database
from .errors import StoreReadOnly
from .schema import refuse_others


class Connected:
    """Gives transactions: any number of readers, one writer at a time. May be shared between threads."""

    def __init__(self, engine: Engine, db: Database) -> None:
        self._db = db
        self._engine = engine
        self._writer = engine.execution_options(writes=True)
        self._turn = threading.Lock()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """All that is read inside is of one moment."""
        with self._db.explained(), self._engine.begin() as conn:
            yield conn

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """All that is written inside is stored at the end, or nothing. Tables of another release are not written."""
        if self._db.read_only:
            raise StoreReadOnly(f"{self._db} was opened for reading only")
        # The database makes its writers sleep and try again; threads needn't.
        with self._turn, self._db.explained(), self._writer.begin() as conn:
            refuse_others(conn, self._db)
            yield conn


def raw(conn: Connection, statement: Select[Any]) -> list[tuple[Any, ...]]:
    """The driver's own tuples: several times faster than rows, where all columns are plain."""
    cursor = conn.execute(statement).cursor
    assert cursor is not None
    return list(cursor.fetchall())
