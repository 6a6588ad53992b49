"""Facts that any other system wrote as CSV or JSON Lines."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import ClassVar

from ..metrics.facts import Fact, FactKind
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Batch, Json, Stream
from .contract import ConfigError, Context, FactQuery, ProbeResult, SourceOptions
from .file_cursor import Known
from .file_options import QUERIES, FileOptions
from .file_patterns import Matched, SourceFile, match
from .file_reading import Reading
from .remembered import recall, withdrawn

BATCH = 5000
_INSTANT = timedelta(microseconds=1)


class FactFiles:
    """Deployments, CI runs, changes, incidents or samples from rows.

    The files are read whole whenever one of them changed; a row that disappears is withdrawn,
    unless it is older than the first row left: a file that keeps the last weeks only forgets.
    """

    type: ClassVar[str] = "file"
    Options: ClassVar[builtins.type[SourceOptions]] = FileOptions
    Queries: ClassVar[Mapping[FactKind, builtins.type[FactQuery]]] = {kind: QUERIES[kind] for kind in QUERIES}
    sample_config: ClassVar[str] = """\
[sources.exports]
type = "file"                    # CSV or JSON Lines that any other system wrote
files = ["export/*.csv"]
facts = "deployments"            # or runs, changes, incidents, samples
columns = { key = "id", subject = "service", commit = "sha", status = "result", at = "finished" }
values = { status = { ok = "success", broken = "failure" } }
time = "iso"                     # or unix, unix_ms; zone = "Europe/Berlin" for times without one

[sources.tickets]
type = "file"
files = ["incidents.csv"]
facts = "incidents"
covers = { from = 2026-07-01, to = "modified" }    # or a day, "first_row", "last_row"; default: first to last row
"""

    def __init__(self, options: FileOptions, context: Context) -> None:
        self._options = options
        self._context = context

    def probe(self) -> ProbeResult:
        found = self._match()
        if found.problems:
            return ProbeResult(reachable=False, authorised=True, detail="; ".join(found.problems))
        reading = Reading(self._options, self._context)
        read = sum(1 for _ in islice(reading.facts(found.files), BATCH))
        some = f"{read} {self._options.facts}" + (" and more" if read == BATCH else "")
        detail = "; ".join((f"{some} in {len(found.files)} files", *reading.problems[:3]))
        names = tuple(file.name for file in found.files)
        return ProbeResult(
            reachable=reading.complete, authorised=True, detail=detail, visible=names, since=reading.first
        )

    def streams(self, queries: Sequence[tuple[FactKind, Json]]) -> list[Stream]:
        for kind, _ in queries:
            if kind != self._options.facts:
                source = self._context.source
                raise ConfigError(f'the source {source!r} has {self._options.facts} (facts = "…"), not {kind}')
        return [self._stream()] if queries else []

    def _stream(self) -> Stream:
        """One for all rows, whatever is asked: metrics choose among them. Reading rows otherwise makes another."""
        ways = self._options.model_dump_json(include={"columns", "values", "time", "zone"})
        digest = sha256(f"{ways}{self._context.calendar.timezone}".encode()).hexdigest()[:12]
        return Stream(self._context.source, self._options.facts, self._context.source, {"reading": digest})

    def collect(self, stream: Stream, window: TimeRange, cursor: Json | None) -> Iterator[Batch]:
        found = self._match()
        known = Known.of(cursor or {})
        seen = {file.name: _state(file) for file in found.files}
        if not found.problems and known.settled and seen == known.files:
            yield Batch(covered=self._covered(found, known.first, known.last), problems=known.problems)
            return
        reading = Reading(self._options, self._context)
        facts = reading.facts(found.files)
        while chunk := tuple(_once(islice(facts, BATCH))):
            yield Batch(facts=chunk)
        yield self._ending(found, seen, known, reading)

    def _ending(self, found: Matched, seen: Mapping[str, list[int]], known: Known, reading: Reading) -> Batch:
        problems = (*found.problems, *reading.problems)
        if found.problems or not reading.complete:
            return Batch(problems=problems)
        covered = self._covered(found, reading.first, reading.last)
        if not reading.times and not covered:
            problems = (*problems, "the files have no rows")
        since = int(reading.first.timestamp()) if reading.first else None
        return Batch(
            covered=covered,
            cursor=Known.after(reading, seen, problems).cursor(),
            removed=() if since is None else withdrawn(recall(known.rows), reading.times, since),
            horizon=covered.start,
            problems=problems,
        )

    def close(self) -> None:
        return None

    def _match(self) -> Matched:
        return match(self._options.files, self._context.base)

    def _covered(self, found: Matched, first: datetime | None, last: datetime | None) -> TimeRanges:
        """What the source says its files cover, up to now."""
        covers, calendar = self._options.covers, self._context.calendar
        start = calendar.start_of(covers.start) if isinstance(covers.start, date) else first
        if isinstance(covers.to, date):
            end: datetime | None = calendar.end_of(covers.to)
        elif covers.to == "modified":
            end = max(datetime.fromtimestamp(file.path.stat().st_mtime, UTC) for file in found.files)
        else:
            end = None if last is None else last + _INSTANT
        if start is None or end is None:
            return TimeRanges()
        end = min(end, self._context.clock())
        return TimeRanges.of(TimeRange(start, end)) if start < end else TimeRanges()


def _state(file: SourceFile) -> list[int]:
    status = file.path.stat()
    return [status.st_size, status.st_mtime_ns]


def _once(facts: Iterator[Fact]) -> Iterator[Fact]:
    """A key once in a batch: the later fact."""
    return iter({fact.key: fact for fact in facts}.values())
