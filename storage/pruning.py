"""Letting go of what no number rests on: old records of collections, notices told long ago, words said over within
their day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CompoundSelect, Select, func, select, union

from ..metrics.table import microseconds
from .store import Store
from .tables import collections, evaluations, outbox


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many of each are gone."""

    runs: int
    notices: int


def prune(store: Store, before: datetime) -> Pruned:
    """Remove records of collections, and notices, that ended before then. Facts and judgements are never touched.

    Of each stream, and of what each source does before its streams, stay the newest record, the newest that says how
    it ended, and the newest that ended well: nothing that is shown of a source changes.
    """
    cut = microseconds(before)
    ended = func.coalesce(collections.c.finished_at, collections.c.started_at)
    old = collections.delete().where(ended < cut, collections.c.id.not_in(_newest()))
    told = outbox.delete().where(outbox.c.ended_at < cut)
    with store._writing() as conn:
        return Pruned(conn.execute(old).rowcount, conn.execute(told).rowcount)


def thin_said(store: Store, before: date) -> int:
    """Of what was said of a cycle on each local day before that one, keep the last; how many are gone.

    What was said by the end of any day stays what it was.
    """
    earlier = evaluations.c.day < before.isoformat()
    last = select(func.max(evaluations.c.id)).where(earlier).group_by(evaluations.c.cycle, evaluations.c.day)
    with store._writing() as conn:
        return conn.execute(evaluations.delete().where(earlier, evaluations.c.id.not_in(last))).rowcount


def _newest() -> CompoundSelect[Any]:
    mine = (collections.c.source, collections.c.stream)
    newest = select(func.max(collections.c.id)).group_by(*mine)
    return union(newest, newest.where(collections.c.outcome.is_not(None)), _last_good())


def _last_good() -> Select[Any]:
    """By their end, as the last success of a stream is told."""
    good = collections.c.outcome == "ok"
    last = (
        select(collections.c.stream, func.max(collections.c.finished_at).label("at"))
        .where(good)
        .group_by(collections.c.stream)
        .subquery()
    )
    same = collections.c.stream.is_not_distinct_from(last.c.stream) & (collections.c.finished_at == last.c.at)
    return select(collections.c.id).join(last, same).where(good)
