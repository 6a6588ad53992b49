"""What tells people of numbers waits for the collections that are due by then: they'd be a collection old."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from daemon_scenes import BEGUN, HOUR, failing
from job_scenes import rows, write_scene
from keyresults.config.load import load
from keyresults.jobs.daemon import Daemon
from keyresults.jobs.due import Cron, Every
from keyresults.jobs.pulse import Pulse
from keyresults.jobs.routine import Routine
from keyresults.jobs.routines import Work
from keyresults.jobs.workspace import Workspace
from simulated_time import Clock, simulated

MINUTE = timedelta(minutes=1)
NINE = BEGUN + HOUR
DAILY = Cron("0 9 * * *", "UTC")


class Scene:
    """A report at nine, and collections; `ran` is what ran when, and for which time."""

    def __init__(self, folder, clock, **schedules):
        self.clock = clock
        self.ran: list[tuple[str, datetime, datetime]] = []
        self.answers = {}
        workspace = Workspace(load(write_scene(folder, rows(1))), writing=True, clock=clock, chance=lambda: 1.0)
        made = {"report": Routine(name="report", schedule=DAILY, run=self.run("report"), at_once=False, behind=True)}
        made |= {
            name: Routine(name=name, schedule=schedule, run=self.run(name), spread=MINUTE, lane="sources")
            for name, schedule in schedules.items()
        }
        self.daemon = Daemon(workspace, lambda workspace: made)

    def run(self, name):
        def run(due):
            self.ran.append((name, due, self.clock.now))
            return self.answers[name]() if name in self.answers else None

        return run

    def since(self, start):
        return [name for name, _, at in self.ran if at >= start]


@pytest.fixture
def clock():
    return Clock(BEGUN)


def test_a_report_is_made_behind_the_collections_that_are_due_with_it(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, a=DAILY, b=Every(HOUR / 6))
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(NINE + 5 * MINUTE)
    assert sorted(scene.since(NINE)[:2]) == ["a", "b"]
    report, due, at = scene.ran[-1]
    assert (report, due) == ("report", NINE), "as of the time that it was due"
    assert at - NINE <= 2 * MINUTE


def test_after_a_rest_too(tmp_path, clock, monkeypatch):
    with simulated(Scene(tmp_path, clock, a=DAILY).daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + 90 * MINUTE)
    clock.now += timedelta(days=3)
    after = Scene(tmp_path, clock, a=DAILY)
    with simulated(after.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(clock.now + 5 * MINUTE)
    assert [name for name, _, _ in after.ran] == ["a", "report"]


def test_it_does_not_wait_for_one_that_failed_and_is_tried_again_later(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, a=Every(HOUR / 6))
    scene.answers["a"] = failing
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(NINE + 5 * MINUTE)
    (at,) = [at for name, _, at in scene.ran if name == "report"]
    assert at <= NINE + MINUTE


def test_it_waits_ten_minutes_for_one_that_hangs(tmp_path, clock, monkeypatch):
    scene = Scene(tmp_path, clock, a=DAILY)
    with simulated(scene.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(BEGUN + 30 * MINUTE)
        scene.daemon._running.add("a")
        simulation.pass_until(NINE + HOUR)
    (at,) = [at for name, _, at in scene.ran if name == "report"]
    assert timedelta(0) <= at - NINE - 10 * MINUTE <= MINUTE


def test_reports_and_reminders_wait_and_nothing_else(tmp_path):
    path = write_scene(tmp_path, rows(1))
    path.write_text(
        path.read_text()
        + '\n[reports.weekly]\nat = "monday 09:00"\n[checkins]\nevery = "1 week"\non = "friday 10:00"\n'
    )
    with Workspace(load(path), writing=True) as workspace:
        waiting = {name for name, one in Work(workspace, Pulse()).routines().items() if one.behind}
    assert waiting == {"report/weekly", "checkins"}
