"""How long work says where it stands; the command draws it, the daemon doesn't."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    def stream(self, name: str, detail: str = "") -> None:
        """The work turns to a stream; `detail` says what is asked of it, such as the days."""

    def advance(self, facts: int, requests: int = 0) -> None:
        """A batch of the current stream is stored."""


class Quiet:
    """Progress that nobody watches."""

    def stream(self, name: str, detail: str = "") -> None:
        return None

    def advance(self, facts: int, requests: int = 0) -> None:
        return None
