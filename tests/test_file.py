"""Facts from CSV and JSON Lines."""

from __future__ import annotations

import csv
import json
import os
import re
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.collectors.contract import ConfigError, Context, SourceError
from keyresults.collectors.file import FactFiles
from keyresults.collectors.file_facts import FIELDS
from keyresults.collectors.file_patterns import SourceFile
from keyresults.collectors.file_rows import Rows
from keyresults.collectors.http import HttpDoor
from keyresults.collectors.testing import Case, CollectorContract
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.facts import StatusChange
from keyresults.metrics.ranges import TimeRange, TimeRanges
from pydantic import ValidationError

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EXPORT = {
    "files": ["export/*.csv"],
    "facts": "deployments",
    "columns": {
        "key": "id",
        "subject": "service",
        "commit": "sha",
        "environment": "env",
        "status": "result",
        "created_at": "started",
        "at": "finished",
    },
    "values": {"status": {"ok": "success", "broken": "failure"}},
}
ROWS = """id,service,sha,env,result,started,finished
1,shop,aaa,production,ok,2026-11-01T10:00:00Z,2026-11-01T10:05:00Z
2,shop,bbb,production,broken,2026-11-02T10:00:00+01:00,2026-11-02T10:01:00+01:00
3,ledger,ccc,staging,ok,2026-11-03T10:00:00Z,2026-11-03T10:09:00Z
"""


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def source(base: Path, now: datetime = NOW, tracker: str = "UTC", **options: object) -> FactFiles:
    context = Context(source="exports", http=HttpDoor(), clock=lambda: now, calendar=Calendar(tracker), base=base)
    return FactFiles(FactFiles.Options.model_validate(options), context)


def told(base: Path, cursor=None, now: datetime = NOW, tracker: str = "UTC", **options):
    files = source(base, now, tracker, **options)
    (stream,) = files.streams([(options["facts"], {})])
    batches = list(files.collect(stream, TimeRange(now - timedelta(days=90), now), cursor))
    return {fact.key: fact for batch in batches for fact in batch.facts}, batches[-1]


def write(path: Path, text: str | bytes, modified: datetime = NOW) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(path, (modified.timestamp(), modified.timestamp()))
    return path


def samples(base: Path, text: str | bytes, **more):
    write(base / "s.csv", text)
    return told(base, files=["s.csv"], facts="samples", **more)


class TestContract(CollectorContract):
    @pytest.fixture
    def case(self, tmp_path) -> Case:
        write(tmp_path / "export" / "a.csv", ROWS)
        return Case(
            collector=FactFiles,
            options=EXPORT,
            queries=[("deployments", {})],
            window=TimeRange(NOW - timedelta(days=30), NOW),
            now=NOW,
            base=tmp_path,
        )


class TestContractOfManyRows(CollectorContract):
    @pytest.fixture
    def case(self, tmp_path) -> Case:
        rows = "".join(f"{NOW.timestamp() - 60 * n:.0f},{n}\n" for n in range(12_000))
        write(tmp_path / "s.csv", "at,value\n" + rows)
        return Case(
            collector=FactFiles,
            options={"files": ["s.csv"], "facts": "samples", "time": "unix"},
            queries=[("samples", {})],
            window=TimeRange(NOW - timedelta(days=30), NOW),
            now=NOW,
            base=tmp_path,
        )


# ---- rows of each kind


def test_deployments_have_their_status_at_its_time(tmp_path):
    write(tmp_path / "export" / "a.csv", ROWS)
    facts, last = told(tmp_path, **EXPORT)
    first, second, third = (facts[key] for key in ("shop/1", "shop/2", "ledger/3"))
    assert first.statuses == (StatusChange("success", at(1, 10, 5)),)
    assert (first.subject, first.commit, first.environment, first.created_at) == (
        "shop",
        "aaa",
        "production",
        at(1, 10),
    )
    assert second.statuses == (StatusChange("failure", at(2, 9, 1)),)
    assert (third.subject, third.environment, third.task) == ("ledger", "staging", "deploy")
    assert last.problems == ()
    assert last.covered == TimeRanges.of(TimeRange(at(1, 10), at(3, 10) + MICROSECOND))


def test_a_list_of_what_was_deployed_needs_no_status(tmp_path):
    write(tmp_path / "tags.csv", "created_at_unix,tag,sha\n1793527200,0.1,8605cc310d\n")
    columns = {"key": "tag", "commit": "sha", "created_at": "created_at_unix"}
    facts, _ = told(tmp_path, files=["tags.csv"], facts="deployments", columns=columns, time="unix")
    assert facts["0.1"].succeeded_at == at(1, 10)
    assert (facts["0.1"].environment, facts["0.1"].subject) == ("production", "exports")


def test_an_empty_status_is_a_deployment_under_way(tmp_path):
    write(tmp_path / "d.csv", "commit,status,started_at\naaa,,2026-11-01T10:00:00Z\n")
    facts, _ = told(tmp_path, files=["d.csv"], facts="deployments")
    (fact,) = facts.values()
    assert fact.statuses == (StatusChange("in_progress", at(1, 10)),)


def test_runs_are_read(tmp_path):
    write(
        tmp_path / "r.jsonl",
        '{"run": 7, "attempt": 2, "workflow": "ci", "branch": "main", "commit": "aaa", "conclusion": "FAILURE", '
        '"created_at": 1793527200000, "completed_at": 1793527260000}\n\n{"run": 8, "created_at": 1793527200000}\n',
    )
    facts, _ = told(tmp_path, files=["r.jsonl"], facts="runs", time="unix_ms")
    done, running = facts.values()
    assert (done.run, done.attempt, done.conclusion) == ("7", 2, "failure")
    assert (done.created_at, done.completed_at) == (at(1, 10), at(1, 10, 1))
    assert (running.attempt, running.conclusion, running.completed_at) == (1, None, None)
    assert source(tmp_path, files=["r.jsonl"], facts="runs").streams([("runs", {"workflow": "ci", "branch": None})])


def test_changes_are_read(tmp_path):
    write(
        tmp_path / "c.csv",
        "commit,merged_at,first_commit_at,title,labels,author_kind,base\n"
        'aaa,2026-11-03 10:00,2026-11-01,"Fix\nit",bug; urgent,bot,main\n',
    )
    facts, _ = told(tmp_path, files=["c.csv"], facts="changes", zone="Europe/Berlin")
    (change,) = facts.values()
    assert (change.merged_at, change.first_commit_at) == (at(3, 9), datetime(2026, 10, 31, 23, tzinfo=UTC))
    assert (change.title, change.labels, change.author_kind, change.base) == (
        "Fix\nit",
        ("bug", "urgent"),
        "bot",
        "main",
    )


def test_incidents_are_read(tmp_path):
    write(
        tmp_path / "i.jsonl",
        '{"opened_at": "2026-11-03T10:00:00Z", "closed_at": null, "title": "Down", "labels": ["p1", "payments"]}\n',
    )
    facts, _ = told(tmp_path, files=["i.jsonl"], facts="incidents")
    (incident,) = facts.values()
    assert (incident.opened_at, incident.closed_at) == (at(3, 10), None)
    assert incident.labels == ("p1", "payments")


def test_samples_are_of_an_instant_or_of_a_day(tmp_path):
    facts, last = samples(
        tmp_path, "day,value,n\n2026-11-02,1.5,10\n2026-11-03,2,\n2026-11-20,3,\n", tracker="Europe/Berlin"
    )
    first, second, today = facts.values()
    assert (first.at, first.until, first.value, first.n, first.final) == (at(1, 23), at(2, 23), 1.5, 10, True)
    assert second.n is None
    assert (today.final, today.until) == (False, NOW)
    assert last.covered == TimeRanges.of(TimeRange(at(1, 23), NOW))


def test_each_row_names_its_subject_and_keys_are_the_subject_s_own(tmp_path):
    facts, last = samples(
        tmp_path, "key,subject,at,value\n1,shop,2026-11-01,1\n1,ledger,2026-11-02,2\n2,,2026-11-03,3\n"
    )
    assert [(fact.subject, fact.value) for fact in facts.values()] == [("shop", 1), ("ledger", 2), ("exports", 3)]
    assert last.problems == ()


# ---- bad rows


def test_a_bad_row_is_named_and_stops_no_other(tmp_path):
    facts, last = samples(
        tmp_path,
        'at,value,note\n2026-11-01,1,"two\nlines"\nyesterday,2,\n2026-11-03,85%,\n2026-11-04,nan,\n2026-11-05,,\n'
        "2026-11-06,6\n2026-11-07,7,x,y\n\n2026-11-08,8,,\n",
    )
    assert [fact.value for fact in facts.values()] == [1, 8]
    assert [problem.split(": ")[0] for problem in last.problems] == [f"s.csv:{n}" for n in (4, 5, 6, 7, 8, 9)]
    assert "at: 'yesterday' is no time" in last.problems[0]
    assert "value: '85%' is no number" in last.problems[1]
    assert "it says no value" in last.problems[3]
    assert "it has 2 fields, the header 3" in last.problems[4]
    assert last.covered


def test_a_key_that_no_index_holds_is_a_bad_row(tmp_path):
    longest = "k" * 995  # and the subject before it
    facts, last = samples(
        tmp_path,
        f"key,subject,at,value\n{longest},shop,2026-11-01,1\n{longest}k,shop,2026-11-02,2\n,{'ö' * 600},2026-11-03,3\n",
    )
    assert [fact.value for fact in facts.values()] == [1]
    assert [problem[: len("s.csv:3: its key 'shop/kkk")] for problem in last.problems] == [
        "s.csv:3: its key 'shop/kkk",
        "s.csv:4: its key 'öööööööö",
    ]
    assert all("is longer than 1,000 bytes" in problem for problem in last.problems)


def test_a_count_beyond_all_counts_is_a_bad_row(tmp_path):
    head = "run,workflow,attempt,branch,commit,conclusion,created_at,completed_at\n"
    row = "{run},ci,{attempt},main,aaa,success,2026-11-01T10:00:00Z,2026-11-01T10:05:00Z\n"
    attempts = ("2", "1e300", "1.5", "9007199254740993")
    write(tmp_path / "r.csv", head + "".join(row.format(run=n, attempt=a) for n, a in enumerate(attempts)))
    facts, last = told(tmp_path, files=["r.csv"], facts="runs")
    assert [fact.attempt for fact in facts.values()] == [2]
    for line, problem in zip((3, 4, 5), last.problems, strict=True):
        assert problem.startswith(f"r.csv:{line}: attempt: '{attempts[line - 2]}' is no whole number")


def test_an_unknown_status_says_how_to_name_it(tmp_path):
    write(tmp_path / "export" / "a.csv", ROWS.replace("broken", "kaputt"))
    facts, last = told(tmp_path, **EXPORT)
    assert set(facts) == {"shop/1", "ledger/3"}
    assert last.problems[0].startswith("export/a.csv:3: 'kaputt' is no status")
    assert 'values = { status = { "kaputt" = ' in last.problems[0]


def test_json_that_is_no_object_is_a_bad_row(tmp_path):
    write(tmp_path / "s.jsonl", '{"at": "2026-11-01", "value": 1}\n[1]\n{"at": \n{"at": "2026-11-02", "value": true}\n')
    facts, last = told(tmp_path, files=["s.jsonl"], facts="samples")
    assert len(facts) == 1
    assert [problem.split(": ")[0] for problem in last.problems] == ["s.jsonl:2", "s.jsonl:3", "s.jsonl:4"]


def test_many_bad_rows_are_counted_not_listed(tmp_path):
    _, last = samples(tmp_path, "at,value\n" + "x,1\n" * 80)
    assert len(last.problems) == 52
    assert last.problems[50] == "and 30 more rows like these"


def test_a_key_that_stands_twice_is_named_and_the_later_row_counts(tmp_path):
    facts, last = samples(tmp_path, "key,at,value\na,2026-11-01,1\na,2026-11-02,2\n")
    assert facts["a"].value == 2
    assert last.problems == ("s.csv:3: s.csv:2 has the same key 'a'; the later row counts",)


def test_a_row_of_the_future_waits_for_its_time(tmp_path):
    text = "at,value\n2026-11-19,1\n2026-11-21,2\n"
    facts, last = samples(tmp_path, text)
    assert len(facts) == 1
    assert "s.csv:3: 2026-11-21 00:00 UTC is not yet" in last.problems
    facts, last = samples(tmp_path, text, cursor=last.cursor, now=NOW + timedelta(days=2))
    assert len(facts) == 2
    assert last.problems == ()


# ---- files that are not what they should be


def test_a_missing_column_is_a_config_error_with_a_near_one(tmp_path):
    write(tmp_path / "export" / "a.csv", ROWS.replace("sha", "shaa"))
    with pytest.raises(ConfigError, match=r"export/a.csv has no column 'sha' \(commit\); did you mean 'shaa'"):
        told(tmp_path, **EXPORT)
    with pytest.raises(ConfigError, match="no column says at or day"):
        samples(tmp_path, "value,when\n1,2026-11-01\n")
    with pytest.raises(ConfigError, match="more than one column 'value'"):
        samples(tmp_path, "value,at,value\n1,2026-11-01,2\n")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"columns": {"comit": "sha"}}, "deployments have no 'comit'; did you mean 'commit'"),
        ({"values": {"state": {"a": "b"}}}, "deployments have no 'state'"),
        ({"zone": "Mars"}, "no time zone"),
        ({"covers": {"from": date(2026, 7, 2), "to": date(2026, 7, 1)}}, "lies after"),
        ({"covers": {"until": "modified"}}, "until"),
        ({"facts": "deploys"}, "deployments"),
        ({"files": []}, "files"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, words):
    with pytest.raises(ValidationError, match=words):
        FactFiles.Options.model_validate({"files": ["a"], "facts": "deployments", **options})


def test_asking_for_other_facts_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match="has samples"):
        source(tmp_path, files=["a"], facts="samples").streams([("deployments", {})])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"at,value,note\n2026-11-01,1,a\n2026-11-02,2,caf\xe9\n", "s.csv:3: byte 0xE9 at column 17 is not UTF-8"),
        ("at,value\n".encode("utf-16"), "s.csv:1: it is UTF-16"),
    ],
)
def test_other_encodings_are_named_with_their_place(tmp_path, text, words):
    _, last = samples(tmp_path, text)
    assert words in last.problems[0]
    assert (bool(last.covered), last.cursor) == (False, None)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_and_a_byte_order_mark_are_recognised(tmp_path, delimiter):
    text = "\ufeffat,value,note\r\n2026-11-01,1,x\r\n".replace(",", delimiter)
    facts, last = samples(tmp_path, text)
    assert [fact.note for fact in facts.values()] == ["x"]
    assert last.problems == ()


def test_an_empty_file_covers_nothing_unless_the_source_says_so(tmp_path):
    for text in ("", "at,value\n"):
        _, last = samples(tmp_path, text)
        assert (bool(last.covered), last.problems) == (False, ("the files have no rows",))
        _, last = samples(tmp_path, text, covers={"from": date(2026, 11, 1), "to": "modified"})
        assert last.covered == TimeRanges.of(TimeRange(at(1), NOW))
        assert last.problems == ()


def test_a_pattern_that_matches_nothing_covers_nothing(tmp_path):
    write(tmp_path / "export" / "a.csv", ROWS)
    facts, last = told(tmp_path, **{**EXPORT, "files": ["export/*.csv", "import/*.csv"]})
    assert len(facts) == 3
    assert not last.covered
    assert "'import/*.csv'" in last.problems[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_source_that_does_not_answer(tmp_path):
    write(tmp_path / "s.csv", "at,value\n").chmod(0)
    with pytest.raises(SourceError, match=r"s\.csv can't be read"):
        told(tmp_path, files=["s.csv"], facts="samples")


# ---- what time they cover


@pytest.mark.parametrize(
    ("covers", "start", "end"),
    [
        ({}, at(1), at(3) + MICROSECOND),
        ({"from": date(2026, 10, 31)}, datetime(2026, 10, 30, 23, tzinfo=UTC), at(3) + MICROSECOND),
        ({"to": "modified"}, at(1), at(10)),
        ({"to": date(2026, 11, 5)}, at(1), at(5, 23)),
        ({"to": date(2026, 12, 31)}, at(1), NOW),
    ],
)
def test_a_source_says_what_it_covers(tmp_path, covers, start, end):
    write(tmp_path / "s.csv", "at,value\n2026-11-03T00:00Z,3\n2026-11-01T00:00Z,1\n", modified=at(10))
    _, last = told(tmp_path, files=["s.csv"], facts="samples", covers=covers, tracker="Europe/Berlin")
    assert last.covered == TimeRanges.of(TimeRange(start, end))
    assert last.horizon == start


# ---- against plain loops

_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=12)


@given(notes=st.lists(_TEXT, min_size=1, max_size=20), delimiter=st.sampled_from(",;\t|"))
@settings(max_examples=60, deadline=None)
def test_whatever_text_is_quoted_comes_back_with_its_line(tmp_path_factory, notes, delimiter):
    path = tmp_path_factory.mktemp("rows") / "s.csv"
    line, lines = 2, []
    with path.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["at", "value", "note"])
        for n, note in enumerate(notes):
            writer.writerow(["2026-11-01", str(n), note])
            lines.append(line)
            line += 1 + note.count("\n")
    rows = list(Rows(SourceFile(path, "s.csv"), "csv"))
    assert [row.line for row in rows] == lines
    assert [row.cells["note"] for row in rows] == notes


# ---- read again


def test_unchanged_files_are_not_read_again_and_their_problems_stay(tmp_path):
    first, last = samples(tmp_path, "at,value\n2026-11-01,1\nx,2\n")
    again, after = samples(tmp_path, "at,value\n2026-11-01,1\nx,2\n", cursor=json.loads(json.dumps(last.cursor)))
    assert (len(first), again) == (1, {})
    assert (after.covered, after.problems, after.cursor) == (last.covered, last.problems, None)


def test_a_row_taken_out_is_withdrawn(tmp_path):
    facts, last = samples(tmp_path, "key,at,value\na,2026-11-01,1\nb,2026-11-02,2\nc,2026-11-03,3\n")
    again, after = samples(tmp_path, "key,at,value\na,2026-11-01,1\nc,2026-11-03,4\n", cursor=last.cursor)
    assert set(facts) == {"a", "b", "c"}
    assert after.removed == ("b",)
    assert again["c"].value == 4


def test_rows_that_roll_off_the_beginning_are_kept(tmp_path):
    _, last = samples(tmp_path, "key,at,value\na,2026-11-01,1\nb,2026-11-02,2\n")
    for text in ("key,at,value\nb,2026-11-02,2\nc,2026-11-03,3\n", "key,at,value\n"):
        assert samples(tmp_path, text, cursor=last.cursor)[1].removed == ()


def test_reading_rows_otherwise_is_another_stream(tmp_path):
    write(tmp_path / "s.csv", "at,value,w\n2026-11-01,1,2\n")
    asked = [("samples", {})]
    first = source(tmp_path, files=["s.csv"], facts="samples").streams(asked)
    other = source(tmp_path, files=["s.csv"], facts="samples", columns={"value": "w"}).streams(asked)
    more = source(tmp_path, files=["s.csv", "t.csv"], facts="samples").streams(asked)
    assert first[0].id != other[0].id
    assert first == more


@pytest.mark.parametrize("apart", ["workflow", "service", "at"])
def test_deployments_of_one_commit_are_told_apart_by_whatever_tells_them_apart(tmp_path, apart):
    rows = {
        "workflow": "aaa,production,2026-11-01T10:00:00Z,cart.yml,\naaa,production,2026-11-01T10:00:00Z,mail.yml,\n",
        "service": "aaa,production,2026-11-01T10:00:00Z,,cart\naaa,production,2026-11-01T10:00:00Z,,mail\n",
        "at": "aaa,production,2026-11-01T10:00:00Z,,\naaa,production,2026-11-02T10:00:00Z,,\n",
    }
    write(tmp_path / "export.csv", f"commit,environment,at,workflow,subject\n{rows[apart]}")
    facts, last = told(tmp_path, files=["export.csv"], facts="deployments")
    expected = {
        "workflow": {"cart.yml", "mail.yml"},
        "service": {"cart", "mail"},
        "at": {at(1, 10), at(2, 10)},
    }
    field = "subject" if apart == "service" else apart
    assert {getattr(fact, field) for fact in facts.values()} == expected[apart]
    assert len(facts) == 2
    assert not last.problems


def test_a_key_made_of_the_row_stays_when_other_columns_change(tmp_path):
    first, _ = samples(tmp_path, "at,value\n2026-11-01,1\n2026-11-02,1\n")
    again, _ = samples(tmp_path, "value,at\n9,2026-11-01T00:00:00+00:00\n1,2026-11-02\n")
    assert list(first) == list(again)


def test_a_hundred_thousand_rows_take_seconds(tmp_path):
    rows = "".join(
        f"{n},shop,{n:040x},production,ok,{1790000000 + n * 20},{1790000000 + n * 20 + 300}\n" for n in range(100_000)
    )
    write(tmp_path / "export" / "big.csv", "id,service,sha,env,result,started,finished\n" + rows)
    started = time.process_time()
    facts, last = told(tmp_path, **{**EXPORT, "time": "unix"})
    assert len(facts) == 100_000
    assert time.process_time() - started < 20
    assert len(json.dumps(last.cursor)) < 2_000_000


def test_the_probe_says_what_there_is(tmp_path):
    write(tmp_path / "export" / "a.csv", ROWS)
    found = source(tmp_path, **EXPORT).probe()
    assert (found.ok, found.detail, found.visible) == (True, "3 deployments in export/a.csv", ("export/a.csv",))
    assert not source(tmp_path, **{**EXPORT, "files": ["nowhere.csv"]}).probe().ok


@pytest.mark.parametrize("kind", FIELDS)
def test_every_field_is_in_the_documentation(kind):
    (item,) = re.findall(rf"^ *- {kind}: (.*?)\n *(?:- |\n)", FactFiles.__doc__, re.DOTALL | re.MULTILINE)
    said = set(re.findall(r"\w+", item)) | {"key", "subject", "url"}
    assert set(FIELDS[kind]) <= said
