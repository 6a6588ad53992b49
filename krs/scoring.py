"""How good forecasts were, once the outcome is known: the rules that scores go by."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from ..metrics.comparison import above, below

MISS = 0.2
"""The share of outcomes that lies outside a range of 80 %."""


def interval_score(low: float, high: float, outcome: float) -> float:
    """The range's width, and ten times by how much it was missed (Gneiting and Raftery, 2007); less is better."""
    missed = max(low - outcome, 0.0) + max(outcome - high, 0.0)
    return (high - low) + 2 / MISS * missed


@dataclass(frozen=True, slots=True)
class Place:
    """Where an outcome lies among the values drawn: the share of them below it, and the share not above it.

    The two differ where values recur, as counts do.
    """

    below: float
    not_above: float

    @classmethod
    def among(cls, values: Iterable[float], outcome: float) -> Place:
        drawn = sorted(values)
        lower = bisect_left(drawn, True, key=lambda value: not below(value, outcome))
        not_higher = bisect_left(drawn, True, key=lambda value: above(value, outcome))
        return cls(lower / len(drawn), not_higher / len(drawn))

    def randomised(self, chance: float) -> float:
        """The probability integral transform: a point between the two, `chance` (0 to 1) of the way up.

        It is even from 0 to 1 over many outcomes if the draws are right, also for counts.
        """
        return self.below + chance * (self.not_above - self.below)


def is_covered(transform: float) -> bool:
    """Whether the outcome of that probability integral transform lies in the middle 80 %."""
    return MISS / 2 <= transform <= 1 - MISS / 2


def brier(probability: float, satisfied: bool) -> float:
    """The squared error of a probability; less is better, and 0.25 is what always saying one half gives."""
    return (probability - satisfied) ** 2
