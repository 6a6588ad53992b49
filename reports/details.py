"""All that stands behind a key result, as pairs of label and words: the small table of every report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..krs.judgement import Baseline
from ..metrics.reading import FactNote, Health
from . import grade_words, wording
from .dates import Dates
from .fact_words import fact
from .looks import trend
from .numbers import amount, count, many
from .progress_report import ReportedKeyResult

_MOST_FACTS = 3


class Row(NamedTuple):
    """`alarming` where something is broken that must hold. Without a label it belongs to the row above."""

    label: str
    words: str
    alarming: bool = False


def details(kr: ReportedKeyResult, dates: Dates) -> list[Row]:
    """In the order they are read; a label may come more than once, and rows with nothing to say are left out."""
    judged = kr.judgement
    rows = [
        Row("Grade", grade_words.of_key_result(kr)),
        Row("Why", wording.reason(kr, dates)),
        Row("Reading", _reading(kr, dates)),
        Row("Measures", dates.in_text(f"{judged.metric}: {kr.definition}")),
        Row("With all", _with_all(kr)),
        Row("Baseline", _baseline(kr, dates)),
        Row("Target", _target(kr, dates)),
        Row("Days", _days(kr)),
        Row("Decides on", dates.window(judged.decides_on) if judged.decides_on else ""),
        Row("Forecast", _forecast(kr, dates)),
        Row("Takes", kr.takes),
        Row("Moved", _moved(kr, dates)),
        *(Row("Guardrail", words, alarming=True) for words in wording.guardrails(kr, holding=False)),
        *(Row("Guardrail", words) for words in wording.guardrails(kr, holding=True)),
        *(Row("Flag", f"{flag.code}: {dates.in_text(flag.words)}") for flag in wording.flags(kr)),
        Row("Data", "; ".join(_data(kr, dates))),
        *(Row("Revised", words) for words in wording.revisions(kr, dates)),
        *(Row("Check-in", words) for words in wording.check_ins(kr, dates)),
        *(Row("Initiative", initiative) for initiative in kr.initiatives),
        Row("Trend", _trend(kr, dates)),
    ]
    return [row for row in rows if row.words]


def behind(kr: ReportedKeyResult, dates: Dates) -> list[Row]:
    """The biggest moves and the newest facts, each with the first few."""
    rows: list[Row] = []
    for move in kr.moves:
        rows += [Row("Big move", wording.moved(kr, move, dates)), *_facts(move.facts, dates)]
    if kr.evidence:
        rows += [Row("Facts", f"all: `keyresults explain {kr.id}`; the newest:"), *_facts(kr.evidence, dates)]
    return rows


def _facts(facts: Sequence[FactNote], dates: Dates) -> list[Row]:
    return [Row("", fact(one, dates)) for one in facts[:_MOST_FACTS]]


def _moved(kr: ReportedKeyResult, dates: Dates) -> str:
    """Nothing where both ends read the same: a rate over a day that goes on changes with every minute."""
    if kr.moved is None or not wording.reads_differently(kr, kr.moved.before, kr.moved.after):
        return ""
    return wording.moved(kr, kr.moved, dates)


def _forecast(kr: ReportedKeyResult, dates: Dates) -> str:
    return wording.forecast(kr, dates) or (f"none: {kr.no_forecast}" if kr.no_forecast else "")


def _reading(kr: ReportedKeyResult, dates: Dates) -> str:
    reading = kr.judgement.reading
    if reading is None or reading.value is None:
        return ""
    said = [wording.value_now(kr), wording.rests_on(reading, kr.counted), wording.certainty(reading)]
    return f"{', '.join(s for s in said if s)}; window {dates.window(reading.window)}"


def _with_all(kr: ReportedKeyResult) -> str:
    if kr.with_excluded is None:
        return ""
    return f"{amount(kr.with_excluded, kr.unit, per=wording.period(kr))}, the facts counted that the config leaves out"


def _baseline(kr: ReportedKeyResult, dates: Dates) -> str:
    start = kr.judgement.baseline
    if start is None or (wording.is_spent(kr) and kr.target.kind != "change"):
        return ""
    return f"{wording.baseline(start, kr.unit, wording.period(kr))}, {_origin(start, dates)}"


def _origin(start: Baseline, dates: Dates) -> str:
    if start.at is None or not start.measured:
        return "stated"
    if start.reading is None:
        return f"measured {dates.instant(start.at)}"
    return f"measured over {dates.window(start.reading.window)}"


def _target(kr: ReportedKeyResult, dates: Dates) -> str:
    shown = wording.target(kr.target, kr.unit, wording.period(kr))
    resolved = kr.target.kind == "change" and kr.target.value is not None
    said = [f"{shown} ({kr.target.text})" if resolved else shown]
    said.append(f"by {dates.day(kr.judgement.deadline)}")
    if kr.first_target is not None:
        said.append(f"began with {wording.target(kr.first_target, kr.unit)}")
    return ", ".join(said)


def _days(kr: ReportedKeyResult) -> str:
    kept = kr.judgement.kept
    if kept is None:
        return ""
    return f"{wording.kept_days(kept)}; {count(kept.measured)} of {many(kept.days, 'days')} measured"


def _data(kr: ReportedKeyResult, dates: Dates) -> Iterator[str]:
    """What is not as it should be, and what else is worth knowing."""
    reading = kr.judgement.reading
    blind = wording.blindness(kr, dates)
    if blind:
        yield blind
    if reading is None:
        return
    if reading.value is not None and reading.covered < 1 and reading.health is not Health.STALE:
        yield f"{amount(reading.covered, 'ratio', beside=1.0)} of the window collected"
    yield from (dates.in_text(note) for note in reading.notes[1 if blind else 0 :])


def _trend(kr: ReportedKeyResult, dates: Dates) -> str:
    values = [d.value for d in kr.comparable if d.value is not None]
    if not values:
        return ""
    low, high = (amount(v, kr.unit, per=wording.period(kr)) for v in (min(values), max(values)))
    spread = low if low == high else f"{low} to {high}"
    return f"{trend(kr.comparable)} {spread} since {dates.day(kr.measured_since or kr.start)}"
