"""Whose facts several files tell: of nobody, of others, and of services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from job_scenes import NOW, workspace, write_rows, write_scene
from keyresults.jobs.collect import collect
from keyresults.jobs.evidence import Evaluation
from keyresults.jobs.readings import daily
from keyresults.metrics.reading import Health, Reading

DAYS = [datetime(2026, 11, 2, 10, tzinfo=UTC) + timedelta(days=n) for n in range(6)]
SOURCES = """
[sources.merges]
type = "file"
files = ["changes.csv"]
facts = "changes"
covers = { from = 2026-08-01, to = 2026-11-19 }

[sources.tickets]
type = "file"
files = ["incidents.csv"]
facts = "incidents"
covers = { from = 2026-08-01, to = 2026-11-19 }
"""
METRICS = """
[metrics.lead]
source = "exports"
changes = "merges"
measure = "lead_time_for_changes"

[metrics.failures]
source = "exports"
changes = "merges"
incidents = "tickets"
measure = "change_failure_rate"
"""
SERVICES = """
[services.web]
repository = "acme/shop"
match = { environment = "web" }

[services.ledger]
repository = "acme/shop"
match = { environment = "ledger" }

[metrics.of_web]
source = "exports"
changes = "merges"
incidents = "tickets"
measure = "change_failure_rate"
services = ["web"]
"""


def scene(
    folder: Path, deploys: str | None, changes: str | None, incidents: str | None, more: str = "", environment: str = ""
) -> Path:
    """Six versions, a day apart, each with the change merged an hour before. Change 1 is reverted by 2, incident 7
    names d4, and incident 8 comes two hours after d5: three of six failed."""

    def of(subject: str | None) -> dict[str, str]:
        return {} if subject is None else {"subject": subject}

    where = {"environment": environment} if environment else {}
    rows = [
        {"key": f"d{n}", "commit": f"v{n}", "status": "success", "created_at": day.isoformat(), "at": day.isoformat()}
        | of(deploys)
        | where
        for n, day in enumerate(DAYS)
    ]
    made = write_scene(folder, rows, sources=SOURCES, metrics=METRICS + more)
    merges = [
        {"key": str(n), "commit": f"v{n}", "merged_at": (day - timedelta(hours=1)).isoformat()}
        | {"reverts": "#1" if n == 2 else ""}
        | of(changes)
        for n, day in enumerate(DAYS)
    ]
    write_rows(folder / "changes.csv", merges)
    opened = (DAYS[5] + timedelta(hours=2)).isoformat()
    broken = [{"key": "7", "opened_at": opened, "deployment": "d4"}, {"key": "8", "opened_at": opened}]
    write_rows(folder / "incidents.csv", [{"deployment": ""} | one | of(incidents) for one in broken])
    return made


def newest(config: Path, metric: str) -> Reading:
    with workspace(config) as one:
        assert not collect(one).failed
        return daily(Evaluation(one.config, one.store, NOW), metric, [NOW], NOW, keep=False)[0]


@pytest.mark.parametrize("subjects", [("payments",) * 3, (None,) * 3, ("payments", "Payments", "PAYMENTS")])
def test_files_of_one_subject_and_files_of_none_find_each_other(
    tmp_path: Path, subjects: tuple[str | None, str | None, str | None]
) -> None:
    config = scene(tmp_path, *subjects)
    failures = newest(config, "failures")
    assert (failures.numerator, failures.denominator, failures.health) == (3, 6, Health.OK)
    assert (newest(config, "lead").value, newest(config, "lead").n) == (3600, 5)


def test_a_file_that_names_no_subject_beside_one_that_does_is_no_silent_zero(tmp_path: Path) -> None:
    config = scene(tmp_path, "payments", None, "payments")
    lead = newest(config, "lead")
    assert (lead.value, lead.health) == (None, Health.NO_DATA)
    said = "source 'merges' tells of changes of merges; the metric measures payments: none of them counts"
    assert f"{said}: name each row's repository or service as `subject` in the source's `columns`" in lead.notes


def test_facts_of_other_subjects_alone_are_noted(tmp_path: Path) -> None:
    failures = newest(scene(tmp_path, "payments", "payments", "elsewhere"), "failures")
    assert (failures.numerator, failures.denominator, failures.health) == (1, 6, Health.OK)
    said = "source 'tickets' tells of incidents of elsewhere; the metric measures payments: none of them counts"
    assert said in failures.notes


@pytest.mark.parametrize(("subject", "failed"), [("web", 3), ("acme/shop", 3), ("ledger", 1)])
def test_an_incident_may_be_of_a_service(tmp_path: Path, subject: str, failed: int) -> None:
    config = scene(tmp_path, "acme/shop", "acme/shop", subject, SERVICES, environment="web")
    reading = newest(config, "of_web")
    assert (reading.numerator, reading.denominator) == (failed, 6)
