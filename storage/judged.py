"""What was made of the facts and is kept for good: baselines, definitions and evaluations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam, func, select

from ..krs.judgement import Baseline
from ..metrics.reading import FactNote
from ..metrics.table import from_microseconds, microseconds
from .columns import to_json, to_text
from .connected import Connected
from .errors import BaselineFrozen
from .reading_rows import note_of, note_row, reading_of, reading_row
from .rows import StoredBaseline, StoredDefinition, StoredEvaluation
from .tables import baselines, check_ins, definitions, evaluations

RAN_AHEAD = timedelta(days=2)
"""Processes at work side by side differ by less, and so does a clock that is set back by a day."""


class Judged(Connected):
    def baseline(self, cycle: str, kr: str, metric_digest: str) -> StoredBaseline | None:
        """The baseline as it was measured by this definition of the metric."""
        with self._reading() as conn:
            row = _baseline_row(conn, cycle, kr, metric_digest)
        return None if row is None else _baseline(row)

    def baseline_evidence(self, cycle: str, kr: str, metric_digest: str) -> tuple[FactNote, ...]:
        """The facts that the baseline rests on."""
        found = select(baselines.c.evidence).where(_measured(cycle, kr, metric_digest))
        with self._reading() as conn:
            notes = conn.execute(found).scalar()
        return () if notes is None else tuple(note_of(note) for note in json.loads(notes))

    def put_baseline(
        self,
        cycle: str,
        kr: str,
        metric_digest: str,
        baseline: Baseline,
        evidence: Sequence[FactNote],
        at: datetime,
    ) -> None:
        """Keep a baseline with the facts it rests on; it replaces a provisional one of the same definition.

        One measured by another definition of the metric stays beside it.

        Raises:
            BaselineFrozen: another one is kept for good.
        """
        row = _baseline_columns(baseline) | {
            "cycle": to_text(cycle),
            "kr": to_text(kr),
            "metric_digest": metric_digest,
            "evidence": to_json([note_row(note) for note in evidence]),
            "stored_at": microseconds(at),
        }
        with self._writing() as conn:
            stored = _baseline_row(conn, cycle, kr, metric_digest)
            if stored is not None and not stored.provisional:
                if _baseline(stored).baseline == baseline:
                    return
                raise BaselineFrozen(
                    f"the baseline of {cycle}/{kr} was frozen on {from_microseconds(stored.stored_at):%Y-%m-%d}"
                )
            conn.execute(self._db.upsert(baselines, ("cycle", "kr", "metric_digest")), row)

    def rename(self, cycle: str, old_kr: str, new_kr: str) -> None:
        """Hand what is kept of a key result to its new id, but for baselines that this has frozen itself.

        Nothing happens where nothing is kept under the old id, so it may be asked again.
        """
        cycle, old, new = to_text(cycle), to_text(old_kr), to_text(new_kr)
        digests = select(baselines.c.metric_digest)
        handed_on = digests.where(_of(baselines, cycle, old)).scalar_subquery()
        frozen = digests.where(_of(baselines, cycle, new), baselines.c.provisional.is_(False)).scalar_subquery()
        with self._writing() as conn:
            replaced = baselines.c.metric_digest.in_(handed_on) & baselines.c.provisional.is_(True)
            conn.execute(baselines.delete().where(_of(baselines, cycle, new), replaced))
            kept = baselines.c.metric_digest.not_in(frozen)
            conn.execute(baselines.update().where(_of(baselines, cycle, old), kept), {"kr": new})
            for table in (definitions, check_ins):
                conn.execute(table.update().where(_of(table, cycle, old)), {"kr": new})

    def definitions(self, cycle: str) -> dict[str, StoredDefinition]:
        """Each key result ever seen in the cycle as it was last defined, with how it was defined before."""
        found = select(definitions).where(definitions.c.cycle == to_text(cycle)).order_by(definitions.c.id)
        newest: dict[str, StoredDefinition] = {}
        with self._reading() as conn:
            for row in conn.execute(found):
                before = newest.get(row.kr)
                newest[row.kr] = StoredDefinition(
                    snapshot=json.loads(row.snapshot),
                    first_seen=from_microseconds(row.first_seen),
                    last_seen=from_microseconds(row.last_seen),
                    earlier=() if before is None else (*before.earlier, _alone(before)),
                )
        return newest

    def put_definition(self, cycle: str, kr: str, snapshot: Mapping[str, object], at: datetime) -> None:
        """Note that the config defines a key result so at this time; history grows only where it differs."""
        self.put_definitions(cycle, {kr: snapshot}, at)

    def put_definitions(self, cycle: str, snapshots: Mapping[str, Mapping[str, object]], at: datetime) -> None:
        """The same of many key results at once."""
        seen, cycle = microseconds(at), to_text(cycle)
        with self._writing() as conn:
            last = _last_definitions(conn, cycle)
            same, new = [], []
            for kr, snapshot in snapshots.items():
                text, before = to_json(snapshot), last.get(to_text(kr))
                if before is None or before.snapshot != text:
                    row = {"cycle": cycle, "kr": to_text(kr), "snapshot": text, "first_seen": seen, "last_seen": seen}
                    new.append(row)
                elif before.last_seen < seen:
                    same.append({"number": before.id, "seen": seen})
            if same:
                conn.execute(_SEEN_AGAIN, same)
            if new:
                conn.execute(definitions.insert(), new)

    def put_evaluation(
        self, *, at: datetime, cycle: str, day: date, config_digest: str, content: str, ground: str
    ) -> bool:
        """Keep what is said of a cycle, where ground, config or day differ from the last; else that it still holds.

        Nothing is kept of an earlier time than the last: another process was faster, or the clock was set back. Where
        it is `RAN_AHEAD` earlier, the last was said by a clock that ran ahead, and stands no longer.

        `ground` is a digest of what `content` (JSON text) says, without its time.
        """
        row = {
            "at": microseconds(at),
            "confirmed_at": microseconds(at),
            "cycle": to_text(cycle),
            "day": day.isoformat(),
            "config_digest": config_digest,
            "ground": ground,
            "content": to_text(content),
        }
        compared = ("ground", "config_digest", "day")
        with self._writing() as conn:
            # Not its content: what is damaged there must not keep anything new from being said.
            known = (evaluations.c[name] for name in ("id", "confirmed_at", *compared))
            last = conn.execute(_newest_evaluation(cycle).with_only_columns(*known)).first()
            if last is not None and at < from_microseconds(last.confirmed_at) < at + RAN_AHEAD:
                return False  # what was said later stands
            if last is None or any(row[name] != getattr(last, name) for name in compared):
                conn.execute(evaluations.insert(), row)
                return True
            newest = {"confirmed_at": row["confirmed_at"], "content": row["content"]}
            conn.execute(evaluations.update().where(evaluations.c.id == last.id), newest)
        return False

    def last_evaluation(self, cycle: str) -> StoredEvaluation | None:
        with self._reading() as conn:
            row = conn.execute(_newest_evaluation(cycle)).first()
        return None if row is None else _evaluation(row)

    def last_confirmed(self, cycle: str) -> datetime | None:
        """When what `last_evaluation` gives still held, without reading all of that."""
        newest = _newest_evaluation(cycle).with_only_columns(evaluations.c.confirmed_at)
        with self._reading() as conn:
            at = conn.execute(newest).scalar()
        return None if at is None else from_microseconds(at)

    def said_by(self, cycle: str, day: date) -> StoredEvaluation | None:
        """What was last said of the cycle on the local day, or before it: what held at the day's end."""
        # By days first: what a clock said that was set back for years is of its own day, and no other.
        latest = (evaluations.c.day.desc(), evaluations.c.id.desc())
        until = _newest_evaluation(cycle).where(evaluations.c.day <= day.isoformat()).order_by(None).order_by(*latest)
        with self._reading() as conn:
            row = conn.execute(until).first()
        return None if row is None else _evaluation(row)

    def first_said(self, cycle: str) -> date | None:
        """The local day on which anything was first said of the cycle."""
        first = (
            select(evaluations.c.day).where(evaluations.c.cycle == to_text(cycle)).order_by(evaluations.c.id).limit(1)
        )
        with self._reading() as conn:
            day = conn.execute(first).scalar()
        return None if day is None else date.fromisoformat(day)

    def evaluations(self, since: date | None = None, until: date | None = None) -> list[StoredEvaluation]:
        """What was said, in the order it was said; both days included."""
        found = select(evaluations).order_by(evaluations.c.id)
        if since is not None:
            found = found.where(evaluations.c.day >= since.isoformat())
        if until is not None:
            found = found.where(evaluations.c.day <= until.isoformat())
        with self._reading() as conn:
            return [_evaluation(row) for row in conn.execute(found)]


_SEEN_AGAIN = definitions.update().where(definitions.c.id == bindparam("number")).values(last_seen=bindparam("seen"))


def _last_definitions(conn: Connection, cycle: str) -> dict[str, Row[Any]]:
    """The newest of each key result."""
    newest = select(func.max(definitions.c.id)).where(definitions.c.cycle == cycle).group_by(definitions.c.kr)
    found = select(definitions).where(definitions.c.id.in_(newest))
    return {row.kr: row for row in conn.execute(found)}


# Made once: thousands of key results ask for theirs.
_BASELINE = select(*(column for column in baselines.columns if column is not baselines.c.evidence)).where(
    baselines.c.cycle == bindparam("of_cycle"),
    baselines.c.kr == bindparam("of_kr"),
    baselines.c.metric_digest == bindparam("measured_by"),
)


def _baseline_row(conn: Connection, cycle: str, kr: str, metric_digest: str) -> Row[Any] | None:
    asked = {"of_cycle": to_text(cycle), "of_kr": to_text(kr), "measured_by": metric_digest}
    return conn.execute(_BASELINE, asked).first()


def _measured(cycle: str, kr: str, metric_digest: str) -> ColumnElement[bool]:
    return _of(baselines, to_text(cycle), to_text(kr)) & (baselines.c.metric_digest == metric_digest)


def _of(table: Table, cycle: str, kr: str) -> ColumnElement[bool]:
    return (table.c.cycle == cycle) & (table.c.kr == kr)


def _baseline_columns(baseline: Baseline) -> dict[str, Any]:
    return {
        "value": baseline.value,
        "at": None if baseline.at is None else microseconds(baseline.at),
        "measured": baseline.measured,
        "provisional": baseline.provisional,
        "pace_start": microseconds(baseline.pace_start),
        "reading": None if baseline.reading is None else to_json(reading_row(baseline.reading)),
    }


def _baseline(row: Row[Any]) -> StoredBaseline:
    return StoredBaseline(
        metric_digest=row.metric_digest,
        baseline=Baseline(
            value=row.value,
            at=None if row.at is None else from_microseconds(row.at),
            measured=row.measured,
            provisional=row.provisional,
            pace_start=from_microseconds(row.pace_start),
            reading=None if row.reading is None else reading_of(json.loads(row.reading)),
        ),
        at=from_microseconds(row.stored_at),
    )


def _alone(definition: StoredDefinition) -> StoredDefinition:
    return StoredDefinition(
        snapshot=definition.snapshot, first_seen=definition.first_seen, last_seen=definition.last_seen
    )


def _newest_evaluation(cycle: str) -> Select[Any]:
    mine = evaluations.c.cycle == to_text(cycle)
    return select(evaluations).where(mine).order_by(evaluations.c.id.desc()).limit(1)


def _evaluation(row: Row[Any]) -> StoredEvaluation:
    return StoredEvaluation(
        at=from_microseconds(row.at),
        confirmed_at=from_microseconds(row.confirmed_at),
        cycle=row.cycle,
        day=date.fromisoformat(row.day),
        config_digest=row.config_digest,
        ground=row.ground,
        content=row.content,
    )
