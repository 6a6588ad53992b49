"""Runs of routines, each noted in the store's timetable: what the store does then ends none of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from ..storage.errors import StoreError
from ..storage.timetable import JobOutcome, JobRecord
from .routine import Failed, Idle, Later, Planned, Routine, Said, newest_due, next_due, retry
from .threads import Stopped
from .workspace import Workspace

_WORDS = {"ok": "done", "waits": "its source asked to wait"}

log = logging.getLogger("keyresults.daemon")


class NotedRuns:
    """Threads may share it, each for other routines."""

    def __init__(self) -> None:
        self._unnoted: dict[str, datetime] = {}

    def records(self, workspace: Workspace) -> Mapping[str, JobRecord] | None:
        """None where the store can't be read: what is planned stays until it can."""
        try:
            return workspace.store.jobs()
        except StoreError as error:
            log.error("the store can't be read: %s", error)
        except Exception:
            log.exception("reading when jobs are due failed in a way it should not")
        return None

    def plan(self, workspace: Workspace, name: str, begins: datetime | None) -> None:
        """Note when it is run next; None where it is planned no more."""
        _noted(partial(workspace.store.plan_job, name, begins))

    def owed(self, name: str, now: datetime) -> Planned | None:
        """At once, where it failed last and the store does not know; its record tells of a run before."""
        due = self._unnoted.get(name)
        return None if due is None else Planned(min(due, now), now)

    def run(self, workspace: Workspace, routine: Routine, due: datetime) -> Planned:
        """Run it and note how that went; what comes next.

        A run that failed or has to wait is still due for the time it was due for, so that its rhythm stays.

        Raises:
            Stopped: where it is to end.
        """
        begun, store = workspace.clock(), workspace.store
        due = newest_due(routine, due, begun)
        said, error = _run(workspace, routine, due, begun)
        now = workspace.clock()
        again = next_due(routine, due, begun, now, said) if error is None else _retry(workspace, routine, now)
        outcome: JobOutcome = "failed" if error is not None else "waits" if isinstance(said, Later) else "ok"
        noted = _noted(partial(store.finish_job, routine.name, now, outcome, error, again))
        self._unnoted.pop(routine.name, None)
        if outcome == "failed" and not noted:
            self._unnoted[routine.name] = due
        level = logging.WARNING if error is not None else logging.DEBUG if isinstance(said, Idle) else logging.INFO
        told = {
            "job": routine.name,
            "outcome": outcome,
            "seconds": round((now - begun) / timedelta(seconds=1), 3),
            "next": again.isoformat(timespec="seconds"),
        }
        log.log(level, "%s: %s", routine.name, _WORDS.get(outcome, error), extra=told)
        return Planned(again if outcome == "ok" else due, again)


def _run(workspace: Workspace, routine: Routine, due: datetime, begun: datetime) -> tuple[Said, str | None]:
    """What it said, and why it failed; None where it did not."""
    try:
        workspace.store.start_job(routine.name, due, begun)
        return routine.run(due), None
    except (Failed, StoreError) as failure:
        return None, str(failure)
    except Stopped:
        raise
    except BaseException as unexpected:  # a library in Rust that panics raises no Exception
        log.exception("%s failed in a way it should not", routine.name)
        return None, f"it failed in a way it should not: {type(unexpected).__name__}"


def _retry(workspace: Workspace, routine: Routine, now: datetime) -> datetime:
    try:
        record = workspace.store.job(routine.name)
    except StoreError:
        record = None
    return retry(1 + (record.failures if record else 0), now)


def _noted(note: Callable[[], None]) -> bool:
    """What can't be noted is asked again after the next start; the routine itself is not held up by it."""
    try:
        note()
    except StoreError as error:
        log.error("it can't be noted when jobs are due: %s", error)
    except Exception:
        log.exception("noting when jobs are due failed in a way it should not")
    else:
        return True
    return False
