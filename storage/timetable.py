"""When jobs ran, how that went, and when they are due next: kept, so that a restarted daemon goes on where it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from ..metrics.table import from_microseconds, microseconds
from .columns import to_text
from .connected import Connected
from .tables import jobs

JobOutcome = Literal["ok", "waits", "failed"]
"""`waits` is one that went well so far, and goes on when it is due next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """`due` is the time the newest run was for; `failures` how many in a row have failed by now.

    `finished_at` is before `started_at`, or None, while it runs, and after its process died. `succeeded_at` is the end
    of the newest run that went well.
    """

    name: str
    due: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    succeeded_at: datetime | None
    outcome: JobOutcome | None
    error: str | None
    failures: int
    next_due: datetime | None


class Timetable(Connected):
    def job(self, name: str) -> JobRecord | None:
        with self._reading() as conn:
            row = conn.execute(select(jobs).where(jobs.c.name == to_text(name))).first()
        return None if row is None else _record(row)

    def jobs(self) -> dict[str, JobRecord]:
        """All that were ever planned, by name."""
        with self._reading() as conn:
            return {row.name: _record(row) for row in conn.execute(select(jobs).order_by(jobs.c.name))}

    def plan_job(self, name: str, next_due: datetime | None) -> None:
        """Note when a job is due next; None for one that is no longer planned."""
        self._put_job(name, {"next_due": _micros(next_due)})

    def start_job(self, name: str, due: datetime, at: datetime) -> None:
        self._put_job(name, {"due": microseconds(due), "started_at": microseconds(at)})

    def finish_job(
        self, name: str, at: datetime, outcome: JobOutcome, error: str | None, next_due: datetime | None
    ) -> None:
        """`error` is shown to people: no secret may be in it. The store need not know that it began."""
        ended = {
            "finished_at": microseconds(at),
            "outcome": outcome,
            "error": None if error is None else to_text(error),
            "next_due": _micros(next_due),
        }
        if outcome == "ok":
            ended["succeeded_at"] = microseconds(at)
        with self._writing() as conn:
            before = conn.execute(select(jobs.c.failures).where(jobs.c.name == to_text(name))).scalar() or 0
            _put(conn, name, {**ended, "failures": before + 1 if outcome == "failed" else 0})

    def _put_job(self, name: str, what: dict[str, Any]) -> None:
        with self._writing() as conn:
            _put(conn, name, what)


def _put(conn: Connection, name: str, what: dict[str, Any]) -> None:
    if conn.execute(jobs.update().where(jobs.c.name == to_text(name)), what).rowcount == 0:
        conn.execute(jobs.insert(), {"name": to_text(name), "failures": 0, **what})


def _record(row: Row[Any]) -> JobRecord:
    return JobRecord(
        name=row.name,
        due=_instant(row.due),
        started_at=_instant(row.started_at),
        finished_at=_instant(row.finished_at),
        succeeded_at=_instant(row.succeeded_at),
        outcome=row.outcome,
        error=row.error,
        failures=row.failures,
        next_due=_instant(row.next_due),
    )


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_microseconds(micros)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at)
