"""One key result: its series by the metric in force on each day, its baseline, its guardrails, its judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from ..config.model import Config
from ..krs.judge import judge
from ..krs.judgement import Judgement
from ..krs.model import KeyResult, Objective, Target
from ..krs.standing import Case
from ..krs.terms import moment, terms
from ..metrics.definition import MetricTraits
from ..metrics.reading import Reading
from ..metrics.traits import traits_of
from .baselines import baseline_of
from .evidence import Evaluation
from .readings import daily


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A key result's judgement, the target that it was judged by, and the daily readings it rests on.

    `case` is all that it was judged by. After `ages_at` the next of its readings is too old, if nothing comes.
    """

    kr: KeyResult
    target: Target
    judgement: Judgement
    readings: list[Reading]
    case: Case
    ages_at: datetime | None


def judged(evaluation: Evaluation, objective: Objective, kr: KeyResult, *, freeze: bool) -> Judged:
    config = evaluation.config
    traits = all_traits(config, kr)
    judged_at = moment(kr, traits, config.calendar, evaluation.as_of)
    readings = series(evaluation, kr, judged_at.at, keep=freeze)
    case = Case(
        kr=kr,
        kind=objective.kind,
        pace=config.pace,
        calendar=config.calendar,
        traits=traits,
        baseline=baseline_of(evaluation, objective.cycle.name, kr, readings, freeze=freeze),
        readings=readings,
    )
    guardrails = _guardrails(evaluation, kr, judged_at.at)
    judgement = judge(case, guardrails=guardrails, as_of=evaluation.as_of)
    return Judged(
        kr=kr,
        target=judged_at.terms.target,
        judgement=judgement,
        readings=readings,
        case=case,
        ages_at=_ages_at(evaluation, {**guardrails, judgement.metric: judgement.reading}),
    )


def _ages_at(evaluation: Evaluation, judged_by: Mapping[str, Reading | None]) -> datetime | None:
    metrics = evaluation.config.metrics
    ends = [reading.window.end + metrics[name].max_age for name, reading in judged_by.items() if reading]
    return min((end for end in ends if end >= evaluation.as_of), default=None)


def series(evaluation: Evaluation, kr: KeyResult, until: datetime, *, keep: bool) -> list[Reading]:
    """One reading at each day's end since the key result's start, and one at `until` for the open day."""
    calendar = evaluation.config.calendar
    start = calendar.start_of(kr.start)
    if until <= start:
        return []
    instants = calendar.day_ends(start, until)
    if not instants or instants[-1] < until:
        instants.append(until)
    readings: list[Reading] = []
    for metric, part in groupby(instants, key=lambda at: terms(kr, calendar.day_closed_by(at)).metric):
        readings += daily(evaluation, metric, list(part), start, keep=keep)
    return readings


def _guardrails(evaluation: Evaluation, kr: KeyResult, at: datetime) -> Mapping[str, Reading | None]:
    start = evaluation.config.calendar.start_of(kr.start)
    if at < start:
        return {}
    return {g.metric: evaluation.measurement(g.metric).readings([at], start)[0] for g in kr.guardrails}


def all_traits(config: Config, kr: KeyResult) -> Mapping[str, MetricTraits]:
    """Those of every metric the key result ever had, and of its guardrails."""
    return {name: traits_of(config.metrics[name]) for name in kr.metrics}
