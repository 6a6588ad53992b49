"""Sources made of files that a build writes anew each time: each state they are in is one sample."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from ..metrics.facts import Sample
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Batch, Json, Stream
from .contract import Context, ProbeResult, SourceOptions
from .file_cells import checked_zone
from .file_dating import Dated, date_of
from .file_patterns import SourceFile, UnreadableFile, match, reading

MAX_AGE = timedelta(days=7)
"""How long a file's figure stands for now; files further apart than this don't make one figure."""

_INSTANT = timedelta(microseconds=1)


class ReportOptions(SourceOptions):
    files: list[str] = Field(
        description="Files or patterns, relative to the config file. Every one must match, or there is no figure.",
        min_length=1,
    )
    zone: str | None = Field(None, description="Zone of times that a file states without one.")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        return None if name is None else checked_zone(name)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the files say together; `stated` holds each file's own date."""

    parts: Mapping[str, float]
    stated: Sequence[datetime | None]


class ReportFiles(ABC):
    """What coverage and test files share: all patterns or nothing, one date, one sample."""

    default_zone: ClassVar[str | None] = None
    """Zone of times without one; None for the tracker's."""

    def __init__(self, options: ReportOptions, context: Context) -> None:
        self._files = options.files
        self._context = context
        zone = options.zone or self.default_zone
        self._zone = ZoneInfo(zone) if zone else context.calendar.zone

    @abstractmethod
    def measure(self, files: Sequence[SourceFile], stream: Stream) -> Measured:
        """
        Raises:
            UnreadableFile: where one of them can't be read; then there is no figure.
            ConfigError: where they can't give what is asked.
        """

    @abstractmethod
    def words(self, files: Sequence[SourceFile]) -> str:
        """What a probe says of files that are there."""

    def probe(self) -> ProbeResult:
        found = match(self._files, self._context.base)
        if found.problems:
            return ProbeResult(reachable=False, authorised=True, detail="; ".join(found.problems))
        try:
            with reading():
                detail = self.words(found.files)
        except UnreadableFile as error:
            return ProbeResult(reachable=False, authorised=True, detail=str(error))
        return ProbeResult(reachable=True, authorised=True, detail=detail, visible=tuple(f.name for f in found.files))

    def collect(self, stream: Stream, window: TimeRange, cursor: Json | None) -> Iterator[Batch]:
        found = match(self._files, self._context.base)
        if found.problems:
            yield Batch(problems=found.problems)
            return
        try:
            with reading():
                for file in found.files:
                    file.check_size()
                measured = self.measure(found.files, stream)
                dated = self._together(found.files, measured.stated)
        except UnreadableFile as error:
            yield Batch(problems=(str(error),))
            return
        if dated.at < window.end:
            yield _sampled(stream, measured, dated, cursor, self._context.clock())

    def close(self) -> None:
        return None

    def _together(self, files: Sequence[SourceFile], stated: Sequence[datetime | None]) -> Dated:
        """The newest file's date, if no other is so old that it says nothing of it."""
        now = self._context.clock()
        dates = {f.name: date_of(f.path, at, self._zone, now) for f, at in zip(files, stated, strict=True)}
        newest, oldest = max(dates, key=lambda n: dates[n].at), min(dates, key=lambda n: dates[n].at)
        apart = dates[newest].at - dates[oldest].at
        if apart > MAX_AGE:
            words = f"it is {apart.days} days older than {newest}: measure it again, or leave it out of `files`"
            raise UnreadableFile(oldest, None, words)
        return dates[newest]


def _sampled(stream: Stream, measured: Measured, dated: Dated, cursor: Json | None, now: datetime) -> Batch:
    sample = Sample(
        key=dated.at.isoformat(),
        subject=stream.subject,
        at=dated.at,
        parts=measured.parts,
        commit=dated.commit,
        note=dated.note,
    )
    known = [datetime.fromisoformat(str(at)) for at in (cursor or {}).values()]
    first, last = min([dated.at, *known]), max([dated.at, *known])
    end = min(last + _INSTANT, now)
    return Batch(
        facts=(sample,),
        covered=TimeRanges.of(TimeRange(first, end)) if first < end else TimeRanges(),
        cursor={"first": first.isoformat(), "last": last.isoformat()},
        horizon=first,
    )
