"""What evaluating very much costs, on both stores: python bench/scale.py [--whole] [STORE …]

Metrics over daily samples of a Prometheus, one stream each, and five key results on each metric, in the middle of
their quarter: 500 key results over 100 metrics, `--whole` 10,000 over 2,000. (No config file may be that large: all
but the metrics is made in memory.) Samples of two years are stored; then of eight. One process lives as the daemon
does and evaluates four times: for the first time; an hour later, with nothing new; again an hour later, after every
hundredth stream was corrected; and the next day, after that day was collected of all. The first and the last say how
much there is to do, those between what it costs where little is new; at the end each stands beside that of four times
the history. What /metrics takes is measured in a process of its own.

STORE is `sqlite`, `postgres` or both. PostgreSQL's server has its own memory, which is not counted.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stage.processes import PYTHON, Spent, peak, run

if TYPE_CHECKING:
    from keyresults.jobs.bindings import Question
    from keyresults.jobs.remembered import Remembered
    from keyresults.jobs.workspace import Workspace
    from keyresults.krs.model import Objective
    from keyresults.metrics.stream import Stream

AS_OF = datetime(2026, 8, 15, 10, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
EACH = 5
"""Key results on each metric."""

CHANGED = 100
"""Of so many streams one has something new."""

YEARS = (2, 8)
STEPS = ("the first", "nothing new", "1 of 100 streams new", "the next day")
PASSWORD = "KEYRESULTS_BENCH_PASSWORD"


def config(metrics: int) -> str:
    lines = ['[tracker]\ntimezone = "Europe/Berlin"\ncycle = "2026-Q3"\n']
    lines.append('[sources.prometheus]\ntype = "prometheus"\nurl = "http://localhost:9090"\n')
    for number in range(metrics):
        lines.append(f'[metrics.m{number}]\nsource = "prometheus"\nquery = "load{{service=\\"{number}\\"}}"')
        lines.append('unit = "ms"\naggregate = "mean"\nbetter = "lower"\nwindow = "28d"')
    lines.append('[[objectives]]\nid = "o"\ntitle = "A service is fast"')
    lines.append('[[objectives.key_results]]\nid = "k"\ntitle = "Faster"\nmetric = "m0"\ntarget = { to = "60ms" }')
    return "\n".join(lines)


def workspace(folder: Path, url: str, now: datetime, *, writing: bool) -> Workspace:
    from keyresults.collectors.secrets import EnvironmentSecret
    from keyresults.config.load import load
    from keyresults.config.model import StoreAddress
    from keyresults.jobs.workspace import Workspace

    password = EnvironmentSecret(env=PASSWORD) if url.startswith("postgresql") else None
    known = load(folder / "keyresults.toml")
    objectives = tuple(on(known.objectives[0], number) for number in range(len(known.metrics)))
    return Workspace(
        replace(known, store=StoreAddress(url, password), objectives=objectives), writing=writing, clock=lambda: now
    )


def on(first: Objective, number: int) -> Objective:
    """The same on another metric, by targets of their own."""
    from keyresults.krs.model import Reach

    (kr,) = first.key_results
    targets = [Reach(to=0.06 + 0.01 * one, start=None, text=f"{60 + 10 * one}ms") for one in range(EACH)]
    krs = (replace(kr, id=f"k{number}-{i}", metric=f"m{number}", target=t) for i, t in enumerate(targets))
    return replace(first, id=f"o{number}", key_results=tuple(krs))


def fill(made: Workspace, start: datetime, end: datetime) -> None:
    """The samples of all streams for the days that lie between."""
    from keyresults.jobs.bindings import Bindings
    from keyresults.metrics.ranges import TimeRange, TimeRanges
    from keyresults.metrics.stream import Batch

    calendar, bindings = made.config.calendar, Bindings(made.config, made.store)
    ends = [calendar.start_of(calendar.day_of(start)), *calendar.day_ends(start, end)]
    covered = TimeRanges.of(TimeRange(ends[0], ends[-1]))
    for number, (question, stream) in enumerate(streams(made)):
        made.store.write(stream, Batch(facts=tuple(samples(number, ends)), covered=covered), end)
        bindings.remember(question, [stream])


def correct(made: Workspace, at: datetime) -> None:
    """Another value for yesterday, of one stream in `CHANGED`."""
    from keyresults.metrics.stream import Batch

    calendar = made.config.calendar
    today = calendar.start_of(calendar.day_of(at))
    yesterday = calendar.days_before(today, 1)
    for number, (_, stream) in enumerate(streams(made)):
        if number % CHANGED == 0:
            made.store.write(stream, Batch(facts=tuple(samples(-number - 1, [yesterday, today]))), at)


def streams(made: Workspace) -> Iterator[tuple[Question, Stream]]:
    from keyresults.jobs.bindings import questions
    from keyresults.metrics.stream import Stream as Known

    for metric in made.config.metrics.values():
        (question,) = questions(metric)
        yield question, Known(question.source, question.kind, question.source, question.query)


def samples(number: int, ends: Sequence[datetime]) -> Iterator[Any]:
    from keyresults.metrics.facts import Sample

    chance = random.Random(f"{number} {ends[0]}")
    for start, end in pairwise(ends):
        value = 100 + 20 * chance.random() - 0.02 * (start.timetuple().tm_yday)
        yield Sample(key=start.isoformat(), subject="prometheus", at=start, until=end, value=value, final=True)


def live(folder: Path, url: str) -> list[dict[str, float]]:
    """What each evaluation took, and the most memory that was held by then."""
    import pandas as pd  # noqa: F401 (its time is no evaluation's)
    from keyresults.jobs.remembered import Remembered

    remembered, told = Remembered(), []
    for now, happens in (
        (AS_OF, None),
        (AS_OF + HOUR, None),
        (AS_OF + 2 * HOUR, correct),
        (AS_OF + DAY, lambda made, now: fill(made, AS_OF, now)),
    ):
        with workspace(folder, url, now, writing=True) as made:
            made.make_store()
            if happens is not None:
                happens(made, now)
            told.append(evaluated(made, remembered))
    return told


def evaluated(made: Workspace, remembered: Remembered) -> dict[str, float]:
    from keyresults.jobs.evaluate import evaluate_all

    began, cpu = time.perf_counter(), time.process_time()
    evaluate_all(made, remembered)
    done = {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    last = made.store.last_evaluation("2026-Q3")
    assert last is not None
    assert last.confirmed_at == made.clock()
    return done | {"kept": len(last.content) / 2**20, "peak": peak()}


def asked(folder: Path, url: str, now: datetime) -> dict[str, float]:
    """What /metrics takes of the processor, the first time and from then on."""
    from keyresults.jobs.exposition import Exposition
    from keyresults.jobs.pulse import Pulse

    with workspace(folder, url, now, writing=False) as made:
        exposition = Exposition(lambda: made, Pulse())
        times = [time.process_time()]
        for _ in range(2):
            _, text = exposition.text("")
            times.append(time.process_time())
        return {"first": times[1] - times[0], "then": times[2] - times[1], "lines": text.count(b"\n")}


def one_history(folder: Path, url: str, years: int) -> list[dict[str, float]]:
    def step(name: str, *arguments: str) -> Spent:
        return run([PYTHON, __file__, name, str(folder), url, *arguments])

    step("fill", (AS_OF - years * 365 * DAY).isoformat(), AS_OF.isoformat())
    found: list[dict[str, float]] = step("live").told()
    print(f"{years} years of samples; {found[0]['kept']:.0f} MiB are said of them", flush=True)
    for name, one in zip(STEPS, found, strict=True):
        print(
            f"  {name:24} processor {one['cpu']:6.1f} s ({one['cpu'] / found[0]['cpu']:.2f} of the first),"
            f" wall {one['wall']:6.1f} s, peak until then {one['peak']:5.0f} MiB",
            flush=True,
        )
    told = step("ask", (AS_OF + DAY + HOUR).isoformat()).told()
    print(f"  /metrics, {told['lines']} lines: processor {told['first']:.1f} s, then {told['then']:.1f} s each time")
    return found


def one_store(name: str, metrics: int) -> None:
    print(f"{name}: {EACH * metrics} key results over {metrics} metrics")
    found = []
    for years in YEARS:
        with tempfile.TemporaryDirectory() as place, store(name, Path(place)) as url:
            Path(place, "keyresults.toml").write_text(config(metrics), encoding="utf-8")
            found.append(one_history(Path(place), url, years))
    for name, (short, long) in zip(STEPS, zip(*found, strict=True), strict=True):
        print(
            f"  ratio of {YEARS[1]} to {YEARS[0]} years, {name}: {long['cpu'] / short['cpu']:.2f} in processor time,"
            f" {long['peak'] / short['peak']:.2f} in peak memory",
            flush=True,
        )


@contextmanager
def store(name: str, place: Path) -> Iterator[str]:
    if name == "sqlite":
        yield f"sqlite:///{place}/store.db"
        return
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from standins import postgres

    os.environ[PASSWORD] = postgres.PASSWORD
    with postgres.running() as server:
        yield server.schema("bench")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fill", folder, url, start, end]:
            with workspace(Path(folder), url, datetime.fromisoformat(end), writing=True) as made:
                fill(made, datetime.fromisoformat(start), datetime.fromisoformat(end))
        case ["live", folder, url]:
            print(json.dumps(live(Path(folder), url)))
        case ["ask", folder, url, now]:
            print(json.dumps(asked(Path(folder), url, datetime.fromisoformat(now))))
        case arguments:
            for chosen in [one for one in arguments if one != "--whole"] or ["sqlite", "postgres"]:
                one_store(chosen, 2_000 if "--whole" in arguments else 100)
