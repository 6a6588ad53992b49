"""What coverage files say, position by position, so that one source file measured twice is counted once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from .file_patterns import SourceFile

Kind = Literal["line", "branch", "statement", "combined"]
Positions = dict[Hashable, tuple[int, int]]
"""What is covered of how much, at each place of a source file: a line, a branch, a block."""


@dataclass(slots=True)
class Report:
    """One coverage file: its source files by the path it gives them, and its own word for when it was made.

    `roots` are the folders it says its relative paths start from.
    """

    files: dict[str, Positions] = field(default_factory=dict)
    stated: datetime | None = None
    roots: tuple[str, ...] = ()

    def add(self, path: str, position: Hashable, covered: int, coverable: int) -> None:
        unite(self.files.setdefault(path, {}), position, covered, coverable)


def unite(positions: Positions, position: Hashable, covered: int, coverable: int) -> None:
    """Two measurements of one place: what either covered is covered."""
    known = positions.get(position)
    if known is None:
        positions[position] = (covered, coverable)
    elif known != (covered, coverable):
        positions[position] = (max(known[0], covered), max(known[1], coverable))


def total(reports: Iterable[tuple[SourceFile, Report]], base: Path) -> tuple[int, int]:
    """Covered and coverable of all reports: one source file united place by place, different ones summed."""
    read = list(reports)
    if len(read) == 1:
        return _sum(read[0][1].files.values())
    united: dict[str, Positions] = {}
    for file, report in read:
        for path, positions in report.files.items():
            known = united.setdefault(_identity(path, report.roots, file, base), {})
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


def _identity(path: str, roots: tuple[str, ...], file: SourceFile, base: Path) -> str:
    """One name for one source file: where it lies, if it is there; else as the report has it, with its root.

    Two packages may both have a `src/index.js`, told apart only by where their reports lie.
    """
    if Path(path).is_absolute():
        return path
    above = [folder for folder in file.path.parents if folder.is_relative_to(base)]
    for folder in (*map(Path, roots), *above):
        if (folder / path).is_file():
            return str((folder / path).resolve())
    return f"{roots[0]}/{path}" if len(roots) == 1 else path
