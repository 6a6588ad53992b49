"""Killed at any moment (`kill -9`), the store is whole; what is done again ends as if nothing had been."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.jobs.collect import collect, fetch
from keyresults.metrics.stream import Batch
from keyresults.storage import schema
from keyresults.storage.copying import TABLES
from keyresults.storage.dialects import database
from keyresults.storage.outbox import Notice
from keyresults.storage.store import Store
from sqlalchemy import inspect
from standins import postgres as servers
from storage_samples import START, deployment, dump, stream
from stores_filled import put, rows_of
from werkzeug import Response

pytestmark = pytest.mark.soak  # many processes: too long for every change, and in CI all the same

COURSE_OF_WORK = {"collections", "leases"}
"""Tables that tell of each attempt."""


class Runner:
    """Has work done in a process of its own, and killed."""

    def __init__(self, process):
        self._process = process

    def play(self, asked, delay=None):
        """How long the work took or lived, and its exit code; None where it was killed."""
        self._process.stdin.write(json.dumps({**asked, "delay": delay}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["seconds"], answer["code"]


@pytest.fixture(scope="module")
def runner():
    # A process with threads can't be forked safely, and numpy's algebra would begin some.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "KR_DB": servers.PASSWORD}
    program = Path(__file__).with_name("killable.py")
    process = subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    yield Runner(process)
    process.stdin.close()
    process.wait(20)
    process.stdout.close()


class Scene:
    """A store that is put back to how it was before the work, and work to do on it."""

    work = ""
    deployments = 200

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        self.config = write_scene(folder, rows(self.deployments), metrics=MORE)
        self.path = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None
        self.config.write_text(self.config.read_text().replace("[tracker]\n", f"[tracker]\nstore = {_address(url)}\n"))
        self.before = self.prepared()

    def asked(self):
        return {
            "work": self.work,
            "config": str(self.config),
            "url": self.url,
            "source": f"sqlite:///{self.folder}/source.db",
            "now": NOW.isoformat(),
            "hook": "http://127.0.0.1:9/",
        }

    def prepared(self):
        """What is stored before the work: rows of each table. Made in a file, whatever the store under test is."""
        aside = self.folder / "aside.toml"
        place = f"sqlite:///{self.folder}/prepared.db"
        aside.write_text(self.config.read_text().replace(_address(self.url), f'"{place}"'))
        with workspace(aside) as one:
            one.make_store()
            self.prepare(one)
        return rows_of(place)

    def prepare(self, one):
        """What comes before the work."""

    def reset(self):
        if self.path is None:
            with Store.open(self.url) as store, store._writing() as conn:
                conn.exec_driver_sql(f"TRUNCATE {', '.join(t.name for t in TABLES)} RESTART IDENTITY CASCADE")
            with Store.open(self.url) as store:
                put(store, self.before)
        else:
            shutil.rmtree(self.path.parent, ignore_errors=True)
            self.path.parent.mkdir()
            shutil.copyfile(self.folder / "prepared.db", self.path)

    def look(self):
        """After each kill."""
        with self.opened() as store:
            assert store.check() == []

    @contextmanager
    def opened(self):
        with Store.open(self.url) as store:
            with store._writing():
                pass  # a server goes on with the transaction in hand until it notices
            yield store

    def end(self):
        """All that counts of what is there once the work was done."""
        return told(rows_of(self.url))


def _address(url):
    if url.startswith("sqlite"):
        return f'"{url}"'
    without = url.replace("kr:hunter2%21@", "kr@")
    return f'{{ url = "{without}", password = {{ env = "KR_DB" }} }}'


def told(rows_by_table):
    """Without the course of the work, and with names in place of numbers that the store gives."""
    names = {row[0]: row[1] for row in rows_by_table["streams"]}
    kept = {}
    for table in TABLES:
        if table.name in COURSE_OF_WORK:
            continue
        columns = [column.name for column in table.columns]
        referring = [bool(column.foreign_keys) and column.name == "stream" for column in table.columns]
        kept[table.name] = sorted(
            [
                tuple(
                    names[value] if refers else value
                    for name, refers, value in zip(columns, referring, row, strict=True)
                    if name != "id"
                )
                for row in rows_by_table[table.name]
            ],
            key=repr,
        )
    return kept


MORE = """
[daemon]
listen = "127.0.0.1:0"

[notify.hook]
url = { env = "HOOK" }
"""


class Collect(Scene):
    work = "collect"
    deployments = 1200

    def reset(self):
        """There is not even a file."""
        if self.path is None:
            super().reset()
        else:
            shutil.rmtree(self.path.parent, ignore_errors=True)


class Backfill(Scene):
    work = "backfill"
    deployments = 1200

    def prepare(self, one):
        collect(one)


class Evaluate(Scene):
    work = "evaluate"

    def prepare(self, one):
        fetch(one)


class Report(Scene):
    """Files are whole or absent, and the notice is there once."""

    work = "report"
    files = ("weekly-2026-11-20.md", "weekly-2026-11-20.json", "weekly.md", "weekly.json")
    whole = None

    def prepare(self, one):
        collect(one)

    def reset(self):
        super().reset()
        shutil.rmtree(self.folder / "reports", ignore_errors=True)

    def found(self):
        paths = [self.folder / "reports" / name for name in self.files]
        return {path.name: path.read_bytes() for path in paths if path.exists()}

    def look(self):
        super().look()
        assert self.found().items() <= self.whole.items()

    def end(self):
        found = self.found()
        assert found.keys() == set(self.files)
        self.whole = self.whole or found
        assert found == self.whole
        return super().end()


class Checkin(Scene):
    """It was said, or it was not."""

    work = "checkin"

    def prepare(self, one):
        collect(one)

    def look(self):
        super().look()
        said = len(rows_of(self.url)["check_ins"])
        assert said in (0, 1)
        if said:
            self.reset()  # nobody says the same twice who sees that it is there


class Backup(Scene):
    """A file that holds all, or no file."""

    work = "backup"

    def prepare(self, one):
        collect(one)

    def reset(self):
        super().reset()
        shutil.rmtree(self.folder / "backups", ignore_errors=True)

    def look(self):
        super().look()
        if (self.folder / "backups/store.db").exists():
            assert rows_of(f"sqlite:///{self.folder}/backups/store.db") == self.before

    def end(self):
        assert rows_of(f"sqlite:///{self.folder}/backups/store.db") == self.before
        assert not [path for path in (self.folder / "backups").glob("*.part*") if path.stat().st_size]
        return super().end()


class Copy(Scene):
    """All rows came, or none."""

    work = "copy"

    def prepare(self, one):
        collect(one)

    def reset(self):
        """An empty target."""
        source = self.folder / "source.db"
        if not source.exists():
            shutil.copyfile(self.folder / "prepared.db", source)
        sent, self.before = self.before, {table.name: [] for table in TABLES}
        try:
            super().reset()
        finally:
            self.before = sent
        if self.path is not None:
            self.path.unlink()

    def look(self):
        if self.path is not None and not self.path.exists():
            return
        super().look()
        there = rows_of(self.url)
        assert there == self.before or not any(there.values())
        # What is filled is no target: begun anew, as somebody would who looks.
        if any(there.values()):
            self.reset()


class Deliver(Scene):
    """No notice is lost; one may come twice if it was under way, and says so by its key."""

    work = "deliver"
    deployments = 1

    def __init__(self, folder, url, httpserver):
        self.came = []
        self.kills = 0
        self.round = 0
        httpserver.expect_request("/hook").respond_with_handler(self.accept)
        self.hook = httpserver.url_for("/hook")
        super().__init__(folder, url)

    def asked(self):
        return {**super().asked(), "hook": self.hook, "now": (NOW + timedelta(hours=self.round)).isoformat()}

    def accept(self, request):
        self.came.append((request.headers["Idempotency-Key"], request.get_json()["body"]))
        return Response("")

    def prepare(self, one):
        one.make_store()

    def reset(self):
        """All that was told has arrived or waits; more is to be told."""
        if not self.round:
            super().reset()
        self.round += 1
        with Store.open(self.url) as store:
            store.tell([_notice(self.round, n) for n in range(5)], {}, NOW)

    def look(self):
        super().look()
        self.kills += 1
        self.round += 1

    def end(self):
        with Store.open(self.url) as store:
            assert store.unsent() == []
        counts = Counter(key for key, _ in self.came)
        told = sorted(row[1] for row in rows_of(self.url)["outbox"])
        assert sorted(counts) == told
        assert sum(counts.values()) - len(counts) <= self.kills
        assert len(set(self.came)) == len(counts), "what came twice was the same"
        first = list(dict.fromkeys(key for key, _ in self.came))
        assert first == sorted(first), "they came in their order"
        return


def _notice(number, n):
    key = f"status/{number:04}/{n}"
    return Notice(key=key, channel="hook", occasion="status", title="On track", body=f"again, says {key}")


class Run(Scene):
    """The daemon itself, with all that it begins at once and side by side."""

    work = "run"

    def end(self):
        """Evaluations made on the way may differ: another source may have been the first to be collected."""
        kept = super().end()
        with Store.open(self.url) as store:
            assert {job.outcome for job in store.jobs().values() if job.started_at} == {"ok"}
            assert store.unsent() == []
            said = store.last_evaluation("2026-Q4")
        for table in ("jobs", "evaluations", "told"):
            kept.pop(table)
        return kept, said.content


class Migrate(Scene):
    """The tables of the old release or of the new one, never something between."""

    work = "migrate"
    deployments = 1

    def prepared(self):
        """A store of the first release on files; on servers one that the next release finds."""
        place = self.folder / "prepared.db"
        if self.path is None:
            _next_release(self.folder / "migrations")
            with Store.open(f"sqlite:///{place}") as store:
                store.write(stream(), Batch(facts=tuple(deployment(n) for n in range(200))), START)
            return rows_of(f"sqlite:///{place}")
        _old_store(place)
        self.old = dump(place)
        return {}

    def reset(self):
        if self.path is None:
            with self.connected() as conn:
                if inspect(conn).get_table_names():
                    conn.exec_driver_sql("ALTER TABLE streams DROP COLUMN IF EXISTS note")
                    conn.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{schema.REVISIONS[-1]}'")
        super().reset()

    def look(self):
        if self.path is None:
            assert self.version() in (schema.REVISIONS[-1], "next")
            assert self.has_note() == (self.version() == "next")
            return
        for copy in self.path.parent.glob("*.backup"):
            assert dump(copy) == self.old, copy
        if self.version() == "0002":
            assert dump(self.path) == self.old
        else:
            super().look()

    @contextmanager
    def connected(self):
        engine = database(self.url, password=None, read_only=False).engine()
        try:
            with engine.execution_options(writes=True).begin() as conn:
                yield conn
        finally:
            engine.dispose()

    def version(self):
        with self.connected() as conn:
            return conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()

    def has_note(self):
        with self.connected() as conn:
            return "note" in {column["name"] for column in inspect(conn).get_columns("streams")}

    def end(self):
        if self.path is None:
            assert self.has_note()
            with self.connected() as conn:
                return conn.exec_driver_sql("SELECT count(*), min(at), max(at) FROM deployments").all()
        return super().end()


def _next_release(folder):
    shutil.copytree(schema.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions/r_next.py").write_text(
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        f"revision, down_revision, branch_labels, depends_on = 'next', {schema.REVISIONS[-1]!r}, None, None\n"
        "def upgrade():\n"
        "    op.add_column('streams', sa.Column('note', sa.Text()))\n"
        "    op.execute(\"UPDATE deployments SET url = 'https://elsewhere.test/' || url\")\n"
    )


def _old_store(path):
    from alembic import command
    from alembic.config import Config

    db = database(f"sqlite:///{path}", password=None, read_only=False)
    db.make_place()
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    engine = db.engine()
    with db.upgrading(engine) as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0002")
        conn.exec_driver_sql(
            "INSERT INTO streams (id, name, source, kind, subject, query, revision, facts, newest_fact, open_keys, "
            "problems) VALUES (1, 'github/deployments/a/b@1', 'github', 'deployments', 'a/b', "
            "'{\"deployments\": {\"workflow\": \"ci.yml\"}}', 1, 3000, 3000, '[]', '[]')"
        )
        conn.exec_driver_sql(
            'INSERT INTO deployments (stream, at, "key", subject, environment, "commit", task, origin, '
            "marked_rollback, statuses, payload, waited_seconds) "
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
            "SELECT 1, i, 'k' || i, 'a/b', 'production', 'c' || i, 'deploy', 'workflow', 0, '[]', '{}', 0 FROM n"
        )
    engine.dispose()


SCENES = (Collect, Backfill, Evaluate, Report, Checkin, Deliver, Run, Migrate, Backup, Copy)


def killed(scene, runner, kills):
    seed = random.randrange(2**32)
    sys.stdout.write(f"seed {seed}\n")  # shown where it fails
    chance = random.Random(seed)
    scene.reset()
    length, code = runner.play(scene.asked())
    assert code == 0
    wanted = scene.end()
    scene.reset()
    done = 0
    while done < kills:
        _, code = runner.play(scene.asked(), chance.uniform(0, length))
        assert code in (None, 0)
        done += code is None
        scene.look()
        if code == 0 or chance.random() < 0.3:
            scene.reset()
    length, code = runner.play(scene.asked())
    assert code == 0
    assert scene.end() == wanted


def made(kind, tmp_path, url, request):
    more = [request.getfixturevalue("httpserver")] if kind is Deliver else []
    return kind(tmp_path / "scene", url, *more)


@pytest.mark.parametrize(
    ("kind", "store_url"),
    [
        (Collect, "sqlite"),
        (Report, "sqlite"),
        (Migrate, "sqlite"),
        (Evaluate, "postgres"),
        (Deliver, "postgres"),
        (Migrate, "postgres"),
    ],
    indirect=["store_url"],
)
def test_killed_once_it_goes_on_as_if_nothing_had_been(kind, tmp_path, store_url, runner, request):
    killed(made(kind, tmp_path, store_url, request), runner, 1)


@pytest.mark.soak
@pytest.mark.parametrize("kind", SCENES, ids=lambda kind: kind.work)
def test_killed_again_and_again_it_goes_on_as_if_nothing_had_been(kind, tmp_path, store_url, runner, request, soak):
    killed(made(kind, tmp_path, store_url, request), runner, soak(short=4, whole=34))
