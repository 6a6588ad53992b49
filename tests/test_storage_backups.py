"""Backups: whole, looked through and one file, whatever happens while they are made."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from keyresults.metrics.stream import Batch
from keyresults.storage import backups
from keyresults.storage.backups import back_up, write_backup
from keyresults.storage.errors import StoreBroken, StoreError, StoreReadOnly
from keyresults.storage.store import Store
from storage_samples import START, deployment, stream
from stores_filled import fill, rows_of

pytestmark = pytest.mark.soak  # processes that are killed: in CI, and not for every change

NIGHT = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)


@pytest.fixture
def store(store_url):
    fill(store_url)
    with Store.open(store_url, read_only=True) as opened:
        yield opened


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".gitignore")


def test_a_backup_holds_what_the_store_holds(store, store_url, tmp_path):
    made = back_up(store, tmp_path / "backups", 7, NIGHT)
    assert names(tmp_path / "backups") == ["store-2026-11-23T0330.db"] == [made.name]
    assert rows_of(f"sqlite:///{made}") == rows_of(store_url)


def test_a_backup_is_a_store_to_go_on_with(store, tmp_path):
    made = back_up(store, tmp_path / "backups", 7, NIGHT)
    with Store.open(f"sqlite:///{made}") as restored:
        restored.write(stream(), Batch(facts=(deployment(1000),)), START)
        assert restored.check() == []
    with closing(sqlite3.connect(made)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_its_folder_is_kept_out_of_commits_and_it_is_nobody_elses(store, tmp_path):
    made = back_up(store, tmp_path / "a" / "backups", 7, NIGHT)
    assert (made.parent / ".gitignore").read_text() == "*\n"
    assert not made.stat().st_mode & 0o022


def test_the_newest_are_kept_and_files_of_others_too(store, tmp_path):
    (tmp_path / "store-by-hand.db").touch()
    (tmp_path / "notes.txt").touch()
    for day in range(5):
        back_up(store, tmp_path, 3, NIGHT + timedelta(days=day))
    kept = ["store-2026-11-25T0330.db", "store-2026-11-26T0330.db", "store-2026-11-27T0330.db"]
    assert [name for name in names(tmp_path) if name != "store"] == ["notes.txt", *kept, "store-by-hand.db"]


def test_a_clock_that_was_set_back_does_not_cost_the_new_one(store, tmp_path):
    folder = tmp_path / "backups"
    for hours in (0, 1, -48):
        made = back_up(store, folder, 2, NIGHT + timedelta(hours=hours))
    assert names(folder) == ["store-2026-11-21T0330.db", "store-2026-11-23T0430.db"]
    assert made.name == "store-2026-11-21T0330.db"


def test_twice_in_one_minute_is_the_newer_one(store_url, tmp_path):
    fill(store_url)
    with Store.open(store_url) as store:
        back_up(store, tmp_path / "backups", 7, NIGHT)
        store.write(stream(), Batch(facts=(deployment(1000),)), START)
        made = back_up(store, tmp_path / "backups", 7, NIGHT + timedelta(seconds=30))
    assert names(tmp_path / "backups") == [made.name]
    assert rows_of(f"sqlite:///{made}") == rows_of(store_url)


def test_others_write_while_it_is_made(store_url, tmp_path, monkeypatch):
    fill(store_url)
    with Store.open(store_url) as store, Store.open(store_url) as other:
        original = backups._fill

        def while_written(*args):
            with other._writing() as conn:
                conn.exec_driver_sql("INSERT INTO memos VALUES ('a', 'b', 'c')")
                original(*args)

        monkeypatch.setattr(backups, "_fill", while_written)
        made = back_up(store, tmp_path / "backups", 7, NIGHT)
        assert "a" not in {row[0] for row in rows_of(f"sqlite:///{made}")["memos"]}


def test_a_damaged_store_costs_no_good_backup(tmp_path):
    path = tmp_path / "store.db"
    fill(f"sqlite:///{path}", 3000)
    with Store.open(f"sqlite:///{path}", read_only=True) as store:
        good = back_up(store, tmp_path / "backups", 1, NIGHT)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(random.Random(1).randbytes(20_000))
    with Store.open(f"sqlite:///{path}", read_only=True) as store, pytest.raises(StoreError, match="damaged"):
        back_up(store, tmp_path / "backups", 1, NIGHT + timedelta(days=1))
    assert names(tmp_path / "backups") == [good.name]


def test_a_store_that_miscounts_is_not_backed_up(store_url, tmp_path):
    fill(store_url)
    with Store.open(store_url) as store:
        with store._writing() as conn:
            conn.exec_driver_sql("UPDATE streams SET facts = facts + 1")
        with pytest.raises(StoreBroken, match="is damaged and was not backed up"):
            back_up(store, tmp_path / "backups", 7, NIGHT)
    assert names(tmp_path / "backups") == []


def test_a_folder_that_may_not_be_written_is_said(store, tmp_path):
    folder = tmp_path / "backups"
    folder.write_text("a file")
    with pytest.raises(StoreError, match="there is a file where the store's folder should be"):
        back_up(store, folder, 7, NIGHT)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_said(store, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir(mode=0o555)
    with pytest.raises(StoreReadOnly, match="Permission denied"):
        back_up(store, folder, 7, NIGHT)


PROGRAM = """
import resource, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from keyresults.storage.backups import write_backup
from keyresults.storage.store import Store
if len(sys.argv) > 3:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
with Store.open(sys.argv[1], read_only=True) as store:
    print("writing", flush=True)
    write_backup(store, Path(sys.argv[2]))
"""


def backing_up(url, target, *limit):
    command = [sys.executable, "-c", PROGRAM, url, target, *limit]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "writing\n"
    return process


def test_one_that_finds_no_room_leaves_what_was_there(store_url, tmp_path):
    fill(store_url, 3000)
    target = tmp_path / "backups" / "mine.db"
    target.parent.mkdir()
    target.write_text("an older one")
    process = backing_up(store_url, target, "200000")
    said = process.communicate(timeout=60)[1]
    assert process.returncode != 0
    assert "StoreFull" in said or "disk I/O error" in said
    assert names(target.parent) == ["mine.db"]
    assert target.read_text() == "an older one"
    with Store.open(store_url, read_only=True) as store:
        assert store.check() == []


def test_one_that_is_killed_leaves_no_half_file_and_the_next_tidies_up(store_url, tmp_path):
    fill(store_url, 5000)
    sent = rows_of(store_url)
    folder = tmp_path / "backups"
    folder.mkdir()
    cut_off = 0
    for seed in range(6):
        target = folder / f"mine-{seed}.db"
        process = backing_up(store_url, target)
        time.sleep(random.Random(seed).uniform(0, 0.25))
        process.kill()
        process.communicate()
        cut_off += not target.exists()
        if target.exists():
            assert rows_of(f"sqlite:///{target}") == sent
    assert cut_off
    with Store.open(store_url, read_only=True) as store:
        assert store.check() == []
        write_backup(store, folder / "last.db")
    assert list(folder.glob(".backup-*")) == []


def test_one_that_is_tidied_away_before_it_was_locked_is_made_anew(store, tmp_path, monkeypatch):
    original = backups.fcntl.flock
    swept = []

    def late(number, how):
        if not swept and not how & backups.fcntl.LOCK_NB:
            swept.extend(tmp_path.glob(".backup-*"))
            backups._sweep(tmp_path)
        original(number, how)

    monkeypatch.setattr(backups.fcntl, "flock", late)
    write_backup(store, tmp_path / "mine.db")
    assert len(swept) == 1
    assert (tmp_path / "mine.db").exists()
    assert list(tmp_path.glob(".backup-*")) == []


def test_one_in_work_is_left_alone_by_others(store, tmp_path, monkeypatch):
    original = backups._fill

    def beside_another(first_store, part):
        original(first_store, part)
        monkeypatch.setattr(backups, "_fill", original)
        write_backup(store, tmp_path / "second.db")
        assert part.exists()

    monkeypatch.setattr(backups, "_fill", beside_another)
    write_backup(store, tmp_path / "first.db")
    assert (tmp_path / "first.db").exists()
    assert (tmp_path / "second.db").exists()


def test_a_store_on_a_medium_that_only_reads_can_be_backed_up(tmp_path):
    fill(f"sqlite:///{tmp_path}/shelf/store.db")
    shelf = Path(tmp_path, "shelf")
    shutil.copy(shelf / "store.db", tmp_path / "same.db")
    shelf.chmod(0o555)
    with Store.open(f"sqlite:///{shelf}/store.db", read_only=True) as store:
        made = back_up(store, tmp_path / "backups", 7, NIGHT)
    shelf.chmod(0o755)
    assert rows_of(f"sqlite:///{made}") == rows_of(f"sqlite:///{tmp_path}/same.db")
