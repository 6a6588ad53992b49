"""Metrics: which measure, of which source's facts, told what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from ..collectors.contract import FILES_KEY
from ..metrics.definition import Aggregate, MetricDefinition
from ..metrics.facts import FactKind
from ..metrics.measures import EVERY, MEASURES, Measure, kinds_needed
from ..metrics.service import Service
from ..metrics.unit import PER_DAY, PER_WORKDAY, RATIO, Unit
from .aggregates import parse_aggregate
from .bind_services import check_reach, check_services, repositories_with_paths, services_of_metric
from .bind_sources import BoundSource
from .findings import Findings
from .metric_options import as_written
from .places import Key
from .problem import choices, listed
from .rates import RateAsked, rates_asked
from .reach import check_repositories
from .schema_metrics import MetricTable
from .words import model_keys, unknown_key
from .written_objectives import WrittenObjective

ALWAYS = ("source", "measure")
DAILY_AGE = timedelta(days=2)
FIGURE_AGE = timedelta(days=7)
LEAST_AGE = timedelta(days=1)
RUNS_MISSED = 3
NAME_KEY = "metric"
"""A query model with this field is told the metric's name; nobody writes it."""
UNWRITTEN = frozenset({NAME_KEY, FILES_KEY})


@dataclass(frozen=True, slots=True)
class BoundMetric:
    """A metric that is there; `definition` is None where something about it is wrong. Targets on it are in `unit`."""

    definition: MetricDefinition | None
    unit: Unit | None = None


@dataclass(frozen=True, kw_only=True)
class MetricBinder:
    """What all metrics are bound with."""

    sources: Mapping[str, BoundSource]
    services: Mapping[str, Service]
    rates: Mapping[str, RateAsked]
    words: frozenset[str]
    findings: Findings

    OPTIONS: ClassVar[frozenset[str]] = frozenset(model_keys(MetricTable))


def bind_metrics(
    table: object,
    sources: Mapping[str, BoundSource],
    services: Mapping[str, Service],
    objectives: Sequence[WrittenObjective],
    findings: Findings,
) -> dict[str, BoundMetric]:
    types = [source.collector for source in sources.values() if source.collector is not None]
    queries = {key for collector in types for query in collector.Queries.values() for key in model_keys(query)}
    binder = MetricBinder(
        sources=sources,
        services=services,
        rates=rates_asked(objectives, findings),
        words=frozenset(queries) | MetricBinder.OPTIONS,
        findings=findings,
    )
    return {name: _Metric(binder, name, one, key).bind() for name, one, key in findings.tables(table, ("metrics",))}


@dataclass
class _Metric:
    """One `[metrics.NAME]` on its way to a definition."""

    binder: MetricBinder
    name: str
    table: Mapping[str, Any]
    key: Key
    sources: dict[FactKind, BoundSource] = field(default_factory=dict)

    def add(self, key: str, message: str) -> None:
        self.binder.findings.add((*self.key, key) if key else self.key, message)

    def bind(self) -> BoundMetric:
        measure = self._measure()
        source = self._source("source")
        if measure is None or source is None:
            # What may stand here depends on them: only what no measure and no source takes is surely wrong.
            self._check_keys(self.binder.words)
            check_services(self._options(MetricBinder.OPTIONS), self.binder.services, self.key, self.binder.findings)
            return BoundMetric(None)
        told = self._sources_of(measure, source)
        queried = self._query_keys()
        taken = {*ALWAYS, *EVERY, *measure.options} - {"deployments"}
        self._check_keys(taken | queried, measure)
        options = self._options(frozenset(taken))
        check_services(options, self.binder.services, self.key, self.binder.findings)
        queries = self._queries(measure)
        if options is None or not told:
            return BoundMetric(None)
        unit = self._unit(measure, options)
        aggregate = parse_aggregate(options, unit, self.key, self.binder.findings)
        self._check_across(measure, options)
        check_repositories(options.repositories or (), source, self.key, self.binder.findings)
        check_reach(measure, options, self.binder.services, source, self.key, self.binder.findings)
        definition = None if queries is None else self._definition(measure, options, queries, unit, aggregate)
        return BoundMetric(definition, RATIO if aggregate.name == "share_within" else unit)

    def _measure(self) -> Measure | None:
        written = self.table.get("measure")
        if written is None:
            written = next((m for k, m in _MEANT.items() if k in self.table), None)
        if written is None:
            self.add("", f"measure is missing: write one of {listed(MEASURES)}; or a query, or a histogram")
        elif isinstance(written, str) and written not in MEASURES:
            self.add("measure", f"there is no such measure{choices(written, MEASURES)}")
        return MEASURES.get(written) if isinstance(written, str) else None

    def _source(self, key: str) -> BoundSource | None:
        """The source named under a key, where it is there and of a known type."""
        written = self.table.get(key)
        if not isinstance(written, str):
            return None
        if written not in self.binder.sources:
            known = self.binder.sources
            self.add(key, f"there is no [sources.{written[:100]}]{choices(written, known)}")
            return None
        source = self.binder.sources[written]
        return source if source.collector is not None else None

    def _sources_of(self, measure: Measure, source: BoundSource) -> bool:
        """Finds the source of each kind of fact; whether each tells its kind, and what the measure is made of."""
        kinds: list[FactKind] = list(kinds_needed(measure, self._rollback_rules()))
        kinds.extend(kind for kind in measure.besides if self._could_tell(source, kind))
        self.sources = dict.fromkeys(kinds, source)
        for kind in _SECOND:
            other = self._source(kind) if kind in self.table and kind in measure.options else None
            if other is not None:
                self.sources[kind] = other
        for kind, told_by in self.sources.items():
            second = kind in _SECOND and told_by is not source
            if kind not in told_by.tells:
                tells = f"{_whose(told_by)} tells {listed(sorted(told_by.tells))}"
                self.add(kind if second else "source", f"{measure.name} needs {kind}; {tells}")
                return False
            if not self._could_tell(told_by, kind):
                where = f'incidents = {{ labels = ["incident"] }} in [sources.{told_by.name}], or labels here'
                self.add(kind if second else "source", f"nothing says which issues are incidents: write {where}")
                return False
        return self._serves(measure)

    def _could_tell(self, source: BoundSource, kind: FactKind) -> bool:
        """Whether the source tells this kind; where it must be told which labels make an incident, once it was."""
        options = source.config.options if source.config else None
        untold = kind == "incidents" and getattr(options, "incidents", self) is None and "labels" not in self.table
        return kind in source.tells and not untold

    def _serves(self, measure: Measure) -> bool:
        """Whether the answers to what is asked hold what the measure is made of."""
        place = "measure" if "measure" in self.table else "source"
        for kind, model in self._models().items():
            if measure.name not in (model.measures or (measure.name,)):
                said = f"{_whose(self.sources[kind])} has nothing for {measure.name}"
                self.add(place, f"{said}; it serves {listed(model.measures)}")
                return False
            asked = next((key for key in _MEANT if key in self.table), None)
            if asked and model_keys(model) >= _MEANT.keys() and _MEANT[asked] != measure.name:
                self.add(place, f"a {asked} has nothing for {measure.name}; it serves {_MEANT[asked]}")
                return False
        return True

    def _rollback_rules(self) -> tuple[object, ...]:
        rollback = self.table.get("rollback")
        rules = rollback.get("rules") if isinstance(rollback, Mapping) else None
        return tuple(rules) if isinstance(rules, list) else ()

    def _models(self) -> dict[FactKind, Any]:
        """The query model of each kind of fact, where its source tells that kind."""
        return {
            kind: source.collector.Queries[kind]
            for kind, source in self.sources.items()
            if source.collector is not None and kind in source.collector.Queries
        }

    def _query_keys(self) -> set[str]:
        return {key for model in self._models().values() for key in model_keys(model)} - UNWRITTEN

    def _check_keys(self, taken: frozenset[str] | set[str], measure: Measure | None = None) -> None:
        for key in self.table:
            if key in taken:
                continue
            if key in self.binder.words and measure is not None:
                self.add(key, f"{measure.name} of such a source takes no {key}; it takes {listed(sorted(taken))}")
            else:
                self.add(key, unknown_key(key, taken))

    def _options(self, keys: frozenset[str]) -> MetricTable | None:
        own = {k: v for k, v in self.table.items() if k in keys}
        return self.binder.findings.salvaged(MetricTable, own, self.key)

    def _queries(self, measure: Measure) -> dict[str, Any] | None:
        """What is put to each source, as its query model normalises it; None where one is wrong."""
        queries: dict[str, Any] = {}
        for kind, model in self._models().items():
            keys = model_keys(model)
            defaults = {k: v for k, v in self.sources[kind].asks(kind).items() if k in keys}
            own = {k: v for k, v in self.table.items() if k in keys}
            if NAME_KEY in keys:
                own[NAME_KEY] = self.name
            if FILES_KEY in keys and (split := repositories_with_paths(self.binder.services, self.sources[kind])):
                own[FILES_KEY] = split
            query = self.binder.findings.model(model, {**defaults, **own}, self.key)
            if query is None:
                return None
            if lacking := query.lacks(measure.name):
                self.add("measure", lacking)
                return None
            queries[kind] = query.model_dump(mode="json", exclude_none=True, by_alias=True)
        return queries

    def _definition(
        self, measure: Measure, options: MetricTable, queries: Mapping[str, Any], unit: Unit, aggregate: Aggregate
    ) -> MetricDefinition:
        shares = aggregate.name == "share_within"
        return MetricDefinition(
            name=self.name,
            measure=measure.name,
            sources={k: s.name for k, s in self.sources.items()},
            queries=queries,
            # A share of samples is a ratio, of samples that still are in the unit they were taken in.
            unit=Unit("ratio", RATIO.text, unit.scale) if shares else unit,
            better=options.better or ("higher" if shares else measure.better),
            aggregate=aggregate,
            max_age=options.max_age or self._max_age(measure),
            **as_written(options),
            **services_of_metric(measure, options, self.binder.services, self._source("source")),
        )

    def _unit(self, measure: Measure, options: MetricTable) -> Unit:
        if measure.shape == "rate":
            asked = self.binder.rates.get(self.name)
            per = options.per or (asked.per if asked else "day")
            return PER_WORKDAY if per == "workday" else PER_DAY
        if measure.unit is not None:
            return measure.unit
        if options.unit is not None:
            return Unit.parse(options.unit)
        return Unit.parse("s") if measure.shape == "histogram" else Unit("plain", "")

    def _max_age(self, measure: Measure) -> timedelta:
        oldest = max(_max_age(source, kind) for kind, source in self.sources.items())
        return max(oldest, FIGURE_AGE) if measure.shape == "newest" else oldest

    def _check_across(self, measure: Measure, options: MetricTable) -> None:
        several = len(options.services or options.repositories or ()) > 1
        if measure.shape == "rate" and several and options.across is None:
            self.add("", 'several services in one frequency: add across = "sum" or across = "worst"')


_SECOND: tuple[FactKind, ...] = ("changes", "incidents")
"""The kinds of fact that a metric may take from a second source, named under the kind's own key."""

_MEANT = {"query": "sampled", "histogram": "histogram_quantile"}
"""The measure a metric means that only says what is asked."""


def _whose(source: BoundSource) -> str:
    """Which sources tell the same as this one: all of its type, unless its options leave less."""
    if source.collector is None or len(source.tells) < len(source.collector.Queries):
        return f'the source "{source.name}"'
    return f"a source of type {source.collector.type}"


def _max_age(source: BoundSource, kind: FactKind) -> timedelta:
    """How old data of this kind may be where the metric doesn't say it."""
    own = getattr(source.collector, "max_age", None)
    if isinstance(own, timedelta):
        return own
    query = source.collector.Queries.get(kind) if source.collector else None
    if kind == "samples" and getattr(query, "daily", False):
        return DAILY_AGE
    gap = source.config.longest_gap if source.config else LEAST_AGE
    return max(LEAST_AGE, RUNS_MISSED * gap)
