"""The next cycle, drafted from the last: what it is made of, and that it stands beside the config there is."""

from __future__ import annotations

import math
import shutil
import tomllib
from dataclasses import replace
from datetime import date, timedelta

import pytest
from closing_scenes import AFTER, CONFIG, LATER, MIDWAY, workspace, write_scene
from hypothesis import given
from hypothesis import strategies as st
from keyresults.config.document import read
from keyresults.config.load import load
from keyresults.jobs.closing import close, learn
from keyresults.jobs.evaluate import evaluate
from keyresults.jobs.naming_cycles import with_cycles_named
from keyresults.jobs.next_cycle import append, draft_next
from keyresults.jobs.next_cycle_parts import CannotDraft
from keyresults.jobs.next_targets import amount, in_force, still_to_reach, to_hold
from keyresults.jobs.toml_text import inline
from keyresults.krs.grading import HandGrade
from keyresults.krs.model import ChangeBy, Keep, Reach, Threshold
from keyresults.metrics.quantity import Quantity
from keyresults.metrics.unit import COUNT, DURATION, PER_DAY, PER_WORKDAY, RATIO, Unit
from krs_cases import COUNTED, SECONDS, stated, traits
from report_cases import HOSTILE, judgement
from report_cases import key_result as reported

HAND = {"merchants": HandGrade(0.4, "asked at the fair")}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quarter")
    write_scene(folder)
    return folder


@pytest.fixture
def folder(filled, tmp_path):
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    return tmp_path


def drafted(folder, now=AFTER, name="2027-Q1", **more):
    with workspace(folder, now, writing=False) as one:
        return draft_next(one, name, **more)


def key_results(text):
    return {kr["id"]: kr for o in tomllib.loads(text)["objectives"] for kr in o.get("key_results", [])}


def test_the_config_with_the_draft_behind_it_loads(folder):
    text = drafted(folder).text
    config = folder / "keyresults.toml"
    config.write_text(config.read_text() + "\n" + text)
    loaded = load(config)
    assert [(o.id, o.cycle.name) for o in loaded.objectives] == [
        ("trust", "2026-Q4"),
        ("calm", "2026-Q4"),
        ("trust", "2027-Q1"),
        ("calm", "2027-Q1"),
    ]
    assert all(kr.draft for o in loaded.objectives[2:] for kr in o.key_results)
    assert all(kr.start == date(2027, 1, 1) for o in loaded.objectives[2:] for kr in o.key_results)


def test_what_was_missed_is_carried_over_and_what_was_met_is_held(folder):
    found = key_results(drafted(folder).text)
    assert {id_: kr["target"] for id_, kr in found.items()} == {
        "coverage": {"to": "85%"},
        "fast": {"keep": {"at_most": "450ms"}, "share": "95%"},
        "merchants": {"at_least": 8},
        "errors": {"to": "1%"},
        "idea": {"at_most": "200ms"},
    }
    assert {kr.get("baseline") for id_, kr in found.items() if id_ != "fast"} == {"measured"}
    assert "baseline" not in found["fast"]
    assert found["fast"]["guardrails"] == [{"metric": "errors", "at_most": "2%"}]
    assert found["coverage"]["owner"] == "ben"
    assert all("revisions" not in kr and "plan" not in kr for kr in found.values())


def comments(text):
    return " ".join(
        line.strip().removeprefix("#").strip() for line in text.splitlines() if line.lstrip().startswith("#")
    )


def test_comments_say_why_and_what_was_learned(folder):
    with workspace(folder, AFTER) as one:
        learn(one, "2026-Q4", ["fast=Measure before promising", "Ask merchants monthly"], by="ana")
        close(one, "2026-Q4", HAND, by="ana")
    said = comments(drafted(folder).text)
    assert "from 2026-Q4 (closed on 4 Jan 2027 09:00 by ana)" in said
    assert "Missed, graded 0.80: 60% → 80% → 85%. Measured 4–20 Dec: 80%." in said
    assert "Met, graded 1.00" in said
    assert 'guardrails = [{ metric = "p99", at_most = "450ms" }]. Its title is still the last cycle\'s.' in said
    assert "Graded by hand: asked at the fair. Nothing can be measured to start from" in said
    assert "Learned: Measure before promising." in said
    assert "Learned: Ask merchants monthly" in said
    assert (
        "Not carried over, 'Something nobody needs any more' (gone). Withdrawn on 2026-10-20: The team moved on."
        in said
    )


def test_the_measured_number_is_the_baseline_of_the_new_key_result(folder):
    with workspace(folder, AFTER) as one:
        found = draft_next(one, "2027-Q1")
        append(found, one.config)
    said = {kr.told.id: kr.measured.value for o in found.found.objectives for kr in o.key_results if kr.measured}
    assert (said["coverage"], said["errors"]) == (pytest.approx(0.80), pytest.approx(0.02))
    with workspace(folder, LATER) as one:
        report = evaluate(one, as_of=LATER, cycle="2027-Q1")
    baselines = {kr.id: kr.judgement.baseline for o in report.objectives for kr in o.key_results}
    assert baselines["coverage"].value == said["coverage"]
    assert baselines["errors"].value == said["errors"]


def test_it_may_be_drafted_while_the_last_cycle_still_runs(folder):
    found = drafted(folder, MIDWAY)
    assert "(not closed yet)" in comments(found.text)
    assert set(key_results(found.text)) == {"coverage", "fast", "merchants", "errors", "idea"}


def test_what_runs_on_beyond_the_last_cycle_is_not_carried_over(folder):
    config = folder / "keyresults.toml"
    config.write_text(CONFIG.replace('  metric = "errors"\n', '  metric = "errors"\n  deadline = 2027-01-15\n', 1))
    text = drafted(folder).text
    assert "errors" not in key_results(text)
    assert "(errors). It still runs, until 15 Jan 2027." in comments(text)


def test_an_objective_without_anything_to_carry_over_is_a_comment(folder):
    config = folder / "keyresults.toml"
    gone = '  revisions = [{ on = 2026-10-20, reason = "The team moved on", withdraw = true }]\n'
    config.write_text(
        CONFIG.replace('  target = { from = "5%", to = "1%" }\n', '  target = { from = "5%", to = "1%" }\n' + gone)
    )
    config.write_text(config.read_text().replace("  draft = true\n", gone))
    text = drafted(folder).text
    assert [o["id"] for o in tomllib.loads(text)["objectives"]] == ["trust"]
    assert "Nothing is carried over of the objective 'Nights without calls' (calm)." in comments(text)


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("2026-Q4", {}, "objectives for 2026-Q4 already"),
        ("spring", {}, "doesn't say its days"),
        ("late winter", {"days": (date(2027, 1, 1), date(2027, 2, 1))}, "is no name"),
        ("spring", {"days": (date(2027, 3, 1), date(2027, 2, 1))}, "before it starts"),
        ("2027-Q1", {"days": (date(2027, 1, 1), date(2027, 2, 1))}, "are known"),
    ],
)
def test_a_cycle_that_can_not_be_drafted_is_refused_in_words(folder, name, more, words):
    with pytest.raises(CannotDraft, match=words):
        drafted(folder, name=name, **more)


def test_a_cycle_whose_name_says_no_days_gets_a_table(folder):
    found = drafted(folder, name="late-winter", days=(date(2027, 1, 11), date(2027, 4, 4)))
    assert tomllib.loads(found.text)["cycles"] == {"late-winter": {"start": date(2027, 1, 11), "end": date(2027, 4, 4)}}


UNNAMED = CONFIG.replace('cycle = "2026-Q4"\n\n  [[', "\n  [[").replace("[[objectives]]", "[[ objectives ]]  # why")


def test_objectives_without_a_cycle_are_given_theirs_when_the_draft_is_appended(folder):
    config = folder / "keyresults.toml"
    config.write_text(UNNAMED)
    with workspace(folder, AFTER) as one:
        found = draft_next(one, "2027-Q1")
        assert found.unnamed == ("trust", "calm")
        append(found, one.config)
    assert [o.cycle.name for o in load(config).objectives] == ["2026-Q4", "2026-Q4", "2027-Q1", "2027-Q1"]
    assert config.read_text().startswith(UNNAMED.partition("[[ objectives")[0])


def test_naming_cycles_touches_nothing_else_and_gives_up_where_it_would(folder):
    config = folder / "keyresults.toml"
    config.write_text(UNNAMED)
    text, _ = with_cycles_named(read(config), "2026-Q4")
    assert [line for line in text.splitlines() if line != 'cycle = "2026-Q4"'] == [
        line for line in UNNAMED.splitlines() if line != 'cycle = "2026-Q4"'
    ]
    config.write_text('objectives = [{ id = "a", title = "A" }]\n[tracker]\ncycle = "2026-Q4"\n')
    with pytest.raises(CannotDraft, match='write cycle = "2026-Q4"'):
        with_cycles_named(read(config), "2026-Q4")


def test_appending_keeps_line_ends_and_leaves_no_file_behind(folder):
    config = folder / "keyresults.toml"
    config.write_bytes(CONFIG.replace("\n", "\r\n").encode())
    config.chmod(0o640)
    with workspace(folder, AFTER) as one:
        append(draft_next(one, "2027-Q1"), one.config)
    content = config.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n")
    assert config.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in folder.iterdir() if "new" in p.name] == []
    assert load(config).objectives


def test_hostile_titles_and_lessons_stay_what_they_are(folder):
    hostile = HOSTILE.replace("\ud800", "")
    config = folder / "keyresults.toml"
    title = 'title = "Increase test coverage from 60% to 85%"'
    config.write_text(CONFIG.replace(title, f"title = {inline(hostile)}"))
    with workspace(folder, AFTER) as one:
        learn(one, "2026-Q4", [f"coverage={hostile}", hostile], by=hostile)
    found = drafted(folder)
    assert key_results(found.text)["coverage"]["title"] == hostile
    assert not [c for c in found.text if ord(c) < 32 and c != "\n"]
    assert not set(found.text) & set("\x7f\x9b\u202e\u2066\u200b")


ANY = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**40), 2**40),
        st.floats(allow_nan=False, allow_infinity=False),
        st.dates(),
        st.text(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


@given(value=ANY)
def test_whatever_toml_holds_is_read_back_as_it_was(value):
    assert tomllib.loads(f"a = {inline(value)}") == {"a": value}


@given(
    value=st.floats(1e-4, 1e5),
    unit=st.sampled_from(
        [RATIO, DURATION, COUNT, PER_DAY, PER_WORKDAY, SECONDS, Unit.parse("ms"), Unit.parse("points")]
    ),
)
def test_amounts_are_read_back_as_what_reports_show_of_them(value, unit):
    assert math.isclose(Quantity.parse(amount(value, unit)).into(unit), value, rel_tol=0.0051)


LATENCY = traits(unit=SECONDS, better="lower")
EITHER = traits(unit=Unit.parse("points"), better=None)


def told(limit, start=0.6, kind="to", text=""):
    one = reported(judgement=judgement(target_value=limit, baseline=stated(start)))
    return replace(one, target=replace(one.target, kind=kind, text=text, value=limit))


def test_targets_are_carried_over_from_a_new_start():
    change = ChangeBy(-0.3, True, "-30%")
    # 30% less than 600 ms
    assert still_to_reach({"change": "-30%"}, change, told(0.42), LATENCY) == {"at_most": "420 ms"}
    assert to_hold({"change": "-30%"}, change, told(0.42), LATENCY) == {"keep": {"at_most": "420 ms"}, "share": "95%"}
    assert still_to_reach({"change": "-30%"}, change, told(None), LATENCY) == {"change": "-30%"}
    assert still_to_reach({"from": 60, "to": 40}, Reach(40, 60, ""), told(40), EITHER) == {"at_most": 40}
    assert still_to_reach({"to": 80}, Reach(80, None, ""), told(80, start=60), EITHER) == {"at_least": 80}
    above = Threshold("above", 0.8, "above 80%")
    assert to_hold({"above": "80%"}, above, told(0.8), traits()) == {"keep": {"above": "80%"}, "share": "95%"}


def test_days_to_keep_and_counts_of_a_cycle_begin_anew():
    said = {"keep": {"at_most": "450ms"}, "share": "90%"}
    keep = Keep(Threshold("at_most", 0.45, "450ms"), 0.9, "")
    assert to_hold(said, keep, told(None), LATENCY) == said
    at_most = Threshold("at_most", 10, "at most 10")
    assert to_hold({"at_most": 10}, at_most, told(10), COUNTED) == {"at_most": 10}
    assert still_to_reach({"change": "+50%"}, ChangeBy(0.5, True, "+50%"), told(60.0), COUNTED) == {"at_least": 60}


def test_what_a_revision_replaced_is_in_force_from_its_day_on():
    on = date(2026, 11, 2)
    said = {
        "target": 1,
        "weight": 2,
        "revisions": [{"on": on, "target": 3}, {"on": on + timedelta(days=9), "target": 4}],
    }
    assert [in_force(said, "target", on + timedelta(days=n)) for n in (-1, 0, 8, 9)] == [1, 3, 3, 4]
    assert in_force(said, "weight", date.max) == 2
    assert in_force(said, "metric", date.max) is None
