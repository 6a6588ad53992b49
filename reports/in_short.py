"""A key result in a few words, as every overview has them."""

from __future__ import annotations

from collections.abc import Iterator

from ..krs.model import Kind
from . import grade_words, wording
from .dates import Dates
from .looks import trend
from .progress_report import ReportedKeyResult

_TREND_WIDTH = 12


def summary(kr: ReportedKeyResult, kind: Kind, dates: Dates) -> list[str]:
    """Its way and its pace; of days to be kept, the newest one."""
    said = (wording.way(kr), wording.pace(kr, kind), wording.newest_day(kr, dates))
    return [words for words in said if words]


def numbers(kr: ReportedKeyResult, kind: Kind, dates: Dates) -> list[str]:
    """As `summary`, with what the reading rests on and the forecast."""
    return [*summary(kr, kind, dates), *(words for words in (rests_on(kr), wording.forecast(kr, dates)) if words)]


def rests_on(kr: ReportedKeyResult) -> str:
    """What the reading counts, and how sure that makes it where it matters; of days to be kept, nothing."""
    if kr.judgement.reading is None or kr.judgement.kept is not None:
        return ""
    said = (wording.rests_on(kr.judgement.reading, kr.counted), wording.by_luck(kr))
    return ", ".join(words for words in said if words)


def small_trend(kr: ReportedKeyResult) -> str:
    return trend(kr.comparable, _TREND_WIDTH)


def remarks(kr: ReportedKeyResult, dates: Dates) -> Iterator[str]:
    """Sentences on what the numbers don't say; a warning begins with "!"."""
    grade = grade_words.of_key_result(kr)
    if grade:
        yield f"Grade {grade}"
    for words in (wording.was(kr, dates), wording.reason(kr, dates), wording.blindness(kr, dates)):
        if words:
            yield words[0].upper() + words[1:]
    for flag in wording.flags(kr):
        yield f"! {flag.code}: {dates.in_text(flag.words)}"
    for words in wording.revisions(kr, dates, flagged_only=True):
        yield f"! {words}"
    for words in wording.guardrails(kr, holding=False):
        yield f"! guardrail {words}"
    said = wording.last_check_in(kr, dates)
    if said:
        yield said[0].upper() + said[1:]
