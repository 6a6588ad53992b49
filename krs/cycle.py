"""Cycles: the periods objectives are set for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

_NAME = re.compile(r"^(\d{4})(?:-(?:Q([1-4])|H([12])|(0[1-9]|1[0-2])))?$")


@dataclass(frozen=True, slots=True)
class Cycle:
    """`start` and `end` are local days, both included."""

    name: str
    start: date
    end: date

    @classmethod
    def named(cls, name: str) -> Cycle | None:
        """The cycle a name such as `2026`, `2026-Q4`, `2026-H2` or `2026-11` speaks of; None for other names."""
        match = _NAME.match(name)
        if match is None:
            return None
        year = int(match[1])
        first, months = 1, 12
        if match[2]:
            first, months = 3 * int(match[2]) - 2, 3
        elif match[3]:
            first, months = 6 * int(match[3]) - 5, 6
        elif match[4]:
            first, months = int(match[4]), 1
        after = first + months
        end = date(year + (after > 12), (after - 1) % 12 + 1, 1) - timedelta(days=1)
        return cls(name, date(year, first, 1), end)
