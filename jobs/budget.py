"""A credential's budget of requests, kept in the store and so one for all streams and processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ..collectors.contract import Quota, RetryAt
from ..metrics.table import from_microseconds, microseconds
from ..storage import account
from ..storage.store import Store
from .clock import now

LOOK_AGAIN = 0.1
"""Seconds until an answer may have come to those requests that are under way while nothing is known of the quota."""


@dataclass(frozen=True)
class StoredBudget:
    """`reserve` is the share of a quota that the `source` leaves to others.

    `check` is asked before each request of a resource, and may raise. Requests are paced by the computer's clock,
    whatever time it is to the rest. `pause` waits for so many seconds.
    """

    store: Store
    source: str
    credential: str
    reserve: float
    clock: Callable[[], datetime]
    check: Callable[[str], None] = lambda resource: None
    pause: Callable[[float], None] = time.sleep

    def spend(self, resource: str, requests: int = 1, *, per_minute: int | None = None) -> float:
        turn = self._turn(resource, requests, per_minute)
        tried = 0
        while turn.unheard and tried * LOOK_AGAIN < account.PATIENCE / account.SECOND:
            self.pause(LOOK_AGAIN)
            tried += 1
            turn = self._turn(resource, requests, per_minute)
        if turn.until is not None:
            raise RetryAt(from_microseconds(turn.until), self._why(resource, turn), resource)
        return turn.wait / account.SECOND

    def _turn(self, resource: str, requests: int, per_minute: int | None) -> account.Turn:
        self.check(resource)
        return self.store.spend(
            self.credential,
            resource,
            requests,
            reserve=self.reserve,
            per_minute=per_minute,
            now=microseconds(self.clock()),
            paced_at=microseconds(now()),
        )

    def _why(self, resource: str, turn: account.Turn) -> str:
        if turn.paced:
            return f"{self.source}: no more {resource} requests may be sent within this minute"
        if turn.unheard:
            return f"{self.source}: {account.UNHEARD} {resource} requests are under way, and none is answered yet"
        if not self.reserve:
            return f"{self.source}: the credential's {resource} requests are used up; a longer `every` needs fewer"
        return (
            f"{self.source}: only the reserve ({self.reserve:.0%}) of the credential's {resource} requests is left; "
            "a smaller `reserve` leaves less to others, a longer `every` needs fewer"
        )

    def learn(self, resource: str, quota: Quota | None, *, free: bool = False) -> None:
        told = None
        if quota is not None:
            told = account.Quota(limit=quota.limit, remaining=quota.remaining, reset=microseconds(quota.reset))
        self.store.hear(self.credential, resource, told, free=free, now=microseconds(self.clock()))
