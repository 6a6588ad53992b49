"""The judgement of one key result: status, flags, and the reasons for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ..metrics.comparison import at_least
from ..metrics.reading import Reading
from .comparison import MOST_UNSATISFIED, cut, percent
from .flags import flags
from .guardrails import all_hold, any_broken, guardrail_states
from .judgement import GuardrailState, Judgement, Status
from .keep import is_measured
from .model import KeyResult
from .standing import LANDING, Case, Standing, is_coarse, measures_as_begun, stand

Verdict = tuple[Status, str]


def judge(case: Case, *, guardrails: Mapping[str, Reading | None], as_of: datetime) -> Judgement:
    """One key result, judged as of an instant.

    `guardrails` are the readings of its guardrails at the judged instant (`terms.moment`).
    """
    kr = case.kr
    standing = stand(case, as_of)
    states = guardrail_states(kr, guardrails, case.traits)
    status, why = _verdict(case, standing, states)
    terms = standing.moment.terms
    return Judgement(
        status=status,
        why=why,
        reading=standing.reading,
        baseline=case.baseline if measures_as_begun(case, standing.moment) else None,
        target_value=standing.goal.limit if standing.goal else None,
        comparison=standing.goal.comparison if standing.goal else None,
        shape=standing.goal.shape if standing.goal else None,
        progress=_shown(standing),
        raw_progress=standing.raw,
        satisfied=standing.satisfied,
        expected=standing.expected,
        needed_pace=standing.needed,
        decides_on=standing.decides_on,
        deadline=terms.deadline,
        weight=terms.weight,
        metric=terms.metric,
        kept=standing.kept,
        flags=() if status is Status.NOT_STARTED else flags(case, standing, states),
        guardrails=states,
    )


def _shown(standing: Standing) -> float | None:
    if standing.raw is None:
        return None
    progress = cut(min(1.0, max(0.0, standing.raw)))
    return progress if standing.satisfied else min(progress, MOST_UNSATISFIED)


def _verdict(case: Case, standing: Standing, guardrails: Sequence[GuardrailState]) -> Verdict:
    moment = standing.moment
    if moment.terms.withdrawn:
        return Status.WITHDRAWN, _withdrawal(case.kr)
    if case.kr.draft:
        return Status.DRAFT, "A draft is measured, not judged"
    if moment.at <= moment.start:
        return Status.NOT_STARTED, f"It starts on {case.kr.start}"
    if moment.ended:
        return _final(case, standing, guardrails)
    missing = _missing(standing)
    if missing is not None:
        return Status.UNKNOWN, missing
    return _running(case, standing, guardrails)


def _withdrawal(kr: KeyResult) -> str:
    revision = next(r for r in sorted(kr.revisions, key=lambda r: r.on) if r.withdraw)
    return f"Withdrawn on {revision.on}: {revision.reason}"


def _missing(standing: Standing) -> str | None:
    """What is missing to judge by; None where nothing is."""
    if standing.problem is not None:
        return standing.problem
    if standing.reading is None:
        return "There is no reading yet"
    if not standing.usable:
        health = standing.reading.health.value.replace("_", " ")
        return f"The reading can't be used: {'; '.join((health, *standing.reading.notes))}"
    if standing.raw is None:
        return "There is no baseline yet to measure progress from"
    return None


def _running(case: Case, standing: Standing, guardrails: Sequence[GuardrailState]) -> Verdict:
    assert standing.by_pace is not None
    broken = [g.metric for g in guardrails if g.holds is False]
    if standing.satisfied and all_hold(guardrails) and not standing.is_budget and not is_coarse(standing):
        return Status.MET, "The target is reached and every guardrail holds" if guardrails else "The target is reached"
    why = _pace_in_words(standing, case.asked)
    if any_broken(guardrails) and standing.by_pace is Status.ON_TRACK:
        return Status.AT_RISK, f"{why}, but its guardrail {' and '.join(broken)} is broken"
    return standing.by_pace, why


def _pace_in_words(standing: Standing, asked: float) -> str:
    """Done and due on one scale: of an aspirational target only a share is due."""
    assert standing.raw is not None
    assert standing.expected is not None
    if standing.kept is not None:
        kept = standing.kept
        return f"{kept.bad} bad days of {kept.budget:.3g} allowed, {percent(standing.elapsed)} of the time gone"
    if standing.is_budget:
        over = "over its budget" if standing.over_budget else "within its budget"
        return f"It is {over}, {percent(standing.elapsed)} of the time gone"
    if standing.satisfied:
        return "The target is reached for now"
    due = percent(standing.expected * asked)
    done = percent(max(0.0, _shown(standing) or 0.0))
    if standing.raw < 0:
        return f"It is further from the target than at the start, {due} of the way was due"
    return f"{done} of the way is done, {due} of it was due"


def _final(case: Case, standing: Standing, guardrails: Sequence[GuardrailState]) -> Verdict:
    by = _by_which_reading(standing)
    if standing.kept is not None and not is_measured(standing.kept):
        seen = f"{standing.kept.measured} of {standing.kept.days} days were measured"
        if standing.over_budget:
            return Status.MISSED, f"Over its budget of bad days, though only {seen}"
        return Status.NOT_MEASURED, f"Only {seen}: a person has to grade it, and to say why"
    missing = _missing(standing) if standing.kept is None else None
    if missing is not None:
        if standing.satisfied is False and case.kind == "committed":
            return Status.MISSED, f"The target is not reached{by}"
        return Status.NOT_MEASURED, f"{missing}: a person has to grade it, and to say why"
    reached = _success(case, standing)
    if reached is None:
        return Status.MISSED, f"The target is not reached{by}"
    unsure = [f"{g.metric} is {'broken' if g.holds is False else 'unseen'}" for g in guardrails if g.holds is not True]
    if unsure:
        return Status.HELD_BACK, f"The target is reached, but its guardrail {' and '.join(unsure)}{by}"
    return reached, {
        Status.MET: f"The target is reached{by}",
        Status.LANDED: f"{percent(standing.raw or 0.0)} of an aspirational target is reached{by}",
    }[reached]


def _success(case: Case, standing: Standing) -> Status | None:
    if standing.satisfied:
        return Status.MET
    landed = standing.raw is not None and at_least(standing.raw, LANDING)
    return Status.LANDED if case.kind == "aspirational" and landed else None


def _by_which_reading(standing: Standing) -> str:
    if not standing.late or standing.reading is None:
        return ""
    return f", by the reading of {standing.reading.day}, the last usable one before the deadline"
