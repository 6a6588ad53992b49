"""Repositories read side by side: whose facts are whose, what a refusal and an interrupt do, and in which order."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from job_scenes import hear_interrupts
from keyresults.collectors import github_client
from keyresults.config.load import load
from keyresults.jobs.collect import collect
from keyresults.jobs.threads import Crew
from keyresults.jobs.workspace import Workspace
from keyresults.reports.values import CollectionResult
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_answers import Answer
from standins.github_world import World
from standins.histories import START, deployments, runs

pytestmark = pytest.mark.soak  # many collections at once, some interrupted: in CI, and not for every change

NOW = START + timedelta(days=41)
NAMES = [f"acme/shop-{n}" for n in range(8)]

CONFIG = """
[tracker]
timezone = "UTC"
cycle = "2026-Q4"

[sources.forge]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = {names}
concurrency = {concurrency}

[metrics.green]
source = "forge"
measure = "ci_success_rate"
branch = "*"

[metrics.often]
source = "forge"
measure = "deployment_frequency"
across = "sum"
"""

PROGRAM = """
import sys
from datetime import datetime
from keyresults.collectors import github_client
from keyresults.cli.main import main
from keyresults.jobs.workspace import Workspace
github_client.PER_MINUTE.clear()
now = datetime.fromisoformat(sys.argv[2])
whole = Workspace.__init__
Workspace.__init__ = lambda self, config, writing=False: whole(self, config, writing, lambda: now)
sys.exit(main(["--config", sys.argv[1], "collect"]))
"""


@pytest.fixture(autouse=True)
def _at_any_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_client, "PER_MINUTE", {})


@dataclass
class Watch:
    """Answers late, and counts how many requests are under way together."""

    respond: Callable[[Any, Any], Any]
    delay: float
    under_way: int = 0
    most: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Any, headers: Any) -> Any:
        with self._counting:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        try:
            time.sleep(self.delay)
            return self.respond(asked, headers)
        finally:
            with self._counting:
                self.under_way -= 1


@dataclass
class Scene:
    server: GitHubStandIn
    folder: Path
    watch: Watch

    def config(self, concurrency: int) -> Path:
        place = self.folder / f"by-{concurrency}"
        place.mkdir(exist_ok=True)
        (place / "token").write_text(TOKEN)
        config = place / "keyresults.toml"
        config.write_text(CONFIG.format(url=self.server.url, names=NAMES, concurrency=concurrency))
        return config

    def collect(self, concurrency: int) -> CollectionResult:
        with Workspace(load(self.config(concurrency)), writing=True, clock=lambda: NOW) as one:
            return collect(one)

    def facts(self, concurrency: int) -> dict[str, set[str]]:
        """Keys by stream, all without the random part of its name."""
        store = self.config(concurrency).parent / ".keyresults/store.db"
        found: dict[str, set[str]] = {}
        with closing(sqlite3.connect(store)) as connection:
            for kind in ("runs", "deployments"):
                told = f"SELECT s.subject, f.subject, f.key FROM {kind} f JOIN streams s ON s.id = f.stream"
                for stream, subject, key in connection.execute(told):
                    assert stream == subject
                    found.setdefault(f"{kind} {stream}", set()).add(key)
        return found


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    world = World(NOW)
    for n, name in enumerate(NAMES):
        told = [
            *deployments(n, subject=name, days=30, per_day=0.5, first_key=1000 * (n + 1)),
            *runs(n, subject=name, days=30, per_day=1.0, first_run=100_000 * (n + 1)),
        ]
        world.add(name, told)
    with github(world) as server:
        watch = Watch(server.respond, 0.01)
        monkeypatch.setattr(server, "respond", watch)
        yield Scene(server, tmp_path, watch)


def test_every_repository_has_its_own_facts_and_all_of_them(scene: Scene) -> None:
    result = scene.collect(4)
    assert not result.failed
    assert 2 <= scene.watch.most <= 4
    world, found = scene.server.world, scene.facts(4)
    for repository in world.repositories:
        known = {fact.key for fact in world.deployments(repository)}
        assert found[f"deployments {repository.name}"] == known
        told = {a.key for run in world.latest_attempts(repository) for a in world.attempts(repository, run.run)}
        own = {key for key in told if key.partition("/")[0] not in repository.forks}
        assert found[f"runs {repository.name}"] == own
        assert own


def test_threads_find_and_tell_what_one_thread_does(scene: Scene) -> None:
    alone, together = scene.collect(1), scene.collect(4)
    assert scene.facts(1) == scene.facts(4)
    assert [(run.stream, run.added, run.requests) for run in alone.runs] == [
        (run.stream, run.added, run.requests) for run in together.runs
    ]
    assert [run.subject for run in together.runs] == [*NAMES, *NAMES]


def test_the_streams_of_one_repository_are_never_asked_at_the_same_time(scene: Scene) -> None:
    at_work: dict[str, int] = {}
    overlapping: list[str] = []
    respond = scene.watch.respond

    def noted(asked: Any, headers: Any) -> Any:
        name = asked.path.removeprefix("/repos/") if asked.path.startswith("/repos/") else ""
        subject = "/".join(name.split("/")[:2]) or asked.body["variables"]["name"]
        overlapping.extend([subject] if at_work.get(subject) else [])
        at_work[subject] = 1
        answer = respond(asked, headers)
        at_work[subject] = 0
        return answer

    scene.watch.respond = noted
    scene.collect(4)
    assert not overlapping
    assert set(at_work) >= set(NAMES)


def test_one_refusal_stops_all_threads_and_everything_is_asked_again_at_one_time(scene: Scene) -> None:
    scene.server.plan[9] = "secondary limit"
    result = scene.collect(4)
    waiting = [run for run in result.runs if run.outcome == "retry"]
    assert len(waiting) > len(NAMES)
    assert len({run.retry_at for run in waiting}) == 1
    assert len(scene.server.asked) <= 9 + 2 * 3, "three others were under way, and each may have sent its next"
    assert len(result.runs) == 2 * len(NAMES)


def test_a_broken_server_is_given_up_after_few_streams(scene: Scene) -> None:
    scene.server.always = "500"
    result = scene.collect(4)
    assert {run.outcome for run in result.runs} == {"failed"}
    # Three tries of each of the eight that are read side by side, and of those begun before the second had failed.
    assert len(scene.server.asked) <= 3 * 12


@pytest.mark.parametrize("concurrency", [1, 4, 10])
def test_threads_that_are_refused_together_wait_as_long_as_one(scene: Scene, concurrency: int) -> None:
    scene.server.always = "429"
    refused = scene.collect(concurrency)
    waits = {run.retry_at for run in refused.runs}
    assert len(waits) == 1
    # A minute, and up to a tenth of it so that not all come back in the same second.
    assert timedelta(minutes=1) <= (waits.pop() or NOW) - NOW <= timedelta(minutes=1, seconds=6)


def test_waits_grow_although_answers_under_way_still_come(scene: Scene) -> None:
    respond, asked_now = scene.watch.respond, 0

    def refused_once(asked: Any, headers: Any) -> Any:
        nonlocal asked_now
        asked_now += 1
        if asked_now == 1:
            return Answer(429, {"message": "Too many requests"})
        time.sleep(0.1)
        return respond(asked, headers)

    scene.watch.respond = refused_once
    waits, world = [], scene.server.world
    for _ in range(4):
        asked_now = 0
        with Workspace(load(scene.config(4)), writing=True, clock=lambda: world.now) as one:
            until = max(run.retry_at for run in collect(one).runs if run.retry_at)
        waits.append(round((until - world.now) / timedelta(minutes=1.05)))
        world.now = until + timedelta(seconds=1)
    assert waits == [1, 2, 4, 8]


@pytest.mark.parametrize("silent", [False, True])
def test_two_collections_on_one_credential_do_not_stop_each_other(scene: Scene, silent: bool) -> None:
    scene.server.quota.silent = silent
    scene.watch.delay = 0.05
    config = scene.config(4)
    second = config.with_name("second.toml")
    second.write_text(config.read_text().replace("forge", "second"))
    results: list[CollectionResult] = []

    def go(path: Path) -> None:
        with Workspace(load(path), writing=True, clock=lambda: NOW) as one:
            results.append(collect(one))

    threads = [threading.Thread(target=go, args=(path,)) for path in (config, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [{run.outcome for run in result.runs} for result in results] == [{"ok"}, {"ok"}]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_the_threads_and_leaves_nothing_taken(scene: Scene, sent: signal.Signals, code: int) -> None:
    scene.watch.delay = 0.1
    config = scene.config(4)
    command = [sys.executable, "-c", PROGRAM, str(config), NOW.isoformat()]
    process = subprocess.Popen(command, preexec_fn=hear_interrupts, stderr=subprocess.PIPE, text=True)
    while len(scene.server.asked) < 20:
        time.sleep(0.01)
    process.send_signal(sent)
    began = time.monotonic()
    _, said = process.communicate(timeout=20)
    assert process.returncode == code
    assert re.fullmatch(
        r"stopped( after \d+ requests?)?; what came is stored, `keyresults collect` goes on", said.strip()
    )
    assert time.monotonic() - began < 5
    with closing(sqlite3.connect(config.parent / ".keyresults/store.db")) as connection:
        assert connection.execute("SELECT count(*) FROM leases").fetchone() == (0,)
    scene.watch.delay = 0
    assert not scene.collect(4).failed
    scene.collect(1)
    assert scene.facts(4) == scene.facts(1)


class TestACrew:
    def test_it_raises_what_its_work_raised_once_all_have_come_to_rest(self) -> None:
        crew = Crew()
        left: list[str] = []

        def failing() -> None:
            time.sleep(0.05)
            raise OSError("the disk is full")

        def patient() -> None:
            try:
                for _ in range(1000):
                    crew.check()
                    time.sleep(0.005)
            finally:
                left.append("gone")

        with pytest.raises(OSError, match="disk is full"):
            crew.do([failing, patient, patient, patient], 3)
        assert left == ["gone", "gone"]

    def test_one_alone_works_in_the_callers_thread(self) -> None:
        where: list[threading.Thread] = []
        Crew().do([lambda: where.append(threading.current_thread())] * 3, 1)
        assert where == [threading.current_thread()] * 3

    def test_it_does_everything_once(self) -> None:
        done: list[int] = []
        Crew().do([lambda n=n: done.append(n) for n in range(100)], 4)
        assert sorted(done) == list(range(100))
