"""What a reading is computed from, to ask what it would be with fewer facts or with more."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .calendar import Calendar
from .definition import MetricDefinition
from .span import Span
from .table import microseconds
from .value import Counted, Value

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Basis:
    """`counted` are all facts of the metric that count, whatever the window; facts are told by their number in it.

    `formula` is the metric's own.
    """

    definition: MetricDefinition
    formula: Callable[[MetricDefinition, Counted, Span, Calendar], Value]
    counted: Counted
    span: Span
    calendar: Calendar

    @property
    def inside(self) -> slice:
        """The numbers of the facts inside the window."""
        return self.counted.between(self.span.window.start, self.span.window.end)

    @property
    def newest(self) -> int | None:
        """The place in the ledger of the newest fact up to the window's end."""
        stop = self.counted.between(self.span.window.start, self.span.window.end).stop
        return int(self.counted.places[stop - 1]) if stop else None

    def value(self) -> float | None:
        return self._of(self.counted)

    def reading(self) -> Value:
        """The value with what it was counted from."""
        return self.formula(self.definition, self.counted, self.span, self.calendar)

    def values(self) -> list[float]:
        """Those of the facts inside the window, where facts have any."""
        return [] if self.counted.values is None else [float(v) for v in self.counted.values[self.inside]]

    def without(self, facts: Numbers) -> float | None:
        """What the value would be had these facts never been. None where it would be none."""
        import numpy as np

        here = self.inside
        kept = np.setdiff1d(np.arange(here.start, here.stop), facts, assume_unique=True)
        return self._of(self.counted.taken(kept))

    def alone(self, facts: Numbers) -> float | None:
        """What the value would be with nothing but these facts."""
        return self._of(self.counted.taken(facts))

    def narrowed(self) -> Basis:
        """With the facts inside the window alone, so that the more of them there are outside the less it matters."""
        import numpy as np

        here = self.inside
        return replace(self, counted=self.counted.taken(np.arange(here.start, here.stop)))

    def with_more(
        self, at: Sequence[datetime], *, each: int = 1, hits: int = 0, values: Sequence[float] = ()
    ) -> float | None:
        """What the value would be with further facts, `each` times one at these instants, in order and after all
        there are; of ratios the first `hits` of them are hits, of quantiles and samples they have these `values`."""
        import numpy as np

        instants = np.repeat(np.array([microseconds(one) for one in at], dtype=np.int64), each)
        return self._of(self.counted.followed_by(instants, hits, values))

    def _of(self, counted: Counted) -> float | None:
        value = self.formula(self.definition, counted, self.span, self.calendar).value
        return value if value is not None and math.isfinite(value) else None
