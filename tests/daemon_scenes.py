"""A daemon whose routines only note when they ran, under a clock that a test turns."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from job_scenes import rows, write_scene
from keyresults.config.load import load
from keyresults.jobs.daemon import Daemon
from keyresults.jobs.due import Cron, Every
from keyresults.jobs.routine import Failed, Routine
from keyresults.jobs.workspace import Workspace

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGUN = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)

SCHEDULES = {
    "collect/hourly": Every(HOUR),
    "collect/slow": Every(timedelta(hours=7)),
    "collect/daily": Cron("30 2 * * *", "Europe/Berlin"),
    "evaluate": Cron("0 0 * * *", "Europe/Berlin"),
    "report/weekly": Cron("0 9 * * 1", "Europe/Berlin"),
    "report/monthly": Cron("0 9 1 * *", "Europe/Berlin"),
    "workdays": Cron("15 18 * * 1-5", "Europe/Berlin"),
}


class Scene:
    """A daemon whose routines only note when they ran and what for; some can be told to fail."""

    def __init__(self, folder, clock, schedules=SCHEDULES, **more):
        path = write_scene(folder, rows(1))
        self.clock = clock
        self.ran = defaultdict(list)
        self.answers = {}
        self.workspace = Workspace(load(path), writing=True, clock=clock, chance=more.pop("chance", lambda: 0.0))
        self.schedules = schedules
        self.at_once = more.pop("at_once", True)
        self.daemon = Daemon(self.workspace, lambda workspace: self.routines(), **more)

    def routines(self):
        return {
            name: Routine(
                name=name,
                schedule=schedule,
                run=lambda due, name=name: self.run(name, due),
                spread=HOUR / 60,
                at_once=self.at_once,
            )
            for name, schedule in self.schedules.items()
        }

    def run(self, name, due):
        self.ran[name].append((due, self.clock.now))
        answer = self.answers.get(name)
        return answer() if answer else None

    def times(self, name):
        return [at for _, at in self.ran[name]]

    def dues(self, name):
        return [due for due, _ in self.ran[name]]


def failing():
    raise Failed("no answer")
