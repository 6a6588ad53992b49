"""Daily uptime of a status page's components.

The file is what many status pages export: how many seconds of each day a component was up.

    {"components": {"api": {"2026-11-01": {"up": 86100, "of": 86400}}}}
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

from keyresults.collectors.contract import ConfigError, Context, FactQuery, ProbeResult, SourceError, SourceOptions
from keyresults.metrics.facts import FactKind, Sample
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.stream import Batch, Json, Stream
from pydantic import Field


class UptimeOptions(SourceOptions):
    file: Path = Field(description="The status page's JSON file, relative to the config file.")


class UptimeQuery(FactQuery):
    daily: ClassVar[bool] = True

    component: str = Field(min_length=1, description="Component of the status page.")


class Uptime:
    """Share of each day that a component of a status page was up."""

    type: ClassVar[str] = "uptime"
    Options: ClassVar[builtins.type[SourceOptions]] = UptimeOptions
    Queries: ClassVar[Mapping[FactKind, builtins.type[FactQuery]]] = {"samples": UptimeQuery}
    sample_config: ClassVar[str] = """\
[sources.status-page]
type = "uptime"
file = "uptime.json"

[metrics.api-uptime]
source = "status-page"
measure = "sampled"
component = "api"
unit = "ratio"
better = "higher"
aggregate = "mean"
window = "28d"
"""

    def __init__(self, options: UptimeOptions, context: Context) -> None:
        self._file = context.base / options.file
        self._context = context

    def probe(self) -> ProbeResult:
        try:
            components = self._components()
        except SourceError as error:
            return ProbeResult(reachable=False, authorised=True, detail=str(error))
        return ProbeResult(
            reachable=True,
            authorised=True,
            detail=f"{len(components)} components",
            visible=tuple(sorted(components)),
        )

    def streams(self, queries: Sequence[tuple[FactKind, Json]]) -> list[Stream]:
        return [Stream(self._context.source, kind, str(query["component"]), query) for kind, query in queries]

    def collect(self, stream: Stream, window: TimeRange, cursor: Json | None) -> Iterator[Batch]:
        """Every finished day of the window that the file has."""
        days = self._days(stream.subject)
        facts = [fact for day, told in sorted(days.items()) if (fact := self._sample(stream, day, told)) is not None]
        inside = tuple(fact for fact in facts if window.start < fact.until and fact.at < window.end)
        if inside:
            covered = TimeRanges.of(*(TimeRange(fact.at, fact.until) for fact in inside))
            yield Batch(facts=inside, covered=covered)

    def close(self) -> None:
        """The file is open only while it is read."""

    def _days(self, component: str) -> Mapping[str, Any]:
        components = self._components()
        if component not in components:
            known = ", ".join(sorted(components))
            raise ConfigError(f"{self._file.name} has no component {component!r}; it has: {known}")
        return components[component]

    def _components(self) -> Mapping[str, Any]:
        try:
            return json.loads(self._file.read_text(encoding="utf-8"))["components"]
        except OSError as error:
            raise SourceError(f"{self._file.name} can't be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise SourceError(f"{self._file.name} is no status page's file: it has no components in JSON") from None

    def _sample(self, stream: Stream, day: str, told: Mapping[str, float]) -> Sample | None:
        start = self._context.calendar.start_of(date.fromisoformat(day))
        end = self._context.calendar.start_of(date.fromisoformat(day) + timedelta(days=1))
        if end > self._context.clock() or not told["of"]:
            return None  # the open day is not measured yet, and 0 of 0 seconds is no uptime
        return Sample(key=day, subject=stream.subject, at=start, until=end, value=told["up"] / told["of"])
