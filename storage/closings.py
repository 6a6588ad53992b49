"""Closings of cycles: rows are added, never changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from ..metrics.table import from_microseconds, microseconds
from .columns import to_text
from .connected import Connected
from .rows import ClosingAction, StoredClosing
from .tables import closings


class Closings(Connected):
    def put_closing(self, cycle: str, action: ClosingAction, *, at: datetime, by: str, content: str) -> None:
        """Note that somebody closed or reopened a cycle, or what was learned in it; `content` is JSON text."""
        row = {
            "cycle": to_text(cycle),
            "at": microseconds(at),
            "by": to_text(by),
            "action": action,
            "content": to_text(content),
        }
        with self._writing() as conn:
            conn.execute(closings.insert(), row)

    def closings(self, cycle: str) -> list[StoredClosing]:
        """All that was done to a cycle, in the order it was done."""
        found = select(closings).where(closings.c.cycle == to_text(cycle)).order_by(closings.c.id)
        with self._reading() as conn:
            return [
                StoredClosing(
                    cycle=row.cycle,
                    at=from_microseconds(row.at),
                    by=row.by,
                    action=row.action,
                    content=row.content,
                )
                for row in conn.execute(found)
            ]
