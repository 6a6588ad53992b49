"""What the daemon owes is not forgotten, and not done twice, whatever is planned anew meanwhile."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from daemon_scenes import BEGUN, HOUR, Scene, failing
from job_scenes import rows, write_scene
from keyresults.config.load import load
from keyresults.jobs import routines
from keyresults.jobs.due import Cron, Every
from keyresults.jobs.pulse import Pulse
from keyresults.jobs.routine import Later
from keyresults.jobs.workspace import Workspace
from keyresults.reports.values import CollectionResult, StreamRun
from keyresults.storage.errors import StoreError
from simulated_time import Clock, simulated

MINUTE = timedelta(minutes=1)
A = {"collect/a": Every(HOUR)}
DAILY = {"collect/daily": Cron("0 9 * * *", "UTC")}
NINE = BEGUN + HOUR
STORED = ("start_job", "finish_job", "job", "jobs", "plan_job")


@pytest.fixture
def clock():
    return Clock(BEGUN)


@pytest.fixture
def config(tmp_path):
    return write_scene(tmp_path, rows(1))


def use(scene):
    scene.daemon.use(scene.workspace.under(scene.workspace.config))


def gone(*args):
    raise StoreError("the server can't be reached")


def waiting(folder, clock):
    """A daily collection that is asked at nine to wait until half past nine."""
    scene, until = Scene(folder, clock, DAILY, at_once=False), NINE + 30 * MINUTE
    scene.answers["collect/daily"] = lambda: Later(until) if clock.now < until else None
    return scene


def test_a_restart_goes_on_where_a_source_asked_to_wait(tmp_path, clock, monkeypatch):
    scene = waiting(tmp_path, clock)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(NINE + 10 * MINUTE)
    after = waiting(tmp_path, clock)
    with simulated(after.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(NINE + 2 * HOUR)
    assert (scene.times("collect/daily"), after.times("collect/daily")) == ([NINE], [NINE + 30 * MINUTE])


def test_so_does_a_config_that_is_read_again(tmp_path, clock, monkeypatch):
    scene = waiting(tmp_path, clock)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(NINE + 10 * MINUTE)
        use(scene)
        simulation.pass_until(NINE + 2 * HOUR)
    assert scene.times("collect/daily") == [NINE, NINE + 30 * MINUTE]


def test_streams_that_need_not_wait_keep_to_their_rhythm(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, {"collect/a": Every(15 * MINUTE)})
    scene.answers["collect/a"] = lambda: (
        Later(BEGUN + 50 * MINUTE, in_part=True) if len(scene.dues("collect/a")) < 5 else None
    )
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + 65 * MINUTE)
    assert [(at - BEGUN) / MINUTE for at in scene.times("collect/a")] == [0, 15, 30, 45, 50, 60]


@pytest.mark.parametrize(("others", "in_part"), [((), False), (("busy",), False), (("ok", "busy"), True)])
def test_a_source_waits_in_part_where_some_of_its_streams_went_well(config, monkeypatch, others, in_part):
    runs = [StreamRun(source="exports", stream=f"{n}", outcome=outcome) for n, outcome in enumerate(others)]
    runs.append(StreamRun(source="exports", stream="x", outcome="retry", retry_at=NINE))
    result = CollectionResult(runs=tuple(runs), failed=True)
    monkeypatch.setattr(routines, "fetch", lambda *_: result)
    with Workspace(load(config), writing=True) as workspace:
        assert routines.Work(workspace, Pulse()).collect("exports", NINE) == Later(NINE, in_part)


def test_a_run_that_has_to_wait_is_not_called_done(tmp_path, clock, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "keyresults")
    scene = waiting(tmp_path, clock)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(NINE + 10 * MINUTE)
        assert "collect/daily: done" not in caplog.messages
        simulation.pass_until(NINE + HOUR)
    assert caplog.messages.count("collect/daily: done") == 1


def test_what_failed_while_the_store_did_not_answer_is_tried_again_soon(tmp_path, clock, monkeypatch):
    """Wanted by a new config, it would else wait for its regular time."""
    scene = Scene(tmp_path, clock, {"evaluate": Cron("0 0 * * *", "UTC")})
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + MINUTE)
        with monkeypatch.context() as patched:
            for name in STORED:
                patched.setattr(scene.workspace.store, name, gone, raising=False)
            use(scene)
            scene.daemon.soon("evaluate")
            simulation.pass_until(clock.now + MINUTE)
        while clock.now < BEGUN + 20 * MINUTE:
            simulation.pass_until(clock.now + MINUTE / 2)
    assert len(scene.ran["evaluate"]) == 2


def test_what_ends_while_the_timetable_is_read_is_not_run_again(tmp_path, clock, monkeypatch):
    """The record that was read shows it still at work."""
    scene = Scene(tmp_path, clock, A)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + MINUTE)
        real = scene.workspace.store.jobs

        def read():
            scene.workspace.store.start_job("collect/a", clock.now, clock.now)
            records = real()
            scene.daemon._run("collect/a", clock.now)
            return records

        monkeypatch.setattr(scene.workspace.store, "jobs", read, raising=False)
        use(scene)
        simulation.pass_until(BEGUN + 50 * MINUTE)
    assert scene.times("collect/a") == [BEGUN, BEGUN + MINUTE]


def test_a_surprise_in_planning_ends_no_clockwork_where_the_clock_is_set_back(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, A)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + MINUTE)
        clock.now -= HOUR
        with monkeypatch.context() as patched:
            patched.setattr(scene.daemon, "_plan", lambda *_, **__: failing())
            simulation.look()
        back = clock.now
        while clock.now < back + 3 * HOUR + MINUTE:
            simulation.pass_until(clock.now + MINUTE / 2)
    assert scene.times("collect/a")[1:] == [back + HOUR * n for n in (1, 2, 3)]
