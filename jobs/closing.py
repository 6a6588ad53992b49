"""Closing a cycle: grades are worked out once more, shown, and frozen; reopening, and what was learned."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from ..config.model import Config
from ..krs.grading import CannotGrade, Grade, HandGrade, as_begun, grade, grade_objective, wants_hand
from ..krs.judgement import Judgement, Status
from ..krs.model import KeyResult, Objective
from ..krs.names import UnknownNameError, key_results_of
from ..krs.terms import moment
from ..reports.progress_report import Closed, ProgressReport, ReportedKeyResult, ReportedObjective
from ..reports.values import ClosingPreview, Learned
from .closed import closed_report, closing_in_force, for_every_day, history, learned
from .evaluate import cycle_named, evaluate, keep
from .evidence import Evaluation
from .judging import all_traits, judged
from .telling import report_of
from .workspace import Workspace

Hands = Mapping[str, HandGrade]
"""Grades by hand, by the key result's id."""

_ASIDE = frozenset({Status.WITHDRAWN, Status.DRAFT})


class CannotClose(ValueError):
    """What was asked of a cycle's closing can't be done; `str()` says why and what to do."""


def preview(workspace: Workspace, cycle: str, hands: Hands | None = None, *, early: bool = False) -> ClosingPreview:
    """What closing the cycle now would freeze, and what is in its way; of a closed one what was frozen.

    `early` closes before everything has come to its end.

    Raises:
        NoCycle: where there is none of this name.
        UnknownNameError: for a grade by hand of a key result that isn't there.
        CannotClose: for one that can't be given, or while the cycle is closed.
    """
    now = workspace.clock()
    frozen = closed_report(workspace.store, cycle, now)
    if frozen is not None and hands:
        raise CannotClose(f"{cycle} is closed, and its grades are frozen: `keyresults close {cycle} --reopen` first")
    if frozen is not None:
        return ClosingPreview(report=frozen, history=history(workspace.store, cycle))
    report = graded_report(workspace, cycle, now, hands or {})
    hindrances = tuple(_hindrances(workspace.config, report, early=early))
    return ClosingPreview(report=report, hindrances=hindrances, history=history(workspace.store, cycle))


def close(workspace: Workspace, cycle: str, hands: Hands, *, by: str, early: bool = False) -> ProgressReport:
    """Freeze the grades, with all that they rest on. What is learned of the cycle's time later changes nothing.

    Raises:
        CannotClose: with all that is in the way.
        NoCycle, UnknownNameError: as `preview`.
    """
    found = preview(workspace, cycle, hands, early=early)
    if found.report.closed is not None:
        raise _closed_already(cycle)
    if found.hindrances:
        raise CannotClose(f"{cycle} can't be closed yet: {'; '.join(found.hindrances)}")
    at = found.report.as_of
    report = replace(found.report, closed=Closed(at, by))
    if not workspace.store.put_closing(cycle, "closed", at=at, by=by, content=report.to_json()):
        raise _closed_already(cycle)
    keep(workspace, for_every_day(report))
    return report


def _closed_already(cycle: str) -> CannotClose:
    return CannotClose(f"{cycle} is closed already: `keyresults close {cycle} --reopen --reason …` opens it again")


def reopen(workspace: Workspace, cycle: str, *, by: str, reason: str) -> None:
    """Let the cycle be judged by what is known again; what was frozen stays on record.

    Raises:
        CannotClose: where it is not closed, no reason is given, or its objectives have left the config.
    """
    if not reason.strip():
        raise CannotClose("reopening a cycle needs a reason: --reason …")
    if closing_in_force(workspace.store, cycle) is None:
        raise CannotClose(f"{cycle} is not closed: there is nothing to reopen")
    if cycle not in {o.cycle.name for o in workspace.config.objectives}:
        raise CannotClose(f"the objectives of {cycle} are no longer in the config: put them back to judge them again")
    content = json.dumps({"reason": reason.strip()}, ensure_ascii=False)
    workspace.store.put_closing(cycle, "reopened", at=workspace.clock(), by=by, content=content)
    evaluate(workspace, as_of=workspace.clock(), cycle=cycle, store=True)


@dataclass(frozen=True, slots=True)
class Lesson:
    """Something learned, of one key result or of the whole cycle (None)."""

    key_result: str | None
    text: str


def lesson(written: str, known: Sequence[str]) -> Lesson:
    """`p99=Measure sooner` is about the key result p99, other text about the whole cycle."""
    name, equals, text = written.partition("=")
    if equals and name.strip() in known and text.strip():
        return Lesson(name.strip(), text.strip())
    return Lesson(None, written.strip())


def learn(workspace: Workspace, cycle: str, lessons: Sequence[str], *, by: str) -> None:
    """Write down what was learned.

    Raises:
        CannotClose: for a lesson without a word.
        NoCycle: where there is no such cycle.
    """
    now = workspace.clock()
    frozen = closed_report(workspace.store, cycle, now)
    ids = (
        _ids(frozen) if frozen else [*key_results_of(cycle_named(workspace.config, cycle).name, _objectives(workspace))]
    )
    for written in lessons:
        one = lesson(written, ids)
        if not one.text:
            raise CannotClose("nothing was said to be learned")
        content = json.dumps({"key_result": one.key_result, "text": one.text}, ensure_ascii=False)
        workspace.store.put_closing(cycle, "learned", at=now, by=by, content=content)


def looking_back(workspace: Workspace, cycle: str) -> tuple[ProgressReport, Sequence[Learned]]:
    """A cycle with its grades, frozen or as they would be now, and what was learned in it.

    Raises:
        NoCycle: where there is none of this name.
    """
    return preview(workspace, cycle).report, learned(workspace.store, cycle)


def graded_report(workspace: Workspace, cycle: str, as_of: datetime, hands: Hands) -> ProgressReport:
    """What a report tells of the cycle, with a grade for each key result and objective."""
    one = cycle_named(workspace.config, cycle)
    objectives = [o for o in _objectives(workspace) if o.cycle.name == one.name]
    known = key_results_of(one.name, objectives)
    for name in hands:
        if name not in known:
            raise UnknownNameError(f"key result of {one.name}", name, known)
    grader = _Grader(Evaluation(workspace.config, workspace.store, as_of), hands)
    report = report_of(workspace, as_of=as_of, cycle=one.name)
    graded = (grader.objective(o, told) for o, told in zip(objectives, report.objectives, strict=True))
    return replace(report, since=None, objectives=tuple(graded))


def _objectives(workspace: Workspace) -> Sequence[Objective]:
    return workspace.config.objectives


def _ids(report: ProgressReport) -> list[str]:
    return [kr.id for o in report.objectives for kr in o.key_results]


@dataclass(frozen=True, slots=True)
class _Grader:
    evaluation: Evaluation
    hands: Hands

    def objective(self, objective: Objective, told: ReportedObjective) -> ReportedObjective:
        pairs = zip(objective.key_results, told.key_results, strict=True)
        found = tuple(replace(one, before=None, moved=None, grade=self._grade(objective, kr, one)) for kr, one in pairs)
        return replace(
            told,
            key_results=found,
            grade=grade_objective(objective.kind, [(one.judgement, one.grade) for one in found if one.grade]),
        )

    def _grade(self, objective: Objective, kr: KeyResult, told: ReportedKeyResult) -> Grade:
        judgement, config = told.judgement, self.evaluation.config
        at = moment(kr, all_traits(config, kr), config.calendar, self.evaluation.as_of)
        try:
            return grade(
                objective.kind,
                judgement,
                first=self._by_first_target(objective, kr, at.day),
                hand=self.hands.get(kr.id),
                early=not at.ended,
                days=len(told.series),
                unknown=tuple(day.day for day in told.series if not day.usable(kr.accept_partial)),
            )
        except CannotGrade as problem:
            raise CannotClose(f"{kr.id}: {problem}") from problem

    def _by_first_target(self, objective: Objective, kr: KeyResult, judged_on: date) -> Judgement | None:
        begun = as_begun(kr, judged_on)
        return None if begun is None else judged(self.evaluation, objective, begun, freeze=False).judgement


def _still_runs(config: Config, deadline: date, as_of: datetime) -> bool:
    return as_of < config.calendar.end_of(deadline)


def _hindrances(config: Config, report: ProgressReport, *, early: bool) -> Iterator[str]:
    if not early:
        yield from _not_over(config, report)
    for kr in (kr for o in report.objectives for kr in o.key_results):
        if wants_hand(kr.judgement) and not (kr.grade and kr.grade.by_hand):
            yield f"{kr.id} was not measured; grade it by hand: --grade {kr.id}=0.4 --reason … (or {kr.id}=none)"


def _not_over(config: Config, report: ProgressReport) -> Iterator[str]:
    cycle = report.cycle
    if _still_runs(config, cycle.end, report.as_of):
        yield f"{cycle.name} runs until {cycle.end}; --early closes it before"
    for kr in (kr for o in report.objectives for kr in o.key_results):
        judged_on = kr.judgement.deadline
        later = judged_on > cycle.end and kr.judgement.status not in _ASIDE
        if later and _still_runs(config, judged_on, report.as_of):
            yield f"{kr.id} runs until {judged_on}, longer than its cycle; --early grades it by where it stands"
