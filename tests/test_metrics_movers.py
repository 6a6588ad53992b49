"""What moved a value: groups of facts, by what the metric says without them."""

from __future__ import annotations

from datetime import timedelta
from statistics import median

import pytest
from columns import at, covered
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.metrics.movers import Movement
from keyresults.reports.moving import is_even
from metric_cases import daily, definition, deployed, measured, measurement, merged, ran

ALL = covered("2026-08-01", "2026-11-01")
BEFORE, AFTER = at("2026-10-24"), at("2026-10-31")


def movement(what, facts, before=BEFORE, after=AFTER, **evidence):
    metric = measurement(what, facts, ALL, "2026-11-01", **evidence)
    start = at("2026-10-01")
    return metric, Movement(before=metric.basis(before, start), after=metric.basis(after, start))


def keys(metric, mover):
    return [note.key for note in metric.noted(mover.rows)]


class TestARatio:
    """ledger: 2 failed runs of 3 came; shop: 1 of 2; before that ten green runs that stay."""

    FACTS = (
        *(ran(f"old{n}", f"2026-10-{10 + n} 09:00", "success", subject="acme/shop") for n in range(10)),
        ran("l1", "2026-10-25 09:00", "failure", subject="acme/ledger"),
        ran("l2", "2026-10-26 09:00", "failure", subject="acme/ledger"),
        ran("l3", "2026-10-27 09:00", "success", subject="acme/ledger"),
        ran("s1", "2026-10-28 09:00", "failure", subject="acme/shop"),
        ran("s2", "2026-10-29 09:00", "success", subject="acme/shop"),
    )

    def test_the_group_without_which_most_of_the_move_is_gone_comes_first(self):
        metric, found = movement(definition("ci_success_rate"), self.FACTS, subjects=("acme/ledger", "acme/shop"))
        ledger, shop = found.groups()
        # 10/10 before and 12/15 after; without the ledger's two failures it would be 12/13, without the shop's 12/14.
        assert found.change == pytest.approx(12 / 15 - 1)
        assert (ledger.whose, ledger.part, ledger.came, ledger.n, ledger.of) == ("acme/ledger", "misses", True, 2, 3)
        assert ledger.pull == pytest.approx(12 / 15 - 12 / 13)
        assert (shop.whose, shop.n, shop.of) == ("acme/shop", 1, 3)
        assert shop.pull == pytest.approx(12 / 15 - 12 / 14)
        assert keys(metric, ledger) == ["l1/1", "l2/1"]

    def test_what_left_counts_as_much_as_what_came(self):
        old = [ran(f"r{n}", f"2026-09-{27 + n} 09:00", "failure") for n in range(2)]
        facts = [*old, *(ran(f"g{n}", f"2026-10-{10 + n} 09:00", "success") for n in range(8))]
        _, found = movement(definition("ci_success_rate"), facts)
        (left,) = found.groups()
        assert (left.whose, left.part, left.came, left.n, left.of) == ("", "misses", False, 2, 2)
        assert left.pull == pytest.approx(1 - 8 / 10)

    def test_workflows_tell_the_facts_of_one_repository_apart(self):
        facts = [
            *(ran(f"g{n}", f"2026-10-{10 + n} 09:00", "success") for n in range(8)),
            ran("a", "2026-10-27 09:00", "failure", workflow="slow.yml"),
            ran("b", "2026-10-28 09:00", "failure", workflow="ci.yml"),
            ran("c", "2026-10-28 10:00", "failure", workflow="slow.yml"),
        ]
        _, found = movement(definition("ci_success_rate"), facts)
        assert [(m.whose, m.n, m.of) for m in found.groups()] == [("slow.yml", 2, 3), ("ci.yml", 1, 3)]


class TestAQuantile:
    def test_the_change_whose_leaving_out_mends_most_is_the_first_of_the_singles(self):
        hours = {"c1": 2, "c2": 3, "c3": 4, "c4": 5, "c5": 6}
        facts = [
            merged(c, f"2026-10-1{n} 12:00", first_commit_at=at(f"2026-10-1{n} 12:00") - timedelta(hours=h))
            for n, (c, h) in enumerate(hours.items())
        ]
        slow = merged("slow", "2026-10-28 12:00", first_commit_at=at("2026-10-20 12:00"))
        quick = merged("quick", "2026-10-29 12:00", first_commit_at=at("2026-10-29 11:00"))
        also = merged("also", "2026-10-30 12:00", first_commit_at=at("2026-10-29 12:00"))
        metric, found = movement(definition("change_cycle_time"), [*facts, slow, quick, also])
        # The median goes from 4 to (4 + 5) / 2 h; without one of the two slow ones it stays 4.
        assert found.change == pytest.approx(0.5 * 3600)
        (group,) = found.groups()
        assert group.n == 3
        assert [(keys(metric, one), one.pull) for one in found.singles(group)] == [
            (["also"], pytest.approx(1800)),
            (["slow"], pytest.approx(1800)),
        ]


class TestARate:
    def test_more_of_one_service_than_left_of_it(self):
        old = [deployed(f"o{n}", f"2026-09-2{7 + n} 09:00", subject="acme/a") for n in range(2)]
        new = [deployed(f"n{n}", f"2026-10-2{5 + n} 09:00", subject="acme/b") for n in range(5)]
        what = definition("deployment_frequency", across="sum")
        _, found = movement(what, [*old, *new], subjects=("acme/a", "acme/b"))
        assert found.change == pytest.approx(3 / 28)
        (came,) = found.groups()
        assert (came.whose, came.n, came.of, came.pull) == ("acme/b", 5, 5, pytest.approx(5 / 28))

    def test_days_count_once_however_many_deployments_they_have(self):
        # Friday 30 October has three deployments: without any single one of them nothing changes.
        facts = [deployed(f"d{n}", f"2026-10-30 {10 + n}:00") for n in range(3)]
        _, found = movement(definition("deployment_days"), [deployed("first", "2026-10-12 09:00"), *facts])
        (came,) = found.groups()
        assert came.pull == pytest.approx(1 / 20)
        assert found.singles(came) == []


class TestSamples:
    def test_a_day_that_stands_out_is_found(self):
        values = dict.fromkeys([f"2026-10-{n:02}" for n in range(1, 31)], 100.0) | {"2026-10-27": 940.0}
        facts = [daily(day, value) for day, value in values.items()]
        what = definition("sampled", window="7d", aggregate=definition("sampled").aggregate.__class__("mean"))
        metric, found = movement(what, facts, before=at("2026-10-27"))
        day = found.strongest_day()
        assert keys(metric, day) == ["2026-10-27"]
        assert day.came
        assert found.alone(day) == 940.0

    def test_where_all_days_are_alike_none_is_named(self):
        values = {f"2026-10-{n:02}": 100.0 if n < 24 else 90.0 for n in range(1, 31)}
        what = definition("sampled", window="14d", aggregate=definition("sampled").aggregate.__class__("mean"))
        _, found = movement(what, [daily(day, value) for day, value in values.items()])
        assert found.change < 0
        assert found.strongest_day() is None

    def test_what_is_carried_forward_goes_from_one_sample_to_another(self):
        facts = [
            measured("2026-10-20 12:00", parts={"covered": 60, "coverable": 100}),
            measured("2026-10-30 12:00", parts={"covered": 70, "coverable": 100}),
        ]
        metric, found = movement(definition("test_coverage", max_age=timedelta(days=30)), facts)
        assert [note.why for note in metric.noted(found.newest)] == ["60 of 100", "70 of 100"]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 59), st.sampled_from(["acme/a", "acme/b", "acme/c"]), st.integers(1, 500)),
        min_size=1,
        max_size=40,
        unique_by=lambda one: one[0],
    )
)
def test_every_pull_is_what_a_plain_loop_finds(told):
    """A median over 28 days; the windows end on day 45 and day 52 of the facts' 60."""
    first = at("2026-09-01")
    facts = [
        ran(f"r{day}", first + timedelta(days=day, hours=9), "success", subject=whose, seconds=seconds)
        for day, whose, seconds in told
    ]
    subjects = ("acme/a", "acme/b", "acme/c")
    ends = (first + timedelta(days=45), first + timedelta(days=52))
    metric, found = movement(definition("ci_duration", min_samples=0), facts, *ends, subjects=subjects)

    def value(start, but=()):
        inside = [s for day, _, s in told if start <= day < start + 28 and f"r{day}/1" not in but]
        return median(inside) if inside else None

    then, now = value(45 - 28), value(52 - 28)
    if then is None or now is None:
        assert found.groups() == []
        return
    for one in found.groups():
        rest = value(24 if one.came else 17, keys(metric, one))
        pull = now - then if rest is None else (now - rest if one.came else rest - then)
        assert one.pull == pytest.approx(pull)
        assert one.pull * (now - then) > 0


def test_all_services_facts_of_a_part_can_be_taken_together():
    facts = [
        *(ran(f"g{n}", f"2026-10-{10 + n} 09:00", "success", subject="acme/a") for n in range(7)),
        *(ran(f"f{s}", "2026-10-28 09:00", "failure", subject=f"acme/{s}") for s in "abc"),
    ]
    metric, found = movement(definition("ci_success_rate"), facts, subjects=("acme/a", "acme/b", "acme/c"))
    groups = found.groups()
    assert [(m.whose, m.n, m.of) for m in groups] == [("acme/a", 1, 3), ("acme/b", 1, 3), ("acme/c", 1, 3)]
    assert is_even(groups)
    whole = found.together(groups[0])
    assert (whole.whose, whole.n, whole.of) == ("", 3, 3)
    assert whole.pull == pytest.approx(7 / 10 - 1)
    assert sorted(keys(metric, whole)) == ["fa/1", "fb/1", "fc/1"]


def test_of_what_is_carried_forward_the_longest_step_the_way_it_went_is_found():
    def coverage(day, covered_lines, commit):
        return measured(f"2026-10-{day} 12:00", parts={"covered": covered_lines, "coverable": 100}, commit=commit)

    facts = [coverage(*told) for told in ((20, 60, "a"), (25, 62, "b"), (26, 69, "c"), (27, 60, "d"), (28, 66, "e"))]
    metric, found = movement(definition("test_coverage", max_age=timedelta(days=30)), facts)
    # 60 → 66: +2, +7, -9, +6.
    assert metric.fact(found.longest_step)["commit"] == "c"
    fell, fallen = movement(definition("test_coverage", max_age=timedelta(days=30)), facts[:4], before=at("2026-10-27"))
    assert fell.fact(fallen.longest_step)["commit"] == "d"
