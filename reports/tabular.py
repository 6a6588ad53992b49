"""Rows for other tools: CSV with a heading, or JSON Lines. Numbers, times and units as docs/json.md has them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from ..metrics.facts import StatusChange
from .escaping import clean, screen_safe_json
from .machine import reading_object
from .machine_telling import time
from .values import MetricSeries

Form = Literal["csv", "jsonl"]
Record = Mapping[str, Any]


def lines(records: Iterable[Record], form: Form, timezone: str, heading: Sequence[str]) -> Iterator[str]:
    """The records as text, line by line; `heading` are the keys of all of them, in their order."""
    zone = ZoneInfo(timezone)
    plain = ({name: _plain(value, zone) for name, value in record.items()} for record in records)
    return _csv(plain, heading) if form == "csv" else map(_json, plain)


READING_HEADING = (
    "metric", "at", "day", "value", "unit", "n", "numerator", "denominator", "health", "covered", "notes",
    "low", "high", "window_start", "window_end",
)  # fmt: skip
"""What `flat` gives."""


def readings(series: MetricSeries) -> Iterator[Record]:
    """A row for each reading."""
    zone = ZoneInfo(series.timezone)
    for reading in series.readings:
        yield {"metric": series.metric, **reading_object(reading, zone)}


def flat(records: Iterable[Record]) -> Iterator[Record]:
    """Readings with `interval` and `window` in columns of their own, for tables."""
    for record in records:
        low, high = record["interval"] or (None, None)
        window = record["window"]
        rest = {name: value for name, value in record.items() if name not in ("interval", "window")}
        yield {**rest, "low": low, "high": high, "window_start": window["start"], "window_end": window["end"]}


def _plain(value: Any, zone: ZoneInfo) -> object:  # noqa: ANN401 (whatever a fact may hold)
    match value:
        case datetime():
            return time(value, zone)
        case StatusChange():
            return [value.state, time(value.at, zone)]
        case tuple() | list():
            return [_plain(one, zone) for one in value]
        case _:
            return value


def _json(record: Record) -> str:
    return screen_safe_json(json.dumps(record, ensure_ascii=False, allow_nan=False)) + "\n"


def _csv(records: Iterable[Record], heading: Sequence[str]) -> Iterator[str]:
    yield _row(heading)
    for record in records:
        yield _row([_cell(value) for value in record.values()])


def _row(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


_CELLS: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda value: "",
    str: clean,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: repr,
}


def _cell(value: object) -> str:
    told = _CELLS.get(type(value))
    return told(value) if told else screen_safe_json(json.dumps(value, ensure_ascii=False))
