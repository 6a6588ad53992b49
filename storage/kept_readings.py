"""Readings of finished days, kept so that they need not be computed again.

A cache: whatever is written to a stream forgets, in the same transaction, the readings it touches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ..metrics.reading import Reading
from ..metrics.table import microseconds
from .columns import to_text
from .connected import Connected, raw
from .reading_rows import reading_of, reading_row
from .tables import readings, series, series_streams, streams


class KeptReadings(Connected):
    def readings(self, metric: str, digest: str, as_of: datetime) -> list[Reading]:
        """What is kept of the metric under this digest, oldest first, as it would be computed at `as_of`.

        Nothing where the readings kept know of more than `as_of` does.
        """
        kept = select(series.c.metric).where(
            series.c.metric == to_text(metric), series.c.digest == digest, series.c.as_of <= microseconds(as_of)
        )
        found = select(readings).where(readings.c.metric.in_(kept.scalar_subquery())).order_by(readings.c.at)
        with self._reading() as conn:
            kept_rows = raw(conn, found)
        names = readings.columns.keys()
        return [reading_of(dict(zip(names, row, strict=True))) for row in kept_rows]

    def put_readings(
        self,
        metric: str,
        digest: str,
        found: Sequence[Reading],
        *,
        as_of: datetime,
        rests_on: Mapping[str, int],
        across_time: bool,
    ) -> bool:
        """Keep readings beside those kept under the same digest; those of another digest go.

        `rests_on` gives the revision of each stream that they were computed from: where one has
        moved on, nothing is kept and the answer is False. `across_time` says that a fact may change
        readings of days before its own.
        """
        name = to_text(metric)
        with self._writing() as conn:
            numbers = _unmoved(conn, rests_on)
            if numbers is None:
                return False
            self._put_series(conn, name, digest, microseconds(as_of), across_time, numbers)
            rows = [{"metric": name, **reading_row(reading)} for reading in found]
            if rows:
                conn.execute(self._db.upsert(readings, ("metric", "at")), rows)
        return True

    def _put_series(
        self, conn: Connection, metric: str, digest: str, as_of: int, across_time: bool, numbers: Sequence[int]
    ) -> None:
        mine = series.c.metric == metric
        known = conn.execute(select(series).where(mine)).first()
        if known is not None and known.digest == digest:
            conn.execute(series.update().where(mine), {"as_of": max(as_of, known.as_of)})
            return
        for table in (readings, series_streams, series):
            conn.execute(table.delete().where(table.c.metric == metric))
        row = {"metric": metric, "digest": digest, "as_of": as_of, "across_time": across_time}
        conn.execute(series.insert(), row)
        conn.execute(series_streams.insert(), [{"metric": metric, "stream": number} for number in numbers])


_RESTING = select(series_streams.c.metric).where(series_streams.c.stream == bindparam("number")).limit(1)


def forget(conn: Connection, stream: int, *, facts_from: int | None, covered_from: int | None) -> None:
    """Forget the readings that a change to the stream touches.

    A reading at an instant rests on what lies before it; one that reaches across time is also
    moved by facts after it.
    """
    starts = [start for start in (facts_from, covered_from) if start is not None]
    if not starts or conn.execute(_RESTING, {"number": stream}).first() is None:
        return
    rests_on_it = select(series_streams.c.metric).where(series_streams.c.stream == stream)
    later = readings.c.metric.in_(rests_on_it.scalar_subquery()) & (readings.c.at > min(starts))
    conn.execute(readings.delete().where(later))
    if facts_from is not None:
        across = rests_on_it.join(series, series.c.metric == series_streams.c.metric).where(series.c.across_time)
        conn.execute(readings.delete().where(readings.c.metric.in_(across.scalar_subquery())))


def _unmoved(conn: Connection, rests_on: Mapping[str, int]) -> list[int] | None:
    """The numbers of the streams, where each still has the revision it had."""
    asked = select(streams.c.id, streams.c.name, streams.c.revision).where(
        streams.c.name.in_([to_text(name) for name in rests_on])
    )
    found: dict[str, tuple[Any, ...]] = {row.name: (row.id, row.revision) for row in conn.execute(asked)}
    if any(found.get(to_text(name), (0, None))[1] != revision for name, revision in rests_on.items()):
        return None
    return sorted(number for number, _ in found.values())
