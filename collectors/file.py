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
from .file_patterns import Matched, SourceFile, match, reading
from .file_reading import Reading
from .remembered import recall, withdrawn

BATCH = 5000
_INSTANT = timedelta(microseconds=1)


class FactFiles:
    """Deployments, CI runs, changes, incidents or samples from rows.

    `columns` may name these; those in bold are needed:

    - deployments: **commit**, one of **created_at**, **started_at**, **finished_at** and **at** (when
      `status` was reached), status, environment (`production`), task, ref, run, workflow, marked_rollback
    - runs: **run**, one of **created_at** and **started_at**, completed_at, conclusion, attempt (1),
      workflow, branch, commit, event
    - changes: **commit**, **merged_at**, opened_at, first_commit_at, first_review_at, title, base,
      head, labels, author_kind, reverts, paths (the files it touched)
    - incidents: **opened_at**, closed_at, title, labels, environment, commit, deployment
    - samples: **value** (in the metric's unit), one of **at** and **day** (a local day, such as
      2026-11-02), n, commit, note

    and for all of them key, url and subject: the repository or service, which `repositories` of a
    metric chooses by; without it the source's name. A key need only be unique in its subject; without
    one, it is made of: environment, commit, times, run and ref of a deployment; workflow, run and
    attempt of a run; the commit of a change; opening and title of an incident; the time of a sample.
    Deployments without a `status` column all succeeded.

    CSV may be separated by comma, semicolon, tab or bar; text is UTF-8. A row that can't be read is
    named with file and line, and the rest counts. The files are read whole whenever one of them
    changed. A row that disappears is withdrawn (the newest 50,000 are watched), unless it is older
    than the first row left: a file that keeps the last weeks only has forgotten it.
    """

    type: ClassVar[str] = "file"
    Options: ClassVar[builtins.type[SourceOptions]] = FileOptions
    Queries: ClassVar[Mapping[FactKind, builtins.type[FactQuery]]] = {kind: QUERIES[kind] for kind in QUERIES}
    sample_config: ClassVar[str] = """\
[sources.exports]
type = "file"                    # rows of CSV or JSON Lines, whoever wrote them
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
        rows = Reading(self._options, self._context)
        with reading():
            read = sum(1 for _ in islice(rows.facts(found.files), BATCH))
        some = f"{read} {self._options.facts}" + (" and more" if read == BATCH else "")
        detail = "; ".join((f"{some} in {found.files[0].name}{_others(found)}", *rows.problems[:3]))
        names = tuple(file.name for file in found.files)
        return ProbeResult(reachable=rows.complete, authorised=True, detail=detail, visible=names, since=rows.first)

    def streams(self, queries: Sequence[tuple[FactKind, Json]]) -> list[Stream]:
        for kind, _ in queries:
            if kind != self._options.facts:
                source = self._context.source
                raise ConfigError(f"the source {source!r} has {self._options.facts}, not {kind}")
        return [self._stream()] if queries else []

    def _stream(self) -> Stream:
        """One for all rows, whatever is asked: each names its subject. Reading them otherwise makes another."""
        ways = self._options.model_dump_json(include={"columns", "values", "time", "zone", "covers"})
        digest = sha256(f"{ways}{self._context.calendar.timezone}".encode()).hexdigest()[:12]
        return Stream(self._context.source, self._options.facts, self._context.source, {"reading": digest})

    def collect(self, stream: Stream, window: TimeRange, cursor: Json | None) -> Iterator[Batch]:
        with reading():
            yield from self._batches(cursor or {})

    def _batches(self, cursor: Json) -> Iterator[Batch]:
        found = self._match()
        known = Known.of(cursor)
        seen = {file.name: _state(file) for file in found.files}
        if not found.problems and known.settled and seen == known.files:
            yield Batch(covered=self._covered(found, known.first, known.last), problems=known.problems)
            return
        rows = Reading(self._options, self._context)
        facts = rows.facts(found.files)
        while chunk := tuple(_once(islice(facts, BATCH))):
            yield Batch(facts=chunk)
        yield self._ending(found, seen, known, rows)

    def _ending(self, found: Matched, seen: Mapping[str, list[int]], known: Known, rows: Reading) -> Batch:
        problems = (*found.problems, *rows.problems)
        if found.problems or not rows.complete:
            return Batch(problems=problems)
        covered = self._covered(found, rows.first, rows.last)
        if not rows.times and not covered:
            problems = (*problems, "the files have no rows")
        since = int(rows.first.timestamp()) if rows.first else None
        return Batch(
            covered=covered,
            cursor=Known.after(rows, seen, problems).cursor(),
            removed=() if since is None else withdrawn(recall(known.rows), rows.times, since),
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


def _others(found: Matched) -> str:
    more = len(found.files) - 1
    return f" and {more} more" if more else ""


def _state(file: SourceFile) -> list[int]:
    status = file.path.stat()
    return [status.st_size, status.st_mtime_ns]


def _once(facts: Iterator[Fact]) -> Iterator[Fact]:
    """A key once in a batch: the later fact."""
    return iter({fact.key: fact for fact in facts}.values())
