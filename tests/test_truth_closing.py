"""Grades over real facts: a rollback after the deadline counts until the cycle is closed, and never after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from job_scenes import workspace, write_rows
from keyresults.jobs.closing import close, preview, reopen
from keyresults.jobs.collect import collect

CONFIG = """
[tracker]
timezone = "Europe/Berlin"
cycle = "2026-Q4"

[sources.exports]
type = "file"
files = ["deployments.csv"]
facts = "deployments"
covers = { from = 2026-10-01, to = 2027-01-08 }

[metrics.rollbacks]
source = "exports"
measure = "rollback_rate"
window = "28d"

[[objectives]]
id = "stable"
title = "Releases nobody fears"

  [[objectives.key_results]]
  id = "rollbacks"
  title = "Reduce rollbacks from 20% to none"
  metric = "rollbacks"
  target = { from = "20%", to = "0%" }
"""
CLOSING = datetime(2027, 1, 9, 9, tzinfo=UTC)
LAST = datetime(2026, 12, 30, 9, tzinfo=UTC)


def deployed(version, at):
    text = at.isoformat()
    return {"key": text, "subject": "pay", "commit": version, "status": "success", "created_at": text, "at": text}


FORWARD = [deployed(f"v{n:02}", LAST - timedelta(days=n)) for n in reversed(range(40))]
"""One a day up to 30 December: in the 28 days of December that decide, from the 4th to the 31st, 27 of them."""

BACK = deployed("v01", datetime(2027, 1, 7, 9, tzinfo=UTC))
"""Takes back v00, the last one."""


def collected(folder, rows, now):
    write_rows(folder / "deployments.csv", rows)
    with workspace(folder / "keyresults.toml", now) as one:
        assert not collect(one).failed


def by_hand(rows):
    """(20% − rate) ÷ 20 points, cut, over what was pushed in the deciding days and has been taken back since."""
    stack, pushed = [], []
    for row in rows:
        if row["commit"] in stack:
            stack = stack[: stack.index(row["commit"]) + 1]
        else:
            stack.append(row["commit"])
            pushed.append(row)
    days = [row for row in pushed if "2026-12-03T23:00" <= row["at"] < "2026-12-31T23:00"]
    back = [row for row in days if row["commit"] not in stack]
    assert len(days) == 27
    return int((0.20 - len(back) / len(days)) / 0.20 * 100 + 1e-9) / 100, len(back)


def grade_of(report):
    return report.objectives[0].key_results[0].grade


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "keyresults.toml").write_text(CONFIG)
    return tmp_path


def test_a_rollback_after_the_deadline_counts_where_it_is_known_when_the_cycle_is_closed(folder):
    collected(folder, [*FORWARD, BACK], CLOSING)
    with workspace(folder / "keyresults.toml", CLOSING) as one:
        found = grade_of(close(one, "2026-Q4", {}, by="ana"))
    # 1 of 27 is 3.7%: 16.3 of 20 points
    assert by_hand([*FORWARD, BACK]) == (0.81, 1)
    assert (found.value, found.succeeded) == (0.81, False)


def test_a_rollback_that_is_known_only_later_changes_nothing_until_the_cycle_is_opened_again(folder):
    collected(folder, FORWARD, CLOSING)
    later = CLOSING + timedelta(days=1)
    with workspace(folder / "keyresults.toml", CLOSING) as one:
        found = grade_of(close(one, "2026-Q4", {}, by="ana"))
        assert by_hand(FORWARD) == (1.00, 0)
        assert (found.value, found.succeeded) == (1.00, True)
    collected(folder, [*FORWARD, BACK], later)
    with workspace(folder / "keyresults.toml", later) as one:
        assert grade_of(preview(one, "2026-Q4").report) == found
        reopen(one, "2026-Q4", by="ana", reason="A rollback was not known")
        assert grade_of(preview(one, "2026-Q4").report).value == 0.81
