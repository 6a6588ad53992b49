"""What an evaluation costs beside DuckDB over the same rows: python bench/evaluate.py [FACTS]

200 key results of 50 repositories, half of the facts deployments and half CI runs of one year; then
four times the history at the same pace, judged over the same quarter. Every process begins afresh,
imports and reads its config or opens its database first, and is timed from there. DuckDB computes the daily
series of frequency, duration and CI success (with failed instead of rolled-back deployments as the
fourth, as it walks no stack of versions) and judges nothing. Both must agree on durations and CI.
"Days kept" is the same evaluation in a store that has been evaluated before, as after every collection.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from stage.processes import PYTHON, Spent, in_turn, middle, run

if TYPE_CHECKING:
    from keyresults.jobs.workspace import Workspace

AS_OF = datetime(2026, 9, 29, 16, tzinfo=UTC)
YEAR = timedelta(days=365)
ROUNDS = {1: 2, 4: 1}
"""Rounds by years of history."""

MEASURES = {
    "frequency": ("deployment_frequency", '{ at_least = "3/day" }'),
    "rollbacks": ("rollback_rate", '{ below = "1%" }'),
    "duration": ("deployment_duration", '{ to = "5m" }'),
    "ci": ("ci_success_rate", '{ to = "99%" }'),
}
COMPARED = ("duration", "ci")

BY_HAND = """
WITH final AS (
  SELECT *, succeeded_at IS NOT NULL AS ok, epoch(succeeded_at - coalesce(started_at, created_at)) AS took
  FROM deployments
), latest AS (
  SELECT * FROM runs QUALIFY row_number() OVER (PARTITION BY subject, run ORDER BY attempt DESC) = 1
)
SELECT subject, d.at, 'frequency', count(*) / 28 FROM days d
JOIN final f ON f.ok AND f.succeeded_at >= d.start AND f.succeeded_at < d.at GROUP BY ALL
UNION ALL
SELECT subject, d.at, 'duration', median(took) FROM days d
JOIN final f ON f.ok AND f.succeeded_at >= d.start AND f.succeeded_at < d.at GROUP BY ALL
UNION ALL
SELECT subject, d.at, 'failed', avg(CAST(NOT ok AS INT)) FROM days d
JOIN final f ON f.finished_at >= d.start AND f.finished_at < d.at GROUP BY ALL
UNION ALL
SELECT subject, d.at, 'ci', avg(CAST(conclusion = 'success' AS INT)) FROM days d
JOIN latest r ON r.created_at >= d.start AND r.created_at < d.at GROUP BY ALL
"""


def config() -> str:
    from stage.history import REPOSITORIES

    lines = ['[tracker]\ntimezone = "Europe/Berlin"\ncycle = "2026-Q3"\n']
    lines.append('[sources.github]\ntype = "github"\ntoken = { env = "UNUSED" }\nrepositories = ["acme/*"]\n')
    for repository in REPOSITORIES:
        name = repository.replace("/", "-")
        lines.append(f'[[objectives]]\nid = "{name}"\ntitle = "{name} ships well"\n')
        for measure, (_, target) in MEASURES.items():
            lines.append(f'[[objectives.key_results]]\nid = "{name}-{measure}"\ntitle = "Better {measure}"')
            lines.append(f'metric = "{name}-{measure}"\ntarget = {target}\n')
        for measure, (said, _) in MEASURES.items():
            lines.append(f'[metrics.{name}-{measure}]\nsource = "github"\nmeasure = "{said}"')
            lines.append(f'repositories = ["{repository}"]\n')
    return "\n".join(lines)


def workspace(folder: Path, *, writing: bool = False) -> Workspace:
    from keyresults.config.load import load
    from keyresults.jobs.workspace import Workspace

    return Workspace(load(folder / "keyresults.toml"), writing=writing, clock=lambda: AS_OF)


def prepare(folder: Path, facts: int, years: int) -> None:
    """The config, its store with `facts` facts, and a DuckDB file with the same rows."""
    from stage.history import REPOSITORIES
    from stage.stores import fill

    (folder / "keyresults.toml").write_text(config(), encoding="utf-8")
    with workspace(folder, writing=True) as made:
        fill(made, facts // len(REPOSITORIES) // 2, AS_OF - years * YEAR, AS_OF)
        export(made, folder)


def export(made: Workspace, folder: Path) -> None:
    import duckdb
    import pandas as pd
    from keyresults.metrics.table import TIMES, USED, frame

    calendar = made.config.calendar
    ends = [*calendar.day_ends(calendar.start_of(made.config.cycle.start), AS_OF), AS_OF]
    windows = [(calendar.days_before(at, 28).replace(tzinfo=None), at.replace(tzinfo=None)) for at in ends]
    streams = [state.stream for state in made.store.states()]
    with duckdb.connect(str(folder / "theirs.duckdb")) as connection:
        for kind in ("deployments", "runs"):
            ids = [s.id for s in streams if s.kind == kind]
            rows = frame(kind, made.store.facts(kind, ids, columns=(*TIMES[kind], *USED[kind])))  # noqa: F841 (DuckDB finds it by name)
            connection.execute(f"CREATE TABLE {kind} AS SELECT * FROM rows")
        days = pd.DataFrame(windows, columns=["start", "at"])  # noqa: F841 (DuckDB finds it by name)
        connection.execute("CREATE TABLE days AS SELECT * FROM days")


def keep(folder: Path) -> None:
    """What a collection ends with: readings of finished days and baselines stay in the store."""
    from keyresults.jobs.evaluate import evaluate_all

    with workspace(folder, writing=True) as made:
        evaluate_all(made)


def ours(folder: Path) -> dict[str, Any]:
    began = time.perf_counter()
    import pandas as pd  # noqa: F401 (its time is told apart)
    from keyresults.jobs.evaluate import evaluate

    imported = time.perf_counter()
    with workspace(folder) as made:
        loaded, cpu = time.perf_counter(), time.process_time()
        report = evaluate(made, as_of=AS_OF)
        done, cpu = time.perf_counter(), time.process_time() - cpu
    series = {kr.id.rpartition("-")[2]: 0.0 for o in report.objectives for kr in o.key_results}
    for kr in (kr for o in report.objectives for kr in o.key_results):
        series[kr.id.rpartition("-")[2]] += sum(day.value or 0 for day in kr.series)
    readings = sum(len(kr.series) for o in report.objectives for kr in o.key_results)
    return {
        "imports": imported - began,
        "opening": loaded - imported,
        "wall": done - loaded,
        "cpu": cpu,
        "readings": readings,
        "sums": series,
    }


def theirs(folder: Path) -> dict[str, Any]:
    began = time.perf_counter()
    import duckdb

    imported = time.perf_counter()
    with duckdb.connect(str(folder / "theirs.duckdb"), read_only=True) as connection:
        loaded, cpu = time.perf_counter(), time.process_time()
        rows = connection.execute(BY_HAND).fetchall()
        done, cpu = time.perf_counter(), time.process_time() - cpu
    sums: dict[str, float] = {}
    for _, _, name, value in rows:
        sums[name] = sums.get(name, 0.0) + value
    return {
        "imports": imported - began,
        "opening": loaded - imported,
        "wall": done - loaded,
        "cpu": cpu,
        "readings": len(rows),
        "sums": sums,
    }


def measured(step: str, folder: Path) -> Spent:
    return run([PYTHON, __file__, step, str(folder)])


def tell(name: str, spent: Sequence[Spent]) -> Spent:
    told = [one.told() for one in spent]
    took = {key: median(one[key] for one in told) for key in ("imports", "opening", "wall", "cpu")}
    peak = middle(spent).peak
    print(
        f"  {name:11} {took['wall']:6.2f} s, processor {took['cpu']:6.2f} s, peak {peak:4.0f} MiB,"
        f" {told[0]['readings']} readings (before: imports {took['imports']:.2f} s, opening {took['opening']:.2f} s)"
    )
    return Spent(took["wall"], took["cpu"], peak)


def agree(mine: dict[str, float], other: dict[str, float]) -> None:
    for name in COMPARED:
        if abs(mine[name] - other[name]) > 1e-6 * abs(other[name]):
            raise SystemExit(f"the two disagree on {name}: {mine[name]} and {other[name]}")


def one_length(place: Path, facts: int, years: int) -> tuple[Spent, Spent]:
    folder = place / str(years)
    folder.mkdir()
    run([PYTHON, __file__, "prepare", str(folder), str(facts), str(years)])
    mine, other = in_turn(ROUNDS[years], lambda: measured("ours", folder), lambda: measured("theirs", folder))
    run([PYTHON, __file__, "keep", str(folder)])
    (again,) = in_turn(ROUNDS[years], lambda: measured("ours", folder))
    for one in (mine, again):
        agree(one[0].told()["sums"], other[0].told()["sums"])
    print(f"200 key results over {facts} facts of {years} year{'s' * (years > 1)}, one quarter")
    theirs, ours, kept = tell("DuckDB", other), tell("keyresults", mine), tell("days kept", again)
    print(f"  ratio, all computed: {in_words(ours, theirs)}")
    print(f"  ratio, days kept:    {in_words(kept, theirs)}")
    return ours, kept


def in_words(one: Spent, other: Spent) -> str:
    time, processor, peak = one.wall / other.wall, one.cpu / other.cpu, one.peak / other.peak
    return f"{time:6.2f} in time, {processor:.2f} in processor time, {peak:.2f} in peak memory"


def main(facts: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        short, long = (one_length(Path(place), facts * years, years) for years in ROUNDS)
    print(f"{max(ROUNDS)} times the history")
    print(f"  ratio, all computed: {in_words(long[0], short[0])}")
    print(f"  ratio, days kept:    {in_words(long[1], short[1])}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["prepare", folder, facts, years]:
            prepare(Path(folder), int(facts), int(years))
        case ["keep", folder]:
            keep(Path(folder))
        case ["ours", folder]:
            print(json.dumps(ours(Path(folder))))
        case ["theirs", folder]:
            print(json.dumps(theirs(Path(folder))))
        case arguments:
            main(int(arguments[0]) if arguments else 100_000)
