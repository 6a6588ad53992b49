"""What charts need beside a report's numbers: what was asked of each key result day by day."""

from __future__ import annotations

from dataclasses import replace

from ..config.model import Config
from ..krs.model import KeyResult, Objective
from ..krs.planned import PlannedDay, planned
from ..krs.standing import Case
from ..metrics.traits import traits_of
from ..reports.progress_report import ProgressReport, ReportedKeyResult, ReportedObjective


def with_planned(config: Config, report: ProgressReport) -> ProgressReport:
    """The report with `planned` and `excluded` of every key result that the config still has.

    Of what was said under another config nothing is known that was planned then.
    """
    if report.said is not None and not report.said.same_config:
        return report
    defined = {o.id: o for o in config.objectives if o.cycle.name == report.cycle.name}
    told = (_objective(config, defined[o.id], o) if o.id in defined else o for o in report.objectives)
    return replace(report, objectives=tuple(told))


def _objective(config: Config, objective: Objective, reported: ReportedObjective) -> ReportedObjective:
    defined = {kr.id: kr for kr in objective.key_results}
    told = (
        _key_result(config, objective, defined[kr.id], kr) if kr.id in defined else kr for kr in reported.key_results
    )
    return replace(reported, key_results=tuple(told))


def _key_result(config: Config, objective: Objective, kr: KeyResult, reported: ReportedKeyResult) -> ReportedKeyResult:
    metric = config.metrics.get(reported.judgement.metric)
    return replace(
        reported,
        planned=_planned(config, objective, kr, reported),
        excluded=() if metric is None else metric.exclude,
    )


def _planned(
    config: Config, objective: Objective, kr: KeyResult, reported: ReportedKeyResult
) -> tuple[PlannedDay, ...]:
    return planned(
        Case(
            kr=kr,
            kind=objective.kind,
            pace=config.pace,
            calendar=config.calendar,
            traits={name: traits_of(config.metrics[name]) for name in kr.metrics},
            baseline=reported.judgement.baseline,
            readings=(),
        )
    )
