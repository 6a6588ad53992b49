"""Histories of repositories in a folder, as series to try forecasts on.

For each repository `NAME.commits.csv.gz` (`committed_at_unix,sha,merge,revert`) has the commits of its default branch
by first parent, which are the changes merged, and `NAME.tags.csv.gz` (`created_at_unix,tag,sha`) its tags.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..metrics.calendar import Calendar
from ..metrics.definition import MetricDefinition
from ..metrics.measures import MEASURES
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.table import time_array
from ..metrics.value import Counted
from ..metrics.window import WindowLength
from .backtest import Kind, Series

COMMITS, TAGS = ".commits.csv.gz", ".tags.csv.gz"
SECOND = 1_000_000

MONTH, QUARTER = 28, 91
"""Days of the windows: whole weeks."""


class NoHistories(ValueError):
    """The folder holds none, or one that can't be read."""


@dataclass(frozen=True, slots=True)
class History:
    """One repository: when it was changed, which of these changes were reverts, and when it released (in seconds)."""

    name: str
    changed: Sequence[int]
    reverts: Sequence[bool]
    released: Sequence[int]


def read_histories(folder: Path) -> list[History]:
    """
    Raises:
        NoHistories: where there are none, or one is broken.
    """
    names = sorted(path.name.removesuffix(COMMITS) for path in folder.glob(f"*{COMMITS}"))
    if not names:
        raise NoHistories(f"{folder}: no file is called NAME{COMMITS}")
    return [_history(folder, name) for name in names]


def _history(folder: Path, name: str) -> History:
    commits = sorted(_dated(folder / f"{name}{COMMITS}", "committed_at_unix", "revert"))
    tags = folder / f"{name}{TAGS}"
    released = sorted(at for at, _ in _dated(tags, "created_at_unix")) if tags.exists() else []
    return History(name, [at for at, _ in commits], [mark == "1" for _, mark in commits], released)


def _dated(path: Path, at: str, mark: str | None = None) -> list[tuple[int, str]]:
    """Each row's time in seconds and its mark, where one is asked for."""
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            return [(_seconds(path, rows.line_num, row, at), row[mark] if mark else "") for row in rows]
    except KeyError as missing:
        raise NoHistories(f"{path}: the column {missing} is missing") from missing
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise NoHistories(f"{path}: {error}") from error


def _seconds(path: Path, line: int, row: dict[str, str], column: str) -> int:
    try:
        return int(row[column])
    except (TypeError, ValueError):
        raise NoHistories(f"{path}:{line}: {row[column]!r} is no number of seconds since 1970") from None


def series_of(history: History) -> Iterator[Series]:
    """Its changes, share of reverts, releases, time between releases, and changes that no release had yet."""
    changed, released = history.changed, history.released
    if len(changed) < 2:
        return
    start, end = changed[0], max([changed[-1], *released[-1:]])
    yield _series(history, "merges", "rate", _metric("deployment_frequency", MONTH), changed, start, end)
    reverts = _metric("deployment_rework_rate", QUARTER)
    yield _series(history, "reverts", "rate", reverts, changed, start, end, hit=history.reverts)
    if len(released) < 2:
        return
    start = released[0]
    yield _series(history, "releases", "count", _metric("deployment_count", MONTH), released, start, end)
    between = [float(later - earlier) for earlier, later in pairwise(released)]
    gaps = _metric("change_cycle_time", QUARTER)
    yield _series(history, "gaps", "duration", gaps, released[1:], start, end, value=between)
    at, waiting = _unreleased(changed, released)
    yield _series(history, "unreleased", "level", _metric("test_count", 1), at, start, end, value=waiting)


def _unreleased(changed: Sequence[int], released: Sequence[int]) -> tuple[list[int], list[float]]:
    """How many changes no release had yet, each time that this changed since the first release."""
    events = sorted([(at, 1) for at in changed if at > released[0]] + [(at, 0) for at in released])
    waiting, found = 0.0, []
    for _, more in events:
        waiting = waiting + 1 if more else 0.0
        found.append(waiting)
    return [at for at, _ in events], found


def _metric(measure: str, days: int) -> MetricDefinition:
    """A metric with the formula of a measure, whose facts are stood for by what a history tells."""
    unit = MEASURES[measure].unit
    assert unit is not None
    window = WindowLength(days)
    return MetricDefinition(name=measure, measure=measure, sources={}, unit=unit, window=window, max_age=timedelta.max)


def _series(
    history: History,
    name: str,
    kind: Kind,
    definition: MetricDefinition,
    at: Sequence[int],
    start: int,
    end: int,
    **columns: Sequence[Any],
) -> Series:
    import numpy as np
    import pandas as pd

    calendar = Calendar()
    ledger = pd.DataFrame({"at": time_array([one * SECOND for one in at]), **columns})
    first, last = (calendar.start_of(calendar.day_of(datetime.fromtimestamp(one, UTC))) for one in (start, end))
    return Series(
        subject=history.name,
        name=name,
        kind=kind,
        definition=definition,
        counted=Counted.of(ledger, np.ones(len(ledger), dtype=bool), (history.name,)),
        usable=TimeRanges.of(TimeRange(first, last)),
        calendar=calendar,
    )
