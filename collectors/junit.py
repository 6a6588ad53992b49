"""JUnit XML files as a source: each state they are in is one test run."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from ..metrics.facts import FactKind
from ..metrics.stream import Json, Stream
from .contract import FactQuery, SourceOptions
from .file_patterns import SourceFile, UnreadableFile
from .file_reports import MAX_AGE, Measured, ReportFiles, ReportOptions
from .file_xml import elements, whole

OUTCOMES = ("passed", "failed", "errors", "skipped")
_SUITES = ("testsuites", "testsuite")
_NOT_RUN = ("notrun", "disabled", "skipped", "ignored")


class JUnitQuery(FactQuery):
    """A metric can only ask for all tests."""

    measures: ClassVar[tuple[str, ...] | None] = ("test_pass_rate", "test_count")


class JUnit(ReportFiles):
    """Passed, failed, broken and skipped tests of JUnit XML files.

    All files together are one test run, dated by the newest `timestamp` of a suite (read as UTC where
    it has no offset and `zone` says nothing), else as coverage files are. Test cases are counted, not
    the totals that suites state; where a suite lists fewer than it states, or a file is missing or
    broken, there is no figure. A test with a `failure` failed, one with an `error` alone is an error,
    and one with `flakyFailure`, `flakyError`, `rerunFailure` or `rerunError` alone passed in the end.
    """

    type: ClassVar[str] = "junit"
    Options: ClassVar[builtins.type[SourceOptions]] = ReportOptions
    Queries: ClassVar[Mapping[FactKind, builtins.type[FactQuery]]] = {"samples": JUnitQuery}
    max_age: ClassVar[timedelta] = MAX_AGE
    default_zone = "UTC"
    sample_config: ClassVar[str] = """\
[sources.tests]
type = "junit"
files = ["build/junit-*.xml"]    # one test run together; every pattern must match a file
"""

    def streams(self, queries: Sequence[tuple[FactKind, Json]]) -> list[Stream]:
        return [Stream(self._context.source, "samples", self._context.source)] if queries else []

    def measure(self, files: Sequence[SourceFile], stream: Stream) -> Measured:
        return counted(files, self._zone)

    def words(self, files: Sequence[SourceFile]) -> str:
        counted = (f"{f.name} ({sum(JUnitRun.read(f, self._zone).outcomes.values())} tests)" for f in files[:10])
        return ", ".join(counted)


def counted(files: Sequence[SourceFile], zone: ZoneInfo) -> Measured:
    """All files together as one test run; `zone` is that of times without an offset.

    Raises:
        UnreadableFile: where one of them can't be read.
    """
    runs = [JUnitRun.read(file, zone) for file in files]
    outcomes = sum((run.outcomes for run in runs), Counter[str]())
    return Measured({name: outcomes[name] for name in OUTCOMES}, [run.stated for run in runs])


def is_junit(file: SourceFile) -> bool:
    """Whether a file is XML with a root that JUnit's has."""
    with file.path.open("rb") as stream:
        is_xml = stream.read(4096).decode("utf-8-sig", errors="replace").lstrip().startswith("<")
    return is_xml and next((element.tag for _, element in elements(file)), "") in _SUITES


class JUnitRun:
    """What one file tells: how its test cases ended, and the newest start of a suite."""

    def __init__(self, file: SourceFile, zone: ZoneInfo) -> None:
        self.outcomes: Counter[str] = Counter()
        self.stated: datetime | None = None
        self._file = file
        self._zone = zone
        self._open: list[tuple[str, int, int]] = []
        self._case: set[str] = set()

    @classmethod
    def read(cls, file: SourceFile, zone: ZoneInfo) -> JUnitRun:
        """
        Raises:
            UnreadableFile: for what is no JUnit XML, is cut off, or lists fewer tests than it says it has.
        """
        run, begun = cls(file, zone), False
        for ended, element in elements(file):
            if not begun and element.tag not in _SUITES:
                words = f"its root <{element.tag}> is neither <testsuites> nor <testsuite>"
                raise UnreadableFile(file.name, None, words)
            begun = True
            if ended:
                run._end(element)
            else:
                run._start(element)
        return run

    def _start(self, element: Element) -> None:
        if element.tag in _SUITES:
            self._date(element.get("timestamp"))
            self._open.append((element.get("name") or "", whole(self._file, element, "tests"), self.outcomes.total()))
        elif element.tag == "testcase":
            self._case = set()

    def _end(self, element: Element) -> None:
        if element.tag in ("failure", "error", "skipped"):
            self._case.add(element.tag)
        elif element.tag == "testcase":
            self.outcomes[self._outcome(element)] += 1
        elif element.tag in _SUITES:
            self._check(*self._open.pop())

    def _outcome(self, case: Element) -> str:
        # A flakyFailure or rerunFailure alone is a test that passed in the end.
        if "failure" in self._case:
            return "failed"
        if "error" in self._case:
            return "errors"
        not_run = {case.get("status", "").lower(), case.get("result", "").lower()} & set(_NOT_RUN)
        return "skipped" if "skipped" in self._case or not_run else "passed"

    def _check(self, name: str, said: int, before: int) -> None:
        listed = self.outcomes.total() - before
        if listed < said:
            words = f"the suite {name!r} lists {listed} of the {said} tests it says it has, so none of them is counted"
            raise UnreadableFile(self._file.name, None, words)

    def _date(self, text: str | None) -> None:
        try:
            stated = datetime.fromisoformat(text) if text else None
        except ValueError:
            return
        if stated is not None:
            aware = stated if stated.tzinfo else stated.replace(tzinfo=self._zone)
            self.stated = aware if self.stated is None else max(self.stated, aware)
