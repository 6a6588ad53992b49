"""The formats of coverage files, what each can tell, and how to recognise one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from .contract import ConfigError
from .coverage_json import read_coverage_py
from .coverage_tally import Kind, Report
from .coverage_text import read_go, read_lcov
from .coverage_xml import read_cobertura, read_jacoco, refuse_clover
from .file_patterns import SourceFile, UnreadableFile
from .file_xml import elements

FormatName = Literal["cobertura", "coverage.py", "lcov", "jacoco", "go"]


@dataclass(frozen=True, slots=True)
class Format:
    kinds: tuple[Kind, ...]
    read: Callable[[SourceFile, Kind], Report]


FORMATS: Mapping[FormatName, Format] = {
    "cobertura": Format(("line", "branch"), read_cobertura),
    "coverage.py": Format(("line", "branch", "statement", "combined"), read_coverage_py),
    "lcov": Format(("line", "branch"), read_lcov),
    "jacoco": Format(("line", "branch", "statement"), read_jacoco),
    "go": Format(("line", "statement"), read_go),
}


def read(file: SourceFile, stated: FormatName | None, kind: Kind) -> Report:
    """
    Raises:
        ConfigError: where the format can't tell this kind.
        UnreadableFile: for a format not known, and what can't be read.
    """
    name = stated or recognise(file)
    form = FORMATS[name]
    if kind not in form.kinds:
        has = ", ".join(f'"{one}"' for one in form.kinds)
        raise ConfigError(f'{file.name} is in the format {name}, which has no kind "{kind}"; it has {has}')
    return form.read(file, kind)


def recognise(file: SourceFile) -> FormatName:
    """The format, by how the file begins."""
    with file.path.open("rb") as stream:
        start = stream.read(4096).decode("utf-8-sig", errors="replace").lstrip()
    if not start:
        raise UnreadableFile(file.name, None, "it is empty")
    if start.startswith("<"):
        return _recognise_xml(file)
    if start.startswith(("{", "[")):
        return "coverage.py"
    if start.startswith("mode:"):
        return "go"
    if start.startswith(("TN:", "SF:")):
        return "lcov"
    known = ", ".join(FORMATS)
    raise UnreadableFile(file.name, 1, f"it begins with {start[:30]!r}, as none of {known} does")


def _recognise_xml(file: SourceFile) -> FormatName:
    root = next((element.tag for _, element in elements(file)), "")
    if root == "report":
        return "jacoco"
    if root == "coverage":
        refuse_clover(file)
        return "cobertura"
    raise UnreadableFile(file.name, None, f"its root <{root}> is neither Cobertura's <coverage> nor JaCoCo's <report>")
