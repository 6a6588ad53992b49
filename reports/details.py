"""All that stands behind a key result, as pairs of label and words: the small table of every report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ..krs.judgement import GuardrailState
from ..metrics.reading import Reading
from . import wording
from .numbers import amount, count, difference
from .progress_report import ReportedKeyResult

Row = tuple[str, str]


def details(kr: ReportedKeyResult, timezone: str) -> list[Row]:
    """In the order they are read; a label may come more than once, and rows with nothing to say are left out."""
    judged = kr.judgement
    rows = [
        ("Measures", f"{judged.metric}: {kr.definition}"),
        ("Reading", _reading(kr, timezone)),
        ("With all", _with_all(kr)),
        ("Baseline", _baseline(kr, timezone)),
        ("Target", _target(kr)),
        ("Progress", wording.pace(kr)),
        ("Kept", wording.kept_days(judged.kept) if judged.kept else ""),
        ("Decides on", wording.window(judged.decides_on, timezone, near=date.min) if judged.decides_on else ""),
        *(("Guardrail", _guardrail(state)) for state in judged.guardrails),
        *(("Flag", f"{flag.code}: {flag.words}") for flag in wording.flags(kr)),
        ("Data", _data(kr)),
        *(("Revised", f"{r.on}: {r.changes} ({r.reason})") for r in kr.revisions),
        *(("Initiative", initiative) for initiative in kr.initiatives),
        ("Trend", _trend(kr)),
    ]
    return [(label, words) for label, words in rows if words]


def guardrails(kr: ReportedKeyResult) -> Iterator[str]:
    """The guardrails that don't hold, or can't be seen, in words."""
    for state in kr.judgement.guardrails:
        if state.holds is not True:
            yield _guardrail(state)


def _guardrail(state: GuardrailState) -> str:
    """`rollback-rate broken by one; 6.1%, limit at most 5%, 1.1 pp beyond`."""
    said = [f"limit {state.limit}"]
    if state.value is not None:
        said.insert(0, amount(state.value, state.unit))
    if state.excess:
        said.append(f"{difference(state.excess, state.unit)} beyond")
    return f"{state.metric} {state.words}; {', '.join(said)}"


def _reading(kr: ReportedKeyResult, timezone: str) -> str:
    reading = kr.judgement.reading
    if reading is None:
        return "none"
    said = [wording.value_now(kr), *evidence(reading)]
    return f"{', '.join(said)}; window {wording.window(reading.window, timezone, near=date.min)}"


def _with_all(kr: ReportedKeyResult) -> str:
    if kr.with_excluded is None:
        return ""
    return f"{amount(kr.with_excluded, kr.unit)}, the facts counted that the config leaves out"


def evidence(reading: Reading) -> Iterator[str]:
    """The counts a value rests on, and how sure they make it."""
    if reading.numerator is not None and reading.denominator is not None:
        yield f"{count(reading.numerator)} of {count(reading.denominator)}"
    elif reading.n:
        yield f"n {count(reading.n)}"
    if reading.interval is not None:
        low, high = reading.interval
        yield f"80% interval {amount(low, reading.unit)} to {amount(high, reading.unit)}"


def _baseline(kr: ReportedKeyResult, timezone: str) -> str:
    start = kr.judgement.baseline
    if start is None:
        return ""
    origin = f"measured at {wording.instant(start.at, timezone)}" if start.measured else "stated"
    return f"{wording.baseline(start, kr.unit)}, {origin}"


def _target(kr: ReportedKeyResult) -> str:
    shown = wording.target(kr.target, kr.unit)
    resolved = kr.target.kind == "change" and kr.target.value is not None
    said = [f"{shown} ({kr.target.text})" if resolved else shown]
    said.append(f"by {kr.judgement.deadline}")
    if kr.first_target is not None:
        said.append(f"began with {wording.target(kr.first_target, kr.unit)}")
    return ", ".join(said)


def _data(kr: ReportedKeyResult) -> str:
    reading = kr.judgement.reading
    said = [wording.blindness(kr)]
    if reading is not None:
        said[0] = said[0] or wording.HEALTH_WORDS[reading.health]
        said += [f"covered {amount(reading.covered, 'ratio', beside=1.0)}", *reading.notes]
    return "; ".join(said)


def _trend(kr: ReportedKeyResult) -> str:
    values = [d.value for d in kr.series if d.value is not None]
    if not values:
        return ""
    low, high = amount(min(values), kr.unit), amount(max(values), kr.unit)
    spread = low if low == high else f"{low} to {high}"
    return f"{wording.trend(kr.series)} {spread} since {kr.start}"
