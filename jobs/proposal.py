"""What a proposed key result is, and the words that say what it was measured by."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..metrics.reading import Reading
from ..reports.numbers import amount

MONTH, QUARTER = 28, 91
"""Days: whole weeks, so that each weekday counts alike."""

_GAVE_NOTHING = "nothing was collected for this time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One key result. `target` and `guardrails` are TOML; `basis` says what it was derived from."""

    id: str
    title: str
    metric: str
    target: str
    basis: str
    guardrails: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What no key result is proposed for, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """By metric: what it shows now, in words, and its window where that is not 28 days.

    `refused` are metrics that their source won't tell: they are only offered.
    """

    words: dict[str, str] = field(default_factory=dict)
    windows: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    key_results: tuple[Proposal, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    measured: Measured = field(default_factory=Measured)


def why_not(reading: Reading) -> str:
    """Why a reading can't be used. A source's own words say more than that it gave nothing."""
    own = [note for note in reading.notes if note != _GAVE_NOTHING]
    return next(iter(own or reading.notes), "nothing was found")


def counted(n: float, noun: str) -> str:
    """`1 release`, `12 releases`."""
    return f"{n:,.0f} {noun}" if n == 1 else f"{n:,.0f} {noun}s"


def part(reading: Reading) -> str:
    """A ratio of counts as `3 of 41`."""
    return f"{reading.numerator or 0:,.0f} of {reading.denominator or 0:,.0f}"


def share(fraction: float) -> str:
    """As reports show it: `71.4%`."""
    return amount(fraction, "ratio")
