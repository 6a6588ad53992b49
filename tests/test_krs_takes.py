"""What it takes until the deadline: the border that a plain loop finds, and every form in words."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from columns import at, covered
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.krs.judgement import KeptDays
from keyresults.krs.progress import Goal
from keyresults.krs.takes import Rest, bad_days_left, takes
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.definition import Aggregate
from keyresults.metrics.reading import Health
from keyresults.metrics.unit import PER_WORKDAY
from keyresults.metrics.window import Window
from keyresults.reports import taking
from keyresults.reports.dates import Dates
from metric_cases import daily, definition, deployed, measured, measurement, merged, ran

END = at("2027-01-01")
DECEMBER = Window(at("2026-12-04"), END)


def goal(comparison, limit):
    return Goal(shape="way", comparison=comparison, limit=limit)


def asked(what, facts, now, wanted, window=DECEMBER, calendar=None, since="2026-08-01", **evidence):
    """What it takes, and how it is said, where all is collected from `since` up to `now`."""
    calendar = calendar or Calendar()
    metric = measurement(what, facts, covered(since, now), now, calendar, **evidence)
    start = at("2026-10-01")
    (reading,) = metric.readings([at(now)], start)
    assert reading.health is not Health.NO_DATA
    rest = Rest(
        basis=metric.basis_ahead(window),
        lately=metric.basis(at(now), start),
        goal=wanted,
        since=reading.window.end,
        value=reading.value,
    )
    found = takes(rest)
    words = "" if found is None else taking.takes(found, what, Dates.seen_at(at(now), calendar.timezone), "day")
    return found, words


def deployments(*days, hour=9):
    return [deployed(f"v{n}", at(f"2026-{day} {hour:02}:00")) for n, day in enumerate(days)]


class TestAFrequency:
    WHAT = definition("deployment_frequency", unit=PER_WORKDAY)
    FREEZE = Calendar(holidays=frozenset({date(2026, 12, 25)}))

    def test_before_its_window_begins_all_of_it_is_ahead(self):
        # 4 to 31 December has 20 workdays, 19 without Christmas Day; 17/19 is 0.894, and 16/19 only 0.842.
        found, words = asked(
            self.WHAT, deployments("11-10"), "2026-11-23", goal("at_least", 0.88), calendar=self.FREEZE
        )
        assert (found.number, found.days, found.begun) == (17, 19, False)
        assert words == "17 deployments in the 19 workdays that decide"

    def test_what_is_in_its_window_already_counts(self):
        # 3 by 10 December; 0.88 × 19 is 16.72, so 17 in all. From Thursday the 10th on 15 workdays are left.
        facts = deployments("11-10", "12-04", "12-07", "12-08")
        found, words = asked(self.WHAT, facts, "2026-12-10", goal("at_least", 0.88), calendar=self.FREEZE)
        assert (found.number, found.days) == (14, 15)
        assert words == "14 more deployments in the 15 workdays left"

    def test_where_there_are_enough_it_says_so(self):
        facts = deployments(*(f"12-0{n}" for n in range(4, 9)))
        _, words = asked(self.WHAT, facts, "2026-12-10", goal("at_least", 0.2))
        assert words == "no more deployments: those there are enough"

    def test_an_upper_limit_says_how_many_may_come(self):
        # At most 0.25 of 20 workdays is 5.
        facts = deployments("11-10", "12-04", "12-07")
        found, words = asked(self.WHAT, facts, "2026-12-10", goal("at_most", 0.25))
        assert found.number == 3
        assert words == "at most 3 more deployments in the 16 workdays left"

    def test_a_strict_limit_is_not_to_be_met_exactly(self):
        found, _ = asked(self.WHAT, deployments("11-10"), "2026-11-23", goal("above", 0.5))
        assert found.number == 11
        found, _ = asked(self.WHAT, deployments("11-10"), "2026-11-23", goal("at_least", 0.5))
        assert found.number == 10

    def test_of_several_services_the_least_frequent_decides(self):
        what = definition("deployment_frequency", across="worst")
        facts = [
            *(deployed(f"a{n}", f"2026-12-0{n} 09:00", subject="acme/a") for n in (4, 5, 6)),
            deployed("b1", "2026-12-05 09:00", subject="acme/b"),
        ]
        found, words = asked(what, facts, "2026-12-10", goal("at_least", 0.5), subjects=("acme/a", "acme/b"))
        # 14 of 28 days: the one with a single deployment needs 13 more.
        assert found.number == 13
        assert words == "13 more deployments of each service in the 22 days left"


class TestABudget:
    def test_it_says_how_many_more_there_may_be(self):
        what = definition("deployment_count", "cycle")
        quarter = Window(at("2026-10-01"), END)
        found, words = asked(what, deployments("10-05", "10-06"), "2026-11-23", goal("at_most", 4), window=quarter)
        assert (found.number, words) == (2, "at most 2 more deployments in the 39 days left")
        _, words = asked(what, deployments("10-05", "10-06"), "2026-11-23", goal("at_most", 2), window=quarter)
        assert words == "no more deployments in the 39 days left"
        _, words = asked(what, deployments("10-05", "10-06"), "2026-11-23", goal("at_most", 1), window=quarter)
        assert words == "too many deployments already"


class TestDays:
    def test_a_deployment_on_so_many_of_the_workdays_left(self):
        # 20 workdays; 4, 7 and 8 December had one; 75 % are 15, so 12 of the 16 left.
        what = definition("deployment_days")
        found, words = asked(what, deployments("12-04", "12-07", "12-08"), "2026-12-10", goal("at_least", 0.75))
        assert (found.number, words) == (12, "a deployment on 12 of the 16 workdays left")

    def test_a_day_that_had_one_takes_no_other(self):
        what = definition("deployment_days")
        found, _ = asked(what, deployments("12-04", "12-10"), "2026-12-10 12:00", goal("at_least", 1.0))
        assert (found.number, found.days) == (None, 16)


class TestAShare:
    def test_at_most_so_many_of_those_likely_to_come(self):
        # 40 settled forward deployments in the 20 workdays up to now: 2 a workday, so 40 in the 20 that decide.
        facts = [
            deployed(f"v{day}{hour}", at(f"2026-{day} {hour:02}:00"))
            for day in ("10-26", "10-27", "10-28", "10-29", "10-30", "11-02", "11-03", "11-04", "11-05", "11-06",
                        "11-09", "11-10", "11-11", "11-12", "11-13", "11-16", "11-17", "11-18", "11-19", "11-20")
            for hour in (9, 15)
        ]  # fmt: skip
        what = definition("rollback_rate", settle=timedelta(0))
        found, words = asked(what, facts, "2026-11-23", goal("at_most", 0.025))
        assert (found.number, found.of) == (1, 40)
        assert words == "at most 1 rolled-back deployment among the ~40 deployments of 4–31 Dec"
        _, words = asked(what, facts, "2026-11-23", goal("below", 0.025))
        assert words == "no rolled-back deployment among the ~40 deployments of 4–31 Dec"

    def test_where_not_even_none_is_enough_it_says_how_many_it_takes(self):
        facts = [ran(f"r{n}", f"2026-12-{n:02} 09:00", "success" if n > 5 else "failure") for n in range(4, 11)]
        found, words = asked(
            definition("ci_success_rate"), facts, "2026-12-11", goal("at_least", 0.95), since="2026-12-04"
        )
        # 2 of 7 failed; 2 / 0.05 = 40 in all, so 33 more. On 5 open workdays there were 7, so 15 more days bring 21.
        assert (found.number, found.of, found.enough) == (None, 21, 33)
        assert words == "33 runs without failed runs, where ~21 are likely"

    def test_where_many_is_good_the_others_are_counted(self):
        facts = [ran(f"r{n}", f"2026-12-{n:02} 09:00", "success") for n in range(4, 11)]
        found, words = asked(
            definition("ci_success_rate"), facts, "2026-12-11", goal("at_least", 0.9), since="2026-12-04"
        )
        # 7 + 21 runs: 0.1 × 28 = 2.8 may fail.
        assert (found.number, words) == (2, "at most 2 failed runs among the next ~21 runs")


class TestAMedian:
    def test_so_many_of_those_likely_to_come_within_the_target(self):
        facts = [
            merged(f"c{n}", f"2026-12-{n:02} 12:00", first_commit_at=at(f"2026-12-{n:02} 12:00") - timedelta(hours=50))
            for n in range(4, 11)
        ]
        found, words = asked(
            definition("change_cycle_time"), facts, "2026-12-11", goal("at_most", 24 * 3600), since="2026-12-04"
        )
        # 7 were too slow; 21 more are likely, 28 in all: of the two in the middle both must be within 24 h, so 15 are.
        assert (found.number, found.of) == (15, 21)
        assert words == "15 of the next ~21 changes within the target"


class TestSamples:
    def test_a_mean_says_what_the_days_left_may_have(self):
        what = definition("sampled", aggregate=Aggregate("mean"))
        facts = [daily(f"2026-12-{n:02}", 40.0) for n in range(4, 11)]
        found, words = asked(what, facts, "2026-12-11", goal("at_most", 30.0), since="2026-12-04")
        # 28 × 30 = 840, less 7 × 40 = 560 for the other 21 days.
        assert found.number == pytest.approx(560 / 21)
        assert words == "mean at most 26.6 s over the 21 days left"  # 26.7 would be too much

    def test_what_cannot_be_made_up_for_is_out_of_reach(self):
        what = definition("sampled", aggregate=Aggregate("max"))
        facts = [daily(f"2026-12-{n:02}", 40.0) for n in range(4, 11)]
        _, words = asked(what, facts, "2026-12-11", goal("at_most", 30.0), since="2026-12-04")
        assert words == "out of reach: no max of the 21 days left is enough"

    def test_of_merged_histograms_it_says_what_is_asked(self):
        buckets = {"0.1": 10.0, "0.5": 90.0, "1": 100.0, "+Inf": 100.0}
        facts = [daily(f"2026-12-{n:02}", parts=buckets) for n in range(4, 11)]
        what = definition("histogram_quantile", quantile=0.99)
        _, words = asked(what, facts, "2026-12-11", goal("at_most", 0.315))
        assert words == "p99 at most 315 ms over 4–31 Dec, 21 days of which are left"

    def test_a_share_of_days_within_limits_counts_days(self):
        what = definition("sampled", aggregate=Aggregate("share_within", at_most=30.0))
        facts = [daily(f"2026-12-{n:02}", 40.0) for n in range(4, 11)]
        found, words = asked(what, facts, "2026-12-11", goal("at_least", 0.5), since="2026-12-04")
        assert (found.number, words) == (14, "14 of the next ~21 samples within the target")

    def test_coverage_says_how_far_it_has_to_go(self):
        what = definition("test_coverage", max_age=timedelta(days=30))
        facts = [measured("2026-12-10 12:00", parts={"covered": 747, "coverable": 1000})]
        _, words = asked(what, facts, "2026-12-11", goal("at_least", 0.85))
        assert words == "10.3 points more by 31 Dec"
        _, words = asked(what, facts, "2026-12-11", goal("at_least", 0.70))
        assert words == "enough as it is, by 31 Dec"


class TestBadDays:
    @pytest.mark.parametrize(
        ("bad", "words"),
        [(2, "2 bad days left for 31 days"), (3, "1 bad day left for 31 days"), (4, "no bad day left for 31 days"),
         (6, "out of reach: 2 bad days too many already")],
    )  # fmt: skip
    def test_a_budget_is_whole_days(self, bad, words):
        # 5 % of 92 days are 4.6: four may be bad.
        kept = KeptDays(days=92, measured=61, bad=bad, budget=4.6)
        quarter = Window(at("2026-10-01"), END)
        found = bad_days_left(kept, quarter, at("2026-12-01"), Calendar())
        dates = Dates.seen_at(at("2026-12-01"), "UTC")
        assert taking.takes(found, definition("sampled"), dates, "day") == words


@settings(deadline=None)
@given(
    known=st.lists(st.tuples(st.integers(0, 41), st.booleans()), max_size=40, unique_by=lambda one: one[0]),
    limit=st.integers(0, 100),
    comparison=st.sampled_from(["at_most", "below", "at_least", "above"]),
)
def test_a_share_s_border_is_where_a_plain_loop_finds_it(known, limit, comparison):
    """Runs from 13 November on, seen on Christmas Eve; those since 4 December lie in the window that decides."""
    first, now = at("2026-11-13"), "2026-12-24"
    facts = [
        ran(f"r{n}", first + timedelta(days=n, hours=9), "success" if green else "failure") for n, green in known
        if first + timedelta(days=n, hours=9) < at(now)
    ]  # fmt: skip
    if not any(fact.created_at >= at(now) - timedelta(days=28) for fact in facts):
        return
    wanted = goal(comparison, limit / 100)
    found, _ = asked(definition("ci_success_rate", min_samples=0), facts, now, wanted)
    decide = [fact.conclusion == "success" for fact in facts if fact.created_at >= DECEMBER.start]
    if found is None:
        return
    of, rising = found.of, comparison in ("at_least", "above")

    def holds(wrong):
        hits = sum(decide) + (of - wrong if rising else wrong)
        share = hits / (len(decide) + of)
        near = abs(share - limit / 100) < 1e-12
        if comparison.startswith("at_"):
            return near or (share > limit / 100) is rising
        return not near and (share > limit / 100) is rising

    fine = [wrong for wrong in range(of + 1) if holds(wrong)]
    assert found.number == (max(fine) if fine else None)


KNOWN = st.lists(st.integers(0, 41), max_size=30)
"""Days after 13 November with a fact each, at nine in the morning; the window that decides begins on day 21."""

CHRISTMAS_EVE = "2026-12-24"


def known_days(days):
    """Those that are seen on Christmas Eve, day 41."""
    return sorted(day for day in days if day < 41)


def day_at(day):
    return at("2026-11-13") + timedelta(days=day, hours=9)


@settings(deadline=None, max_examples=60)
@given(days=KNOWN, wanted=st.integers(0, 60))
def test_a_rate_s_border_is_where_a_plain_loop_finds_it(days, wanted):
    facts = [deployed(f"v{n}", day_at(day)) for n, day in enumerate(known_days(days))]
    if not facts:
        return
    found, _ = asked(definition("deployment_frequency"), facts, CHRISTMAS_EVE, goal("at_least", wanted / 10))
    decide, more = sum(day >= 21 for day in known_days(days)), 0
    while 10 * (decide + more) < wanted * 28:
        more += 1
    assert found.number == more


@settings(deadline=None, max_examples=60)
@given(days=KNOWN, wanted=st.integers(0, 100))
def test_a_share_of_days_border_is_where_a_plain_loop_finds_it(days, wanted):
    facts = [deployed(f"v{n}", day_at(day)) for n, day in enumerate(known_days(days))]
    if not facts:
        return
    found, _ = asked(definition("deployment_days"), facts, CHRISTMAS_EVE, goal("at_least", wanted / 100))
    workdays = [day for day in range(21, 49) if day_at(day).weekday() < 5]
    had_one = {day for day in known_days(days) if day in workdays}
    left = [day for day in workdays if day >= 41]
    enough = [n for n in range(len(left) + 1) if 100 * (len(had_one) + n) >= wanted * len(workdays)]
    assert found.number == (enough[0] if enough else None)
    assert found.days == len(left)


@settings(deadline=None, max_examples=60)
@given(known=st.lists(st.tuples(st.integers(21, 40), st.integers(1, 99)), min_size=1, max_size=30))
def test_a_median_s_border_is_where_a_plain_loop_finds_it(known):
    facts = [ran(f"r{n}", day_at(day), "success", seconds=60 * minutes) for n, (day, minutes) in enumerate(known)]
    found, _ = asked(definition("ci_duration", min_samples=0), facts, CHRISTMAS_EVE, goal("at_most", 50 * 60))
    if found is None:
        return
    of = found.of

    def holds(n):
        values = sorted([minutes for _, minutes in known] + [50] * n + [10**6] * (of - n))
        middle = len(values) // 2
        return values[middle] <= 50 if len(values) % 2 else values[middle - 1] + values[middle] <= 100

    enough = [n for n in range(of + 1) if holds(n)]
    assert found.number == (enough[0] if enough else None)
