"""The one way two numbers are compared against a limit: with a relative tolerance, so that 0.7 × 0.3 is 0.21."""

from __future__ import annotations

TOLERANCE = 1e-9
"""Relative. Values closer than this are equal: the inclusive comparisons hold, the strict ones don't."""


def equal(value: float, limit: float) -> bool:
    return abs(value - limit) <= TOLERANCE * max(abs(value), abs(limit))


def at_most(value: float, limit: float) -> bool:
    return value < limit or equal(value, limit)


def at_least(value: float, limit: float) -> bool:
    return value > limit or equal(value, limit)


def below(value: float, limit: float) -> bool:
    return value < limit and not equal(value, limit)


def above(value: float, limit: float) -> bool:
    return value > limit and not equal(value, limit)
