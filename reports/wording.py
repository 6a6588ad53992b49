"""What renderers say in words and signs, the same in each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ..krs.judgement import Baseline, Flag, KeptDays, Status
from ..krs.model import Comparison
from ..metrics.calendar import Calendar
from ..metrics.reading import Health
from ..metrics.window import Window
from .numbers import MISSING, amount, count, percent, times
from .progress_report import DayValue, ReportedKeyResult, ReportedObjective, TargetTerms


class Look(NamedTuple):
    """How a status is told: never by colour alone."""

    symbol: str
    words: str
    colour: str


LOOKS: dict[Status, Look] = {
    Status.WITHDRAWN: Look("–", "withdrawn", "dim"),
    Status.DRAFT: Look("~", "draft", "dim"),
    Status.NOT_STARTED: Look("○", "not started", "dim"),
    Status.UNKNOWN: Look("?", "unknown", "magenta"),
    Status.ON_TRACK: Look("●", "on track", "green"),
    Status.AT_RISK: Look("▲", "at risk", "yellow"),
    Status.OFF_TRACK: Look("✖", "off track", "red"),
    Status.MET: Look("✔", "met", "bold green"),
    Status.LANDED: Look("✔", "landed", "bold green"),
    Status.HELD_BACK: Look("▲", "held back", "yellow"),
    Status.MISSED: Look("✖", "missed", "red"),
    Status.NOT_MEASURED: Look("?", "not measured", "magenta"),
}

HEALTH_WORDS: dict[Health, str] = {
    Health.UNAUTHORIZED: "the source refuses the credential",
    Health.FAILED: "the source fails",
    Health.NO_DATA: "no data",
    Health.STALE: "the data is too old",
    Health.TOO_FEW: "too few facts to say",
    Health.PARTIAL: "parts of the window are missing",
    Health.OK: "ok",
}

_NOT_DUE = frozenset({Status.NOT_STARTED, Status.WITHDRAWN})
_SEEN = frozenset({Health.OK, Health.PARTIAL})
_SIGNS: dict[Comparison, str] = {"at_most": "≤", "below": "<", "at_least": "≥", "above": ">"}
_BLOCKS = "▁▂▃▄▅▆▇█"
_NO_VALUE = "·"


def day(on: date, near: date) -> str:
    """`4 Dec`, with the year where it is not that of `near`."""
    return f"{on.day} {on:%b}" if on.year == near.year else f"{on.day} {on:%b %Y}"


def days(first: date, last: date, near: date) -> str:
    """`4–31 Dec`, `28 Nov – 4 Dec`; both included."""
    if first == last:
        return day(last, near)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last, near)}"
    return f"{day(first, near)} – {day(last, near)}"


def window(of: Window, timezone: str, near: date) -> str:
    """The local days a window holds or cuts."""
    calendar = Calendar(timezone)
    return days(calendar.day_of(of.start), calendar.day_closed_by(of.end), near)


def instant(at: datetime | None, timezone: str) -> str:
    """Local time to the minute; `never` for None."""
    return "never" if at is None else f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"


def target(terms: TargetTerms, unit: str) -> str:
    """`≤ 450 ms on 95% of days`; the text of the config where nothing is resolved yet."""
    if terms.between is not None:
        low, high = terms.between
        limit = f"{amount(low, unit)} to {amount(high, unit)}"
    elif terms.value is None:
        return terms.text
    else:
        limit = amount(terms.value, unit)
    if terms.comparison is not None:
        limit = f"{_SIGNS[terms.comparison]} {limit}"
    return limit if terms.share is None else f"{limit} on {amount(terms.share, 'ratio')} of days"


def value_now(kr: ReportedKeyResult) -> str:
    """The reading's value, told apart from the target it is held against."""
    reading = kr.judgement.reading
    return MISSING if reading is None else amount(reading.value, kr.unit, beside=kr.target.value)


def baseline(start: Baseline | None, unit: str) -> str:
    if start is None:
        return MISSING
    return amount(start.value, unit) + (" (provisional)" if start.provisional else "")


def way(kr: ReportedKeyResult) -> str:
    """`450 ms → 402 ms → ≤ 315 ms`: baseline, now, target."""
    steps = [value_now(kr), target(kr.target, kr.unit)]
    if kr.judgement.baseline is not None:
        steps.insert(0, baseline(kr.judgement.baseline, kr.unit))
    return " → ".join(steps)


def pace(kr: ReportedKeyResult) -> str:
    """`62%, expected 55%, needs 1.2× the planned pace`."""
    judged = kr.judgement
    said = [] if judged.progress is None else [percent(judged.progress)]
    if judged.expected is not None:
        said.append(f"expected {percent(judged.expected)}")
    if judged.needed_pace is not None and judged.progress != 1.0:
        said.append(f"needs {times(judged.needed_pace)} the planned pace")
    return ", ".join(said)


def sample_size(kr: ReportedKeyResult) -> str:
    reading = kr.judgement.reading
    return f"n {count(reading.n)}" if reading is not None and reading.n else ""


def kept_days(kept: KeptDays) -> str:
    return (
        f"{count(kept.bad)} bad days of {count(kept.budget)} allowed; "
        f"{count(kept.measured)} of {count(kept.days)} days measured"
    )


def blindness(kr: ReportedKeyResult) -> str:
    """Why there is no usable value and what the last one was; empty where there is one, or none is due."""
    reading = kr.judgement.reading
    if kr.judgement.status in _NOT_DUE or (reading is not None and reading.health in _SEEN):
        return ""
    health = Health.NO_DATA if reading is None else reading.health
    last = next((d for d in reversed(kr.series) if d.value is not None and d.health is Health.OK), None)
    if last is None:
        return f"{HEALTH_WORDS[health]}; never measured since {day(kr.start, kr.judgement.deadline)}"
    when = day(last.day, kr.judgement.deadline)
    if health is Health.NO_DATA:
        return f"no data since {when} ({amount(last.value, kr.unit)} then)"
    return f"{HEALTH_WORDS[health]}; last usable value {amount(last.value, kr.unit)} on {when}"


def flags(kr: ReportedKeyResult) -> Iterator[Flag]:
    """Those that nothing else tells: broken and unseen guardrails have their own words."""
    return (f for f in kr.judgement.flags if f.code != "guardrail")


def measured(objective: ReportedObjective) -> str:
    judged = objective.judgement
    return f"{judged.measured} of {judged.total} measured"


def people(*names: str | None) -> str:
    """Owner and teams, each once."""
    return ", ".join(dict.fromkeys(n for n in names if n))


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
