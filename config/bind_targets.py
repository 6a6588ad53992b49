"""Targets and guardrails, in the base unit of their metric."""

from __future__ import annotations

from collections.abc import Iterator

from ..krs.model import Between, ChangeBy, Comparison, Keep, Reach, Target, Threshold
from ..metrics.comparison import equal
from ..metrics.quantity import Quantity
from ..metrics.unit import Unit
from .amounts import into
from .findings import Findings
from .places import Key
from .schema_objectives import COMPARISONS, LimitTable, TargetTable

_SAID: dict[str, str] = {"at_most": "at most", "below": "below", "at_least": "at least", "above": "above"}


def bind_target(written: TargetTable, unit: Unit, key: Key, findings: Findings) -> Target:
    """The target; what doesn't fit the unit is noted."""
    if written.to is not None:
        return _reach(written.to, written.start, unit, key, findings)
    if written.change is not None:
        return _change(written.change, unit, (*key, "change"), findings)
    if written.keep is not None:
        limit = bind_limit(written.keep, unit, (*key, "keep"), findings)
        share = 1.0 if written.share is None else written.share
        return Keep(limit, share, f"{limit_in_words(written.keep)} on {share * 100:.6g}% of days")
    return _threshold(written, unit, key, findings)


def bind_limit(written: LimitTable, unit: Unit, key: Key, findings: Findings) -> Threshold | Between:
    if written.between is None:
        return _threshold(written, unit, key, findings)
    low, high = (into(amount, unit, (*key, "between", n), findings) for n, amount in enumerate(written.between))
    if low >= high:
        findings.add((*key, "between"), "the first end must be the smaller one")
    return Between(low, high)


def limit_in_words(written: LimitTable) -> str:
    if written.between is not None:
        low, high = written.between
        return f"between {low.text} and {high.text}"
    name = written.said[0]
    return f"{_SAID[name]} {getattr(written, name).text}"


def _reach(to: Quantity, start: Quantity | None, unit: Unit, key: Key, findings: Findings) -> Reach:
    end = into(to, unit, (*key, "to"), findings)
    if start is None:
        return Reach(end, None, f"to {to.text}")
    begin = into(start, unit, (*key, "from"), findings)
    if equal(begin, end):
        findings.add(key, f"from and to are the same ({to.text}): there is nothing to reach")
    return Reach(end, begin, f"{start.text} to {to.text}")


def _change(change: Quantity, unit: Unit, key: Key, findings: Findings) -> ChangeBy:
    if change.value == 0:
        findings.add(key, f"{change.text} changes nothing: there is nothing to reach")
    if change.kind == "percent":
        return ChangeBy(change.value, True, change.text)
    if change.kind == "number" and unit.dimension == "ratio":
        findings.add(key, f'{change.text} is unclear: write "-30%" for a relative change, "+5pp" for points')
        return ChangeBy(change.value, False, change.text)
    return ChangeBy(into(change, unit, key, findings), False, change.text)


def _threshold(written: TargetTable | LimitTable, unit: Unit, key: Key, findings: Findings) -> Threshold:
    said: Iterator[Comparison] = (name for name in COMPARISONS if getattr(written, name) is not None)
    name = next(said)
    amount: Quantity = getattr(written, name)
    return Threshold(name, into(amount, unit, (*key, name), findings), f"{_SAID[name]} {amount.text}")
