"""Frequencies, counts, shares and times at instants to come."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .ahead import whole
from .drawn_facts import UNSEEN, Drawn, at_each, divided, restlessness, summed
from .histogram import counts_of, quantile_of_counts
from .quantiles import linear, linear_of_each
from .span import Span
from .value import divisor, finished_open_days

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

DRIFT_NOW, DRIFT_WEEKLY = 0.4, 0.12
"""How far measured times, and the odds of a share's rarer side, may be from the past's (standard deviations of the
logarithm): what is unsure today, and what each week ahead adds."""

USUAL_CHANGE = 0.9
"""The usual change of the logarithm of a month's quantile or odds (root mean square)."""

FACTS_A_DAY = 40
"""Of more, some stand for all in a quantile, so that it takes no longer."""

LEAST_FACTS = 3
"""Facts of the past that a share or a quantile is drawn from."""

TOO_FEW = f"fewer than {LEAST_FACTS} facts in the past two years"


def rate(drawn: Drawn, instants: Sequence[datetime]) -> Numbers:
    number = _least(drawn) if drawn.definition.across == "worst" else _number(drawn)

    def value(at: datetime) -> Numbers:
        span = drawn.span(at)
        return divided(number(span), divisor(drawn.definition, span, drawn.calendar)[0])

    return at_each(instants, value)


def count(drawn: Drawn, instants: Sequence[datetime]) -> Numbers:
    number = _number(drawn)
    return at_each(instants, lambda at: number(drawn.span(at)))


def _number(drawn: Drawn, among: Numbers | None = None) -> Callable[[Span], Numbers]:
    """How many facts a window will hold, by draw; `among` marks the known facts that are asked for."""
    import numpy as np

    ahead = summed(drawn.numbers(among))
    marked = np.ones(drawn.known, dtype=bool) if among is None else among

    def number(span: Span) -> Numbers:
        known, cells = drawn.within(span)
        return ahead(cells) + int(marked[known].sum())

    return number


def _least(drawn: Drawn) -> Callable[[Span], Numbers]:
    """The same of the service with the fewest."""
    import numpy as np

    services = drawn.counted.column("service", slice(0, drawn.known)).to_numpy()
    each = [_number(drawn, services == name) for name in drawn.counted.subjects]

    def number(span: Span) -> Numbers:
        found: Numbers = np.min([one(span) for one in each], axis=0)
        return found

    return number


def days(drawn: Drawn, instants: Sequence[datetime]) -> Numbers:
    ahead = summed(drawn.numbers())

    def value(at: datetime) -> Numbers:
        open_days = finished_open_days(drawn.span(at), drawn.calendar)
        having = sum((_any(drawn, start, end, ahead) for start, end in open_days), start=_none(drawn))
        return divided(having, len(open_days))

    return at_each(instants, value)


def _any(drawn: Drawn, start: datetime, end: datetime, ahead: Callable[[slice], Numbers]) -> Numbers:
    import numpy as np

    known = drawn.known_in(start, end)
    some: Numbers = ahead(drawn.cells_in(start, end)) > 0
    either: Numbers = np.logical_or(some, known.stop > known.start)
    return either


def _none(drawn: Drawn) -> Numbers:
    import numpy as np

    return np.zeros(drawn.ahead.draws)


def ratio(drawn: Drawn, instants: Sequence[datetime]) -> Numbers | str:
    import numpy as np

    facts, _ = drawn.past
    if len(facts) < LEAST_FACTS or drawn.counted.hits is None:
        return TOO_FEW
    hit = np.diff(drawn.counted.hits[: drawn.known + 1]) > 0
    rare_are_hits = bool(hit[facts].mean() <= 0.5)
    rare = hit if rare_are_hits else ~hit
    both = drawn.numbers()
    ahead_rare, ahead_all = summed(_rare(drawn, rare, both)), summed(both)

    def value(at: datetime) -> Numbers:
        known, cells = drawn.within(drawn.span(at))
        share = divided(rare[known].sum() + ahead_rare(cells), known.stop - known.start + ahead_all(cells))
        return share if rare_are_hits else 1 - share

    return at_each(instants, value)


def _rare(drawn: Drawn, rare: Numbers, both: Numbers) -> Numbers:
    """How many of the facts drawn are of the rarer kind: as in the same cells of the past, but for the odds' drift."""
    import numpy as np

    facts, _ = drawn.past
    ahead = drawn.ahead
    share = np.nan_to_num(divided(ahead.totals(drawn.per_cell(rare)), ahead.totals(drawn.per_cell())))
    odds = _drift(drawn, drawn.monthly(lambda month: _odds(rare[month])))
    unseen = ahead.rng.binomial(both, UNSEEN / (len(facts) + 2 * UNSEEN))
    return np.minimum(whole(both * share * odds, ahead.rng) + unseen, both)


def quantile(drawn: Drawn, instants: Sequence[datetime]) -> Numbers | str:
    import numpy as np

    measured = drawn.counted.values
    if len(drawn.past[0]) < LEAST_FACTS or measured is None:
        return TOO_FEW
    every = -(-len(drawn.past[0]) * drawn.ahead.parts // (len(drawn.ahead.past) * FACTS_A_DAY))
    draw, cell, fact = drawn.each(every)
    months = drawn.monthly(lambda month: _of_some(measured[month], drawn.definition.quantile))
    values = measured[fact] * _drift(drawn, months)[draw, cell]
    draws = np.arange(drawn.ahead.draws)

    def value(at: datetime) -> Numbers:
        known, cells = drawn.within(drawn.span(at))
        here = (cell >= cells.start) & (cell < cells.stop)
        known_values = _standing_for(measured[known], every)
        whose = np.concatenate([draw[here], np.repeat(draws, len(known_values))])
        all_values = np.concatenate([values[here], np.tile(known_values, len(draws))])
        return linear_of_each(whose, all_values, len(draws), drawn.definition.quantile)

    return at_each(instants, value)


def histogram(drawn: Drawn, instants: Sequence[datetime]) -> Numbers | str:
    """The known days' buckets and the drawn days', added up; what was drawn may have moved as a whole."""
    import numpy as np

    facts, cells_of = drawn.past
    if len(facts) < LEAST_FACTS:
        return TOO_FEW
    bounds, counts = counts_of(drawn.counted.column("parts", slice(0, drawn.known)))
    per_cell = np.zeros((len(drawn.ahead.past) + 1, len(bounds)))
    np.add.at(per_cell, cells_of, counts[facts])
    wanted = drawn.definition.quantile
    moved = _drift(drawn, drawn.monthly(lambda month: _of_counts(wanted, bounds, counts[month].sum(axis=0))))

    def value(at: datetime) -> Numbers:
        known, cells = drawn.within(drawn.span(at))
        here = drawn.ahead.picks[:, cells]
        ahead = (per_cell[here] * drawn.level[:, cells, None]).sum(axis=1)
        both = ahead + counts[known].sum(axis=0)
        plain = np.array([_of_counts(wanted, bounds, row) for row in both]) * drawn.definition.unit.scale
        new = np.nan_to_num(divided(ahead[:, -1], both[:, -1]))
        drift = moved[:, cells].mean(axis=1) if cells.stop > cells.start else np.ones(len(plain))
        value: Numbers = plain * drift**new
        return value

    return at_each(instants, value)


def _odds(marks: Numbers) -> float:
    marked = float(marks.sum())
    return (marked + UNSEEN) / (len(marks) - marked + UNSEEN) if len(marks) else math.nan


def _drift(drawn: Drawn, months: Sequence[float]) -> Numbers:
    times = restlessness(months, USUAL_CHANGE)
    return drawn.ahead.wandering(DRIFT_NOW * times, DRIFT_WEEKLY * times)


def _standing_for(values: Numbers, every: int) -> Numbers:
    """One value in `every`, evenly from the least to the greatest, so that quantiles stay what they are."""
    import numpy as np

    if every == 1:
        return values
    number = -(-len(values) // every)
    places: Numbers = (np.arange(number) + 0.5) / max(number, 1) * len(values)
    return np.sort(values)[places.astype(np.int64)]


def _of_some(values: Numbers, quantile: float) -> float:
    return linear(values, quantile) if len(values) else math.nan


def _of_counts(quantile: float, bounds: Sequence[float], counts: Numbers) -> float:
    found = quantile_of_counts(quantile, bounds, counts.tolist()).value
    return math.nan if found is None else found
