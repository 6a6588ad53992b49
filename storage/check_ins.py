"""What people said of key results. Rows are only ever added: what somebody said is not edited afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from ..krs.checkin import CheckIn
from ..metrics.table import from_microseconds, microseconds
from .columns import to_text
from .connected import Connected
from .tables import check_ins


class StoredCheckIns(Connected):
    def put_check_in(self, cycle: str, kr: str, check_in: CheckIn) -> bool:
        """Keep what somebody said of a key result. The same once more, to the microsecond, changes nothing: False."""
        row = {
            "cycle": to_text(cycle),
            "kr": to_text(kr),
            "at": microseconds(check_in.at),
            "by": to_text(check_in.by),
            "confidence": check_in.confidence,
            "note": to_text(check_in.note),
        }
        same = [check_ins.c[name].is_not_distinct_from(value) for name, value in row.items()]
        with self._writing() as conn:
            if conn.execute(select(check_ins.c.id).where(*same)).first():
                return False
            conn.execute(check_ins.insert(), row)
        return True

    def check_ins(self, cycle: str, until: datetime | None = None) -> dict[str, tuple[CheckIn, ...]]:
        """What was said of each key result of the cycle, `until` then (included), oldest first; by its id."""
        found = select(check_ins).where(check_ins.c.cycle == to_text(cycle))
        if until is not None:
            found = found.where(check_ins.c.at <= microseconds(until))
        said: dict[str, list[CheckIn]] = {}
        with self._reading() as conn:
            for row in conn.execute(found.order_by(check_ins.c.at, check_ins.c.id)):
                said.setdefault(row.kr, []).append(_check_in(row))
        return {kr: tuple(mine) for kr, mine in said.items()}


def _check_in(row: Row[Any]) -> CheckIn:
    return CheckIn(at=from_microseconds(row.at), by=row.by, confidence=row.confidence, note=row.note)
