"""What is known of one quota, and what spending and hearing of it do. Instants are microseconds since 1970 UTC."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

SECOND = 1_000_000
MINUTE = 60 * SECOND

UNHEARD = 10
"""Requests that may be under way before anything was heard of the quota."""

LONGEST_WINDOW = 120 * MINUTE
"""A window that ends later is none: the clock was set back, or is far behind the source's."""

SAME_WINDOW = 10 * SECOND
"""Ends that lie no further apart are of one window: a source's machines round differently."""

PATIENCE = 5 * SECOND
"""The longest wait of a worker; a longer one is the scheduler's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a source says: of `limit` requests until `reset`, `remaining` are left."""

    limit: int
    remaining: int
    reset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """May be taken in `wait` microseconds; or, where `until` is given, nothing was taken and nothing will be before.

    That is so because too many were sent within a minute (`paced`), because nothing was heard yet of the quota
    (`unheard`), or else because only the reserve is left.
    """

    wait: int = 0
    until: int | None = None
    paced: bool = False
    unheard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`remaining` less what is under way. Until a `limit` was heard, it is how many more may be under way.

    `next_at` is when all that was sent would be over at an even pace.
    """

    limit: int | None
    remaining: int
    reset: int
    next_at: int

    @classmethod
    def unheard(cls, now: int, next_at: int = 0) -> Account:
        return cls(limit=None, remaining=UNHEARD, reset=now + MINUTE, next_at=next_at)

    def at(self, now: int) -> Account:
        """This account, or a blank one where its window is over (or can't be one)."""
        longest = MINUTE if self.limit is None else LONGEST_WINDOW
        return self if now < self.reset <= now + longest else self.unheard(now, self.next_at)

    def spend(self, requests: int, *, reserve: float, per_minute: int | None, now: int) -> tuple[Account, Turn]:
        """Take requests where more than the `reserve` (a share of the limit) is left, and their turn has come.

        `now` paces them; whether the window is still open is the caller's to ask before.
        """
        left = self.remaining - requests
        if left < kept(self.limit, reserve):
            return self, Turn(until=self.reset, unheard=self.limit is None)
        if per_minute is None:
            return replace(self, remaining=left), Turn()
        turn, next_at = _turn(self.next_at, requests, per_minute, now)
        if turn.until is not None:
            return self, turn
        return replace(self, remaining=left, next_at=next_at), turn

    def hear(self, quota: Quota | None, *, free: bool, now: int) -> Account:
        """One request is over; `free` if it cost nothing. `quota` is what its answer told, if it told."""
        if self.limit is None:
            return self._first_heard(quota, free, now)
        remaining = min(self.limit, self.remaining + free)
        if quota is None or quota.reset < self.reset - SAME_WINDOW:
            return replace(self, remaining=remaining)
        if quota.reset > self.reset + SAME_WINDOW:
            return replace(self, limit=quota.limit, remaining=quota.remaining, reset=quota.reset)
        # What is under way is in ours and may not be in theirs; what others sent is in theirs alone.
        return replace(self, limit=quota.limit, remaining=min(remaining, quota.remaining))

    def _first_heard(self, quota: Quota | None, free: bool, now: int) -> Account:
        over = min(UNHEARD, self.remaining + 1)
        if quota is None:
            return replace(self, remaining=over)
        others = UNHEARD - over
        # A window that is over by our clock alone goes on for a while.
        reset = quota.reset if quota.reset > now else now + MINUTE
        return replace(self, limit=quota.limit, remaining=quota.remaining - others, reset=reset)


def kept(limit: int | None, reserve: float) -> int:
    """How many requests of a limit the reserve leaves to others."""
    return 0 if limit is None else math.ceil(round(reserve * limit, 6))


def _turn(next_at: int, requests: int, per_minute: int, now: int) -> tuple[Turn, int]:
    """An even pace that lets a fifteenth of a minute's requests go at once, and never more than all within a minute."""
    at_once = max(per_minute // 15, 1)
    each = MINUTE // max(per_minute - at_once, 1) + 1
    ahead = at_once * each
    if next_at > now + ahead + PATIENCE + each * requests:
        next_at = now  # nobody ran so far ahead: the clock was set back
    begun = max(next_at, now) + each * requests
    wait = max(begun - ahead - now, 0)
    return (Turn(wait=wait) if wait <= PATIENCE else Turn(until=now + wait, paced=True)), begun
