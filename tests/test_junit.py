"""JUnit XML files: how tests ended, and when."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from keyresults.collectors.contract import Context
from keyresults.collectors.http import HttpDoor
from keyresults.collectors.junit import JUnit
from keyresults.collectors.testing import Case, CollectorContract
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.ranges import TimeRange
from standins.build_files import MADE, write

FILES = Path(__file__).parent / "files"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PASSING = '<testsuite tests="1"><testcase name="a"/></testsuite>'


def told(base: Path, *files: str, now: datetime = NOW, **options: object):
    context = Context(source="tests", http=HttpDoor(), clock=lambda: now, calendar=Calendar("Europe/Berlin"), base=base)
    source = JUnit(JUnit.Options.model_validate({"files": list(files), **options}), context)
    (stream,) = source.streams([("samples", {})])
    return list(source.collect(stream, TimeRange(now - timedelta(days=90), now), None))[-1]


def outcomes(base: Path, *files: str, **more) -> tuple[float, ...]:
    batch = told(base, *files, **more)
    assert batch.problems == ()
    return tuple(batch.facts[0].parts[name] for name in ("passed", "failed", "errors", "skipped"))


class TestContract(CollectorContract):
    @pytest.fixture
    def case(self, tmp_path) -> Case:
        write(tmp_path / "junit-1.xml", PASSING)
        return Case(
            collector=JUnit,
            options={"files": ["junit-*.xml"]},
            queries=[("samples", {})],
            window=TimeRange(NOW - timedelta(days=30), NOW),
            now=NOW,
            base=tmp_path,
        )


def test_pytest_s_own_file_is_read_as_pytest_counts(tmp_path):
    (tmp_path / "test_shop.py").write_text(
        "import pytest\n\n\n@pytest.mark.parametrize('n', [1, 2, 3])\ndef test_adds(n):\n    assert n < 3\n\n\n"
        "@pytest.fixture\ndef broken():\n    raise RuntimeError('no database')\n\n\n"
        "def test_errs(broken):\n    pass\n\n\n"
        "@pytest.mark.skip\ndef test_later():\n    pass\n\n\n@pytest.mark.xfail\ndef test_known():\n    assert 0\n"
    )
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=junit.xml", "test_shop.py"]
    start = datetime.now(UTC) - timedelta(seconds=2)
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 failed, 2 passed, 1 skipped, 1 xfailed, 1 error" in done.stdout
    later = datetime.now(UTC) + timedelta(minutes=1)
    # pytest writes an expected failure as skipped.
    assert outcomes(tmp_path, "junit.xml", now=later) == (2, 1, 1, 2)
    assert start <= told(tmp_path, "junit.xml", now=later).facts[0].at <= later


def test_errors_are_no_failures_and_a_flaky_test_passed_in_the_end(tmp_path):
    write(tmp_path / "surefire.xml", (FILES / "TEST-acme.CartTest.xml").read_text())
    assert outcomes(tmp_path, "surefire.xml") == (2, 1, 1, 1)


def test_nested_suites_are_counted_once(tmp_path):
    write(
        tmp_path / "n.xml",
        '<testsuites tests="3"><testsuite name="outer" tests="3"><testcase name="a"/><testsuite name="inner" tests="2">'
        '<testcase name="b"><failure/></testcase><testcase name="c" status="notrun"/></testsuite>'
        "</testsuite></testsuites>",
    )
    assert outcomes(tmp_path, "n.xml") == (1, 1, 0, 1)


def test_several_files_are_one_run_dated_by_the_newest(tmp_path):
    for n, hour in enumerate((8, 9)):
        write(
            tmp_path / f"{n}.xml", f'<testsuite timestamp="2026-11-19T0{hour}:00:00Z"><testcase name="a"/></testsuite>'
        )
    batch = told(tmp_path, "*.xml")
    assert batch.facts[0].parts["passed"] == 2
    assert batch.facts[0].at == datetime(2026, 11, 19, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stated", "options", "at"),
    [
        ("2026-11-19T08:00:00", {}, MADE),
        ("2026-11-19T09:00:00", {"zone": "Europe/Berlin"}, MADE),
        ("2026-11-19T10:00:00.000+02:00", {}, MADE),
        ("yesterday", {}, MADE + timedelta(hours=1)),
    ],
)
def test_a_suite_s_timestamp_dates_it(tmp_path, stated, options, at):
    suites = f'<testsuites><testsuite timestamp="{stated}"><testcase name="a"/></testsuite></testsuites>'
    write(tmp_path / "t.xml", suites, MADE + timedelta(hours=1))
    assert told(tmp_path, "t.xml", **options).facts[0].at == at


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<testsuite name="shop" tests="10"><testcase name="a"><failure/></testcase></testsuite>', "lists 1 of the 10"),
        ("<testsuite>\n<testcase", "bad.xml:2: the XML ends or breaks here"),
        ("", "bad.xml:1: the XML ends"),
        ("<report/>", "root <report> is neither"),
        ('<testsuite tests="some"/>', 'tests="some"'),
    ],
)
def test_a_file_that_can_t_be_trusted_leaves_no_figure(tmp_path, text, words):
    write(tmp_path / "good.xml", PASSING)
    write(tmp_path / "bad.xml", text)
    batch = told(tmp_path, "*.xml")
    assert batch.facts == ()
    assert words in batch.problems[0]


def test_a_missing_file_leaves_no_figure(tmp_path):
    batch = told(tmp_path, "build/junit-*.xml")
    assert batch.facts == ()
    assert "'build/junit-*.xml'" in batch.problems[0]


def test_a_run_without_tests_is_a_run_of_none(tmp_path):
    write(tmp_path / "none.xml", "<testsuites/>")
    assert outcomes(tmp_path, "none.xml") == (0, 0, 0, 0)
