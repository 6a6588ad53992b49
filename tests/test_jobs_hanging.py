"""What hangs holds up neither the others nor the end; with real threads."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from job_scenes import rows, write_scene
from keyresults.config.load import load
from keyresults.jobs.daemon import Daemon
from keyresults.jobs.due import Every
from keyresults.jobs.pulse import Pulse
from keyresults.jobs.routine import Routine
from keyresults.jobs.routines import Work
from keyresults.jobs.workspace import Workspace

HOUR = timedelta(hours=1)


@pytest.fixture
def workspace(tmp_path):
    with Workspace(load(write_scene(tmp_path, rows(1))), writing=True) as one:
        yield one


def test_however_many_sources_hang_the_rest_of_the_work_goes_on(workspace):
    hanging, done = threading.Event(), threading.Event()

    def hang(due):
        hanging.wait(30)

    routines = {
        f"collect/{n}": Routine(name=f"collect/{n}", schedule=Every(HOUR), run=hang, lane="sources") for n in range(20)
    }
    routines["evaluate"] = Routine(name="evaluate", schedule=Every(HOUR), run=lambda due: done.set())
    daemon = Daemon(workspace, lambda _: routines, bound=0.05)
    daemon.start()
    try:
        assert done.wait(10)
    finally:
        hanging.set()
        assert daemon.stop(10)


def test_sources_and_nothing_else_are_asked_beside_the_rest(workspace):
    lanes = {name: one.lane for name, one in Work(workspace, Pulse()).routines().items()}
    assert {name for name, lane in lanes.items() if lane == "sources"} == {"collect/exports", "collect/people"}


def test_it_ends_in_time_though_looking_at_the_store_hangs(workspace):
    """A server that does not answer, asked whether the lock still holds."""
    hanging, looking = threading.Event(), threading.Event()

    def look():
        looking.set()
        hanging.wait(30)

    daemon = Daemon(workspace, lambda _: {}, watch=look)
    daemon.start()
    try:
        assert looking.wait(10)
        begun = time.monotonic()
        assert not daemon.stop(0.5)
        assert time.monotonic() - begun < 5
    finally:
        hanging.set()
