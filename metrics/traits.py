"""What a metric's definition implies: how key results must judge it, and what it is in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from .asked import counts_files, further_asked, plainly_asked
from .definition import Exclusion, MetricDefinition, MetricTraits
from .measures import MEASURES, Measure, kinds_needed
from .service import PATTERN, Service
from .window import WindowLength

PARTED = "; "
"""What stands between the parts of a definition in words."""

INSTANT = WindowLength(0)
"""The window of readings that rest on the newest sample alone: they don't lag."""


def traits_of(definition: MetricDefinition) -> MetricTraits:
    measure = MEASURES.get(definition.measure)
    return MetricTraits(
        name=definition.name,
        unit=definition.unit,
        window=INSTANT if is_carried(definition) else definition.window,
        better=definition.better or (measure.better if measure else None),
        counts=measure is not None and measure.shape == "count",
        ratio_of_counts=measure is not None and _moves_in_steps(definition, measure),
        exclude=definition.exclude,
    )


def is_carried(definition: MetricDefinition) -> bool:
    """Whether the newest sample alone decides, so that what lies before it need not be complete."""
    measure = MEASURES.get(definition.measure)
    if measure is None:
        return False
    return measure.shape == "newest" or (measure.shape == "samples" and definition.aggregate.name == "last")


def _moves_in_steps(definition: MetricDefinition, measure: Measure) -> bool:
    within = measure.shape == "samples" and definition.aggregate.name == "share_within"
    return within or measure.shape in ("ratio", "days")


def in_words(definition: MetricDefinition) -> str:
    """The definition in one sentence, for beside the number."""
    return _sentence(definition, asked_in_words(definition))


def measured_in_words(definition: MetricDefinition) -> str:
    """The definition without what `asked_in_words` says."""
    return _sentence(definition, "")


def asked_in_words(definition: MetricDefinition) -> str:
    """What is put to its sources beyond plain words: what a deployment is, which labels make an incident."""
    measure = MEASURES.get(definition.measure)
    return PARTED.join(further_asked(definition, measure.kinds[0])) if measure else ""


def _sentence(definition: MetricDefinition, asked: str) -> str:
    measure = MEASURES.get(definition.measure)
    if measure is None:
        return definition.measure
    said = [_first(definition, measure), *_of_what(definition, measure), asked, _over(definition)]
    said += [exclusion_in_words(one) for one in definition.exclude]
    return PARTED.join(part for part in said if part)


def exclusion_in_words(one: Exclusion) -> str:
    return f"{one.start} to {one.end} left out ({one.reason})"


def _first(definition: MetricDefinition, measure: Measure) -> str:
    match measure.shape:
        case "quantile":
            return f"{quantile_in_words(definition.quantile)} of the {measure.words}"
        case "histogram":
            return f"{quantile_in_words(definition.quantile)} {measure.words.removeprefix('quantile ')}"
        case "samples":
            return f"{_aggregate_in_words(definition)} of the window's samples"
        case "rate" if definition.unit.dimension == "per_workday":
            return measure.words.replace("÷ days", "÷ open workdays")
        case _:
            return measure.words


def quantile_in_words(quantile: float) -> str:
    return "median" if quantile == 0.5 else f"p{quantile * 100:g}"


def _aggregate_in_words(definition: MetricDefinition) -> str:
    how = definition.aggregate
    match how.name:
        case "quantile":
            return quantile_in_words(how.quantile or 0.5)
        case "share_within":
            limits = [("at most", how.at_most), ("at least", how.at_least)]
            return "share within " + " and ".join(f"{words} {x:g}" for words, x in limits if x is not None)
        case "last":
            return "newest"
        case name:
            return name


def _of_what(definition: MetricDefinition, measure: Measure) -> list[str]:
    said = []
    if whose := definition.services or definition.subjects:
        said.append(", ".join(whose))
    if definition.split:
        said.append(f"services told apart: {', '.join(map(_told_apart, definition.split))}")
    if "deployments" in measure.kinds:
        elsewhere = ", but for services told apart by theirs" if definition.own_environments else ""
        said.append(f"environment {definition.environment}{elsewhere}")
    if "from" in measure.options:
        said.append(f"from the {definition.lead_time_from.replace('_', ' ')}")
    if "rollback" in measure.options:
        said.append(f"rules {', '.join(definition.rollback_rules)}")
    said += _what_tells_of_failures(definition, measure)
    if "settle" in measure.options:
        said.append(f"those younger than {definition.settle / timedelta(hours=1):g} h left out")
    if definition.across:
        said.append(f"the {definition.across} over services")
    if measure.name == "test_coverage" and counts_files(definition):
        said.append(f"kind {definition.coverage_kind}")
    if len(set(definition.sources.values())) > 1:
        said.append(", ".join(f"{kind} from {source}" for kind, source in definition.sources.items()))
    return said + plainly_asked(definition, measure.kinds[0])


def _what_tells_of_failures(definition: MetricDefinition, measure: Measure) -> Iterator[str]:
    if "rollback" in measure.options and definition.rollback_mark == "newest":
        yield "a rollback marks the newest version alone"
    if "hotfix" in measure.options:
        marks = [*(f"label {label}" for label in definition.hotfix_labels)]
        marks += [f"branch {glob}" for glob in definition.hotfix_branches]
        if marks:
            yield f"hotfixes by {', '.join(marks)}"
    own_window = definition.failure_window != timedelta(days=1)
    if "failure_window" in measure.options and (own_window or "incidents" in definition.sources):
        yield f"incidents up to {definition.failure_window / timedelta(hours=1):g} h after a deployment"


def _told_apart(service: Service) -> str:
    files = f" (files {' '.join(service.paths)})" if service.paths else ""
    return f"{service.name} by {service.match}{files}"


def _over(definition: MetricDefinition) -> str:
    if is_carried(definition):
        return f"carried forward for {_days(definition.max_age / timedelta(days=1))}"
    return "since the start" if definition.window.days is None else f"over {_days(definition.window.days)}"


def _days(number: float) -> str:
    return f"{number:g} day{'' if number == 1 else 's'}"


def counted_in_words(definition: MetricDefinition) -> str:
    """What a reading's `n` counts, as a plural; empty where it says nothing of a value carried forward."""
    measure = MEASURES.get(definition.measure)
    if measure is None or (measure.shape == "samples" and is_carried(definition)):
        return ""
    return _COVERABLE[definition.coverage_kind] if measure.name == "test_coverage" else measure.counted


def parts_in_words(definition: MetricDefinition) -> tuple[str, str]:
    """What a ratio's numerator counts, and what else its denominator does, as plurals; both the same for others."""
    counted = counted_in_words(definition)
    return _PARTS.get(definition.measure, (counted, counted))


_PARTS = {
    "rollback_rate": ("rolled-back deployments", "other deployments"),
    "deployment_attempt_failure_rate": ("failed attempts", "successful attempts"),
    "change_failure_rate": ("failed deployments", "other deployments"),
    "deployment_rework_rate": ("rework deployments", "other deployments"),
    "ci_success_rate": ("successful runs", "failed runs"),
    "ci_flaky_rate": ("flaky runs", "other runs"),
}

_COVERABLE = {"line": "lines", "branch": "branches", "statement": "statements", "combined": "lines and branches"}


def asks_what_shipped(definition: MetricDefinition) -> bool:
    """Whether it matters to it which changes a deployment shipped, so that the commits between two are needed."""
    measure = MEASURES.get(definition.measure)
    return measure is not None and {"deployments", "changes"} <= set(kinds_needed(measure, definition.rollback_rules))


def asks_for_ancestors(definition: MetricDefinition) -> bool:
    """Whether it matters to it how the commits of two deployments lie to each other."""
    return _listens_to_rollbacks(definition) and "ancestor" in definition.rollback_rules


def uses_shipments(definition: MetricDefinition) -> bool:
    """Whether it makes use of what is known of the commits between deployments: be it only in its notes."""
    return asks_what_shipped(definition) or _listens_to_rollbacks(definition)


def _listens_to_rollbacks(definition: MetricDefinition) -> bool:
    measure = MEASURES.get(definition.measure)
    return measure is not None and "rollback" in measure.options


def reaches_across_time(definition: MetricDefinition) -> bool:
    """Whether a fact may change readings of days before its own: a rollback marks what went before it, and what
    a deployment shipped may be found out long after."""
    measure = MEASURES.get(definition.measure)
    if measure is None or "settle" in measure.options or uses_shipments(definition):
        return True
    several_environments = definition.own_environments or bool(PATTERN & set(definition.environment))
    return "count" in measure.options and several_environments


def is_local(definition: MetricDefinition) -> bool:
    """Whether a reading rests on nothing but the facts inside its window.

    Where each attempt of a run has its own time, one may lie long before the attempt that followed it.
    """
    measure = MEASURES.get(definition.measure)
    if measure is None or measure.name == "ci_flaky_rate" or is_carried(definition):
        return False
    return {*measure.kinds} <= {"samples", "runs"}


def still_unsettled(definition: MetricDefinition) -> timedelta:
    """How long after a fact a reading may still change because it was too early to say."""
    measure = MEASURES.get(definition.measure)
    return definition.settle if measure and "settle" in measure.options else timedelta(0)
