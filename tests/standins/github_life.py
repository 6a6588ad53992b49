"""What a life of one kind of thing on GitHub is: what can happen in it, and what the stand-in then tells.

A life keeps no list of its own: what it expects is read off the stand-in's world by a plain loop. Everything that
happens in it is promised to be found.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import ClassVar

from keyresults.metrics.facts import Fact, FactKind

from .github_direct import BESIDE
from .github_world import Repository, World

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
LAG = 50
"""Seconds by which a list may lag behind: what is created shows that much later."""

LATE = 29 * DAY
"""How long after its creation something still changes here."""


@dataclass
class Life(ABC):
    """Of one repository and, told apart by its numbers, of another whose answers may come in its place.

    `shown` is when each fact was first to be seen, by its key; `cleared` are keys of finished facts that were deleted.
    """

    kind: ClassVar[FactKind]
    query: ClassVar[Mapping[str, object]]

    world: World
    repository: Repository
    other: Repository
    shown: dict[str, datetime] = field(default_factory=dict)
    cleared: set[str] = field(default_factory=set)
    numbers: int = 0

    @abstractmethod
    def add(self, chance: Random) -> None:
        """Something new, in both repositories."""

    @abstractmethod
    def late(self, chance: Random) -> None:
        """Something that is there goes on."""

    @abstractmethod
    def again(self, chance: Random) -> None:
        """Something that is there is done anew: a re-run, a moved tag, a rewritten branch."""

    @abstractmethod
    def withdraw(self, chance: Random) -> None:
        """Something that is there is deleted."""

    @abstractmethod
    def facts(self) -> list[Fact]:
        """What the stand-in tells now."""

    @property
    def now(self) -> datetime:
        return self.world.now

    def changed(self) -> None:
        """To be called after every step: notes what is to be seen from now on."""
        self.world._known.clear()
        for fact in self.facts():
            self.shown.setdefault(fact.key, max(self.now, self.listed(fact)))

    def listed(self, fact: Fact) -> datetime:
        """From when on lists show it, where that is later than it happens."""
        return fact.at

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def lately(self, chance: Random) -> datetime:
        return self.now - chance.randint(0, LAG) * SECOND

    def both(self) -> Sequence[tuple[Repository, int]]:
        return ((self.repository, 0), (self.other, BESIDE))
