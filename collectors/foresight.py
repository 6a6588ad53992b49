"""What a collector can say beforehand of the requests that collecting will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ..metrics.ranges import TimeRange
from ..metrics.stream import Json, Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A stream that is to be collected: the windows in the order they will be asked, and what is stored of it.

    Of one of shipments, `pairs` are the commits that are to be compared, as a `Resolver` is asked.
    """

    stream: Stream
    windows: Sequence[TimeRange]
    cursor: Json | None = None
    facts: int = 0
    pairs: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Requests by what the source counts apart. `at_least`: more where something is new, or can't be counted."""

    stream: Stream
    requests: Mapping[str, int]
    at_least: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """`spent` requests told it. `credential` is the digest its budget is kept under, `per_minute` the pace.

    `at_once` requests may be under way at the same time.
    """

    expected: Sequence[Expected]
    spent: int
    credential: str
    per_minute: Mapping[str, int] = field(default_factory=dict)
    at_once: int = 1


@runtime_checkable
class Foreseeing(Protocol):
    """A collector that can tell how many requests a collection will take, with few requests of its own."""

    def foresee(self, asked: Sequence[Asked]) -> Foresight:
        """
        Raises:
            CollectorError: where the source doesn't tell.
        """
        ...
