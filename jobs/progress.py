"""How long work says where it stands; the command draws it, the daemon doesn't."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

LITTLE = 0.05
"""The share of the work that has to be done before the rest is guessed from it."""


class Progress(Protocol):
    """Threads may tell it of several streams at once."""

    def streams(self, count: int) -> None:
        """So many more streams are to be collected."""

    def stream(self, name: str, detail: str = "") -> None:
        """The work turns to a stream; `detail` says what is asked of it, such as the days."""

    def advance(
        self, facts: int, requests: int = 0, *, name: str = "", back_to: date | None = None, share: float | None = None
    ) -> None:
        """A batch is stored of the stream of this name, which is read back to a day, and done to a share of 0 to 1."""


class Quiet:
    """Progress that nobody watches."""

    def streams(self, count: int) -> None:
        return None

    def stream(self, name: str, detail: str = "") -> None:
        return None

    def advance(
        self, facts: int, requests: int = 0, *, name: str = "", back_to: date | None = None, share: float | None = None
    ) -> None:
        return None


@dataclass
class Course:
    """Where a collection stands, over all its streams: a progress that can be put in words."""

    requests: int = 0
    _facts: int = 0
    _about: str = ""
    _back_to: date | None = None
    _count: int = 0
    _shares: dict[str, float] = field(default_factory=dict)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def streams(self, count: int) -> None:
        with self._counting:
            self._count += count

    def stream(self, name: str, detail: str = "") -> None:
        with self._counting:
            self._about, self._back_to = f"{name} {detail}".strip(), None

    def advance(
        self, facts: int, requests: int = 0, *, name: str = "", back_to: date | None = None, share: float | None = None
    ) -> None:
        with self._counting:
            self._facts += facts
            self.requests += requests
            if share is not None:
                self._shares[name] = share
            if back_to is not None:
                self._about, self._back_to = name, back_to

    @property
    def expected(self) -> int | None:
        """About how many requests it will be in the end; None while too little is done to say."""
        done = sum(self._shares.values()) / max(self._count, len(self._shares), 1)
        return round(self.requests / done) if done >= LITTLE else None

    def words(self, most: int | None = None) -> str:
        """`forge runs of acme/shop · back to 2026-08-14 · 132 requests of about 450`.

        In `most` characters: what the work is about gives way first, then how far back it is.
        """
        with self._counting:
            back = f"back to {self._back_to}" if self._back_to else ""
            expected = self.expected
            requests = f"{self.requests} requests" if self.requests else f"{self._facts} facts" if self._facts else ""
            if self.requests and expected is not None and expected > self.requests:
                requests = f"{requests} of about {expected}"
            return _joined(self._about, back, requests, most)


_LEAST = 12
"""Characters of what the work is about that still say something."""


def _joined(about: str, back: str, requests: str, most: int | None) -> str:
    whole = " · ".join(part for part in (about, back, requests) if part)
    if most is None or len(whole) <= most:
        return whole
    left = most - (len(whole) - len(about))
    if left < _LEAST and back:
        return _joined(about, "", requests, most)
    return " · ".join(part for part in (_cut(about, max(left, 1)), back, requests) if part)[:most]


def _cut(words: str, most: int) -> str:
    """Both ends of it: the source stands at one, the repository or the days at the other."""
    end = (most - 1) // 2
    return f"{words[: most - 1 - end]}…{words[len(words) - end :]}" if len(words) > most else words
