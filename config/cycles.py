"""Which cycles are in use, and which is shown when none is named."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..krs.cycle import Cycle

FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Days outside these are slips of the pen."""


@dataclass(frozen=True, slots=True)
class CyclesInUse:
    """`default` is shown when none is named; None where nothing says one. `demanded`: objectives must name theirs."""

    default: str | None
    demanded: bool


def cycles_in_use(tracker: str | None, tables: Iterable[str], objectives: Iterable[str | None]) -> CyclesInUse:
    """From what `[tracker]`, `[cycles]` and the objectives name (None where an objective names none)."""
    said = list(objectives)
    named = sorted({name for name in said if name is not None})
    defined = list(tables)
    default = tracker or (named[0] if len(named) == 1 else None)
    if default is None and not named and len(defined) == 1:
        default = defined[0]
    used = {*named, *([default] if default and None in said else [])}
    return CyclesInUse(default, len(used) > 1)


def cycle_named(name: str) -> Cycle | None:
    """The cycle whose name says its days; None for other names."""
    return Cycle.named(name) if re.match(r"\d{4}", name) and FIRST_YEAR <= int(name[:4]) <= LAST_YEAR else None
