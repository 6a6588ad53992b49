"""Coverage files: what each format says, and when it was said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from git_layouts import Repo
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.collectors.contract import ConfigError, Context
from keyresults.collectors.coverage import CoverageFiles
from keyresults.collectors.http import HttpDoor
from keyresults.collectors.testing import Case, CollectorContract
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.ranges import TimeRange, TimeRanges
from standins.build_files import MADE, write

FILES = Path(__file__).parent / "files"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LCOV = "TN:\nSF:a.c\nDA:1,2\nDA:2,0\nDA:3,1\nBRDA:1,0,0,1\nBRDA:1,0,1,-\nend_of_record\n"


def told(
    base: Path, *files: str, kind: str = "line", cursor=None, now: datetime = NOW, tracker="UTC", **options: object
):
    context = Context(source="cov", http=HttpDoor(), clock=lambda: now, calendar=Calendar(tracker), base=base)
    source = CoverageFiles(CoverageFiles.Options.model_validate({"files": list(files), **options}), context)
    (stream,) = source.streams([("samples", {"kind": kind})])
    batches = list(source.collect(stream, TimeRange(now - timedelta(days=90), now), cursor))
    return batches[-1]


def parts(base: Path, *files: str, kind: str = "line") -> tuple[float, float]:
    batch = told(base, *files, kind=kind)
    (sample,) = batch.facts
    assert batch.problems == ()
    return sample.parts["covered"], sample.parts["coverable"]


class TestContract(CollectorContract):
    @pytest.fixture
    def case(self, tmp_path) -> Case:
        write(tmp_path / "lcov.info", LCOV)
        return Case(
            collector=CoverageFiles,
            options={"files": ["*.info"]},
            queries=[("samples", {}), ("samples", {"kind": "branch"})],
            window=TimeRange(NOW - timedelta(days=30), NOW),
            now=NOW,
            base=tmp_path,
        )


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Path:
    """A small program measured by the real coverage.py, in its three formats."""
    base = tmp_path_factory.mktemp("measured")
    (base / "shop").mkdir()
    (base / "shop" / "__init__.py").write_text("")
    (base / "shop" / "cart.py").write_text(
        "def price(\n    amount,\n    discounted=False,\n):\n    if discounted and amount > 100:\n        return (\n"
        "            amount * 9\n            // 10\n        )\n    return amount\n\n\ndef unused():\n"
        "    for n in range(3):\n        print(n)\n"
    )
    (base / "run.py").write_text("from shop.cart import price\n\nif price(50) != 50:\n    raise SystemExit(1)\n")
    run = [sys.executable, "-m", "coverage"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    for arguments in (
        ["run", "--branch", "--source=.", "run.py"],
        ["json", "-q", "-o", "coverage.json"],
        ["xml", "-q", "-o", "coverage.xml"],
        ["lcov", "-q", "-o", "coverage.lcov"],
    ):
        subprocess.run([*run, *arguments], cwd=base, check=True, capture_output=True, env=environment)
    return base


def now_told(base: Path, *files: str, **more):
    return told(base, *files, now=datetime.now(UTC) + timedelta(minutes=1), **more)


def now_parts(base: Path, file: str, kind: str) -> tuple[float, float]:
    sample = now_told(base, file, kind=kind).facts[0]
    return sample.parts["covered"], sample.parts["coverable"]


def test_coverage_py_json_says_what_the_tool_says(measured):
    totals = json.loads((measured / "coverage.json").read_text())["totals"]
    lines, branches = (
        (totals["covered_lines"], totals["num_statements"]),
        (totals["covered_branches"], totals["num_branches"]),
    )
    assert totals["num_branches"] > 0
    assert now_parts(measured, "coverage.json", "line") == lines
    assert now_parts(measured, "coverage.json", "statement") == lines
    assert now_parts(measured, "coverage.json", "branch") == branches
    covered, coverable = now_parts(measured, "coverage.json", "combined")
    assert 100 * covered / coverable == pytest.approx(totals["percent_covered"], abs=1e-9)


def test_cobertura_from_coverage_py_says_what_the_tool_says(measured):
    root = ET.parse(measured / "coverage.xml").getroot()
    for kind, word in (("line", "lines"), ("branch", "branches")):
        stated = int(root.attrib[f"{word}-covered"]), int(root.attrib[f"{word}-valid"])
        assert now_parts(measured, "coverage.xml", kind) == stated


def test_lcov_from_coverage_py_says_what_the_tool_says(measured):
    text = (measured / "coverage.lcov").read_text().splitlines()
    for kind, hit, found in (("line", "LH:", "LF:"), ("branch", "BRH:", "BRF:")):
        stated = tuple(sum(int(row[len(tag) :]) for row in text if row.startswith(tag)) for tag in (hit, found))
        assert now_parts(measured, "coverage.lcov", kind) == stated


@pytest.mark.parametrize(("kind", "own"), [("line", (5, 7)), ("branch", (3, 6)), ("statement", (25, 42))])
def test_jacoco_says_what_its_report_counters_say(kind, own):
    assert parts(FILES, "jacoco.xml", kind=kind) == own


def test_go_blocks_count_once_however_many_packages_ran_them(tmp_path):
    write(tmp_path / "cover.out", (FILES / "cover.out").read_text())
    # `go tool cover -func` weighs by statements: 1 + 1 + 2 of 7 ran.
    assert parts(tmp_path, "cover.out", kind="statement") == (4, 7)
    # cart.go 9 to 14 but no line twice; price.go 5 to 8.
    assert parts(tmp_path, "cover.out", kind="line") == (6, 10)


def test_lcov_counts_lines_and_branches(tmp_path):
    write(tmp_path / "lcov.info", LCOV)
    assert parts(tmp_path, "lcov.info") == (2, 3)
    assert parts(tmp_path, "lcov.info", kind="branch") == (1, 2)


def test_lcov_records_with_sums_alone_count_too(tmp_path):
    write(tmp_path / "lcov.info", "SF:a.c\nLF:10\nLH:4\nend_of_record\nSF:b.c\nDA:1,1\nLF:1\nLH:1\nend_of_record\n")
    assert parts(tmp_path, "lcov.info") == (5, 11)


def test_cobertura_lines_of_methods_and_classes_count_once(tmp_path):
    lines = '<lines><line number="1" hits="1"/><line number="2" hits="0"/></lines>'
    write(
        tmp_path / "c.xml",
        '<?xml version="1.0"?><!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">'
        f'<coverage line-rate="0.5" timestamp="{int(MADE.timestamp())}"><packages><package><classes>'
        f'<class filename="A.java"><methods><method>{lines}</method></methods>{lines}</class>'
        f'<class filename="A.java">{lines}</class></classes></package></packages></coverage>',
    )
    assert parts(tmp_path, "c.xml") == (1, 2)


# ---- several files


def test_the_same_path_is_united_line_by_line(tmp_path):
    write(tmp_path / "unit.info", "SF:a.c\nDA:1,1\nDA:2,0\nDA:3,0\nend_of_record\n")
    write(tmp_path / "system.info", "SF:a.c\nDA:1,0\nDA:2,1\nDA:3,0\nend_of_record\n")
    assert parts(tmp_path, "*.info") == (2, 3)


def test_different_paths_are_summed_not_averaged(tmp_path):
    write(tmp_path / "a.info", "SF:a.c\nDA:1,1\nend_of_record\n")
    write(tmp_path / "b.info", "SF:b.c\n" + "".join(f"DA:{n},0\n" for n in range(1, 10)) + "end_of_record\n")
    assert parts(tmp_path, "a.info", "b.info") == (1, 10)


def test_packages_with_files_of_one_name_are_told_apart_by_where_they_lie(tmp_path):
    for package, hits in (("api", 1), ("web", 0)):
        write(tmp_path / package / "src" / "index.js", "x\n")
        write(tmp_path / package / "coverage" / "lcov.info", f"SF:src/index.js\nDA:1,{hits}\nend_of_record\n")
    assert parts(tmp_path, "*/coverage/lcov.info") == (1, 2)


_LINES = st.dictionaries(st.integers(1, 12), st.integers(0, 2), max_size=12)


@given(shards=st.lists(st.dictionaries(st.sampled_from(["a.c", "b.c"]), _LINES), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_shards_unite_as_a_plain_loop_has_it(tmp_path_factory, shards):
    base = tmp_path_factory.mktemp("shards")
    for n, shard in enumerate(shards):
        records = ["TN:"]
        for path, lines in shard.items():
            records += [f"SF:{path}", *(f"DA:{line},{hits}" for line, hits in lines.items()), "end_of_record"]
        write(base / f"{n}.info", "\n".join(records) + "\n")
    everything = [
        (path, line, hits) for shard in shards for path, lines in shard.items() for line, hits in lines.items()
    ]
    coverable = len({(path, line) for path, line, _ in everything})
    covered = len({(path, line) for path, line, hits in everything if hits})
    if coverable:
        assert parts(base, "*.info") == (covered, coverable)
    else:
        assert told(base, "*.info").facts == ()


def test_two_formats_of_one_commit_make_one_figure(tmp_path):
    write(tmp_path / "py.json", json.dumps(_coverage_py(executed=[1, 2], missing=[3])))
    write(tmp_path / "c.info", "SF:b.c\nDA:1,0\nend_of_record\n")
    assert parts(tmp_path, "py.json", "c.info") == (2, 4)


def test_a_pattern_without_a_file_leaves_no_figure(tmp_path):
    write(tmp_path / "a.info", LCOV)
    batch = told(tmp_path, "a.info", "b*.info")
    assert (batch.facts, bool(batch.covered), batch.cursor) == ((), False, None)
    assert "'b*.info'" in batch.problems[0]


def test_files_too_far_apart_leave_no_figure(tmp_path):
    write(tmp_path / "new.info", LCOV)
    write(tmp_path / "old.info", LCOV, MADE - timedelta(days=8))
    batch = told(tmp_path, "*.info")
    assert batch.facts == ()
    assert batch.problems[0].startswith("old.info: it is 8 days older than new.info")


# ---- what can't be read


def _coverage_py(executed, missing, branch=False, **meta):
    summary = {"num_branches": 0, "covered_branches": 0}
    measured = {"executed_lines": executed, "missing_lines": missing, "summary": summary}
    meta = {"version": "7.6", "timestamp": MADE.replace(tzinfo=None).isoformat(), "branch_coverage": branch, **meta}
    return {"meta": meta, "files": {"a.py": measured}, "totals": {}}


def test_nothing_coverable_is_no_figure_and_not_all(tmp_path):
    write(tmp_path / "c.json", json.dumps(_coverage_py([], [])))
    batch = told(tmp_path, "c.json")
    assert batch.facts == ()
    assert "nothing to cover" in batch.problems[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "bad: it is empty"),
        ("SF:a.c\nDA:1,1\nend_of_record\nSF:b.c\nDA:1,1\n", "bad:5: the file ends in the middle of a record"),
        ("SF:a.c\nDA:1,x\nend_of_record\n", "bad:2: 'DA:1,x' can't be read"),
        ("mode: set\na.go:1.1,2.2 1\n", "bad:2: 'a.go:1.1,2.2 1' can't be read"),
        ('<coverage line-rate="1">\n<packages>\n<pack', "bad:3: the XML ends or breaks here"),
        (
            '<coverage line-rate="1"><class filename="a"><line number="1" hits="many"/></class></coverage>',
            'hits="many"',
        ),
        ('<coverage generated="1" clover="4"><project/></coverage>', "Clover"),
        ("<html></html>", "its root <html>"),
        ('{"meta": {},\n"files": {', "bad:2: the JSON ends or breaks here"),
        ('{"a.js": {"path": "a.js"}}', "not coverage.py's"),
        ('{"meta": {}, "files": {"a.py": {}}}', "it lacks what coverage.py writes"),
        ("[1, 2]", "not coverage.py's"),
        ("lines: 80%\n", "bad:1: it begins with 'lines: 80%"),
    ],
)
def test_a_broken_file_is_named_with_its_place(tmp_path, text, words):
    write(tmp_path / "bad", text)
    batch = told(tmp_path, "bad")
    assert (batch.facts, bool(batch.covered)) == ((), False)
    assert words in batch.problems[0]


def test_entities_are_refused_and_nothing_is_loaded(tmp_path):
    write(tmp_path / "secret", "secret")
    write(
        tmp_path / "x.xml",
        f'<!DOCTYPE coverage [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]><coverage line-rate="1">&e;</coverage>',
    )
    (problem,) = told(tmp_path, "x.xml").problems
    assert "entities" in problem


def test_a_huge_file_is_not_read(tmp_path):
    with (tmp_path / "big.info").open("wb") as big:
        big.truncate(200 * 2**20 + 1)
    assert "209,715,201 bytes" in told(tmp_path, "big.info").problems[0]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (LCOV, "combined", 'lcov, which has no kind "combined"; it has "line", "branch"'),
        ("mode: set\n", "branch", 'it has "line", "statement"'),
        (json.dumps(_coverage_py([1], [])), "branch", "measured without branches"),
    ],
)
def test_a_kind_the_format_cannot_give_is_a_config_error(tmp_path, text, kind, words):
    write(tmp_path / "file", text)
    with pytest.raises(ConfigError, match=words):
        told(tmp_path, "file", kind=kind)


def test_a_stated_format_is_not_guessed(tmp_path):
    write(tmp_path / "file", "\nVER:1\nSF:a.c\nDA:1,1\nend_of_record\n")
    assert told(tmp_path, "file").problems
    assert told(tmp_path, "file", format="lcov").facts[0].parts == {"covered": 1, "coverable": 1}


# ---- its date


def test_cobertura_is_dated_in_milliseconds_or_seconds(tmp_path):
    for stated in (int(MADE.timestamp()), int(MADE.timestamp() * 1000)):
        line = '<class filename="a"><line number="1" hits="1"/></class>'
        write(tmp_path / "c.xml", f'<coverage line-rate="1" timestamp="{stated}">{line}</coverage>', NOW)
        assert told(tmp_path, "c.xml").facts[0].at == MADE


def test_jacoco_is_dated_by_its_newest_session():
    assert told(FILES, "jacoco.xml").facts[0].at == datetime.fromtimestamp(1793268130.5, UTC)


def test_a_time_without_zone_is_the_tracker_s_unless_the_source_says_another(tmp_path):
    write(tmp_path / "c.json", json.dumps(_coverage_py([1], [])), NOW)
    assert told(tmp_path, "c.json", tracker="Europe/Berlin").facts[0].at == MADE - timedelta(hours=1)
    assert told(tmp_path, "c.json", tracker="Europe/Berlin", zone="UTC").facts[0].at == MADE


def test_a_time_that_is_not_yet_gives_way_to_the_modification(tmp_path):
    later = _coverage_py([1], [], timestamp="2027-01-01T00:00:00")
    write(tmp_path / "c.json", json.dumps(later))
    sample = told(tmp_path, "c.json").facts[0]
    assert sample.at == MADE
    assert "not yet" in sample.note


def test_a_tracked_file_is_dated_by_the_commit_that_wrote_it(tmp_path):
    repo = Repo.create(tmp_path / "shop")
    write(repo.path / "lcov.info", LCOV, NOW)
    repo.git("add", ".")
    commit = repo.commit(MADE)
    repo.commit(MADE + timedelta(hours=3), "Later, of something else")
    sample = told(repo.path, "lcov.info").facts[0]
    assert (sample.at, sample.commit, sample.note) == (MADE, commit, None)


def test_a_fresh_untracked_file_belongs_to_the_commit_checked_out(tmp_path):
    repo = Repo.create(tmp_path / "shop")
    commit = repo.commit(MADE)
    write(repo.path / ".gitignore", "*.info\n")
    write(repo.path / "lcov.info", LCOV, MADE + timedelta(hours=1))
    sample = told(repo.path, "lcov.info").facts[0]
    assert (sample.at, sample.commit) == (MADE, commit)


def test_an_untracked_file_older_than_the_commit_is_dated_by_its_modification(tmp_path):
    repo = Repo.create(tmp_path / "shop")
    repo.commit(NOW - timedelta(hours=1))
    write(repo.path / "lcov.info", LCOV)
    sample = told(repo.path, "lcov.info").facts[0]
    assert (sample.at, sample.commit) == (MADE, None)
    assert "modification" in sample.note


# ---- its history


def test_reading_the_same_file_again_is_the_same_fact(tmp_path):
    write(tmp_path / "lcov.info", LCOV)
    first = told(tmp_path, "lcov.info")
    again = told(tmp_path, "lcov.info", cursor=first.cursor, now=NOW + timedelta(days=3))
    assert first.facts == again.facts
    assert again.covered == TimeRanges.of(TimeRange(MADE, MADE + MICROSECOND))


def test_a_newer_file_adds_a_fact_and_the_time_between_is_known(tmp_path):
    write(tmp_path / "lcov.info", LCOV)
    first = told(tmp_path, "lcov.info")
    write(tmp_path / "lcov.info", LCOV, MADE + timedelta(days=2))
    second = told(tmp_path, "lcov.info", cursor=first.cursor, now=NOW + timedelta(days=3))
    assert first.facts[0].key != second.facts[0].key
    assert second.covered == TimeRanges.of(TimeRange(MADE, MADE + timedelta(days=2) + MICROSECOND))


def test_an_unknown_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        CoverageFiles.Options.model_validate({"files": ["a"], "zone": "Europe/Berln"})
