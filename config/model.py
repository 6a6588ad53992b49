"""The config, checked: what every job works from. Shares are fractions, days local and included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..krs.cycle import Cycle
from ..krs.model import KeyResult, Objective, Pace
from ..krs.rhythm import Rhythm
from ..metrics.calendar import Calendar
from ..metrics.definition import MetricDefinition
from ..metrics.service import Service

if TYPE_CHECKING:
    from ..collectors.contract import SourceOptions
    from ..collectors.secrets import SecretRef

Occasion = Literal["report", "status", "blind", "checkin"]
Format = Literal["terminal", "markdown", "html", "json"]


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """A SQLAlchemy URL without a password; paths of SQLite files are absolute."""

    url: str
    password: SecretRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """One `[sources.NAME]`. At most one of `every`, `at`, `cron` is set; `schedule` is the cron line of those two.

    `longest_gap` is the longest time between two collections, `reserve` the share of the
    credential's requests kept for others. `options` holds references to secrets, never a secret.
    """

    name: str
    type: str
    options: SourceOptions
    every: timedelta | None = None
    at: str | None = None
    cron: str | None = None
    schedule: str | None = None
    longest_gap: timedelta
    since: date | None = None
    reserve: float = 0.0
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Team:
    name: str
    people: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """One `[reports.NAME]`: written when the cron line `schedule` says, in the tracker's zone."""

    name: str
    schedule: str
    formats: tuple[Format, ...]
    directory: Path
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotifyChannel:
    name: str
    url: SecretRef
    tell: tuple[Occasion, ...]


@dataclass(frozen=True, slots=True)
class BackupSettings:
    every: timedelta
    directory: Path
    keep: int


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """`listen` is `host:port`; None where nothing is said.

    `keep_said` is how long all that was said is kept; of days longer ago, only what was said last on each.
    """

    listen: str | None = None
    backup: BackupSettings | None = None
    keep_runs: timedelta | None = None
    keep_said: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Config:
    """`digest` is the SHA-256 of the file's bytes. `cycle` is shown when no other is named; `cycles` are all in use."""

    path: Path
    digest: str
    calendar: Calendar
    store: StoreAddress
    cycle: Cycle | None
    cycles: Mapping[str, Cycle]
    pace: Pace
    forecast: bool
    sources: Mapping[str, SourceConfig]
    metrics: Mapping[str, MetricDefinition]
    objectives: tuple[Objective, ...]
    teams: Mapping[str, Team] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    reports: Mapping[str, ReportSettings] = field(default_factory=dict)
    checkins: Rhythm | None = None
    notify: Mapping[str, NotifyChannel] = field(default_factory=dict)
    daemon: DaemonSettings = field(default_factory=DaemonSettings)

    @cached_property
    def users(self) -> Mapping[str, tuple[KeyResult, ...]]:
        """The key results that were, are or will be judged by each metric, in any cycle; unused metrics are absent."""
        found: dict[str, list[KeyResult]] = {}
        for objective in self.objectives:
            for kr in objective.key_results:
                for name in kr.metrics:
                    found.setdefault(name, []).append(kr)
        return {name: tuple(krs) for name, krs in found.items()}
