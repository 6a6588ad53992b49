"""Lint over stored facts: what a metric's own past says of a key result."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.cli.main import main
from keyresults.jobs.collect import collect
from keyresults.jobs.lint import lint
from keyresults.krs.checkin import CheckIn
from keyresults.reports.findings import words


def scene(folder, written, key_results="", metrics=""):
    path = write_scene(folder, written, key_results=key_results, metrics=metrics)
    with workspace(path) as one:
        collect(one)
    return path


def found(path, kr):
    with workspace(path, writing=False) as one:
        return {f.code: words(f) for f in lint(one, as_of=NOW) if f.key_result == kr}


def test_version_returns_are_counted_over_thirteen_weeks(tmp_path):
    written = rows(60)
    path = scene(tmp_path, written)
    ends = NOW - timedelta(days=91)
    times = sorted((datetime.fromisoformat(r["at"]), r["commit"]) for r in written if r["status"] == "success")
    # A plain walk over the file, by the definition in docs/metrics.md.
    stack, forward, back = [], [], set()
    for at, commit in times:
        if commit in (c for _, c in stack):
            while stack[-1][1] != commit:
                back.add(stack.pop()[0])
        else:
            stack.append((at, commit))
            forward.append(at)
    settled = [at for at in forward if ends <= at < NOW - timedelta(hours=24)]
    share = sum(at in back for at in settled), len(settled)
    said = found(path, "rollbacks")
    assert ("KR208" in said) is (share[0] / share[1] > 0.15 and share[1] >= 20)
    if "KR208" in said:
        assert f"{share[0]} of {share[1]} deployments" in said["KR208"]


def test_a_key_result_nobody_recorded_a_value_for_was_never_measured(tmp_path):
    path = scene(tmp_path, rows(10))
    assert "KR210" in found(path, "mood")
    assert "KR210" not in found(path, "daily")


def test_two_rounds_of_check_ins_without_a_word_are_found(tmp_path):
    # From 1 October on Fridays at ten, every two weeks: 2, 16 and 30 October, 13 November.
    path = scene(tmp_path, rows(10))
    path.write_text(path.read_text() + '\n[checkins]\nevery = "2 weeks"\non = "friday 10:00"\n')
    assert found(path, "daily")["KR209"] == "no check-in ever: `keyresults checkin daily`"
    with workspace(path) as one:
        said = CheckIn(at=datetime(2026, 10, 29, 12, tzinfo=UTC), by="ana", confidence=7)
        one.store.put_check_in("2026-Q4", "daily", said)
        later = CheckIn(at=datetime(2026, 10, 30, 12, tzinfo=UTC), by="ana", confidence=7)
        one.store.put_check_in("2026-Q4", "rollbacks", later)
    assert found(path, "daily")["KR209"] == "no check-in since 2026-10-29: `keyresults checkin daily`"
    assert "KR209" not in found(path, "rollbacks")


def test_a_renamed_key_result_keeps_its_check_ins_before_the_next_collection(tmp_path):
    path = scene(tmp_path, rows(10))
    text = path.read_text() + '\n[checkins]\nevery = "2 weeks"\non = "friday 10:00"\n'
    path.write_text(text)
    with workspace(path) as one:
        one.store.put_check_in("2026-Q4", "daily", CheckIn(at=NOW - timedelta(days=6), by="ana", confidence=7))
    assert "KR209" not in found(path, "daily")
    path.write_text(text.replace('id = "daily"', 'id = "often"\n  was = "daily"'))
    assert "KR209" not in found(path, "often")


def test_the_past_of_another_metric_is_not_held_against_the_one_in_force(tmp_path):
    """It began at so many deployments a day; of rollbacks, which judge since, that says nothing."""
    path = scene(tmp_path, rows(120))
    revised = '{ on = 2026-11-02, reason = "Enough of them", metric = "rollbacks", target = { at_most = "99%%" } }'
    text = path.read_text().replace(
        '  guardrails = [{ metric = "rollbacks"', f'  revisions = [{revised}]\n  guardrails = [{{ metric = "rollbacks"'
    )
    path.write_text(text.replace("%%", "%"))
    assert not {"KR201", "KR202", "KR203", "KR204", "KR205"} & found(path, "daily").keys()


def test_without_a_store_only_the_config_is_held_against_the_rules(tmp_path):
    path = write_scene(tmp_path, rows(1))
    with workspace(path, writing=False) as one:
        assert {f.code for f in lint(one, as_of=NOW)} == {"KR006", "KR102"}


def test_the_command_ends_with_one_where_it_finds_what_it_looks_for(tmp_path, capsys):
    path = write_scene(tmp_path, rows(1))
    assert main(["--config", str(path), "lint"]) == 0
    said = capsys.readouterr().out
    assert "KR006" in said
    assert "What nobody answers for is dropped first." in said
    assert main(["--config", str(path), "lint", "--fail-on", "KR006"]) == 1
    assert main(["--config", str(path), "lint", "--fail-on", "KR001"]) == 0
    assert main(["--config", str(path), "lint", "--fail-on", "any"]) == 1
    capsys.readouterr()
    assert main(["--config", str(path), "lint", "--fail-on", "KR16"]) == 2
    assert "there is no rule 'KR16'" in capsys.readouterr().err


def test_the_command_prints_json_and_leaves_out_what_is_ignored(tmp_path, capsys):
    path = write_scene(tmp_path, rows(1))
    path.write_text(
        path.read_text().replace(
            'title = "The team', 'ignore = [{ code = "KR102", reason = "A joke" }]\n  title = "The team'
        )
    )
    main(["--config", str(path), "lint", "--json"])
    plain = json.loads(capsys.readouterr().out)
    main(["--config", str(path), "lint", "--json", "--all"])
    everything = json.loads(capsys.readouterr().out)
    assert [f["key_result"] for f in plain if f["code"] == "KR102"] == ["rollbacks", "daily"]
    assert [f["ignored"] for f in everything if f["code"] == "KR102"] == [None, None, "A joke"]
    assert set(plain[0]) == {"code", "rule", "objective", "key_result", "words", "reason", "uses_history", "ignored"}


def test_check_says_what_the_config_alone_gives_away(tmp_path, capsys):
    path = write_scene(tmp_path, rows(1))
    assert main(["--config", str(path), "check"]) == 0
    assert "! KR006 stable: nobody answers for it" in capsys.readouterr().out


@pytest.mark.parametrize("asked", [datetime(2026, 9, 1, tzinfo=UTC), NOW])
def test_it_may_be_asked_as_of_any_time(tmp_path, asked):
    path = scene(tmp_path, rows(20))
    with workspace(path, writing=False) as one:
        assert all(f.words for f in lint(one, as_of=asked))
