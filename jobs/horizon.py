"""What a source will soon have forgotten before it was collected."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..collectors.contract import Forgetting
from ..collectors.registry import collector_type
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Stream
from ..reports.values import SoonLost
from ..storage.rows import StreamState
from .workspace import Workspace

SOON = timedelta(days=7)
"""How long before something is lost it is said."""

BRIEF = timedelta(hours=1)
"""A gap no longer than this is no more than the time up to the next collection."""


def soon_lost(workspace: Workspace, state: StreamState | None, start: datetime, now: datetime) -> SoonLost | None:
    """The oldest time from `start` on, or from where the stream's own begins, that is not collected and soon lost."""
    kept = None if state is None else keeps(workspace, state.stream)
    if state is None or kept is None:
        return None
    begin = min(start, state.coverage.start or start)
    missing = (TimeRanges.of(TimeRange(min(begin, now), now)) - state.coverage).clip(now - kept, now)
    if state.horizon is not None:
        missing = missing.clip(state.horizon, now)
    gap = next((gap for gap in missing if gap.length > BRIEF), None)
    if gap is None or gap.start + kept > now + SOON:
        return None
    calendar = workspace.config.calendar
    day = calendar.day_of(gap.start)
    command = f"keyresults backfill {state.stream.source} --since {day}"
    return SoonLost(start=gap.start, end=gap.end, on=calendar.day_of(gap.start + kept), command=command)


def keeps(workspace: Workspace, stream: Stream) -> timedelta | None:
    """How long the stream's source can still tell what happened; None for as long as anybody asks."""
    kind = collector_type(workspace.config.sources[stream.source].type)
    return kind.keeps(stream) if isinstance(kind, Forgetting) else None
