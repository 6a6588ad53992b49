"""A collector and a source to try it on: what the contract suite in `testing.py` is run against."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from ..metrics.calendar import Calendar
from ..metrics.facts import Fact, FactKind
from ..metrics.ranges import TimeRange
from ..metrics.stream import Batch, Json, Stream
from .contract import Collector, Context
from .http import HttpDoor

Trouble = Literal["401", "403", "429", "500", "hang", "login page"]

PATIENCE = 5.0
"""Seconds within which a source that is well answers."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A collector, and a source it can be tried on.

    `options` and `queries` are as the config file would say them (without `type`). The source must
    hold facts of `window` for the first query, unless `has_facts` is False; `now` is what the clock
    shows. `secrets` are the plain texts that must never be shown. `trouble` makes the source answer
    every request badly from then on; None where there is no network between.
    """

    collector: type[Collector]
    options: Mapping[str, object]
    queries: Sequence[tuple[FactKind, Mapping[str, object]]]
    window: TimeRange
    now: datetime
    base: Path
    timezone: str = "UTC"
    secrets: tuple[str, ...] = ()
    trouble: Callable[[Trouble], None] | None = None
    has_facts: bool = True
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("keyresults.collectors"))

    def make(self, timeout: float = PATIENCE) -> Collector:
        """A new collector, as a run would construct it; `timeout` is the HTTP door's, in seconds."""
        options = self.collector.Options.model_validate(dict(self.options))
        context = Context(
            source="contract",
            http=HttpDoor(timeout=timeout),
            clock=lambda: self.now,
            calendar=Calendar(self.timezone),
            base=self.base,
            log=self.log,
        )
        return self.collector(options, context)

    def normalised(self) -> list[tuple[FactKind, Json]]:
        """The queries as a config would hand them over: validated, as JSON values."""
        models = self.collector.Queries
        return [
            (kind, models[kind].model_validate(dict(asked)).model_dump(mode="json")) for kind, asked in self.queries
        ]

    def streams(self, collector: Collector) -> list[Stream]:
        return collector.streams(self.normalised())

    def batches(self, stream: Stream, cursor: Json | None = None) -> list[Batch]:
        collector = self.make()
        try:
            return list(collector.collect(stream, self.window, cursor))
        finally:
            collector.close()

    def known_streams(self) -> list[Stream]:
        collector = self.make()
        try:
            return self.streams(collector)
        finally:
            collector.close()


def stored(batches: Sequence[Batch]) -> dict[str, Fact]:
    """What a store would hold after these batches."""
    held: dict[str, Fact] = {}
    for batch in batches:
        held.update({fact.key: fact for fact in batch.facts})
        for key in batch.removed:
            held.pop(key, None)
    return held


def last_cursor(batches: Sequence[Batch]) -> Json | None:
    """The cursor a store would hand back, after a way through JSON."""
    told = [batch.cursor for batch in batches if batch.cursor is not None]
    return json.loads(json.dumps(told[-1])) if told else None
