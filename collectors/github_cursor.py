"""How far a stream of GitHub has been read, what may still change, and what its fixed URL last showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ..metrics.ranges import TimeRange
from ..metrics.stream import Json

SWEEP_EVERY = timedelta(days=1)
"""How often everything that may still change is read again, whatever the cheap checks say."""

SETTLES = timedelta(minutes=1)
"""GitHub's instants are cut to seconds and its lists lag behind: the last minute is read, but not claimed."""


def instant(written: str) -> datetime:
    """GitHub's `2026-10-01T12:00:00Z`, aware."""
    return datetime.fromisoformat(written)


def claimed(window: TimeRange, sent: datetime) -> TimeRange:
    """The part of a window that a request sent at this instant can answer for."""
    return TimeRange(window.start, max(window.start, min(window.end, sent - SETTLES)))


@dataclass(frozen=True, slots=True)
class Item:
    """Something that may still change, by its id. `attempt` is a run's; a deployment has none."""

    key: str
    created_at: datetime
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What the fixed URL last showed: its ETag belongs to one credential; `oldest` is where its page ended.

    `digest` is of what matters in it, where more than that moves the ETag (the downloads of a release).
    """

    credential: str
    etag: str
    oldest: datetime | None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Walked:
    """Where reading a list downwards came to: what lies behind `after` is no newer than `reached`.

    All that is newer than that and older than `below` was handed over.
    """

    after: str
    reached: datetime
    below: datetime


@dataclass(slots=True)
class Progress:
    """A cursor. `until` is the end of the newest poll that came to its end, `swept` the instant of the last sweep.

    The ETag lives here and not beside the facts: it may only be remembered together with what it stands for.
    `repeated` holds runs with several attempts, each with the last one that was handed over finished.
    `known` are the keys of a list that is read whole, as `remember` packs them; None before the first reading.
    `told` are, packed the same way, keys of such a list that were handed over before it was read to its end; or the
    runs created from `told_from` on that were handed over.
    `walked` is the lowest place that reading the list from its front came to, for whoever asks for what lies below.
    `parts` are the cursors of the lists that a stream is put together from, where it is one of several.
    """

    until: datetime | None = None
    swept: datetime | None = None
    open: dict[str, Item] = field(default_factory=dict)
    repeated: dict[str, Item] = field(default_factory=dict)
    seen: Seen | None = None
    known: str | None = None
    told: str | None = None
    told_from: datetime | None = None
    walked: Walked | None = None
    parts: dict[str, Progress] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: Json | None) -> Progress:
        written: Mapping[str, Any] = cursor or {}
        seen = written.get("seen")
        return cls(
            until=_or_none(written.get("until")),
            swept=_or_none(written.get("swept")),
            open=_items(written.get("open", {})),
            repeated=_items(written.get("repeated", {})),
            seen=Seen(seen["credential"], seen["etag"], _or_none(seen["oldest"]), seen.get("digest", ""))
            if seen
            else None,
            known=written.get("known"),
            told=written.get("told"),
            told_from=_or_none(written.get("told_from")),
            walked=_walk(written.get("walked")),
            parts={name: cls.of(one) for name, one in written.get("parts", {}).items()},
        )

    def as_json(self) -> Json:
        return {
            "until": _iso(self.until),
            "swept": _iso(self.swept),
            "open": _written(self.open),
            "repeated": _written(self.repeated),
            "seen": _shown(self.seen) if self.seen else None,
            "known": self.known,
            "told": self.told,
            "told_from": _iso(self.told_from),
            "walked": _walked(self.walked) if self.walked else None,
            "parts": {name: one.as_json() for name, one in sorted(self.parts.items())},
        }

    @property
    def open_keys(self) -> tuple[str, ...]:
        return tuple(sorted(one.key for one in self.open.values()))

    def is_beyond(self, end: datetime) -> bool:
        """Whether a window that ends there asks for something new; others fill gaps or reach further back."""
        return self.until is None or end > self.until

    def sweep_is_due(self, now: datetime) -> bool:
        """To be asked as a poll begins. Never on the first one: there is nothing behind it yet.

        The first one, though it be broken off, counts as a sweep from its beginning.
        """
        if self.swept is None:
            self.swept = now
        return now - self.swept >= SWEEP_EVERY

    def swept_back(self, age: timedelta) -> datetime:
        """How far a due sweep reaches: whatever is younger than `age` may have changed since the last one."""
        assert self.swept is not None
        return self.swept - age

    def walk_on(self, after: str | None, reached: datetime | None, below: datetime) -> None:
        """Keep a place that reading came to, where none lower is known."""
        if after is not None and reached is not None and (self.walked is None or reached < self.walked.reached):
            self.walked = Walked(after, reached, below)

    def start_below(self, end: datetime) -> Walked | None:
        """The place to go on from where everything before `end` is asked for; None for the front."""
        return self.walked if self.walked is not None and end <= self.walked.below else None

    def forget_before(self, oldest: datetime) -> None:
        """What was created earlier is abandoned: asked for no more."""
        self.open = {node: one for node, one in self.open.items() if one.created_at >= oldest}
        self.repeated = {node: one for node, one in self.repeated.items() if one.created_at >= oldest}

    def finished(self, *, until: datetime, swept: datetime | None, seen: Seen | None) -> Progress:
        """The progress of a poll that came to its end; it counts as the first sweep, where there was none."""
        return replace(self, until=until, swept=swept or min(self.swept or until, until), seen=seen)

    def etag_for(self, credential: str, start: datetime) -> str | None:
        """The ETag to ask with, where "unchanged" would answer for everything from `start` on."""
        if self.seen is None or self.until is None or self.seen.credential != credential or start < self.until:
            return None
        return self.seen.etag


def _shown(seen: Seen) -> Json:
    return {
        "credential": seen.credential,
        "etag": seen.etag,
        "oldest": _iso(seen.oldest),
        "digest": seen.digest,
    }


def _walked(walked: Walked) -> Json:
    return {"after": walked.after, "reached": _iso(walked.reached), "below": _iso(walked.below)}


def _walk(written: Mapping[str, Any] | None) -> Walked | None:
    if not written:
        return None
    return Walked(written["after"], instant(written["reached"]), instant(written["below"]))


def _items(written: Mapping[str, Any]) -> dict[str, Item]:
    return {node: Item(one["key"], instant(one["created_at"]), one["attempt"]) for node, one in written.items()}


def _written(items: Mapping[str, Item]) -> Json:
    return {
        node: {"key": one.key, "created_at": one.created_at.isoformat(), "attempt": one.attempt}
        for node, one in sorted(items.items())
    }


def _or_none(written: str | None) -> datetime | None:
    return instant(written) if written else None


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
