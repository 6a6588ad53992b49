"""Values that people record by hand."""

from __future__ import annotations

from datetime import datetime

from ..collectors.manual import Manual, manual_sample, manual_stream
from ..metrics.facts import Sample
from ..metrics.quantity import Quantity
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Batch
from .bindings import Bindings, questions
from .evaluate import evaluate_all
from .workspace import Workspace


class CannotRecord(ValueError):
    """The metric takes no value by hand, or not this one; `str()` says why."""
