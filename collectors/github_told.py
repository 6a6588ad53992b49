"""Which runs were handed over: one that GitHub lists late is told like any other, and none is told twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..metrics.ranges import TimeRange
from .github_cursor import Progress, instant
from .github_reader import TICK
from .remembered import recall, remember, remember_more

LARGEST = 10_000
"""The most runs that are remembered: about 100 kB of cursor."""


@dataclass(slots=True)
class ToldRuns:
    """What a cursor remembers of the runs that were handed over.

    `times` are the instants they were created, by id, in whole seconds since 1970 UTC. None is kept of those created
    before `since`: they count as handed over, unless `new_from` says that everything from there on is new. `_new` are
    those the cursor lacks yet.
    """

    new_from: datetime
    since: datetime
    times: dict[str, int]
    _new: dict[str, int] = field(default_factory=dict)
    _forgot: bool = False

    @classmethod
    def of(cls, progress: Progress, window: TimeRange) -> ToldRuns:
        """What was told before, when `window` is about to be read."""
        since = progress.told_from or window.start
        # Reading further back than ever: all that will be told there is remembered too.
        if window.start < since <= window.end:
            since = window.start
        return cls(window.start, since, recall(progress.told))

    def attempts(self, run: Mapping[str, Any], progress: Progress) -> int:
        """How many attempts were handed over for good. Their ends would only be read worse a second time."""
        number, created = str(run["id"]), instant(run["created_at"])
        if created >= self.new_from:
            return 0
        if number in progress.open:
            return progress.open[number].attempt - 1
        if number in progress.repeated:
            return progress.repeated[number].attempt
        return 1 if created < self.since or number in self.times else 0

    def add(self, run: str, created: datetime) -> None:
        if created >= self.since and run not in self.times:
            self.times[run] = self._new[run] = int(created.timestamp())

    def forget_before(self, oldest: datetime) -> None:
        if self.since < oldest:
            self.since = oldest
            kept = {run: at for run, at in self.times.items() if at >= int(oldest.timestamp())}
            self._forgot |= len(kept) < len(self.times)
            self.times = kept

    def keep_in(self, progress: Progress) -> None:
        """To be called before a cursor is written."""
        if len(self.times) > LARGEST:
            last = sorted(self.times.values())[-LARGEST - 1]
            self.forget_before(datetime.fromtimestamp(last, UTC) + TICK)
        if self._forgot or self._new:
            # A page's runs are added: to pack thousands anew for each page took more time than to read them.
            more = None if self._forgot else remember_more(progress.told, self._new)
            progress.told = remember(self.times, LARGEST) if more is None else more
            self._new, self._forgot = {}, False
        progress.told_from = self.since
