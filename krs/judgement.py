"""What is said of a key result and of an objective at one time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from ..metrics.reading import Reading
from ..metrics.window import Window
from .model import Comparison
from .progress import Shape


class Status(StrEnum):
    WITHDRAWN = "withdrawn"
    DRAFT = "draft"
    NOT_STARTED = "not_started"
    UNKNOWN = "unknown"
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"
    MET = "met"
    LANDED = "landed"
    HELD_BACK = "held_back"
    MISSED = "missed"
    NOT_MEASURED = "not_measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Where a key result starts. `at` is the instant it was measured for (None for a stated number).

    `provisional` while the time it was measured over may still change. `pace_start` is where
    expected progress starts: the key result's start, or the first reading after it where there
    was no data before. `reading` is the evidence of a measured one.
    """

    value: float
    at: datetime | None
    measured: bool
    provisional: bool
    pace_start: datetime
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """Something worth knowing beside the status, in words.

    `on` is the day of the revision it speaks of (None for others); `when` says what makes one that
    eases suspicious: "while it was off track".
    """

    code: str
    words: str
    on: date | None = None
    when: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailState:
    """`holds` is None where the guardrail has no usable reading: unseen. `limit` as written, `words` for people.

    `excess` is how far `value` is beyond the limit, in the base of `unit` (the text of the metric's
    unit); None unless broken.
    """

    metric: str
    holds: bool | None
    value: float | None
    unit: str
    limit: str
    words: str
    excess: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDays:
    """The days of a `keep`: how many there are, were measured, were bad, and may be bad (a number of days)."""

    days: int
    measured: int
    bad: int
    budget: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One key result, judged.

    `baseline` is None, too, where it is in another unit than the metric in force.
    `progress` is what is shown: cut to two decimals, 0 to 1, at most 0.99 while unsatisfied.
    `raw_progress` is neither cut nor clamped. `expected` is where the plan wants it at the end of
    what the reading covers. `needed_pace` is how many times faster than planned the rest must go.
    `target_value` is the resolved limit in the base unit (None where there is no single one), `comparison`
    the side of it that is wanted, `shape` how progress towards it is measured (both None for a `keep`, and where
    nothing is resolved).
    `why` says the status in one sentence.
    """

    status: Status
    why: str
    reading: Reading | None
    baseline: Baseline | None
    target_value: float | None = None
    comparison: Comparison | None = None
    shape: Shape | None = None
    progress: float | None = None
    raw_progress: float | None = None
    satisfied: bool | None = None
    expected: float | None = None
    needed_pace: float | None = None
    decides_on: Window | None = None
    deadline: date
    weight: float = 1.0
    metric: str
    kept: KeptDays | None = None
    flags: tuple[Flag, ...] = ()
    guardrails: tuple[GuardrailState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveJudgement:
    """`measured` of `total` judged key results stand behind `progress` (None where none does)."""

    status: Status
    progress: float | None
    measured: int
    total: int
