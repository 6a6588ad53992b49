"""What the store costs beside hand-written SQLite: python bench/store.py [DEPLOYMENTS]

Prints seconds and the ratio to sqlite3's executemany and fetchall over the same rows, best of three.
The rival is given rows ready to store; the store has facts to turn into rows, looks whether they are
new, and keeps coverage and cursor.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from keyresults.metrics.facts import Deployment, StatusChange
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.stream import Batch, Stream
from keyresults.storage.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)
STREAM = Stream("github", "deployments", "acme/payments")
AT_ONCE = 500


def deployment(n: int) -> Deployment:
    at = START + timedelta(minutes=n)
    return Deployment(
        key=str(10**9 + n),
        subject="acme/payments",
        environment="production",
        commit=f"{n:040x}",
        created_at=at,
        statuses=tuple(
            StatusChange(state, at + timedelta(seconds=10 * k))
            for k, state in enumerate(("queued", "in_progress", "success"), 1)
        ),
        ref="main",
        url=f"https://github.com/acme/payments/deployments/{n}",
    )


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def write(store: Store, facts: list[Deployment]) -> None:
    for n in range(0, len(facts), AT_ONCE):
        some = tuple(facts[n : n + AT_ONCE])
        covered = TimeRanges.of(TimeRange(START, some[-1].at))
        store.write(STREAM, Batch(facts=some, covered=covered, cursor={"page": n}), START)


def write_by_hand(path: Path, schema: list[str], rows: list[tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        for statement in schema:
            connection.execute(statement)
        places = ", ".join("?" * len(rows[0]))
        for n in range(0, len(rows), AT_ONCE):
            connection.executemany(f"INSERT OR REPLACE INTO deployments VALUES ({places})", rows[n : n + AT_ONCE])
            connection.commit()


def rows_of(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM deployments WHERE stream = 1 ORDER BY at, key").fetchall()


def schema_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        mine = "SELECT sql FROM sqlite_master WHERE tbl_name = 'deployments' AND sql IS NOT NULL ORDER BY type DESC"
        return [sql for (sql,) in connection.execute(mine)]


def one_round(folder: Path, facts: list[Deployment]) -> dict[str, tuple[float, float]]:
    path = folder / "ours.db"
    with Store.open(f"sqlite:///{path}") as store:
        first = seconds(lambda: write(store, facts))
        again = seconds(lambda: write(store, facts))
        read = seconds(lambda: store.facts("deployments", [STREAM.id]))
    rows = rows_of(path)
    by_hand = seconds(lambda: write_by_hand(folder / "theirs.db", schema_of(path), rows))
    fetched = seconds(lambda: rows_of(path))
    return {"write": (first, by_hand), "write again": (again, by_hand), "facts": (read, fetched)}


def main(count: int) -> None:
    facts = [deployment(n) for n in range(count)]
    rounds = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(one_round(Path(folder), facts))
    print(f"{count} deployments in batches of {AT_ONCE}")
    for name in rounds[0]:
        ours, theirs = (min(r[name][side] for r in rounds) for side in (0, 1))
        print(f"{name:12} {ours:6.2f} s   by hand {theirs:6.2f} s   ratio {ours / theirs:5.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
