"""A store on a real PostgreSQL: what servers do that files don't."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace

import psycopg
import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.cli.main import main
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate
from keyresults.metrics.stream import Batch
from keyresults.storage import dialects, schema
from keyresults.storage.errors import (
    StoreBroken,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreReadOnly,
    StoreTooNew,
    StoreUnreachable,
)
from keyresults.storage.store import Store
from standins import postgres as servers
from storage_samples import START, deployment, stream


def put(store, *numbers):
    return store.write(stream("deployments"), Batch(facts=tuple(deployment(n) for n in numbers)), START)


def stored(url):
    with Store.open(url, read_only=True) as store:
        return store.facts("deployments", [stream().id], columns=["key"])["key"]


def refused(url, **how):
    with pytest.raises(StoreError) as caught:
        Store.open(url, **how)
    assert servers.PASSWORD not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    return caught.value


def without_password(url):
    return url.replace("kr:hunter2%21@", "kr@")


def test_the_password_may_come_beside_the_url(postgres_url):
    with Store.open(without_password(postgres_url), password=servers.PASSWORD) as store:
        put(store, 1)
    assert stored(postgres_url) == ["d1"]


@pytest.mark.parametrize("how", [{"password": "wrong"}, {"password": None}])
def test_a_wrong_password_is_said_and_never_shown(postgres_url, how):
    said = str(refused(without_password(postgres_url), **how))
    assert "password" in said


def test_a_missing_database_is_named(postgres_url):
    error = refused(postgres_url.replace("/postgres?", "/nowhere?"))
    assert isinstance(error, StoreMissing)
    assert "/nowhere: there is no such database" in str(error)


def test_a_server_that_is_not_there_is_unreachable(postgres):
    error = refused(f"postgresql://kr:{servers.PASSWORD}@127.0.0.1:1/postgres")
    assert isinstance(error, StoreUnreachable)
    assert "127.0.0.1:1/postgres: the server can't be reached" in str(error)


def test_tables_of_something_else_are_left_alone(postgres, postgres_url):
    name = postgres_url.rpartition("%3D")[2]
    postgres.execute(f'CREATE TABLE "{name}".cars (wheels integer)')
    error = refused(postgres_url)
    assert isinstance(error, StoreBroken)
    assert "no store of keyresults" in str(error)


def test_two_schemas_of_one_database_are_two_stores(postgres, postgres_url):
    other = postgres.schema(f"kr{uuid.uuid4().hex}")
    with Store.open(postgres_url) as one, Store.open(other) as two:
        put(one, 1)
        put(two, 2)
    assert (stored(postgres_url), stored(other)) == (["d1"], ["d2"])


def test_reading_makes_no_tables(postgres, postgres_url):
    with pytest.raises(StoreMissing):
        Store.open(postgres_url, read_only=True)
    name = postgres_url.rpartition("%3D")[2]
    assert postgres.execute(f"SELECT count(*) FROM pg_tables WHERE schemaname = '{name}'") == [(0,)]


def test_a_store_of_a_newer_release_is_refused(postgres, postgres_url):
    Store.open(postgres_url).close()
    postgres.execute(f"UPDATE \"{postgres_url.rpartition('%3D')[2]}\".alembic_version SET version_num = '9999'")
    assert isinstance(refused(postgres_url), StoreTooNew)


def test_many_that_make_it_at_once_make_one(postgres_url):
    opened, errors = [], []

    def make():
        try:
            opened.append(Store.open(postgres_url))
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for number, store in enumerate(opened):
        put(store, number)
        store.close()
    assert len(stored(postgres_url)) == 6


def test_a_writer_that_never_ends_locks_out_writers_but_no_readers(postgres_url, monkeypatch):
    monkeypatch.setattr(dialects, "BUSY_SECONDS", 0.2)
    with Store.open(postgres_url) as one, Store.open(postgres_url) as other:
        put(one, 1)
        with one._writing():
            with pytest.raises(StoreLocked, match="another process kept the store busy"):
                put(other, 2)
            assert other.facts("deployments", [stream().id], columns=["key"])["key"] == ["d1"]
        put(other, 2)


def test_what_is_read_together_is_of_one_moment(postgres_url):
    with Store.open(postgres_url) as one, Store.open(postgres_url) as other:
        put(one, 1)
        with one._reading() as conn:
            before = conn.exec_driver_sql("SELECT count(*) FROM deployments").scalar()
            put(other, 2)
            assert conn.exec_driver_sql("SELECT count(*) FROM deployments").scalar() == before


def test_a_server_that_only_reads_is_said_to(postgres, postgres_url):
    with Store.open(postgres_url) as store:
        put(store, 1)
    read_only = f"{postgres_url}%20-cdefault_transaction_read_only%3Don"
    with Store.open(read_only) as store, pytest.raises(StoreReadOnly, match="name its primary"):
        put(store, 2)


def test_an_older_store_is_upgraded_whole_or_not_at_all(postgres, postgres_url, monkeypatch):
    with Store.open(postgres_url) as store:
        put(store, 1)
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "next"))

    def fail(*args):
        raise psycopg.errors.DiskFull

    monkeypatch.setattr("alembic.command.upgrade", fail)
    with pytest.raises(StoreFull, match="the server's disk is full"):
        Store.open(postgres_url)
    monkeypatch.undo()
    assert stored(postgres_url) == ["d1"]


def test_a_restarted_server_costs_one_batch_at_most(tmp_path):
    if reason := servers.missing():
        pytest.skip(reason)
    with servers.running() as server:
        url = server.schema("kr")
        with Store.open(url) as store:
            put(store, 1)
            server.stop(at_once=True)
            with pytest.raises(StoreUnreachable):
                put(store, 2)
            server.start()
            put(store, 3)
            assert store.check() == []
        assert stored(url) == ["d1", "d3"]


def test_a_batch_cut_off_by_a_restart_leaves_nothing(tmp_path):
    if reason := servers.missing():
        pytest.skip(reason)
    with servers.running() as server:
        url = server.schema("kr")
        with Store.open(url) as store:
            put(store, 1)

            def cut_off(*args):
                server.stop(at_once=True)
                return original(*args)

            original = store._put_facts
            store._put_facts = cut_off
            with pytest.raises(StoreUnreachable):
                put(store, 2)
            store._put_facts = original
            server.start()
            assert store.facts("deployments", [stream().id], columns=["key"])["key"] == ["d1"]
            put(store, 2)
        assert stored(url) == ["d1", "d2"]


@pytest.fixture
def scene(tmp_path, postgres_url, monkeypatch):
    """A config whose store is on the server, beside the same one in a file."""
    monkeypatch.setenv("KR_DB", servers.PASSWORD)
    path = write_scene(tmp_path / "server", rows(60))
    address = f'store = {{ url = "{without_password(postgres_url)}", password = {{ env = "KR_DB" }} }}'
    path.write_text(path.read_text().replace("[tracker]\n", f"[tracker]\n{address}\n"))
    return path


def test_collecting_and_evaluating_give_what_they_give_in_a_file(scene, tmp_path):
    beside = write_scene(tmp_path / "file", rows(60))
    reports = []
    for path in (scene, beside):
        with workspace(path) as one:
            collect(one)
            collect(one)
            assert one.store.check() == []
            reports.append(evaluate(one, as_of=NOW, store=True))
    assert reports[0] == replace(reports[1], notices=reports[0].notices)


def test_the_commands_work_and_show_no_password(scene, capsys):
    for command in (["collect"], ["status"], ["report"], ["sources"], ["explain", "daily"], ["check"]):
        assert main(["--config", str(scene), *command]) == 0
    out, err = capsys.readouterr()
    assert "Increase deployment frequency to daily" in out
    assert servers.PASSWORD not in out + err
