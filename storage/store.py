"""The store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, LargeBinary, func, select, type_coerce

from ..metrics.ranges import TimeRanges
from . import schema
from .budgets import Budgets
from .check_ins import StoredCheckIns
from .closings import Closings
from .collecting import Collecting
from .dialects import database
from .errors import StoreMissing
from .fact_tables import FACT_TABLES
from .judged import Judged
from .kept_readings import KeptReadings
from .outbox import Outbox
from .packing import is_whole
from .stored_facts import StoredFacts
from .stored_streams import StoredStreams, coverages
from .tables import evaluations, streams
from .timetable import Timetable

_AT_A_TIME = 100
"""Packed texts held in memory."""


class Store(
    StoredFacts,
    StoredStreams,
    Collecting,
    Budgets,
    KeptReadings,
    Judged,
    StoredCheckIns,
    Closings,
    Timetable,
    Outbox,
):
    """Facts, how far they reach, and what was made of them. Threads and processes may share one."""

    @classmethod
    def open(cls, url: str, *, password: str | None = None, create: bool = True, read_only: bool = False) -> Self:
        """The store at this URL (`sqlite:///path`), made or upgraded where it has to be.

        A folder made for it gets a `.gitignore`; before an upgrade a backup is put beside the file.
        `read_only` never changes the store, and opens one on a medium that can't be written.

        Raises:
            StoreError: one of its kinds, in words that name the store.
        """
        db = database(url, password=password, read_only=read_only)
        makes = create and not read_only
        if not db.exists():
            if not makes:
                raise StoreMissing(f"there is no store at {db} yet: run `keyresults collect`")
            db.make_place()
        engine = db.engine()
        try:
            with db.explained():
                schema.prepare(engine, db, create=makes)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, db)

    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {self._db}>"

    @property
    def place(self) -> str:
        """Where it is, for people: a path, or an address without its password."""
        return str(self._db)

    def alone(self) -> AbstractContextManager[Callable[[], bool]]:
        """Be the only daemon on this store. Gives a way to ask whether that still holds.

        Raises:
            StoreTaken: where there is one.
        """
        return self._db.alone(self._engine)

    def check(self) -> list[str]:
        """Everything wrong with the store, in words; nothing for a sound one."""
        with self._reading() as conn:
            faults = self._db.faults(conn)
            if faults:
                return faults
            return [*_torn_coverage(conn), *_miscounted(conn), *_unreadable(conn)]


def _torn_coverage(conn: Connection) -> list[str]:
    return [
        f"the covered time of stream {stream} overlaps or is out of order"
        for stream, covered in coverages(conn).items()
        if TimeRanges.of(*covered) != covered
    ]


def _unreadable(conn: Connection) -> list[str]:
    """Databases keep no sums of what they hold; packed texts have one."""
    content = type_coerce(evaluations.c.content, LargeBinary).label("content")
    said = select(evaluations.c.cycle, evaluations.c.day, content).order_by(evaluations.c.id)
    with closing(conn.execute(said, execution_options={"yield_per": _AT_A_TIME})) as rows:
        return [f"what was said of {row.cycle} on {row.day} can't be read" for row in rows if not is_whole(row.content)]


def _miscounted(conn: Connection) -> list[str]:
    faults = []
    for row in conn.execute(
        select(streams.c.id, streams.c.name, streams.c.kind, streams.c.facts, streams.c.newest_fact)
    ):
        table = FACT_TABLES[row.kind]
        found = conn.execute(select(func.count(), func.max(table.c.at)).where(table.c.stream == row.id)).one()
        if tuple(found) != (row.facts, row.newest_fact):
            faults.append(f"{row.name} says it has {row.facts} facts and has {found[0]}, or not the newest it says")
    return faults
