"""lcov's tracefiles and Go's profiles."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

from .coverage_tally import Kind, Report
from .file_patterns import SourceFile, UnreadableFile

_BLOCK = re.compile(r"^(.+):(\d+)\.(\d+),(\d+)\.(\d+) (\d+) (\d+)$")

_LONGEST_LINE = 2**20
_MOST_TOUCHED = 100_000_000
"""Lines that a Go profile's blocks may touch, each as often as one does."""

T = TypeVar("T")


def read_lcov(file: SourceFile, kind: Kind) -> Report:
    """Lines by `DA`, branches by `BRDA`; records without them by their sums (`LH` of `LF`, `BRH` of `BRF`)."""
    report = Report(file)
    record: _Record | None = None
    number = 0
    for number, line in _lines(file):
        tag, _, rest = line.partition(":")
        if tag == "SF":
            record = _Record(rest, report, kind)
        elif record is not None and tag == "end_of_record":
            record.end()
            record = None
        elif record is not None:
            _in_its_place(file, number, line, record.take, tag, rest)
    if record is not None:
        raise UnreadableFile(file.name, number, "the file ends in the middle of a record (no end_of_record)")
    return report


class _Record:
    def __init__(self, path: str, report: Report, kind: Kind) -> None:
        self.path = path
        self.report = report
        self.kind = kind
        self.has_places = False
        self.sums: dict[str, int] = {}

    def take(self, tag: str, rest: str) -> None:
        if tag == "DA":
            line, hits = rest.split(",")[:2]
            self._add("line", int(line), is_covered=int(hits) > 0)
        elif tag == "BRDA":
            *place, taken = rest.split(",")
            self._add("branch", tuple(place), is_covered=taken != "-" and int(taken) > 0)
        elif tag in ("LF", "LH", "BRF", "BRH"):
            self.sums[tag] = int(rest)

    def _add(self, kind: Kind, place: Hashable, *, is_covered: bool) -> None:
        if kind == self.kind:
            self.has_places = True
            self.report.add(self.path, place, int(is_covered), 1)

    def end(self) -> None:
        found, hit = ("LF", "LH") if self.kind == "line" else ("BRF", "BRH")
        if not self.has_places and self.sums.get(found):
            self.report.add(self.path, "sum", self.sums.get(hit, 0), self.sums[found])


def read_go(file: SourceFile, kind: Kind) -> Report:
    """Statements by block, once for each block however many packages ran it; lines are those a block touches."""
    report = Report(file)
    left = _MOST_TOUCHED
    for number, line in _lines(file):
        if line.startswith("mode:"):
            continue
        left -= _in_its_place(file, number, line, _add_block, report, line, kind)
        if left < 0:
            raise UnreadableFile(file.name, number, f"its blocks touch more than {_MOST_TOUCHED:,} lines")
    return report


def _add_block(report: Report, text: str, kind: Kind) -> int:
    """How many lines it touches."""
    block = _BLOCK.match(text)
    if block is None:
        raise ValueError(text)
    path = block[1]
    start, start_column, end, end_column, statements, count = (int(part) for part in block.groups()[1:])
    if kind == "statement":
        place = (start, start_column, end, end_column)
        report.add(path, place, statements if count else 0, statements)
    elif statements and end - start <= _MOST_TOUCHED:
        for line in range(start, end + 1):
            report.add(path, line, 1 if count else 0, 1)
    return max(0, end - start) + 1


def _in_its_place(file: SourceFile, number: int, line: str, take: Callable[..., T], *arguments: object) -> T:
    try:
        return take(*arguments)
    except ValueError:
        raise UnreadableFile(file.name, number, f"{line[:60]!r} can't be read") from None


def _lines(file: SourceFile) -> Iterator[tuple[int, str]]:
    with file.path.open(encoding="utf-8-sig", errors="replace") as text:
        number = 0
        while line := text.readline(_LONGEST_LINE):
            number += 1
            if len(line) == _LONGEST_LINE:
                raise UnreadableFile(file.name, number, f"the line is longer than {_LONGEST_LINE:,} characters")
            if line.strip():
                yield number, line.strip()
