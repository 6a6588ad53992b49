"""How a window's counted facts become one value, for each shape of measure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .calendar import Calendar
from .comparison import at_least, at_most
from .definition import Aggregate, MetricDefinition
from .histogram import bucket_quantile
from .interval import wilson
from .quantiles import linear
from .span import Span
from .table import from_microseconds, microseconds

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """`value` None means that there is nothing to say, and `reason` why. `data_end` moves the end of the data, where
    the facts themselves end earlier than what was asked."""

    value: float | None
    n: float = 0
    numerator: float | None = None
    denominator: float | None = None
    interval: tuple[float, float] | None = None
    reason: str = "nothing in the window"
    notes: tuple[str, ...] = ()
    data_end: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The counted rows of a ledger as arrays, in order of time (microseconds since 1970 UTC)."""

    at: np.ndarray[Any, Any]
    hits: np.ndarray[Any, Any] | None
    values: np.ndarray[Any, Any] | None
    ledger: pd.DataFrame
    places: np.ndarray[Any, Any]
    subjects: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, ledger: pd.DataFrame, counts: np.ndarray[Any, Any], subjects: tuple[str, ...]) -> Counted:
        """Those of a ledger's rows that `counts` marks."""
        import numpy as np

        places = counts.nonzero()[0]
        hits = None
        if "hit" in ledger:
            hits = np.concatenate([[0], np.cumsum(ledger["hit"].to_numpy()[places].astype(np.int64))])
        values = ledger["value"].to_numpy(dtype=float)[places] if "value" in ledger else None
        at = ledger["at"].to_numpy()[places].astype("int64")
        return cls(at=at, hits=hits, values=values, ledger=ledger, places=places, subjects=subjects)

    def column(self, name: str, here: slice) -> pd.Series[Any]:
        return self.ledger[name].take(self.places[here])

    def row(self, number: int) -> pd.Series[Any]:
        one: pd.Series[Any] = self.ledger.iloc[int(self.places[number])]
        return one

    def taken(self, numbers: np.ndarray[Any, Any]) -> Counted:
        """Only the rows of these numbers, which are in order."""
        import numpy as np

        hits = None
        if self.hits is not None:
            hits = np.concatenate([[0], np.cumsum(np.diff(self.hits)[numbers])])
        values = None if self.values is None else self.values[numbers]
        return replace(self, at=self.at[numbers], hits=hits, values=values, places=self.places[numbers])

    def followed_by(self, at: np.ndarray[Any, Any], hits: int, values: Sequence[float]) -> Counted:
        """With rows that no ledger has, at these later instants: the first `hits` are hits, `values` are theirs."""
        import numpy as np

        more = self.hits
        if more is not None:
            more = np.concatenate([more, more[-1] + np.minimum(np.arange(1, len(at) + 1), hits)])
        known = self.values
        if known is not None:
            known = np.concatenate([known, np.array(values, dtype=float)])
        places = np.concatenate([self.places, np.full(len(at), -1)])
        return replace(self, at=np.concatenate([self.at, at]), hits=more, values=known, places=places)

    def between(self, start: datetime, end: datetime) -> slice:
        low, high = self.at.searchsorted([microseconds(start), microseconds(end)])
        return slice(int(low), int(high))


def rate(definition: MetricDefinition, counted: Counted, span: Span, calendar: Calendar) -> Value:
    """Facts ÷ days (or open workdays) counted; with several services the sum, or the worst of them."""
    here = counted.between(span.window.start, span.window.end)
    n = here.stop - here.start
    divided_by, kind = divisor(definition, span, calendar)
    if divided_by <= 0:
        return Value(value=None, reason=f"no {kind} in the window")
    notes: tuple[str, ...] = ()
    if definition.across == "worst":
        n, worst = least_frequent(counted, here)
        notes = (f"the least frequent of {len(counted.subjects)} services: {worst}",)
    return Value(value=n / divided_by, n=n, numerator=n, denominator=divided_by, notes=notes)


def least_frequent(counted: Counted, here: slice) -> tuple[int, str]:
    """How many facts the service with the fewest has there, and which it is (of equals the first by name)."""
    counts = counted.column("service", here).value_counts()
    return min((int(counts.get(service, 0)), service) for service in counted.subjects)


def divisor(definition: MetricDefinition, span: Span, calendar: Calendar) -> tuple[float, str]:
    """The days (or open workdays) that a frequency is over, and what they are called."""
    if definition.unit.dimension == "per_workday":
        return calendar.open_days_in(span.counted), "open workday"
    length = definition.window.days
    # From one local time to the same, n days later, are n days, though the clocks changed in between.
    if length and span.is_whole and span.window.start == calendar.days_before(span.window.end, length):
        return float(length), "day"
    return calendar.days_in(span.counted), "day"


def days(definition: MetricDefinition, counted: Counted, span: Span, calendar: Calendar) -> Value:
    """The share of finished, completely counted open workdays with at least one fact."""
    finished = finished_open_days(span, calendar)
    if not finished:
        return Value(value=None, denominator=0, numerator=0, reason="no finished open workday in the window")
    places = counted.at.searchsorted([(microseconds(start), microseconds(end)) for start, end in finished])
    return _share(int((places[:, 1] > places[:, 0]).sum()), len(finished), "")


def finished_open_days(span: Span, calendar: Calendar) -> list[tuple[datetime, datetime]]:
    """Start and end of the open workdays that count from end to end."""
    ends = calendar.day_ends(span.window.start, span.window.end)
    return [(start, end) for end in ends if (start := _open_day(end, span, calendar)) is not None]


def _open_day(end: datetime, span: Span, calendar: Calendar) -> datetime | None:
    """The start of the day that ends so, where it is an open workday that counts from end to end."""
    day = calendar.day_closed_by(end)
    if not calendar.is_open(day):
        return None
    start = calendar.start_of(day)
    whole = start >= span.window.start and any(r.start <= start and end <= r.end for r in span.counted)
    return start if whole else None


def count(definition: MetricDefinition, counted: Counted, span: Span, calendar: Calendar) -> Value:
    here = counted.between(span.window.start, span.window.end)
    n = here.stop - here.start
    return Value(value=float(n), n=n, numerator=n)


def ratio(definition: MetricDefinition, counted: Counted, span: Span, calendar: Calendar) -> Value:
    here = counted.between(span.window.start, span.window.end)
    hits = 0 if counted.hits is None else int(counted.hits[here.stop] - counted.hits[here.start])
    return _share(hits, here.stop - here.start, "nothing to take a share of")


def quantile(definition: MetricDefinition, counted: Counted, span: Span, calendar: Calendar) -> Value:
    """The quantile of the values."""
    import numpy as np

    here = counted.between(span.window.start, span.window.end)
    values = np.empty(0) if counted.values is None else counted.values[here]
    if not len(values):
        return Value(value=None)
    return Value(value=linear(values, definition.quantile), n=len(values))


def newest(definition: MetricDefinition, counted: Counted, span: Span, calendar: Calendar) -> Value:
    """The newest sample up to the window's end, carried forward."""
    here = counted.between(from_microseconds(0), span.window.end)
    if here.stop == 0 or counted.values is None:
        return Value(value=None, reason="nothing was measured yet")
    one = counted.row(here.stop - 1)
    at = from_microseconds(int(counted.at[here.stop - 1]))
    value = float(counted.values[here.stop - 1])
    if "denominator" not in one:
        return Value(value=value, n=value, data_end=at)
    numerator, denominator = one["numerator"], one["denominator"]
    if math.isnan(denominator):  # a share whose counts the source didn't tell
        return Value(value=value, data_end=at)
    return Value(value=value, n=float(denominator), numerator=numerator, denominator=denominator, data_end=at)


def samples(definition: MetricDefinition, counted: Counted, span: Span, calendar: Calendar) -> Value:
    """The aggregate of the window's samples."""
    import numpy as np

    here = counted.between(span.window.start, span.window.end)
    values = np.empty(0) if counted.values is None else counted.values[here]
    n = len(values)
    if n == 0:
        return Value(value=None, reason="no sample in the window")
    how = definition.aggregate
    if how.name == "share_within":
        return _share(sum(1 for v in values if is_within(v, how)), n, "")
    if how.name == "last":
        last = counted.row(here.stop - 1)
        end = last["until"] if last["until"] == last["until"] else last["at"]  # NaT is not itself
        return Value(value=float(values[-1]), n=n, data_end=from_microseconds(int(end.value) // 1000))
    if how.name == "quantile":
        return Value(value=linear(values, 0.5 if how.quantile is None else how.quantile), n=n)
    aggregates: Mapping[str, Callable[[Any], Any]] = {
        "mean": np.mean,
        "median": np.median,
        "min": np.min,
        "max": np.max,
        "sum": np.sum,
    }
    return Value(value=float(aggregates[how.name](values)), n=n)


def histogram(definition: MetricDefinition, counted: Counted, span: Span, calendar: Calendar) -> Value:
    """The quantile of all observations of the window, exact to the width of a bucket."""
    here = counted.between(span.window.start, span.window.end)
    found = bucket_quantile(definition.quantile, counted.column("parts", here))
    notes: tuple[str, ...] = ()
    if found.saturated:
        notes += ("saturated: the quantile falls into the highest bucket, so this is a lower bound",)
    if not found.common_bounds:
        notes += ("bucket bounds changed inside the window; only those common to all days count",)
    value = None if found.value is None else found.value * definition.unit.scale
    return Value(value=value, n=found.n, reason="no observation in the window", notes=notes)


def _share(hits: int, n: int, reason: str) -> Value:
    if n == 0:
        return Value(value=None, denominator=0, numerator=hits, reason=reason)
    return Value(value=hits / n, n=n, numerator=hits, denominator=n, interval=wilson(hits, n))


def is_within(value: float, how: Aggregate) -> bool:
    """Whether a sample is between the limits of `share_within`, both included."""
    most, least = how.at_most, how.at_least
    return (most is None or at_most(value, most)) and (least is None or at_least(value, least))


SHAPES = {
    "rate": rate,
    "days": days,
    "count": count,
    "ratio": ratio,
    "quantile": quantile,
    "newest": newest,
    "samples": samples,
    "histogram": histogram,
}
