"""`keyresults export`: what is stored, for other tools, and fit to be read back."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.cli import export
from keyresults.cli.main import main
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import metric_series
from keyresults.jobs.record import record
from keyresults.metrics.facts import FACT_TYPES
from keyresults.metrics.stream import Batch
from keyresults.reports.tabular import lines
from keyresults.storage.exporting import fact_fields, fact_records
from keyresults.storage.fact_tables import FACT_TABLES
from keyresults.storage.store import Store
from storage_samples import ONE_OF_EACH, START, deployment, stream

AT = ("--as-of", NOW.isoformat())


@pytest.fixture
def config(tmp_path):
    path = write_scene(tmp_path / "team", rows(40))
    with workspace(path) as one:
        collect(one)
        record(one, "mood", "55%", at=NOW - timedelta(days=3), by="ana", evidence="a survey; it was =well= answered")
    return path


@pytest.fixture
def call(config, capsys):
    def called(*words):
        code = main(["--config", str(config), "export", *words])
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return out

    return called


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_order_is_the_same_from_a_store_that_met_the_streams_in_another_one(store_url, tmp_path):
    exported = []
    for url, subjects in ((store_url, "abc"), (f"sqlite:///{tmp_path}/other.db", "cab")):
        with Store.open(url) as store:
            for subject in subjects:
                facts = [replace(deployment(n), key=f"{subject}{n}", subject=subject) for n in (2, 1)]
                store.write(stream("deployments", subject), Batch(facts=tuple(facts)), START)
            exported.append([one["key"] for one in fact_records(store, "deployments", (), None, None)])
    assert exported == [["a1", "a2", "b1", "b2", "c1", "c2"]] * 2


def test_every_kind_of_fact_can_be_asked_for():
    assert set(export.KINDS) == set(FACT_TYPES) == set(FACT_TABLES)


def test_facts_come_oldest_first_with_their_source(call):
    written = rows(40)
    told = table(call("facts", "deployments"))
    assert [one["commit"] for one in told] == [one["commit"] for one in written]
    assert {one["source"] for one in told} == {"exports"}
    assert [datetime.fromisoformat(one["created_at"]) for one in told] == [
        datetime.fromisoformat(one["created_at"]) for one in written
    ]


def test_times_are_in_the_trackers_zone_and_what_is_missing_is_empty(call):
    (first, *_) = table(call("facts", "deployments"))
    assert first["created_at"].endswith("+02:00")
    assert first["url"] == ""
    (first, *_) = objects(call("facts", "deployments", "--format", "jsonl"))
    assert first["url"] is None
    assert first["statuses"][0][0] == "success"


def test_both_forms_have_the_same_keys_in_the_same_order(call):
    for kind in ("deployments", "samples"):
        heading = next(csv.reader(io.StringIO(call("facts", kind))))
        (first, *_) = objects(call("facts", kind, "--format", "jsonl"))
        assert list(first) == heading == list(fact_fields(kind))


def test_days_and_sources_narrow_what_comes(call, config):
    everything = objects(call("facts", "deployments", "--format", "jsonl"))
    days = [one["created_at"][:10] for one in everything]
    asked = objects(call("facts", "deployments", "--format", "jsonl", "--since", days[3], "--until", days[9]))
    assert asked == [one for one, day in zip(everything, days, strict=True) if days[3] <= day <= days[9]]
    assert 0 < len(asked) < len(everything)
    assert call("facts", "deployments", "--source", "people", "--format", "jsonl") == ""
    assert main(["--config", str(config), "export", "facts", "deployments", "--source", "exprts"]) == 2


def test_where_there_is_nothing_a_table_has_its_heading(call):
    assert call("facts", "incidents") == ",".join(fact_fields("incidents")) + "\n"
    assert call("facts", "incidents", "--format", "jsonl") == ""


def test_texts_with_commas_and_quotes_arrive_whole(call):
    (sample,) = table(call("facts", "samples"))
    assert (sample["by"], sample["note"] or sample["url"]) == ("ana", "a survey; it was =well= answered")
    assert sample["value"] == "55.0"  # in the metric's unit


def test_exported_deployments_give_a_file_source_the_same_readings(call, config, tmp_path):
    text = config.read_text().replace(
        'facts = "deployments"', 'facts = "deployments"\ncolumns = { status = "outcome" }'
    )
    other = tmp_path / "other"
    other.mkdir()
    (other / "deployments.csv").write_text(call("facts", "deployments"))
    (other / "keyresults.toml").write_text(text)
    with workspace(other / "keyresults.toml") as one, workspace(config) as first:
        collect(one)
        for metric in ("often", "rollbacks"):
            found, known = (metric_series(w, metric, since=None, until=None, as_of=NOW) for w in (one, first))
            assert found.readings == known.readings
            assert any(reading.value for reading in known.readings)


def test_readings_are_those_that_metric_shows(call, config, capsys):
    told = objects(call("readings", "--metric", "often", "--format", "jsonl", *AT))
    assert main(["--config", str(config), "metric", "often", "--json", *AT]) == 0
    shown = json.loads(capsys.readouterr().out)["readings"]
    assert told == [{"metric": "often", **reading} for reading in shown]


def test_a_table_of_readings_says_the_same_flat(call):
    asked = ("--metric", "rollbacks", *AT)
    for cells, told in zip(
        table(call("readings", *asked)), objects(call("readings", "--format", "jsonl", *asked)), strict=True
    ):
        assert cells["value"] == ("" if told["value"] is None else repr(told["value"]))
        assert [cells["low"], cells["high"]] == [repr(one) for one in told["interval"] or ()] or cells["low"] == ""
        assert (cells["window_start"], cells["window_end"]) == (told["window"]["start"], told["window"]["end"])
        assert json.loads(cells["notes"]) == told["notes"]
        assert cells["health"] == told["health"]


def test_without_a_name_all_metrics_come_and_a_key_result_names_its_own(call):
    assert list(dict.fromkeys(one["metric"] for one in table(call("readings", *AT)))) == ["rollbacks", "often", "mood"]
    assert {one["metric"] for one in table(call("readings", "--metric", "daily", *AT))} == {"often"}


def test_what_others_wrote_steers_no_terminal(store_url):
    with Store.open(store_url) as store:
        hostile = replace(ONE_OF_EACH[2], title="\x1b]0;owned\x07\u202enow")
        store.write(stream("changes"), Batch(facts=(hostile,)), START)
        records = list(fact_records(store, "changes", [], None, None))
    for form in ("csv", "jsonl"):
        text = "".join(lines(records, form, "UTC", fact_fields("changes")))
        assert not {"\x1b", "\x07", "\u202e"} & set(text)


def test_facts_of_each_kind_come_from_every_database(store_url):
    with Store.open(store_url) as store:
        for fact in ONE_OF_EACH:
            store.write(stream(fact.kind), Batch(facts=(fact,)), START)
        for fact in ONE_OF_EACH:
            (found,) = fact_records(store, fact.kind, ["github"], None, None)
            assert found.pop("source") == "github"
            # Worked out from a deployment's history when it is stored.
            if fact.kind == "deployments":
                end = [found.pop(name) for name in ("succeeded_at", "finished_at", "outcome")]
                assert end == [fact.statuses[-1].at, fact.statuses[-1].at, "success"]
            assert found == {name: getattr(fact, name) for name in found}


PROGRAM = """
import resource, sys
from keyresults.storage.exporting import fact_fields, fact_records
from keyresults.storage.store import Store
from keyresults.reports.tabular import lines
with Store.open(sys.argv[1], read_only=True) as store:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    records = fact_records(store, "samples", [], None, None)
    number = sum(1 for line in lines(records, "csv", "UTC", fact_fields("samples")))
    print(number, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.soak
def test_memory_does_not_grow_with_what_is_exported(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    with Store.open(url) as store:
        store.register([stream("samples")])
        with store._writing() as conn:
            made = [(1, n, f"k{n}", "p99", None, n / 7, 20.0, "{}", True, *[None] * 4) for n in range(100_000)]
            store._db.add_rows(conn, FACT_TABLES["samples"], made)
    ran = subprocess.run([sys.executable, "-c", PROGRAM, url], capture_output=True, text=True, check=True)
    number, grown = map(int, ran.stdout.split())
    assert number == 100_001
    assert grown < 20_000  # kilobytes
