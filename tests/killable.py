"""A process that does the daemon's kinds of work, each time in a child of its own, and kills that after a while.

Everything is imported once and by one thread, so that a child is there in a moment and whole.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from datetime import date, datetime
from pathlib import Path

import alembic.command
import apscheduler.schedulers.base as apscheduler
import pandas
import psycopg
import requests
from apscheduler.executors import pool
from apscheduler.schedulers import background
from job_scenes import workspace
from keyresults.collectors import file, http
from keyresults.config.model import ReportSettings
from keyresults.jobs import source_collection, tell
from keyresults.jobs.checkin import check_in, named
from keyresults.jobs.collect import backfill, collect
from keyresults.jobs.deliver import deliver
from keyresults.jobs.evaluate import evaluate_all
from keyresults.jobs.service import Service
from keyresults.reports import machine, markdown, terminal
from keyresults.storage import schema
from keyresults.storage.backups import write_backup
from keyresults.storage.copying import copy, open_to_fill
from keyresults.storage.store import Store
from simulated_time import wait_until_idle

IMPORTED = (
    alembic.command,
    pandas,
    psycopg,
    requests,
    http,
    source_collection,
    machine,
    markdown,
    terminal,
    background,
    pool,
)
"""Work imports these when it first needs them; here they are there before it begins."""

file.BATCH = 250
"""So that a file of a thousand rows comes in several steps."""


class Work:
    """What a child does: one method for each kind of work, in the folder of a scene."""

    def __init__(self, asked: dict[str, str]) -> None:
        self.config = Path(asked["config"])
        self.folder = self.config.parent
        self.url = asked["url"]
        self.source = asked["source"]
        os.environ["HOOK"] = asked["hook"]
        self.now = datetime.fromisoformat(asked["now"])

    def open(self):
        return workspace(self.config, self.now)

    def collect(self) -> None:
        with self.open() as one:
            assert not collect(one).failed

    def backfill(self) -> None:
        with self.open() as one:
            assert not backfill(one, since=date(2026, 8, 1)).failed

    def evaluate(self) -> None:
        with self.open() as one:
            evaluate_all(one)

    def report(self) -> None:
        weekly = ReportSettings(
            name="weekly",
            schedule="0 9 * * 1",
            formats=("markdown", "json"),
            directory=self.folder / "reports",
            notify=("hook",),
        )
        with self.open() as one:
            tell.tell_report(one, weekly, self.now)

    def checkin(self) -> None:
        with self.open() as one:
            check_in(one, named(one.config, "daily"), 6, "It goes well.", by="cho")

    def deliver(self) -> None:
        with self.open() as one:
            deliver(one, self.now)

    def run(self) -> None:
        """As the daemon, until each of its jobs has ended once."""
        now = self.now

        class Standing(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:
                return now

        apscheduler.datetime = Standing
        one, give_up = self.open(), time.monotonic() + 60
        one.chance = lambda: 0.0
        with one, Service(one, bound=0.02) as service:
            service.start()
            while any(job.next_due is not None and job.next_due <= now for job in one.store.jobs().values()):
                assert time.monotonic() < give_up, one.store.jobs()
                time.sleep(0.01)
            wait_until_idle(service.daemon)
            assert service.stop(20)

    def migrate(self) -> None:
        if (newer := self.folder / "migrations").exists():
            schema.MIGRATIONS, schema.REVISIONS = newer, (*schema.REVISIONS, "next")
        Store.open(self.url).close()

    def backup(self) -> None:
        with Store.open(self.url, read_only=True) as store:
            write_backup(store, self.folder / "backups/store.db")

    def copy(self) -> None:
        with Store.open(self.source, read_only=True) as source, open_to_fill(self.url) as target:
            copy(source, target)


LONGEST = 120.0
"""Seconds after which work that should end is ended."""


def play(asked: dict[str, str], delay: float | None) -> dict[str, object]:
    """How long the child lived, and its exit code; None where it was killed."""
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.dup2(2, 1)
            getattr(Work(asked), asked["work"])()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    handle = os.pidfd_open(child)
    try:
        if not select.select([handle], [], [], LONGEST if delay is None else delay)[0]:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    finally:
        os.close(handle)
    code = None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return {"seconds": time.monotonic() - begun, "code": code}


if __name__ == "__main__":
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(json.dumps(play(order, order.pop("delay"))) + "\n")
        sys.stdout.flush()
