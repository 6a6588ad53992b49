"""Rules that need nothing but the config: how many, worded how, guarded by what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ..metrics.definition import MetricDefinition
from ..metrics.traits import is_carried, traits_of
from .lint_rules import Finding
from .lint_wording import direction, is_output, is_vague, number_in, set_of, words_of
from .model import ChangeBy, Keep, KeyResult, Objective, Reach, Target
from .progress import TargetError, resolve
from .terms import Terms, terms

MOST_OBJECTIVES, MOST_KEY_RESULTS, FEWEST_KEY_RESULTS = 5, 5, 3

_LONGEST_WINDOW = 1 / 3

STABILITY = frozenset(
    {
        "rollback_rate",
        "change_failure_rate",
        "deployment_rework_rate",
        "deployment_attempt_failure_rate",
        "failed_deployment_recovery_time",
        "incident_count",
    }
)
"""Measures that show what breaks when more is shipped."""

COUNTED_OUTPUT = frozenset(
    {"deployment_frequency", "deployment_days", "deployment_count", "change_count", "test_count"}
)
"""Measures that rise by doing more, whatever it is good for."""

_VANITY = set_of(
    "views visits downloads followers likes stars clicks impressions signups registrations commits lines points "
    "velocity"
)
_ERRORS = set_of("error errors fail failed failing failure failures success availability 5xx slo")


@dataclass(frozen=True)
class Plan:
    """The objectives of one cycle, and what measures their key results, as they are on `day`."""

    objectives: Sequence[Objective]
    metrics: Mapping[str, MetricDefinition]
    day: date

    def terms(self, kr: KeyResult) -> Terms:
        return terms(kr, self.day)

    def judged(self, objective: Objective) -> list[KeyResult]:
        """Those that are neither proposals nor given up."""
        return [kr for kr in objective.key_results if not kr.draft and not self.terms(kr).withdrawn]

    def measured_by(self, kr: KeyResult) -> MetricDefinition:
        return self.metrics[self.terms(kr).metric]


def of_the_cycle(plan: Plan) -> Iterator[Finding]:
    alive = [objective for objective in plan.objectives if plan.judged(objective)]
    if len(alive) > MOST_OBJECTIVES:
        yield Finding("KR001", f"{len(alive)} objectives in one cycle; {MOST_OBJECTIVES} at most can be kept in mind")


def of_an_objective(plan: Plan, objective: Objective) -> Iterator[Finding]:
    for code, words in _of_an_objective(plan, objective):
        yield Finding(code, words, objective.id)


def _of_an_objective(plan: Plan, objective: Objective) -> Iterator[tuple[str, str]]:
    judged = plan.judged(objective)
    if len(judged) > MOST_KEY_RESULTS:
        yield "KR002", f"{len(judged)} key results; {MOST_KEY_RESULTS} at most"
    if 0 < len(judged) < FEWEST_KEY_RESULTS:
        several = "only 1 key result" if len(judged) == 1 else f"only {len(judged)} key results"
        yield "KR003", f"{several}; {FEWEST_KEY_RESULTS} at least"
    if (number := number_in(objective.title)) is not None:
        yield "KR004", f'"{number}" stands in its title: say what is wanted, and put the number into a key result'
    seen_in = [text for kr in judged for text in (kr.title, kr.metric.replace("-", " "))]
    if judged and is_vague(objective.title, seen_in):
        yield "KR005", "nothing in its key results says how one would see that it came true"
    if not (objective.owner or objective.teams):
        yield "KR006", 'nobody answers for it: write owner = "…"'
    for metric, count in Counter(plan.terms(kr).metric for kr in judged).items():
        if count > 1:
            ids = ", ".join(kr.id for kr in judged if plan.terms(kr).metric == metric)
            yield "KR007", f"{metric} measures {count} of its key results: {ids}"


def of_a_key_result(plan: Plan, objective: Objective, kr: KeyResult) -> Iterator[Finding]:
    if plan.terms(kr).withdrawn:
        return
    for code, words in _of_a_key_result(plan, objective, kr):
        yield Finding(code, words, objective.id, kr.id)


def _of_a_key_result(plan: Plan, objective: Objective, kr: KeyResult) -> Iterator[tuple[str, str]]:
    if is_output(kr.title):
        yield "KR101", "its title tells of work, not of what changes by it"
    if not (kr.owner or objective.owner or objective.teams):
        yield "KR102", 'nobody answers for it: write owner = "…"'
    yield from _unguarded(plan, objective, kr)
    deadline = plan.terms(kr).deadline
    if deadline > objective.cycle.end:
        yield "KR105", f"its deadline {deadline} is after the end of {objective.cycle.name}, {objective.cycle.end}"
    yield from _against_its_words(plan, kr)
    yield from _windows(plan, kr)


def _unguarded(plan: Plan, objective: Objective, kr: KeyResult) -> Iterator[tuple[str, str]]:
    metric = plan.measured_by(kr)
    watched = [plan.metrics[g.metric] for g in kr.guardrails]
    watched += [plan.measured_by(other) for other in plan.judged(objective) if other is not kr]
    rises = rising(plan, kr) is not False
    if rises and _is_counted_output(metric, kr) and not any(m.measure in STABILITY for m in watched):
        more = 'guardrails = [{ metric = "…", at_most = "5%" }] with a rollback or failure rate'
        yield "KR103", f"more of it is not better by itself: add {more}"
    if not rises and _is_latency(metric) and not any(map(_shows_errors, watched)):
        yield "KR104", "what fails fast counts as fast: add a guardrail on the share of requests that fail"


def _is_counted_output(metric: MetricDefinition, kr: KeyResult) -> bool:
    if metric.measure in COUNTED_OUTPUT:
        return True
    counts = metric.measure == "sampled" and metric.unit.dimension in ("count", "plain")
    return counts and bool(_VANITY & {*words_of(kr.title), *words_of(metric.name.replace("-", " "))})


def _is_latency(metric: MetricDefinition) -> bool:
    return metric.measure in ("sampled", "histogram_quantile") and metric.unit.dimension == "duration"


def _shows_errors(metric: MetricDefinition) -> bool:
    named = bool(_ERRORS & {*words_of(metric.name.replace("-", " ").replace("_", " "))})
    return metric.measure in STABILITY or (metric.measure == "sampled" and (named or metric.unit.dimension == "ratio"))


def rising(plan: Plan, kr: KeyResult) -> bool | None:
    """Whether its target asks for more; None where that can't be told without a baseline, and for `keep`."""
    now = plan.terms(kr)
    return _rises(now.target, plan.metrics[now.metric], kr.baseline)


def _rises(target: Target, metric: MetricDefinition, baseline: float | None) -> bool | None:
    if isinstance(target, Keep):
        return None
    if isinstance(target, ChangeBy):
        return target.amount > 0
    if isinstance(target, Reach) and target.start is not None:
        return target.to > target.start
    try:
        goal = resolve(target, traits_of(metric), baseline)
    except TargetError:
        return None
    return None if goal is None else goal.rising


def _against_its_words(plan: Plan, kr: KeyResult) -> Iterator[tuple[str, str]]:
    asked, said, better = rising(plan, kr), direction(kr.title), traits_of(plan.measured_by(kr)).better
    target = plan.terms(kr).target.text
    if asked is None:
        return
    if said is not None and said is not asked:
        yield (
            "KR106",
            f"its title says {'more' if said else 'less'}, its target ({target}) {'more' if asked else 'less'}",
        )
    elif better is not None and (better == "higher") is not asked:
        yield "KR106", f"of {plan.terms(kr).metric} {better} is better, and its target ({target}) asks for the opposite"


def _windows(plan: Plan, kr: KeyResult) -> Iterator[tuple[str, str]]:
    metric, now = plan.measured_by(kr), plan.terms(kr)
    days, time = metric.window.days, (now.deadline - kr.start).days + 1
    if not days or is_carried(metric):
        return
    if days > time * _LONGEST_WINDOW:
        yield "KR107", f"its window of {days:g} days is over a third of its time, {time} days"
    if days % 7 and days > 1:
        weeks = max(7, round(days / 7) * 7)
        yield "KR108", f'its window of {days:g} days is no whole number of weeks: write "{weeks}d"'
