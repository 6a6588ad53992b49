"""Values that people record by hand; there is nothing to collect."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from pydantic import Field

from ..metrics.facts import FactKind, Sample
from ..metrics.ranges import TimeRange
from ..metrics.stream import Batch, Json, Stream
from .contract import Context, FactQuery, ProbeResult, SourceOptions


class ManualOptions(SourceOptions):
    """A manual source needs nothing said."""


class ManualQuery(FactQuery):
    measures: ClassVar[tuple[str, ...] | None] = ("sampled",)

    metric: str = Field(min_length=1, description="Name of the metric whose values are recorded.")


class Manual:
    """What `keyresults record METRIC VALUE` wrote down."""

    type: ClassVar[str] = "manual"
    Options: ClassVar[builtins.type[SourceOptions]] = ManualOptions
    Queries: ClassVar[Mapping[FactKind, builtins.type[FactQuery]]] = {"samples": ManualQuery}
    max_age: ClassVar[timedelta] = timedelta(days=15)
    sample_config: ClassVar[str] = """\
[sources.people]
type = "manual"                  # holds what people typed: `keyresults record METRIC VALUE`
"""

    def __init__(self, options: ManualOptions, context: Context) -> None:
        self._source = context.source

    def probe(self) -> ProbeResult:
        return ProbeResult(reachable=True, authorised=True, detail="values are recorded by hand")

    def streams(self, queries: Sequence[tuple[FactKind, Json]]) -> list[Stream]:
        names = [ManualQuery.model_validate(dict(query)).metric for _, query in queries]
        return [manual_stream(self._source, name) for name in dict.fromkeys(names)]

    def collect(self, stream: Stream, window: TimeRange, cursor: Json | None) -> Iterator[Batch]:
        return iter(())

    def close(self) -> None:
        return None


def manual_stream(source: str, metric: str) -> Stream:
    """The stream that values recorded for a metric belong to."""
    return Stream(source, "samples", metric, {"metric": metric})


def manual_sample(
    metric: str, value: float, at: datetime, *, by: str | None = None, evidence: str | None = None
) -> Sample:
    """One recorded value, in the metric's unit. A second one for the same instant takes the first one's place.

    `evidence` that is a web address becomes the sample's link, other text its note.
    """
    instant = at.astimezone(UTC)
    link = evidence is not None and evidence.startswith(("https://", "http://"))
    return Sample(
        key=f"{metric}@{instant.isoformat()}",
        subject=metric,
        at=instant,
        value=value,
        by=by,
        note=None if link else evidence,
        url=evidence if link else None,
    )
