"""Changes of course on their whole way: the config is edited between two collections, `check` and the report say so."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.cli.main import main
from keyresults.jobs.collect import collect
from keyresults.jobs.workspace import Workspace

LATER = NOW + timedelta(days=2)


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KEYRESULTS_CONFIG", raising=False)
    whole = Workspace.__init__

    def later(self, config, writing=False, clock=lambda: LATER):
        whole(self, config, writing, clock)

    monkeypatch.setattr(Workspace, "__init__", later)
    return write_scene(tmp_path, rows(120))


def collected(config, at):
    with workspace(config, at) as one:
        collect(one)


def edited(config, old, new):
    """Collected, edited, and collected again two days later."""
    collected(config, NOW)
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new, 1))
    collected(config, LATER)


def report(capsys, form="markdown"):
    assert main(["report", "--format", form]) == 0
    return capsys.readouterr().out


def key_result(capsys, id_):
    found = json.loads(report(capsys, "json"))
    return next(kr for o in found["objectives"] for kr in o["key_results"] if kr["id"] == id_)


def checked(capsys):
    main(["check"])
    return " ".join(capsys.readouterr().out.split())


def test_a_silent_retarget_is_told_again_and_again(config, capsys):
    edited(config, 'target = { at_least = "1/day" }', 'target = { at_least = "1/week" }')
    words = "daily: target at least 1/day → at least 1/week: changed without a reason, first seen on"
    assert f"{words} 2026-11-22" in checked(capsys)
    assert f"{words} 22 Nov" in " ".join(report(capsys).split())
    collected(config, LATER + timedelta(hours=1))
    assert f"{words} 22 Nov" in " ".join(report(capsys).split())


def test_a_vanished_key_result_is_told(config, capsys):
    gone = config.read_text().split("  [[objectives.key_results]]")[1]
    edited(config, f"  [[objectives.key_results]]{gone}", "")
    words = "rollbacks: vanished from the file without being withdrawn, last seen on"
    assert f"{words} 2026-11-20" in checked(capsys)
    assert f"{words} 20 Nov" in " ".join(report(capsys).split())


def test_a_renamed_one_keeps_its_baseline_its_check_ins_and_what_was_said_of_it(config, capsys):
    collected(config, NOW)
    baseline = key_result(capsys, "rollbacks")["baseline"]
    assert main(["checkin", "rollbacks", "--confidence", "7", "--by", "ana", "--note", "The cache goes live"]) == 0
    capsys.readouterr()
    config.write_text(config.read_text().replace('id = "rollbacks"', 'id = "returns"\n  was = "rollbacks"', 1))
    collected(config, LATER)
    assert checked(capsys).count("changed without a reason") == 0
    found = key_result(capsys, "returns")
    assert not baseline["provisional"]
    assert found["baseline"] == baseline
    assert [(c["by"], c["confidence"]) for c in found["check_ins"]] == [("ana", 7)]
    assert main(["report", "--json", "--since", "2026-11-20"]) == 0
    found = json.loads(capsys.readouterr().out)
    (returns,) = [kr for o in found["objectives"] for kr in o["key_results"] if kr["id"] == "returns"]
    assert returns["before"]["at"].startswith("2026-11-20")


def test_what_was_said_of_a_renamed_one_stands_under_its_old_id(config, capsys):
    edited(config, 'id = "rollbacks"', 'id = "returns"\n  was = "rollbacks"')
    assert main(["status", "--json", "--said-on", "2026-11-20"]) == 0
    ids = [kr["id"] for o in json.loads(capsys.readouterr().out)["objectives"] for kr in o["key_results"]]
    assert "rollbacks" in ids
    assert "returns" not in ids


def test_a_target_eased_while_off_track_is_told_with_its_reason(config, capsys):
    # From 14 a day to 100 a day: in the middle of the quarter it is far off track.
    steep = 'target = { from = "0/day", to = "100/day" }'
    config.write_text(config.read_text().replace('target = { at_least = "1/day" }', steep))
    revised = (
        f"{steep}\n"
        '  revisions = [{ on = 2026-11-21, reason = "Nobody can", target = { from = "0/day", to = "2/day" } }]'
    )
    edited(config, steep, revised)
    assert "changed without a reason" not in checked(capsys)
    assert {"retargeted", "eased"} <= set(key_result(capsys, "daily")["flags"])
    assert "eased the target from 0/day to 100/day to 0/day to 2/day on 21 Nov, while it was off track: Nobody can" in (
        " ".join(report(capsys).split())
    )


def test_days_left_out_afterwards_are_told_with_their_reason(config, capsys):
    late = (
        'measure = "rollback_rate"\n'
        'exclude = [{ from = 2026-11-03, to = 2026-11-04, reason = "A drill", added = 2026-11-21 }]'
    )
    edited(config, 'measure = "rollback_rate"', late)
    assert "changed without a reason" not in checked(capsys)
    assert "eased: Since 21 Nov the days from 3 Nov to 4 Nov are left out: A drill" in " ".join(report(capsys).split())


def test_alignment_teams_and_initiatives_are_shown(config, capsys):
    title = 'title = "Releases nobody fears"\n'
    aligned = 'cycle = "2026-Q4"\nowner = "payments"\nteams = ["payments", "risk"]\nparent = "year"\n'
    linked = '  initiatives = ["https://example.org/milestone/7"]\n'
    text = config.read_text().replace(title, title + aligned)
    text = text.replace('metric = "rollbacks"\n', f'metric = "rollbacks"\n{linked}', 1)
    text += '\n[[objectives]]\nid = "year"\ntitle = "Dependable payments"\ncycle = "2026"\nowner = "payments"\n'
    config.write_text(text)
    collected(config, NOW)
    assert main(["status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["objectives"][0]
    assert (found["parent"], found["teams"]) == ("year", ["payments", "risk"])
    for form in ("terminal", "markdown"):
        shown = " ".join(report(capsys, form).split())
        assert "payments, risk · serves year" in shown
        assert "https://example.org/milestone/7" in shown


def test_a_parent_that_is_no_objective_has_a_near_match(config, capsys):
    text = config.read_text().replace('id = "stable"\n', 'id = "stable"\nparent = "dependabel"\n')
    config.write_text(text + '\n[[objectives]]\nid = "dependable"\ntitle = "Dependable payments"\n')
    assert main(["check"]) == 2
    assert 'there is no objective "dependabel"; did you mean "dependable"?' in capsys.readouterr().err


def test_no_objective_serves_itself_by_way_of_others(config, capsys):
    text = config.read_text().replace('id = "stable"\n', 'id = "stable"\nparent = "dependable"\n')
    config.write_text(text + '\n[[objectives]]\nid = "dependable"\ntitle = "D"\nparent = "stable"\n')
    assert main(["check"]) == 2
    assert '"stable" would serve itself, by way of "dependable"' in capsys.readouterr().err


def test_check_looks_at_every_cycle_in_use(config, capsys):
    other = (
        '\n[[objectives]]\nid = "year"\ntitle = "Dependable payments"\ncycle = "2026"\n'
        '[[objectives.key_results]]\nid = "yearly"\ntitle = "Rare rollbacks"\nmetric = "rollbacks"\n'
        'target = { at_most = "5%" }\n'
    )
    title = 'title = "Releases nobody fears"\n'
    config.write_text(config.read_text().replace(title, f'{title}cycle = "2026-Q4"\n') + other)
    edited(config, 'target = { at_most = "5%" }', 'target = { at_most = "9%" }')
    words = "2026: yearly: target at most 5% → at most 9%: changed without a reason, first seen on 2026-11-22"
    assert words in checked(capsys)
