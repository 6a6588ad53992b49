"""From Prometheus' answers to one day's measurement. NaN, infinities and empty answers are no measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .contract import ConfigError, SourceError
from .prometheus_queries import Across, SamplesQuery

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """One day. `remark` says why there is less than was asked for."""

    value: float | None = None
    n: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    remark: str | None = None

    @property
    def empty(self) -> bool:
        return self.value is None and not self.parts


@dataclass(frozen=True, slots=True)
class Series:
    labels: Mapping[str, str]
    value: float

    def __str__(self) -> str:
        return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(self.labels.items())) + "}"


def measure(query: SamplesQuery, values: Sequence[Any], counts: Sequence[Any] | None) -> Measured:
    """What a day's answers to the value and count queries say.

    Raises:
        ConfigError: where the answer has a shape the query did not provide for.
    """
    if query.histogram is not None:
        return _buckets(read_series(values))
    found = read_series(values)
    counted = None if counts is None else read_series(counts)
    if query.by is None:
        return _single(query, found, counted)
    return _of_several(query, query.by, found, counted)


def read_series(result: Sequence[Any]) -> list[Series]:
    """The series of an instant query's answer; a scalar is one without labels.

    Raises:
        ConfigError: for native histograms, ranges and strings.
    """
    if len(result) == 2 and not isinstance(result[0], dict):
        result = [{"metric": {}, "value": result}]
    return [_one(entry) for entry in result]


def _one(entry: Any) -> Series:  # noqa: ANN401 (whatever the server sent)
    if "histogram" in entry or "histograms" in entry:
        raise ConfigError(
            "the query gives native histograms: wrap it in a function that makes a number of them, "
            "such as histogram_quantile(0.99, …) or histogram_count(…), and write it as `query`"
        )
    if "values" in entry:
        raise ConfigError("the query gives a range of values: wrap it in a function such as avg_over_time(…[$day])")
    try:
        return Series(dict(entry.get("metric", {})), float(entry["value"][1]))
    except (KeyError, IndexError, TypeError, ValueError):
        raise SourceError("Prometheus sent a value that is no number") from None


def _buckets(found: Sequence[Series]) -> Measured:
    parts: dict[str, float] = {}
    for series in found:
        bound = _bound(series)
        parts[bound] = parts.get(bound, 0.0) + series.value
    if not parts:
        return Measured()
    if "+Inf" not in parts:
        raise ConfigError('the selector finds buckets but none with le="+Inf": it must not pick single buckets')
    if not all(math.isfinite(count) for count in parts.values()) or parts["+Inf"] <= 0:
        return Measured()
    return Measured(n=parts["+Inf"], parts=parts)


def _bound(series: Series) -> str:
    """The upper bound in one spelling: releases before 3 write `le="1"` where later ones write `le="1.0"`."""
    try:
        bound = float(series.labels["le"])
    except (KeyError, ValueError):
        raise ConfigError(
            f"{series} is no histogram's bucket: `histogram` wants the series that end in _bucket"
        ) from None
    return "+Inf" if math.isinf(bound) else repr(bound)


def _single(query: SamplesQuery, found: Sequence[Series], counted: Sequence[Series] | None) -> Measured:
    if len(found) > 1:
        raise ConfigError(
            f"the query gives {len(found)} series: {_listed(found)}; add them up inside it (sum(…)), or say "
            "`by`, the label that tells them apart, with `select` or `across`"
        )
    if counted is not None and len(counted) > 1:
        raise ConfigError(f"`count` gives {len(counted)} series: {_listed(counted)}; add them up inside it (sum(…))")
    if not found or not math.isfinite(found[0].value):
        return Measured()
    n = _finite(counted[0].value) if counted else None
    if query.min_count is not None and (n or 0) < query.min_count:
        return Measured(remark=f"too few observations ({n or 0:g})")
    return Measured(found[0].value, n)


def _of_several(query: SamplesQuery, by: str, found: Sequence[Series], counted: Sequence[Series] | None) -> Measured:
    values = {name: value for name, value in _named(by, found).items() if math.isfinite(value)}
    counts = {name: n for name, n in _named(by, counted or ()).items() if math.isfinite(n)}
    if query.min_count is not None:
        values = {name: value for name, value in values.items() if counts.get(name, 0.0) >= query.min_count}
    if query.select is None:
        assert query.across is not None
        behind = [counts[name] for name in values if name in counts]
        return Measured(_across(query.across, list(values.values())), sum(behind) if behind else None, values)
    if query.select not in values:
        known = ", ".join(sorted(one.labels[by] for one in found)[:SHOWN])
        return Measured(remark=f"no usable series with {by}={query.select!r} (there are: {known})" if known else None)
    return Measured(values[query.select], counts.get(query.select), values)


def _named(by: str, found: Sequence[Series]) -> dict[str, float]:
    named: dict[str, float] = {}
    for series in found:
        name = series.labels.get(by)
        if name is None:
            raise ConfigError(f"a series has no label {by!r}: {series}; write `by` as a label the query keeps")
        if name in named:
            raise ConfigError(f"several series have {by}={name!r}: {_listed(found)}; aggregate with `by ({by})`")
        named[name] = series.value
    return named


def _across(how: Across, values: list[float]) -> float | None:
    if not values:
        return None
    total = math.fsum(values)
    return {"max": max(values), "min": min(values), "sum": total, "mean": total / len(values)}[how]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _listed(found: Sequence[Series]) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(str(series) for series in found[:SHOWN]) + more
