"""What a draft of the next cycle is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..krs.cycle import Cycle
from ..metrics.reading import Reading
from ..reports.progress_report import ProgressReport, ReportedKeyResult, ReportedObjective
from ..reports.values import Learned


class CannotDraft(ValueError):
    """No draft can be made; `str()` says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextKeyResult:
    """One key result of the draft. `table` is what TOML is to hold, `measured` its metric's reading at the cycle's end,
    which its baseline would be; None where it needs none. `held` marks one that was reached."""

    told: ReportedKeyResult
    table: Mapping[str, Any]
    held: bool
    metric: str
    counted: str = ""
    measured: Reading | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A key result that is not carried over, and why."""

    told: ReportedKeyResult
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextObjective:
    told: ReportedObjective
    table: Mapping[str, Any]
    key_results: tuple[NextKeyResult, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """All that a draft is written from. `names_itself` is False for a cycle whose days the config has to be told."""

    cycle: Cycle
    names_itself: bool
    last: ProgressReport
    objectives: tuple[NextObjective, ...]
    lessons: Sequence[Learned]
