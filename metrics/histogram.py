"""Quantiles over merged histogram buckets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class BucketQuantile:
    """`value` in the buckets' unit, None without observations; `saturated` where it is only a lower bound."""

    value: float | None
    n: float
    saturated: bool
    common_bounds: bool


def merged(days: Iterable[Mapping[str, float]]) -> tuple[dict[float, float], bool]:
    """The days' cumulative buckets, added up by upper bound, and whether all days had the same bounds.

    Where a day lacks a bound, what lies below it that day is unknown, so only bounds common to all days stay.
    """
    parsed = [{_bound(le): count for le, count in day.items()} for day in days]
    if not parsed:
        return {}, True
    common = set(parsed[0]).intersection(*parsed[1:])
    total = {bound: sum(day[bound] for day in parsed) for bound in sorted(common)}
    return total, all(len(day) == len(common) for day in parsed)


def bucket_quantile(quantile: float, days: Iterable[Mapping[str, float]]) -> BucketQuantile:
    """Linear inside the bucket that holds the quantile, as Prometheus' `histogram_quantile` has it.

    In the top bucket it is that bucket's lower bound. Increases that fall from one bound to the next
    (they are extrapolated) are lifted to the one before.
    """
    buckets, common = merged(days)
    return quantile_of_counts(quantile, list(buckets), buckets.values(), common)


def quantile_of_counts(
    quantile: float, bounds: Sequence[float], cumulative: Iterable[float], common: bool = True
) -> BucketQuantile:
    """The same of buckets that are added up already, by their upper bounds in order."""
    counts = _rising(cumulative)
    n = counts[-1] if counts and bounds[-1] == float("inf") else 0.0
    if n <= 0 or len(bounds) < 2:
        return BucketQuantile(None, n, False, common)
    rank = quantile * n
    place = next(i for i, count in enumerate(counts) if count >= rank)
    if place == len(bounds) - 1:
        return BucketQuantile(bounds[-2], n, True, common)
    if place == 0 and bounds[0] <= 0:
        return BucketQuantile(bounds[0], n, False, common)
    lower, below = (bounds[place - 1], counts[place - 1]) if place else (0.0, 0.0)
    inside = counts[place] - below
    share = (rank - below) / inside if inside > 0 else 0.0
    return BucketQuantile(lower + (bounds[place] - lower) * share, n, False, common)


def counts_of(days: Iterable[Mapping[str, float]]) -> tuple[list[float], np.ndarray[Any, Any]]:
    """The newest day's bounds in order, and a row of cumulative counts for each day; 0 for days with other bounds."""
    import numpy as np

    parsed = [{_bound(le): count for le, count in day.items()} for day in days]
    bounds = sorted(parsed[-1]) if parsed else []
    rows = [[day[b] for b in bounds] if day.keys() >= set(bounds) else [0.0] * len(bounds) for day in parsed]
    return bounds, np.array(rows, dtype=float).reshape(len(rows), len(bounds))


def _rising(counts: Iterable[float]) -> list[float]:
    risen: list[float] = []
    for count in counts:
        risen.append(max(count, risen[-1]) if risen else count)
    return risen


def _bound(le: str) -> float:
    return float("inf") if le in ("+Inf", "inf", "Inf") else float(le)
