"""Facts to store, one maker per kind: the same number gives the same fact."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

from keyresults.metrics.facts import Change, Deployment, FactKind, Incident, Run, Sample, Shipment, StatusChange
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.stream import Stream

START = datetime(2026, 10, 1, tzinfo=UTC)


def hours(n: float) -> datetime:
    return START + timedelta(hours=n)


def covered(*pairs: tuple[float, float]) -> TimeRanges:
    return TimeRanges.of(*(TimeRange(hours(a), hours(b)) for a, b in pairs))


def stream(kind: FactKind = "deployments", subject: str = "acme/payments", source: str = "github") -> Stream:
    return Stream(source, kind, subject, {"environment": "production"})


def deployment(n: int, *, state: str = "success", hour: float | None = None) -> Deployment:
    at = hours(n if hour is None else hour)
    return Deployment(
        key=f"d{n}",
        subject="acme/payments",
        environment="production",
        commit=f"{n:040x}",
        created_at=at,
        statuses=(
            StatusChange("waiting", at + timedelta(seconds=1)),
            StatusChange("in_progress", at + timedelta(seconds=31)),
            StatusChange(state, at + timedelta(seconds=61, microseconds=7)),
        ),
        ref="main",
        run="981/2",
        marked_rollback=n % 2 == 1,
        payload={"who": "dependabot", "nested": {"list": [1, 2.5, None, True]}},
        url="https://example.test/d",
    )


ONE_OF_EACH = (
    deployment(1),
    Run(
        key="r1/1",
        subject="acme/payments",
        workflow="ci.yml",
        run="r1",
        attempt=1,
        branch="main",
        commit="c1",
        created_at=hours(1),
        started_at=hours(1.1),
        completed_at=hours(1.5),
        conclusion="success",
        event="push",
        end_estimated=True,
    ),
    Change(
        key="12",
        subject="acme/payments",
        commit="c2",
        merged_at=hours(2),
        opened_at=hours(1),
        title="Größe – 漢字 🎉",
        base="main",
        head="hotfix/x",
        labels=("hotfix", "bug"),
        author_kind="bot",
        reverts="#11",
    ),
    Incident(
        key="i1",
        subject="acme/payments",
        opened_at=hours(3),
        closed_at=hours(4),
        title="Down",
        labels=("incident",),
        environment="production",
        deployment="d1",
    ),
    Shipment(key="a..b", subject="acme/payments", commit="b", previous="a", found_at=hours(5), commits=("x", "b")),
    Sample(
        key="2026-10-01",
        subject="p99",
        at=START,
        until=hours(24),
        value=0.25,
        n=20,
        parts={"0.1": 12, "+Inf": 20},
        final=False,
        note="by hand",
        by="ana",
    ),
)


def dump(path: object, *, leaving_out: tuple[str, ...] = ()) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of an SQLite file."""
    with closing(sqlite3.connect(str(path))) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {}
        for table in tables:
            names = [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(f'"{name}"' for name in names if name not in leaving_out)
            rows[table] = sorted(connection.execute(f"SELECT {kept} FROM {table}"), key=repr)
        return rows
