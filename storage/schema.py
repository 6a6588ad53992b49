"""Which version of the tables a store holds; making new ones, upgrading older ones, refusing newer ones."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, select

# Tables of facts join the metadata when their module is read.
from . import fact_tables  # noqa: F401 (see above)
from .dialects import Database
from .errors import StoreBroken, StoreMissing, StoreOld, StoreTooNew
from .revisions import REVISIONS
from .tables import metadata, version

_FOUND = select(version.c.version_num)

MIGRATIONS = Path(__file__).parent / "migrations"


def prepare(engine: Engine, db: Database, *, create: bool) -> None:
    """Leave the store with the tables this release knows, or say why not.

    Raises:
        StoreMissing: there are no tables yet, and `create` is False.
        StoreOld: the store is older and opened for reading only.
        StoreTooNew: a newer release wrote it.
        StoreBroken: the file holds something else.
    """
    with engine.connect() as conn:
        found = _version(conn, db)
    if found == REVISIONS[-1]:
        return
    if found is None:
        if not create:
            raise StoreMissing(f"there is no store at {db} yet: run `keyresults collect`")
        _make(engine, db)
    elif db.read_only:
        raise StoreOld(f"{db} is from an older release: run `keyresults collect` once, which upgrades it")
    else:
        _upgrade(engine, db)


def refuse_others(conn: Connection, db: Database) -> None:
    """Have nothing written into tables of another release: they may be upgraded, or replaced, while they are in use.

    Raises:
        StoreTooNew, StoreOld: they are not those of this release any more.
    """
    found = conn.execute(_FOUND).scalar()
    if found == REVISIONS[-1]:
        return
    if found in REVISIONS:
        raise StoreOld(f"{db} is from an older release now: start this process again, which upgrades it")
    raise StoreTooNew(f"{db} was upgraded by a newer release meanwhile: start this process again, with that release")


def _version(conn: Connection, db: Database) -> str | None:
    """The revision the store is at; None where nothing has been made yet."""
    tables = inspect(conn).get_table_names()
    if not tables:
        return None
    found = conn.execute(_FOUND).scalar() if version.name in tables else None
    if found is None:
        raise StoreBroken(f"{db} is a database, but no store of keyresults: name another path or database")
    if found not in REVISIONS:
        raise StoreTooNew(
            f"{db} was written by a newer release (its tables are at {found}, this release knows them up to "
            f"{REVISIONS[-1]}): upgrade keyresults, or name another store"
        )
    return str(found)


def _make(engine: Engine, db: Database) -> None:
    with engine.execution_options(writes=True).begin() as conn:
        if _version(conn, db) is None:  # no other process was faster
            metadata.create_all(conn, checkfirst=False)
            conn.execute(version.insert(), {"version_num": REVISIONS[-1]})


def _upgrade(engine: Engine, db: Database) -> None:
    from alembic import command
    from alembic.config import Config

    with db.upgrading(engine) as conn:
        found = _version(conn, db)
        if found is None or found == REVISIONS[-1]:  # another process was faster
            return
        db.back_up(found)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
