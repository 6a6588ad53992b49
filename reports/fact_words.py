"""What reports say of single facts, the same in each of them."""

from __future__ import annotations

from ..metrics.reading import FactNote
from ..metrics.samples import EMPTY, SAMPLE
from .dates import Dates
from .escaping import is_address

SAMPLES = frozenset({SAMPLE, EMPTY})


def fact(note: FactNote, dates: Dates) -> str:
    """`19 Nov 09:33 forward: a new version (acme/catalog/d-1474)`, and its address where it has one."""
    said = f"{when(note, dates)} {note.role}: {why(note, dates)} ({which(note)})"
    return f"{said} {note.url}" if note.url and is_address(note.url) else said


def when(note: FactNote, dates: Dates) -> str:
    """A sample of a whole day has the day for its time."""
    day = dates.day_begun_at(note.at)
    return dates.day(day) if note.role in SAMPLES and day is not None else dates.instant(note.at)


def why(note: FactNote, dates: Dates) -> str:
    """`other environment` is not followed by the word once more."""
    return dates.in_text(note.why.removeprefix(note.role.removeprefix("other ") + " "))


def which(note: FactNote) -> str:
    """A key that names its subject says both; that of a sample is its time again, or a digest."""
    if note.role in SAMPLES:
        return note.subject
    return note.key if note.subject in note.key else f"{note.subject} {note.key}"
