"""What commands show besides the progress report: plain values that jobs fill and renderers print."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from ..krs.checkin import CheckIn
from ..metrics.ranges import TimeRange
from ..metrics.reading import FactNote, Health, Reading
from ..metrics.stream import Json
from ..metrics.window import Window
from .numbers import Period
from .progress_report import ProgressReport

Outcome = Literal["ok", "retry", "busy", "refused", "unauthorized", "failed"]
"""How a stream's collection ended: `retry` the source asked to wait, `busy` another process has the
stream, `refused` the source rejects what the config asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSeries:
    """One reading per day, oldest first. `definition` is the metric in words, `counted` what `n` counts, `per` the
    period in which its key results show a rate (None: whichever reads best)."""

    metric: str
    unit: str
    definition: str
    counted: str = ""
    per: Period | None = None
    timezone: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A reading and every fact it looked at, those left out included. `name` is as it was asked for.

    `counted` is what the reading's `n` counts, `per` the period in which the key results it is asked for show a rate
    (None: whichever reads best).
    """

    name: str
    definition: str
    counted: str = ""
    per: Period | None = None
    timezone: str
    window: Window
    reading: Reading
    facts: tuple[FactNote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInHistory:
    """All that was said of a key result, oldest first."""

    key_result: str
    title: str
    check_ins: tuple[CheckIn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCheckIn:
    """A key result that awaits a check-in: `rounds` times somebody was asked, `since` the first of them.

    `last` is the newest check-in of all, None where there is none yet.
    """

    key_result: str
    title: str
    owners: tuple[str, ...]
    since: datetime
    rounds: int
    last: CheckIn | None


@dataclass(frozen=True, slots=True)
class Learned:
    """What people learned in a cycle, of one of its key results or of the whole (None)."""

    key_result: str | None
    text: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClosingStep:
    """That a cycle was closed or reopened, by whom, and the reason of a reopening."""

    action: Literal["closed", "reopened"]
    at: datetime
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingPreview:
    """A cycle with the grades that closing it would freeze, or has frozen.

    `hindrances` are what is in the way, in words; `history` is what was done before, oldest first.
    """

    report: ProgressReport
    hindrances: tuple[str, ...] = ()
    history: tuple[ClosingStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SoonLost:
    """Time that is not collected, and that the source begins to forget on the local day `on`; `command` saves it."""

    start: datetime
    end: datetime
    on: date
    command: str


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
    query: Json = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    health: Health
    covered: tuple[TimeRange, ...] = ()
    newest_fact: datetime | None = None
    last_run: datetime | None = None
    last_error: str | None = None
    requests: int = 0
    next_run: datetime | None = None
    problems: tuple[str, ...] = ()
    soon_lost: SoonLost | None = None


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
    query: Json = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    outcome: Outcome
    error: str | None = None
    added: int = 0
    changed: int = 0
    removed: int = 0
    requests: int = 0
    retry_at: datetime | None = None
    problems: tuple[str, ...] = ()
    soon_lost: SoonLost | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionResult:
    """`failed` where a source could not be collected."""

    runs: tuple[StreamRun, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStream:
    """What collecting one stream would ask for, back to `start`; `requests` is None where the source can't tell.

    `at_least`: more where something new is found, or can't be counted beforehand.
    """

    source: str
    stream: str
    kind: str
    subject: str
    metrics: tuple[str, ...]
    start: datetime
    query: Json = field(default_factory=dict)
    requests: int | None = None
    at_least: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedQuota:
    """Requests that a source counts together: how many are `needed`, and how many may be made until `reset`.

    `allowed` is without what is reserved for others, and None where the source counts nothing, or has not said yet.
    """

    resource: str
    needed: int
    allowed: int | None = None
    reset: datetime | None = None

    @property
    def fits(self) -> bool:
        return self.allowed is None or self.needed <= self.allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSource:
    """`seconds` is how long it will take at the source's pace, the waits for new quotas not included.

    `spent` requests told all this. `compares`: a metric has commits of deployments compared, which is part of the
    plan only for deployments that are stored.
    """

    source: str
    streams: tuple[PlannedStream, ...] = ()
    quotas: tuple[PlannedQuota, ...] = ()
    compares: bool = False
    seconds: float | None = None
    spent: int = 0
    error: str | None = None

    @property
    def requests(self) -> int:
        return sum(stream.requests or 0 for stream in self.streams)

    @property
    def fits(self) -> bool:
        """Whether no quota runs out on the way."""
        return all(quota.fits for quota in self.quotas)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionPlan:
    sources: tuple[PlannedSource, ...] = ()

    @property
    def failed(self) -> bool:
        return any(source.error for source in self.sources)
