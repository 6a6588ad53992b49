"""What can be wrong with a store, in words that say where and what to do."""

from __future__ import annotations


class StoreError(Exception):
    """Something is wrong with the store. `str()` is shown to people and names the store without its password."""


class StoreMissing(StoreError):
    """There is no store yet, and this command makes none."""


class StoreTooNew(StoreError):
    """A newer release wrote the store."""


class StoreOld(StoreError):
    """An older release wrote the store, and a reading command may not upgrade it."""


class StoreBroken(StoreError):
    """The file is damaged, or is no store at all."""


class StoreLocked(StoreError):
    """Another process kept the store busy for too long."""


class StoreUnreachable(StoreError):
    """The server that holds the store does not answer."""


class StoreTaken(StoreError):
    """Another process is doing alone what this one wants to do."""


class StoreFilled(StoreError):
    """Something is stored where nothing may be."""


class StoreFull(StoreError):
    """The disk is full."""


class StoreReadOnly(StoreError):
    """The store may not be written: by its permissions, or because it was opened for reading."""


class BaselineFrozen(StoreError):
    """A frozen baseline is never replaced by another."""
