"""How long failed deployments last, and how many deployments only mend, by hand."""

from __future__ import annotations

from dataclasses import replace

from columns import at
from keyresults.metrics.facts import Shipment
from metric_cases import broke, definition, deployed, explained, merged, read

TRACK = [
    deployed("A", "2026-10-05 10:00", key="1"),
    deployed("B", "2026-10-06 10:00", key="2"),
    deployed("C", "2026-10-07 10:00", key="3"),
]
HOUR = 3600

# ---- failed_deployment_recovery_time
RECOVERY = definition(
    "failed_deployment_recovery_time", min_samples=0, hotfix_labels=("hotfix",), hotfix_branches=("hotfix/*",)
)


def hours(*facts, track=TRACK, **reading):
    """The recovery time in hours, and of how many deployments."""
    one = read(RECOVERY, [*track, *facts], **reading)
    return (None if one.value is None else one.value / HOUR, one.n)


def test_where_nothing_failed_there_is_no_recovery_time():
    assert hours(merged("b", "2026-10-06 07:00")) == (None, 0)


def test_a_rollback_ends_a_failure_for_all_it_takes_back():
    track = [*TRACK, deployed("A", "2026-10-07 12:00", key="back")]
    assert hours(track=track) == ((26 + 2) / 2, 2)


def test_the_deployment_of_a_revert_or_a_hotfix_ends_a_failure():
    back = merged("r", "2026-10-06 12:00", reverts="b")
    assert hours(merged("b", "2026-10-06 07:00"), back) == (24, 1)
    hot = merged("h", "2026-10-06 12:00", labels=("hotfix",))
    assert hours(hot) == (24, 1)


def test_an_incident_ends_when_it_is_closed():
    assert hours(broke("7", "2026-10-06 11:00", closed_at=at("2026-10-06 15:00"))) == (5, 1)
    assert hours(broke("7", "2026-10-20", commit="B", closed_at=at("2026-10-21 10:00"))) == (15 * 24, 1)


def test_the_earliest_good_state_counts():
    closed = broke("7", "2026-10-07 10:30", closed_at=at("2026-10-08"))
    assert hours(closed, track=[*TRACK[:2], TRACK[2], deployed("B", "2026-10-07 12:00", key="back")]) == (2, 1)
    later = broke("7", "2026-10-06 11:00", closed_at=at("2026-10-07 08:00"))
    assert hours(later, merged("h", "2026-10-06 12:00", labels=("hotfix",))) == (22, 1)


def test_an_open_failure_is_in_no_value_and_is_told():
    facts = [*TRACK, broke("7", "2026-10-06 11:00", closed_at=at("2026-10-06 15:00")), broke("8", "2026-10-07 11:00")]
    reading = read(RECOVERY, facts)
    assert (reading.value, reading.n) == (5 * HOUR, 1)
    assert "1 left out: failed and not recovered yet" in reading.notes
    assert "recovered 1 as the incident ended" in reading.notes
    notes = explained(RECOVERY, facts)
    assert notes["2"].why == (
        "a new version; failed: blamed by the incident 7; recovered as the incident ended (the end of 7) after 5 h"
    )
    assert (notes["3"].role, notes["3"].counted) == ("not recovered", False)
    assert notes["3"].why == "a new version; failed: blamed by the incident 8; not recovered yet"


def test_a_hotfix_that_is_not_shipped_yet_has_mended_nothing():
    hot = merged("h", "2026-10-07 12:00", labels=("hotfix",))
    assert hours(hot) == (None, 0)
    assert hours(hot, track=[*TRACK, deployed("D", "2026-10-07 16:00")]) == (6, 1)


def test_what_ended_later_is_not_known_yet():
    facts = [broke("7", "2026-10-06 11:00", closed_at=at("2026-10-06 15:00"))]
    assert hours(*facts, when="2026-10-06 14:59") == (None, 0)
    assert hours(*facts, when="2026-10-06 15:00") == (5, 1)


def test_a_recovery_lies_in_the_window_of_the_failed_deployment():
    day = definition("failed_deployment_recovery_time", "1d", min_samples=0)
    facts = [*TRACK, broke("7", "2026-10-06 11:00", closed_at=at("2026-10-09"))]
    assert read(day, facts, "2026-10-07", as_of="2026-10-12").value == 62 * HOUR
    assert read(day, facts, "2026-10-09", as_of="2026-10-12").value is None


def test_an_incident_closed_before_what_it_names_counts_ends_nothing():
    """The commit counts in the last environment that it reached, after all was over in the first."""
    regions = [
        deployed(commit, f"2026-10-0{day} {hour}:00", key=f"{region}{day}", environment=f"prod-{region}")
        for day, commit in enumerate("AB", 5)
        for region, hour in (("eu", "10"), ("us", "20"))
    ]
    early = broke("7", "2026-10-06 11:00", deployment="eu6", closed_at=at("2026-10-06 12:00"))
    what = definition("failed_deployment_recovery_time", min_samples=0, environment="prod-*", count="last")
    reading = read(what, [*regions, early])
    assert reading.value is None
    assert "1 left out: failed and not recovered yet" in reading.notes


def test_each_region_that_ships_a_hotfix_mends_and_has_failed_where_each_counts():
    regions = [
        deployed(commit, f"2026-10-0{day} {hour}:00", key=f"{region}{day}", environment=f"prod-{region}")
        for day, commit in enumerate("ABC", 5)
        for region, hour in (("eu", "10"), ("us", "12"))
    ]
    hotfix = merged("C", "2026-10-06 20:00", labels=("hotfix",))
    common = {"min_samples": 0, "environment": "prod-*", "hotfix_labels": ("hotfix",)}
    for count, ratio in (("first", (1, 3)), ("last", (1, 3)), ("each", (2, 6))):
        for measure in ("deployment_rework_rate", "change_failure_rate"):
            one = read(definition(measure, **common, count=count), [*regions, hotfix])
            assert (one.numerator, one.denominator) == ratio, (measure, count)
        recovery = definition("failed_deployment_recovery_time", **common, count=count)
        reading = read(recovery, [*regions, hotfix])
        assert (reading.value, reading.n) == (24 * HOUR, ratio[0])


def test_the_platforms_word_for_a_rollback_ends_a_failure_where_it_is_listened_to():
    track = [*TRACK, deployed("D", "2026-10-07 13:00", key="back", marked_rollback=True)]
    assert hours(track=track) == (None, 0)
    what = definition("failed_deployment_recovery_time", min_samples=0, rollback_rules=("version_return", "marked"))
    assert read(what, track).value == 3 * HOUR


# ---- deployment_rework_rate
REWORK = definition("deployment_rework_rate", min_samples=0, hotfix_labels=("hotfix",), hotfix_branches=("hotfix/*",))


def share(*facts, track=TRACK, what=REWORK):
    reading = read(what, [*track, *facts])
    return (reading.numerator, reading.denominator)


def test_rollbacks_are_rework_and_redeploys_in_neither_side():
    again = deployed("C", "2026-10-07 20:00", key="again")
    assert share(track=[*TRACK, again]) == (0, 3)
    assert share(track=[*TRACK, again, deployed("A", "2026-10-08", key="back")]) == (1, 4)


def test_a_deployment_of_nothing_but_reverts_or_hotfixes_is_rework():
    hot, back = merged("h", "2026-10-06 12:00", head="hotfix/x"), merged("r", "2026-10-06 12:00", reverts="elsewhere")
    assert share(hot) == (1, 3)
    assert share(hot, back) == (1, 3)
    assert share(hot, merged("c", "2026-10-06 13:00")) == (0, 3)
    assert share(hot, merged("c", "2026-10-06 13:00", author_kind="bot")) == (0, 3)
    why = explained(REWORK, [*TRACK, hot, back])["3"].why
    assert why == "a new version; ships nothing but the hotfix h, the revert r"


def test_a_deployment_of_which_nothing_is_known_is_no_rework():
    assert share() == (0, 3)
    assert share(merged("h", "2026-10-05 08:00", labels=("hotfix",))) == (0, 3)  # who knows what else the first brought


def test_known_commits_decide_what_a_deployment_is_made_of():
    hot = merged("h", "2026-10-06 12:00", labels=("hotfix",))
    known = Shipment(
        key="B..C", subject="acme/pay", previous="B", commit="C", commits=("h",), found_at=at("2026-10-30")
    )
    assert share(hot, merged("c", "2026-10-06 13:00")) == (0, 3)
    assert share(hot, merged("c", "2026-10-06 13:00"), known) == (1, 3)


def test_a_return_in_several_environments_of_a_service_is_one():
    track = [
        deployed(commit, f"2026-10-0{day} {hour}:00", key=f"{commit}{day}{place}", environment=f"prod-{place}")
        for commit, day in (("A", 5), ("B", 6), ("A", 7))
        for hour, place in ((10, "eu"), (11, "us"))
    ]
    once = definition("deployment_rework_rate", min_samples=0, environment="prod-*")
    assert share(track=track, what=once) == (1, 3)
    assert share(track=track, what=replace(once, count="each")) == (2, 6)
    recovery = replace(RECOVERY, environment="prod-*")
    assert read(recovery, track).value == 25 * HOUR  # from the first success of B to the last of its two returns


def test_where_versions_never_come_back_reverts_and_hotfixes_are_left():
    tags = [deployed(c, f"2026-10-0{n}", key=c, origin="tag") for n, c in enumerate("ABC", start=5)]
    hot = merged("h", "2026-10-06 12:00", labels=("hotfix",))
    reading = read(REWORK, [*tags, hot])
    assert (reading.numerator, reading.denominator) == (1, 3)
    assert "signals: reverts, hotfixes" in reading.notes
