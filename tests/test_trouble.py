"""What a year brings: each trouble shows as a clear state, costs nothing, and ends when its cause does."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from job_scenes import NOW, rows, write_rows, write_scene
from keyresults.collectors import file
from keyresults.config.load import load
from keyresults.jobs.service import Service
from keyresults.jobs.workspace import Workspace
from keyresults.storage import dialects
from keyresults.storage.errors import StoreReadOnly
from keyresults.storage.store import Store
from simulated_time import Clock, simulated
from sqlalchemy import event
from standins import postgres as servers
from urllib3.util.retry import Retry
from werkzeug import Response

pytestmark = pytest.mark.soak  # a daemon for each trouble: in CI, and not for every change

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
EXPORTS = "collect/exports"
ALL = rows(2000)

PROMETHEUS = """
[sources.metrics]
type = "prometheus"
url = "{url}"
every = "1h"
timeout = 3.0
"""
LATENCY = """
[metrics.latency]
source = "metrics"
query = "max(latency_seconds)"
unit = "s"
better = "lower"
window = "7d"
"""


def scene(folder, first=20, **more):
    path = write_scene(folder, ALL[:first], **more)
    text = path.read_text().replace("[sources.exports]\n", '[sources.exports]\nevery = "1h"\n')
    path.write_text(text + '\n[daemon]\nlisten = "127.0.0.1:0"\n')
    return path


@pytest.fixture
def config(tmp_path):
    return scene(tmp_path)


class Running:
    """A daemon under a clock that is turned."""

    def __init__(self, workspace, simulation, clock):
        self.workspace, self.clock, self._simulation = workspace, clock, simulation
        self.store = workspace.store

    def go_on(self, span):
        self._simulation.pass_until(self.clock.now + span)

    def job(self, name=EXPORTS):
        return self.store.job(name)

    def deployments(self):
        names = [s.stream.id for s in self.store.states("exports")]
        return len(self.store.facts("deployments", names, columns=["key"])["key"])


@contextmanager
def daemon(config, monkeypatch):
    clock = Clock(NOW)
    workspace = Workspace(load(config), writing=True, clock=clock, chance=lambda: 0.0)
    with workspace, Service(workspace) as service, simulated(service.daemon, clock, monkeypatch) as simulation:
        yield Running(workspace, simulation, clock)


def grow(config, n):
    """More deployments in the file, the older ones as they were."""
    write_rows(config.parent / "deployments.csv", ALL[:n])


def after(one, trouble_ends, n):
    """By itself, within the longest pause between two attempts."""
    trouble_ends()
    one.go_on(HOUR + MINUTE)
    assert (one.job().outcome, one.job().failures) == ("ok", 0)
    assert one.deployments() == n
    assert one.store.check() == []


def test_a_full_disk(config, monkeypatch, caplog):
    with daemon(config, monkeypatch) as one:
        one.go_on(MINUTE)
        assert one.deployments() == 20
        grow(config, 500)
        room = "PRAGMA max_page_count=1"  # as many pages as there are
        engine = one.store._engine

        def limit(connection, _):
            connection.execute(room)

        event.listen(engine, "connect", limit)
        one.store.close()
        one.go_on(HOUR)
        assert (one.job().outcome, one.job().failures) == ("failed", 1)
        assert "the disk is full: nothing of this step was stored" in one.job().error
        assert "Traceback" not in caplog.text

        def room_again():
            event.remove(engine, "connect", limit)
            one.store.close()

        after(one, room_again, 500)


REPORTS = """
[reports.daily]
at = "13:30"
formats = ["markdown", "json"]
directory = "reports"
"""


@contextmanager
def no_file_may_grow():
    """As on a disk without room: what a process writes beyond this fails. (A disk of its own needs root.)"""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_on_which_nothing_can_be_noted(config, monkeypatch, caplog):
    config.write_text(config.read_text() + REPORTS)
    with daemon(config, monkeypatch) as one:
        one.go_on(MINUTE)
        grow(config, 40)
        with no_file_may_grow():
            one.go_on(HOUR)
        assert "it can't be noted when jobs are due" in caplog.text
        assert one.deployments() == 20
        assert not list(config.parent.glob("reports/*"))
        after(one, lambda: None, 40)
        assert one.job("report/daily").outcome == "ok"
        assert sorted(path.name for path in (config.parent / "reports").iterdir()) == [
            "daily-2026-11-20.json",
            "daily-2026-11-20.md",
            "daily.json",
            "daily.md",
        ]


def test_a_folder_for_reports_that_can_not_be_made(config, monkeypatch, caplog):
    config.write_text(config.read_text() + REPORTS)
    (config.parent / "reports").write_text("a file")
    with daemon(config, monkeypatch) as one:
        one.go_on(HOUR)
        job = one.job("report/daily")
        assert job.outcome == "failed"
        assert f"{config.parent / 'reports'}" in job.error
        assert "Traceback" not in caplog.text
        assert one.job().outcome == "ok", "the others go on"
        (config.parent / "reports").unlink()
        one.go_on(HOUR + MINUTE)
        assert one.job("report/daily").outcome == "ok"


def test_a_locked_database(config, monkeypatch, caplog):
    monkeypatch.setattr(dialects, "BUSY_SECONDS", 0.05)
    with daemon(config, monkeypatch) as one, closing(sqlite3.connect(place(config), isolation_level=None)) as other:
        one.go_on(MINUTE)
        grow(config, 40)
        other.execute("BEGIN IMMEDIATE")
        one.store.close()  # connections that wait no longer than told
        one.go_on(HOUR)
        assert "another process kept the store busy" in caplog.text
        assert "Traceback" not in caplog.text
        assert one.deployments() == 20
        after(one, lambda: other.execute("ROLLBACK"), 40)


def place(config):
    return config.parent / ".keyresults/store.db"


def test_a_damaged_database_and_its_backup_put_back(config, monkeypatch, caplog):
    with daemon(config, monkeypatch) as one:
        one.go_on(MINUTE)
        good = config.parent / "good.db"
        with closing(sqlite3.connect(place(config))) as source, closing(sqlite3.connect(good)) as copy:
            source.backup(copy)
        grow(config, 40)
        one.store.close()
        with place(config).open("r+b") as file:
            for page in range(1, place(config).stat().st_size // 4096):
                file.seek(page * 4096)
                file.write(b"\xff" * 200)
        one.go_on(HOUR)
        assert "the file is damaged: put a backup in its place" in caplog.text
        assert "Traceback" not in caplog.text

        def put_back():
            for beside in ("-wal", "-shm"):
                place(config).with_name(f"store.db{beside}").unlink(missing_ok=True)
            good.replace(place(config))

        after(one, put_back, 40)


def test_a_store_put_in_the_place_of_the_one_in_use_is_the_one_written_to(config, monkeypatch):
    with daemon(config, monkeypatch) as one:
        one.go_on(MINUTE)
        with closing(sqlite3.connect(place(config))) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(place(config), config.parent / "other.db")
        (config.parent / "other.db").replace(place(config))
        grow(config, 40)
        one.go_on(HOUR)
        with Store.open(f"sqlite:///{place(config)}", read_only=True) as store:
            assert store.job(EXPORTS).started_at == NOW + HOUR
            assert store.check() == []
        assert one.deployments() == 40


def test_a_store_that_is_gone_is_said_to_be(config, monkeypatch, caplog):
    with daemon(config, monkeypatch) as one:
        one.go_on(MINUTE)
        shutil.move(place(config).parent, config.parent / "aside")
        grow(config, 40)
        one.go_on(HOUR)
        assert "the store is gone" in caplog.text
        after(one, lambda: shutil.move(config.parent / "aside", place(config).parent), 40)


@pytest.fixture
def shelf(config):
    """The store's folder may be read and not written; root may write everywhere, so the test goes on as nobody."""
    with daemon_once(config):
        pass
    folder = place(config).parent
    for kept in folder.iterdir():
        kept.chmod(0o444)
    folder.chmod(0o555)
    if os.geteuid() == 0:
        for parent in folder.parents[:-2]:
            parent.chmod(parent.stat().st_mode | 0o055)
        os.seteuid(65534)

    def free():
        os.seteuid(os.getuid())
        folder.chmod(0o755)
        for kept in folder.iterdir():
            kept.chmod(0o644)

    yield free
    free()


@contextmanager
def daemon_once(config):
    with Workspace(load(config), writing=True) as workspace:
        workspace.make_store()
        yield


def test_a_folder_that_may_only_be_read(config, shelf, monkeypatch):
    with pytest.raises(StoreReadOnly, match=r"permissions|Permission denied"), daemon(config, monkeypatch):
        pass
    shelf()
    with daemon(config, monkeypatch) as one:
        one.go_on(MINUTE)
        assert one.deployments() == 20


def test_a_server_that_is_restarted_in_mid_batch(tmp_path, monkeypatch, caplog):
    if reason := servers.missing():
        pytest.skip(reason)
    monkeypatch.setenv("KR_DB", servers.PASSWORD)
    monkeypatch.setattr(file, "BATCH", 500)
    config = scene(tmp_path / "scene")
    with servers.running() as server:
        url = server.schema("kr").replace("kr:hunter2%21@", "kr@")
        address = f'[tracker]\nstore = {{ url = "{url}", password = {{ env = "KR_DB" }} }}\n'
        config.write_text(config.read_text().replace("[tracker]\n", address))
        with daemon(config, monkeypatch) as one:
            one.go_on(MINUTE)
            grow(config, 2000)
            batches, original = [], one.store._put_facts

            def cut_off(*args):
                batches.append(args)
                if len(batches) == 2:
                    server.stop(at_once=True)
                return original(*args)

            monkeypatch.setattr(one.store, "_put_facts", cut_off)
            one.go_on(HOUR)
            assert "nothing of this step was stored" in caplog.text or "the server can't be reached" in caplog.text
            assert "Traceback" not in caplog.text
            server.start()
            assert 20 < one.deployments() < 2000, "the batch before is there, the one in hand is not"
            after(one, lambda: None, 2000)
            assert one.store.job("evaluate") is not None


def test_names_that_do_not_resolve(tmp_path, httpserver, monkeypatch):
    monkeypatch.setattr(Retry, "get_backoff_time", lambda self: 0.0)
    httpserver.expect_request("/api/v1/query").respond_with_handler(_seconds)
    url = f"http://prometheus.test:{httpserver.port}"
    config = scene(tmp_path, sources=PROMETHEUS.format(url=url), metrics=LATENCY)
    known, original = [], socket.getaddrinfo

    def look_up(host, *args, **kwargs):
        if host == "prometheus.test" and not known:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return original("127.0.0.1" if host == "prometheus.test" else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with daemon(config, monkeypatch) as one:
        one.go_on(MINUTE)
        job = one.job("collect/metrics")
        assert (job.outcome, one.job().outcome) == ("failed", "ok"), "the others go on"
        assert "prometheus.test" in job.error
        assert "name" in job.error.lower()
        known.append("prometheus.test")
        one.go_on(10 * MINUTE)
        assert one.job("collect/metrics").outcome == "ok"


def _seconds(request):
    result = [{"metric": {}, "value": [float(request.values["time"]), "1.5"]}]
    return Response(json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}))


def test_a_source_that_hangs_for_an_hour(tmp_path, httpserver, monkeypatch):
    """With real threads: the others go on while it hangs, and its own request ends by its timeout."""
    answers = threading.Event()

    def hang(request):
        answers.wait(3600)
        return _seconds(request)

    httpserver.expect_request("/api/v1/query").respond_with_handler(hang)
    url = httpserver.url_for("/").rstrip("/")
    config = scene(tmp_path, sources=PROMETHEUS.format(url=url), metrics=LATENCY)
    workspace = Workspace(load(config), writing=True, chance=lambda: 0.0)
    try:
        with workspace, Service(workspace, bound=0.05) as service:
            service.start()
            wait_for(lambda: _ended(workspace, EXPORTS) and _ended(workspace, "collect/metrics"))
            job, other = workspace.store.job("collect/metrics"), workspace.store.job(EXPORTS)
            assert (job.outcome, other.outcome) == ("failed", "ok")
            assert other.finished_at < job.finished_at, "the others go on while it hangs"
            assert "did not answer in time" in job.error
            assert timedelta(0) < job.next_due - datetime.now(UTC) <= 5 * MINUTE
            answers.set()
            service.daemon.soon("collect/metrics")
            wait_for(lambda: workspace.store.job("collect/metrics").outcome == "ok")
            assert service.stop(5)
    finally:
        answers.set()


def _ended(workspace, name):
    job = workspace.store.job(name)
    return job is not None and job.finished_at is not None


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def test_a_store_that_is_none_ends_the_daemon_with_words(config):
    place(config).parent.mkdir()
    place(config).write_text("not a database, but a long text" * 100)
    before = place(config).read_bytes()
    command = [sys.executable, "-c", "import sys; from keyresults.cli.main import main; sys.exit(main())"]
    done = subprocess.run([*command, "--config", str(config), "run"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "this is not a store" in done.stderr
    assert "Traceback" not in done.stderr
    assert place(config).read_bytes() == before


def test_a_clock_that_is_set_back_a_day(config, monkeypatch, caplog):
    with daemon(config, monkeypatch) as one:
        one.go_on(2 * HOUR)
        one.clock.now -= timedelta(days=1)
        grow(config, 40)
        after(one, lambda: None, 40)
        assert one.job("evaluate").outcome == "ok"
        assert "Traceback" not in caplog.text
        one.clock.now += timedelta(days=1)
        grow(config, 60)
        after(one, lambda: None, 60)
