"""Stores copied whole into others, on real databases: what arrives is what was sent, or nothing is there."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from keyresults.metrics.stream import Batch
from keyresults.storage import copying
from keyresults.storage.copying import copy, open_to_fill
from keyresults.storage.errors import StoreBroken, StoreFilled, StoreFull, StoreMissing, StoreOld, StoreTooNew
from keyresults.storage.fact_tables import FACT_TABLES
from keyresults.storage.store import Store
from sqlalchemy import event
from storage_samples import START, deployment, stream
from stores_filled import everything, fill, put, rows_of

pytestmark = pytest.mark.soak  # whole stores, there and back: in CI, and not for every change

NOTHING: dict[str, list[object]] = {table.name: [] for table in copying.TABLES}


@pytest.fixture
def other_url(tmp_path, request):
    """A second place of the kind the test asks for: `indirect` over "sqlite" and "postgres"."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/other/store.db"
    return request.getfixturevalue("postgres").schema(f"kr{uuid.uuid4().hex}")


both = pytest.mark.parametrize("other_url", ["sqlite", "postgres"], indirect=True)


def copied(source_url, target_url):
    with Store.open(source_url, read_only=True) as source, open_to_fill(target_url) as target:
        return copy(source, target)


@both
def test_every_row_arrives_with_its_number_and_counting_goes_on(store_url, other_url):
    fill(store_url)
    counts = copied(store_url, other_url)
    sent = rows_of(store_url)
    assert rows_of(other_url) == sent
    assert counts == {name: len(rows) for name, rows in sent.items()}
    with Store.open(other_url) as store:
        assert store.check() == []
        before = max(run.id for run in store.runs())
        assert store.start_run("github", stream(), START) == before + 1
        store.write(stream("runs", "new"), Batch(), START)
        store.write(stream(), Batch(facts=(deployment(1000),)), START)
        assert store.check() == []


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=everything())
def test_there_and_back_is_the_same_whatever_is_stored(postgres, rows):
    with tempfile.TemporaryDirectory() as folder:
        first, back = f"sqlite:///{folder}/first.db", f"sqlite:///{folder}/back.db"
        server = postgres.schema(f"kr{uuid.uuid4().hex}")
        with Store.open(first) as store:
            put(store, rows)
        copied(first, server)
        copied(server, back)
        assert rows_of(server) == rows_of(first) == rows_of(back)


def test_a_negative_zero_on_a_server_comes_into_a_file(postgres_url, tmp_path):
    place = f"sqlite:///{tmp_path}/store.db"
    with Store.open(postgres_url) as store, store._writing() as conn:
        conn.exec_driver_sql("INSERT INTO series VALUES ('m', 'd', 1, false)")
        row = "'m', 1, '2026-11-02', '-0', 'x', NULL, NULL, 1, NULL, NULL, 'ok', 1, 0, 1, ''"
        conn.exec_driver_sql(f"INSERT INTO readings VALUES ({row})")
    assert copied(postgres_url, place)["readings"] == 1


@both
def test_a_store_with_anything_in_it_is_no_target(store_url, other_url):
    fill(store_url, 3)
    with Store.open(other_url) as store:
        store.memo("github")["a"] = "b"
    before = rows_of(other_url)
    with pytest.raises(StoreFilled, match="is not empty"):
        copied(store_url, other_url)
    assert rows_of(other_url) == before


def test_a_store_is_not_copied_onto_itself(store_url):
    fill(store_url, 3)
    before = rows_of(store_url)
    with pytest.raises(StoreFilled):
        copied(store_url, store_url)
    assert rows_of(store_url) == before


@both
def test_what_differs_on_arrival_is_not_kept(store_url, other_url, monkeypatch):
    fill(store_url, 3)
    with Store.open(store_url, read_only=True) as source, open_to_fill(other_url) as target:
        original = target._db.add_rows

        def lossy(conn, table, rows):
            original(conn, table, rows[:-1] if table.name == "deployments" else rows)

        monkeypatch.setattr(target._db, "add_rows", lossy)
        with pytest.raises(StoreBroken, match=r"not all of deployments .* nothing was kept"):
            copy(source, target)
    assert rows_of(other_url) == NOTHING


def set_version(url, number):
    with Store.open(url) as store, store._writing() as conn:
        conn.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{number}'")


@pytest.mark.parametrize(("number", "refused"), [("0001", StoreOld), ("9999", StoreTooNew)])
@pytest.mark.parametrize("wrong", ["source", "target"])
def test_stores_of_other_releases_are_refused_and_left_alone(store_url, tmp_path, number, refused, wrong):
    other = f"sqlite:///{tmp_path}/other.db"
    Store.open(other).close()
    set_version(store_url, number)
    with pytest.raises(refused, match="release"):
        copied(*((store_url, other) if wrong == "source" else (other, store_url)))
    with pytest.raises(refused):
        Store.open(store_url, read_only=True)


def test_where_there_is_no_store_none_is_made(tmp_path):
    with pytest.raises(StoreMissing):
        copied(f"sqlite:///{tmp_path}/none.db", f"sqlite:///{tmp_path}/other.db")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_target_empty(store_url, tmp_path):
    fill(store_url)
    place = f"sqlite:///{tmp_path}/other.db"
    with Store.open(store_url, read_only=True) as source, open_to_fill(place) as target:
        event.listen(target._engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=1"))
        target.close()
        with pytest.raises(StoreFull, match=r"other\.db: the disk is full"):
            copy(source, target)
    assert rows_of(place) == NOTHING


@pytest.mark.parametrize("other_url", ["postgres"], indirect=True)
def test_a_server_with_a_full_disk_keeps_nothing(store_url, other_url, monkeypatch):
    fill(store_url, 3)
    with Store.open(store_url, read_only=True) as source, open_to_fill(other_url) as target:

        def full(*args):
            raise psycopg.errors.DiskFull

        monkeypatch.setattr(target._db, "add_rows", full)
        with pytest.raises(StoreFull, match="the server's disk is full"):
            copy(source, target)
    assert rows_of(other_url) == NOTHING


def test_what_is_written_meanwhile_is_not_in_the_copy(store_url, tmp_path, monkeypatch):
    fill(store_url, 3)
    before = rows_of(store_url)
    place = f"sqlite:///{tmp_path}/other.db"
    with Store.open(store_url) as source, open_to_fill(place) as target:
        original = target._db.add_rows

        def while_written(conn, table, rows):
            if table.name == "streams":
                source.write(stream(), Batch(facts=(deployment(77),)), START)
            original(conn, table, rows)

        monkeypatch.setattr(target._db, "add_rows", while_written)
        copy(source, target)
    assert rows_of(place) == before
    assert rows_of(store_url) != before


PROGRAM = """
import resource, sys
from keyresults.storage.copying import copy, open_to_fill
from keyresults.storage.store import Store
with Store.open(sys.argv[1], read_only=True) as source, open_to_fill(sys.argv[2]) as target:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("copying", flush=True)
    copy(source, target)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def copying_process(source, target):
    command = [sys.executable, "-c", PROGRAM, source, target]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "copying\n"
    return process


@pytest.mark.parametrize(
    ("source_kind", "other_url"), [("sqlite", "postgres"), ("postgres", "sqlite")], indirect=["other_url"]
)
def test_a_copy_that_is_killed_leaves_nothing_and_can_be_made_again(source_kind, other_url, tmp_path, request):
    url = f"sqlite:///{tmp_path}/store.db" if source_kind == "sqlite" else request.getfixturevalue("postgres_url")
    fill(url, 2000)
    sent = rows_of(url)
    cut_off = 0
    for seed in range(4):
        process = copying_process(url, other_url)
        time.sleep(random.Random(seed).uniform(0, 0.03))
        process.kill()
        process.communicate()
        assert rows_of(url) == sent
        if rows_of(other_url) == sent:  # the death came after the end
            break
        cut_off += 1
        assert rows_of(other_url) == NOTHING
    else:
        copied(url, other_url)
    assert cut_off
    assert rows_of(other_url) == sent


def test_memory_does_not_grow_with_the_store(tmp_path, postgres_url):
    first, back = f"sqlite:///{tmp_path}/first.db", f"sqlite:///{tmp_path}/back.db"
    with Store.open(first) as store:
        store.register([stream("samples")])
        with store._writing() as conn:
            samples = [(1, n, f"k{n}", "p99", None, n / 7, 20.0, "{}", True, *[None] * 4) for n in range(100_000)]
            store._db.add_rows(conn, FACT_TABLES["samples"], samples)
    for source, target in ((first, postgres_url), (postgres_url, back)):
        process = copying_process(source, target)
        grown = int(process.communicate(timeout=120)[0])
        assert process.returncode == 0
        assert grown < 30_000  # kilobytes; all of the rows as tuples take more
    assert rows_of(back)["samples"] == samples


def test_a_path_with_blanks_and_letters_of_other_languages_holds_a_copy(store_url, tmp_path):
    fill(store_url, 3)
    place = f"sqlite:///{tmp_path}/größer als vorher/漢字.db"
    copied(store_url, place)
    assert rows_of(place) == rows_of(store_url)
    assert (Path(tmp_path) / "größer als vorher" / ".gitignore").read_text() == "*\n"
