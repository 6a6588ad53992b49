"""What a reading is computed from, to ask what it would be with fewer facts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .calendar import Calendar
from .definition import MetricDefinition
from .span import Span
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

    def without(self, facts: Numbers) -> float | None:
        """What the value would be had these facts never been. None where it would be none."""
        import numpy as np

        here = self.inside
        kept = np.setdiff1d(np.arange(here.start, here.stop), facts, assume_unique=True)
        return self._of(self.counted.taken(kept))

    def alone(self, facts: Numbers) -> float | None:
        """What the value would be with nothing but these facts."""
        return self._of(self.counted.taken(facts))

    def _of(self, counted: Counted) -> float | None:
        value = self.formula(self.definition, counted, self.span, self.calendar).value
        return value if value is not None and math.isfinite(value) else None
