"""A config and its store, opened together."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from ..config.load import find, load
from ..config.model import Config
from ..storage.store import Store
from . import clock


@dataclass
class Workspace:
    """What every job works on. The store is opened when it is first asked for: `writing` upgrades it, and creates it
    unless `making` is False.

    `chance` is from 0 to 1, anew each time it is asked. Work that takes long is left where `stopping` is set.
    """

    config: Config
    writing: bool = False
    clock: Callable[[], datetime] = clock.now
    chance: Callable[[], float] = random.random
    stopping: threading.Event = field(default_factory=threading.Event)
    making: bool = True

    @classmethod
    def open(cls, config: Path | None, *, writing: bool = False, making: bool = True) -> Workspace:
        """
        Raises:
            ConfigProblems: where the config can't be found or read.
        """
        opened = cls(load(find(config, os.environ, Path.cwd())), writing)
        opened.making = making
        return opened

    @cached_property
    def store(self) -> Store:
        """
        Raises:
            StoreError: where it can't be opened.
            Unauthorized: where its password can't be found.
        """
        address = self.config.store
        password = address.password.resolve(self.config.path.parent).reveal() if address.password else None
        return Store.open(
            address.url, password=password, create=self.writing and self.making, read_only=not self.writing
        )

    def under(self, config: Config) -> Workspace:
        """The same by another config, on the same store."""
        other = replace(self, config=config)
        if "store" in self.__dict__:
            other.__dict__["store"] = self.store
        return other

    def make_store(self) -> None:
        """Make or upgrade the store now, whether or not there is something to put into it."""
        _ = self.store

    def close(self) -> None:
        if "store" in self.__dict__:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
