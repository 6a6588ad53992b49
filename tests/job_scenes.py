"""Workspaces on real files for the tests of jobs: a config, a CSV of deployments, a fixed clock."""

from __future__ import annotations

import csv
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from keyresults.config.load import load
from keyresults.jobs.evaluate import evaluate
from keyresults.jobs.workspace import Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST = datetime(2026, 8, 1, 9, tzinfo=UTC)

CONFIG = """
[tracker]
timezone = "Europe/Berlin"
cycle = "2026-Q4"

[sources.exports]
type = "file"
files = ["deployments.csv"]
facts = "deployments"
covers = { from = 2026-08-01, to = 2026-11-19 }

[sources.people]
type = "manual"
%(sources)s
[metrics.rollbacks]
source = "exports"
measure = "rollback_rate"
window = "28d"

[metrics.often]
source = "exports"
measure = "deployment_frequency"
window = "28d"

[metrics.mood]
source = "people"
measure = "sampled"
unit = "%%"
aggregate = "last"
%(metrics)s
[[objectives]]
id = "stable"
title = "Releases nobody fears"

  [[objectives.key_results]]
  id = "rollbacks"
  title = "Reduce rollback rate to under 1%%"
  metric = "rollbacks"
  target = { below = "1%%" }

  [[objectives.key_results]]
  id = "daily"
  title = "Increase deployment frequency to daily"
  metric = "often"
  target = { at_least = "1/day" }
  guardrails = [{ metric = "rollbacks", at_most = "50%%" }]

  [[objectives.key_results]]
  id = "mood"
  title = "The team trusts its releases"
  metric = "mood"
  target = { from = "40%%", to = "80%%" }
%(key_results)s"""


def rows(n: int, seed: int = 7) -> list[dict[str, str]]:
    """`n` deployments, evenly spread from `FIRST` to the day before `NOW`; a sixth go back to an older version."""
    chance = random.Random(seed)
    step = (NOW - timedelta(days=1, hours=4) - FIRST) / n
    versions = ["v0"]
    made = []
    for i in range(n):
        if len(versions) > 2 and chance.random() < 1 / 6:
            versions = versions[: -chance.randint(1, 2)]
        else:
            versions.append(f"v{i + 1}")
        at = (FIRST + i * step).isoformat(timespec="seconds")
        made.append(
            {
                "key": str(i),
                "subject": "payments",
                "commit": versions[-1],
                "status": "success",
                "created_at": at,
                "at": at,
            }
        )
    return made


def forward_times(written: Sequence[dict[str, str]]) -> list[datetime]:
    """When each new version went out, by a plain walk with a stack."""
    stack: list[str] = []
    forward: list[datetime] = []
    for row in written:
        if row["commit"] in stack:
            del stack[stack.index(row["commit"]) + 1 :]
        else:
            stack.append(row["commit"])
            forward.append(datetime.fromisoformat(row["at"]))
    return forward


def write_rows(path: Path, written: Sequence[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(written[0]))
        writer.writeheader()
        writer.writerows(written)


def write_scene(
    folder: Path, written: Sequence[dict[str, str]], *, sources: str = "", metrics: str = "", key_results: str = ""
) -> Path:
    """A config and its file; returns the config's path."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "deployments.csv", written)
    os.utime(folder / "deployments.csv", (NOW.timestamp(), NOW.timestamp()))
    config = folder / "keyresults.toml"
    config.write_text(CONFIG % {"sources": sources, "metrics": metrics, "key_results": key_results})
    return config


DESK = """
[sources.desk]
type = "file"
files = ["tickets.csv"]
facts = "samples"
columns = { day = "date", value = "tickets" }
"""
TICKETS = """
[metrics.tickets]
source = "desk"
measure = "sampled"
unit = "tickets"
better = "lower"
aggregate = "mean"
window = "%s"
"""


def write_tickets(folder: Path, first: date, until: date, value: Callable[[date], float]) -> None:
    """The file that `DESK` reads: one number for each day before `until`."""
    with (folder / "tickets.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["date", "tickets"])
        for day in (first + timedelta(days=n) for n in range((until - first).days)):
            out.writerow([day.isoformat(), value(day)])


def workspace(config: Path, now: datetime = NOW, *, writing: bool = True) -> Workspace:
    return Workspace(load(config), writing=writing, clock=lambda: now)


def dump(store: Path, *, without: Sequence[str] = ("collections", "leases")) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, but for run records and leases."""
    with sqlite3.connect(store) as connection:
        names = [n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {n: sorted(connection.execute(f'SELECT * FROM "{n}"'), key=repr) for n in names if n not in without}


def collecting(config: Path) -> subprocess.Popen[bytes]:
    """A process of its own that collects with the clock at `NOW`."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from job_scenes import workspace\n"
        "from keyresults.jobs.collect import collect\n"
        "with workspace(Path(sys.argv[1])) as one: sys.exit(collect(one).failed)\n"
    )
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", program, str(config), here]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=hear_interrupts)


def hear_interrupts() -> None:
    """A shell that starts tests in the background has them, and their children, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def kill_while_collecting(config: Path, chance: random.Random, sent: signal.Signals = signal.SIGKILL) -> bool:
    """Start a collection and end it a moment after it stored facts; whether it was cut off before its end."""
    process = collecting(config)
    store = config.parent / ".keyresults/store.db"
    before = _stored(store)
    while process.poll() is None and _stored(store) == before:
        time.sleep(0.005)
    time.sleep(chance.uniform(0, 0.1))
    process.send_signal(sent)
    return process.wait() != 0


def _stored(store: Path) -> int:
    """Deployments stored so far; none while there is no store yet."""
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM deployments").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def kept(config: Path) -> tuple[object, ...]:
    """All that a collection leaves behind, but for the times at which something was first written."""
    with workspace(config) as one:
        assert one.store.check() == []
        states = one.store.states()
        facts = [one.store.facts("deployments", [s.stream.id]) for s in states if s.stream.kind == "deployments"]
        told = [(s.stream.id, s.cursor, s.coverage, s.horizon, s.open_keys) for s in states]
        return told, facts, evaluate(one, as_of=NOW).to_json()
