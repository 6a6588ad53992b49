"""Whether a frequency is per day or per workday: its targets may say so in place of the metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .findings import Findings
from .places import Key
from .written_objectives import WrittenObjective, amounts, limits_on_metrics


@dataclass(frozen=True, slots=True)
class RateAsked:
    """What the first target that says it holds the frequency against, and where it does."""

    per: Literal["day", "workday"]
    text: str
    by: str


def rates_asked(objectives: Sequence[WrittenObjective], findings: Findings) -> Mapping[str, RateAsked]:
    """By metric; targets that disagree are noted."""
    asked: dict[str, RateAsked] = {}
    for kr in (kr for objective in objectives for kr in objective.key_results):
        for metric, limits, key in limits_on_metrics(kr):
            for amount, place in amounts(limits, key):
                if amount.kind == "rate":
                    per: Literal["day", "workday"] = "workday" if amount.unit == "per_workday" else "day"
                    _agree(asked, metric, RateAsked(per, amount.text, kr.table.id), place, findings)
    return asked


def _agree(asked: dict[str, RateAsked], metric: str, this: RateAsked, key: Key, findings: Findings) -> None:
    first = asked.setdefault(metric, this)
    if first.per != this.per:
        findings.add(
            key,
            f'"{this.text}" (of {this.by}) and "{first.text}" (of {first.by}) divide {metric} by different days: '
            "say both per workday or both per day, or make two metrics of it",
        )
