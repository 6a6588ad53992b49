"""Facts: written a batch at a time, read as columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Boolean, Connection, Row, Select, Table, bindparam, func, select

from ..metrics.facts import Fact, FactKind
from ..metrics.ranges import TimeRanges
from ..metrics.stream import Batch, Stream
from ..metrics.table import from_microseconds, microseconds
from .columns import to_json, to_text
from .connected import Connected, raw
from .fact_rows import rows_of
from .fact_tables import FACT_TABLES, OWN_INSTANT
from .kept_readings import forget
from .register import numbers_of, registered
from .rows import Written
from .stored_streams import coverage_of
from .tables import coverage, streams

_PROBLEMS_KEPT = 100

_FEW_DIFFERENT = frozenset(
    {"subject", "environment", "task", "origin", "outcome", "workflow", "branch", "conclusion", "event"}
)
"""Columns of a few words told again and again: they are given as one object each, a third of the memory of facts."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What a batch did to the facts of a stream; `touched` are instants of facts as they were and as they are."""

    added: int
    changed: int
    removed: int
    touched: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


class StoredFacts(Connected):
    def write(self, stream: Stream, batch: Batch, at: datetime) -> Written:
        """Store a batch whole, in one transaction; the same batch once more changes nothing.

        Covered time joins what was covered before; cursor and horizon replace the stored ones where
        the batch has them; open keys replace the stored ones; problems add to those of the same run.

        Raises:
            ValueError: a fact is of another kind than the stream.
        """
        if any(fact.kind != stream.kind for fact in batch.facts):
            raise ValueError(f"a batch of {stream.id} may hold {stream.kind} only")
        # Worked out before others have to wait for the one writer.
        columns = rows_of(stream.kind).columns(batch.facts)
        cursor = None if batch.cursor is None else to_json(batch.cursor)
        with self._writing() as conn:
            row = registered(conn, stream)
            change = self._put_facts(conn, row, rows_of(stream.kind).rows(row.id, columns), batch.removed)
            covered = _put_coverage(conn, row.id, batch.covered)
            newly_covered = [microseconds(r.start) for r in covered]
            touched = [*change.touched, *newly_covered]
            forget(
                conn,
                row.id,
                facts_from=min(change.touched, default=None),
                covered_from=min(newly_covered, default=None),
            )
            _put_state(conn, row, batch, cursor, change, bool(covered), microseconds(at))
        return Written(
            added=change.added,
            changed=change.changed,
            removed=change.removed,
            touched_from=from_microseconds(min(touched)) if touched else None,
        )

    def _put_facts(
        self, conn: Connection, row: Row[Any], rows: dict[str, tuple[Any, ...]], withdrawn: Sequence[str]
    ) -> _Change:
        table = FACT_TABLES[row.kind]
        gone = {to_text(key) for key in withdrawn}
        for key in gone:
            rows.pop(key, None)
        stored = self._db.rows_by_key(conn, table, row.id, [*rows, *gone]) if row.facts else []
        known = {r[2]: r for r in stored}
        new = [r for key, r in rows.items() if known.get(key) != r]
        self._db.put_rows(conn, table, ("stream", "key"), new)
        removed = [key for key in gone if key in known]
        if removed:
            one = table.delete().where(table.c.stream == row.id, table.c.key == bindparam("gone"))
            conn.execute(one, [{"gone": key} for key in removed])
        before = [known[key] for key in (*(r[2] for r in new), *removed) if key in known]
        return _Change(
            added=len(new) + len(removed) - len(before),
            changed=len(before) - len(removed),
            removed=len(removed),
            touched=tuple(r[1] for r in (*new, *before)),
        )

    def facts(
        self,
        kind: FactKind,
        stream_ids: Sequence[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        columns: Sequence[str] | None = None,
    ) -> dict[str, list[Any]]:
        """The facts of these streams as plain columns, ordered by `at`, stream and key.

        Times are integer microseconds since 1970 UTC, flags bool, histories and other structures
        JSON text (a deployment's `statuses` are `[state, microseconds]` pairs); missing is None.
        `stream` holds stream ids. The kind's own instant stands under its name and as `at`.
        `since` and `until` bound `at`, included. `columns` leaves out those not named.
        """
        table = FACT_TABLES[kind]
        own = OWN_INSTANT[kind]
        names = list(columns) if columns is not None else [*rows_of(kind).names, *({own} - {"at"})]
        stored = ["at", "stream", *sorted({"at" if n == own else n for n in names} - {"at", "stream"})]
        with self._reading() as conn:
            known = numbers_of(conn, stream_ids)
            rows: list[tuple[Any, ...]] = []
            for number, _ in known:
                rows += raw(conn, _of_stream(table, stored, number, since, until))
        if len(known) > 1:
            rows.sort(key=itemgetter(0))  # stable: streams are in order, and each stream's facts
        found = {name: [row[place] for row in rows] for place, name in enumerate(stored)}
        _translate(table, found, dict(known))
        return {name: found["at" if name == own else name] for name in names}

    def fact(self, stream_id: str, key: str) -> Fact | None:
        """One fact, equal to the one that was written."""
        with self._reading() as conn:
            stream = conn.execute(select(streams).where(streams.c.name == to_text(stream_id))).first()
            if stream is None:
                return None
            table = FACT_TABLES[stream.kind]
            mine = select(table).where(table.c.stream == stream.id, table.c.key == to_text(key))
            row = conn.execute(mine).mappings().first()
        return None if row is None else rows_of(stream.kind).fact(dict(row))

    def keys(self, stream_id: str, *, start: datetime, end: datetime) -> set[str]:
        """Keys of the stream's facts whose `at` lies in `[start, end)`."""
        with self._reading() as conn:
            stream = conn.execute(select(streams).where(streams.c.name == to_text(stream_id))).first()
            if stream is None:
                return set()
            table = FACT_TABLES[stream.kind]
            inside = (table.c.at >= microseconds(start)) & (table.c.at < microseconds(end))
            return set(conn.scalars(select(table.c.key).where(table.c.stream == stream.id, inside)))


def _of_stream(
    table: Table, names: Sequence[str], stream: int, since: datetime | None, until: datetime | None
) -> Select[Any]:
    found = select(*(table.c[name] for name in names)).where(table.c.stream == stream)
    if since is not None:
        found = found.where(table.c.at >= microseconds(since))
    if until is not None:
        found = found.where(table.c.at <= microseconds(until))
    return found.order_by(table.c.at, table.c.key)


def _translate(table: Table, found: dict[str, list[Any]], streams_by_number: dict[int, str]) -> None:
    found["stream"] = [streams_by_number[number] for number in found["stream"]]
    for name, values in found.items():
        if isinstance(table.c[name].type, Boolean):
            found[name] = [bool(value) for value in values]
        elif name in _FEW_DIFFERENT:
            one: dict[Any, Any] = {}
            found[name] = [one.setdefault(value, value) for value in values]


def _put_coverage(conn: Connection, stream: int, covered: TimeRanges) -> TimeRanges:
    """Store the union with what was covered; what is new in it."""
    before = coverage_of(conn, stream)
    after = before | covered
    if after != before:
        conn.execute(_UNCOVER, {"number": stream})
        conn.execute(
            coverage.insert(),
            [{"stream": stream, "start": microseconds(r.start), "end": microseconds(r.end)} for r in after],
        )
    return after - before


def _put_state(
    conn: Connection, row: Row[Any], batch: Batch, cursor: str | None, change: _Change, covered: bool, at: int
) -> None:
    horizon = row.horizon if batch.horizon is None else microseconds(batch.horizon)
    problems = dict.fromkeys([*json.loads(row.problems), *(to_text(p) for p in batch.problems)])
    state = {
        "number": row.id,
        "cursor": row.cursor if cursor is None else cursor,
        "horizon": horizon,
        "open_keys": to_json(batch.open_keys),
        "problems": to_json(list(problems)[:_PROBLEMS_KEPT]),
        "revision": row.revision,
        "changed_at": row.changed_at,
        "facts": row.facts + change.added - change.removed,
        "newest_fact": row.newest_fact,
    }
    if change or covered or horizon != row.horizon:
        state |= {"revision": row.revision + 1, "changed_at": at}
    if change:
        state["newest_fact"] = conn.execute(_newest(FACT_TABLES[row.kind]), {"number": row.id}).scalar()
    conn.execute(_UPDATE, state)


_UNCOVER = coverage.delete().where(coverage.c.stream == bindparam("number"))
_UPDATE = streams.update().where(streams.c.id == bindparam("number"))


@cache
def _newest(table: Table) -> Select[Any]:
    return select(func.max(table.c.at)).where(table.c.stream == bindparam("number"))
