"""What collecting a GitHub costs, in requests, time and memory: python bench/github.py [--whole]

Repositories with 60 deployments, 1,500 runs and 80 merged changes a month each, on a stand-in for GitHub in a process
of its own that answers 50 ms late. Requests are held against Σ ⌈items ÷ page⌉ (50 deployments, 100 runs, 50 changes)
and one probe for each stream and repository; wall time against what 4 requests at a time, and the pace GitHub asks
for, leave at best. The rival is the loop over PyGithub that one would write first, on one repository and month.
`--whole` is 50 repositories (ten minutes); without it there are 8.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stage.processes import PYTHON, Spent, run

# This file is called as PyGithub's package is, and must not be found in its place.
sys.path += [sys.path.pop(0), str(Path(__file__).parents[1] / "tests")]

if TYPE_CHECKING:
    from standins.github_control import GitHubProcess

START = datetime(2026, 7, 1, tzinfo=UTC)
END = datetime(2026, 9, 29, tzinfo=UTC)
SPAN = f"{START:%Y-%m-%dT%H:%M:%SZ}..{END:%Y-%m-%dT%H:%M:%SZ}"
LATENCY = 0.05
AT_ONCE = 4
PAGES = {"deployments": 50, "runs": 100, "changes": 50}

CONFIG = """
[tracker]
timezone = "UTC"
cycle = "2026-Q3"

[sources.github]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = [{repositories}]
since = {since}

[metrics.often]
source = "github"
measure = "deployment_frequency"
across = "sum"

[metrics.green]
source = "github"
measure = "ci_success_rate"

[metrics.merged]
source = "github"
measure = "change_count"

[[objectives]]
id = "flow"
title = "Changes flow"

[[objectives.key_results]]
id = "often"
title = "Deploy often"
metric = "often"
target = {{ at_least = "50/day" }}
"""


def collect(folder: Path) -> dict[str, Any]:
    from keyresults.config.load import load
    from keyresults.jobs import collect as collecting
    from keyresults.jobs.workspace import Workspace

    evaluation = 0.0

    def evaluate_all(workspace: Workspace) -> None:
        nonlocal evaluation
        began = time.perf_counter()
        evaluate(workspace)
        evaluation = time.perf_counter() - began

    evaluate, collecting.evaluate_all = collecting.evaluate_all, evaluate_all
    began = time.perf_counter()
    with Workspace(load(folder / "keyresults.toml"), writing=True, clock=lambda: END) as made:
        result = collecting.collect(made)
    assert not result.failed, [run for run in result.runs if run.outcome != "ok"][:3]
    wall = time.perf_counter() - began - evaluation
    counted = {kind: sum(r.added for r in result.runs if r.kind == kind) for kind in PAGES}
    return {"wall": wall, "evaluation": evaluation, "facts": counted, "recorded": sum(r.requests for r in result.runs)}


def naive(folder: Path) -> dict[str, Any]:
    """Every deployment with its statuses, every run, every merged pull request with its commits and reviews.

    PyGithub's own pause of a quarter of a second between requests is left out, in the loop's favour.
    """
    from github import Auth, Github

    url, token, name = json.loads((folder / "naive.json").read_text())
    began = time.perf_counter()
    counted = Counter[str]()
    with Github(auth=Auth.Token(token), base_url=url, per_page=100, seconds_between_requests=0) as github:
        repository = github.get_repo(name)
        for deployment in repository.get_deployments():
            counted["deployments"] += 1
            counted["statuses"] += len(list(deployment.get_statuses()))
        counted["runs"] = len(list(repository.get_workflow_runs(branch="main", created=SPAN)))
        for pull in repository.get_pulls(state="closed", sort="updated", direction="desc"):
            if pull.merged_at:
                counted["changes"] += 1
                counted["commits"] += len(list(pull.get_commits()))
                counted["reviews"] += len(list(pull.get_reviews()))
    return {"wall": time.perf_counter() - began, "facts": counted}


SIDES = {"collect": collect, "naive": naive}


@dataclass
class Told:
    """What the stand-in saw of one process, and what that process says of itself."""

    spent: Spent
    requests: Counter[str]
    free: int
    quota: int
    standin: float

    @property
    def wall(self) -> float:
        return float(self.spent.told()["wall"])

    @property
    def counted(self) -> int:
        """Requests but those that are counted apart."""
        return sum(n for kind, n in self.requests.items() if kind not in APART)


APART = ("attempts", "compares")
KINDS = (
    ("pages of GraphQL", r"/graphql .*"),
    ("attempts", r".*/attempts/\d+ .*"),
    ("compares", r".*/compare/.*"),
    ("repositories looked up", r"/repos/[^/]+/[^/]+ .*"),
    ("pages of runs, the probe's too", r".*/actions/runs .*"),
    ("probes of the other streams", r".*/(deployments|pulls) .*"),
)


def kind_of(path: str, body: str) -> str:
    asked = f"{path} {body}"
    return next((kind for kind, like in KINDS if re.fullmatch(like, asked, re.DOTALL)), "others")


def watched(server: GitHubProcess, *command: str) -> Told:
    server.call("forget")
    before, used = server.call("processor_seconds"), sum(server.get("quota.used").values())
    spent = run([PYTHON, __file__, *command])
    asked = server.get("asked")
    return Told(
        spent,
        Counter(kind_of(one.path, one.body.get("query", "")) for one in asked),
        sum(one.status == 304 for one in asked),
        sum(server.get("quota.used").values()) - used,
        server.call("processor_seconds") - before,
    )


def least(facts: dict[str, int], repositories: int) -> int:
    """Σ ⌈items ÷ page⌉ over repositories that hold as many each, and a probe for each stream."""
    return sum(repositories * (ceil(facts[kind] / repositories / PAGES[kind]) + 1) for kind in PAGES)


def tell(words: str, told: Told, repositories: int, *, paced: bool) -> None:
    facts = {**told.spent.told()["facts"]}
    facts["runs"] -= told.requests["attempts"]
    best, allowed = told.counted * LATENCY / AT_ONCE, least(facts, repositories)
    graphql = told.requests["pages of GraphQL"]
    pace = max((sum(told.requests.values()) - graphql) / 900, graphql / 2000) * 60 if paced else 0.0
    all_requests = sum(told.requests.values())
    bound = max(all_requests * LATENCY / AT_ONCE, pace)
    print(f"{words}: {facts}")
    for kind, number in told.requests.items():
        print(f"    {number:6} {kind}{' (counted apart)' if kind in APART else ''}")
    print(f"  requests  {told.counted:6} beside {allowed} at least: ratio {told.counted / allowed:.3f} (goal 1.05)")
    print(f"  wall      {told.wall:6.1f} s beside {bound:.1f} s at best: ratio {told.wall / bound:.2f} (goal 1.3)")
    print(f"            of which latency {best:.1f} s, pace {pace:.1f} s; the evaluation behind it is not in it")
    print(f"  processor {told.spent.cpu:6.1f} s, evaluation included; the stand-in's own {told.standin:.1f} s")
    print(f"            the machine's load in that minute: {os.getloadavg()[0]:.1f} for {os.cpu_count()} cores")
    print(f"  peak      {told.spent.peak:6.0f} MiB (goal 300)")


def prepare(folder: Path, server: GitHubProcess, since: datetime, repositories: int) -> Path:
    from stage.history import REPOSITORIES

    folder.mkdir()
    named = ", ".join(f'"{name}"' for name in REPOSITORIES[:repositories])
    (folder / "token").write_text(server.token)
    (folder / "keyresults.toml").write_text(CONFIG.format(url=server.url, since=since.date(), repositories=named))
    return folder


def main(repositories: int, months: int) -> None:
    from stage.github_history import MONTH, fill
    from standins.github_control import github_process

    with tempfile.TemporaryDirectory() as place, github_process() as server:
        base = Path(place)
        server.set("world.now", END)
        fill(server, repositories, months, END)
        for number in range(repositories):
            server.call("world.deployments", server.get(f"world.repositories.{number}"))
        server.set("latency", LATENCY)
        server.set("kept", {})  # the pages that take longer than that to make, are made once

        counting = prepare(base / "counting", server, START, repositories)
        told = watched(server, "collect", str(counting))
        tell(f"{repositories} repositories, {months} months, GitHub's limits", told, repositories, paced=True)
        idle = watched(server, "collect", str(counting))
        print(
            f"  idle poll: {sum(idle.requests.values())} requests, {idle.free} answered 304, quota spent {idle.quota}"
        )

        server.set("quota.silent", True)
        free = watched(server, "collect", str(prepare(base / "free", server, START, repositories)))
        tell("the same from an Enterprise server without limits", free, repositories, paced=False)
        short = watched(server, "collect", str(prepare(base / "short", server, END - MONTH, repositories)))
        growth = free.spent.peak / short.spent.peak
        print(f"  one month of it: peak {short.spent.peak:.0f} MiB; {months} months take {growth:.2f} times that")
        rival(base, server, told, repositories * months)


def rival(base: Path, server: GitHubProcess, ours: Told, slices: int) -> None:
    """On one repository with one month of history; what it would take for all is that, times as many."""
    from stage.github_history import fill

    server.set("kept", None)
    server.call("world.repositories.clear")
    server.call("world._known.clear")
    fill(server, 1, 1, END)
    (base / "naive.json").write_text(json.dumps([server.url, server.token, "acme/r00"]))
    theirs = watched(server, "naive", str(base))
    requests, whole = sum(theirs.requests.values()), theirs.wall * slices
    print(f"a loop over PyGithub, one repository and month: {theirs.spent.told()['facts']}")
    print(f"  {requests} requests, {theirs.wall:.1f} s; times {slices}: {requests * slices} requests, {whole:.0f} s")
    more, longer = requests * slices / sum(ours.requests.values()), whole / ours.wall
    print(f"  that is {more:.1f} times our requests, and {longer:.1f} times our time")


if __name__ == "__main__":
    match sys.argv[1:]:
        case [("collect" | "naive") as side, folder]:
            print(json.dumps(SIDES[side](Path(folder))))
        case ["--whole"]:
            main(50, 3)
        case _:
            main(int(sys.argv[1]) if sys.argv[1:] else 8, 3)
