"""What commands show besides the progress report: plain values that jobs fill and renderers print."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..metrics.ranges import TimeRange
from ..metrics.reading import FactNote, Health, Reading
from ..metrics.window import Window

Outcome = Literal["ok", "retry", "busy", "refused", "unauthorized", "failed"]
"""How a stream's collection ended: `retry` the source asked to wait, `busy` another process has the
stream, `refused` the source rejects what the config asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSeries:
    """One reading per day, oldest first. `definition` is the metric in words, `counted` what `n` counts."""

    metric: str
    unit: str
    definition: str
    counted: str = ""
    timezone: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A reading and every fact it looked at, those left out included. `name` is as it was asked for.

    `counted` is what the reading's `n` counts.
    """

    name: str
    definition: str
    counted: str = ""
    timezone: str
    window: Window
    reading: Reading
    facts: tuple[FactNote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """One stream of a source, and how far it can be trusted.

    `type` is the collector's word, `stream` the stream's id (None for a source that could not yet
    say which streams it has), `subject` whose facts they are and `metrics` those that rest on them.
    `requests` is what the last run spent, `problems` what of it could not be read.
    """

    source: str
    type: str
    stream: str | None
    kind: str = ""
    subject: str = ""
    metrics: tuple[str, ...] = ()
    health: Health
    covered: tuple[TimeRange, ...] = ()
    newest_fact: datetime | None = None
    last_run: datetime | None = None
    last_error: str | None = None
    requests: int = 0
    next_run: datetime | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRun:
    """What one collection of one stream did. Counts are facts; `error` is in words, without secrets.

    `problems` name what could not be read, each with its place; they stopped nothing else.

    `stream`, `kind` and `subject` are empty where a source failed before any stream was known.
    """

    source: str
    stream: str
    kind: str = ""
    subject: str = ""
    metrics: tuple[str, ...] = ()
    outcome: Outcome
    error: str | None = None
    added: int = 0
    changed: int = 0
    removed: int = 0
    requests: int = 0
    retry_at: datetime | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionResult:
    """`failed` where a source could not be collected."""

    runs: tuple[StreamRun, ...] = ()
    failed: bool = False
