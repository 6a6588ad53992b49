"""What the store holds for a metric, ready to be computed: facts, their coverage, and what ails them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from ..config.model import Config
from ..metrics.definition import MetricDefinition
from ..metrics.facts import FactKind
from ..metrics.measurement import Evidence, Measurement, Trouble
from ..metrics.pairs import pairs_wanted
from ..metrics.ranges import intersection
from ..metrics.reading import Health, Reading
from ..metrics.service import columns_needed
from ..metrics.shipping import Pair
from ..metrics.span import Spans
from ..metrics.table import TIMES, USED, Columns, FactTables, from_microseconds
from ..metrics.traits import is_local, uses_shipments
from ..storage.rows import RunRecord, StreamState
from ..storage.store import Store
from .bindings import Bindings, Question, concerns, is_mixed, questions
from .need import evaluated_from, forecast_from
from .whose import Subjects, joined, names_nobody, unmatched, wanted_only

_Ids = tuple[tuple[FactKind, tuple[str, ...]], ...]
_Shared = tuple[tuple[str, ...] | None, tuple[str, ...], tuple[str, ...], datetime | None, _Ids]


TABLES_HELD = 8
"""Sets of facts held in memory at once, so that it doesn't grow with the number of repositories."""


_SAY_WHOSE = "name each row's repository or service as `subject` in the source's `columns`"


class Evaluation:
    """The metrics of one config over one store, as of one time. Metrics over the same streams share their tables.

    One `of_key_results` is asked for nothing that lies before these, so that long histories cost it no more than short
    ones.
    """

    def __init__(self, config: Config, store: Store, as_of: datetime, *, of_key_results: bool = False) -> None:
        self.config = config
        self.store = store
        self.as_of = as_of
        self._of_key_results = of_key_results
        self._bindings = Bindings(config, store)
        self._tables: dict[_Shared, tuple[FactTables, Subjects]] = {}
        self._measurements: dict[tuple[str, tuple[tuple[str, Any], ...]], Measurement] = {}
        self._series: dict[str, tuple[list[datetime], list[Reading]]] = {}

    def measurement(self, metric: str, **otherwise: Any) -> Measurement:  # noqa: ANN401 (fields of a definition)
        """The metric as it is defined, or `otherwise`: over another window, with nothing excluded."""
        definition = self.config.metrics[metric]
        differing = {name: value for name, value in otherwise.items() if value != getattr(definition, name)}
        key = (metric, tuple(sorted(differing.items())))
        if key not in self._measurements:
            self._measurements[key] = self._measured(definition, replace(definition, **differing))
        return self._measurements[key]

    def _measured(self, bound: MetricDefinition, definition: MetricDefinition) -> Measurement:
        since = self._since(bound)
        found = Measurement(definition, self._evidence(bound, since), self.config.calendar, self.as_of)
        if since is None or found.refusal is None:
            return found
        # Whether there was ever anything is known only from the whole past.
        return Measurement(definition, self._evidence(bound, None), self.config.calendar, self.as_of)

    def _since(self, definition: MetricDefinition) -> datetime | None:
        """Where the facts begin that can matter; None where that is not known before they are looked at."""
        states = self.states(definition.name)
        # Whom a metric measures that names some of many, or services, is known only from all of their facts.
        some = definition.subjects is not None and any(is_mixed(state.stream) for state in states)
        if not self._of_key_results or not is_local(definition) or some or definition.split:
            return None
        known = intersection(state.coverage for state in states).clip(from_microseconds(0), self.as_of)
        end = Spans(known, definition.exclude, self.config.calendar).usable.end
        if end is None or self._earliest is None:
            return None
        first = min(self._earliest, forecast_from(self.config, end))
        # From a month's start, so that metrics over the same streams mostly share their tables.
        return self.config.calendar.start_of(first.replace(day=1))

    @cached_property
    def _earliest(self) -> date | None:
        return evaluated_from(self.config)

    def series(self, metric: str, instants: Sequence[datetime], make: Callable[[], list[Reading]]) -> Sequence[Reading]:
        """The metric's readings at these instants, made once: key results on one metric mostly share their days."""
        known = self._series.get(metric)
        if known is None or known[0] != instants:
            known = self._series[metric] = (list(instants), make())
        return known[1]

    def states(self, metric: str) -> list[StreamState]:
        """The stored streams that the metric rests on."""
        definition = self.config.metrics[metric]
        return [state for question in questions(definition) for state in self._answering(definition, question) or []]

    def never_asked(self, metric: str) -> list[Question]:
        """Its questions that no source was ever asked: of one that has nothing of it something else is said."""
        return [one for one in questions(self.config.metrics[metric]) if self._bindings.states(one) is None]

    def beside(self, metric: str) -> list[StreamState]:
        """Streams it makes use of where they are there, and without which it has its readings all the same."""
        definition = self.config.metrics[metric]
        if not uses_shipments(definition):
            return []
        return [state for state in self._bindings.of_kind("shipments") if concerns(definition, state.stream)]

    def source_troubles(self, metric: str) -> list[Trouble]:
        """What went wrong before the metric's sources could even say which streams they have."""
        runs = [self._source_runs.get(source) for source in self.config.metrics[metric].sources.values()]
        return [trouble for run in runs if (trouble := trouble_of(run))]

    def pairs_wanted(self, metric: str) -> list[Pair]:
        """The pairs of commits that it asks for, newest first; none before its deployments were collected."""
        definition = self.config.metrics[metric]
        question = next(one for one in questions(definition) if one.kind == "deployments")
        states = self._answering(definition, question)
        if not states:
            return []
        tables, _ = self._tables_of(definition, {"deployments": states, **self._extra(definition)}, None)
        return pairs_wanted(definition, tables, self.as_of)

    def _answering(self, definition: MetricDefinition, question: Question) -> list[StreamState] | None:
        states = self._bindings.states(question)
        if states is None:
            return None
        return [s for s in states if concerns(definition, s.stream)]

    def _evidence(self, definition: MetricDefinition, since: datetime | None) -> Evidence:
        streams: dict[FactKind, list[StreamState]] = {}
        for question in questions(definition):
            states = self._answering(definition, question)
            if not states:
                return self._nothing(definition, question, asked=states is not None)
            streams[question.kind] = states
        every = [state for states in streams.values() for state in states]
        tables, told = self._tables_of(definition, {**streams, **self._extra(definition)}, since)
        subjects = _subjects(definition, next(iter(streams.values())), tables.subjects(next(iter(streams))))
        if definition.subjects and not subjects:
            question = questions(definition)[0]
            return self._nothing(definition, question, asked=True)
        others = dict(unmatched(definition, told, subjects))
        never = next((words for kind, words in others.items() if names_nobody(definition, kind, told)), None)
        return Evidence(
            tables=tables,
            coverage=intersection(state.coverage for state in every),
            subjects=subjects,
            trouble=_worst([*_stream_troubles(every), *self.source_troubles(definition.name)]),
            missing=never and f"{never}: {_SAY_WHOSE}",
            notes=(
                *_problems([*every, *self.beside(definition.name)]),
                *self._unasked(definition.name),
                *(words for words in others.values() if words != never),
            ),
        )

    def _unasked(self, metric: str) -> Iterator[str]:
        """Why some of what it makes use of may not be there."""
        told = {s.stream.subject: trouble.words for s in self.beside(metric) if (trouble := trouble_of(s.last_run))}
        if told:
            of = next(iter(told)) if len(told) == 1 else f"{len(told)} repositories"
            yield f"not all commits between deployments of {of} are known: {next(iter(told.values()))}"

    def _extra(self, definition: MetricDefinition) -> dict[FactKind, list[StreamState]]:
        beside = self.beside(definition.name)
        return {"shipments": beside} if beside else {}

    def _nothing(self, definition: MetricDefinition, question: Question, *, asked: bool) -> Evidence:
        return Evidence(
            tables=FactTables({}),
            coverage=intersection([]),
            trouble=_worst(self.source_troubles(definition.name)),
            missing=self._missing(definition, question, asked=asked),
        )

    def _tables_of(
        self, definition: MetricDefinition, streams: Mapping[FactKind, list[StreamState]], since: datetime | None
    ) -> tuple[FactTables, Subjects]:
        """The facts, and whose the streams tell of besides; metrics over the same streams and subjects share them."""
        key: _Shared = (
            definition.subjects,
            columns_needed(definition.split) + columns_needed(definition.split, "changes"),
            tuple(service.name for service in definition.split),
            since,
            tuple((kind, tuple(sorted(s.stream.id for s in states))) for kind, states in streams.items()),
        )
        if key not in self._tables:
            found = joined({kind: self._columns(definition, kind, ids, since) for kind, ids in key[-1]}, streams)
            told: Subjects = {kind: frozenset(columns["subject"]) for kind, columns in found.items()}
            self._tables[key] = FactTables({k: wanted_only(definition, k, found[k]) for k in found}), told
            self._let_go_of_old_tables()
        return self._tables[key]

    def _let_go_of_old_tables(self) -> None:
        """Key results over the same facts mostly stand together: what was long not asked for is loaded again."""
        while len(self._tables) > TABLES_HELD:
            gone, _ = self._tables.pop(next(iter(self._tables)))
            self._measurements = {key: m for key, m in self._measurements.items() if not m.rests_on(gone)}
            held = {metric for metric, _ in self._measurements}
            self._series = {metric: known for metric, known in self._series.items() if metric in held}

    def _columns(
        self, definition: MetricDefinition, kind: FactKind, ids: tuple[str, ...], since: datetime | None
    ) -> Columns:
        # When it was found out which commits lie between two deployments says nothing of when they were shipped.
        until = None if kind == "shipments" else self.as_of
        more = columns_needed(definition.split, kind)
        return self.store.facts(kind, ids, since=since, until=until, columns=(*TIMES[kind], *USED[kind], *more))

    def _missing(self, definition: MetricDefinition, question: Question, *, asked: bool) -> str:
        if asked and definition.subjects:
            return f"source {question.source!r} has nothing of {', '.join(definition.subjects)}"
        return f"source {question.source!r} was not collected for this yet: run `keyresults collect`"

    @cached_property
    def _source_runs(self) -> dict[str, RunRecord]:
        return {source: run for source in self.config.sources if (run := self.store.last_source_run(source))}


def _subjects(definition: MetricDefinition, states: Sequence[StreamState], in_facts: frozenset[str]) -> tuple[str, ...]:
    """Whose facts these are: one without a single fact is among them where it is named or has a stream of its own."""
    named = {s for s in definition.subjects or () if not set("*?[") & set(s)}
    streamed = {s.stream.subject for s in states if not is_mixed(s.stream)}
    mixed = any(is_mixed(s.stream) for s in states)
    return tuple(sorted(streamed | in_facts | (named if mixed and in_facts else set())))


def _stream_troubles(states: Sequence[StreamState]) -> list[Trouble]:
    return [trouble for state in states if (trouble := trouble_of(state.last_run))]


def _worst(troubles: Sequence[Trouble]) -> Trouble | None:
    order = list(Health)
    return min(troubles, key=lambda t: order.index(t.health), default=None)


def trouble_of(run: RunRecord | None) -> Trouble | None:
    """What the newest run means for the readings that rest on it."""
    if run is None or run.outcome in (None, "ok"):
        return None
    health = Health.UNAUTHORIZED if run.outcome == "unauthorized" else Health.FAILED
    again = f"; to be asked again at {run.retry_at.isoformat(timespec='seconds')}" if run.retry_at else ""
    return Trouble(health, (run.error or f"the last collection ended as {run.outcome}") + again)


def _problems(states: Sequence[StreamState]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(problem for state in states for problem in state.problems[:3]))
