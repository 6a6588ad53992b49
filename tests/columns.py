"""Facts as the plain columns a store hands to metrics, and instants written shortly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from keyresults.metrics.facts import FACT_TYPES, Deployment, Fact, FactKind
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.table import TIMES, FactTables, microseconds

DERIVED = ("started_at", "succeeded_at", "finished_at", "outcome", "waited_seconds")


def at(text: str) -> datetime:
    """`"2026-10-05"` or `"2026-10-05 14:30"`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def covered(*ends: str) -> TimeRanges:
    """`covered("2026-10-01", "2026-10-05", "2026-10-07", …)`: from each first to each second."""
    return TimeRanges.of(*(TimeRange(at(a), at(b)) for a, b in zip(ends[::2], ends[1::2], strict=True)))


def tables(facts: Iterable[Fact]) -> FactTables:
    kinds: dict[FactKind, list[Fact]] = {}
    for fact in facts:
        kinds.setdefault(fact.kind, []).append(fact)
    return FactTables({kind: columns(kind, found) for kind, found in kinds.items()})


def columns(kind: FactKind, facts: Sequence[Fact]) -> dict[str, list[Any]]:
    """Every field of the facts, and what a store works out of a deployment's statuses."""
    names = [f.name for f in fields(FACT_TYPES[kind])]
    names += [n for n in ("at", *(DERIVED if kind == "deployments" else ())) if n not in names]
    return {name: [_plain(name in TIMES[kind], _field(fact, name)) for fact in facts] for name in names}


def _field(fact: Fact, name: str) -> Any:
    if isinstance(fact, Deployment) and name in ("finished_at", "outcome"):
        final = fact.first_final
        return final and (final.at if name == "finished_at" else final.state)
    if isinstance(fact, Deployment) and name == "statuses":
        return json.dumps([(s.state, microseconds(s.at)) for s in fact.statuses])
    return getattr(fact, name)


def _plain(is_time: bool, value: Any) -> Any:
    if value is None:
        return None
    if is_time:
        return microseconds(value)
    return value if isinstance(value, (str, int, float, bool)) else json.dumps(value)
