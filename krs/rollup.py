"""An objective, from the judgements of its key results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ..metrics.comparison import below
from .comparison import MOST_UNSATISFIED, cut
from .judgement import Judgement, ObjectiveJudgement, Status

WORST_FIRST = (
    Status.MISSED,
    Status.OFF_TRACK,
    Status.HELD_BACK,
    Status.AT_RISK,
    Status.ON_TRACK,
    Status.LANDED,
    Status.MET,
)

_ASIDE = (Status.WITHDRAWN, Status.DRAFT)


def roll_up(judgements: Iterable[Judgement]) -> ObjectiveJudgement:
    """Weighted mean of the measured key results' progress (each clamped to 0..1), and the worst status.

    Withdrawn ones, drafts, those of weight 0 and those not started are in neither.
    """
    ours = [j for j in judgements if j.status not in _ASIDE and j.weight > 0]
    judged = [j for j in ours if j.status is not Status.NOT_STARTED]
    measured = [j for j in judged if j.status in WORST_FIRST]
    if ours and not judged:
        return ObjectiveJudgement(status=Status.NOT_STARTED, progress=None, measured=0, total=0)
    return ObjectiveJudgement(
        status=_status(judged, measured), progress=_progress(measured), measured=len(measured), total=len(judged)
    )


def _status(judged: list[Judgement], measured: list[Judgement]) -> Status:
    # Exact sums, so that the order of key results can't tip a comparison.
    if not measured or below(math.fsum(j.weight for j in measured), math.fsum(j.weight for j in judged) / 2):
        return Status.UNKNOWN
    statuses = [j.status for j in measured]
    if len(measured) < len(judged):
        statuses.append(Status.ON_TRACK)
    return min(statuses, key=WORST_FIRST.index)


def _progress(measured: list[Judgement]) -> float | None:
    shown = mean_progress([(j.weight, j.raw_progress) for j in measured if j.raw_progress is not None])
    return shown if shown is None or all(j.satisfied for j in measured) else min(shown, MOST_UNSATISFIED)


def mean_progress(parts: Sequence[tuple[float, float]]) -> float | None:
    """The weighted mean of progress, each clamped to 0..1, cut for showing; `parts` are weights and raw progress."""
    if not parts:
        return None
    weight = math.fsum(w for w, _ in parts)
    return cut(math.fsum(w * min(1.0, max(0.0, p)) for w, p in parts) / weight)
