"""The register of streams: rows elsewhere name a stream by its small number in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from ..metrics.stream import Stream
from .columns import to_json, to_text
from .tables import streams

_NAMED = select(streams).where(streams.c.name == bindparam("name"))


def registered(conn: Connection, stream: Stream) -> Row[Any]:
    """The stream's row; a new stream gets one."""
    name = {"name": to_text(stream.id)}
    row = conn.execute(_NAMED, name).first()
    if row is None:
        conn.execute(
            streams.insert(),
            {
                **name,
                "source": to_text(stream.source),
                "kind": stream.kind,
                "subject": to_text(stream.subject),
                "query": to_json(stream.query),
                "revision": 0,
                "facts": 0,
                "open_keys": "[]",
                "problems": "[]",
            },
        )
        row = conn.execute(_NAMED, name).one()
    return row


def numbers_of(conn: Connection, names: Sequence[str]) -> list[tuple[int, str]]:
    """The inner number and the name of each known stream, in the order of names."""
    known = select(streams.c.id, streams.c.name).where(streams.c.name.in_([to_text(n) for n in names]))
    return sorted(((row.id, row.name) for row in conn.execute(known)), key=lambda pair: pair[1])
