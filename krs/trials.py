"""Forecasts of the past, each beside what came; and what they are worth, taken together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from .model import Comparison
from .scoring import brier, interval_score, is_covered

BINS = 5
"""Into how many equally wide parts probabilities are put."""

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One forecast, its target, the rival's and the outcome. Values are in the metric's base unit.

    `known` is the reading at the origin. `below` and `not_above` are the shares of draws below the outcome and not
    above it, and `pit` lies `chance` of the way between. Without a forecast, `no_forecast` says why; without a
    reading at the deadline there is no outcome.
    """

    subject: str
    series: str
    kind: str
    unit: str
    origin: datetime
    deadline: datetime
    days_left: int
    known: float
    low: float | None
    high: float | None
    median: float | None
    probability: float | None
    target: float
    direction: Comparison
    outcome: float | None
    satisfied: bool | None
    below: float | None
    not_above: float | None
    chance: float
    pit: float | None
    rival_low: float
    rival_high: float
    rival_probability: float
    past_frequency: float
    no_forecast: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A trial with both a forecast and an outcome, by its scores (less is better)."""

    trial: Trial
    covered: bool
    inside: bool
    satisfied: bool
    probability: float
    width_and_misses: float
    rival_width_and_misses: float

    @classmethod
    def of(cls, trial: Trial) -> Scored | None:
        low, high, outcome, pit = trial.low, trial.high, trial.outcome, trial.pit
        if low is None or high is None or outcome is None or pit is None or trial.probability is None:
            return None
        return cls(
            trial=trial,
            covered=is_covered(pit),
            inside=low <= outcome <= high,
            satisfied=bool(trial.satisfied),
            probability=trial.probability,
            width_and_misses=interval_score(low, high, outcome),
            rival_width_and_misses=interval_score(trial.rival_low, trial.rival_high, outcome),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """How many forecasts of a kind with so many days left (None: all) had their outcome in the middle 80 %.

    `covered` goes by the randomised transform, `inside` by the range as it is shown; `satisfied` is the share of
    targets that came true.
    """

    kind: str
    days_left: int | None
    n: int
    covered: float
    inside: float
    satisfied: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Means over the forecasts of a kind; less is better.

    `interval` is the interval score as a multiple of the rival's, series by series so that none outweighs the others
    by its unit; `interval_added` puts them together as they are. The rest are Brier scores.
    """

    kind: str
    n: int
    interval: float | None
    interval_added: float | None
    probability: float
    rival: float
    past_frequency: float
    constant: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Forecasts whose probability lies from `low` to `high`: what they said on average, and how often it came true."""

    low: float
    high: float
    n: int
    said: float | None
    came_true: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """`asked` are all trials, `abstained` those without a forecast, `unmeasured` those with one but no outcome."""

    asked: int
    abstained: int
    unmeasured: int
    reasons: tuple[tuple[str, int], ...]
    cells: tuple[Cell, ...]
    scores: tuple[Scores, ...]
    bins: tuple[Bin, ...]


def track_record(trials: Iterable[Trial]) -> TrackRecord:
    all_of = list(trials)
    scored = [one for trial in all_of if (one := Scored.of(trial)) is not None]
    silent = [trial.no_forecast for trial in all_of if trial.low is None]
    kinds = sorted({one.trial.kind for one in scored})
    parts = [(kind, [one for one in scored if one.trial.kind == kind]) for kind in kinds]
    return TrackRecord(
        asked=len(all_of),
        abstained=len(silent),
        unmeasured=len(all_of) - len(silent) - len(scored),
        reasons=tuple(sorted(((why, silent.count(why)) for why in set(silent)), key=lambda one: (-one[1], one[0]))),
        cells=tuple(cell for kind, found in [*parts, (ALL, scored)] for cell in _cells(kind, found)),
        scores=tuple(_scores(kind, found) for kind, found in [*parts, (ALL, scored)] if found),
        bins=tuple(_bin(number, scored) for number in range(BINS)),
    )


def _cells(kind: str, scored: Sequence[Scored]) -> list[Cell]:
    days = sorted({one.trial.days_left for one in scored}, reverse=True)
    parts = [(left, [one for one in scored if one.trial.days_left == left]) for left in days]
    return [_cell(kind, left, found) for left, found in [*parts, (None, scored)] if found]


def _cell(kind: str, days_left: int | None, scored: Sequence[Scored]) -> Cell:
    return Cell(
        kind=kind,
        days_left=days_left,
        n=len(scored),
        covered=fmean(one.covered for one in scored),
        inside=fmean(one.inside for one in scored),
        satisfied=fmean(one.satisfied for one in scored),
    )


def _scores(kind: str, scored: Sequence[Scored]) -> Scores:
    base = fmean(one.satisfied for one in scored)

    def mean(said: Callable[[Scored], float]) -> float:
        return fmean(brier(said(one), one.satisfied) for one in scored)

    return Scores(
        kind=kind,
        n=len(scored),
        interval=_series_by_series(scored),
        interval_added=None if kind == ALL else _added(scored),
        probability=mean(lambda one: one.probability),
        rival=mean(lambda one: one.trial.rival_probability),
        past_frequency=mean(lambda one: one.trial.past_frequency),
        constant=mean(lambda one: base),
    )


def _added(scored: Sequence[Scored]) -> float | None:
    rival = sum(one.rival_width_and_misses for one in scored)
    return sum(one.width_and_misses for one in scored) / rival if rival > 0 else None


def _series_by_series(scored: Sequence[Scored]) -> float | None:
    """Each series' ratio counts as often as it has forecasts. One whose rival never erred can't be compared."""
    series: dict[tuple[str, str], list[Scored]] = {}
    for one in scored:
        series.setdefault((one.trial.subject, one.trial.series), []).append(one)
    ratios = [(ratio, len(found)) for found in series.values() if (ratio := _added(found)) is not None]
    n = sum(weight for _, weight in ratios)
    return sum(ratio * weight for ratio, weight in ratios) / n if n else None


def _bin(number: int, scored: Sequence[Scored]) -> Bin:
    here = [one for one in scored if min(int(one.probability * BINS), BINS - 1) == number]
    return Bin(
        low=number / BINS,
        high=(number + 1) / BINS,
        n=len(here),
        said=fmean(one.probability for one in here) if here else None,
        came_true=fmean(one.satisfied for one in here) if here else None,
    )
