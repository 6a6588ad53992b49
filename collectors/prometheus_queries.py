"""What a metric may ask of Prometheus, and the PromQL of one day."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from .contract import FactQuery, WrongKeys

Across = Literal["max", "min", "sum", "mean"]

DAY = re.compile(r"\$day\b")
_VARIABLE = re.compile(r"\$(?!day\b)\w+")
_SELECTOR = re.compile(r"^\s*[a-zA-Z_:][\w:]*\s*(\{.*\})?\s*$|^\s*\{.*\}\s*$", re.DOTALL)


class SamplesQuery(FactQuery):
    """One value per local day, from `query` or `histogram`."""

    daily: ClassVar[bool] = True
    measures: ClassVar[tuple[str, ...] | None] = ("sampled", "histogram_quantile")

    query: str | None = Field(
        default=None,
        description="PromQL, asked once for each finished day at the day's end; `$day` stands for that day's "
        "length, be it 23, 24 or 25 hours.",
    )
    histogram: str | None = Field(
        default=None,
        description='Selector of a classic histogram\'s buckets, such as `latency_seconds_bucket{service="a"}`; each '
        "day's bucket increases are stored, so that any window's quantile is as sharp as the buckets are narrow.",
    )
    by: str | None = Field(default=None, description="Label that tells the series apart, where `query` gives several.")
    select: str | None = Field(default=None, description="With `by`: the one value of that label whose series counts.")
    across: Across | None = Field(default=None, description="With `by`: how the series of a day become one value.")
    count: str | None = Field(
        default=None, description="PromQL for the number of observations behind the value; `$day` as in `query`."
    )
    min_count: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="With `count`: a day (or series) with fewer has no sample."
    )

    @field_validator("query", "count", "histogram")
    @classmethod
    def _knows_its_variables(cls, text: str | None) -> str | None:
        if text is None:
            return None
        if not text.strip():
            raise ValueError("an empty query asks nothing")
        unknown = _VARIABLE.search(text)
        if unknown is not None:
            raise ValueError(f"{unknown[0]} is no variable here: only $day is replaced")
        return text

    @field_validator("histogram")
    @classmethod
    def _is_a_selector(cls, text: str | None) -> str | None:
        if text is not None and _SELECTOR.match(text) is None:
            raise ValueError('write only the selector of the buckets, such as latency_seconds_bucket{service="a"}')
        return text

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        asked = self._said("query", "histogram")
        if len(asked) != 1:
            raise WrongKeys.not_one(asked, "write either `query` or `histogram`")
        counting, choosing = self._said("by", "count", "min_count"), self._said("select", "across")
        if self.histogram is not None and counting:
            words = "`histogram` adds its series up and counts them itself: leave out by, count and min_count"
            raise WrongKeys(((counting[0],), words))
        if self.by is None and choosing:
            words = "`select` and `across` need `by`, the label that tells the series apart"
            raise WrongKeys(((choosing[0],), words))
        if self.by is not None and len(choosing) != 1:
            words = 'with `by`, write either `select = "…"` or `across = "max"` (min, sum, mean)'
            raise WrongKeys(((["by", *choosing][-1],), words))
        if self.min_count is not None and self.count is None:
            words = "`min_count` needs `count`, the query that gives the number of observations"
            raise WrongKeys((("min_count",), words))
        return self

    def _said(self, *names: str) -> list[str]:
        return [name for name in names if getattr(self, name) is not None]

    def value_promql(self, length: timedelta) -> str:
        """What is asked for a day (or the part of it so far) of this length."""
        if self.histogram is not None:
            return f"sum by (le) (increase({self.histogram.strip()}[{_duration(length)}]))"
        assert self.query is not None
        return DAY.sub(_duration(length), self.query)

    def count_promql(self, length: timedelta) -> str | None:
        return None if self.count is None else DAY.sub(_duration(length), self.count)


def _duration(length: timedelta) -> str:
    return f"{int(length.total_seconds())}s"
