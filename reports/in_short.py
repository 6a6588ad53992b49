"""A key result in a few words, as every overview has them."""

from __future__ import annotations

from collections.abc import Iterator

from ..krs.model import Kind
from . import wording
from .dates import Dates
from .progress_report import ReportedKeyResult


def numbers(kr: ReportedKeyResult, kind: Kind, dates: Dates) -> Iterator[str]:
    """Its way, its pace, what its reading rests on, its forecast; some of them empty."""
    yield wording.way(kr, dates)
    yield wording.pace(kr, kind, dates)
    yield wording.newest_day(kr, dates)
    if kr.judgement.reading is not None and kr.judgement.kept is None:
        said = (wording.rests_on(kr.judgement.reading, kr.counted), wording.by_luck(kr))
        yield ", ".join(s for s in said if s)
    yield wording.forecast(kr, dates)


def remarks(kr: ReportedKeyResult, dates: Dates) -> Iterator[str]:
    """Sentences on what the numbers don't say; a warning begins with "!"."""
    for words in (wording.reason(kr, dates), wording.blindness(kr, dates)):
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
