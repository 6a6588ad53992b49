"""What it takes until the deadline, in words."""

from __future__ import annotations

from ..krs.takes import Takes
from ..metrics.definition import MetricDefinition
from ..metrics.traits import counted_in_words, parts_in_words, quantile_in_words
from .dates import Dates
from .numbers import Period, about, count, limit, many


def takes(found: Takes, definition: MetricDefinition, dates: Dates, per: Period) -> str:
    """`17 deployments in the 19 workdays that decide`; empty where there is nothing to say."""
    counted = counted_in_words(definition)
    match found.form:
        case "facts":
            return _facts(found, counted, dates)
        case "days":
            return _days(found)
        case "hits" | "misses":
            return _part(found, definition, counted, dates)
        case "within":
            return _within(found, counted, dates)
        case "level":
            return _level(found, definition, dates, per)
        case "distance":
            return _distance(found, definition, dates)
        case "bad_days":
            return _bad_days(found)


def _days_left(found: Takes) -> str:
    """`the 19 workdays that decide`, or of a window that has begun `the 8 workdays left`."""
    days = many(found.days, "workdays" if found.in_workdays else "days")
    if found.begun:
        return f"the {days} left"
    return f"the {days} that {'decides' if found.days == 1 else 'decide'}"


def _next(found: Takes, counted: str, dates: Dates) -> str:
    """`the next ~40 deployments`, those likely to come; of a window yet to begin `the ~40 deployments of 4–31 Dec`."""
    some = f"{about(found.of)} {counted.removesuffix('s') if found.of == 1 else counted}"
    return f"the next {some}" if found.begun else f"the {some} of {dates.window(found.window)}"


def _facts(found: Takes, counted: str, dates: Dates) -> str:
    more = "more " if found.begun else ""
    each = " of each service" if found.each else ""
    if found.number is None:
        return f"out of reach: no number of {counted} is enough" if found.at_least else f"too many {counted} already"
    if found.number == 0:
        return (
            f"no more {counted}: those there are enough"
            if found.at_least
            else f"no more {counted} in {_days_left(found)}"
        )
    facts = _with_more(many(found.number, counted), more)
    return f"{'' if found.at_least else 'at most '}{facts}{each} in {_days_left(found)}"


def _with_more(facts: str, more: str) -> str:
    number, _, counted = facts.partition(" ")
    return f"{number} {more}{counted}"


def _days(found: Takes) -> str:
    days = _days_left(found).removeprefix("the ")
    if found.number is None:
        return f"out of reach: a deployment on each of the {days} is not enough"
    if found.number == 0:
        return "no more deployments: the days that had one are enough"
    most = "" if found.at_least else "at most "
    return f"a deployment on {most}{count(found.number)} of the {days}"


def _part(found: Takes, definition: MetricDefinition, counted: str, dates: Dates) -> str:
    hits, misses = parts_in_words(definition)
    part = hits if found.form == "hits" else misses
    if found.number is None:
        if found.enough is None:
            return f"out of reach: no number of {counted} without {part} is enough"
        return f"{many(found.enough, counted)} without {part}, where {about(found.of)} are likely"
    wanted = f"no {part.removesuffix('s')}" if found.number == 0 else f"at most {many(found.number, part)}"
    return f"{wanted} among {_next(found, counted, dates)}"


def _within(found: Takes, counted: str, dates: Dates) -> str:
    if found.number is None:
        return f"out of reach: all of {_next(found, counted, dates)} within the target are not enough"
    if found.number == 0:
        return f"enough as it is, whatever {_next(found, counted, dates)} bring"
    return f"{count(found.number)} of {_next(found, counted, dates)} within the target"


def _level(found: Takes, definition: MetricDefinition, dates: Dates, per: Period) -> str:
    name = _aggregate(definition)
    if found.number is None:
        return f"out of reach: no {name} of {_days_left(found)} is enough"
    value = limit(found.number, definition.unit.text, at_least=found.at_least, per=per)
    asked = f"{'at least' if found.at_least else 'at most'} {value}"
    if definition.measure == "histogram_quantile":
        left = f", {many(found.days, 'days')} of which are left" if found.begun else ""
        return f"{name} {asked} over {dates.window(found.window)}{left}"
    return f"{name} {asked} over {_days_left(found) if found.begun else dates.window(found.window)}"


def _aggregate(definition: MetricDefinition) -> str:
    how = definition.aggregate
    if definition.measure == "histogram_quantile":
        return quantile_in_words(definition.quantile)
    return quantile_in_words(how.quantile or 0.5) if how.name == "quantile" else how.name


def _distance(found: Takes, definition: MetricDefinition, dates: Dates) -> str:
    by = f"by {dates.day(dates.last_day(found.window))}"
    if not found.number:
        return f"enough as it is, {by}"
    more = "more" if found.at_least else "less"
    if definition.unit.dimension == "ratio":
        return f"{limit(found.number * 100, '', at_least=True)} points {more} {by}"
    return f"{limit(found.number, definition.unit.text, at_least=True)} {more} {by}"


def _bad_days(found: Takes) -> str:
    assert found.number is not None
    if found.number < 0:
        return f"out of reach: {many(-found.number, 'bad days')} too many already"
    left = many(found.number, "bad days") if found.number else "no bad day"
    return f"{left} left for {_days_left(found).removeprefix('the ').removesuffix(' left')}"
