"""What the daemon does next after failures, restarts and changes of the config."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from daemon_scenes import BEGUN, DAY, HOUR, Scene, failing
from keyresults.jobs.due import Cron, Every
from keyresults.jobs.routine import Routine, plan
from keyresults.storage.errors import StoreError
from keyresults.storage.tables import jobs
from simulated_time import Clock, simulated
from sqlalchemy.exc import TimeoutError as PoolTimeout

MINUTE = timedelta(minutes=1)
WEEKLY = {"report/weekly": Cron("0 9 * * 1", "Europe/Berlin")}
MONDAY = datetime(2026, 10, 5, 7, tzinfo=UTC)
A, B = {"collect/a": Every(HOUR)}, {"collect/b": Every(HOUR)}


@pytest.fixture
def clock():
    return Clock(BEGUN)


def use(scene, schedules):
    scene.schedules = schedules
    scene.daemon.use(scene.workspace.under(scene.workspace.config))


def test_what_left_the_config_while_the_daemon_was_stopped_is_planned_no_more(tmp_path, clock, monkeypatch):
    for schedules in (A | B, A):
        scene = Scene(tmp_path, clock, schedules)
        with simulated(scene.daemon, clock, monkeypatch) as simulation:
            simulation.pass_until(clock.now + 90 * MINUTE)
    assert scene.workspace.store.job("collect/a").next_due is not None
    assert scene.workspace.store.job("collect/b").next_due is None


def test_what_left_the_config_while_it_ran_is_planned_no_more(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, A | B)
    scene.answers["collect/b"] = lambda: use(scene, A)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + 3 * HOUR)
    assert len(scene.ran["collect/b"]) == 1
    assert scene.workspace.store.job("collect/b").next_due is None


def test_a_rhythm_that_changed_while_it_ran_holds_from_then_on(tmp_path, clock, monkeypatch):
    def change():
        scene.answers.clear()
        use(scene, {"collect/a": Every(15 * MINUTE)})

    scene = Scene(tmp_path, clock, {"collect/a": Every(DAY)})
    scene.answers["collect/a"] = change
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + 3 * HOUR)
    assert scene.times("collect/a") == [BEGUN + 15 * MINUTE * n for n in range(12)]


def test_a_report_whose_day_changed_before_it_ever_ran_keeps_to_the_new_one(tmp_path, clock):
    def weekly(day):
        return Routine(name="report/x", schedule=Cron(f"0 9 * * {day}", "UTC"), run=failing, at_once=False)

    store = Scene(tmp_path, clock).workspace.store
    store.plan_job("report/x", plan(weekly(5), None, BEGUN).begins)
    assert store.job("report/x").next_due == datetime(2026, 10, 2, 9, tzinfo=UTC), "a Friday"
    assert plan(weekly(0), store.job("report/x"), BEGUN).due == datetime(2026, 10, 4, 9, tzinfo=UTC), "a Sunday"


def beat_until(simulation, end):
    """As the clockwork does, at least every thirty seconds."""
    while simulation.clock.now < end:
        simulation.pass_until(min(simulation.clock.now + MINUTE / 2, end))


def failed_until(scene, end):
    scene.answers["report/weekly"] = lambda: failing() if scene.clock.now < end else None
    return scene


def weekly(folder, clock, *, well_from):
    """As it stands an hour before a Monday's report, which fails until that time."""
    clock.now = MONDAY - HOUR
    scene = failed_until(Scene(folder, clock, WEEKLY, at_once=False), well_from)
    scene.workspace.store.start_job("report/weekly", MONDAY - 7 * DAY, MONDAY - 7 * DAY)
    scene.workspace.store.finish_job("report/weekly", MONDAY - 7 * DAY + MINUTE, "ok", None, MONDAY)
    return scene


def test_a_restart_changes_nothing_of_what_is_tried_again(tmp_path, clock, monkeypatch):
    well_from = MONDAY + 7 * MINUTE
    scene = weekly(tmp_path, clock, well_from=well_from)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(MONDAY + 6 * MINUTE)
    assert scene.ran["report/weekly"] == [(MONDAY, MONDAY), (MONDAY, MONDAY + 5 * MINUTE)]
    after = failed_until(Scene(tmp_path, clock, WEEKLY), well_from)
    with simulated(after.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(MONDAY + 3 * HOUR)
    assert after.ran["report/weekly"] == [(MONDAY, MONDAY + 15 * MINUTE)], "in its turn, as of its time"


def test_what_failed_for_a_week_is_done_for_the_newest_time_and_goes_on(tmp_path, clock, monkeypatch):
    scene = weekly(tmp_path, clock, well_from=MONDAY + 8 * DAY)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(MONDAY + 15 * DAY)
    done = [due for due, at in scene.ran["report/weekly"] if at >= MONDAY + 8 * DAY]
    assert done == [MONDAY + 7 * DAY, MONDAY + 14 * DAY]


def full(*args):
    raise PoolTimeout("QueuePool limit of size 5 overflow 10 reached")


def test_a_panic_of_a_library_is_a_failure_as_any(tmp_path, clock, monkeypatch):
    class Panic(BaseException):
        pass

    def panic():
        raise Panic

    scene = Scene(tmp_path, clock, A)
    scene.answers["collect/a"] = panic
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + 14 * MINUTE)
        record = scene.workspace.store.job("collect/a")
        assert (record.failures, record.error) == (2, "it failed in a way it should not: Panic")
        scene.answers.clear()
        simulation.pass_until(BEGUN + 90 * MINUTE)
    assert scene.times("collect/a") == [BEGUN, BEGUN + 5 * MINUTE, BEGUN + 15 * MINUTE, BEGUN + HOUR]


@pytest.mark.parametrize("what", ["start_job", "finish_job", "plan_job"])
def test_a_store_that_fails_in_a_way_it_should_not_costs_no_routine_its_future(tmp_path, clock, monkeypatch, what):
    scene = Scene(tmp_path, clock, A | B)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + 10 * MINUTE)
        with monkeypatch.context() as patched:
            patched.setattr(scene.workspace.store, what, full, raising=False)
            use(scene, A | B)
            simulation.pass_until(BEGUN + 65 * MINUTE)
        simulation.pass_until(BEGUN + 5 * HOUR)
    assert scene.times("collect/a")[-2:] == scene.times("collect/b")[-2:] == [BEGUN + 3 * HOUR, BEGUN + 4 * HOUR]


def test_a_report_that_is_owed_outlives_a_reload_while_the_store_does_not_answer(tmp_path, clock, monkeypatch):
    def gone(*args):
        raise StoreError("the server can't be reached")

    scene = weekly(tmp_path, clock, well_from=MONDAY)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(MONDAY - MINUTE)
        with monkeypatch.context() as patched:
            for name in ("start_job", "finish_job", "job", "jobs", "plan_job"):
                patched.setattr(scene.workspace.store, name, gone, raising=False)
            simulation.pass_until(MONDAY + 7 * MINUTE)
            use(scene, WEEKLY | A)
            simulation.pass_until(MONDAY + 20 * MINUTE)
        beat_until(simulation, MONDAY + 2 * HOUR)
    (made,) = scene.times("report/weekly")
    assert made - (MONDAY + 20 * MINUTE) <= MINUTE
    assert scene.workspace.store.job("collect/a").outcome == "ok"


def test_nor_does_it_stop_the_clockwork_where_the_clock_is_set_back_just_then(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, A)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + 10 * MINUTE)
        clock.now -= DAY
        with monkeypatch.context() as patched:
            patched.setattr(scene.workspace.store, "jobs", full, raising=False)
            beat_until(simulation, clock.now + MINUTE)
        back = clock.now
        beat_until(simulation, back + 3 * HOUR)
    assert len([at for at in scene.times("collect/a") if at >= back]) == 3


def test_a_store_put_in_its_place_that_knows_nothing_of_a_run_is_told_how_it_ended(tmp_path, clock, monkeypatch):
    def forget():
        with scene.workspace.store._writing() as conn:
            conn.execute(jobs.delete())
        failing()

    scene = Scene(tmp_path, clock, A)
    scene.answers["collect/a"] = forget
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + MINUTE)
        assert scene.workspace.store.job("collect/a").failures == 1
        scene.answers.clear()
        simulation.pass_until(BEGUN + 90 * MINUTE)
    assert scene.times("collect/a") == [BEGUN, BEGUN + 5 * MINUTE, BEGUN + HOUR]


def test_what_is_wanted_while_it_runs_runs_again_behind_that(tmp_path, clock, monkeypatch):
    def ask():
        scene.answers.clear()
        scene.daemon.soon("collect/a")

    scene = Scene(tmp_path, clock, A)
    scene.answers["collect/a"] = ask
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + MINUTE)
    assert len(scene.ran["collect/a"]) == 2
