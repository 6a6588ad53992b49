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
    def put_closing(self, cycle: str, action: ClosingAction, *, at: datetime, by: str, content: str) -> bool:
        """Note that somebody closed or reopened a cycle, or what was learned in it; `content` is JSON text.

        False, and nothing is noted, where it is closed (or open) already: somebody else was first.
        """
        row = {
            "cycle": to_text(cycle),
            "at": microseconds(at),
            "by": to_text(by),
            "action": action,
            "content": to_text(content),
        }
        newest = select(closings.c.action).where(closings.c.cycle == row["cycle"], closings.c.action != "learned")
        with self._writing() as conn:
            last = conn.execute(newest.order_by(closings.c.id.desc()).limit(1)).scalar() or "reopened"
            if action == last:
                return False
            conn.execute(closings.insert(), row)
        return True

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
