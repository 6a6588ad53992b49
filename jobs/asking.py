"""What a source is asked for: which streams, how far back, and for which metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..collectors.contract import Collector
from ..config.model import SourceConfig
from ..metrics.definition import MetricDefinition
from ..metrics.stream import Stream
from .bindings import Question, concerns, questions
from .need import needed_from
from .workspace import Workspace


@dataclass(frozen=True, slots=True)
class Need:
    """A stream is to be known from `start` on, for the metrics of these names."""

    start: datetime
    metrics: tuple[str, ...]


@dataclass
class Asking:
    """`since` is the instant to ask back to; None for what the key results need. `needs` grow in the config's order."""

    workspace: Workspace
    source: SourceConfig
    since: datetime | None
    needs: dict[Stream, Need] = field(default_factory=dict)

    def questions(self) -> dict[Question, list[MetricDefinition]]:
        """Each question put to this source, with the metrics that ask it."""
        wanted: dict[Question, list[MetricDefinition]] = {}
        for metric in self.workspace.config.metrics.values():
            for question in questions(metric):
                if question.source == self.source.name:
                    wanted.setdefault(question, []).append(metric)
        return wanted

    def put(self, question: Question, metrics: Sequence[MetricDefinition], collector: Collector) -> list[Stream]:
        """The streams that answer; what these metrics need of them joins the `needs`.

        Raises:
            CollectorError: where the source can't say which they are.
        """
        streams = collector.streams([(question.kind, question.query)])
        for stream in streams:
            asking = [m for m in metrics if concerns(m, stream)]
            if asking:
                self._need(stream, asking)
        return streams

    def _need(self, stream: Stream, asking: list[MetricDefinition]) -> None:
        start = self.since or needed_from(self.workspace.config, asking, self.source.name, self.workspace.clock())
        before = self.needs.get(stream, Need(start, ()))
        names = dict.fromkeys((*before.metrics, *(m.name for m in asking)))
        self.needs[stream] = Need(min(start, before.start), tuple(names))


def by_subject(streams: Iterable[Stream]) -> list[list[Stream]]:
    """Streams of one subject together, in the order in which the first of each comes."""
    groups: dict[str, list[Stream]] = {}
    for stream in streams:
        groups.setdefault(stream.subject, []).append(stream)
    return list(groups.values())
