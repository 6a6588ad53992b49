"""Objectives as they are written: read first, for what their targets say of metrics' units and of cycles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..metrics.quantity import Quantity
from .fields import NAME
from .findings import Findings
from .places import Key
from .schema_objectives import COMPARISONS, KeyResultTable, LimitTable, ObjectiveTable, TargetTable

Limits = TargetTable | LimitTable

_NAMED: Mapping[str, object] = {"id": "unknown", "title": "unknown"}
_MEASURED: Mapping[str, object] = {"metric": "unknown", "target": {"to": 0}}
"""Stand-ins for what an objective or key result can't do without."""


@dataclass(frozen=True, slots=True)
class WrittenKeyResult:
    """`wrong` are needed keys that can't be read: what `table` has there is a stand-in.

    `metrics` are the names of all metrics in it, with their places, also where what is around them is wrong.
    """

    key: Key
    table: KeyResultTable
    wrong: frozenset[str]
    metrics: tuple[tuple[str, Key], ...]


@dataclass(frozen=True, slots=True)
class WrittenObjective:
    """`table` is None where it is no table, `wrong` as in a key result; its key results are read all the same."""

    key: Key
    table: ObjectiveTable | None
    wrong: frozenset[str]
    cycle: str | None
    key_results: tuple[WrittenKeyResult, ...]


def read_objectives(value: object, findings: Findings) -> list[WrittenObjective]:
    if not isinstance(value, list):
        findings.add(("objectives",), "must be an array of tables: [[objectives]]")
        return []
    return [_objective(one, ("objectives", index), findings) for index, one in enumerate(value)]


def _objective(value: Any, key: Key, findings: Findings) -> WrittenObjective:  # noqa: ANN401 (TOML of any kind)
    table, wrong = findings.patched(ObjectiveTable, value, key, _NAMED)
    inside = value.get("key_results", []) if isinstance(value, Mapping) else []
    if not isinstance(inside, list):
        inside = []  # The objective's own model has said so.
    key_results = []
    for index, one in enumerate(inside):
        place: Key = (*key, "key_results", index)
        key_result, unread = findings.patched(KeyResultTable, one, place, {**_NAMED, **_MEASURED})
        if key_result is not None:
            key_results.append(WrittenKeyResult(place, key_result, unread, tuple(_metrics(one, place))))
    cycle = value.get("cycle") if isinstance(value, Mapping) else None
    return WrittenObjective(key, table, wrong, cycle if isinstance(cycle, str) else None, tuple(key_results))


def _metrics(value: Mapping[str, Any], key: Key) -> Iterator[tuple[str, Key]]:
    tables: list[tuple[object, Key]] = [(value, key)]
    for name in ("guardrails", "revisions"):
        inside = value.get(name)
        if isinstance(inside, list):
            tables.extend((one, (*key, name, index)) for index, one in enumerate(inside))
    for table, place in tables:
        metric = table.get("metric") if isinstance(table, Mapping) else None
        if isinstance(metric, str) and NAME.match(metric):
            yield metric, (*place, "metric")


def limits_on_metrics(kr: WrittenKeyResult) -> Iterator[tuple[str, Limits, Key]]:
    """Every metric a key result holds against something, with what and where."""
    if kr.wrong & _MEASURED.keys():
        return
    metric = kr.table.metric
    yield metric, kr.table.target, (*kr.key, "target")
    for index, guardrail in enumerate(kr.table.guardrails):
        yield guardrail.metric, guardrail, (*kr.key, "guardrails", index)
    for index, revision in enumerate(kr.table.revisions):
        metric = revision.metric or metric
        if revision.target is not None:
            yield metric, revision.target, (*kr.key, "revisions", index, "target")


def amounts(limits: Limits, key: Key) -> Iterator[tuple[Quantity, Key]]:
    """Every amount in a target or guardrail, with its place."""
    names = ("from", "to", "change", *COMPARISONS) if isinstance(limits, TargetTable) else COMPARISONS
    for name in names:
        amount = getattr(limits, "start" if name == "from" else name)
        if amount is not None:
            yield amount, (*key, name)
    if isinstance(limits, TargetTable):
        if limits.keep is not None:
            yield from amounts(limits.keep, (*key, "keep"))
    elif limits.between is not None:
        yield from ((amount, (*key, "between", index)) for index, amount in enumerate(limits.between))
