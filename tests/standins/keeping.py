"""The least a store and its runner do, so that a collector can be followed over time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from keyresults.collectors.contract import Collector
from keyresults.metrics.facts import Fact
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.stream import Batch, Json, Stream


@dataclass
class Keeper:
    """Keeps one stream's facts, cursor and coverage, batch by batch, and asks for what is not covered yet."""

    stream: Stream
    since: datetime
    facts: dict[str, Fact] = field(default_factory=dict)
    covered: TimeRanges = field(default_factory=TimeRanges)
    cursor: Json | None = None
    batches: list[Batch] = field(default_factory=list)

    def keep(self, batch: Batch) -> None:
        self.facts.update({fact.key: fact for fact in batch.facts})
        for key in batch.removed:
            self.facts.pop(key, None)
        self.covered |= batch.covered
        self.cursor = json.loads(json.dumps(batch.cursor)) if batch.cursor is not None else self.cursor
        self.batches.append(batch)

    def collect(
        self,
        collector: Collector,
        now: datetime,
        *,
        crashes: Callable[[], bool] = lambda: False,
        oldest_gap_first: bool = True,
    ) -> bool:
        """Asks for every gap up to `now`; False where it crashed on the way, between two batches."""
        gaps = list(TimeRanges.of(TimeRange(self.since, now)) - self.covered)
        for gap in gaps if oldest_gap_first else reversed(gaps):
            for batch in collector.collect(self.stream, gap, self.cursor):
                self.keep(batch)
                if crashes():
                    return False
        return True

    @property
    def problems(self) -> list[str]:
        return [problem for batch in self.batches for problem in batch.problems]
