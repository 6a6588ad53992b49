"""Coverage files as a source: each state they are in is one measurement of the code they belong to."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from ..metrics.facts import FactKind
from ..metrics.stream import Json, Stream
from .contract import Context, FactQuery, SourceOptions
from .coverage_formats import FormatName, read, recognise
from .coverage_tally import Kind, total
from .file_patterns import SourceFile, UnreadableFile
from .file_reports import MAX_AGE, Measured, ReportFiles, ReportOptions

_TOO_MANY = 2**53
"""From here on a float does not tell whole numbers apart."""


class CoverageOptions(ReportOptions):
    format: FormatName | None = Field(None, description="The files' format. Default: recognised by content.")


class CoverageQuery(FactQuery):
    measures: ClassVar[tuple[str, ...] | None] = ("test_coverage",)

    kind: Kind = Field(
        "line", description='What is counted: "line", "branch" or "statement"; "combined" takes the tool\'s own total.'
    )


class CoverageFiles(ReportFiles):
    """Covered and coverable code, from Cobertura, coverage.py JSON, lcov, JaCoCo and Go files.

    | format | kinds | its own date |
    |---|---|---|
    | Cobertura | `line`, `branch` | `timestamp` |
    | coverage.py JSON | `line` = `statement`, `branch`, `combined` (`percent_covered`) | `meta.timestamp` |
    | lcov | `line`, `branch` | none |
    | JaCoCo XML | `line`, `branch`, `statement` (bytecode instructions) | the newest session |
    | Go profile | `statement`, `line` (every line a block touches) | none |

    Several files make one figure: the same source file is united line by line (where a format counts
    branches by line only, the larger count stands), different ones are summed. Two paths are the same
    file if they lead to one that exists, from the report's source root or from the folders above the
    report; else if they are written alike. One missing or broken file, or one over 7 days older than
    the newest, and there is no figure.

    A file that states no time is dated by the last commit that touched it where git tracks it
    unchanged, else by the commit that is checked out around it; where the file is older than that
    commit, or outside git, by its modification. Each date is one measurement.
    """

    type: ClassVar[str] = "coverage"
    Options: ClassVar[builtins.type[SourceOptions]] = CoverageOptions
    Queries: ClassVar[Mapping[FactKind, builtins.type[FactQuery]]] = {"samples": CoverageQuery}
    max_age: ClassVar[timedelta] = MAX_AGE
    sample_config: ClassVar[str] = """\
[sources.coverage]
type = "coverage"                # Cobertura, lcov, JaCoCo, Go or coverage.py's JSON; the content tells which
files = ["coverage.xml"]         # every pattern must match a file, or there is no figure
"""

    def __init__(self, options: CoverageOptions, context: Context) -> None:
        super().__init__(options, context)
        self._format: FormatName | None = options.format
        self._context = context

    def streams(self, queries: Sequence[tuple[FactKind, Json]]) -> list[Stream]:
        source = self._context.source
        asked = [CoverageQuery.model_validate(dict(query)).model_dump(mode="json") for _, query in queries]
        return list(dict.fromkeys(Stream(source, "samples", source, query) for query in asked))

    def measure(self, files: Sequence[SourceFile], stream: Stream) -> Measured:
        kind = CoverageQuery.model_validate(dict(stream.query)).kind
        return covered(files, self._format, kind, self._context.base)

    def words(self, files: Sequence[SourceFile]) -> str:
        return ", ".join(f"{file.name} ({self._format or recognise(file)})" for file in files[:10])


def covered(files: Sequence[SourceFile], stated: FormatName | None, kind: Kind, base: Path) -> Measured:
    """Covered and coverable code of all files together; `base` is the folder their reports lie below.

    Raises:
        UnreadableFile: where one can't be read, or they hold nothing of the kind.
        ConfigError: where the format can't tell the kind.
    """
    reports = [read(file, stated, kind) for file in files]
    part, whole = total(reports, base)
    if whole == 0:
        names = ", ".join(file.name for file in files[:3])
        raise UnreadableFile(names, None, f"there is nothing to cover in it of the kind {kind!r}")
    if not 0 <= part <= whole < _TOO_MANY:
        names = ", ".join(file.name for file in files[:3])
        raise UnreadableFile(names, None, f"it says that {str(part)[:20]} of {str(whole)[:20]} are covered")
    return Measured({"covered": part, "coverable": whole}, [report.stated for report in reports])
