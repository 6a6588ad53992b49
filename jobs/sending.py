"""What happens to a notice that is sent, and what those who send it may say of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from ..collectors.contract import CollectorError
from ..collectors.secrets import Secret
from ..storage.outbox import WaitingNotice

Send = Callable[[Secret, WaitingNotice], None]
"""Tells the receiver at an address. Returns once it has accepted.

Raises:
    NotTold: where it has not, or nobody knows.
"""

HOPELESS = frozenset({400, 405, 410, 411, 413, 414, 415, 422})
"""Answers of HTTP that the same notice gets again however often it is sent, wherever the channel is mended."""


class NotTold(CollectorError):
    """`str()` is stored and logged: it names neither address nor credential.

    `again` is from when on the receiver wants to be asked; `hopeless` where it never will accept.
    """

    def __init__(self, words: str, *, again: datetime | None = None, hopeless: bool = False) -> None:
        super().__init__(words)
        self.again = again
        self.hopeless = hopeless


_TALKATIVE = (
    "requests",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.util.retry",
)


class _NotOf(logging.Filter):
    def __init__(self, thread: int) -> None:
        super().__init__()
        self._thread = thread

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread


@contextmanager
def quiet() -> Iterator[None]:
    """The whole address of a channel is a secret, and libraries log paths: nothing that this thread does is logged."""
    silence = _NotOf(threading.get_ident())
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    for logger in loggers:
        logger.addFilter(silence)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(silence)
