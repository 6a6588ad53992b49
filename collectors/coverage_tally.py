"""What coverage files say, position by position, so that one source file measured twice is counted once."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from .file_patterns import SourceFile

Kind = Literal["line", "branch", "statement", "combined"]
Positions = dict[Hashable, tuple[int, int]]
"""What is covered of how much, at each place of a source file: a line, a branch, a block."""

_PER_FILE = 600
_PER_PLACE = 150
"""Bytes that dictionaries take for one more, at worst, when they have just grown."""

_USUAL = {(0, 1): (0, 1), (1, 1): (1, 1)}
"""Held once, however many lines are like that."""


@dataclass(slots=True)
class Report:
    """One coverage file: its source files by the path it gives them, and its own word for when it was made.

    `roots` are the folders it says its relative paths start from.
    """

    file: SourceFile
    files: dict[str, Positions] = field(default_factory=dict)
    stated: datetime | None = None
    roots: tuple[str, ...] = ()

    def add(self, path: str, position: Hashable, covered: int, coverable: int) -> None:
        """
        Raises:
            UnreadableFile: where the file's bound leaves no memory for it.
        """
        positions = self.files.get(path)
        if positions is None:
            positions = self.files[path] = {}
            self.take(_PER_FILE + sys.getsizeof(path))
        if self.file.bound is not None and position not in positions:
            self.take(
                _PER_PLACE + _size(position) + (0 if (covered, coverable) in _USUAL else _size((covered, coverable)))
            )
        unite(positions, position, covered, coverable)

    def take(self, size: int) -> None:
        """Counts memory as taken, where it is bounded."""
        if self.file.bound is not None:
            self.file.bound.take(size, self.file.name)


def _size(value: Hashable) -> int:
    """Bytes, with what a tuple holds and what the collector of garbage adds to it."""
    inside = sum(map(_size, value)) + 16 if isinstance(value, tuple) else 0
    return sys.getsizeof(value) + inside


def unite(positions: Positions, position: Hashable, covered: int, coverable: int) -> None:
    """Two measurements of one place: what either covered is covered."""
    known = positions.get(position)
    if known is None:
        pair = (covered, coverable)
        positions[position] = _USUAL.get(pair, pair)
    elif known != (covered, coverable):
        positions[position] = (max(known[0], covered), max(known[1], coverable))


def total(reports: Sequence[Report], base: Path) -> tuple[int, int]:
    """Covered and coverable of all reports: one source file united place by place, different ones summed."""
    if len(reports) == 1:
        return _sum(reports[0].files.values())
    united: dict[str, Positions] = {}
    for report in reports:
        for path, positions in report.files.items():
            identity = _identity(path, report.roots, report.file, base)
            known = united.setdefault(identity, positions)
            if known is positions:
                report.take(_PER_FILE + sys.getsizeof(identity))
            else:
                for position, (covered, coverable) in positions.items():
                    unite(known, position, covered, coverable)
    return _sum(united.values())


def _sum(files: Iterable[Positions]) -> tuple[int, int]:
    covered = coverable = 0
    for positions in files:
        for part, whole in positions.values():
            covered += part
            coverable += whole
    return covered, coverable


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name longer than there may be
        return False


def _identity(path: str, roots: tuple[str, ...], file: SourceFile, base: Path) -> str:
    """One name for one source file: where it lies, if it is there; else as the report has it, with its root.

    Two packages may both have a `src/index.js`, told apart only by where their reports lie.
    """
    if Path(path).is_absolute():
        return path
    above = [folder for folder in file.path.parents if folder.is_relative_to(base)]
    for folder in (*map(Path, roots), *above):
        if _is_file(folder / path):
            return str((folder / path).resolve())
    return f"{roots[0]}/{path}" if len(roots) == 1 else path
