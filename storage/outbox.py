"""Notices to be told, and what was told last of each topic: written together, so that none is lost or invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from ..metrics.table import from_microseconds, microseconds
from .columns import to_text
from .connected import Connected
from .tables import outbox, told

NoticeOutcome = Literal["delivered", "given_up"]


_UNHEARD = "it is being told, or the process ended while it was: whether it arrived is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a channel is to be told. `key` is the same for all channels, and for every attempt.

    `body` is Markdown. No secret may be in any of it.
    """

    key: str
    channel: str
    occasion: str
    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingNotice:
    """`attempts` is how often it was begun, `error` what became of the newest."""

    id: int
    notice: Notice
    created_at: datetime
    due: datetime
    attempts: int
    error: str | None


class Outbox(Connected):
    def told(self) -> dict[str, str]:
        """What was last told of each topic."""
        with self._reading() as conn:
            return {row.topic: row.said for row in conn.execute(select(told))}

    def tell(self, notices: Sequence[Notice], topics: Mapping[str, str], at: datetime) -> int:
        """Put notices into the outbox and note what is told of their topics, all or nothing; how many are new.

        A notice that is there already, by key and channel, is not put in again, whatever became of it.
        """
        with self._writing() as conn:
            new = [n for n in notices if not _is_there(conn, n)]
            for notice in new:
                conn.execute(outbox.insert(), _row(notice, at))
            for topic, said in topics.items():
                row = {"topic": to_text(topic), "said": to_text(said), "at": microseconds(at)}
                conn.execute(self._db.upsert(told, ("topic",)), row)
        return len(new)

    def waiting(self, now: datetime, limit: int = 100) -> list[WaitingNotice]:
        """Those to be told by now, oldest first."""
        due = outbox.c.ended_at.is_(None) & (outbox.c.due <= microseconds(now))
        with self._reading() as conn:
            rows = conn.execute(select(outbox).where(due).order_by(outbox.c.id).limit(limit)).all()
        return [_waiting(row) for row in rows]

    def unsent(self) -> list[WaitingNotice]:
        """All that wait, those that will be tried again later too."""
        with self._reading() as conn:
            rows = conn.execute(select(outbox).where(outbox.c.ended_at.is_(None)).order_by(outbox.c.id)).all()
        return [_waiting(row) for row in rows]

    def begin_notice(self, waiting: WaitingNotice, until: datetime) -> bool:
        """Note that it is being told now; False where another process has done so since `waiting` was read.

        Where this process ends before it says what became of it, it is to be told again from `until` on.
        """
        mine = (outbox.c.id == waiting.id) & outbox.c.ended_at.is_(None) & (outbox.c.attempts == waiting.attempts)
        begun = {"due": microseconds(until), "attempts": waiting.attempts + 1, "error": _UNHEARD}
        with self._writing() as conn:
            return conn.execute(outbox.update().where(mine).values(begun)).rowcount == 1

    def end_notice(self, id_: int, at: datetime, outcome: NoticeOutcome, error: str | None = None) -> None:
        ended = {
            "ended_at": microseconds(at),
            "outcome": outcome,
            "error": None if error is None else to_text(error),
        }
        with self._writing() as conn:
            conn.execute(outbox.update().where(outbox.c.id == id_).values(ended))

    def put_off(self, id_: int, until: datetime, error: str) -> None:
        """It could not be told: to be tried again from then on."""
        later = {"due": microseconds(until), "error": to_text(error)}
        with self._writing() as conn:
            conn.execute(outbox.update().where(outbox.c.id == id_).values(later))


def _is_there(conn: Connection, notice: Notice) -> bool:
    same = (outbox.c.key == to_text(notice.key)) & (outbox.c.channel == to_text(notice.channel))
    return conn.execute(select(outbox.c.id).where(same)).first() is not None


def _row(notice: Notice, at: datetime) -> dict[str, Any]:
    texts = {name: to_text(getattr(notice, name)) for name in ("key", "channel", "occasion", "title", "body")}
    return {**texts, "created_at": microseconds(at), "due": microseconds(at), "attempts": 0}


def _waiting(row: Row[Any]) -> WaitingNotice:
    return WaitingNotice(
        id=row.id,
        notice=Notice(key=row.key, channel=row.channel, occasion=row.occasion, title=row.title, body=row.body),
        created_at=from_microseconds(row.created_at),
        due=from_microseconds(row.due),
        attempts=row.attempts,
        error=row.error,
    )
