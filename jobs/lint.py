"""Lint over what is stored: each key result beside the past of its metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from ..config.model import Config
from ..krs import lint as rules
from ..krs.changes import Defined, target_text_before
from ..krs.checkin import CheckIn
from ..krs.lint_past import MOST_WEEKS, USUAL_WEEKS, Past
from ..krs.lint_plan import Plan
from ..krs.lint_rules import Finding
from ..krs.model import KeyResult, Objective
from ..krs.rhythm import is_open, missed_rounds
from ..krs.standing import origin_of
from ..krs.terms import terms
from ..metrics.definition import MetricDefinition, RollbackRule
from ..metrics.measures import MEASURES
from ..metrics.reading import Reading
from ..metrics.stream import Json
from ..metrics.traits import traits_of
from ..metrics.unit import RATIO
from ..metrics.window import WindowLength
from ..storage.errors import StoreMissing
from .check_ins import check_ins_of
from .evaluate import cycle_named
from .evidence import Evaluation
from .judging import all_traits, judged
from .workspace import Workspace


def lint(workspace: Workspace, *, as_of: datetime, cycle: str | None = None) -> list[Finding]:
    """What the rules find in a cycle. Without a store, only those that need no history.

    Raises:
        NoCycle: where neither `cycle` nor the config says which.
    """
    plan = plan_of(workspace.config, as_of, cycle)
    past: dict[tuple[str, str], Past] = {}
    with suppress(StoreMissing):
        evaluation = Evaluation(workspace.config, workspace.store, as_of)
        taken_back = _TakenBack(evaluation)
        name = plan.objectives[0].cycle.name if plan.objectives else ""
        former = workspace.store.definitions(name)
        said = check_ins_of(workspace.store, name, plan.objectives, as_of)
        for objective in plan.objectives:
            for kr in objective.key_results:
                defined = former.get(kr.id) or former.get(kr.was or "")
                past[objective.id, kr.id] = _past(evaluation, taken_back, objective, kr, defined, said.get(kr.id, ()))
    return rules.lint(plan, past)


def lint_config(config: Config, as_of: datetime) -> list[Finding]:
    """What the rules find in the shown cycle that need nothing but the config."""
    return rules.lint(plan_of(config, as_of, None), {}) if config.cycle is not None else []


def plan_of(config: Config, as_of: datetime, cycle: str | None) -> Plan:
    one = cycle_named(config, cycle)
    objectives = [o for o in config.objectives if o.cycle.name == one.name]
    return Plan(objectives=objectives, metrics=config.metrics, day=config.calendar.day_closed_by(as_of))


def _past(
    evaluation: Evaluation,
    taken_back: _TakenBack,
    objective: Objective,
    kr: KeyResult,
    former: Defined | None,
    said: Sequence[CheckIn],
) -> Past:
    config = evaluation.config
    one = judged(evaluation, objective, kr, freeze=False)
    day = config.calendar.day_closed_by(evaluation.as_of)
    in_force = terms(kr, day)
    definition = config.metrics[in_force.metric]
    rollbacks = taken_back.by("version_return", in_force.metric)
    reverts = taken_back.by("revert", in_force.metric)
    checked_in = said[-1].at if said else None
    return Past(
        day=day,
        terms=in_force,
        traits=traits_of(definition),
        judgement=one.judgement,
        origin=origin_of(one.case, one.case.moment(evaluation.as_of)),
        weekly=_weekly(evaluation, kr, in_force.metric),
        ever_measured=any(r.usable(kr.accept_partial) for r in one.readings),
        returned=None if rollbacks is None else int(rollbacks.numerator or 0),
        deployed=None if rollbacks is None else int(rollbacks.denominator or 0),
        reverted=None if reverts is None else int(reverts.numerator or 0),
        missed=_missed(evaluation, objective, kr, checked_in),
        last_check_in=None if checked_in is None else config.calendar.day_of(checked_in),
        edited=None if former is None else target_text_before(kr, former, config.calendar),
    )


def _weekly(evaluation: Evaluation, kr: KeyResult, metric: str) -> Sequence[float]:
    """The metric's usable readings at the ends of the weeks before the start, oldest first."""
    calendar = evaluation.config.calendar
    start = calendar.start_of(kr.start)
    weeks = [calendar.days_before(start, 7 * n) for n in range(MOST_WEEKS - 1, -1, -1)]
    instants = [at for at in weeks if at <= evaluation.as_of]
    if evaluation.config.metrics[metric].window.is_cycle or not instants:
        return ()
    readings = evaluation.measurement(metric).readings(instants, start)
    return [r.value for r in readings if r.value is not None and r.usable(kr.accept_partial)]


class _TakenBack:
    """How often deployments were taken back, by each rule; worked out once for all key results of a metric."""

    def __init__(self, evaluation: Evaluation) -> None:
        config = evaluation.config
        asking = [metric for metric in config.metrics.values() if "changes" in metric.sources]
        asked = [one for metric in config.metrics.values() for one in _rollback_rates(metric, asking)]
        self._of_these = Evaluation(
            replace(config, metrics={one.name: one for one in asked}), evaluation.store, evaluation.as_of
        )
        self._known: dict[str, Reading | None] = {}

    def by(self, rule: RollbackRule, metric: str) -> Reading | None:
        """The rollback rate of the metric's deployments over the longest of their windows; None where it has none."""
        name = _name(rule, metric)
        if name not in self._known:
            self._known[name] = self._read(name) if name in self._of_these.config.metrics else None
        return self._known[name]

    def _read(self, name: str) -> Reading | None:
        now = self._of_these.as_of
        reading = self._of_these.measurement(name).readings([now], now)[0]
        return reading if reading.value is not None else None


def _rollback_rates(definition: MetricDefinition, asking: Sequence[MetricDefinition]) -> Iterator[MetricDefinition]:
    """What tells how often its deployments were taken back: to an earlier version, and by a merged revert.

    Reverts are known where `asking`, the metrics of merged changes, have those collected anyway.
    """
    if MEASURES[definition.measure].kinds[0] != "deployments":
        return
    asked = replace(definition, measure="rollback_rate", unit=RATIO, window=WindowLength(USUAL_WEEKS * 7), across=None)
    yield replace(asked, name=_name("version_return", definition.name), rollback_rules=("version_return",))
    if asking:
        told = _changes_of(asking, definition.sources["deployments"])
        yield replace(
            asked,
            name=_name("revert", definition.name),
            rollback_rules=("revert",),
            sources={**asked.sources, "changes": told[0]},
            queries={**asked.queries, "changes": told[1]},
        )


def _name(rule: RollbackRule, metric: str) -> str:
    return f"{metric} by {rule}"


def _changes_of(asking: Sequence[MetricDefinition], source: str) -> tuple[str, Json]:
    """The source of merged changes, and what is asked of it; of the same source if any."""
    one = next((metric for metric in asking if metric.sources["changes"] == source), asking[0])
    return one.sources["changes"], one.queries.get("changes", {})


def _missed(evaluation: Evaluation, objective: Objective, kr: KeyResult, last: datetime | None) -> int:
    """How many rounds of check-ins nobody spoke in; none where nobody is asked."""
    config, as_of = evaluation.config, evaluation.as_of
    if config.checkins is None or not is_open(kr, all_traits(config, kr), config.calendar, as_of):
        return 0
    rounds = config.checkins.rounds(config.calendar, objective.cycle.start, as_of)
    return len(missed_rounds(kr, rounds, config.calendar, last))
