"""Signs: how a status looks, bars of progress, trends as blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..krs.judgement import Status
from .numbers import count
from .progress_report import DayValue, ProgressReport


class Look(NamedTuple):
    """How a status is told: never by colour alone."""

    symbol: str
    words: str
    colour: str


LOOKS: dict[Status, Look] = {
    Status.MISSED: Look("✖", "missed", "red"),
    Status.OFF_TRACK: Look("✖", "off track", "red"),
    Status.HELD_BACK: Look("▲", "held back", "yellow"),
    Status.AT_RISK: Look("▲", "at risk", "yellow"),
    Status.ON_TRACK: Look("●", "on track", "green"),
    Status.LANDED: Look("✔", "landed", "bold green"),
    Status.MET: Look("✔", "met", "bold green"),
    Status.UNKNOWN: Look("?", "unknown", "magenta"),
    Status.NOT_MEASURED: Look("?", "not measured", "magenta"),
    Status.NOT_STARTED: Look("○", "not started", "dim"),
    Status.DRAFT: Look("~", "draft", "dim"),
    Status.WITHDRAWN: Look("–", "withdrawn", "dim"),
}
"""In the order in which they are counted: what needs attention first, what says nothing last."""

ASKS: dict[str, Look] = {
    "decide": Look("✖", "decide", "red"),
    "talk": Look("▲", "talk", "yellow"),
    "blind": Look("?", "blind", "magenta"),
}
"""What a report asks of people, in the order in which it is shown."""

_BLOCKS = "▁▂▃▄▅▆▇█"
_NO_VALUE = "·"


def tally(report: ProgressReport) -> str:
    """`1 off track, 2 at risk, 3 on track`: the key results by status."""
    found = Counter(kr.judgement.status for o in report.objectives for kr in o.key_results)
    return ", ".join(f"{count(found[status])} {look.words}" for status, look in LOOKS.items() if found[status])


def trend(series: Sequence[DayValue], width: int = 24) -> str:
    """The daily values as blocks, newest last; a dot where there was no value."""
    shown = list(_last_of_each(series, width))
    known = [v for v in shown if v is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    return "".join(_NO_VALUE if v is None else _block(v, low, high) for v in shown)


def _last_of_each(series: Sequence[DayValue], width: int) -> Iterator[float | None]:
    """At most `width` values: the newest of each of as many equal stretches."""
    size = len(series)
    parts = min(width, size)
    for n in range(parts):
        stretch = series[size * n // parts : size * (n + 1) // parts]
        yield next((d.value for d in reversed(stretch) if d.value is not None), None)


def _block(value: float, low: float, high: float) -> str:
    if low == high:
        return _BLOCKS[3]
    return _BLOCKS[round((value - low) / (high - low) * (len(_BLOCKS) - 1))]


def bar(fraction: float | None, width: int = 12) -> str:
    """A progress bar; it is full only at 1."""
    filled = 0 if fraction is None else int(min(1.0, max(0.0, fraction)) * width)
    return "█" * filled + "░" * (width - filled)
