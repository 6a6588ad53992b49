"""Lists that are read whole, but only once a fixed URL shows that something about them is new."""

from __future__ import annotations

import hashlib
import json
import zlib
from abc import abstractmethod
from collections.abc import Container, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..metrics.facts import Deployment, Sample
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Batch
from .contract import SourceError
from .github_client import Answer
from .github_cursor import Seen, claimed
from .github_reader import Reader
from .github_refusals import EmptyRepository
from .remembered import recall, remember

REMEMBERED = 5000
"""How many of the newest facts are watched for being withdrawn, where not the whole list is."""

Told = Generator[Batch, None, tuple[str, tuple[str, ...]]]
"""Batches of facts; at their end what is known now, as a cursor holds it, and the keys that are gone."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the fixed URL shows now; `unchanged` answers for everything that the last poll saw.

    `empty`: there is nothing in the repository at all.
    """

    sent: datetime
    seen: Seen | None
    unchanged: bool
    empty: bool = False


@dataclass(slots=True, kw_only=True)
class WatchedReader(Reader):
    """A poll costs one conditional request while nothing changes; once a day the list is read anyway.

    Facts are handed over as they come; what is covered, known and gone is said only at the end. `holes` are times of
    which something can't be told. `looked` is what the fixed URL showed; where what was told does not bear it out, it
    is not `settled`, and the next poll reads again.
    """

    problems: list[str] = field(default_factory=list)
    holes: TimeRanges = field(default_factory=TimeRanges)
    looked: Any = None
    settled: bool = True

    @abstractmethod
    def ask(self, etag: str | None) -> Answer:
        """The conditional request of the fixed URL."""

    @abstractmethod
    def shown(self, body: Any) -> object:  # noqa: ANN401 (JSON)
        """What matters of its answer."""

    def get(self, path: str, etag: str | None, parameters: Mapping[str, str | int] | None = None) -> Answer:
        """One conditional request below the repository."""
        return self.client.get(f"/repos/{self.repository.name}{path}", self.subject, parameters, etag)

    def awaits_more(self) -> bool:
        """Whether something is to be asked for again that the fixed URL does not show."""
        return False

    @abstractmethod
    def tell(self, window: TimeRange) -> Told:
        """What is new since the last poll, and everything from the window's start on."""

    @abstractmethod
    def tell_gap(self, window: TimeRange) -> Generator[Batch, None, str | None]:
        """What lies in a window behind the last poll, and at its end what is known now."""

    def told(self, facts: Sequence[Deployment | Sample]) -> Batch:
        """A part of the list. Should the rest never come, the next reading has to know what this one told."""
        if facts:
            times = {fact.key: int(fact.at.timestamp()) for fact in facts}
            self.progress.told = remember(recall(self.progress.told) | times, REMEMBERED)
        return self.batch(facts)

    def gone(self, before: Mapping[str, int], now: Container[str]) -> tuple[str, ...]:
        """Keys known or told before which a list read to its end has no more."""
        return tuple(sorted(key for key in {*recall(self.progress.told), *before} if key and key not in now))

    def nothing(self) -> str:
        """What is known of a repository that nothing was pushed to."""
        return remember({}, 0)

    def read(self, window: TimeRange) -> Iterator[Batch]:
        if self.progress.is_beyond(window.end):
            yield from self._poll(window)
            return
        asked = claimed(window, self.client.now())
        try:
            known = yield from self.tell_gap(asked)
        except EmptyRepository:
            known = self.nothing()
        kept = recall(known)
        left = {key: at for key, at in recall(self.progress.told).items() if key not in kept}
        told = remember(left, REMEMBERED) if left else None
        self.progress, self.covered = replace(self.progress, known=known, told=told), TimeRanges.of(asked) - self.holes
        yield self.batch((), problems=self.problems)

    def _poll(self, window: TimeRange) -> Iterator[Batch]:
        now = self.client.now()
        sweep = self.progress.sweep_is_due(now)
        look = self._look(window.start, sweep)
        known: str | None = self.progress.known
        gone: tuple[str, ...] = ()
        if look.empty:
            known, gone = self.nothing(), self.gone(recall(known), ())
            self.progress.told = None
        elif not look.unchanged or self.awaits_more():
            known, gone = yield from self.tell(window)
            self.progress.told = None
        asked = claimed(window, look.sent)
        seen = look.seen if self.settled else None
        ended = self.progress.finished(until=asked.end, swept=now if sweep else None, seen=seen)
        self.progress, self.covered = replace(ended, known=known), TimeRanges.of(asked) - self.holes
        yield self.batch((), removed=gone, problems=self.problems)

    def _look(self, start: datetime, sweep: bool) -> Look:
        mark, before = self.client.credential_mark(), self.progress.seen
        try:
            answer = self.ask(None if sweep else self.progress.etag_for(mark, start))
        except EmptyRepository:
            return Look(self.client.now(), None, unchanged=False, empty=True)
        if answer.unchanged:
            return Look(answer.sent, before, unchanged=True)
        try:
            self.looked = self.shown(answer.body)
            digest = _digest(self.looked)
        except (KeyError, TypeError) as error:
            raise SourceError(f"{self.subject}: GitHub's answer can't be read ({error!r})") from None
        new = answer.headers.get("etag", "")
        follows = not sweep and self.progress.until is not None and start >= self.progress.until
        same = follows and before is not None and before.digest == digest
        return Look(answer.sent, Seen(mark, new, None, digest), unchanged=same)


@dataclass(slots=True, kw_only=True)
class ListingReader(WatchedReader):
    """A list whose items come, change and go anywhere in it.

    GitHub's REST shows what is new, its GraphQL tells it, and either may lag behind the other.
    """

    @abstractmethod
    def listed(self) -> Iterator[Sequence[Deployment]]:
        """The whole list, page by page."""

    @abstractmethod
    def agrees(self) -> bool:
        """Whether the list told what the fixed URL showed."""

    def tell(self, window: TimeRange) -> Told:
        before = recall(self.progress.known)
        known: dict[str, int] = {}
        for facts in self.listed():
            now = {fact.key: _fingerprint(fact) for fact in facts}
            known |= now
            late = self.progress.known is not None
            new = [f for f in facts if f.at >= window.start or (late and before.get(f.key) != now[f.key])]
            if new:
                yield self.told(new)
        self.settled = self.agrees()
        return remember(known, len(known)), self.gone(before, known)

    def tell_gap(self, window: TimeRange) -> Generator[Batch, None, str | None]:
        for facts in self.listed():
            yield self.told([fact for fact in facts if fact.at in window])
        return self.progress.known


def _fingerprint(fact: Deployment) -> int:
    return zlib.crc32(f"{fact.at.timestamp()} {fact.commit} {fact.ref}".encode())


def _digest(shown: object) -> str:
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]
