"""Forecasts of key results, simulated from what is stored."""

from __future__ import annotations

import hashlib
from datetime import datetime

from ..krs.forecast import Forecast
from ..krs.outlook import instants_ahead, outlook
from ..metrics.definition import MetricDefinition, essence
from ..metrics.simulation import NotEnough
from .evidence import Evaluation
from .judging import Judged


def forecast_of(evaluation: Evaluation, one: Judged) -> tuple[Forecast | None, str]:
    """The key result's forecast, or None and why there is none (nothing where none is due)."""
    judgement = one.judgement
    instants = instants_ahead(one.case, judgement, evaluation.as_of)
    if not instants:
        return None, ""
    if not one.case.usable(judgement.reading):
        return None, "there is no usable reading now"
    measurement = evaluation.measurement(judgement.metric)
    start = evaluation.config.calendar.start_of(one.kr.start)
    seed = _seed(measurement.definition, instants[-1])
    simulated = measurement.simulated(instants, start, seed=seed)
    if isinstance(simulated, NotEnough):
        return None, simulated.reason
    found = outlook(one.case, judgement, evaluation.as_of, simulated.values)
    return found, "" if found else "the target can't be resolved yet"


def _seed(definition: MetricDefinition, deadline: datetime) -> int:
    """The same on every day, and for every key result of the metric that ends then, whatever it is called: forecasts
    differ by what happened between their days alone."""
    text = f"{essence(definition)} {deadline.isoformat()}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
