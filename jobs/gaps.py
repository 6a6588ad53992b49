"""What of a stream is still to be asked."""

from __future__ import annotations

from datetime import datetime

from ..metrics.ranges import TimeRange, TimeRanges
from ..storage.rows import StreamState


def gaps(state: StreamState | None, needed_from: datetime, now: datetime) -> list[TimeRange]:
    """Uncovered ranges back to `needed_from`, newest first, each worth one call.

    The newest always stands first and reaches to now, for open items are asked again with it. What
    lies before the source's horizon is not asked: it has said that it knows nothing of it.
    """
    if state is None:
        return [TimeRange(min(needed_from, now), now)]
    missing = TimeRanges.of(TimeRange(min(needed_from, now), now)) - state.coverage
    if state.horizon is not None:
        missing = missing.clip(state.horizon, now)
    older = [gap for gap in missing if gap.end < now]
    newest = next((gap for gap in missing if gap.end == now), TimeRange(now, now))
    return [newest, *reversed(older)]
