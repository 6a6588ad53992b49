"""Closing, looking back and drafting what comes next, as people type it."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from closing_scenes import AFTER, MIDWAY, write_scene
from jsonschema import Draft202012Validator
from keyresults.cli.main import main
from keyresults.jobs.workspace import Workspace

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "json.schema.json").read_text())
BY_HAND = ("--grade", "merchants=0.4", "--reason", "4 of 10 said so at the fair")
OPEN = Workspace.__init__
CLOSING = ("close", "2026-Q4", *BY_HAND, "--yes", "--by", "ana")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quarter")
    write_scene(folder)
    return folder


@pytest.fixture
def folder(filled, tmp_path, monkeypatch):
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KEYRESULTS_CONFIG", raising=False)
    stop_the_clock(monkeypatch, AFTER)
    return tmp_path


def stop_the_clock(patch, now):
    patch.setattr(Workspace, "__init__", lambda self, config, writing=False: OPEN(self, config, writing, lambda: now))
    patch.setattr("keyresults.jobs.status.now", lambda: now)


def run(capsys, *arguments):
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def valid(form, text):
    said = json.loads(text)
    Draft202012Validator({"$ref": f"#/$defs/{form}", "$defs": SCHEMA["$defs"]}).validate(said)
    return said


def test_a_preview_says_what_is_in_the_way(folder, capsys):
    code, out, err = run(capsys, "close", "2026-Q4")
    assert (code, err) == (0, "")
    assert "not closed: these grades would be frozen" in out
    assert "merchants was not measured; grade it by hand: --grade merchants=0.4" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80
    assert run(capsys, "status")[1].count("closed") == 0


def test_a_preview_with_everything_graded_says_how_to_close(folder, capsys):
    code, out, _ = run(capsys, "close", "2026-Q4", *BY_HAND)
    assert code == 0
    assert "Nothing is written yet: the same with --yes closes it." in out
    assert "0.40 by hand, no success: 4 of 10 said so at the fair" in " ".join(out.split())
    assert "0.73  Payments that merchants trust" in out


def test_a_closed_cycle_says_so_everywhere(folder, capsys):
    code, out, err = run(capsys, *CLOSING)
    assert (code, err) == (0, "")
    assert "closed on 4 Jan 2027 09:00 by ana" in out
    for arguments in (["status"], ["report"], ["report", "--format", "markdown"], ["close", "2026-Q4"]):
        code, out, _ = run(capsys, *arguments)
        told = " ".join(out.split())
        assert code == 0
        assert "09:00 by ana" in told.partition("closed on 4 Jan")[2]
        assert "1.00, a success; 0.50 by the target it began with (300 ms), no success" in told


def test_json_of_a_closed_cycle_is_as_documented(folder, capsys):
    before = valid("close", run(capsys, "close", "2026-Q4", "--json")[1])
    assert (before["closed"], len(before["hindrances"])) == (None, 1)
    assert valid("status", run(capsys, "status", "--json")[1])["objectives"][0]["grade"] is None
    valid("close", run(capsys, *CLOSING, "--json")[1])
    for form, arguments in (
        ("status", ["status", "--json"]),
        ("report", ["report", "--json"]),
        ("close", ["close", "2026-Q4", "--json"]),
    ):
        said = valid(form, run(capsys, *arguments)[1])
        assert said["closed"] == {"at": "2027-01-04T09:00:00+01:00", "by": "ana"}
        grades = {kr["id"]: kr["grade"] for kr in said["objectives"][0]["key_results"]}
        assert grades["fast"]["first"] == {"value": 0.5, "succeeded": False}
        assert grades["merchants"]["by_hand"] == "4 of 10 said so at the fair"
        assert said["objectives"][0]["grade"]["value"] == 0.73
    assert valid("status", run(capsys, "status", "--json", "--as-of", "2026-11-12")[1])["closed"] is None


def test_a_cycle_is_opened_again_with_a_reason(folder, capsys):
    run(capsys, *CLOSING)
    assert run(capsys, "close", "2026-Q4", "--yes")[0] == 2
    assert "reason" in run(capsys, "close", "2026-Q4", "--reopen")[2]
    code, out, _ = run(capsys, "close", "2026-Q4", "--reopen", "--reason", "The survey came in", "--by", "ben")
    assert code == 0
    assert "not closed" in out
    assert "closed on 4 Jan 2027 09:00 by ana\n  reopened on 4 Jan 2027 09:00 by ben: The survey came in" in out
    assert "closed" not in run(capsys, "status")[1]
    history = valid("close", run(capsys, "close", "2026-Q4", "--json")[1])["history"]
    assert [(one["action"], one["by"], one["reason"]) for one in history] == [
        ("closed", "ana", None),
        ("reopened", "ben", "The survey came in"),
    ]


def test_who_closed_it_is_taken_from_the_environment(folder, capsys, monkeypatch):
    monkeypatch.setenv("KEYRESULTS_USER", "cho")
    assert "by cho" in run(capsys, *CLOSING[:-2])[1]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["close", "2026-Q3"], "2026-Q4"),
        (["close", "2026-Q4", "--yes"], "merchants was not measured"),
        (["close", "2026-Q4", "--grade", "merchants=much", "--reason", "x"], "merchants=much"),
        (["close", "2026-Q4", "--grade", "merchants=1.2", "--reason", "x"], "from 0 to 1"),
        (["close", "2026-Q4", "--grade", "merchants=nan", "--reason", "x"], "from 0 to 1"),
        (["close", "2026-Q4", "--grade", "merchant=0.2", "--reason", "x"], "merchants"),
        (["close", "2026-Q4", "--grade", "coverage=0.2", "--reason", "x"], "it was measured"),
        (["close", "2026-Q4", *BY_HAND, "--grade", "merchants=0.9"], "two grades of one key result"),
        (["close", "2026-Q4", "--grade", "merchants=0.2"], "--reason"),
        (["close", "2026-Q4", "--grade", "merchants=0.2", "--reason", " "], "reason"),
        (["close", "2026-Q4", "--reason", "x"], "--reason goes with"),
        (["close", "2026-Q4", "--reopen", "--reason", "x"], "not closed"),
        (["close", "2026-Q4", "--reopen", "--yes"], "--reopen"),
        (["close", "2026-Q4", *BY_HAND, "--yes", "--by", " "], "--by"),
        (["retrospective", "2026-Q3"], "2026-Q4"),
        (["retrospective", "2026-Q4", "--learned", "  "], "nothing was said"),
        (["retrospective", "2026-Q4", "--output", "keyresults.toml/out.md"], "out.md"),
        (["new-cycle", "2026-Q4"], "already"),
        (["new-cycle", "spring"], "--start and --end"),
        (["new-cycle", "spring", "--start", "2027-01-11"], "go together"),
        (["new-cycle", "2027-Q1", "--from", "2026-Q3"], "2026-Q4"),
        (["new-cycle", "2027-Q1", "--append", "--output", "x"], "choose one"),
        (["new-cycle", "2027-Q1", "--output", "keyresults.toml/out.toml"], "out.toml"),
    ],
)
def test_what_can_not_be_done_is_said_in_words(folder, capsys, arguments, hint):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert hint in err
    assert run(capsys, "close", "2026-Q4")[1].count("closed on") == 0


def test_closing_early_has_to_be_asked_for(folder, capsys, monkeypatch):
    stop_the_clock(monkeypatch, MIDWAY + timedelta(hours=1))
    assert "runs until 2026-12-31; --early" in run(capsys, *CLOSING)[2]
    code, out, _ = run(capsys, *CLOSING, "--early")
    assert code == 0
    assert "given before its deadline, by where it stood" in " ".join(out.split())


def test_nobody_can_say_is_an_answer_too(folder, capsys):
    code, out, _ = run(capsys, "close", "2026-Q4", "--grade", "merchants=none", "--reason", "Nobody was asked", "--yes")
    assert code == 0
    assert "not measured, and nobody can grade it: Nobody was asked" in " ".join(out.split())


def test_looking_back_tells_what_became_of_each_key_result(folder, capsys):
    run(capsys, "retrospective", "2026-Q4", "--learned", "fast=Measure before promising", "--by", "ana")
    run(capsys, *CLOSING)
    code, out, err = run(capsys, "retrospective", "2026-Q4", "--learned", "Ask merchants monthly", "--by", "ben")
    assert (code, err) == (0, "")
    assert out.startswith("# Looking back at 2026-Q4\n\n1 Oct – 31 Dec, closed on 4 Jan 2027 09:00 by ana.\n")
    fast = out.partition("### Halve the time of a payment")[2].partition("###")[0]
    assert "- Start → end → target: 600 ms → 450 ms → 450 ms" in fast
    assert "- Target: began with 300 ms" in fast
    assert ": Traffic doubled" in fast
    assert "- Days unknown: none of 92 days" in fast
    assert "- Measure before promising (ana)" in fast
    merchants = out.partition("### Merchants give us")[2].partition("###")[0]
    assert "- Days unknown: 72 of 92 days: 1–14 Oct, 4 Nov – 31 Dec" in merchants
    assert "- Ask merchants monthly (ben)" in out.partition("## The whole cycle")[2]
    assert out.count("**What helped?**") == 7  # six key results and the whole
    assert run(capsys, "retrospective", "2026-Q4", "--output", "back.md")[:2] == (0, "")
    assert (folder / "back.md").read_text() == out
    said = valid("retrospective", run(capsys, "retrospective", "2026-Q4", "--json")[1])
    assert [one["key_result"] for one in said["learned"]] == ["fast", None]


def test_looking_back_before_the_closing_says_so(folder, capsys):
    assert "not closed; as it stands at 4 Jan 2027 09:00" in run(capsys, "retrospective", "2026-Q4")[1]


def test_previews_write_nothing(folder, capsys):
    before = {p: p.read_bytes() for p in folder.rglob("*.db")}
    for arguments in (["close", "2026-Q4"], ["close", "2026-Q4", *BY_HAND], ["retrospective", "2026-Q4"]):
        assert run(capsys, *arguments)[0] == 0
    assert {p: p.read_bytes() for p in folder.rglob("*.db")} == before


def test_the_next_cycle_is_printed_for_review_and_checked_beside_the_config(folder, capsys):
    code, out, err = run(capsys, "new-cycle", "2027-Q1")
    assert (code, err) == (0, "")
    config = folder / "keyresults.toml"
    before = config.read_text()
    assert run(capsys, "new-cycle", "2027-Q1", "--from", "2026-Q4", "--output", "next.toml")[:2] == (0, "")
    assert (folder / "next.toml").read_text() == out
    assert config.read_text() == before
    config.write_text(f"{before}\n{out}")
    code, out, _ = run(capsys, "check")
    assert code == 0
    assert "4 objectives, 11 key results. No errors." in out


def test_the_next_cycle_may_be_appended(folder, capsys):
    code, out, err = run(capsys, "new-cycle", "spring", "--start", "2027-01-11", "--end", "2027-04-04", "--append")
    assert (code, err) == (0, "")
    assert out == "Objectives: 2, with 5 key results, written into keyresults.toml, as drafts.\n"
    assert run(capsys, "check")[0] == 0
    assert "5 draft" in run(capsys, "status", "--cycle", "spring")[1]
    assert "objectives for spring already" in run(capsys, "new-cycle", "spring", "--append")[2]


def test_objectives_that_name_no_cycle_are_named_with_the_remedy(folder, capsys):
    config = folder / "keyresults.toml"
    config.write_text(config.read_text().replace('cycle = "2026-Q4"\n\n  [[', "\n  [["))
    code, out, err = run(capsys, "new-cycle", "2027-Q1")
    assert code == 0
    assert 'write cycle = "2026-Q4" into your objectives that name none (trust, calm)' in err
    assert out.startswith("# Drafted by")
    assert "Named the cycle of 2 there were." in run(capsys, "new-cycle", "2027-Q1", "--append")[1]
    assert run(capsys, "check")[0] == 0
