"""Where something begins or ends to hold, found by halving."""

from __future__ import annotations

from collections.abc import Callable

MOST = 20_000
"""Numbers beyond which nobody wants to know the border."""

_HALVINGS = 50


def border(holds: Callable[[int], bool], *, rising: bool, most: int = MOST) -> int | None:
    """The smallest number (`rising`) that holds, or the largest; all beyond it hold too, or all before it.

    None where none up to `most` does.
    """

    def is_beyond(n: int) -> bool:
        return holds(n) is rising

    if is_beyond(0):
        return 0 if rising else None
    low, high = 0, 1
    while high < most and not is_beyond(high):
        low, high = high, high * 2
    high = min(high, most)
    if low >= most or not is_beyond(high):
        return None if rising else most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_beyond(middle) else (middle, high)
    return high if rising else low


def halved(holds: Callable[[float], bool], good: float, bad: float) -> float:
    """The last value on the way from `good`, which holds, to `bad`, which does not, that still holds."""
    for _ in range(_HALVINGS):
        middle = (good + bad) / 2
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good
