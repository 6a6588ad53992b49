"""lcov's tracefiles and Go's profiles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .coverage_tally import Kind, Report
from .file_patterns import SourceFile, UnreadableFile

_BLOCK = re.compile(r"^(.+):(\d+)\.(\d+),(\d+)\.(\d+) (\d+) (\d+)$")


def read_lcov(file: SourceFile, kind: Kind) -> Report:
    """Lines by `DA`, branches by `BRDA`; records without them by their sums (`LH` of `LF`, `BRH` of `BRF`)."""
    report = Report()
    record: _Record | None = None
    number = 0
    for number, line in _lines(file):
        tag, _, rest = line.partition(":")
        if tag == "SF":
            record = _Record(rest)
        elif record is not None and tag == "end_of_record":
            record.add_to(report, kind)
            record = None
        elif record is not None:
            _in_its_place(file, number, line, record.take, tag, rest)
    if record is not None:
        raise UnreadableFile(file.name, number, "the file ends in the middle of a record (no end_of_record)")
    return report


class _Record:
    def __init__(self, path: str) -> None:
        self.path = path
        self.lines: list[tuple[int, int]] = []
        self.branches: list[tuple[tuple[str, ...], int]] = []
        self.sums: dict[str, int] = {}

    def take(self, tag: str, rest: str) -> None:
        if tag == "DA":
            line, hits = rest.split(",")[:2]
            self.lines.append((int(line), 1 if int(hits) > 0 else 0))
        elif tag == "BRDA":
            *place, taken = rest.split(",")
            self.branches.append((tuple(place), 0 if taken == "-" or int(taken) <= 0 else 1))
        elif tag in ("LF", "LH", "BRF", "BRH"):
            self.sums[tag] = int(rest)

    def add_to(self, report: Report, kind: Kind) -> None:
        places = self.lines if kind == "line" else self.branches
        found, hit = ("LF", "LH") if kind == "line" else ("BRF", "BRH")
        if not places and self.sums.get(found):
            report.add(self.path, "sum", self.sums.get(hit, 0), self.sums[found])
        for place, covered in places:
            report.add(self.path, place, covered, 1)


def read_go(file: SourceFile, kind: Kind) -> Report:
    """Statements by block, once for each block however many packages ran it; lines are those a block touches."""
    report = Report()
    for number, line in _lines(file):
        if line.startswith("mode:"):
            continue
        _in_its_place(file, number, line, _add_block, report, line, kind)
    return report


def _add_block(report: Report, text: str, kind: Kind) -> None:
    block = _BLOCK.match(text)
    if block is None:
        raise ValueError(text)
    path = block[1]
    start, start_column, end, end_column, statements, count = (int(part) for part in block.groups()[1:])
    if kind == "statement":
        place = (start, start_column, end, end_column)
        report.add(path, place, statements if count else 0, statements)
    elif statements:
        for line in range(start, end + 1):
            report.add(path, line, 1 if count else 0, 1)


def _in_its_place(file: SourceFile, number: int, line: str, take: Callable[..., None], *arguments: object) -> None:
    try:
        take(*arguments)
    except ValueError:
        raise UnreadableFile(file.name, number, f"{line[:60]!r} can't be read") from None


def _lines(file: SourceFile) -> Iterator[tuple[int, str]]:
    with file.path.open(encoding="utf-8-sig", errors="replace") as text:
        for number, line in enumerate(text, 1):
            if line.strip():
                yield number, line.strip()
