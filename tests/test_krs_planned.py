"""What was asked of each day: by hand, and beside what judging says of a team exactly on plan."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.config.load import load
from keyresults.jobs.evaluate import evaluate
from keyresults.jobs.planned import with_planned
from keyresults.jobs.workspace import Workspace
from keyresults.krs.model import Between, ChangeBy, Keep, Pace, PlanPoint, Reach, Revision, Threshold
from keyresults.krs.planned import planned
from keyresults.krs.progress import Goal
from keyresults.krs.standing import Case
from krs_cases import BERLIN, COUNTED, END, START, day, judged, key_result, midnight, series, stated, traits, utc


def days_of(kr, *, metric=None, baseline=0.60, kind="committed"):
    metric = metric or traits()
    found = planned(
        Case(
            kr=kr,
            kind=kind,
            pace=Pace(),
            calendar=BERLIN,
            traits={metric.name: metric, "other": traits("other", days=28)},
            baseline=None if baseline is None else stated(baseline),
            readings=(),
        )
    )
    return {one.day: one for one in found}


def test_a_plain_line_leads_from_the_baseline_to_the_target():
    days = days_of(key_result())
    assert list(days) == [START + timedelta(days=n) for n in range(92)]
    assert days[START].expected == pytest.approx(0.60 + 0.25 / 92)
    assert days[date(2026, 11, 15)].expected == pytest.approx(0.725)  # the 46th of 92 days
    assert days[END].expected == pytest.approx(0.85)
    assert {one.limits for one in days.values()} == {(0.85,)}


def test_a_reading_that_looks_back_is_expected_to_lag():
    days = days_of(key_result(), metric=traits(days=28))
    # The line of progress is through after 64 days; on day 46 the window averages it over days 18 to 46.
    assert days[date(2026, 11, 15)].expected == pytest.approx(0.60 + 0.25 * 32 / 64)
    assert days[END].expected == pytest.approx(0.85)


def test_of_an_aspirational_target_a_share_is_due():
    assert days_of(key_result(), kind="aspirational")[END].expected == pytest.approx(0.60 + 0.70 * 0.25)


def test_a_revision_changes_no_day_before_it():
    on = date(2026, 11, 2)
    plain = days_of(key_result())
    eased = days_of(key_result(revisions=(Revision(on=on, reason="r", target=Reach(0.80, 0.60, "60% to 80%")),)))
    for at, one in eased.items():
        if at < on:
            assert one == plain[at]
        else:
            assert one.limits == (0.80,)
            assert one.expected == pytest.approx(0.60 + (plain[at].expected - 0.60) * 0.20 / 0.25)


def test_the_days_go_on_to_a_deadline_that_was_moved_and_end_where_it_is_withdrawn():
    later = key_result(revisions=(Revision(on=date(2026, 11, 2), reason="r", deadline=date(2027, 1, 15)),))
    assert max(days_of(later)) == date(2027, 1, 15)
    over = key_result(revisions=(Revision(on=date(2026, 11, 2), reason="r", withdraw=True),))
    assert max(days_of(over)) == date(2026, 11, 1)


def test_days_after_another_metric_took_over_say_so():
    days = days_of(key_result(revisions=(Revision(on=date(2026, 11, 2), reason="r", metric="other"),)))
    assert {days[date(2026, 11, 1)].metric, days[date(2026, 11, 2)].metric} == {"m", "other"}


def test_a_plan_is_followed_point_by_point():
    days = days_of(key_result(plan=(PlanPoint(date(2026, 10, 31), 0.2),)))
    assert days[date(2026, 10, 31)].expected == pytest.approx(0.65)


def test_what_is_used_up_is_due_evenly():
    budget = days_of(key_result(Threshold("at_most", 23, "at most 23")), metric=replace(COUNTED, name="m"))
    assert budget[date(2026, 11, 15)].expected == pytest.approx(11.5)
    total = days_of(key_result(Threshold("at_least", 46, "at least 46")), metric=replace(COUNTED, name="m"))
    assert total[date(2026, 11, 15)].expected == pytest.approx(23)


@pytest.mark.parametrize("limit", [Between(0.2, 0.4), Threshold("at_most", 0.4, "at most 40%")])
def test_days_to_keep_have_limits_and_no_pace(limit):
    day = days_of(key_result(Keep(limit, 0.95, "")))[START]
    assert day.limits == ((0.2, 0.4) if isinstance(limit, Between) else (0.4,))
    assert day.expected is None


def test_what_needs_a_baseline_that_is_not_known_has_no_line():
    day = days_of(key_result(ChangeBy(-0.3, True, "-30%")), baseline=None)[START]
    assert (day.limits, day.expected) == ((), None)
    held = days_of(key_result(Threshold("at_least", 0.5, "at least 50%")))[START]
    assert (held.limits, held.expected) == ((0.5,), None)  # met at the start: there is no way to go


@given(st.integers(1, 91), st.sampled_from([0, 7, 28]), st.sampled_from(["committed", "aspirational"]))
def test_a_team_with_the_expected_value_is_judged_exactly_on_plan(number, window, kind):
    metric, kr, at = traits(days=window), key_result(), day(number)
    expected = days_of(kr, metric=metric, kind=kind)[START + timedelta(days=number - 1)].expected
    assert expected is not None
    found = judged(kr, series(expected, at), at, traits={"m": metric}, kind=kind)
    asked = 0.70 if kind == "aspirational" else 1.0
    assert found.raw_progress == pytest.approx(found.expected * asked, abs=1e-9)


@given(st.floats(0, 1, exclude_max=True), st.floats(-5, 5), st.floats(0.1, 5), st.booleans())
def test_the_value_at_some_progress_has_that_progress(share, origin, length, rising):
    limit = origin + length if rising else origin - length
    goal = Goal(shape="way", comparison="at_least" if rising else "at_most", limit=limit, origin=origin)
    value = goal.value_at(share)
    assert value is not None
    assert goal.raw_progress(value, 0.5) == pytest.approx(share, abs=1e-6)


def test_a_report_gets_its_lines_from_the_config(tmp_path):
    config = tmp_path / "keyresults.toml"
    config.write_text(
        '[tracker]\ntimezone = "Europe/Berlin"\ncycle = "2026-Q4"\n'
        '[[objectives]]\nid = "o"\ntitle = "Better"\n[[objectives.key_results]]\nid = "nps"\ntitle = "Loved"\n'
        'metric = "nps"\ntarget = { from = 20, to = 66 }\n[sources.people]\ntype = "manual"\n'
        '[metrics.nps]\nsource = "people"\nmeasure = "sampled"\nunit = "points"\naggregate = "last"\n'
        'exclude = [{ from = 2026-10-03, to = 2026-10-05, reason = "moved house" }]\n'
    )
    with Workspace(load(config), writing=True, clock=lambda: utc(2026, 11, 23)) as workspace:
        report = with_planned(workspace.config, evaluate(workspace, as_of=midnight(date(2026, 11, 20))))
    (kr,) = report.objectives[0].key_results
    assert [one.reason for one in kr.excluded] == ["moved house"]
    assert (kr.planned[0].day, kr.planned[-1].day) == (START, END)
    assert kr.planned[-1].expected == pytest.approx(66)
