"""What `keyresults status` costs beside a Python that only imports its libraries: python bench/status.py

100 key results in 25 objectives, each with a year of daily readings, evaluated and stored once. Whole
processes, in turn, medians. The goal is 1.5 times the rival; a bare interpreter is shown beside it.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stage.processes import PYTHON, Spent, in_turn, middle, run

CYCLE = "whole-year"
START = datetime(2025, 10, 1, tzinfo=UTC)
END = datetime(2026, 9, 30, tzinfo=UTC)
ROUNDS = 15
PER_OBJECTIVE = 2
RIVAL = "import sqlalchemy, click, rich"


def config() -> str:
    from stage.history import REPOSITORIES

    lines = [f'[tracker]\ntimezone = "Europe/Berlin"\ncycle = "{CYCLE}"\n']
    lines.append(f"[cycles.{CYCLE}]\nstart = {START:%Y-%m-%d}\nend = {END:%Y-%m-%d}\n")
    lines.append('[sources.github]\ntype = "github"\ntoken = { env = "UNUSED" }\nrepositories = ["acme/*"]\n')
    metrics = []
    for n, repository in enumerate(REPOSITORIES):
        name = repository.replace("/", "-")
        for measure, said in (("often", "deployment_frequency"), ("fast", "deployment_duration")):
            metrics.append(f'[metrics.{name}-{measure}]\nsource = "github"\nmeasure = "{said}"')
            metrics.append(f'repositories = ["{repository}"]\n')
        if n % PER_OBJECTIVE == 0:
            lines.append(f'[[objectives]]\nid = "o{n}"\ntitle = "Repositories from {name} on ship well"\n')
        for measure, target in (("often", 'at_least = "2/day"'), ("fast", 'to = "5m"')):
            lines.append(f'[[objectives.key_results]]\nid = "{name}-{measure}"\ntitle = "{name} ships {measure}"')
            lines.append(f'metric = "{name}-{measure}"\ntarget = {{ {target} }}\n')
    return "\n".join(lines + metrics)


def prepare(path: Path) -> None:
    from keyresults.config.load import load
    from keyresults.jobs.evaluate import evaluate_all
    from keyresults.jobs.workspace import Workspace
    from stage.stores import fill

    path.write_text(config(), encoding="utf-8")
    with Workspace(load(path), writing=True, clock=lambda: END - timedelta(hours=8)) as made:
        fill(made, 400, START - timedelta(days=60), END)
        evaluate_all(made)


def tell(name: str, spent: Spent, rival: Spent) -> None:
    ratios = f"{spent.wall / rival.wall:5.2f} {spent.cpu / rival.cpu:5.2f} {spent.peak / rival.peak:5.2f}"
    print(f"{name:34} {spent.wall:6.3f} s {spent.cpu:6.3f} s {spent.peak:5.1f} MiB   ratios {ratios}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keyresults.toml"
        run([PYTHON, __file__, "prepare", str(path)])
        code = f"from keyresults.cli.main import main; raise SystemExit(main(['--config', {str(path)!r}, 'status']))"
        processes = [[PYTHON, "-c", words] for words in (code, RIVAL, "pass")]
        shown = sum(" ships " in line for line in run(processes[0]).printed.splitlines())
        ours, rival, bare = in_turn(ROUNDS, *(lambda process=process: run(process) for process in processes))
    print(f"{shown} key results shown; wall, processor, peak memory; ratios to python -c {RIVAL!r}")
    tell("keyresults status", middle(ours), middle(rival))
    tell("the rival", middle(rival), middle(rival))
    tell("an interpreter that does nothing", middle(bare), middle(rival))


if __name__ == "__main__":
    if sys.argv[1:2] == ["prepare"]:
        prepare(Path(sys.argv[2]))
    else:
        main()
