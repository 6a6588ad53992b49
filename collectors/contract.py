"""What a collector is.

A collector knows one source. It reads, and hands over batches of facts; it never sees the store
and computes no metric. Constructing one validates its options and never touches the network.
"""

from __future__ import annotations

import builtins
import logging
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from ..metrics.calendar import Calendar
from ..metrics.facts import FactKind
from ..metrics.ranges import TimeRange
from ..metrics.stream import Batch, Json, Stream

if TYPE_CHECKING:
    from .http import HttpDoor


SOURCE_KEYS = ("type", "every", "at", "cron", "since", "reserve", "owner")
"""What every `[sources.NAME]` may say, whatever its type; the runner's business, not the collector's."""


class CollectorError(Exception):
    """Something a runner knows how to answer. `str()` is shown to people: a secret must never be in it."""


class ConfigError(CollectorError):
    """The source refuses what the config asks (a bad query, an unknown workflow): trying again won't help."""


class Unauthorized(CollectorError):
    """The credential is missing, wrong, or may not see this."""


class CredentialRefused(Unauthorized):
    """The credential itself is refused: whatever else is asked with it will be too."""


class SourceError(CollectorError):
    """The source did not answer, or not sensibly. The next run tries again."""


class RetryAt(CollectorError):
    """The source asks to be left alone until `time`. The scheduler waits, never a worker.

    `resource` names the requests that are meant where the source counts several kinds apart; None for all of them.
    """

    def __init__(self, time: datetime, reason: str, resource: str | None = None) -> None:
        super().__init__(f"{reason}; to be asked again at {time.isoformat(timespec='seconds')}")
        self.time = time
        self.reason = reason
        self.resource = resource


class WrongKeys(ValueError):
    """What a validator of a whole table says of some of its keys, as they are written: each error stands at its key."""

    def __init__(self, *problems: tuple[tuple[str | int, ...], str]) -> None:
        super().__init__("; ".join(message for _, message in problems))
        self.problems = problems

    @classmethod
    def not_one(cls, said: Sequence[str], message: str) -> ValueError:
        """Of keys that exclude each other: the error stands at the second one said, or at the table if none is."""
        return cls(((said[1],), message)) if len(said) > 1 else ValueError(message)


class SourceOptions(BaseModel):
    """Base of a collector's options: what `[sources.NAME]` may say besides the keys every source has."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def tells_only(self) -> FactKind | None:
        """The one kind of fact a source with these options tells; None for every kind its type has queries for."""
        return None

    def asks(self, kind: FactKind) -> Json:
        """What it says in place of its metrics: keys of the query for this kind, which a metric's own overrule."""
        return {}


class FactQuery(BaseModel):
    """Base of what a metric may put to a source for one kind of fact. Dumped as JSON into the stream's identity.

    `measures` names the measures that the answers can serve; None for every one of the kind.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    measures: ClassVar[tuple[str, ...] | None] = None

    def lacks(self, measure: str) -> str | None:
        """Why the answers to this very query serve no such measure, though those to others do; None where they do."""
        return None


FILES_KEY = "files_of"
"""The key of a query for changes that the config fills by itself: nobody writes it, no page names it."""


class ChangesOfServices(FactQuery):
    """Base of a query for changes that can tell which files each touched. The config fills `files_of`, nobody writes
    it: the repositories where a service has `paths`."""

    files_of: tuple[str, ...] | None = Field(default=None, description="Repositories whose changes' files are asked.")


def files_only_of(repository: str, query: Json) -> Json:
    """The query of one repository's stream: another repository's paths are no reason to read it anew."""
    asked = query.get(FILES_KEY)
    own = (
        [name for name in asked if str(name).lower() == repository.lower()] if isinstance(asked, (list, tuple)) else []
    )
    rest = {key: value for key, value in query.items() if key != FILES_KEY}
    return {**rest, FILES_KEY: own} if own else rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a source says of its own accounting: of `limit` requests until `reset`, `remaining` are left."""

    limit: int
    remaining: int
    reset: datetime


class Budget(Protocol):
    """The requests a credential may still make, shared by all streams and processes on one store.

    `resource` names what the source counts apart.
    """

    @property
    def check(self) -> Callable[[str], None]:
        """To be called with a resource by whoever waited since `spend`; raises where its turn is no longer wanted."""
        ...

    def spend(self, resource: str, requests: int = 1, *, per_minute: int | None = None) -> float:
        """Take requests before they are sent: the seconds to wait before that, a few at most.

        `per_minute` is the most requests of the resource that may be sent within a minute.

        Raises:
            RetryAt: where only the reserve is left, or their turn comes later than in a few seconds.
        """
        ...

    def learn(self, resource: str, quota: Quota | None, *, free: bool = False) -> None:
        """To be told when a request is over, answered or not: what the answer said, and whether it cost nothing."""


class Unlimited:
    """The budget of sources that count nothing."""

    def check(self, resource: str) -> None:
        return None

    def spend(self, resource: str, requests: int = 1, *, per_minute: int | None = None) -> float:
        return 0.0

    def learn(self, resource: str, quota: Quota | None, *, free: bool = False) -> None:
        return None


def no_budgets(credential: str) -> Budget:
    return Unlimited()


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a collector is given besides its options.

    `memo` is kept for the source between runs (ETags and the like; JSON text). `base` is the
    folder that relative paths start from: the config file's. `budgets` gives the budget of a
    credential, named by a digest of it, which is stored.
    """

    source: str
    http: HttpDoor
    clock: Callable[[], datetime]
    calendar: Calendar
    base: Path
    budgets: Callable[[str], Budget] = no_budgets
    memo: MutableMapping[str, str] = field(default_factory=dict)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("keyresults.collectors"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What a probe found: `detail` in words, `visible` what can be collected, `since` from when on."""

    reachable: bool
    authorised: bool
    detail: str
    visible: tuple[str, ...] = ()
    since: datetime | None = None

    @property
    def ok(self) -> bool:
        return self.reachable and self.authorised


@runtime_checkable
class Collector(Protocol):
    """One source.

    `type` is the word in `[sources.NAME] type = "…"`. `Queries` maps each kind of fact the source
    can tell to the model of what a metric may ask of it. `sample_config` is TOML for one source;
    docs and the example config are made of it.
    """

    type: ClassVar[str]
    Options: ClassVar[builtins.type[SourceOptions]]
    Queries: ClassVar[Mapping[FactKind, builtins.type[FactQuery]]]
    sample_config: ClassVar[str]

    def __init__(self, options: Any, context: Context) -> None:  # noqa: ANN401 (each collector's own Options)
        ...

    def probe(self) -> ProbeResult:
        """Ask as little as tells whether the source answers and lets us in, what it shows, and since when."""
        ...

    def streams(self, queries: Sequence[tuple[FactKind, Json]]) -> list[Stream]:
        """The streams that answer these queries; may ask the source (globs of repositories)."""
        ...

    def collect(self, stream: Stream, window: TimeRange, cursor: Json | None) -> Iterator[Batch]:
        """Facts of `window`, in batches that are each worth storing.

        The cursor never passes an item that may still change. A backfill is the same call with an
        older window. Raises only `CollectorError`s; batches handed over before are kept.
        """
        ...

    def close(self) -> None:
        """Let go of connections. Safe to call twice."""


@runtime_checkable
class Concurrent(Protocol):
    """A collector whose `collect` may run in several threads at once, each with streams of subjects of its own."""

    @property
    def concurrency(self) -> int:
        """The most threads at once."""
        ...


@runtime_checkable
class Forgetting(Protocol):
    """A collector whose source forgets: what was not collected in time is lost."""

    @classmethod
    def keeps(cls, stream: Stream) -> timedelta | None:
        """How long the source surely tells what happened, as it is set up by default; None where it forgets nothing."""
        ...


@runtime_checkable
class Resolver(Protocol):
    """A collector that also knows what was shipped between one deployed commit and the next."""

    def resolve(self, pairs: Sequence[tuple[str, str, str]]) -> Iterator[Batch]:
        """What lies between `pairs` of (subject, previous commit, commit), all of one subject, in this order.

        In batches of `Shipment`s that are each worth storing. A pair that the source will never know
        has one without a relation, and is not asked again; one it doesn't know yet has none.
        Raises only `CollectorError`s; batches handed over before are kept.
        """
        ...
