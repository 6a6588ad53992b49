"""What a source asked to wait for is kept to, across processes, and not longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.collectors.contract import RetryAt
from keyresults.collectors.file import FactFiles
from keyresults.jobs.collect import collect

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def config(tmp_path):
    return write_scene(tmp_path, rows(20))


@pytest.fixture(params=["streams", "collect"])
def asked(request, monkeypatch):
    """When it was asked; it has had too many requests, of what streams it has or of what they hold."""
    times = []

    def refuse(self, *args):
        times.append(now := self._context.clock())
        raise RetryAt(now + HOUR, "too many requests")

    monkeypatch.setattr(FactFiles, request.param, refuse)
    return times


def ask(config, at):
    with workspace(config, at) as one:
        return [run for run in collect(one, ["exports"]).runs if run.outcome == "retry"]


def test_nothing_is_asked_before_the_time_it_told(config, asked):
    (first,) = ask(config, NOW)
    (again,) = ask(config, NOW + HOUR / 2)
    assert (again.retry_at, again.error) == (first.retry_at, "too many requests")
    assert asked == [NOW]
    ask(config, first.retry_at)
    assert asked == [NOW, first.retry_at]


def test_a_clock_that_was_set_back_makes_no_wait_longer(config, asked):
    ask(config, NOW)
    ask(config, NOW - DAY)
    assert asked == [NOW, NOW - DAY]
    ask(config, NOW - DAY + HOUR / 2)
    assert asked == [NOW, NOW - DAY], "and the one that it told then is kept"
