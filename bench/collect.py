"""What `keyresults collect` costs beside DuckDB and hand-written SQLite: python bench/collect.py [DEPLOYMENTS]

Deployments and three times as many CI runs of 50 repositories, in two CSV files read by the `file`
source (a stand-in for GitHub would itself be what is measured). The rivals read the same files into
tables with the same natural key, insert or replace; they neither check cells nor work out what changed, keep
no coverage or cursor, and evaluate nothing. Then everything once more with nothing changed: the rivals read all
again, as they know no better. What of a collection is its closing evaluation is shown apart.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stage.processes import PYTHON, Spent, run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keyresults.metrics.facts import Deployment, Run

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 9, 30, tzinfo=UTC)
DEPLOYMENTS = ("key", "subject", "commit", "created_at", "started_at", "status", "at", "ref", "url")
RUNS = (
    *("key", "subject", "workflow", "run", "attempt", "branch", "commit"),
    *("created_at", "started_at", "completed_at", "conclusion", "url"),
)
KEYS = {"deployments": ("subject", "key"), "runs": ("subject", "key")}

CONFIG = """
[tracker]
timezone = "Europe/Berlin"
cycle = "2026-Q3"

[sources.releases]
type = "file"
files = ["deployments.csv"]
facts = "deployments"

[sources.builds]
type = "file"
files = ["runs.csv"]
facts = "runs"

[metrics.often]
source = "releases"
measure = "deployment_frequency"
across = "sum"

[metrics.green]
source = "builds"
measure = "ci_success_rate"

[[objectives]]
id = "flow"
title = "Changes flow"

[[objectives.key_results]]
id = "often"
title = "Deploy often"
metric = "often"
target = { at_least = "400/day" }

[[objectives.key_results]]
id = "green"
title = "Keep the builds green"
metric = "green"
target = { to = "99%" }
"""


def prepare(folder: Path, count: int) -> None:
    from stage.history import REPOSITORIES, deployments, runs

    each = count // len(REPOSITORIES)
    (folder / "keyresults.toml").write_text(CONFIG, encoding="utf-8")
    released = (row_of_deployment(d) for name in REPOSITORIES for d in deployments(name, each, START, END))
    write(folder / "deployments.csv", DEPLOYMENTS, released)
    built = (row_of_run(r) for name in REPOSITORIES for r in runs(name, 3 * each, START, END))
    write(folder / "runs.csv", RUNS, built)


def row_of_deployment(one: Deployment) -> tuple[object, ...]:
    started, final = one.statuses
    times = (one.created_at.isoformat(), started.at.isoformat(), final.state, final.at.isoformat())
    return (one.key, one.subject, one.commit, *times, one.ref, one.url)


def row_of_run(one: Run) -> tuple[object, ...]:
    assert one.started_at is not None
    assert one.completed_at is not None
    times = tuple(at.isoformat() for at in (one.created_at, one.started_at, one.completed_at))
    return (
        *(one.key, one.subject, one.workflow, one.run, one.attempt, one.branch, one.commit),
        *(*times, one.conclusion, one.url),
    )


def write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def ours(folder: Path) -> dict[str, Any]:
    from keyresults.config.load import load
    from keyresults.jobs import collect as collecting
    from keyresults.jobs.workspace import Workspace

    spent = {"evaluation": 0.0}

    def evaluate_all(workspace: Workspace) -> None:
        began = time.process_time()
        evaluate(workspace)
        spent["evaluation"] = time.process_time() - began

    evaluate, collecting.evaluate_all = collecting.evaluate_all, evaluate_all
    with Workspace(load(folder / "keyresults.toml"), writing=True, clock=lambda: END) as made:
        result = collecting.collect(made)
    assert not result.failed, result
    return {"rows": sum(run.added + run.changed for run in result.runs), **spent}


def duck(folder: Path) -> dict[str, Any]:
    import duckdb

    with duckdb.connect(str(folder / "theirs.duckdb")) as connection:
        for kind, key in KEYS.items():
            source = f"read_csv('{folder / kind}.csv')"
            columns = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
            said = ", ".join(f'"{name}" {type_}' for name, type_, *_ in columns)
            connection.execute(f"CREATE TABLE IF NOT EXISTS {kind} ({said}, PRIMARY KEY ({', '.join(key)}))")
            connection.execute(f"INSERT OR REPLACE INTO {kind} SELECT * FROM {source}")
        rows = [connection.execute(f"SELECT count(*) FROM {kind}").fetchall()[0][0] for kind in KEYS]
    return {"rows": sum(rows)}


def by_hand(folder: Path) -> dict[str, Any]:
    import csv
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(folder / "theirs.sqlite")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        for kind, key in KEYS.items():
            with (folder / f"{kind}.csv").open(newline="", encoding="utf-8") as file:
                rows = csv.reader(file)
                header = next(rows)
                names = ", ".join(f'"{name}"' for name in header)
                connection.execute(f"CREATE TABLE IF NOT EXISTS {kind} ({names}, PRIMARY KEY ({', '.join(key)}))")
                places = ", ".join("?" * len(header))
                connection.executemany(f"INSERT OR REPLACE INTO {kind} VALUES ({places})", rows)
            connection.commit()
        counted = [connection.execute(f"SELECT count(*) FROM {kind}").fetchone()[0] for kind in KEYS]
    return {"rows": sum(counted)}


SIDES = {"keyresults": ours, "DuckDB": duck, "sqlite3": by_hand}


def tell(spent: dict[str, Spent]) -> None:
    mine = spent["keyresults"]
    for name, one in spent.items():
        ratio = f"ratio {mine.cpu / one.cpu:6.2f}" if one is not mine else ""
        words = f"(evaluation {one.told()['evaluation']:.2f} s)" if one is mine else ""
        print(f"  {name:11} {one.wall:6.2f} s, processor {one.cpu:6.2f} s, peak {one.peak:4.0f} MiB  {ratio}{words}")


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        run([PYTHON, __file__, "prepare", place, str(count)])
        for words in ("collected", "again, nothing changed"):
            spent = {name: run([PYTHON, __file__, name, place]) for name in SIDES}
            rows = {name: one.told()["rows"] for name, one in spent.items()}
            print(f"{count} deployments and {3 * count} runs, {words}; rows written or held: {rows}")
            tell(spent)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["prepare", folder, count]:
            prepare(Path(folder), int(count))
        case [side, folder]:
            print(json.dumps(SIDES[side](Path(folder))))
        case arguments:
            main(int(arguments[0]) if arguments else 100_000)
