"""Readings and the notes on their facts as rows, which are also their JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from ..metrics.reading import FactNote, Health, Reading
from ..metrics.table import from_microseconds, microseconds
from ..metrics.window import Window
from .columns import to_json, to_number, to_text


def reading_row(reading: Reading) -> dict[str, Any]:
    low, high = reading.interval or (None, None)
    return {
        "at": microseconds(reading.at),
        "day": reading.day.isoformat(),
        "value": _number(reading.value),
        "unit": to_text(reading.unit),
        "low": _number(low),
        "high": _number(high),
        "n": reading.n,
        "numerator": _number(reading.numerator),
        "denominator": _number(reading.denominator),
        "health": reading.health.value,
        "covered": reading.covered,
        "window_start": microseconds(reading.window.start),
        "window_end": microseconds(reading.window.end),
        "notes": to_json(reading.notes),
    }


def reading_of(row: Mapping[str, Any]) -> Reading:
    return Reading(
        at=from_microseconds(row["at"]),
        day=date.fromisoformat(row["day"]),
        value=row["value"],
        unit=row["unit"],
        interval=None if row["low"] is None else (row["low"], row["high"]),
        n=row["n"],
        numerator=row["numerator"],
        denominator=row["denominator"],
        health=Health(row["health"]),
        covered=row["covered"],
        window=Window(from_microseconds(row["window_start"]), from_microseconds(row["window_end"])),
        notes=() if row["notes"] == "[]" else tuple(json.loads(row["notes"])),
    )


def note_row(note: FactNote) -> dict[str, Any]:
    return {
        "key": note.key,
        "at": microseconds(note.at),
        "subject": note.subject,
        "counted": note.counted,
        "role": note.role,
        "why": note.why,
        "url": note.url,
    }


def note_of(row: Mapping[str, Any]) -> FactNote:
    return FactNote(**{**row, "at": from_microseconds(row["at"])})


def _number(number: float | None) -> float | None:
    return None if number is None else to_number(number)
