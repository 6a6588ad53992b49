"""Objectives and key results: references, days and targets, in the units of their metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ..krs.cycle import Cycle
from ..krs.lint_rules import RULES
from ..krs.model import Guardrail, Ignore, KeyResult, Objective, PlanPoint, Revision, Target
from ..metrics.quantity import Quantity
from .amounts import into
from .bind_metrics import BoundMetric
from .bind_targets import bind_limit, bind_target
from .bind_tracker import Cycles
from .findings import Findings
from .people import People
from .places import Key
from .problem import choices, near
from .schema_objectives import GuardrailTable, IgnoreTable, KeyResultTable, PlanTable, RevisionTable
from .written_objectives import WrittenKeyResult, WrittenObjective


@dataclass(frozen=True, kw_only=True)
class _Around:
    """What key results are bound with."""

    metrics: Mapping[str, BoundMetric]
    people: People
    forecast: bool
    findings: Findings


def bind_objectives(
    written: Sequence[WrittenObjective],
    cycles: Cycles,
    metrics: Mapping[str, BoundMetric],
    people: People,
    forecast: bool,
    findings: Findings,
) -> tuple[Objective, ...]:
    around = _Around(metrics=metrics, people=people, forecast=forecast, findings=findings)
    bound = [_objective(one, cycles, around) for one in written]
    _unique_ids(written, cycles, findings)
    _parents(written, findings)
    _known_metrics(written, metrics, findings)
    return tuple(objective for objective in bound if objective is not None)


def _objective(written: WrittenObjective, cycles: Cycles, around: _Around) -> Objective | None:
    cycle = cycles.by_name.get(written.cycle) if written.cycle else cycles.default
    key_results = [_KeyResult(one, cycle, around).bind() for one in written.key_results]
    table = written.table
    if table is None:
        return None
    around.people.check_owner(table.owner, (*written.key, "owner"), around.findings)
    for index, team in enumerate(table.teams):
        around.people.check_team(team, (*written.key, "teams", index), around.findings)
    if cycle is None or written.wrong:
        return None  # What is missing has been said.
    return Objective(
        id=table.id,
        title=table.title,
        cycle=cycle,
        kind=table.kind,
        owner=table.owner,
        teams=tuple(table.teams),
        parent=table.parent,
        ignore=_ignored(table.ignore, written.key, around.findings),
        key_results=tuple(kr for kr in key_results if kr is not None),
    )


def _ignored(written: Sequence[IgnoreTable], key: Key, findings: Findings) -> tuple[Ignore, ...]:
    for index, one in enumerate(written):
        if one.code not in RULES:
            findings.add((*key, "ignore", index, "code"), f"there is no rule {one.code!r}{near(one.code, RULES)}")
    return tuple(Ignore(one.code, one.reason) for one in written)


@dataclass(frozen=True)
class _KeyResult:
    """One key result on its way into the base units of its metric."""

    written: WrittenKeyResult
    cycle: Cycle | None
    around: _Around

    @property
    def key(self) -> Key:
        return self.written.key

    @property
    def table(self) -> KeyResultTable:
        return self.written.table

    def add(self, key: str, message: str) -> None:
        self.around.findings.add((*self.key, key), message)

    def bind(self) -> KeyResult | None:
        table, findings = self.table, self.around.findings
        self.around.people.check_owner(table.owner, (*self.key, "owner"), findings)
        metric = None if "metric" in self.written.wrong else self.around.metrics.get(table.metric)
        guardrails = [self._guardrail(one, n) for n, one in enumerate(table.guardrails)]
        revisions = self._revisions(metric)
        days = self._days()
        plan = self._plan(table.plan, days, (*self.key, "plan")) if days else ()
        baseline, baseline_days = self._baseline(metric), self._baseline_days()
        target = self._target(metric)
        if target is None or days is None or self.written.wrong:
            return None
        return KeyResult(
            id=table.id,
            title=table.title,
            metric=table.metric,
            target=target,
            start=days[0],
            deadline=days[1],
            owner=table.owner,
            baseline=baseline,
            baseline_days=baseline_days,
            plan=plan,
            weight=table.weight,
            guardrails=tuple(one for one in guardrails if one is not None),
            revisions=tuple(revisions),
            accept_partial="partial" in table.accept,
            draft=table.draft,
            forecast=self.around.forecast if table.forecast is None else table.forecast,
            was=table.was,
            initiatives=tuple(table.initiatives),
            ignore=_ignored(table.ignore, self.key, findings),
        )

    def _target(self, metric: BoundMetric | None) -> Target | None:
        if metric is None or metric.unit is None or "target" in self.written.wrong:
            return None
        return bind_target(self.table.target, metric.unit, (*self.key, "target"), self.around.findings)

    def _guardrail(self, written: GuardrailTable, index: int) -> Guardrail | None:
        metric = self.around.metrics.get(written.metric)
        if metric is None or metric.unit is None:
            return None
        key: Key = (*self.key, "guardrails", index)
        return Guardrail(written.metric, bind_limit(written, metric.unit, key, self.around.findings))

    def _baseline(self, metric: BoundMetric | None) -> float | None:
        written = self.table.baseline
        if not isinstance(written, Quantity) or metric is None or metric.unit is None:
            return None
        return into(written, metric.unit, (*self.key, "baseline"), self.around.findings)

    def _baseline_days(self) -> int | None:
        window = self.table.baseline_window
        if window is None:
            return None
        if window.is_cycle:
            self.add("baseline_window", 'a baseline lies before the start: write its days, such as "28d"')
        if isinstance(self.table.baseline, Quantity):
            self.add("baseline_window", "goes with a measured baseline only; this one is a number")
        return window.days

    def _days(self) -> tuple[date, date] | None:
        """First and last day; None where they are not known or in disorder."""
        start = self.table.start or (self.cycle.start if self.cycle else None)
        deadline = self.table.deadline or (self.cycle.end if self.cycle else None)
        if start is None or deadline is None:
            return None
        if deadline < start:
            self.add("deadline" if self.table.deadline else "start", f"it ends ({deadline}) before it starts ({start})")
            return None
        return start, deadline

    def _plan(self, written: Iterable[PlanTable], days: tuple[date, date], key: Key) -> tuple[PlanPoint, ...]:
        points = tuple(PlanPoint(point.on, point.progress) for point in written)
        before: date | None = None
        for index, point in enumerate(points):
            if not days[0] <= point.on <= days[1]:
                message = f"{point.on} is outside the key result's time, {days[0]} to {days[1]}"
                self.around.findings.add((*key, index, "on"), message)
            elif before is not None and point.on <= before:
                self.around.findings.add((*key, index, "on"), f"{point.on} is not after {before}, the point above")
            before = point.on
        return points

    def _revisions(self, metric: BoundMetric | None) -> list[Revision]:
        """In order; a target is in the unit of the metric in force from then on."""
        revisions, days, before = [], self._days(), None
        for index, written in enumerate(self.table.revisions):
            key: Key = (*self.key, "revisions", index)
            if before is not None and written.on <= before:
                self.around.findings.add((*key, "on"), f"{written.on} is not after {before}, the revision above")
            before = written.on
            changed = self.around.metrics.get(written.metric) if written.metric else None
            if changed is not None:
                self._same_unit(metric, changed, written, key)
                metric = changed
            if days is not None:
                days = self._revised_days(written, days, key)
            revisions.append(self._revision(written, metric, days, key))
        return revisions

    def _revised_days(self, written: RevisionTable, days: tuple[date, date], key: Key) -> tuple[date, date]:
        """The days in force from the revision on; it must lie within those before it."""
        if not days[0] <= written.on <= days[1]:
            message = f"{written.on} is outside the key result's time, {days[0]} to {days[1]}"
            self.around.findings.add((*key, "on"), message)
        if written.deadline is None:
            return days
        if written.deadline < max(days[0], written.on):
            what = "the start" if written.on < days[0] else "the revision's own day"
            message = f"{written.deadline} is before {what}, {max(days[0], written.on)}"
            self.around.findings.add((*key, "deadline"), message)
            return days
        return days[0], written.deadline

    def _revision(
        self, written: RevisionTable, metric: BoundMetric | None, days: tuple[date, date] | None, key: Key
    ) -> Revision:
        target: Target | None = None
        if written.target is not None and metric is not None and metric.unit is not None:
            target = bind_target(written.target, metric.unit, (*key, "target"), self.around.findings)
        plan = self._plan(written.plan, days, (*key, "plan")) if written.plan is not None and days else None
        return Revision(
            on=written.on,
            reason=written.reason,
            target=target,
            deadline=written.deadline,
            metric=written.metric,
            plan=plan,
            weight=written.weight,
            withdraw=written.withdraw,
        )

    def _same_unit(self, old: BoundMetric | None, new: BoundMetric, written: RevisionTable, key: Key) -> None:
        if old is None or old.unit is None or new.unit is None or written.target is not None:
            return
        if (old.unit.dimension, old.unit.text) != (new.unit.dimension, new.unit.text):
            self.around.findings.add(
                (*key, "metric"), f"is in {new.unit.text}, the target in {old.unit.text}: write a new target beside it"
            )


def _unique_ids(written: Sequence[WrittenObjective], cycles: Cycles, findings: Findings) -> None:
    seen: dict[tuple[str, str, str], str] = {}
    for objective in written:
        cycle = objective.cycle or (cycles.default.name if cycles.default else "")
        if objective.table is not None and "id" not in objective.wrong:
            _once(seen, ("objective", cycle, objective.table.id), objective.key, findings)
        for kr in (one for one in objective.key_results if "id" not in one.wrong):
            _once(seen, ("key result", cycle, kr.table.id), kr.key, findings)
    for objective in written:
        cycle = objective.cycle or (cycles.default.name if cycles.default else "")
        for kr in objective.key_results:
            if kr.table.was is not None and ("key result", cycle, kr.table.was) in seen:
                findings.add((*kr.key, "was"), f'"{kr.table.was}" is still the id of a key result of this cycle')


def _once(seen: dict[tuple[str, str, str], str], what: tuple[str, str, str], key: Key, findings: Findings) -> None:
    if what in seen:
        findings.add((*key, "id"), f'"{what[2]}" is the id of another {what[0]} of the same cycle already')
    seen[what] = what[2]


def _parents(written: Sequence[WrittenObjective], findings: Findings) -> None:
    parents = {o.table.id: o.table.parent for o in written if o.table is not None and "id" not in o.wrong}
    for objective in written:
        parent = objective.table.parent if objective.table else None
        if objective.table is None or parent is None:
            continue
        key = (*objective.key, "parent")
        if parent not in parents:
            others = [name for name in parents if name != objective.table.id]
            findings.add(key, f'there is no objective "{parent}"{choices(parent, others)}')
        elif "id" not in objective.wrong and _leads_back(objective.table.id, parents):
            findings.add(key, f'"{objective.table.id}" would serve itself, by way of "{parent}"')


def _known_metrics(written: Sequence[WrittenObjective], known: Mapping[str, BoundMetric], findings: Findings) -> None:
    for kr in (kr for objective in written for kr in objective.key_results):
        for name, key in kr.metrics:
            if name not in known:
                findings.add(key, f"there is no [metrics.{name}]{choices(name, known)}")


def _leads_back(start: str, parents: Mapping[str, str | None]) -> bool:
    node, steps = parents.get(start), 0
    while node is not None and node != start and steps <= len(parents):
        node, steps = parents.get(node), steps + 1
    return node == start
