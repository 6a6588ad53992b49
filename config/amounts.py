"""Amounts into the base unit of a metric, or an error at their place."""

from __future__ import annotations

import math

from ..metrics.quantity import Quantity
from ..metrics.unit import Unit
from .findings import Findings
from .places import Key


def into(amount: Quantity, unit: Unit, key: Key, findings: Findings) -> float:
    """The amount in the base of `unit`; where it doesn't fit, that is noted, and nan is no number to compare with."""
    try:
        return amount.into(unit)
    except ValueError as error:
        if unit.text:
            findings.add(key, str(error))
        else:
            findings.add(key, f'{amount.text!r} needs a metric with a unit: write unit = "…" there, or a plain number')
        return math.nan
