"""A credential's budget of requests, kept in the store and so one for all streams and processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ..collectors.contract import Quota, RetryAt
from ..metrics.table import from_microseconds, microseconds
from ..storage import account
from ..storage.store import Store
from .clock import now


@dataclass(frozen=True)
class StoredBudget:
    """`reserve` is the share of a quota that is left to others; `check` is asked before each request, and may raise.

    Requests are paced by the computer's clock, whatever time it is to the rest.
    """

    store: Store
    credential: str
    reserve: float
    clock: Callable[[], datetime]
    check: Callable[[], None] = lambda: None

    def spend(self, resource: str, requests: int = 1, *, per_minute: int | None = None) -> float:
        self.check()
        turn = self.store.spend(
            self.credential,
            resource,
            requests,
            reserve=self.reserve,
            per_minute=per_minute,
            now=microseconds(self.clock()),
            paced_at=microseconds(now()),
        )
        if turn.until is not None:
            why = "too many at once" if turn.paced else f"only the reserve ({self.reserve:.0%}) is left"
            raise RetryAt(from_microseconds(turn.until), f"the credential's {resource} requests: {why}")
        return turn.wait / account.SECOND

    def learn(self, resource: str, quota: Quota | None, *, free: bool = False) -> None:
        told = None
        if quota is not None:
            told = account.Quota(limit=quota.limit, remaining=quota.remaining, reset=microseconds(quota.reset))
        self.store.hear(self.credential, resource, told, free=free, now=microseconds(self.clock()))
