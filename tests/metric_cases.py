"""Short ways to write facts, definitions and readings in tests of metrics."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from columns import at, tables
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.definition import MetricDefinition
from keyresults.metrics.facts import Change, Deployment, Fact, Incident, Run, Sample, Shipment, StatusChange
from keyresults.metrics.measurement import Evidence, Measurement
from keyresults.metrics.measures import MEASURES
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.reading import FactNote, Reading
from keyresults.metrics.unit import Unit
from keyresults.metrics.window import WindowLength

SECONDS = Unit.parse("s")


def moment(when: str | datetime) -> datetime:
    return at(when) if isinstance(when, str) else when


def deployed(
    commit: str, when: str | datetime, *, key: str | None = None, seconds: float = 60, **fields: Any
) -> Deployment:
    """A deployment that succeeded at `when`, `seconds` after it was created."""
    done = moment(when)
    given = {
        "key": key or f"{commit}@{done:%m-%dT%H:%M:%S.%f}",
        "subject": "acme/pay",
        "environment": "production",
        "commit": commit,
        "created_at": done - timedelta(seconds=seconds),
        "statuses": (StatusChange("success", done),),
    }
    return Deployment(**{**given, **fields})


def statuses(*told: tuple[str, str]) -> tuple[StatusChange, ...]:
    return tuple(StatusChange(state, at(when)) for state, when in told)


def ran(run: str, created: str | datetime, conclusion: str | None, *, seconds: float = 300, **fields: Any) -> Run:
    """An attempt of a CI run that ended `seconds` after the run was created."""
    start = moment(created)
    attempt = fields.get("attempt", 1)
    given = {
        "key": f"{run}/{attempt}",
        "subject": "acme/pay",
        "workflow": "ci.yml",
        "run": run,
        "attempt": attempt,
        "branch": "main",
        "commit": "c0ffee",
        "created_at": start,
        "started_at": start,
        "completed_at": start + timedelta(seconds=seconds) if conclusion else None,
        "conclusion": conclusion,
    }
    return Run(**{**given, **fields})


def merged(commit: str, when: str, **fields: Any) -> Change:
    return Change(**{"key": commit, "subject": "acme/pay", "commit": commit, "merged_at": at(when), **fields})


def broke(key: str, when: str, **fields: Any) -> Incident:
    return Incident(**{"key": key, "subject": "acme/pay", "opened_at": at(when), **fields})


def between(previous: str, commit: str, *commits: str, **fields: Any) -> Shipment:
    """What a clone tells of two commits deployed one after the other."""
    given = {"key": f"{previous}..{commit}", "subject": "acme/pay", "found_at": at("2026-10-30")}
    return Shipment(**{**given, "previous": previous, "commit": commit, "commits": commits, **fields})


def daily(day: str, value: float | None = None, **fields: Any) -> Sample:
    """The sample of one whole UTC day."""
    given = {"key": day, "subject": "p99", "at": at(day), "until": at(day) + timedelta(days=1), "value": value}
    return Sample(**{**given, **fields})


def measured(when: str, value: float | None = None, **fields: Any) -> Sample:
    """A sample of one instant."""
    return Sample(**{"key": when, "subject": "acme/pay", "at": at(when), "value": value, **fields})


def definition(measure: str, window: str = "28d", **fields: Any) -> MetricDefinition:
    given = {
        "name": "m",
        "measure": measure,
        "sources": {},
        "unit": MEASURES[measure].unit or SECONDS,
        "window": WindowLength.parse(window),
        "max_age": timedelta(days=2),
    }
    return MetricDefinition(**{**given, **fields})


def measurement(
    what: MetricDefinition,
    facts: Iterable[Fact],
    coverage: TimeRanges,
    as_of: str | datetime,
    calendar: Calendar | None = None,
    **evidence: Any,
) -> Measurement:
    given = {"coverage": coverage, "subjects": ("acme/pay",), **evidence}
    if "tables" not in given:
        given["tables"] = tables(facts)
    return Measurement(what, Evidence(**given), calendar or Calendar(), moment(as_of))


def read(
    what: MetricDefinition,
    facts: Iterable[Fact],
    when: str | datetime = "2026-11-01",
    *,
    coverage: TimeRanges | None = None,
    as_of: str | datetime | None = None,
    calendar: Calendar | None = None,
    start: str = "2026-10-01",
    **evidence: Any,
) -> Reading:
    """The reading at `when`, by what is known then unless `as_of` says, from data complete since September."""
    known = moment(as_of or when)
    complete = TimeRanges.of(TimeRange(at("2026-09-01"), known)) if coverage is None else coverage
    one = measurement(what, facts, complete, known, calendar, **evidence)
    return one.readings([moment(when)], at(start))[0]


def explained(
    what: MetricDefinition, facts: Iterable[Fact], when: str = "2026-11-01", **more: Any
) -> dict[str, FactNote]:
    """Every fact the reading at `when` looked at, by key."""
    coverage = more.pop("coverage", TimeRanges.of(TimeRange(at("2026-09-01"), at(when))))
    one = measurement(what, facts, coverage, more.pop("as_of", when), **more)
    (reading,) = one.readings([at(when)], at("2026-10-01"))
    return {note.key: note for note in one.evidence(reading)}
