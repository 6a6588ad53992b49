"""`keyresults run` as a process: alone on its store, following its config, ending when it is told to."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from job_scenes import rows, write_scene
from keyresults.storage.errors import StoreReadOnly, StoreTaken
from keyresults.storage.store import Store
from werkzeug import Response

COMMAND = [sys.executable, "-c", "import sys; from keyresults.cli.main import main; sys.exit(main())"]


@pytest.fixture
def config(tmp_path):
    return write_scene(tmp_path, rows(20))


def store_of(config):
    return config.parent / ".keyresults/store.db"


@contextmanager
def running(config, *options, env=None):
    command = [*COMMAND, "--config", str(config), "run", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def jobs(config):
    try:
        with closing(sqlite3.connect(f"file:{store_of(config)}?mode=ro", uri=True)) as store:
            return dict(store.execute("SELECT name, outcome FROM jobs"))
    except sqlite3.OperationalError:
        return {}


def is_at_work(config):
    with store_of(config).with_name("store.db.daemon").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def wait_for(condition, process, seconds=40):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)


def stop(process, sign=signal.SIGTERM):
    """How it ended, what it said, and how long that took."""
    begun = time.monotonic()
    process.send_signal(sign)
    said, _ = process.communicate(timeout=20)
    return process.returncode, said, time.monotonic() - begun


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_collects_and_evaluates_and_ends_when_it_is_told_to(config, sign):
    with running(config) as process:
        wait_for(lambda: jobs(config).get("collect/exports") == jobs(config).get("evaluate") == "ok", process)
        code, said, seconds = stop(process, sign)
    assert (code, "Traceback" in said) == (0, False)
    assert seconds < 10
    with closing(sqlite3.connect(store_of(config))) as store:
        assert store.execute("SELECT count(*) FROM evaluations").fetchone()[0] >= 1
        assert store.execute("SELECT count(*) FROM leases").fetchone() == (0,)


@pytest.mark.soak
def test_a_second_one_is_refused_and_a_dead_ones_lock_is_no_obstacle(config):
    with running(config) as first:
        wait_for(lambda: jobs(config).get("evaluate") == "ok", first)
        with running(config) as second:
            said, _ = second.communicate(timeout=20)
            assert second.returncode == 2
            assert "another `keyresults run` is at work on" in said
        first.send_signal(signal.SIGKILL)
        first.wait()
        with running(config) as third:
            wait_for(lambda: is_at_work(config), third)
            assert stop(third)[0] == 0


def test_only_one_is_alone_on_a_store(store_url):
    with Store.open(store_url) as one, Store.open(store_url) as other:
        with one.alone() as held:
            assert held()
            with pytest.raises(StoreTaken), other.alone():
                pass
            assert held()
        with other.alone() as now:
            assert now()


def test_a_lock_whose_file_was_moved_away_is_taken_anew(tmp_path):
    path = tmp_path / "store.db"
    with Store.open(f"sqlite:///{path}") as one, Store.open(f"sqlite:///{path}") as other, one.alone() as held:
        lock = path.with_name("store.db.daemon")
        lock.rename(tmp_path / "aside")
        assert held()
        with pytest.raises(StoreTaken), other.alone():
            pass
        lock.unlink()
        with other.alone() as taken:
            assert not held()
            assert taken()
        assert held()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_lock_that_root_made_is_no_obstacle_to_the_store_s_own_user(tmp_path):
    os.chown(tmp_path, 12345, 12346)
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store, store.alone():
        found = (tmp_path / "store.db.daemon").stat()
    assert (found.st_uid, found.st_gid) == (12345, 12346)


def test_a_lock_that_may_not_be_written_is_named(tmp_path, monkeypatch):
    def refuse(*args, **how):
        raise PermissionError(13, "Permission denied")

    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
        monkeypatch.setattr(type(tmp_path), "open", refuse)
        with pytest.raises(StoreReadOnly, match=r"store\.db\.daemon: this lock may not be written"), store.alone():
            pass


def test_a_lock_that_was_lost_with_its_connection_is_taken_anew(postgres, postgres_url):
    with Store.open(postgres_url) as one, Store.open(postgres_url) as other, one.alone() as held:
        postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keyresults'")
        assert held()
        with pytest.raises(StoreTaken), other.alone():
            pass


def test_a_broken_config_keeps_the_old_one_and_a_mended_one_is_used(config):
    good = config.read_text()
    with running(config) as process:
        wait_for(lambda: jobs(config).get("evaluate") == "ok", process)
        config.write_text(good + "\n[nonsense]\n")
        process.send_signal(signal.SIGHUP)
        time.sleep(1)
        more = '\n[sources.desk]\ntype = "file"\nfiles = ["more.csv"]\nfacts = "deployments"\n'
        (config.parent / "more.csv").write_text((config.parent / "deployments.csv").read_text())
        config.write_text(good.replace("\n[metrics.rollbacks]", more + "\n[metrics.rollbacks]"))
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: "collect/desk" in jobs(config), process)
        code, said, _ = stop(process)
    assert code == 0
    assert "the changed config is not used, the one before stays" in said
    assert "nonsense" in said


def test_a_config_read_again_is_told_though_nothing_changed(config):
    good = config.read_text()
    with running(config) as process:
        lines = []
        threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True).start()
        wait_for(lambda: jobs(config).get("evaluate") == "ok", process)
        again = "the config was read again and says what it said before"
        for text, told, times in (("\n[nonsense]\n", "nonsense", 1), ("", again, 1), ("", again, 2)):
            config.write_text(good + text)
            process.send_signal(signal.SIGHUP)
            wait_for(lambda told=told, times=times: sum(told in line for line in lines) >= times, process)
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@pytest.mark.soak
def test_work_in_hand_is_left_within_ten_seconds(tmp_path, httpserver):
    """A source that answers once in a blue moon: its thread can't be ended, the process can."""

    def slowly(request):
        time.sleep(30)

    httpserver.expect_request("/api/v1/query_range").respond_with_handler(slowly)
    httpserver.expect_request("/api/v1/query").respond_with_handler(slowly)
    slow = f'\n[sources.prometheus]\ntype = "prometheus"\nurl = "{httpserver.url_for("/").rstrip("/")}"\n'
    metric = (
        '\n[metrics.load]\nsource = "prometheus"\nquery = "up"\nunit = "count"\naggregate = "mean"\nwindow = "7d"\n'
    )
    config = write_scene(tmp_path, rows(20), sources=slow, metrics=metric)
    with running(config) as process:
        wait_for(lambda: "evaluate" in jobs(config), process)
        time.sleep(3)
        code, _, seconds = stop(process)
    assert code == 0
    assert seconds < 10.5
    with Store.open(f"sqlite:///{store_of(config)}") as store:
        assert store.check() == []


def test_nothing_is_left_of_it_but_the_store(config):
    with running(config) as process:
        wait_for(lambda: jobs(config).get("evaluate") == "ok", process)
        stop(process)
    left = {one.name for one in (config.parent / ".keyresults").iterdir() if not one.name.startswith("store.db")}
    assert left == {".gitignore"}


@pytest.mark.soak
def test_it_reports_reminds_tells_and_is_seen(tmp_path, httpserver):
    """The whole of it: a channel, a report that is due, health and metrics, logs as JSON."""
    told = []

    def hear(request):
        told.append((request.headers.get("Idempotency-Key"), request.get_json()))
        return Response("", 204)

    httpserver.expect_request("/hook").respond_with_handler(hear)
    config = write_scene(tmp_path, rows(20))
    now = datetime.now(UTC)
    with Store.open(f"sqlite:///{store_of(config)}") as store:
        store.plan_job("report/often", now)  # a daemon before had planned it
    config.write_text(
        config.read_text().replace('timezone = "Europe/Berlin"', 'timezone = "UTC"')
        + f"""
[reports.often]
at = "{(now - timedelta(hours=1)):%H:%M}"
formats = ["markdown", "html", "json"]
notify = ["hook"]

[notify.hook]
url = {{ env = "HOOK" }}

[daemon]
listen = "127.0.0.1:0"
"""
    )
    environment = {**os.environ, "HOOK": httpserver.url_for("/hook")}
    with running(config, "--log", "json", env=environment) as process:
        lines = []
        threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True).start()
        wait_for(lambda: any("told at" in line for line in lines), process)
        address = next(json.loads(line)["msg"].rpartition(" ")[2] for line in lines if "told at" in line)
        wait_for(lambda: any(key.startswith("report/often/") for key, _ in told), process, 120)
        health = urllib.request.urlopen(f"http://{address}/healthz", timeout=10).read()
        metrics = urllib.request.urlopen(f"http://{address}/metrics", timeout=10).read().decode()
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    day = now.date().isoformat()
    assert {p.name for p in (tmp_path / "reports").iterdir() if p.is_file()} >= {
        "often.md", "often.html", "often.json", f"often-{day}.md", f"often-{day}.html", f"often-{day}.json",
    }  # fmt: skip
    assert b"ok" in health.lower() or b"well" in health.lower()
    assert "keyresults_key_result_status{" in metrics
    assert all(json.loads(line) for line in lines)
    assert httpserver.url_for("/hook") not in "".join(lines)
