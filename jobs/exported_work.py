"""What monitoring is told of the daemon's own work: its jobs, the notices that wait, and itself."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from datetime import datetime

from ..collectors.http import release
from ..storage.timetable import JobRecord
from .exported import (
    BEAT,
    BUILD,
    CONFIG_OK,
    JOB_DUE,
    JOB_FAILURES,
    JOB_SECONDS,
    JOB_SUCCESS,
    NOTICES,
    NOTICES_AGE,
    READY,
    Point,
    seconds,
    since_1970,
)
from .pulse import Pulse
from .workspace import Workspace


def of_jobs(jobs: Mapping[str, JobRecord]) -> Iterator[Point]:
    """Of those that are still planned."""
    for name, job in jobs.items():
        if job.next_due is None:
            continue
        yield JOB_DUE, (name,), since_1970(job.next_due)
        yield JOB_FAILURES, (name,), float(job.failures)
        if job.started_at is not None and job.finished_at is not None and job.finished_at >= job.started_at:
            yield JOB_SECONDS, (name,), seconds(job.finished_at - job.started_at)
        yield JOB_SUCCESS, (name,), since_1970(job.succeeded_at)


def of_notices(workspace: Workspace) -> Iterator[Point]:
    waiting: dict[str, list[datetime]] = {name: [] for name in workspace.config.notify}
    for one in workspace.store.unsent():
        waiting.setdefault(one.notice.channel, []).append(one.created_at)
    for channel, since in waiting.items():
        yield NOTICES, (channel,), float(len(since))
        if since:
            yield NOTICES_AGE, (channel,), seconds(workspace.clock() - min(since))


def of_daemon(pulse: Pulse) -> Iterator[Point]:
    yield READY, (), float(pulse.ready)
    yield BEAT, (), pulse.age
    yield CONFIG_OK, (), float(not pulse.config_error)
    yield BUILD, (release(), platform.python_version()), 1.0
