"""Cobertura and JaCoCo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from .coverage_tally import Kind, Report
from .file_patterns import SourceFile, UnreadableFile
from .file_xml import elements, whole

_OF = re.compile(r"\((\d{1,15})/(\d{1,15})\)")
_MILLISECONDS_FROM = 100_000_000_000
"""Some writers of Cobertura state seconds, most milliseconds; as seconds this would be the year 5138."""

_MOST_ROOTS = 1000

_COUNTERS: Mapping[Kind, str] = {"line": "LINE", "branch": "BRANCH", "statement": "INSTRUCTION"}


def read_cobertura(file: SourceFile, kind: Kind) -> Report:
    """Lines by their hits; branches by `condition-coverage`."""
    report, path, roots = Report(file), "", list[str]()
    for ended, element in elements(file):
        match ended, element.tag:
            case False, "coverage":
                report.stated = _instant(element.get("timestamp"))
            case False, "class":
                path = element.get("filename") or ""
            case True, "source":
                _add_root(roots, element, file)
            case True, "line":
                _cobertura_line(report, path, element, file, kind)
    report.roots = tuple(roots)
    return report


def _add_root(roots: list[str], source: Element, file: SourceFile) -> None:
    root = (source.text or "").strip().rstrip("/")
    if root:
        roots.append(root)
    if len(roots) > _MOST_ROOTS:
        raise UnreadableFile(file.name, None, f"it names more than {_MOST_ROOTS} <source> folders")


def _cobertura_line(report: Report, path: str, line: Element, file: SourceFile, kind: Kind) -> None:
    number = whole(file, line, "number")
    if kind == "line":
        report.add(path, number, 1 if whole(file, line, "hits") > 0 else 0, 1)
    elif line.get("branch", "").lower() == "true":
        of = _OF.search(line.get("condition-coverage", ""))
        if of:
            report.add(path, number, int(of[1]), int(of[2]))


def read_jacoco(file: SourceFile, kind: Kind) -> Report:
    """Lines, branches, and bytecode instructions as statements, as its own counters have them."""
    reader = _JaCoCo(file, kind)
    for ended, element in elements(file):
        if ended:
            reader.end(element)
        else:
            reader.start(element)
    return reader.finished()


class _JaCoCo:
    def __init__(self, file: SourceFile, kind: Kind) -> None:
        self.report = Report(file)
        self._file = file
        self._kind: Kind = kind
        self._inside: list[str] = []
        self._path: str | None = None
        self._told: tuple[int, int] | None = None

    def start(self, element: Element) -> None:
        self._inside.append(element.get("name") or "")
        if element.tag == "sourcefile":
            self._path = "/".join(self._inside[1:])
        elif element.tag == "sessioninfo":
            dumped = _instant(element.get("dump"))
            if dumped is not None and dumped.tzinfo is not None:
                self.report.stated = max(dumped, self.report.stated or dumped)

    def end(self, element: Element) -> None:
        self._inside.pop()
        if element.tag == "sourcefile":
            self._path = None
        elif element.tag == "line" and self._path is not None:
            self._line(self._path, element)
        elif element.tag == "counter" and len(self._inside) == 1 and element.get("type") == _COUNTERS[self._kind]:
            missed, covered = (whole(self._file, element, name) for name in ("missed", "covered"))
            self._told = (covered, missed + covered)

    def _line(self, path: str, line: Element) -> None:
        number, *counts = (whole(self._file, line, name) for name in ("nr", "mi", "ci", "mb", "cb"))
        missed, covered, missed_branches, covered_branches = counts
        if self._kind == "line":
            self.report.add(path, number, 1 if covered else 0, 1)
        elif self._kind == "branch":
            self.report.add(path, number, covered_branches, missed_branches + covered_branches)
        else:
            self.report.add(path, number, covered, missed + covered)

    def finished(self) -> Report:
        """With what classes compiled without line numbers add to the report's own counter."""
        told = self._told
        if told is None:
            return self.report
        places = [place for positions in self.report.files.values() for place in positions.values()]
        rest = (told[0] - sum(p[0] for p in places), told[1] - sum(p[1] for p in places))
        if 0 <= rest[0] <= rest[1] and rest[1] > 0:
            self.report.add(f"{self._file.path} (no line numbers)", 0, *rest)
        return self.report


def _instant(text: str | None) -> datetime | None:
    """A stated time: milliseconds or seconds since 1970, or ISO 8601; None where it is none of them or 0."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None
    seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _MILLISECONDS_FROM else None


def refuse_clover(file: SourceFile) -> None:
    """Clover's root has Cobertura's name."""
    for _, element in elements(file):
        if "line-rate" not in element.attrib and ("clover" in element.attrib or "generated" in element.attrib):
            raise UnreadableFile(file.name, None, "it is Clover's format, which is not read: write Cobertura instead")
        return
