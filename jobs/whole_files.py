"""Writing files: whole or not at all."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """What stood there before stays until all of the new text is on the disk. Folders are made where they are missing.

    Raises:
        OSError: where it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")  # a pipe or a terminal, which nothing may take the place of
    else:
        _replace(Path(os.path.realpath(path)), text)


def _replace(path: Path, text: str) -> None:
    number, made = _beside(path)
    with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(number)
            made.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask())
            made.replace(path)  # while it is locked: until then it is nobody else's
        except BaseException:
            made.unlink(missing_ok=True)
            raise
    _settle(path.parent)


def _beside(path: Path) -> tuple[int, Path]:
    """An empty file to write to: always the same one, so that a process that died leaves one at most, until the next.

    Another one where somebody else is writing just now, or the file system has no locks.
    """
    usual = path.with_name(f".{path.name}.part")
    number = _locked(usual)
    if number is not None:
        os.ftruncate(number, 0)
        return number, usual
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    return number, Path(name)


def _locked(path: Path) -> int | None:
    """The file of this name, until it is closed; None where it can't be had, or may be somebody else's."""
    with suppress(OSError):
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = os.fstat(number)
            ours = held.st_uid == os.geteuid() and held.st_nlink == 1 and stat.S_ISREG(held.st_mode)
            # Whoever had it before may have given it the target's name meanwhile.
            if ours and os.path.samestat(held, path.lstat()):
                return number
        os.close(number)
    return None


def _settle(folder: Path) -> None:
    """Have the new name outlive a power cut; where a file system can't, the name is there all the same."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _umask() -> int:
    """What the system takes away from new files; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
