"""The line that says what the daemon does next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from keyresults.reports.upcoming import Upcoming

NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)


def said(**hours):
    due = {name.replace("_", "/"): NOW + timedelta(hours=later) for name, later in hours.items()}
    return Upcoming(NOW, "Europe/Berlin", due).words()


def test_the_soonest_three_are_named_in_the_trackers_zone():
    assert said(report_weekly=160, evaluate=7.5, collect_git=0.25, check=11) == (
        "Next: collect/git 16:45, evaluate Tue 00:00, check Tue 03:30"
    )


def test_far_away_days_have_a_date():
    assert said(report_monthly=24 * 8) == "Next: report/monthly 1 Dec 16:30"


def test_what_is_long_overdue_is_said_first():
    assert said(collect_git=-0.3, evaluate=7.5) == "The daemon does not seem to run: collect/git was due 16:12."


def test_what_is_about_to_begin_is_not_overdue():
    assert said(collect_git=-0.1).startswith("Next: collect/git 16:24")
