"""What a GitHub counts: requests of each resource within a window."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta

from .github_world import World


class Quota:
    """`ends` is the end of the open window; None for one that always ends in half an hour. `silent`: none is kept."""

    def __init__(self, world: World) -> None:
        self.limit = 5000
        self.ends: datetime | None = None
        self.silent = False
        self.used: Counter[str] = Counter()
        self._world = world
        self._counting = threading.Lock()

    @property
    def left(self) -> int:
        """Of all resources together."""
        return self.limit - self.used.total()

    def take(self, resource: str, *, free: bool) -> bool:
        """Whether the request may be answered."""
        with self._counting:
            if self.ends is not None and self._world.now >= self.ends:
                self.used.clear()
                self.ends += timedelta(hours=1)
            if free or self.silent:
                return True
            self.used[resource] += 1
            return self.used[resource] <= self.limit

    def headers(self, resource: str) -> dict[str, str]:
        if self.silent:
            return {}
        ends = self.ends or self._world.now + timedelta(minutes=30)
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(self.limit - self.used[resource], 0)),
            "X-RateLimit-Reset": str(int(ends.timestamp())),
            "X-RateLimit-Resource": resource,
        }
