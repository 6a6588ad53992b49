"""Copies of a store to put away: one SQLite file each, whole and looked through before it gets its name."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from .copying import copy
from .dialects import database, make_folder
from .errors import StoreBroken
from .store import Store

_UNFINISHED = ".backup-*.part"
_NAMED = "store-????-??-??T????.db"


def backup_name(now: datetime) -> str:
    return f"store-{now.astimezone(UTC):%Y-%m-%dT%H%M}.db"


def back_up(store: Store, directory: Path, keep: int, now: datetime) -> Path:
    """A new copy in this folder, named after the time in UTC; of all copies there, the newest `keep` are kept.

    None is removed before the new one is whole.

    Raises:
        StoreError: where it can't be made; there is no trace of it then.
    """
    made = directory / backup_name(now)
    write_backup(store, made)
    with database(_url(made), password=None, read_only=True).explained():
        older = sorted(path for path in directory.glob(_NAMED) if path != made)
        # By name and not by age: a clock that was set back must not cost the copy just made.
        for path in older[: max(0, len(older) + 1 - keep)]:
            path.unlink(missing_ok=True)
    return made


def write_backup(store: Store, target: Path) -> None:
    """A copy of one moment at this path, in place of what is there. Others may write to the store meanwhile.

    Raises:
        StoreBroken: where the store is damaged, which shows in its copy.
        StoreError: where it can't be written; what was at the path is still there.
    """
    with database(_url(target), password=None, read_only=False).explained():
        make_folder(target.parent)
        _sweep(target.parent)
        with _unfinished(target.parent) as (number, part):
            _fill(store, part)
            os.fsync(number)
            part.replace(target)
            _sync_folder(target.parent)


def _fill(store: Store, part: Path) -> None:
    if not store._db.snapshot(part):
        database(_url(part), password=None, read_only=False).make_place()
        with Store.open(_url(part)) as empty:
            copy(store, empty)
    with Store.open(_url(part), create=False) as copied:
        faults = copied.check()
    if faults:
        raise StoreBroken(f"{store.place} is damaged and was not backed up: {'; '.join(faults[:3])}")


@contextmanager
def _unfinished(folder: Path) -> Iterator[tuple[int, Path]]:
    """A file that is gone at the end, unless it was renamed. Held by a lock, so that others see that it is in work."""
    number, part = _locked(folder)
    try:
        yield number, part
    finally:
        _remove(part)
        os.close(number)


def _locked(folder: Path) -> tuple[int, Path]:
    while True:
        number, name = tempfile.mkstemp(prefix=".backup-", suffix=".part", dir=folder)
        fcntl.flock(number, fcntl.LOCK_EX)
        if os.fstat(number).st_nlink:
            return number, Path(name)
        os.close(number)  # somebody tidied up between the two


def _sweep(folder: Path) -> None:
    """Remove what processes left behind that died while they wrote a copy."""
    for path in folder.glob(_UNFINISHED):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(path)


def _remove(part: Path) -> None:
    for ending in ("-wal", "-shm", "-journal", ""):  # the file last: without it nobody looks for the others
        part.with_name(part.name + ending).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _url(path: Path) -> str:
    return f"sqlite:///{path.absolute()}"
