"""What a name on the command line means: a key result, one of another cycle, or a metric."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from .model import KeyResult, Objective


@dataclass(frozen=True, slots=True)
class KeyResultName:
    """A key result of a cycle; ids are unique in one."""

    cycle: str
    id: str

    def __str__(self) -> str:
        return f"{self.cycle}/{self.id}"


@dataclass(frozen=True, slots=True)
class MetricName:
    name: str

    def __str__(self) -> str:
        return f"metric:{self.name}"


class UnknownNameError(LookupError):
    """Nothing has this name; `str()` says what comes near."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        names = sorted(set(known))
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}"
        super().__init__(f"no {what} named {name!r}; {hint}")


def resolve(
    name: str, objectives: Sequence[Objective], metrics: Collection[str], cycle: str
) -> KeyResultName | MetricName:
    """`p99` (a key result of `cycle`, else a metric), `metric:p99` or `2026-Q3/p99`.

    Raises:
        UnknownNameError: with near matches.
    """
    if name.startswith("metric:"):
        return _metric(name.removeprefix("metric:"), metrics)
    other, slash, id_ = name.rpartition("/")
    if slash:
        return _key_result(other, id_, objectives)
    if name in key_results_of(cycle, objectives):
        return KeyResultName(cycle, name)
    if name in metrics:
        return MetricName(name)
    raise UnknownNameError("key result or metric", name, (*key_results_of(cycle, objectives), *metrics))


def key_results_of(cycle: str, objectives: Iterable[Objective]) -> dict[str, KeyResult]:
    """The cycle's key results by id."""
    return {kr.id: kr for o in objectives if o.cycle.name == cycle for kr in o.key_results}


def _metric(name: str, metrics: Collection[str]) -> MetricName:
    if name not in metrics:
        raise UnknownNameError("metric", name, metrics)
    return MetricName(name)


def _key_result(cycle: str, id_: str, objectives: Sequence[Objective]) -> KeyResultName:
    cycles = {o.cycle.name for o in objectives}
    if cycle not in cycles:
        raise UnknownNameError("cycle", cycle, cycles)
    known = key_results_of(cycle, objectives)
    if id_ not in known:
        raise UnknownNameError(f"key result of {cycle}", id_, known)
    return KeyResultName(cycle, id_)
