"""The daemon under a clock that is turned: every routine runs as often as it should, whatever happens meanwhile."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from daemon_scenes import BEGUN, DAY, HOUR, SCHEDULES, Scene, failing
from job_scenes import rows, write_scene
from keyresults.config.load import load
from keyresults.jobs.daemon import Daemon
from keyresults.jobs.due import Cron, Every
from keyresults.jobs.routine import Later, Routine, plan
from keyresults.jobs.workspace import Workspace
from keyresults.storage.errors import StoreError
from simulated_time import Clock, simulated

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def clock():
    return Clock(BEGUN)


def expected(schedule, start, end):
    """By a plain walk over quarters of hours on the wall, for lines of cron without steps.

    A quarter that the clock leaves out in spring is there when the clock goes on.
    """
    minute, hour, day, _, weekdays = schedule.line.split()
    quarter = timedelta(minutes=15)
    found, at = [], start
    shown = start.astimezone(BERLIN).replace(tzinfo=None)
    while at < end:
        wall = at.astimezone(BERLIN)
        now = wall.replace(tzinfo=None)
        passed = [shown + quarter * n for n in range(1, (now - shown) // quarter)] + [now]
        fits = [
            one
            for one in passed
            if (one.minute, one.hour) == (int(minute), int(hour))
            and day in ("*", str(one.day))
            and (weekdays in ("*", str(one.isoweekday() % 7)) or (weekdays == "1-5" and one.weekday() < 5))
        ]
        if fits and wall.fold == 0:
            found.append(at)
        shown = now
        at += quarter
    return found


def test_weeks_through_a_change_of_clocks_and_a_new_year(tmp_path, clock, monkeypatch):
    scene, end = Scene(tmp_path, clock), datetime(2027, 1, 5, tzinfo=UTC)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(end)
    for name, schedule in SCHEDULES.items():
        assert scene.times(name)[0] == BEGUN, "what never ran is due at once"
        if isinstance(schedule, Cron):
            assert scene.times(name)[1:] == expected(schedule, BEGUN, end), name
        else:
            every = schedule.span
            assert scene.times(name) == [BEGUN + every * n for n in range(-(-(end - BEGUN) // every))], name
    days = [at.astimezone(BERLIN).date() for at in scene.times("evaluate")[1:]]
    assert days == [date(2026, 10, 2) + DAY * n for n in range(len(days))]


def test_what_begins_a_little_late_keeps_its_rhythm(tmp_path, clock, monkeypatch):
    chances = iter([0.9, 0.1, 0.5] * 1000)
    scene = Scene(tmp_path, clock, {"collect/hourly": Every(HOUR)}, chance=lambda: next(chances))
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + 30 * HOUR)
    assert scene.dues("collect/hourly") == [BEGUN + HOUR * n for n in range(30)]
    assert all(timedelta(0) <= at - due <= HOUR / 60 for due, at in scene.ran["collect/hourly"])


def test_after_three_weeks_of_rest_each_routine_runs_once_and_goes_on(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + 10 * HOUR)
    clock.now = back = BEGUN + 21 * DAY + 25 * timedelta(minutes=1)
    after = Scene(tmp_path, clock)
    with simulated(after.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(back + timedelta(minutes=20))
        assert Counter({name: len(times) for name, times in after.ran.items()}) == Counter(
            dict.fromkeys(set(SCHEDULES) - {"report/monthly"}, 1)
        ), "the first of the month was before"
        simulation.pass_until(back + 5 * HOUR)
    assert after.times("collect/hourly") == [back + HOUR * n for n in range(5)]


def test_a_restart_repeats_nothing(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + timedelta(minutes=90))
    after = Scene(tmp_path, clock)
    with simulated(after.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + timedelta(minutes=100))
        assert not after.ran
        simulation.pass_until(BEGUN + 2 * HOUR + timedelta(seconds=1))
    assert after.times("collect/hourly") == [BEGUN + 2 * HOUR]


def test_what_was_running_when_the_process_died_runs_again(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, {"collect/hourly": Every(HOUR)})
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + timedelta(minutes=61))
        monkeypatch.setattr(scene.workspace.store, "finish_job", lambda *_: None, raising=False)
        simulation.pass_until(BEGUN + timedelta(minutes=125))
    after = Scene(tmp_path, clock, {"collect/hourly": Every(HOUR)})
    with simulated(after.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(clock.now + timedelta(minutes=1))
    assert len(after.ran["collect/hourly"]) == 1


@pytest.mark.parametrize(("rest", "missed"), [(timedelta(minutes=7), False), (8 * DAY, True)])
def test_what_died_runs_again_for_the_time_it_was_due_for_unless_another_came(tmp_path, clock, rest, missed):
    weekly = Routine(name="report/weekly", schedule=Cron("0 9 * * 1", "Europe/Berlin"), run=failing)
    monday = datetime(2026, 10, 5, 7, 0, tzinfo=UTC)
    store = Scene(tmp_path, clock).workspace.store
    store.start_job(weekly.name, monday, monday + timedelta(seconds=2))
    now = monday + rest
    assert plan(weekly, store.job(weekly.name), now).due == (now if missed else monday)


def test_a_failing_routine_is_tried_less_and_less_often_and_alone(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, {"collect/a": Every(HOUR), "collect/b": Every(HOUR)})
    scene.answers["collect/a"] = failing
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + 6 * HOUR)
        minutes = [round((at - BEGUN) / timedelta(minutes=1)) for at in scene.times("collect/a")]
        # 5, 10, 20, 40 minutes, then every hour.
        assert minutes == [0, 5, 15, 35, 75, 135, 195, 255, 315]
        assert scene.times("collect/b") == [BEGUN + HOUR * n for n in range(6)]
        record = scene.workspace.store.job("collect/a")
        assert (record.outcome, record.failures, record.error) == ("failed", 9, "no answer")
        del scene.answers["collect/a"]
        simulation.pass_until(BEGUN + 9 * HOUR)
    assert scene.workspace.store.job("collect/a").failures == 0
    assert [at.minute for at in scene.times("collect/a")[-2:]] == [0, 0], "it is back in its rhythm"


def test_a_failing_source_is_not_asked_more_often_by_restarts(tmp_path, clock, monkeypatch):
    total = 0
    for _ in range(12):
        scene = Scene(tmp_path, clock, {"collect/a": Every(timedelta(minutes=1))})
        scene.answers["collect/a"] = failing
        with simulated(scene.daemon, clock, monkeypatch) as simulation:
            simulation.pass_until(clock.now + timedelta(minutes=10))
        total += len(scene.ran["collect/a"])
    # Two hours: at 0, 5, 15, 35, 75 minutes, and nothing in the hour after that.
    assert total == 5


def test_a_source_that_asks_to_wait_is_asked_again_then(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, {"collect/a": Every(timedelta(minutes=15))})
    until = BEGUN + timedelta(minutes=50)
    scene.answers["collect/a"] = lambda: Later(until) if clock.now < until else None
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + timedelta(minutes=80))
    assert scene.times("collect/a") == [BEGUN, until, BEGUN + timedelta(minutes=60), BEGUN + timedelta(minutes=75)]
    assert scene.workspace.store.job("collect/a").failures == 0


def test_what_fails_in_a_way_it_should_not_is_noted_and_tried_again(tmp_path, clock, monkeypatch):
    def broken():
        raise KeyError("secret-token")

    scene = Scene(tmp_path, clock, {"collect/a": Every(HOUR)})
    scene.answers["collect/a"] = broken
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + timedelta(minutes=6))
    assert scene.workspace.store.job("collect/a").error == "it failed in a way it should not: KeyError"
    assert len(scene.ran["collect/a"]) == 2


def test_a_clock_that_is_set_back_a_day_holds_nothing_up(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, {"collect/hourly": Every(HOUR), "evaluate": Cron("0 0 * * *", "UTC")})
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + 50 * HOUR)
        before = len(scene.ran["collect/hourly"])
        clock.now -= DAY
        back = clock.now
        simulation.pass_until(back + 3 * HOUR + timedelta(seconds=1))
    assert len(scene.ran["collect/hourly"]) - before == 3
    assert scene.times("collect/hourly")[-1] == back + 3 * HOUR


def test_a_clock_that_leaps_runs_what_it_passed_once(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, {"collect/hourly": Every(HOUR)})
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + timedelta(minutes=30))
        clock.now += 12 * HOUR
        simulation.pass_until(clock.now + timedelta(minutes=5))
    assert len(scene.ran["collect/hourly"]) == 2


def test_a_store_that_does_not_answer_is_asked_again(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, {"collect/hourly": Every(HOUR)})
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + timedelta(minutes=30))

        def gone(*args):
            raise StoreError("the server can't be reached")

        with monkeypatch.context() as patched:
            for name in ("start_job", "finish_job", "job", "jobs", "plan_job"):
                patched.setattr(scene.workspace.store, name, gone, raising=False)
            simulation.pass_until(BEGUN + timedelta(minutes=90))
        assert len(scene.ran["collect/hourly"]) == 1
        simulation.pass_until(BEGUN + 4 * HOUR)
    assert len(scene.ran["collect/hourly"]) >= 3
    assert scene.workspace.store.job("collect/hourly").failures == 0


def test_a_new_config_is_used_from_then_on(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, {"collect/a": Every(HOUR), "collect/b": Every(HOUR)})
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + timedelta(minutes=90))
        scene.schedules = {"collect/b": Every(timedelta(minutes=10)), "collect/c": Every(HOUR)}
        scene.daemon.use(scene.workspace.under(scene.workspace.config))
        simulation.pass_until(BEGUN + timedelta(minutes=125))
    assert len(scene.ran["collect/a"]) == 2
    assert [round((at - BEGUN) / timedelta(minutes=1)) for at in scene.times("collect/b")] == [0, 60, 90, 100, 110, 120]
    assert [round((at - BEGUN) / timedelta(minutes=1)) for at in scene.times("collect/c")] == [90]
    assert scene.workspace.store.job("collect/a").next_due is None


@pytest.mark.soak
def test_a_year(tmp_path, clock, monkeypatch, soak):
    days = soak(short=30, whole=365)
    scene, end = Scene(tmp_path, clock), BEGUN + days * DAY
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(end)
    for name, schedule in SCHEDULES.items():
        if isinstance(schedule, Cron):
            assert scene.times(name)[1:] == expected(schedule, BEGUN, end), name
        else:
            assert len(scene.times(name)) == -(-(end - BEGUN) // schedule.span), name


def test_what_is_due_again_as_soon_as_it_ends_is_not_dropped(tmp_path):
    """With real threads: a run plans the next one while APScheduler still counts it as running."""
    path = write_scene(tmp_path, rows(1))
    ran = []
    enough = threading.Event()

    def run(due):
        ran.append(due)
        if len(ran) >= 200:
            enough.set()
        time.sleep(0.001)

    with Workspace(load(path), writing=True) as workspace:
        schedule = Every(timedelta(microseconds=10))
        routine = Routine(name="busy", schedule=schedule, run=run)
        daemon = Daemon(workspace, lambda workspace: {"busy": routine}, bound=0.05)
        daemon.start()
        assert enough.wait(30), f"it stopped after {len(ran)} runs"
        assert daemon.stop(5)
