"""What collections leave behind besides facts: their records, leases, and collectors' memos."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, MutableMapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, null, select

from ..metrics.stream import Stream
from ..metrics.table import from_microseconds, microseconds
from .columns import to_text
from .connected import Connected
from .register import registered
from .rows import Outcome, RunRecord
from .tables import collections, leases, memos, streams

_HELD = select(leases.c.holder).where(
    leases.c.stream == bindparam("stream"),
    leases.c.holder != bindparam("holder"),
    leases.c.until > bindparam("now"),
)
_MEMO = select(memos.c.value).where(memos.c.source == bindparam("source"), memos.c.key == bindparam("key"))


class Collecting(Connected):
    def lease(self, stream_id: str, holder: str, now: datetime, until: datetime) -> bool:
        """Take a stream for oneself until then, or prolong one's lease; False while another holds it."""
        row = {"stream": to_text(stream_id), "holder": to_text(holder), "until": microseconds(until)}
        with self._writing() as conn:
            if conn.execute(_HELD, {**row, "now": microseconds(now)}).first():
                return False
            conn.execute(self._db.upsert(leases, ("stream",)), row)
        return True

    def holder(self, stream_id: str) -> str | None:
        """Who took the stream last and did not give it back, whether or not the lease has run out."""
        held = select(leases.c.holder).where(leases.c.stream == to_text(stream_id))
        with self._reading() as conn:
            found = conn.execute(held).scalar()
        return None if found is None else str(found)

    def release(self, stream_id: str, holder: str) -> None:
        """Give a lease back; nothing happens where another holds it."""
        with self._writing() as conn:
            conn.execute(
                leases.delete().where(leases.c.stream == to_text(stream_id), leases.c.holder == to_text(holder))
            )

    def register(self, known: Iterable[Stream]) -> None:
        """Make streams known before anything of them is collected: what rests on them then lacks their time."""
        with self._writing() as conn:
            for stream in known:
                registered(conn, stream)

    def start_run(self, source: str, stream: Stream | None, at: datetime) -> int:
        """Note that a collection begins, of a stream or (None) of what a source needs before its streams.

        The problems that batches of the stream's last collection told of are forgotten. A collection before it that
        never said how it ended, because its process died, ended without an outcome: no later than now.
        """
        with self._writing() as conn:
            number = None if stream is None else registered(conn, stream).id
            if number is not None:
                conn.execute(streams.update().where(streams.c.id == number), {"problems": "[]"})
            nothing = {"requests": 0, "added": 0, "changed": 0, "removed": 0}
            same = (collections.c.source == to_text(source)) & collections.c.stream.is_not_distinct_from(number)
            left = same & collections.c.outcome.is_(None) & collections.c.finished_at.is_(None)
            conn.execute(collections.update().where(left), {"finished_at": microseconds(at)})
            begun = {"source": to_text(source), "stream": number, "started_at": microseconds(at)}
            result = conn.execute(collections.insert(), begun | nothing)
            assert result.inserted_primary_key is not None
            return int(result.inserted_primary_key[0])

    def finish_run(
        self,
        run_id: int,
        at: datetime,
        outcome: Outcome,
        error: str | None,
        requests: int,
        added: int,
        changed: int,
        removed: int,
        retry_at: datetime | None = None,
    ) -> None:
        """Note how a collection ended. `error` is shown to people: no secret may be in it."""
        ended = {
            "finished_at": microseconds(at),
            "outcome": outcome,
            "error": None if error is None else to_text(error),
            "requests": requests,
            "added": added,
            "changed": changed,
            "removed": removed,
            "retry_at": None if retry_at is None else microseconds(retry_at),
        }
        with self._writing() as conn:
            conn.execute(collections.update().where(collections.c.id == run_id), ended)

    def runs(self, stream_id: str | None = None, limit: int = 100) -> list[RunRecord]:
        """Records of a stream's collections, or of all, newest first; those still running are among them."""
        found = select(collections, streams.c.name).join_from(collections, streams, isouter=True)
        if stream_id is not None:
            found = found.where(streams.c.name == to_text(stream_id))
        with self._reading() as conn:
            rows = conn.execute(found.order_by(collections.c.id.desc()).limit(limit)).all()
        return [run_record(row) for row in rows]

    def newest_run(self) -> int:
        """The number of the newest collection; 0 where there was none."""
        with self._reading() as conn:
            return conn.execute(select(func.max(collections.c.id))).scalar() or 0

    def requests_since(self, run_id: int, besides: Collection[int]) -> list[tuple[int, str, int | None]]:
        """Number, source and requests of the collections after that number, and of some before; None while one runs."""
        columns = (collections.c.id, collections.c.source, collections.c.requests, collections.c.finished_at)
        wanted = (collections.c.id > run_id) | collections.c.id.in_(besides)
        with self._reading() as conn:
            rows = conn.execute(select(*columns).where(wanted)).all()
        return [(row.id, row.source, None if row.finished_at is None else row.requests) for row in rows]

    def last_source_run(self, source: str) -> RunRecord | None:
        """The newest finished record of what a source needs before its streams can be collected."""
        mine = (collections.c.source == to_text(source)) & collections.c.stream.is_(None)
        finished = select(collections).where(mine, collections.c.outcome.is_not(None))
        with self._reading() as conn:
            row = conn.execute(
                finished.add_columns(null().label("name")).order_by(collections.c.id.desc()).limit(1)
            ).first()
        return None if row is None else run_record(row)

    def memo(self, source: str) -> MutableMapping[str, str]:
        """What a source's collector wants to find again; every change is stored at once."""
        return _Memo(self, to_text(source))


def run_record(row: Row[Any]) -> RunRecord:
    """`row` is of `collections`, with the stream's `name` beside it."""
    return RunRecord(
        id=row.id,
        source=row.source,
        stream=row.name,
        started_at=from_microseconds(row.started_at),
        finished_at=None if row.finished_at is None else from_microseconds(row.finished_at),
        outcome=row.outcome,
        error=row.error,
        requests=row.requests,
        added=row.added,
        changed=row.changed,
        removed=row.removed,
        retry_at=None if row.retry_at is None else from_microseconds(row.retry_at),
    )


class _Memo(MutableMapping[str, str]):
    def __init__(self, store: Collecting, source: str) -> None:
        self._store = store
        self._source = source
        self._mine = memos.c.source == source

    def __getitem__(self, key: str) -> str:
        with self._store._reading() as conn:
            found = conn.execute(_MEMO, {"source": self._source, "key": to_text(key)}).scalar()
        if found is None:
            raise KeyError(key)
        return str(found)

    def __setitem__(self, key: str, value: str) -> None:
        row = {"source": self._source, "key": to_text(key), "value": to_text(value)}
        with self._store._writing() as conn:
            conn.execute(self._store._db.upsert(memos, ("source", "key")), row)

    def __delitem__(self, key: str) -> None:
        with self._store._writing() as conn:
            gone = conn.execute(memos.delete().where(self._mine, memos.c.key == to_text(key)))
        if gone.rowcount == 0:
            raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        with self._store._reading() as conn:
            keys = conn.scalars(select(memos.c.key).where(self._mine).order_by(memos.c.key)).all()
        return iter(keys)

    def __len__(self) -> int:
        with self._store._reading() as conn:
            return conn.execute(select(func.count()).select_from(memos).where(self._mine)).scalar_one()

    def __repr__(self) -> str:
        return f"<memo of {self._source}>"
