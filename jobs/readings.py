"""A metric's daily series: finished days from the store where they are kept, the rest computed and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from ..metrics.definition import essence
from ..metrics.ledgers import RULES
from ..metrics.measurement import Measurement
from ..metrics.reading import Reading
from ..metrics.traits import reaches_across_time, still_unsettled
from .evidence import Evaluation


def daily(
    evaluation: Evaluation, metric: str, instants: Sequence[datetime], start: datetime, *, keep: bool
) -> Sequence[Reading]:
    """One reading at each instant, which all but the last are ends of days. `keep` stores those that can't change."""
    measurement = evaluation.measurement(metric)
    if measurement.definition.window.is_cycle:
        return measurement.readings(instants, start)  # where it begins depends on who asks
    return evaluation.series(metric, instants, lambda: _found(evaluation, measurement, instants, start, keep=keep))


def _found(
    evaluation: Evaluation, measurement: Measurement, instants: Sequence[datetime], start: datetime, *, keep: bool
) -> list[Reading]:
    metric = measurement.definition.name
    *finished, last = instants
    digest = _digest(evaluation, measurement)
    kept = {r.at: r for r in evaluation.store.readings(metric, digest, evaluation.as_of)} if finished else {}
    computed = measurement.readings([*(at for at in finished if at not in kept), last], start)
    if keep:
        _keep(evaluation, metric, digest, measurement, computed[:-1])
    found = {**kept, **{reading.at: reading for reading in computed}}
    return [found[at] for at in instants]


def _keep(
    evaluation: Evaluation, metric: str, digest: str, measurement: Measurement, computed: Sequence[Reading]
) -> None:
    ends = [state.coverage.end for state in evaluation.states(metric)]
    known_until = [end for end in ends if end is not None]
    if not known_until or len(known_until) < len(ends):
        return
    settled = min(*known_until, evaluation.as_of - still_unsettled(measurement.definition))
    final = [reading for reading in computed if reading.at <= settled]
    streams = [*evaluation.states(metric), *evaluation.beside(metric)]
    if final:
        evaluation.store.put_readings(
            metric,
            digest,
            final,
            as_of=evaluation.as_of,
            rests_on={s.stream.id: s.revision for s in streams},
            across_time=reaches_across_time(measurement.definition),
        )


def _digest(evaluation: Evaluation, measurement: Measurement) -> str:
    """Everything a reading depends on but the facts themselves."""
    name = measurement.definition.name
    streams = sorted(s.stream.id for s in (*evaluation.states(name), *evaluation.beside(name)))
    # A service or an environment that is seen for the first time changes what all days before it say.
    of_all_facts = (measurement.subjects, measurement.refusal)
    text = f"{essence(measurement.definition)} {evaluation.config.calendar!r} {streams} {of_all_facts} {RULES}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
