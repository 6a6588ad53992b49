"""The store as an SQLite file: its versions, its damages, its neighbours."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from keyresults.metrics.facts import Change
from keyresults.metrics.stream import Batch
from keyresults.storage import dialects, schema
from keyresults.storage.backups import write_backup
from keyresults.storage.errors import (
    StoreBroken,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreOld,
    StoreReadOnly,
    StoreTooNew,
)
from keyresults.storage.store import Store
from sqlalchemy import event
from storage_samples import START, covered, deployment, dump, stream

BATCH = Batch(facts=tuple(deployment(n) for n in range(5)), covered=covered((0, 5)))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store" / "store.db"


@pytest.fixture
def filled(path):
    with Store.open(f"sqlite:///{path}") as store:
        store.write(stream(), BATCH, START)
    return path


def change(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
        connection.commit()


def beside(path):
    return sorted(p.name for p in path.parent.iterdir() if not p.name.startswith("."))


# ---- where it lies


def test_a_folder_made_for_it_is_kept_out_of_git(filled):
    assert (filled.parent / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_is_left_alone(tmp_path):
    Store.open(f"sqlite:///{tmp_path}/store.db").close()
    assert not (tmp_path / ".gitignore").exists()


def test_names_with_odd_signs_are_files_like_any_other(tmp_path):
    odd = tmp_path / "50% of #1 & more?" / "ä%20b.db"
    with Store.open(f"sqlite:///{odd}") as store:
        store.write(stream(), BATCH, START)
        copy = odd.with_name("copy?%41.db")
        write_backup(store, copy)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".gitignore") == [copy, odd]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("store.db", "can't be read: write \"sqlite:///"),
        ("mysql://kr:secret@db/kr", "mysql is not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_a_url_that_names_no_file_is_refused_in_words(url, words):
    with pytest.raises(StoreError, match=re.escape(words)) as caught:
        Store.open(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("how", [{}, {"read_only": True}])
def test_a_folder_in_its_place_is_named(tmp_path, how):
    with pytest.raises(StoreError, match="there is a folder where the store should be"):
        Store.open(f"sqlite:///{tmp_path}", **how)


def test_a_file_takes_no_password(path):
    with pytest.raises(StoreError, match="takes no password") as caught:
        Store.open(f"sqlite:///{path}", password="secret")
    assert "secret" not in str(caught.value)


def test_opening_imports_neither_alembic_nor_pandas(filled):
    program = (
        "import sys\n"
        "from keyresults.storage.store import Store\n"
        "with Store.open(sys.argv[1], read_only=True) as store:\n"
        "    store.last_evaluation('2026-Q4'), store.states()\n"
        "print(sorted({'alembic', 'pandas', 'numpy'} & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{filled}"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


# ---- versions

NOW = schema.REVISIONS[-1]
NEXT = "next"


@pytest.fixture
def next_release(tmp_path, monkeypatch):
    """As if a release had come with one more revision, whose upgrade is the given body."""

    def prepare(body="op.add_column('streams', sa.Column('note', sa.Text()))"):
        migrations = tmp_path / "migrations"
        shutil.copytree(schema.MIGRATIONS, migrations)
        (migrations / "versions" / "r_next.py").write_text(
            "import sqlalchemy as sa\n"
            "from alembic import op\n"
            f"revision, down_revision, branch_labels, depends_on = {NEXT!r}, {NOW!r}, None, None\n"
            f"def upgrade():\n    {body}\n"
        )
        monkeypatch.setattr(schema, "MIGRATIONS", migrations)
        monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, NEXT))

    return prepare


def test_an_older_store_is_upgraded_after_a_backup(filled, next_release):
    before = dump(filled)
    next_release()
    with Store.open(f"sqlite:///{filled}") as store:
        assert store.fact(stream().id, "d3") == deployment(3)
        assert store.check() == []
    after = dump(filled, leaving_out=("note",))
    assert after.pop("alembic_version") == [(NEXT,)]
    backup = filled.with_name(f"store.db.{NOW}.backup")
    assert dump(backup) == before
    assert before.pop("alembic_version") == [(NOW,)]
    assert after == before


def test_a_rebuilt_table_keeps_its_rows_and_what_refers_to_them(filled, next_release):
    next_release(
        "with op.batch_alter_table('streams', recreate='always') as t: t.alter_column('problems', server_default='[]')"
    )
    with Store.open(f"sqlite:///{filled}") as store:
        assert store.fact(stream().id, "d3") == deployment(3)
        with store._reading() as conn:
            assert conn.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            assert store._db.faults(conn) == []


def test_a_backup_never_replaces_an_older_one(filled, next_release):
    first = filled.with_name(f"store.db.{NOW}.backup")
    first.write_text("precious")
    next_release()
    Store.open(f"sqlite:///{filled}").close()
    assert first.read_text() == "precious"
    assert filled.with_name(f"store.db.{NOW}-2.backup").exists()


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(filled, next_release):
    before = dump(filled)
    next_release("op.drop_table('memos'); op.drop_table('no_such_table')")
    with pytest.raises(StoreError, match="no such table"):
        Store.open(f"sqlite:///{filled}")
    assert dump(filled) == before


def test_an_upgrade_that_orphans_rows_is_undone(filled, next_release):
    before = dump(filled)
    next_release("op.execute('DELETE FROM streams')")
    with pytest.raises(StoreBroken, match="nothing was done"):
        Store.open(f"sqlite:///{filled}")
    assert dump(filled) == before


def test_reading_does_not_upgrade(filled, next_release):
    next_release()
    before = filled.read_bytes()
    with pytest.raises(StoreOld, match="keyresults collect"):
        Store.open(f"sqlite:///{filled}", read_only=True)
    assert filled.read_bytes() == before
    assert not filled.with_name(f"store.db.{NOW}.backup").exists()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_store_is_refused_and_left_alone(filled, read_only):
    change(filled, "UPDATE alembic_version SET version_num = '9999'")
    before = dump(filled)
    with pytest.raises(StoreTooNew, match=r"newer release.*9999.*upgrade keyresults") as caught:
        Store.open(f"sqlite:///{filled}", read_only=read_only)
    assert str(filled) in str(caught.value)
    assert dump(filled) == before


@pytest.mark.parametrize(
    ("number", "refusal", "words"),
    [("9999", StoreTooNew, "upgraded by a newer release meanwhile"), ("0001", StoreOld, "older release now")],
)
def test_what_another_release_did_to_an_open_store_is_seen_before_anything_is_written(filled, number, refusal, words):
    with Store.open(f"sqlite:///{filled}") as store:
        change(filled, f"UPDATE alembic_version SET version_num = '{number}'")
        before = dump(filled)
        with pytest.raises(refusal, match=f"{words}.*start this process again"):
            store.write(stream(), Batch(facts=(deployment(9),)), START)
    assert dump(filled) == before


def test_the_revisions_known_are_those_there_are():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    there = [s.revision for s in ScriptDirectory.from_config(config).walk_revisions()]
    assert list(schema.REVISIONS) == there[::-1]


def test_the_migrations_make_the_tables_that_a_new_store_has(filled, tmp_path):
    from alembic import command
    from alembic.config import Config

    db = dialects.database(f"sqlite:///{tmp_path}/migrated.db", password=None, read_only=False)
    db.make_place()
    engine = db.engine()
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with db.upgrading(engine) as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
    engine.dispose()
    assert tables(db.path) == tables(filled)


def old_store(path, revision, *rows):
    """A store as an earlier release made it, its rows written by plain SQL."""
    from alembic import command
    from alembic.config import Config

    db = dialects.database(f"sqlite:///{path}", password=None, read_only=False)
    db.make_place()
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    engine = db.engine()
    with db.upgrading(engine) as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, revision)
    engine.dispose()
    for row in rows:
        change(path, row)


def old_stream(number, name, kind, query="{}"):
    return (
        "INSERT INTO streams "
        "(id, name, source, kind, subject, query, revision, facts, newest_fact, open_keys, problems) "
        f"VALUES ({number}, '{name}', 'github', '{kind}', 'a/b', '{query}', 1, 1, 1000000, '[]', '[]')"
    )


def test_facts_of_the_first_release_are_still_there_after_the_upgrade(path):
    old_store(
        path,
        "0001",
        old_stream(1, "github/changes/a/b@0", "changes"),
        'INSERT INTO changes (stream, at, "key", subject, "commit", title, base, head, labels, author_kind) '
        "VALUES (1, 1000000, '7', 'a/b', 'c0ffee', 'Say more', 'main', 'more', '[\"docs\"]', 'person')",
    )
    with Store.open(f"sqlite:///{path}") as store:
        found = store.fact("github/changes/a/b@0", "7")
        assert store.check() == []
    assert found == Change(
        key="7",
        subject="a/b",
        commit="c0ffee",
        merged_at=datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        title="Say more",
        base="main",
        head="more",
        labels=("docs",),
        author_kind="person",
    )


def old_deployment(stream):
    return (
        'INSERT INTO deployments (stream, at, "key", subject, environment, "commit", task, origin, marked_rollback, '
        "statuses, payload, waited_seconds) "
        f"VALUES ({stream}, 1000000, '7', 'a/b', 'production', 'c0ffee', 'deploy', 'workflow', 0, '[]', '{{}}', 0)"
    )


def test_deployments_of_an_older_store_learn_which_workflow_made_them(path):
    by_workflow, by_api = "github/deployments/a/b@1", "github/deployments/a/b@2"
    asked = '{"deployments": {"workflow": ".github/workflows/deploy.yml"}}'
    old_store(
        path,
        "0002",
        old_stream(1, by_workflow, "deployments", asked),
        old_stream(2, by_api, "deployments", '{"deployments": null}'),
        old_deployment(1),
        old_deployment(2),
    )
    with Store.open(f"sqlite:///{path}") as store:
        assert store.fact(by_workflow, "7").workflow == "deploy.yml"
        assert store.fact(by_api, "7").workflow is None
        # What was computed without it no longer holds.
        assert (store.state(by_workflow).revision, store.state(by_api).revision) == (2, 1)


def tables(path):
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        # A table that was rebuilt under another name carries quotes around its own.
        return {name: re.sub(r"\s+", " ", sql).replace(f'TABLE "{name}"', f"TABLE {name}") for name, sql in rows}


# ---- damage


def test_a_file_that_is_no_database_is_left_alone(path):
    path.parent.mkdir()
    path.write_text("not a database, but " + "a long text " * 100)
    before = path.read_bytes()
    with pytest.raises(StoreBroken, match="not a store"):
        Store.open(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_the_database_of_another_program_is_left_alone(path):
    path.parent.mkdir()
    change(path, "CREATE TABLE theirs (a)")
    with pytest.raises(StoreBroken, match="no store of keyresults"):
        Store.open(f"sqlite:///{path}")
    assert list(dump(path)) == ["theirs"]


def test_an_empty_file_becomes_a_store_where_it_may(path):
    path.parent.mkdir()
    path.touch()
    with pytest.raises(StoreMissing):
        Store.open(f"sqlite:///{path}", create=False)
    with Store.open(f"sqlite:///{path}") as store:
        store.write(stream(), BATCH, START)


def test_a_damaged_file_is_said_to_be_damaged(filled):
    content = bytearray(filled.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    filled.write_bytes(content)
    with pytest.raises(StoreBroken, match="damaged"), Store.open(f"sqlite:///{filled}") as store:
        store.facts("deployments", [stream().id])


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM deployments WHERE key = 'd4'", "says it has 5 facts and has 4"),
        ("UPDATE streams SET newest_fact = 1", "not the newest"),
        ('INSERT INTO coverage SELECT stream, start + 1, "end" FROM coverage', "overlaps"),
        ("INSERT INTO coverage VALUES (99, 0, 1)", "refers to a row of streams that is not there"),
    ],
)
def test_check_finds_what_does_not_fit_together(filled, sql, words):
    change(filled, sql)
    with Store.open(f"sqlite:///{filled}") as store:
        (fault,) = store.check()
    assert words in fault


def test_a_store_that_vanished_is_missing(filled):
    with Store.open(f"sqlite:///{filled}") as store:
        shutil.rmtree(filled.parent)
        store.close()
        with pytest.raises(StoreMissing, match="gone"):
            store.states()


# ---- neighbours and permissions


def test_a_writer_that_never_ends_locks_out_writers_but_no_readers(filled, monkeypatch):
    monkeypatch.setattr(dialects, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(filled, isolation_level=None)) as other, Store.open(f"sqlite:///{filled}") as store:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM deployments")
        assert store.facts("deployments", [stream().id])["key"] == ["d0", "d1", "d2", "d3", "d4"]
        with pytest.raises(StoreLocked, match="another process"):
            store.write(stream(), BATCH, START)
        other.execute("ROLLBACK")
        assert store.write(stream(), BATCH, START).added == 0


def test_a_full_disk_is_said_to_be_full_and_nothing_is_half_stored(filled):
    with Store.open(f"sqlite:///{filled}") as store:
        event.listen(store._engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=1"))
        store.close()
        many = Batch(facts=tuple(deployment(n) for n in range(1000)), covered=covered((0, 1000)))
        with pytest.raises(StoreFull, match="full"):
            store.write(stream(), many, START)
        assert store.state(stream().id).coverage == covered((0, 5))
        assert store.check() == []


@pytest.fixture
def shelf():
    """A folder that may be read and not written; root may write everywhere, so the test goes on as nobody."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
        if os.geteuid() != os.getuid():
            os.seteuid(os.getuid())
        Path(folder).chmod(0o755)


def put_away(folder):
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)


def test_a_store_on_a_shelf_can_be_read(shelf):
    with Store.open(f"sqlite:///{shelf}/store.db") as store:
        store.write(stream(), BATCH, START)
    put_away(shelf)
    with Store.open(f"sqlite:///{shelf}/store.db", read_only=True) as store:
        assert store.fact(stream().id, "d3") == deployment(3)
        assert store.check() == []


def test_a_store_on_a_shelf_can_not_be_written(shelf):
    with Store.open(f"sqlite:///{shelf}/store.db") as store:
        store.write(stream(), BATCH, START)
    put_away(shelf)
    with pytest.raises(StoreReadOnly, match="permissions"), Store.open(f"sqlite:///{shelf}/store.db") as store:
        store.write(stream(), Batch(facts=(deployment(9),)), START)


def test_no_store_is_made_on_a_shelf(shelf):
    put_away(shelf)
    for place in ("store.db", "deeper/store.db"):
        with pytest.raises(StoreReadOnly):
            Store.open(f"sqlite:///{shelf}/{place}")


def test_a_file_that_only_others_may_write_is_refused_at_once(shelf):
    with Store.open(f"sqlite:///{shelf}/store.db") as store:
        store.write(stream(), BATCH, START)
    (shelf / "store.db").chmod(0o444)
    shelf.chmod(0o777)
    if os.geteuid() == 0:
        os.seteuid(65534)
    with pytest.raises(StoreReadOnly, match="permissions"):
        Store.open(f"sqlite:///{shelf}/store.db")


def test_a_store_is_made_where_a_link_leads(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "store.db").symlink_to(tmp_path / "disk" / "kept.db")
    Store.open(f"sqlite:///{tmp_path}/store.db").close()
    assert (tmp_path / "disk" / "kept.db").is_file()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_store_that_root_makes_belongs_to_the_folder_s_owner(tmp_path):
    os.chown(tmp_path, 12345, 12346)
    Store.open(f"sqlite:///{tmp_path}/store.db").close()
    found = (tmp_path / "store.db").stat()
    assert (found.st_uid, found.st_gid) == (12345, 12346)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_folders_that_root_makes_belong_to_the_owner_of_those_they_lie_in(tmp_path):
    os.chown(tmp_path, 12345, 12346)
    with Store.open(f"sqlite:///{tmp_path}/.keyresults/store.db") as store:
        write_backup(store, tmp_path / "backups" / "safe.db")
    for made in (".keyresults", ".keyresults/store.db", "backups"):
        found = (tmp_path / made).stat()
        assert (found.st_uid, found.st_gid) == (12345, 12346), made


def test_a_file_where_the_folder_should_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="a file where the store's folder should be"):
        Store.open(f"sqlite:///{tmp_path}/file/store.db")


def test_reading_changes_no_byte_of_the_file(filled):
    before = filled.read_bytes()
    with Store.open(f"sqlite:///{filled}", read_only=True) as store:
        store.states()
        assert store.check() == []
    assert filled.read_bytes() == before


def test_many_processes_that_make_it_at_once_make_one(path):
    program = "import sys; from keyresults.storage.store import Store; Store.open(sys.argv[1]).close()"
    started = [subprocess.Popen([sys.executable, "-c", program, f"sqlite:///{path}"]) for _ in range(4)]
    assert [process.wait(timeout=60) for process in started] == [0] * 4
    assert dump(path)["alembic_version"] == [(NOW,)]
