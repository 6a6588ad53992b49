"""The clockwork with real threads: what is planned anew while it is begun costs nobody anything."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from keyresults.jobs.scheduler import Clockwork


@pytest.fixture
def clockwork():
    made = Clockwork(lambda: datetime.now(UTC), beat=lambda: None, replan=lambda: None, bound=0.01)
    made.start()
    yield made
    assert made.stop(5)


@pytest.fixture
def impatient():
    """Threads that take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_it_may_be_planned_anew_at_the_moment_it_begins(clockwork, impatient):
    ran = threading.Event()
    for _ in range(3000):
        clockwork.at("evaluate", datetime.now(UTC), lambda: None)
    clockwork.at("evaluate", datetime.now(UTC), ran.set)
    assert ran.wait(5)


def test_what_was_planned_anew_while_it_waited_for_a_thread_runs_once(clockwork):
    ran, free, done = [], threading.Event(), threading.Event()
    for n in range(8):
        clockwork.at(f"busy/{n}", datetime.now(UTC), lambda: free.wait(10))
    clockwork.at("report", datetime.now(UTC), lambda: ran.append("as planned first"))
    clockwork.at("other", datetime.now(UTC), lambda: None)
    threading.Event().wait(0.2)
    clockwork.at("report", datetime.now(UTC) + timedelta(milliseconds=1), lambda: (ran.append("anew"), done.set()))
    free.set()
    assert done.wait(5)
    assert ran == ["anew"]


def test_it_may_be_stopped_in_the_middle_of_its_look(monkeypatch):
    """Whoever stops it does not wait until it has begun all that is due; nothing is said on standard error."""
    raised, looking, stopped = [], threading.Event(), threading.Event()
    monkeypatch.setattr(threading, "excepthook", raised.append)
    made = Clockwork(lambda: datetime.now(UTC), beat=lambda: None, replan=lambda: None, bound=0.01)
    remove = made._scheduler.remove_job

    def slowly(*arguments):
        looking.set()
        stopped.wait(0.5)
        remove(*arguments)

    monkeypatch.setattr(made._scheduler, "remove_job", slowly)
    made.at("evaluate", datetime.now(UTC), lambda: None)
    made.start()
    assert looking.wait(5)
    assert made.stop(5)
    assert raised == []
