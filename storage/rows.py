"""What the store gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from ..krs.judgement import Baseline
from ..metrics.ranges import TimeRanges
from ..metrics.stream import Json, Stream

Outcome = Literal["ok", "failed", "unauthorized", "retry", "config"]
ClosingAction = Literal["closed", "reopened", "learned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What writing a batch changed in the store.

    `touched_from` is the earliest instant at which a fact (as it was or as it is now) or covered
    time changed; None where nothing did.
    """

    added: int
    changed: int
    removed: int
    touched_from: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One attempt to collect. `outcome` and `finished_at` are None while it runs.

    Where its process died it has no outcome either; `finished_at` is then when the next one began.
    """

    id: int
    source: str
    stream: str | None
    started_at: datetime
    finished_at: datetime | None
    outcome: Outcome | None
    error: str | None
    requests: int
    added: int
    changed: int
    removed: int
    retry_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """How far a stream reaches.

    `revision` grows by one with each write that really changed facts, coverage or horizon;
    `changed_at` is the time of the newest of these. `last_run` is the newest finished one.
    """

    stream: Stream
    cursor: Json | None
    coverage: TimeRanges
    horizon: datetime | None
    revision: int
    changed_at: datetime | None
    open_keys: tuple[str, ...]
    newest_fact: datetime | None
    facts: int
    problems: tuple[str, ...]
    last_run: RunRecord | None
    last_success: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBaseline:
    """A baseline; `at` is when it was stored. The facts it rests on are many, and asked for by themselves."""

    metric_digest: str
    baseline: Baseline
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDefinition:
    """A key result as the config defined it from `first_seen` to `last_seen`; `earlier` ones oldest first."""

    snapshot: Mapping[str, object]
    first_seen: datetime
    last_seen: datetime
    earlier: tuple[StoredDefinition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvaluation:
    """What was first said of a cycle at `at`, and still at `confirmed_at`, which `content` (JSON text) is of."""

    at: datetime
    confirmed_at: datetime
    cycle: str
    day: date
    config_digest: str
    ground: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredClosing:
    """What was done to a cycle, by whom. `content` is JSON text: the frozen report, the reason, or what was learned."""

    cycle: str
    at: datetime
    by: str
    action: ClosingAction
    content: str
