"""A store on a real PostgreSQL: what servers do that files don't."""

from __future__ import annotations

import threading
import uuid
from contextlib import ExitStack
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


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql://kr@127.0.0.1:port/okr", "can't be read"),
        ("postgresql://kr@127.0.0.1/okr?port=port", "can't be read"),
        ("postgresql://kr@127.0.0.1/okr?colour=red", 'invalid connection option "colour"'),
    ],
)
def test_an_address_that_makes_no_sense_is_said_to(address, words):
    assert words in str(refused(address))


def test_a_schema_that_is_not_there_is_named_as_what_is_missing(postgres_url):
    error = refused(f"{postgres_url}_elsewhere")
    assert isinstance(error, StoreMissing)
    assert "there is no such schema" in str(error)


def test_what_a_server_says_of_users_and_hosts_is_told_in_its_place():
    db = dialects.database("postgresql://kr@127.0.0.1/okr", password=None, read_only=False)
    unknown = dialects._unreachable(db, 'FATAL:  role "kr" does not exist')
    assert str(unknown) == "postgresql://kr@127.0.0.1/okr: the server refuses the user or password"
    nobody = dialects._unreachable(db, "failed: Connection refused\n\tIs the server running on that host?")
    assert str(nobody).endswith("the server can't be reached: failed: Connection refused")


@pytest.mark.parametrize("setting", ["LATIN1", "SQL_ASCII"])
def test_the_surroundings_do_not_say_how_text_is_sent(postgres_url, monkeypatch, setting):
    monkeypatch.setenv("PGCLIENTENCODING", setting)
    with Store.open(postgres_url) as store:
        store.memo("github")["größe"] = "漢字 – 🎉"
        assert dict(store.memo("github")) == {"größe": "漢字 – 🎉"}


def test_a_database_that_can_not_hold_every_text_is_refused(postgres):
    postgres.execute("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    error = refused(f"postgresql://kr:{servers.PASSWORD}@127.0.0.1:{postgres.port}/narrow")
    assert "keeps text as LATIN1" in str(error)


@pytest.mark.parametrize("level", ["repeatable%5C%20read", "serializable"])
def test_writers_take_turns_whatever_isolation_the_database_has_by_itself(postgres_url, level):
    url, faults = f"{postgres_url}%20-cdefault_transaction_isolation%3D{level}", []
    Store.open(url).close()

    def write(first):
        try:
            with Store.open(url) as store:
                for number in range(first, first + 15):
                    put(store, number)
        except StoreError as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(stored(url)) == 45


def test_numbers_come_back_whole_whatever_the_database_shows_of_them(postgres_url):
    with Store.open(f"{postgres_url}%20-cextra_float_digits%3D0") as store, store._reading() as conn:
        assert conn.exec_driver_sql("SELECT 0.1::float8 + 0.2::float8").scalar() == 0.1 + 0.2


def test_both_sides_let_go_of_a_connection_that_fell_silent(postgres_url):
    """Not pulled out here: that a minute is enough is the systems' part once they are told."""
    with Store.open(postgres_url) as store, store._reading() as conn:
        driver = conn.connection.driver_connection
        assert driver.info.get_parameters().items() >= {"keepalives_idle": "30", "tcp_user_timeout": "60000"}.items()
        assert conn.exec_driver_sql("SHOW tcp_keepalives_idle").scalar() == "30"
        assert conn.exec_driver_sql("SHOW tcp_keepalives_count").scalar() == "3"


def test_more_readers_than_there_are_connections_are_told_so(postgres_url, monkeypatch):
    with Store.open(postgres_url) as store, ExitStack() as others:
        monkeypatch.setattr(store._engine.pool, "_timeout", 0.1)
        for _ in range(15):
            others.enter_context(store._reading())
        with pytest.raises(StoreLocked, match="all connections of this process are busy"):
            store.jobs()


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


def test_nothing_is_written_once_a_newer_release_has_upgraded_it(postgres, postgres_url):
    with Store.open(postgres_url) as store:
        postgres.execute(f"UPDATE \"{postgres_url.rpartition('%3D')[2]}\".alembic_version SET version_num = '9999'")
        with pytest.raises(StoreTooNew, match="start this process again"):
            put(store, 1)
        assert store.states() == []


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


def test_what_a_user_may_not_do_is_named(postgres, postgres_url):
    name = postgres_url.rpartition("%3D")[2]
    with Store.open(postgres_url) as store:
        put(store, 1)
    postgres.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{servers.PASSWORD}'")
    postgres.execute(f"GRANT USAGE ON SCHEMA {name} TO {name}; GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {name}")
    looking = postgres_url.replace("//kr:", f"//{name}:")
    assert stored(looking) == ["d1"]
    with Store.open(looking) as store, pytest.raises(StoreReadOnly, match=r"\(permission denied for table \w+\)"):
        put(store, 2)


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
