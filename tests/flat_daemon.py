"""A daemon of many sources, hours in minutes: its clock goes on by five minutes as soon as all that was due is done.

Prints each time how much the process holds: memory, open files, threads.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apscheduler.schedulers.base as apscheduler
from keyresults.config.load import load
from keyresults.jobs.service import Service
from keyresults.jobs.workspace import Workspace
from simulated_time import Clock, wait_until_idle

BEGUN = datetime(2026, 11, 20, 12, tzinfo=UTC)
STEP = timedelta(minutes=5)
SOURCES = 50


def write(folder: Path, store: str) -> Path:
    """Fifty files of deployments, asked for every five minutes by a metric each; five of them move key results."""
    parts = [
        f'[tracker]\nstore = {store}\ntimezone = "Europe/Berlin"\ncycle = "2026-Q4"\n[daemon]\nlisten = "127.0.0.1:0"\n'
    ]
    for n in range(SOURCES):
        source = f'[sources.s{n}]\ntype = "file"\nfiles = ["{n}.csv"]\nfacts = "deployments"\nevery = "5m"\n'
        metric = f'[metrics.m{n}]\nsource = "s{n}"\nmeasure = "deployment_frequency"\nwindow = "28d"\n'
        parts += [source, metric]
        lines = ["key,subject,commit,status,created_at,at"]
        lines += [_row(i, BEGUN - timedelta(days=60 - i)) for i in range(60)]
        (folder / f"{n}.csv").write_text("\n".join(lines) + "\n")
    parts.append('[[objectives]]\nid = "often"\ntitle = "Ship often"\n')
    for n in range(5):
        parts.append(f'[[objectives.key_results]]\nid = "k{n}"\ntitle = "Often"\nmetric = "m{n}"')
        parts.append('target = { at_least = "2/day" }')
    config = folder / "keyresults.toml"
    config.write_text("\n".join(parts))
    return config


def _row(i: int, at: datetime) -> str:
    return f"{i},payments,c{i},success,{at.isoformat()},{at.isoformat()}"


def main(folder: Path, store: str, steps: int) -> None:
    clock = Clock(BEGUN)

    class Turned(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return clock.now

    apscheduler.datetime = Turned
    workspace = Workspace(load(write(folder, store)), writing=True, clock=clock, chance=lambda: 0.0)
    with workspace, Service(workspace, bound=0.02) as service:
        service.start()
        for step in range(steps):
            wait_until_done(workspace, clock.now)
            wait_until_idle(service.daemon)
            sys.stdout.write(json.dumps(held()) + "\n")
            sys.stdout.flush()
            clock.now += STEP
            for n in range(0, SOURCES, 10):
                with (folder / f"{n}.csv").open("a") as file:
                    file.write(_row(60 + step, clock.now) + "\n")
        assert service.stop(20)


def wait_until_done(workspace: Workspace, now: datetime) -> None:
    deadline = time.monotonic() + 120
    while True:
        jobs = [job for name, job in workspace.store.jobs().items() if name.startswith("collect/")]
        if len(jobs) == SOURCES and all(job.finished_at is not None and job.finished_at >= now for job in jobs):
            assert {job.outcome for job in jobs} == {"ok"}, [job.error for job in jobs if job.error]
            return
        assert time.monotonic() < deadline, "not all that was due was done"
        time.sleep(0.05)


def held() -> dict[str, int]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "memory": pages * os.sysconf("SC_PAGE_SIZE"),
        "files": len(os.listdir("/proc/self/fd")),  # noqa: PTH208 (its own folder would be one more)
        "threads": len(list(Path("/proc/self/task").iterdir())),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
