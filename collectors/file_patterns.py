"""Which files a source's patterns name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

from .contract import SourceError

LARGEST = 200 * 2**20
"""Bytes of one file; a larger one is not read."""


class UnreadableFile(Exception):
    """What can't be read, in words with its place: file, and line where there is one."""

    def __init__(self, place: str, line: int | None, words: str) -> None:
        super().__init__(f"{place}:{line}: {words}" if line else f"{place}: {words}")


class ReadingBound:
    """How much may still be read of several files of others: bytes of memory, by estimates on the safe side, and XML.

    `elements` are those of all of them together: they take time even where nothing is kept of them.
    """

    def __init__(self, size: int, elements: int) -> None:
        self._left = size
        self._elements = elements

    def count(self, elements: int, place: str) -> None:
        """
        Raises:
            UnreadableFile: for more XML elements than are read.
        """
        self._elements -= elements
        if self._elements < 0:
            words = "it holds more XML elements than are read of an artifact; leave out what needn't count"
            raise UnreadableFile(place, None, words)

    def take(self, size: int, place: str) -> None:
        """
        Raises:
            UnreadableFile: where that is more than is left.
        """
        self._left -= size
        if self._left < 0:
            words = "it tells of more source files and lines than are read of an artifact; leave out what needn't count"
            raise UnreadableFile(place, None, words)

    @contextmanager
    def lend(self, size: int, place: str) -> Iterator[None]:
        """Takes it for a while."""
        self.take(size, place)
        try:
            yield
        finally:
            self._left += size


@contextmanager
def reading() -> Iterator[None]:
    """Files that vanish or may not be opened are a source that doesn't answer."""
    try:
        yield
    except OSError as error:
        raise SourceError(f"{error.filename} can't be read: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file and the name people know it by: relative to the config file where it lies below.

    `bound` is how much reading it may take, together with others; None for files that are the user's own.
    """

    path: Path
    name: str
    bound: ReadingBound | None = field(default=None, compare=False, repr=False)

    def check_size(self) -> None:
        size = self.path.stat().st_size
        if size > LARGEST:
            raise UnreadableFile(self.name, None, f"it has {size:,} bytes, more than the {LARGEST:,} that are read")


@dataclass(frozen=True, slots=True)
class Matched:
    """The files there are, by name, and why they may not be all."""

    files: tuple[SourceFile, ...]
    problems: tuple[str, ...]


def match(patterns: Sequence[str], base: Path) -> Matched:
    """Files the patterns match (`*`, `**`, `?`, `[a-z]`), relative ones from `base`. Each pattern must match one."""
    found: dict[Path, SourceFile] = {}
    problems = []
    for pattern in patterns:
        names = glob(pattern, root_dir=base, recursive=True)  # noqa: PTH207 (Path.glob refuses absolute patterns)
        paths = [base / name for name in names]
        files = [path for path in paths if path.is_file()]
        if not files:
            problems.append(f"no file matches {pattern!r} in {base}")
        found |= {path: SourceFile(path, _name(path, base)) for path in files}
    return Matched(tuple(sorted(found.values(), key=lambda f: f.name)), tuple(problems))


def _name(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()
