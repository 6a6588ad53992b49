"""Which streams answer which metric.

A collector says which streams answer a query; what it said is kept in the store, so that reading
commands find a metric's facts without asking the source again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..config.model import Config
from ..metrics.definition import MetricDefinition
from ..metrics.facts import FactKind
from ..metrics.stream import Json, Stream
from ..metrics.traits import uses_shipments
from ..storage.rows import StreamState
from ..storage.store import Store


@dataclass(frozen=True, slots=True)
class Question:
    """One query of one kind of fact put to one source."""

    source: str
    kind: FactKind
    query: Json

    @property
    def key(self) -> str:
        return f"{self.kind}:{Stream(self.source, self.kind, '', self.query).digest}"

    def __hash__(self) -> int:
        return hash((self.source, self.key))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Question) and (self.source, self.key) == (other.source, other.key)


def questions(metric: MetricDefinition) -> list[Question]:
    """What must be asked for the metric."""
    return [Question(source, _kind(kind), metric.queries.get(kind, {})) for kind, source in metric.sources.items()]


def _kind(name: str) -> FactKind:
    return name  # type: ignore[return-value]  # the config only knows kinds of facts


def wants(metric: MetricDefinition, subject: str) -> bool:
    """Whether the metric counts facts of this subject (a repository, by name or glob; upper and lower case are one)."""
    if metric.subjects is None:
        return True
    asked = subject.lower()
    return any(asked == one.lower() or fnmatchcase(asked, one.lower()) for one in metric.subjects)


def is_mixed(stream: Stream) -> bool:
    """Whether each fact of the stream names its own subject: a file may tell of many services."""
    return stream.subject == stream.source


def concerns(metric: MetricDefinition, stream: Stream) -> bool:
    return is_mixed(stream) or wants(metric, stream.subject)


class Bindings:
    """The streams last known to answer each question, in the tracker's zone."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config = config
        self._store = store
        self._states: dict[str, StreamState] | None = None
        self._answers: dict[Question, list[StreamState] | None] = {}

    def remember(self, question: Question, streams: Sequence[Stream]) -> None:
        """Registers the streams first: a metric must never be read from those alone that were collected already."""
        self._store.register(streams)
        self._answers.pop(question, None)
        self._memo(question.source)[self._key(question)] = json.dumps(sorted(s.id for s in streams))

    def states(self, question: Question) -> list[StreamState] | None:
        """The streams that answer, as far as they are stored; None where the source was never asked."""
        if question not in self._answers:
            self._answers[question] = self._stored(question)
        return self._answers[question]

    def of_kind(self, kind: FactKind) -> list[StreamState]:
        """Every stored stream of a kind, whoever tells it."""
        return [state for state in self._by_id.values() if state.stream.kind == kind]

    def _stored(self, question: Question) -> list[StreamState] | None:
        known = self._memo(question.source).get(self._key(question))
        if known is None:
            return None
        return [self._by_id[i] for i in json.loads(known) if i in self._by_id]

    @property
    def _by_id(self) -> Mapping[str, StreamState]:
        if self._states is None:
            self._states = {state.stream.id: state for state in self._store.states()}
        return self._states

    def _memo(self, source: str) -> dict[str, str]:
        return self._store.memo(f"{source} streams")  # type: ignore[return-value]  # a mapping of text

    def _key(self, question: Question) -> str:
        return f"{question.key}:{self._config.calendar.timezone}"


def metrics_by_stream(config: Config, store: Store) -> Mapping[str, tuple[str, ...]]:
    """The metrics that rest on each stored stream, or make use of it, by its id."""
    bindings = Bindings(config, store)
    found: dict[str, tuple[str, ...]] = {}
    for metric in config.metrics.values():
        used = [state for question in questions(metric) for state in bindings.states(question) or ()]
        used += bindings.of_kind("shipments") if uses_shipments(metric) else []
        for state in used:
            named = found.get(state.stream.id, ())
            if concerns(metric, state.stream) and metric.name not in named:
                found[state.stream.id] = (*named, metric.name)
    return found
