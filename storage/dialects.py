"""Everything that depends on which database holds the store. Another one is another class here."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from .errors import StoreBroken, StoreError, StoreFull, StoreLocked, StoreMissing, StoreReadOnly

BUSY_SECONDS = 30.0
"""How long a writer waits for the one before it."""


def database(url: str, *, password: str | None, read_only: bool) -> Sqlite:
    """The database a store's URL names.

    Raises:
        StoreError: where the URL can't be read or names a database that is not supported.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("the store's URL can't be read: write \"sqlite:///path/to/store.db\"") from None
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(f'a store on {parsed.get_backend_name()} is not supported: write "sqlite:///path/to/store.db"')
    if password is not None:
        raise StoreError("a store in a file takes no password: leave it out")
    return Sqlite(parsed, read_only=read_only)


class Sqlite:
    """A file, in write-ahead mode: readers never wait for the one writer."""

    def __init__(self, url: URL, *, read_only: bool) -> None:
        if not url.database or url.database == ":memory:":
            raise StoreError('a store needs a file: write "sqlite:///path/to/store.db"')
        self.path = Path(url.database)
        self.read_only = read_only

    def __str__(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        return self.path.exists()

    def make_place(self) -> None:
        """The folder and an empty file in write-ahead mode."""
        with self.explained():
            folder = self.path.parent
            if not folder.exists():
                folder.mkdir(parents=True, exist_ok=True)
                (folder / ".gitignore").write_text("*\n", encoding="utf-8")
            self.path.touch()
            with closing(self._dial("rw")) as connection:
                _use_write_ahead(connection)

    def engine(self) -> Engine:
        engine = create_engine("sqlite://", creator=self._connect, poolclass=QueuePool, hide_parameters=True)
        event.listen(engine, "begin", _begin)
        return engine

    def _connect(self) -> sqlite3.Connection:
        if not self.read_only:
            return self._dial("rw")
        try:
            return self._dial("ro")
        except sqlite3.OperationalError as error:
            no_index = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            if not no_index or _is_filled(self.path.with_name(self.path.name + "-wal")):
                raise
            # Where not even the index of the write-ahead log can be made beside the file, nobody writes to it.
            return self._dial("ro&immutable=1")

    def _dial(self, mode: str) -> sqlite3.Connection:
        uri = f"file:{quote(str(self.path.absolute()))}?mode={mode}"
        # isolation_level=None: transactions begin where SQLAlchemy says so, and hold schema changes too.
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("SELECT count(*) FROM sqlite_master")  # whatever is wrong with the file shows here
        except BaseException:
            connection.close()
            raise
        return connection

    def upsert(self, table: Table, key: Sequence[str]) -> Any:  # noqa: ANN401 (each dialect's own Insert)
        """An insert that replaces the row with the same key."""
        return _upsert(table, tuple(key))

    def rows_by_key(self, conn: Connection, table: Table, stream: int, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        """The stored rows of a stream's facts with these keys, whole and in the table's order of columns."""
        quote_name = conn.dialect.identifier_preparer.quote
        columns = ", ".join(f"t.{quote_name(column.name)}" for column in table.columns)
        # A list of keys makes SQLite walk the whole stream; a cross join makes it look up one key after another.
        sql = (
            f"SELECT {columns} FROM json_each(?) AS asked CROSS JOIN {quote_name(table.name)} AS t "  # noqa: S608 (names of our tables)
            "WHERE t.stream = ? AND t.key = asked.value"
        )
        return [tuple(row) for row in conn.exec_driver_sql(sql, (json.dumps(keys), stream))]

    def put_rows(self, conn: Connection, table: Table, key: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Many rows at once, whole and in the table's order of columns, each replacing the one with its key."""
        if rows:
            conn.exec_driver_sql(_upsert_sql(table, tuple(key)), list(rows))

    def back_up(self, version: str) -> Path:
        """A copy beside the file, named after the schema it holds. The caller keeps writers out."""
        target = _free_name(self.path, version)
        with self.explained():
            with closing(self._dial("ro")) as source, closing(sqlite3.connect(target)) as copy:
                source.backup(copy)
            shutil.copymode(self.path, target)
        return target

    @contextmanager
    def upgrading(self, engine: Engine) -> Iterator[Connection]:
        """A transaction in which tables may be rebuilt: references are checked at its end instead of row by row."""
        with engine.execution_options(writes=True).connect() as conn:
            driver = conn.connection.driver_connection  # the pragma does nothing once a transaction has begun
            assert isinstance(driver, sqlite3.Connection)
            driver.execute("PRAGMA foreign_keys=OFF")
            try:
                with conn.begin():
                    yield conn
                    if conn.exec_driver_sql("PRAGMA foreign_key_check").first():
                        raise StoreBroken(f"{self}: upgrading would lose what rows refer to; nothing was done")
            finally:
                driver.execute("PRAGMA foreign_keys=ON")

    def faults(self, conn: Connection) -> list[str]:
        """What the database itself finds wrong, in words."""
        damage = [row[0] for row in conn.exec_driver_sql("PRAGMA integrity_check") if row[0] != "ok"]
        orphans = [
            f"a row of {row[0]} refers to a row of {row[2]} that is not there"
            for row in conn.exec_driver_sql("PRAGMA foreign_key_check")
        ]
        return damage + orphans

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Whatever the database or the file system refuses becomes a `StoreError` in words."""
        try:
            yield
        except DBAPIError as error:
            raise self._explain(error.orig) from error
        except (sqlite3.Error, OSError) as error:
            raise self._explain(error) from error

    def _explain(self, error: BaseException | None) -> StoreError:
        if isinstance(error, FileExistsError | NotADirectoryError):
            return StoreError(f"{self}: there is a file where the store's folder should be")
        if isinstance(error, OSError):
            no_room = error.errno in (errno.ENOSPC, errno.EDQUOT)
            return (StoreFull if no_room else StoreReadOnly)(f"{self}: {error.strerror}")
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_CANTOPEN and not self.exists():
            return StoreMissing(f"{self}: the store is gone")
        refused, words = _WORDS.get(code, (StoreError, str(error)))
        return refused(f"{self}: {words}")


_WORDS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_NOTADB: (StoreBroken, "this is not a store (no SQLite file): name another path or move it away"),
    sqlite3.SQLITE_CORRUPT: (StoreBroken, "the file is damaged: put a backup in its place"),
    sqlite3.SQLITE_BUSY: (StoreLocked, "another process kept the store busy: try again when it is done"),
    sqlite3.SQLITE_LOCKED: (StoreLocked, "another process kept the store busy: try again when it is done"),
    sqlite3.SQLITE_FULL: (StoreFull, "the disk is full: nothing of this step was stored"),
    sqlite3.SQLITE_READONLY: (
        StoreReadOnly,
        "the store may not be written: look at the permissions of file and folder",
    ),
    sqlite3.SQLITE_PERM: (StoreReadOnly, "the store may not be opened: look at the permissions of file and folder"),
    sqlite3.SQLITE_CANTOPEN: (StoreReadOnly, "the store can't be opened: look at the permissions of file and folder"),
}


@cache
def _upsert(table: Table, key: tuple[str, ...]) -> Any:  # noqa: ANN401 (each dialect's own Insert)
    insert = sqlite.insert(table)
    others = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in key}
    return insert.on_conflict_do_update(index_elements=list(key), set_=others)


@cache
def _upsert_sql(table: Table, key: tuple[str, ...]) -> str:
    return str(_upsert(table, key).compile(dialect=sqlite.dialect()))


def _begin(conn: Connection) -> None:
    # A writer that begins by reading and then finds another in its way must give up; one that begins as a writer waits.
    conn.exec_driver_sql("BEGIN IMMEDIATE" if conn.get_execution_options().get("writes") else "BEGIN")


def _use_write_ahead(connection: sqlite3.Connection) -> None:
    # Changing the mode does not wait for others by itself.
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.02)


def _is_filled(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _free_name(path: Path, version: str) -> Path:
    target, n = path.with_name(f"{path.name}.{version}.backup"), 1
    while target.exists():
        n += 1
        target = path.with_name(f"{path.name}.{version}-{n}.backup")
    return target
