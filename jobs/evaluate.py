"""Evaluating: from what is stored to what is said. The only place that puts stored facts to metrics."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, datetime

from ..config.model import Config
from ..krs.changes import snapshot
from ..krs.cycle import Cycle
from ..krs.model import KeyResult, Objective
from ..krs.names import KeyResultName, key_results_of, resolve
from ..krs.rollup import roll_up
from ..krs.terms import measured_since
from ..metrics.reading import Reading
from ..metrics.traits import counted_in_words, in_words
from ..reports.numbers import Period
from ..reports.progress_report import (
    DayValue,
    ProgressReport,
    ReportedKeyResult,
    ReportedObjective,
    ReportedRevision,
    TargetTerms,
)
from ..reports.values import Explanation, MetricSeries
from ..reports.wording import period_by
from .check_ins import Said, check_ins_of
from .closed import closed_report, for_every_day
from .evidence import Evaluation
from .judging import Judged, judged
from .notices import in_watched_words, notices
from .outlooks import forecast_of
from .remembered import Remembered
from .sources import source_healths
from .workspace import Workspace


class NoCycle(ValueError):
    """The config names no cycle to show."""


def evaluate_all(workspace: Workspace, remembered: Remembered | None = None) -> None:
    """Evaluate every cycle in use as of now and keep what is said; the shown cycle last, so that it is the newest.

    Of what is `remembered` only those key results are evaluated of which something is new. A cycle that can't be
    evaluated costs the others nothing; the first that failed is told at the end.
    """
    shown = workspace.config.cycle.name if workspace.config.cycle else None
    used = sorted({o.cycle.name for o in workspace.config.objectives}, key=lambda name: (name == shown, name))
    as_of, failures = workspace.clock(), list[Exception]()
    for name in used:
        try:
            evaluate(workspace, as_of=as_of, cycle=name, store=True, remembered=remembered)
        except Exception as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


def evaluate(
    workspace: Workspace,
    *,
    as_of: datetime,
    cycle: str | None = None,
    store: bool = False,
    evaluation: Evaluation | None = None,
    remembered: Remembered | None = None,
) -> ProgressReport:
    """What is to be said of a cycle at `as_of`, by all that is stored and known by then; what was frozen by closing it.

    `store` keeps it, freezes baselines that can no longer change and notes how key results are
    defined; without it nothing is written. `evaluation` is one as of that time whose facts are loaded already;
    `remembered` what the same process said before by the same config.

    Raises:
        NoCycle: where neither `cycle` nor the config says which.
    """
    config = workspace.config
    name = cycle or (config.cycle.name if config.cycle else "")
    frozen = closed_report(workspace.store, name, as_of)
    if frozen is not None:
        if store:
            _say_closed(workspace, frozen)
        return for_every_day(frozen)
    one = cycle_named(config, cycle)
    evaluation = evaluation or Evaluation(config, workspace.store, as_of, of_key_results=True)
    if store:
        _follow_renames(workspace, one)
    said = check_ins_of(workspace.store, one.name, config.objectives, as_of)
    mine = [o for o in config.objectives if o.cycle.name == one.name]
    objectives = tuple(_objective(evaluation, o, said, remembered, freeze=store) for o in mine)
    report = ProgressReport(
        as_of=as_of,
        timezone=config.calendar.timezone,
        cycle=one,
        objectives=objectives,
        sources=source_healths(workspace),
        notices=notices(workspace, one, as_of),
    )
    if store:
        keep(workspace, report)
    return report


def metric_series(
    workspace: Workspace, name: str, *, since: date | None, until: date | None, as_of: datetime
) -> MetricSeries:
    """One reading per day that closes from `since` to `until` (both included), and one for the open day.

    Without `since` it begins with the cycle shown, or 28 days back.
    """
    config = workspace.config
    calendar, evaluation = config.calendar, Evaluation(config, workspace.store, as_of)
    start = config.cycle.start if config.cycle else calendar.day_of(calendar.days_before(as_of, 28))
    first = calendar.start_of(since or min(start, calendar.day_of(as_of)))
    last = min(as_of, calendar.end_of(until)) if until else as_of
    instants = calendar.day_ends(first, last)
    if last > first and (not instants or instants[-1] < last):
        instants.append(last)
    definition = config.metrics[name]
    return MetricSeries(
        metric=name,
        unit=definition.unit.text,
        definition=in_words(definition),
        counted=counted_in_words(definition),
        per=_period_of_users(evaluation, name, config.cycle.name if config.cycle else ""),
        timezone=calendar.timezone,
        readings=tuple(evaluation.measurement(name).readings(instants, calendar.start_of(start))),
    )


def explain(workspace: Workspace, name: str, *, as_of: datetime) -> Explanation:
    """The newest reading of a key result or metric, and every fact it looked at.

    Raises:
        UnknownNameError: with near matches.
    """
    config = workspace.config
    evaluation = Evaluation(config, workspace.store, as_of)
    shown = config.cycle.name if config.cycle else ""
    found = resolve(name, config.objectives, config.metrics, shown)
    if isinstance(found, KeyResultName):
        one = _judged(evaluation, found.cycle, key_results_of(found.cycle, config.objectives)[found.id])
        metric, reading = _newest(evaluation, one)
        per: Period | None = _period(one)
    else:
        start = config.cycle.start if config.cycle else config.calendar.day_of(as_of)
        metric = found.name
        reading = evaluation.measurement(metric).readings([as_of], config.calendar.start_of(start))[0]
        per = _period_of_users(evaluation, metric, shown)
    return Explanation(
        name=name,
        definition=in_words(config.metrics[metric]),
        counted=counted_in_words(config.metrics[metric]),
        per=per,
        timezone=config.calendar.timezone,
        window=reading.window,
        reading=reading,
        facts=tuple(evaluation.measurement(metric).evidence(reading)),
    )


def _judged(evaluation: Evaluation, cycle: str, kr: KeyResult) -> Judged:
    objective = next(o for o in evaluation.config.objectives if o.cycle.name == cycle and kr in o.key_results)
    return judged(evaluation, objective, kr, freeze=False)


def _newest(evaluation: Evaluation, one: Judged) -> tuple[str, Reading]:
    """The reading that a key result is judged by, and its metric."""
    if one.judgement.reading is not None:
        return one.judgement.metric, one.judgement.reading
    start = evaluation.config.calendar.start_of(one.kr.start)
    return one.kr.metric, evaluation.measurement(one.kr.metric).readings([evaluation.as_of], start)[0]


def _period(one: Judged) -> Period:
    return period_by(TargetTerms.of(one.target, one.judgement.target_value), one.judgement.reading)


def _period_of_users(evaluation: Evaluation, metric: str, cycle: str) -> Period | None:
    """The period in which the cycle's key results show a rate, where they agree on one."""
    if evaluation.config.metrics[metric].unit.dimension != "per_day":
        return None
    users = [kr for kr in key_results_of(cycle, evaluation.config.objectives).values() if kr.metric == metric]
    periods: set[Period] = {_period(_judged(evaluation, cycle, kr)) for kr in users}
    return periods.pop() if len(periods) == 1 else None


def cycle_named(config: Config, name: str | None) -> Cycle:
    """
    Raises:
        NoCycle: where neither `name` nor the config says which, or no objective is set for it.
    """
    if name is None:
        if not config.cycles and config.cycle is None:
            raise NoCycle('there are no objectives yet: say cycle = "2026-Q4" under [tracker] and write [[objectives]]')
        if config.cycle is None:
            raise NoCycle('which cycle? Name one with --cycle, or say cycle = "2026-Q4" under [tracker]')
        return config.cycle
    if name not in config.cycles:
        known = ", ".join(sorted(config.cycles)) or "none"
        raise NoCycle(f"no objective is set for the cycle {name!r}; known: {known}")
    return config.cycles[name]


def _objective(
    evaluation: Evaluation, objective: Objective, said: Said, remembered: Remembered | None, *, freeze: bool
) -> ReportedObjective:
    def evaluated(kr: KeyResult) -> ReportedKeyResult:
        def anew() -> tuple[ReportedKeyResult, datetime | None]:
            one = judged(evaluation, objective, kr, freeze=freeze)
            return _reported(evaluation, one), one.ages_at

        found = remembered.said(evaluation, objective, kr, anew) if remembered else anew()[0]
        return replace(found, check_ins=said.get(kr.id, ()))

    found = tuple(map(evaluated, objective.key_results))
    return ReportedObjective(
        id=objective.id,
        title=objective.title,
        kind=objective.kind,
        owner=objective.owner,
        teams=objective.teams,
        parent=objective.parent,
        judgement=roll_up(one.judgement for one in found),
        key_results=found,
    )


def _reported(evaluation: Evaluation, one: Judged) -> ReportedKeyResult:
    """All that is said of it, but for what people say."""
    kr, judgement = one.kr, one.judgement
    outlook, no_outlook = forecast_of(evaluation, one)
    definition = evaluation.config.metrics[judgement.metric]
    return ReportedKeyResult(
        id=kr.id,
        title=kr.title,
        owner=kr.owner,
        unit=definition.unit.text,
        definition=in_words(definition),
        counted=counted_in_words(definition),
        target=TargetTerms.of(one.target, judgement.target_value),
        first_target=_first_target(evaluation.config, one),
        start=kr.start,
        initiatives=kr.initiatives,
        revisions=ReportedRevision.all_of(kr),
        with_excluded=_with_excluded(evaluation, one),
        series=tuple(DayValue(r.day, r.value, r.health) for r in one.readings),
        measured_since=measured_since(kr, one.case.moment(evaluation.as_of).day),
        accept_partial=kr.accept_partial,
        forecast=outlook,
        no_forecast=no_outlook,
        judgement=judgement,
    )


def _first_target(config: Config, one: Judged) -> TargetTerms | None:
    """What the team began with, where that is another one; only as written where its metric has another unit."""
    if one.target == one.kr.target:
        return None
    first = TargetTerms.of(one.kr.target, None)
    if config.metrics[one.kr.metric].unit == config.metrics[one.judgement.metric].unit:
        return first
    return TargetTerms(kind=first.kind, text=first.text)


def _with_excluded(evaluation: Evaluation, one: Judged) -> float | None:
    """What the judged reading would be with the facts that its metric excludes, where that leaves any out."""
    reading, metric = one.judgement.reading, one.judgement.metric
    if reading is None or not evaluation.config.metrics[metric].exclude:
        return None
    start = evaluation.config.calendar.start_of(one.kr.start)
    whole = evaluation.measurement(metric, exclude=()).readings([reading.at], start)[0]
    return whole.value if whole.value != reading.value else None


def _follow_renames(workspace: Workspace, cycle: Cycle) -> None:
    for kr in key_results_of(cycle.name, workspace.config.objectives).values():
        if kr.was is not None:
            workspace.store.rename(cycle.name, kr.was, kr.id)


def keep(workspace: Workspace, report: ProgressReport) -> None:
    """Store what is said, where it is something new, and note how the key results are defined."""
    defined = {
        id_: snapshot(kr, in_watched_words(workspace.config.metrics[kr.metric]))
        for id_, kr in key_results_of(report.cycle.name, workspace.config.objectives).items()
    }
    workspace.store.put_definitions(report.cycle.name, defined, report.as_of)
    _say(workspace, report)


def _say_closed(workspace: Workspace, frozen: ProgressReport) -> None:
    """Only where the process that closed the cycle ended before it could."""
    last = workspace.store.last_confirmed(frozen.cycle.name)
    if last is None or last < frozen.as_of:
        _say(workspace, for_every_day(frozen))


def _say(workspace: Workspace, report: ProgressReport) -> None:
    workspace.store.put_evaluation(
        at=report.as_of,
        day=workspace.config.calendar.day_closed_by(report.as_of),
        cycle=report.cycle.name,
        config_digest=workspace.config.digest,
        content=report.to_json(),
        ground=_ground(report),
    )


def _ground(report: ProgressReport) -> str:
    """A digest of what is said, as precisely as it is shown: time passing alone is nothing new."""
    said = [
        (
            kr.id,
            kr.title,
            kr.target.text,
            kr.judgement.status,
            kr.judgement.progress,
            _shown(kr.judgement.reading),
            kr.judgement.baseline and (f"{kr.judgement.baseline.value:.3g}", kr.judgement.baseline.provisional),
            [flag.code for flag in kr.judgement.flags],
            [(g.metric, g.holds) for g in kr.judgement.guardrails],
            kr.check_ins,
        )
        for objective in report.objectives
        for kr in objective.key_results
    ]
    text = repr((said, [(s.name, s.health) for s in report.sources], report.notices, report.closed))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _shown(reading: Reading | None) -> object:
    if reading is None:
        return None
    return reading.health, None if reading.value is None else f"{reading.value:.3g}"
