"""The rules of lint: each with what it finds and what it lets pass."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from keyresults.config.problem import ConfigProblems
from keyresults.krs.lint import lint
from keyresults.krs.lint_past import Past, of_its_past
from keyresults.krs.lint_rules import RULES
from keyresults.krs.lint_wording import direction, is_output, is_vague, number_in
from keyresults.krs.model import ChangeBy, Reach, Threshold
from keyresults.krs.terms import terms
from keyresults.metrics.unit import RATIO, Unit
from keyresults.reports.findings import words
from krs_cases import day, judged, key_result, reading, series, stated, traits
from lint_cases import ERRORS, config, fine, found, objective, plan_of
from lint_cases import key_result as written

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DOCS = Path(__file__).parents[1] / "docs"


def test_nothing_is_said_of_three_owned_and_guarded_key_results(tmp_path):
    assert found(tmp_path, objective(fine(0), fine(1), fine(2)), at=NOW) == []


@pytest.mark.parametrize(("number", "said"), [(5, []), (6, [("KR001", None, None)])])
def test_more_than_five_objectives_are_too_many(tmp_path, number, said):
    one = [objective(fine(0), fine(1), fine(2), id_=f"o{n}") for n in range(number)]
    text = [o.replace('id = "fine', f'id = "kr{n}-') for n, o in enumerate(one)]
    assert found(tmp_path, *text, at=NOW) == said


@pytest.mark.parametrize(("number", "said"), [(2, ["KR003"]), (3, []), (5, []), (6, ["KR002"])])
def test_three_to_five_key_results_are_right(tmp_path, number, said):
    krs = [
        written(f"kr{n}", metric=m) for n, m in enumerate(["p99", "error-rate", "rollbacks", "often", "views", "long"])
    ]
    codes = [code for code, _, kr in found(tmp_path, objective(*krs[:number]), at=NOW) if kr is None]
    assert codes == said


def test_drafts_and_what_was_withdrawn_are_not_counted(tmp_path):
    gone = 'revisions = [{ on = 2026-10-20, reason = "no more", withdraw = true }]'
    krs = [fine(0), fine(1), fine(2)]
    krs += [written(f"d{n}", metric="often", target='{ at_least = "1/day" }', more="draft = true") for n in range(3)]
    krs += [written("gone", metric="long", more=gone)]
    assert {c for c, _, kr in found(tmp_path, objective(*krs), at=NOW) if kr in (None, "gone")} == set()


@pytest.mark.parametrize(
    ("title", "number"),
    [
        ("Reach 99.9% uptime", "99.9%"),
        ("Ship 12 features", "12"),
        ("P99 latency that nobody notices", None),
        ("Be there 24/7 for our users in 2026", None),
        ("OAuth2 everywhere, and v2.1 of the API", None),
    ],
)
def test_an_objective_that_is_a_number_is_told_from_one_that_names_something(title, number):
    assert number_in(title) == number


@pytest.mark.parametrize(
    ("title", "seen_in", "vague"),
    [
        ("Improve customer satisfaction", ["Increase deployment frequency"], True),
        ("Improve customer satisfaction", ["Customers who rate us 9 or 10"], False),
        ("Significantly improve the reliability of our core payment service", ["P99 latency of payments"], False),
        ("Deploy without fear", ["Reduce rollback rate"], False),
    ],
)
def test_a_wish_is_vague_where_no_key_result_speaks_of_it(title, seen_in, vague):
    assert is_vague(title, seen_in) is vague


@pytest.mark.parametrize(
    ("title", "output"),
    [
        ("Launch the new checkout", True),
        ("Complete the migration to Kubernetes", True),
        ("Deploy feature flags", True),
        ("The mobile app is ready to go live", True),
        ("Deployment frequency of twice a week", False),
        ("Release the kit every week", False),
        ("Reduce P99 latency of payment processing by 30%", False),
        ("Increase automated test coverage from 60% to 85%", False),
    ],
)
def test_work_is_told_from_what_changes_by_it(title, output):
    assert is_output(title) is output


@pytest.mark.parametrize(
    ("title", "rising"),
    [
        ("Reduce rollbacks", False),
        ("Increase coverage", True),
        ("Tests nobody waits for", None),
        ("Fewer incidents", False),
    ],
)
def test_the_first_word_that_says_so_gives_the_direction(title, rising):
    assert direction(title) is rising


def codes_of(folder, *key_results, more='owner = "payments"', code):
    here = found(folder, objective(*key_results, more=more), at=NOW)
    return [kr for found_code, _, kr in here if found_code == code]


def test_somebody_must_own_objectives_and_key_results(tmp_path):
    three = (fine(0), fine(1), fine(2))
    assert codes_of(tmp_path, *three, more="", code="KR006") == [None]
    assert codes_of(tmp_path, *three, more="", code="KR102") == ["fine0", "fine1", "fine2"]
    assert codes_of(tmp_path, written(more=f'owner = "ana"\n  guardrails = [{ERRORS}]'), more="", code="KR102") == []
    assert codes_of(tmp_path, *three, more='teams = ["payments", "platform"]', code="KR006") == []


def test_the_same_metric_twice_in_one_objective_is_found(tmp_path):
    assert codes_of(tmp_path, fine(0), fine(1), written("again"), code="KR007") == [None]


def test_a_frequency_needs_something_that_shows_what_breaks(tmp_path):
    more_often = {"metric": "often", "title": "Increase frequency", "target": '{ at_least = "1/day" }'}
    assert codes_of(tmp_path, written(**more_often), code="KR103") == ["one"]
    guarded = written(**{**more_often, "more": 'guardrails = [{ metric = "rollbacks", at_most = "5%" }]'})
    assert codes_of(tmp_path, guarded, code="KR103") == []
    assert codes_of(tmp_path, written(**more_often), fine(2), code="KR103") == []


def test_a_vanity_count_is_one_by_its_name(tmp_path):
    vain = written(metric="views", title="Increase page views", target="{ at_least = 1000 }", more="")
    assert codes_of(tmp_path, vain, code="KR103") == ["one"]


def test_latency_needs_an_error_rate_beside_it(tmp_path):
    assert codes_of(tmp_path, written(more=""), code="KR104") == ["one"]
    assert codes_of(tmp_path, written(), code="KR104") == []
    assert codes_of(tmp_path, written(more=""), fine(1), code="KR104") == []


def test_a_deadline_after_the_cycle_is_found(tmp_path):
    late = written(more=f"guardrails = [{ERRORS}]\n  deadline = 2027-01-31")
    assert codes_of(tmp_path, late, code="KR105") == ["one"]
    revised = written(
        more=f'guardrails = [{ERRORS}]\n  revisions = [{{ on = 2026-11-01, reason = "time", deadline = 2027-02-01 }}]'
    )
    assert codes_of(tmp_path, revised, code="KR105") == ["one"]


def test_wording_and_target_must_agree(tmp_path):
    assert codes_of(tmp_path, written(title="Increase latency"), code="KR106") == ["one"]
    assert codes_of(tmp_path, written(title="Latency", target='{ change = "+30%" }'), code="KR106") == ["one"]
    assert codes_of(tmp_path, written(title="Latency"), code="KR106") == []
    assert codes_of(tmp_path, written(target='{ keep = { at_most = "1s" } , share = "95%" }'), code="KR106") == []


def test_windows_are_whole_weeks_and_a_third_of_the_time_at_most(tmp_path):
    # 2026-Q4 has 92 days, of which 35 are over a third; 28 are not.
    assert codes_of(tmp_path, written(metric="long"), code="KR107") == ["one"]
    assert codes_of(tmp_path, written(metric="broken"), code="KR108") == ["one"]
    assert codes_of(tmp_path, fine(2), code="KR107") == codes_of(tmp_path, fine(2), code="KR108") == []


def test_a_rule_is_ignored_for_one_key_result_with_a_reason(tmp_path):
    ignoring = 'ignore = [{ code = "KR104", reason = "Errors have an SLO" }]'
    assert codes_of(tmp_path, written(more=ignoring), written("two", metric="long", more=""), code="KR104") == ["two"]
    plan = plan_of(config(tmp_path, objective(written(more=ignoring))), NOW, None)
    assert [one.ignored for one in lint(plan, {}) if one.code == "KR104"] == ["Errors have an SLO"]


def test_a_rule_is_ignored_for_one_objective(tmp_path):
    ignoring = 'owner = "payments"\nignore = [{ code = "KR003", reason = "It is a small team" }]'
    assert codes_of(tmp_path, fine(0), more=ignoring, code="KR003") == []


def test_an_unknown_rule_can_not_be_ignored(tmp_path):
    with pytest.raises(ConfigProblems, match=r"ignore\[1\].code: there is no rule 'KR114'; did you mean \"KR104\""):
        config(tmp_path, objective(written(more='ignore = [{ code = "KR114", reason = "?" }]')))


# ---- against the past -----------------------------------------------------------------------------------------------

DOWN = ChangeBy(-0.30, True, "-30%")
LATENCY = traits(unit=Unit.parse("s"), days=7, better="lower")


def past(kr, baseline, *, weekly=(), readings=(), metric=LATENCY, on=date(2026, 11, 1), **more):
    start = replace(stated(baseline), measured=True, at=day(0))
    judgement = judged(kr, readings or series(baseline, day(31)), day(31), baseline=start, traits={"m": metric})
    known = {"day": on, "terms": terms(kr, on), "traits": metric, "judgement": judgement, "origin": baseline}
    return Past(**known | {"weekly": weekly} | more)


def said(kr, **more):
    return {one.code: words(one) for one in of_its_past("o", kr, past(kr, **more))}


def test_what_was_met_at_the_start_is_found():
    kr = key_result(Threshold("at_most", 0.5, "at most 500ms"))
    assert said(kr, baseline=0.4) == {"KR201": "it began at 400 ms, where the target (500 ms) was met already"}
    assert said(kr, baseline=0.6) == {}


def test_far_further_than_it_ever_moved_is_out_of_reach():
    kr = key_result(Threshold("at_most", 0.5, "at most 500ms"))
    # The range is 0.1: from 0.79 to 0.5 is less than three times that, from 0.81 more.
    weeks = [0.75, 0.85] * 6
    assert "KR202" not in said(kr, baseline=0.79, weekly=weeks)
    assert said(kr, baseline=0.81, weekly=weeks)["KR202"] == (
        "from 810 ms to 500 ms is over three times as far as it moved in 12 weeks before (750 ms to 850 ms)"
    )


def test_what_the_metric_mostly_was_already_is_sandbagged():
    kr = key_result(Threshold("at_most", 0.5, "at most 500ms"))
    half = [0.45, 0.55] * 6
    assert said(kr, baseline=0.55, weekly=half)["KR203"] == "in 6 of the 12 weeks before it was at 500 ms already"
    assert "KR203" not in said(kr, baseline=0.55, weekly=[0.45, 0.55, 0.56] * 4)


def test_a_distance_within_the_noise_is_found():
    kr = key_result(Threshold("at_most", 0.5, "at most 500ms"))
    # Every week it changes by 0.2; the way is 0.1.
    weekly = [0.55, 0.75] * 6
    assert said(kr, baseline=0.6, weekly=weekly)["KR204"] == (
        "from 600 ms to 500 ms is less than its usual change from week to week, 200 ms"
    )
    assert "KR204" not in said(kr, baseline=0.71, weekly=weekly)


def test_a_baseline_from_an_unusual_time_is_found():
    kr = key_result(DOWN)
    weekly = [0.50, 0.51, 0.52, 0.53, 0.54, 0.55, 0.56, 0.57, 0.58, 0.59, 0.60]
    # The first and ninth tenth of eleven values in equal steps are the second and the tenth of them.
    assert said(kr, baseline=0.62, weekly=weekly)["KR205"] == (
        "it began at 620 ms; in eight of ten of the 11 weeks before it was 510 ms to 590 ms"
    )
    assert "KR205" not in said(kr, baseline=0.59, weekly=weekly)


def test_a_past_of_few_weeks_says_nothing():
    assert said(key_result(DOWN), baseline=0.9, weekly=[0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.1]) == {}


def test_a_limit_finer_than_the_facts_says_how_many_it_takes():
    kr = key_result(Threshold("below", 0.01, "below 1%"))
    rate = traits(unit=RATIO, days=28, better="lower", ratio_of_counts=True)
    few = series(0.05, day(31), n=28)
    assert said(kr, baseline=0.05, readings=few, metric=rate)["KR206"] == (
        'one of 28 decides whether it is at 1%; that takes 100 at least; window = "cycle" counts more'
    )
    assert "KR206" not in said(kr, baseline=0.05, readings=series(0.05, day(31), n=100), metric=rate)


def test_reverts_without_rollbacks_and_many_returns_are_found():
    kr = key_result(DOWN)
    assert said(kr, baseline=0.5, returned=0, deployed=40, reverted=3)["KR207"].startswith(
        "3 deployments were reverted"
    )
    assert "KR207" not in said(kr, baseline=0.5, returned=1, deployed=40, reverted=3)
    # 6 of 40 are 15 % exactly.
    assert "KR208" not in said(kr, baseline=0.5, returned=6, deployed=40)
    assert "KR208" in said(kr, baseline=0.5, returned=7, deployed=40)
    assert "KR208" not in said(kr, baseline=0.5, returned=7, deployed=19)


def test_two_rounds_without_a_check_in_are_found():
    kr = key_result(DOWN)
    assert "KR209" not in said(kr, baseline=0.5, missed=1)
    assert said(kr, baseline=0.5, missed=2)["KR209"] == "no check-in ever: `keyresults checkin kr`"
    last = said(kr, baseline=0.5, missed=3, last_check_in=date(2026, 10, 10))["KR209"]
    assert last == "no check-in since 2026-10-10: `keyresults checkin kr`"


def test_a_key_result_that_was_never_measured_is_found_after_a_week():
    kr = key_result(DOWN)
    assert "KR210" not in said(kr, baseline=0.5, ever_measured=False, on=date(2026, 10, 7))
    assert "KR210" in said(kr, baseline=0.5, ever_measured=False, on=date(2026, 10, 8))


def test_a_target_edited_beside_a_revision_is_found():
    kr = key_result(Reach(0.4, None, "to 400ms"))
    assert said(kr, baseline=0.5, edited="to 350ms")["KR109"] == (
        "`target` was to 350ms and was edited, although it has revisions (now to 400ms)"
    )


def test_an_unusable_reading_makes_no_limit_fine():
    kr = key_result(Threshold("below", 0.01, "below 1%"))
    rate = traits(unit=RATIO, days=28, better="lower", ratio_of_counts=True)
    assert "KR206" not in said(kr, baseline=0.05, readings=[reading(day(31), None, n=0)], metric=rate)


def test_every_rule_has_its_section_in_the_docs():
    headings = re.findall(r"^### (KR\d{3}): (.+)$", (DOCS / "lint.md").read_text(), re.MULTILINE)
    assert headings == [(rule.code, rule.name) for rule in RULES.values()]
    text = (DOCS / "lint.md").read_text()
    for rule in RULES.values():
        section = text.split(f"### {rule.code}:")[1].split("\n### ")[0]
        assert ("Uses history" in section) is rule.uses_history, rule.code
