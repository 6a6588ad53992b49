"""Everything that depends on which database holds the store. Another one is another class here."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.pool import QueuePool

from .errors import (
    StoreBroken,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreReadOnly,
    StoreTaken,
    StoreUnreachable,
)

BUSY_SECONDS = 30.0
"""How long a writer waits for the one before it."""

FILE = "sqlite:///"
"""What the path of a file follows, letter by letter: a `?` or `%` in it is part of a name."""

_NEEDS_FILE = f'a store needs a file: write "{FILE}path/to/store.db"'
_KINDS = f'"{FILE}path/to/store.db" or "postgresql://user@host/database"'


class Database(Protocol):
    """What the store needs of a database beyond plain SQL. `str()` names it, without a password."""

    read_only: bool

    def exists(self) -> bool: ...
    def make_place(self) -> None: ...
    def engine(self) -> Engine: ...
    def upsert(self, table: Table, key: Sequence[str]) -> Any:  # noqa: ANN401 (each dialect's own Insert)
        """An insert that replaces the row with the same key."""
        ...

    def rows_by_key(self, conn: Connection, table: Table, stream: int, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        """The stored rows of a stream's facts with these keys, whole and in the table's order of columns."""
        ...

    def put_rows(self, conn: Connection, table: Table, key: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Many rows at once, whole and in the table's order of columns, each replacing the one with its key."""
        ...

    def renumber(self, conn: Connection, table: Table) -> None:
        """Go on counting after the highest number in the table's `id`, where rows came with their own."""
        ...

    def add_rows(self, conn: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Many new rows at once, whole and in the table's order of columns."""
        ...

    def back_up(self, version: str) -> None:
        """Keep what is there before an upgrade from this version. The caller keeps writers out."""
        ...

    def snapshot(self, target: Path) -> bool:
        """Copy all of one moment into a file; False where the store is none, and nothing was done."""
        ...

    def upgrading(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A transaction in which tables may be rebuilt."""
        ...

    def faults(self, conn: Connection) -> list[str]:
        """What the database itself finds wrong, in words."""
        ...

    def explained(self) -> AbstractContextManager[None]:
        """Whatever the database or the file system refuses becomes a `StoreError` in words."""
        ...

    def alone(self, engine: Engine) -> AbstractContextManager[Callable[[], bool]]:
        """Be the only one of its kind on the store, until the end or this process's death.

        Gives a way to ask whether that still holds.

        Raises:
            StoreTaken: where another one is.
        """
        ...


def database(url: str, *, password: str | None, read_only: bool) -> Database:
    """The database a store's URL names.

    Raises:
        StoreError: where the URL can't be read or names a database that is not supported.
    """
    if url.startswith(FILE):
        if password is not None:
            raise StoreError("a store in a file takes no password: leave it out")
        return Sqlite(url.removeprefix(FILE), read_only=read_only)
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the second for a port that is no number
        raise StoreError(f"the store's URL can't be read: write {_KINDS}") from None
    if parsed.get_backend_name() == "sqlite":
        raise StoreError(_NEEDS_FILE)
    if parsed.get_backend_name() != "postgresql":
        raise StoreError(f"a store on {parsed.get_backend_name()} is not supported: write {_KINDS}")
    return Postgres(parsed, password=password, read_only=read_only)


class Sqlite:
    """A file, in write-ahead mode: readers never wait for the one writer."""

    def __init__(self, path: str, *, read_only: bool) -> None:
        if path in ("", ":memory:"):
            raise StoreError(_NEEDS_FILE)
        self.path = Path(path)
        self.read_only = read_only

    def __str__(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        return self.path.exists()

    def make_place(self) -> None:
        """The folder and an empty file in write-ahead mode."""
        with self.explained():
            make_folder(self.path.parent)
            _make_file(self.path)
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
        # Asked to write where it may not, SQLite reads, and goes on so with a file that was mended meanwhile.
        if mode == "rw" and self.exists() and not os.access(self.path, os.W_OK, effective_ids=True):
            raise StoreReadOnly(f"{self}: {_UNWRITABLE}")
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
        return _upsert(sqlite.insert, table, tuple(key))

    def rows_by_key(self, conn: Connection, table: Table, stream: int, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        quote_name = conn.dialect.identifier_preparer.quote
        columns = ", ".join(f"t.{quote_name(column.name)}" for column in table.columns)
        # A list of keys makes SQLite walk the whole stream; a cross join makes it look up one key after another.
        sql = (
            f"SELECT {columns} FROM json_each(?) AS asked CROSS JOIN {quote_name(table.name)} AS t "  # noqa: S608 (names of our tables)
            "WHERE t.stream = ? AND t.key = asked.value"
        )
        return [tuple(row) for row in conn.exec_driver_sql(sql, (json.dumps(keys), stream))]

    def put_rows(self, conn: Connection, table: Table, key: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            conn.exec_driver_sql(_upsert_sql(table, tuple(key)), list(rows))

    def renumber(self, conn: Connection, table: Table) -> None:
        """SQLite counts on from the highest number by itself."""

    def add_rows(self, conn: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            conn.exec_driver_sql(str(table.insert().compile(dialect=sqlite.dialect())), list(rows))

    def back_up(self, version: str) -> None:
        """A copy beside the file, named after the schema it holds. The caller keeps writers out."""
        target = _free_name(self.path, version)
        part = self.path.with_name(f".{self.path.name}.part")
        with self.explained():
            for left in (part, part.with_name(f"{part.name}-journal")):  # by a process that died meanwhile
                left.unlink(missing_ok=True)
            self.snapshot(part)
            part.replace(target)

    def snapshot(self, target: Path) -> bool:
        with self.explained():
            source = self._connect()
        # What fails from here on is the new file's: its disk is full, its folder may not be written.
        with _file(target).explained(), closing(source):
            with closing(sqlite3.connect(target)) as copy:
                source.backup(copy)
            shutil.copymode(self.path, target)
        return True

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
        damage = [row[0] for row in conn.exec_driver_sql("PRAGMA integrity_check") if row[0] != "ok"]
        orphans = [
            f"a row of {row[0]} refers to a row of {row[2]} that is not there"
            for row in conn.exec_driver_sql("PRAGMA foreign_key_check")
        ]
        return damage + orphans

    @contextmanager
    def alone(self, engine: Engine) -> Iterator[Callable[[], bool]]:
        held = _FileLock(engine, self)
        try:
            if not held():
                raise _taken(self)
            yield held
        finally:
            held.close()

    @contextmanager
    def explained(self) -> Iterator[None]:
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
        if self.path.is_dir():
            return StoreError(f"{self}: there is a folder where the store should be")
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_CANTOPEN and not self.exists():
            return StoreMissing(f"{self}: the store is gone")
        refused, words = _WORDS.get(code, (StoreError, str(error)))
        return refused(f"{self}: {words}")


class _FileLock:
    """A lock on a file beside the store that the system holds for this process: whatever ends it gives the lock back.

    Asked whether it holds, it is taken anew where that file was moved or removed, for others see only what is there;
    and the store's own file is let go of where another was put in its place: what is written to it would be lost.
    """

    def __init__(self, engine: Engine, db: Sqlite) -> None:
        self._engine = engine
        self._db = db
        self._path = db.path.with_name(db.path.name + ".daemon")
        self._file: IO[str] | None = None
        self._seen = _place(db.path)

    def __call__(self) -> bool:
        if (place := _place(self._db.path)) != self._seen:
            self._seen = place
            self._engine.dispose()
        with self._db.explained():
            return self._is_held() or self._take()

    def _is_held(self) -> bool:
        return self._file is not None and _place(self._path) == _place(self._file.fileno())

    def _take(self) -> bool:
        while not self._is_held():  # somebody may remove it between the two steps
            self.close()
            self._file = self._opened()
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.close()
                return False
        return True

    def _opened(self) -> IO[str]:
        try:
            _make_file(self._path)
            return self._path.open("a+", encoding="utf-8")
        except PermissionError:
            words = "this lock may not be written: give it, and its folder, to the user who runs the daemon"
            raise StoreReadOnly(f"{self._path}: {words}") from None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _place(file: Path | int) -> tuple[int, int] | None:
    """What tells a file from another of the same name."""
    try:
        found = os.fstat(file) if isinstance(file, int) else file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Postgres:
    """A database on a server, of which the store has one schema to itself."""

    def __init__(self, url: URL, *, password: str | None, read_only: bool) -> None:
        if not url.database:
            raise StoreError('a store on PostgreSQL needs a database: write "postgresql://user@host/database"')
        self._url = url.set(drivername="postgresql+psycopg")
        self._password = password
        self.read_only = read_only

    def __str__(self) -> str:
        return self._url.set(drivername="postgresql", password=None, query={}).render_as_string()

    def __repr__(self) -> str:
        return f"<PostgreSQL {self}>"

    def exists(self) -> bool:
        """Whether it can be made is the server's to say, when it is asked."""
        return True

    def make_place(self) -> None:
        """Databases are made by those who run the server."""

    def engine(self) -> Engine:
        _need_psycopg()
        url = self._url if self._password is None else self._url.set(password=self._password)
        told = {name: value for name, value in _TOLD.items() if name not in url.query}
        try:
            # A connection that the server closed (a restart, a pause at night) is replaced before it is used.
            engine = create_engine(
                # A writer sees what the one before it wrote, whatever isolation the database has by itself.
                url, isolation_level="READ COMMITTED", pool_pre_ping=True, hide_parameters=True, connect_args=told
            )  # fmt: skip
        except ArgumentError:
            raise StoreError(f"{self}: a host or port of the address can't be read") from None
        event.listen(engine, "connect", self._meet)
        event.listen(engine, "begin", self._begin)
        return engine

    def _meet(self, connection: Any, _: object) -> None:  # noqa: ANN401 (psycopg's, which may be missing)
        """Ready a new connection.

        Raises:
            StoreError: where the database can't hold every text.
        """
        kept_as = connection.info.parameter_status("server_encoding")
        if kept_as not in ("UTF8", "SQL_ASCII") and not self.read_only:
            made = "createdb --encoding UTF8 --template template0"
            raise StoreError(
                f"{self}: the database keeps text as {kept_as}, which can't hold all: make one by `{made}`"
            )
        with connection.cursor() as cursor:
            cursor.execute(_SETTINGS)
        connection.commit()

    def _begin(self, conn: Connection) -> None:
        options = conn.get_execution_options()
        if options.get("isolation_level") == "AUTOCOMMIT":
            return
        if options.get("writes"):
            # One writer at a time, as in a file: what one decides on what it read no other changes meanwhile.
            conn.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS:g}s'")
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS}, hashtext(current_schema()))")
        else:
            conn.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def upsert(self, table: Table, key: Sequence[str]) -> Any:  # noqa: ANN401 (each dialect's own Insert)
        return _upsert(postgresql.insert, table, tuple(key))

    def rows_by_key(self, conn: Connection, table: Table, stream: int, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        quote_name = conn.dialect.identifier_preparer.quote
        columns = ", ".join(quote_name(column.name) for column in table.columns)
        sql = f"SELECT {columns} FROM {quote_name(table.name)} WHERE stream = %s AND key = ANY(%s)"  # noqa: S608 (names of our tables)
        return [tuple(row) for row in conn.exec_driver_sql(sql, (stream, list(keys)))]

    def put_rows(self, conn: Connection, table: Table, key: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        quote_name = conn.dialect.identifier_preparer.quote
        columns = [quote_name(column.name) for column in table.columns]
        # Into a table of this transaction first: COPY can't replace, and row by row takes several times as long.
        incoming = quote_name(f"incoming_{table.name}")
        conn.exec_driver_sql(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} "
            f"(LIKE {quote_name(table.name)} INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"
        )
        conn.exec_driver_sql(f"TRUNCATE {incoming}")
        driver: Any = conn.connection.cursor()
        with driver, driver.copy(f"COPY {incoming} ({', '.join(columns)}) FROM STDIN") as copying:
            for row in rows:
                copying.write_row(row)
        conflict = ", ".join(quote_name(name) for name in key)
        others = ", ".join(f"{c} = EXCLUDED.{c}" for c in columns if c not in {quote_name(name) for name in key})
        conn.exec_driver_sql(
            f"INSERT INTO {quote_name(table.name)} ({', '.join(columns)}) "  # noqa: S608 (names of our tables)
            f"SELECT {', '.join(columns)} FROM {incoming} ON CONFLICT ({conflict}) DO UPDATE SET {others}"
        )

    def add_rows(self, conn: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        quote_name = conn.dialect.identifier_preparer.quote
        columns = ", ".join(quote_name(column.name) for column in table.columns)
        driver: Any = conn.connection.cursor()
        with driver, driver.copy(f"COPY {quote_name(table.name)} ({columns}) FROM STDIN") as copying:
            for row in rows:
                copying.write_row(row)

    def renumber(self, conn: Connection, table: Table) -> None:
        quoted = conn.dialect.identifier_preparer.quote(table.name)
        sql = f"SELECT setval(pg_get_serial_sequence(%s, 'id'), max(id)) FROM {quoted} HAVING max(id) IS NOT NULL"  # noqa: S608 (names of our tables)
        conn.exec_driver_sql(sql, (table.name,))

    def back_up(self, version: str) -> None:
        """Nothing: an upgrade is one transaction, and whole or undone."""

    def snapshot(self, target: Path) -> bool:
        return False

    @contextmanager
    def upgrading(self, engine: Engine) -> Iterator[Connection]:
        with engine.execution_options(writes=True).begin() as conn:
            yield conn

    def faults(self, conn: Connection) -> list[str]:
        """The server looks after its own files."""
        return []

    @contextmanager
    def alone(self, engine: Engine) -> Iterator[Callable[[], bool]]:
        held = _SessionLock(engine, self)
        try:
            if not held():
                raise _taken(self)
            yield held
        finally:
            held.close()

    @contextmanager
    def explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._explain(error.orig) from None
        except Exception as error:
            if not isinstance(error, NoConnectionLeft) and not _is_of_psycopg(error):
                raise
            raise self._explain(error) from None

    def _explain(self, error: BaseException | None) -> StoreError:
        if isinstance(error, NoConnectionLeft):
            return StoreLocked(f"{self}: all connections of this process are busy")
        state = getattr(error, "sqlstate", None) or ""
        for code, (refused, words) in _STATES.items():
            if state.startswith(code):
                return refused(f"{self}: {words.format(said=_first_line(error))}")
        if not state:
            return _unreachable(self, str(error))
        return StoreError(f"{self}: {_first_line(error)}")


class _SessionLock:
    """A server's lock that lasts as long as a connection of its own does; asked whether it holds, it is taken anew
    where that connection was lost."""

    def __init__(self, engine: Engine, db: Postgres) -> None:
        self._engine = engine
        self._db = db
        self._conn: Connection | None = None

    def __call__(self) -> bool:
        with self._db.explained():
            try:
                if self._conn is not None:
                    self._conn.exec_driver_sql("SELECT 1")
                    return True
            except DBAPIError:
                self.close()
            self._conn = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            asked = f"SELECT pg_try_advisory_lock({_DAEMON}, hashtext(current_schema()))"
            if self._conn.exec_driver_sql(asked).scalar():
                return True
            self.close()
            return False

    def close(self) -> None:
        if self._conn is not None:
            with suppress(DBAPIError):
                self._conn.invalidate()  # the lock goes with the connection, which must not come back into the pool
                self._conn.close()
            self._conn = None


def _taken(db: Database) -> StoreTaken:
    return StoreTaken(f"another `keyresults run` is at work on {db}: stop it first, or leave it to it")


_WRITERS, _DAEMON = 0x6B72, 0x6B73
"""They name our locks among those of all programs that use the database."""

_TOLD = {
    "application_name": "keyresults",
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""What the driver is told, unless the address says otherwise. A server that fell silent is given up after a minute:
by itself a system waits for hours."""

_SETTINGS = (
    "SET extra_float_digits = 3; "
    "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"
)
"""What the server is told: numbers whole; and that it lets go of what a vanished machine holds, after a minute."""

_STATES: dict[str, tuple[type[StoreError], str]] = {
    "3D000": (StoreMissing, "there is no such database: make it, or name another"),
    "28": (StoreError, "the server refuses the user or password"),
    "42501": (StoreReadOnly, "the user may not do this ({said}): grant it the right, or name another user"),
    "3F000": (StoreMissing, "there is no such schema: make it, or name another"),
    "25006": (StoreReadOnly, "the server only reads: name its primary"),
    "53100": (StoreFull, "the server's disk is full: nothing of this step was stored"),
    "55P03": (StoreLocked, "another process kept the store busy: try again when it is done"),
    "53300": (StoreLocked, "the server has no connection left: try again, or raise max_connections"),
    "57P": (StoreUnreachable, "the server is going down or coming up: nothing of this step was stored"),
}
"""By the beginning of SQLSTATE."""


def _first_line(error: BaseException | None) -> str:
    """What lies below it may hold values of the row."""
    return str(error).partition("\n")[0]


def _unreachable(db: Postgres, said: str) -> StoreError:
    """The driver's own words name hosts and users, which are known, but no password."""
    lines = [
        line.strip() for line in said.splitlines() if line.strip() and not line.strip().startswith("Is the server")
    ]
    for words, (refused, told) in _SPOKEN.items():
        if re.search(words, said):
            return refused(f"{db}: {told}")
    return StoreUnreachable(f"{db}: the server can't be reached: {lines[-1] if lines else 'no answer'}")


_SPOKEN: dict[str, tuple[type[StoreError], str]] = {
    'database ".*" does not exist': _STATES["3D000"],
    'role ".*" does not exist': _STATES["28"],
    "password authentication failed": _STATES["28"],
    "no password supplied": (
        StoreError,
        'the server wants a password: store = { url = "…", password = { env = "…" } }; for a copy --password-env',
    ),
}
"""What a server says before there is a connection comes without SQLSTATE."""


def _is_of_psycopg(error: Exception) -> bool:
    """COPY speaks to the driver itself, whose errors SQLAlchemy then does not wrap."""
    return type(error).__module__.partition(".")[0] == "psycopg"


def _need_psycopg() -> None:
    if find_spec("psycopg") is None:
        raise StoreError("a store on PostgreSQL needs psycopg: install keyresults[postgres]")


_UNWRITABLE = "the store may not be written: look at the permissions of file and folder"

_WORDS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_NOTADB: (StoreBroken, "this is not a store (no SQLite file): name another path or move it away"),
    sqlite3.SQLITE_CORRUPT: (StoreBroken, "the file is damaged: put a backup in its place"),
    sqlite3.SQLITE_BUSY: (StoreLocked, "another process kept the store busy: try again when it is done"),
    sqlite3.SQLITE_LOCKED: (StoreLocked, "another process kept the store busy: try again when it is done"),
    sqlite3.SQLITE_FULL: (StoreFull, "the disk is full: nothing of this step was stored"),
    sqlite3.SQLITE_READONLY: (StoreReadOnly, _UNWRITABLE),
    sqlite3.SQLITE_PERM: (StoreReadOnly, "the store may not be opened: look at the permissions of file and folder"),
    sqlite3.SQLITE_CANTOPEN: (StoreReadOnly, "the store can't be opened: look at the permissions of file and folder"),
}


@cache
def _upsert(insert_into: Callable[[Table], Any], table: Table, key: tuple[str, ...]) -> Any:  # noqa: ANN401 (see above)
    insert = insert_into(table)
    others = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in key}
    return insert.on_conflict_do_update(index_elements=list(key), set_=others)


@cache
def _upsert_sql(table: Table, key: tuple[str, ...]) -> str:
    return str(_upsert(sqlite.insert, table, key).compile(dialect=sqlite.dialect()))


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


def _make_file(path: Path) -> None:
    """An empty file, where there is none. Of root's making it is the folder's owner's, as with SQLite's own."""
    path = path.resolve()  # a link may lead to where nothing is yet
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return
    try:
        _give(number, path.parent)
    finally:
        os.close(number)


def make_folder(folder: Path) -> None:
    """A folder that no repository takes in, where there is none. Of root's making it is its folder's owner's too."""
    if folder.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    _give(folder, folder.parent)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _give(made: Path | int, folder: Path) -> None:
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(made, owner.st_uid, owner.st_gid)


def _file(path: Path) -> Sqlite:
    return Sqlite(str(path), read_only=False)


def _is_filled(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _free_name(path: Path, version: str) -> Path:
    target, n = path.with_name(f"{path.name}.{version}.backup"), 1
    while target.exists():
        n += 1
        target = path.with_name(f"{path.name}.{version}-{n}.backup")
    return target
