"""Forecasts of key results, simulated from what is stored."""

from __future__ import annotations

import hashlib

from ..krs.forecast import Forecast
from ..krs.model import KeyResult
from ..krs.outlook import instants_ahead, outlook
from ..metrics.definition import MetricDefinition, essence
from ..metrics.simulation import NotEnough
from .evidence import Evaluation
from .judging import Judged


def forecast_of(evaluation: Evaluation, cycle: str, one: Judged) -> tuple[Forecast | None, str]:
    """The key result's forecast, or None and why there is none (nothing where none is due)."""
    judgement = one.judgement
    instants = instants_ahead(one.case, judgement, evaluation.as_of)
    if not instants:
        return None, ""
    if not one.case.usable(judgement.reading):
        return None, "there is no usable reading now"
    measurement = evaluation.measurement(judgement.metric)
    start = evaluation.config.calendar.start_of(one.kr.start)
    seed = _seed(cycle, one.kr, measurement.definition)
    simulated = measurement.simulated(instants, start, seed=seed)
    if isinstance(simulated, NotEnough):
        return None, simulated.reason
    found = outlook(one.case, judgement, evaluation.as_of, simulated.values)
    return found, "" if found else "the target can't be resolved yet"


def _seed(cycle: str, kr: KeyResult, definition: MetricDefinition) -> int:
    """The same on every day, so that forecasts of two days differ by what happened between them alone."""
    text = f"{cycle} {kr.id} {essence(definition)}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
