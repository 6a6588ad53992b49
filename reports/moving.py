"""Words for what moved a value: services, changes, days; never people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ..metrics.movers import Mover
from .numbers import amount, count, many

_WEIGHTY = 0.25
"""The share of the strongest one's pull from which on another group is worth naming."""

_EVEN = 0.8
"""The share of the strongest one's pull from which on two more count as strong as it."""

MOST = 3


def weighty(groups: list[Mover]) -> list[Mover]:
    """The strongest, and the next one where it is not far behind."""
    return [one for one in groups[:2] if abs(one.pull) >= _WEIGHTY * abs(groups[0].pull)]


def is_even(groups: list[Mover]) -> bool:
    """Whether so many services did about as much that naming two of them would be unfair."""
    alike = [one for one in groups if (one.part, one.came) == (groups[0].part, groups[0].came)]
    return len(alike) > 2 and abs(alike[2].pull) >= _EVEN * abs(alike[0].pull)


def group(mover: Mover, plural: str, unit: str, at: float | None) -> str:
    """`ledger: 3 of 5 rolled-back deployments`, `12 runs at 4.1 min came in`, `… left the window`.

    `at` is the value of these facts alone, for those that have one.
    """
    n = many(mover.n, plural) if mover.n == mover.of else f"{count(mover.n)} of {many(mover.of, plural)}"
    values = f" at {amount(at, unit)}" if at is not None else ""
    verb = " left the window" if not mover.came else "" if mover.whose else " came in"
    return f"{mover.whose}: {n}{values}{verb}" if mover.whose else f"{n}{values}{verb}"


def days(came: tuple[int, float | None], left: tuple[int, float | None], plural: str, unit: str) -> Iterator[str]:
    """`7 days at 301 ms came in`, `7 days at 580 ms left the window`: how many, and their value alone."""
    for (n, value), verb in ((came, "came in"), (left, "left the window")):
        if n and value is not None:
            yield f"{many(n, plural)} at {amount(value, unit)} {verb}"


def day(on: date, value: float | None, unit: str, *, came: bool) -> str:
    """`above all 2026-11-20, at 512 ms`; dates as in all sentences of ours, to be read as `Dates.in_text` has them."""
    return f"above all {on}, at {amount(value, unit)}{'' if came else ', which left the window'}"


def titled(key: str, title: str) -> str:
    """`#123 Cache the price list`; the number only where the key is one."""
    return f"#{key} {title}" if key.isdecimal() else title
