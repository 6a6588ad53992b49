"""Streams of facts and the batches they arrive in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .facts import Fact, FactKind
from .ranges import TimeRanges

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Stream:
    """What a collector can fetch on its own: facts of one kind about one subject, as a query asks.

    Cursor and coverage are kept for an `id`, of which the query is a part: to edit the query is to
    start another stream, with a history of its own. `query` holds JSON values only.
    """

    source: str
    kind: FactKind
    subject: str
    query: Json = field(default_factory=dict)

    @property
    def digest(self) -> str:
        text = json.dumps(self.query, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def id(self) -> str:
        """Stable and readable: `github/deployments/acme/payments@1f0c…`."""
        return f"{self.source}/{self.kind}/{self.subject}@{self.digest}"

    def __hash__(self) -> int:
        return hash(self.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.id == other.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one step of a collection brought. It is stored whole, in one transaction, or not at all.

    `covered` says for which time the stream is now known completely, facts of earlier batches
    included. `cursor` replaces the stored one (None keeps it). `removed` are keys of facts that
    the source withdrew. `horizon` is set where the source can't tell of anything older.
    `open_keys` are facts that may still change and are asked again. `problems` are rows or items
    that could not be read, each in words with its place; they never stop the rest.
    """

    facts: tuple[Fact, ...] = ()
    covered: TimeRanges = field(default_factory=TimeRanges)
    cursor: Json | None = None
    removed: tuple[str, ...] = ()
    open_keys: tuple[str, ...] = ()
    horizon: datetime | None = None
    requests: int = 0
    problems: tuple[str, ...] = ()
