"""From files of deployments, changes and incidents to readings of delivery."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from job_scenes import NOW, workspace, write_rows, write_scene
from keyresults.config.load import load
from keyresults.config.problem import ConfigProblems
from keyresults.jobs.collect import collect
from keyresults.jobs.evidence import Evaluation
from keyresults.jobs.readings import daily
from keyresults.metrics.facts import Shipment
from keyresults.metrics.stream import Batch, Stream

FIRST = datetime(2026, 11, 2, 10, tzinfo=UTC)
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
measure = "change_failure_rate"
hotfix = { labels = ["hotfix"] }

[metrics.outages]
source = "exports"
changes = "merges"
incidents = "tickets"
measure = "change_failure_rate"
"""


def stamp(instant):
    return instant.isoformat(timespec="seconds")


@pytest.fixture
def config(tmp_path):
    """Six versions, a day apart; each ships the one change merged n hours before it."""
    days = [FIRST + timedelta(days=n) for n in range(6)]
    deployments = [
        {"key": f"d{n}", "subject": "payments", "commit": f"v{n}", "status": "success"}
        | {"created_at": stamp(day), "at": stamp(day + timedelta(minutes=30))}
        for n, day in enumerate(days)
    ]
    changes = [
        {"key": str(n), "subject": "payments", "commit": f"v{n}", "merged_at": stamp(day - timedelta(hours=n))}
        | {"labels": "hotfix" if n == 4 else "", "author_kind": "person", "reverts": "v1" if n == 2 else ""}
        for n, day in enumerate(days)
    ]
    incidents = [{"key": "7", "subject": "payments", "opened_at": stamp(days[5] + timedelta(hours=2))}]
    made = write_scene(tmp_path, deployments, sources=SOURCES, metrics=METRICS)
    write_rows(tmp_path / "changes.csv", changes)
    write_rows(tmp_path / "incidents.csv", incidents)
    return made


def newest(one, metric):
    return daily(Evaluation(one.config, one.store, NOW), metric, [NOW], NOW, keep=False)[0]


def test_readings_of_delivery_come_from_files(config):
    with workspace(config) as one:
        assert not collect(one).failed
        lead, failures, outages = (newest(one, metric) for metric in ("lead", "failures", "outages"))
    assert (lead.value, lead.n, lead.health) == (3 * 3600 + 1800, 5, "ok")
    assert "what shipped them is known: 5 by merge-time" in lead.notes
    # d1's change was reverted by the one in d2; the hotfix in d4 was merged while d3 ran.
    assert (failures.numerator, failures.denominator) == (2, 6)
    assert "signals: rollbacks, reverts, hotfixes" in failures.notes
    # d1 again, and d5 by the incident after it.
    assert (outages.numerator, outages.denominator) == (2, 6)
    assert "signals: rollbacks, reverts, incidents" in outages.notes


def test_commits_found_between_two_deployments_change_days_that_were_kept(config):
    ends = [datetime(2026, 11, 9, 23, tzinfo=UTC), NOW]
    with workspace(config) as one:
        assert not collect(one).failed
        first = daily(Evaluation(one.config, one.store, NOW), "lead", ends, NOW, keep=True)
        stream = Stream("exports", "shipments", "payments", {})
        nothing = Shipment(key="v3..v4", subject="payments", previous="v3", commit="v4", found_at=NOW)
        after = Shipment(key="v4..v5", subject="payments", previous="v4", commit="v5", found_at=NOW, commits=("v5",))
        one.store.write(stream, Batch(facts=(nothing, after)), NOW)
        then = daily(Evaluation(one.config, one.store, NOW), "lead", ends, NOW, keep=True)
        moved = Shipment(**{f.name: getattr(nothing, f.name) for f in fields(nothing)} | {"commits": ("v4",)})
        one.store.write(stream, Batch(facts=(moved,)), NOW)
        last = daily(Evaluation(one.config, one.store, NOW), "lead", ends, NOW, keep=True)
    assert [[reading.n for reading in readings] for readings in (first, then, last)] == [[5, 5], [4, 4], [5, 5]]
    assert "what shipped them is known: 2 by clone, 3 by merge-time" in last[-1].notes


def test_incidents_that_are_asked_for_must_be_told(config):
    config.write_text(config.read_text().replace('incidents = "tickets"', 'incidents = "merges"'))
    with pytest.raises(ConfigProblems, match="needs incidents"):
        load(config)
