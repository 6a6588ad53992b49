"""Streams: how far each reaches, and how its last collection went."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select, true

from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Stream
from ..metrics.table import from_microseconds
from .collecting import run_record
from .columns import to_text
from .connected import Connected
from .rows import RunRecord, StreamState
from .tables import collections, coverage, streams

_COVERED = (
    select(coverage.c.start, coverage.c.end).where(coverage.c.stream == bindparam("number")).order_by(coverage.c.start)
)

# Statements are made once of each of these: that takes longer than to ask them for one stream.
_ALL = true()
_NAMED = streams.c.name == bindparam("wanted")
_OF_SOURCE = streams.c.source == bindparam("wanted")


def coverage_of(conn: Connection, stream: int) -> TimeRanges:
    rows = conn.execute(_COVERED, {"number": stream})
    return TimeRanges(tuple(TimeRange(from_microseconds(start), from_microseconds(end)) for start, end in rows))


class StoredStreams(Connected):
    def state(self, stream_id: str) -> StreamState | None:
        """How far the stream reaches; None where the store has never heard of it."""
        states = self._states(_NAMED, stream_id)
        return states[0] if states else None

    def states(self, source: str | None = None) -> list[StreamState]:
        """All streams, or a source's, in the order of their ids."""
        return self._states(_ALL) if source is None else self._states(_OF_SOURCE, source)

    def _states(self, wanted: ColumnElement[bool], name: str = "") -> list[StreamState]:
        named = {"wanted": to_text(name)}
        with self._reading() as conn:
            rows = conn.execute(_streams(wanted), named).all()
            covered = coverages(conn, wanted, name)
            last = {row.number: run_record(row) for row in conn.execute(_last_runs(wanted), named)}
        return [_state(row, covered[row.id], last.get(row.id)) for row in rows]


@cache
def _streams(wanted: ColumnElement[bool]) -> Select[Any]:
    # Driven from the streams, each newest row is one look into an index, however long the history.
    last_success = (
        select(func.max(collections.c.finished_at))
        .where(collections.c.stream == streams.c.id, collections.c.outcome == "ok")
        .scalar_subquery()
    )
    return select(streams, last_success.label("last_success")).where(wanted).order_by(streams.c.name)


def coverages(conn: Connection, wanted: ColumnElement[bool] = _ALL, name: str = "") -> dict[int, TimeRanges]:
    """Covered time by the stream's number, nothing for those without; of all streams, or those wanted."""
    ranges: dict[int, list[TimeRange]] = defaultdict(list)
    for row in conn.execute(_ranges(wanted), {"wanted": to_text(name)}):
        ranges[row.stream].append(TimeRange(from_microseconds(row.start), from_microseconds(row.end)))
    covered: dict[int, TimeRanges] = defaultdict(TimeRanges)
    covered.update((stream, TimeRanges(tuple(parts))) for stream, parts in ranges.items())
    return covered


@cache
def _ranges(wanted: ColumnElement[bool]) -> Select[Any]:
    return select(coverage).join(streams).where(wanted).order_by(coverage.c.stream, coverage.c.start)


@cache
def _last_runs(wanted: ColumnElement[bool]) -> Select[Any]:
    newest = (
        select(collections.c.id)
        .where(collections.c.stream == streams.c.id, collections.c.outcome.is_not(None))
        .order_by(collections.c.id.desc())
        .limit(1)
        .correlate(streams)
        .scalar_subquery()
    )
    return (
        select(collections, streams.c.name, streams.c.id.label("number"))
        .select_from(streams)
        .join(collections, collections.c.id == newest)
        .where(wanted)
    )


def _state(row: Row[Any], covered: TimeRanges, last_run: RunRecord | None) -> StreamState:
    return StreamState(
        stream=Stream(row.source, row.kind, row.subject, json.loads(row.query)),
        cursor=None if row.cursor is None else json.loads(row.cursor),
        coverage=covered,
        horizon=_instant(row.horizon),
        revision=row.revision,
        changed_at=_instant(row.changed_at),
        open_keys=tuple(json.loads(row.open_keys)),
        newest_fact=_instant(row.newest_fact),
        facts=row.facts,
        problems=tuple(json.loads(row.problems)),
        last_run=last_run,
        last_success=_instant(row.last_success),
    )


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_microseconds(micros)
