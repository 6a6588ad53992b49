"""The daemon while the system's clock is stepped from collection to collection, through the end of summer time."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from job_scenes import rows, write_scene

HOUR = timedelta(hours=1)
STEP = 6 * HOUR
BEGUN = datetime(2026, 10, 24, 5, 30, tzinfo=UTC)
LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


def set_clock(file, now):
    # Put in place whole: the daemon reads it at any moment.
    beside = file.with_suffix(".new")
    beside.write_text(f"@{now:%Y-%m-%d %H:%M:%S}\n")
    beside.rename(file)


def asked(store, sql):
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []


def wait_for(process, condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the daemon ended"
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


@pytest.mark.soak
def test_a_month_in_steps_of_six_hours(tmp_path, soak):
    if LIBRARY is None:
        pytest.skip("needs libfaketime (Debian: apt install faketime)")
    steps = soak(short=10, whole=30 * 4)
    config = write_scene(tmp_path, rows(20))
    config.write_text(config.read_text().replace("[sources.exports]\n", '[sources.exports]\nevery = "6h"\n'))
    store, clock = tmp_path / ".keyresults/store.db", tmp_path / "clock"
    set_clock(clock, BEGUN)
    environment = {
        **os.environ,
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
    }
    program = Path(__file__).with_name("faked_daemon.py")
    process = subprocess.Popen([sys.executable, str(program), str(config)], env=environment)

    def collected():
        return asked(store, "SELECT count(*) FROM collections WHERE source = 'exports' AND outcome = 'ok'")

    def idle():
        running = "SELECT count(*) FROM jobs WHERE finished_at IS NULL OR finished_at < started_at"
        return asked(store, running) == [(0,)]

    try:
        wait_for(process, lambda: collected() >= [(1,)] and idle())
        for step in range(1, steps):
            set_clock(clock, BEGUN + step * STEP + timedelta(seconds=5))
            wait_for(process, lambda step=step: collected() >= [(step + 1,)] and idle())
    finally:
        process.terminate()
        process.wait(20)
    assert collected() == [(steps,)], "one collection each time, none twice, none lost"
    # Local midnights, one of them at the end of a day of 25 hours: 22:00 UTC before the change, 23:00 after it.
    midnights = [
        datetime(2026, 10, 24, 22, tzinfo=UTC),
        *(datetime(2026, 10, 25, 23, tzinfo=UTC) + n * 24 * HOUR for n in range(40)),
    ]
    passed = [at for at in midnights if at < BEGUN + (steps - 1) * STEP]
    days = [day for (day,) in asked(store, "SELECT DISTINCT day FROM evaluations ORDER BY day")]
    assert days == [(BEGUN.date() + timedelta(days=n)).isoformat() for n in range(len(passed) + 1)]
