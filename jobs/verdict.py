"""What a source's streams find out about asking it, each for all the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..collectors.contract import CollectorError, RetryAt, SourceError

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
    _failed_in_a_row: int = 0
    _deciding: threading.Lock = field(default_factory=threading.Lock)

    @property
    def error(self) -> CollectorError | None:
        """Why nothing more is to be asked; None while it is."""
        with self._deciding:
            return self._error

    def check(self) -> None:
        """
        Raises:
            RetryAt: where the source has asked another stream to wait.
        """
        error = self.error
        if isinstance(error, RetryAt):
            raise error

    def hear(self, error: CollectorError | None) -> CollectorError | None:
        """How a stream ended. The wait it was asked for comes back a little longer, and the same for all streams."""
        with self._deciding:
            self._failed_in_a_row = self._failed_in_a_row + 1 if isinstance(error, SourceError) else 0
            if isinstance(error, RetryAt):
                return self._waiting(error)
            if self._error is None and self._failed_in_a_row >= GIVE_UP_AFTER:
                self._error = error
            return error

    def wait(self, told: RetryAt) -> RetryAt:
        """As `hear`, before any stream was known."""
        with self._deciding:
            return self._waiting(told)

    def _waiting(self, told: RetryAt) -> RetryAt:
        if isinstance(self._error, RetryAt) and self._error.time >= told.time:
            return self._error
        wait = max(told.time - self.clock(), timedelta())
        self._error = RetryAt(told.time + min(JITTER * wait, LONGEST_JITTER) * self.chance(), told.reason)
        return self._error
