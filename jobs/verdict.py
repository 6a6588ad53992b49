"""What a source's streams find out about asking it, each for all the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..collectors.contract import CollectorError, CredentialRefused, RetryAt, SourceError

GIVE_UP_AFTER = 2
"""Streams in a row that a source may fail before the rest of its streams are left for the next run."""

JITTER = 0.1
LONGEST_JITTER = timedelta(minutes=1)
"""Whom a source asks to wait comes back later by up to this share of the wait: not everybody in the same second."""


@dataclass
class Verdict:
    """Whether it is still of use to ask. Threads may share one; `chance` is from 0 to 1."""

    clock: Callable[[], datetime]
    chance: Callable[[], float]
    _error: CollectorError | None = None
    _waits: dict[str | None, RetryAt] = field(default_factory=dict)
    _failed_in_a_row: int = 0
    _deciding: threading.Lock = field(default_factory=threading.Lock)

    @property
    def error(self) -> CollectorError | None:
        """Why nothing more is to be asked; None while something is."""
        with self._deciding:
            return self._waits.get(None, self._error)

    def check(self, resource: str | None = None) -> None:
        """`resource` names the requests that are to be made, where the source counts several kinds apart.

        Raises:
            RetryAt: where the source has asked another stream to wait with them, or with all.
        """
        with self._deciding:
            wait = self._waits.get(None) or self._waits.get(resource)
        if wait is not None:
            raise wait

    def hear(self, error: CollectorError | None) -> CollectorError | None:
        """How a stream ended. The wait it was asked for comes back a little longer, and the same for all streams."""
        with self._deciding:
            self._failed_in_a_row = self._failed_in_a_row + 1 if isinstance(error, SourceError) else 0
            if isinstance(error, RetryAt):
                return self._waiting(error)
            enough = self._failed_in_a_row >= GIVE_UP_AFTER or isinstance(error, CredentialRefused)
            if self._error is None and enough:
                self._error = error
            return error

    def wait(self, told: RetryAt) -> RetryAt:
        """As `hear`, before any stream was known."""
        with self._deciding:
            return self._waiting(told)

    def _waiting(self, told: RetryAt) -> RetryAt:
        known = self._waits.get(told.resource)
        if known is not None and known.time >= told.time:
            return known
        wait = max(told.time - self.clock(), timedelta())
        time = told.time + min(JITTER * wait, LONGEST_JITTER) * self.chance()
        self._waits[told.resource] = RetryAt(time, told.reason, told.resource)
        return self._waits[told.resource]
