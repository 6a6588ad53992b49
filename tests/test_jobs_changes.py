"""From files and clones to readings: changes, incidents and runs, and clones whose tags are all too old to count."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from git_layouts import Repo
from job_scenes import NOW, workspace
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate
from keyresults.metrics.reading import Reading

TRACKER = """
[tracker]
cycle = "2026-Q4"

[[objectives]]
id = "flow"
title = "Work flows"
"""

SOURCE = """
[sources.{kind}]
type = "file"
files = ["{kind}.csv"]
facts = "{kind}"
covers = {{ from = 2026-08-01, to = 2026-11-19 }}
"""

METRIC = """
[metrics.{measure}]
source = "{source}"
measure = "{measure}"
window = "{window}"
min_samples = 0
max_age = "7d"
{more}
  [[objectives.key_results]]
  id = "{measure}"
  title = "Something measured"
  metric = "{measure}"
  target = {{ at_most = "{most}" }}
"""

CHANGES = """\
key,subject,commit,merged_at,opened_at,first_commit_at,first_review_at,author_kind
1,acme/pay,a,2026-11-10T12:00:00Z,2026-11-10T10:00:00Z,2026-11-10T06:00:00Z,2026-11-10T10:30:00Z,person
2,acme/pay,b,2026-11-11T12:00:00Z,2026-11-11T08:00:00Z,2026-11-11T00:00:00Z,2026-11-11T09:00:00Z,person
3,acme/pay,c,2026-11-12T12:00:00Z,2026-11-12T11:00:00Z,2026-11-12T11:00:00Z,,bot
4,acme/ledger,d,2026-11-12T12:00:00Z,2026-11-02T12:00:00Z,2026-11-02T12:00:00Z,2026-11-12T12:00:00Z,person
5,acme/pay,e,2026-10-12T12:00:00Z,2026-10-12T10:00:00Z,2026-10-12T10:00:00Z,2026-10-12T11:00:00Z,person
"""
INCIDENTS = """\
key,subject,opened_at,closed_at
1,acme/pay,2026-09-30T23:59:00Z,2026-10-01T03:00:00Z
2,acme/pay,2026-10-01T00:00:00Z,2026-10-01T03:00:00Z
3,acme/ledger,2026-11-18T00:00:00Z,
"""
RUNS = """\
key,subject,workflow,run,attempt,branch,commit,created_at,started_at,completed_at,conclusion
7/1,acme/pay,ci.yml,7,1,main,a,2026-11-10T12:00:00Z,2026-11-10T12:00:00Z,2026-11-10T12:05:00Z,failure
7/2,acme/pay,ci.yml,7,2,main,a,2026-11-10T12:00:00Z,2026-11-10T12:10:00Z,2026-11-10T12:15:00Z,success
8/1,acme/pay,ci.yml,8,1,main,b,2026-11-11T12:00:00Z,2026-11-11T12:00:00Z,2026-11-11T12:05:00Z,success
"""


def reading_of(folder: Path, text: str) -> Reading:
    config = folder / "keyresults.toml"
    config.write_text(text)
    with workspace(config) as space:
        assert not collect(space).failed
        (key_result,) = evaluate(space, as_of=NOW).objectives[0].key_results
    assert key_result.judgement.reading is not None
    return key_result.judgement.reading


CASES = [
    ("changes", "change_count", "28d", "", "20", 4),
    ("changes", "change_count", "cycle", "", "20", 5),
    ("changes", "change_cycle_time", "28d", 'repositories = ["acme/pay"]', "2d", 9 * 3600),
    ("changes", "change_cycle_time", "28d", "quantile = 0.75", "20d", 126 * 3600),
    ("changes", "change_review_time", "28d", 'repositories = ["acme/pay"]', "2h", 45 * 60),
    ("incidents", "incident_count", "cycle", "", "20", 2),
    ("runs", "ci_flaky_rate", "28d", "", "60%", 0.5),
]


@pytest.mark.parametrize(("kind", "measure", "window", "more", "most", "value"), CASES)
def test_a_file_of_facts_becomes_a_reading(tmp_path, kind, measure, window, more, most, value):
    written = {"changes": CHANGES, "incidents": INCIDENTS, "runs": RUNS}[kind]
    (tmp_path / f"{kind}.csv").write_text(written)
    os.utime(tmp_path / f"{kind}.csv", (NOW.timestamp(), NOW.timestamp()))
    metric = METRIC.format(measure=measure, source=kind, window=window, more=more, most=most)
    reading = reading_of(tmp_path, TRACKER + SOURCE.format(kind=kind) + metric)
    assert (reading.value, reading.health) == (value, "ok")


@pytest.mark.parametrize("said", ['tags = "v*"', 'merges = "release"'])
@pytest.mark.parametrize("measure", ["deployment_frequency", "deployment_count"])
def test_a_clone_whose_last_release_is_older_than_what_is_collected_ships_zero(tmp_path, said, measure):
    repo = Repo.create(tmp_path / "shop")
    repo.commit(datetime(2026, 1, 5, tzinfo=UTC))
    repo.git("tag", "v1")
    repo.git("branch", "release")
    repo.commit(datetime(2026, 11, 2, tzinfo=UTC))
    source = f'\n[sources.repo]\ntype = "git"\npath = "shop"\ndeployments = {{ {said} }}\n'
    most = "1/day" if measure == "deployment_frequency" else "20"
    metric = METRIC.format(measure=measure, source="repo", window="28d", more="", most=most)
    reading = reading_of(tmp_path, TRACKER + source + metric)
    assert (reading.value, reading.n, reading.health) == (0, 0, "ok")
