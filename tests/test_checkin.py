"""`keyresults checkin` as people call it: one at a time, in rounds, who is due, and what was said."""

import io
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from job_scenes import hear_interrupts
from jsonschema import Draft202012Validator
from keyresults.cli.main import main
from keyresults.jobs.workspace import Workspace
from report_cases import HOSTILE

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "json.schema.json").read_text())
NOW = datetime(2026, 11, 20, 11, tzinfo=UTC)  # a Friday, noon in Berlin

CONFIG = """
[tracker]
timezone = "Europe/Berlin"
cycle = "2026-Q4"

[sources.people]
type = "manual"

[checkins]
every = "2 weeks"
on = "friday 10:00"

[teams.people]
people = ["ana", "ben"]

[teams.office]
people = ["cho"]

[metrics.engagement]
source = "people"
measure = "sampled"
unit = "%"
aggregate = "last"
max_age = "90d"

[metrics.mood]
source = "people"
measure = "sampled"
unit = "%"
aggregate = "last"
max_age = "90d"

[[objectives]]
id = "team"
title = "A team that likes to work here"
owner = "people"
teams = ["people", "office"]

  [[objectives.key_results]]
  id = "engagement"
  title = "Raise engagement from 60% to 85%"
  owner = "ana"
  metric = "engagement"
  target = { from = "60%", to = "85%" }

  [[objectives.key_results]]
  id = "mood"
  title = "A better mood"
  metric = "mood"
  target = { at_least = "50%" }

  [[objectives.key_results]]
  id = "proposed"
  title = "Something proposed"
  metric = "mood"
  target = { at_least = "60%" }
  draft = true

  [[objectives.key_results]]
  id = "autumn"
  title = "Over already"
  metric = "mood"
  target = { at_least = "40%" }
  deadline = 2026-10-31
"""

AT_NOON = """
import sys
from datetime import UTC, datetime
from keyresults.cli.main import main
from keyresults.jobs.workspace import Workspace
whole = Workspace.__init__
noon = datetime(2026, 11, 20, 11, tzinfo=UTC)
Workspace.__init__ = lambda self, config, writing=False: whole(self, config, writing, lambda: noon)
sys.exit(main(["checkin"]))
"""


@pytest.fixture
def clock(monkeypatch):
    """Stands at noon; `clock.append(…)` moves it."""
    now = [NOW]
    whole = Workspace.__init__
    monkeypatch.setattr(
        Workspace, "__init__", lambda self, config, writing=False: whole(self, config, writing, lambda: now[-1])
    )
    return now


@pytest.fixture
def folder(tmp_path, monkeypatch, clock):
    monkeypatch.delenv("KEYRESULTS_CONFIG", raising=False)
    monkeypatch.setenv("KEYRESULTS_USER", "ana")
    (tmp_path / "keyresults.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    assert main(["record", "engagement", "70%", "--at", "2026-11-06T09:00"]) == 0
    assert main(["record", "engagement", "74%", "--at", "2026-11-19T09:00"]) == 0
    return tmp_path


@pytest.fixture
def run(capsys, folder, monkeypatch):
    def called(*arguments, typed=""):
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = main(["checkin", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


def kept(folder):
    with Workspace.open(folder / "keyresults.toml") as one:
        return {kr: [(c.by, c.confidence, c.note) for c in said] for kr, said in one.store.check_ins("2026-Q4").items()}


def of_key_result(folder, capsys, kr_id):
    capsys.readouterr()
    assert main(["status", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    return next(kr for o in said["objectives"] for kr in o["key_results"] if kr["id"] == kr_id)


class TestOne:
    def test_it_is_kept_and_shown_with_the_reading_beside_it(self, run, folder):
        code, out, err = run("engagement", "--confidence", "7", "--note", " the survey is out ")
        assert (code, err) == (0, "")
        told = " ".join(out.split())
        assert "(engagement): confidence 7 of 10, today by ana: the survey is out" in told
        assert "60% → 74% → 85% · 56%" in told
        assert kept(folder) == {"engagement": [("ana", 7, "the survey is out")]}

    def test_status_and_report_tell_it_at_once(self, run, folder, capsys):
        run("engagement", "--confidence", "7", "--by", "Ben Bo <ben@example.com>")
        said = of_key_result(folder, capsys, "engagement")
        assert said["check_ins"] == [{"at": "2026-11-20T12:00:00+01:00", "by": "Ben Bo", "confidence": 7, "note": ""}]
        assert main(["status"]) == 0
        assert "Confidence 7 of 10, today by Ben Bo" in capsys.readouterr().out
        assert main(["report", "--format", "markdown"]) == 0
        assert "- Check-in: confidence 7 of 10, today by Ben Bo" in capsys.readouterr().out

    def test_it_makes_a_new_stored_evaluation_and_no_other_number(self, run, folder, capsys):
        before = of_key_result(folder, capsys, "engagement")
        with Workspace.open(folder / "keyresults.toml") as one:
            stored = len(one.store.evaluations())
        run("engagement", "--confidence", "0")
        with Workspace.open(folder / "keyresults.toml") as one:
            assert len(one.store.evaluations()) == stored + 1
        after = of_key_result(folder, capsys, "engagement")
        assert after.pop("check_ins") != before.pop("check_ins")
        assert after == before

    def test_a_note_alone_has_no_confidence(self, run, folder):
        code, out, _ = run("engagement", "--note", "waiting")
        assert code == 0
        assert "today by ana: waiting" in " ".join(out.split())
        assert kept(folder) == {"engagement": [("ana", None, "waiting")]}

    @pytest.mark.parametrize("wrong", ["11", "-1", "7.5", "seven", "", "7/10", "٧", "1_0"])
    def test_a_confidence_is_a_whole_number_from_0_to_10(self, run, folder, wrong):
        code, _, err = run("engagement", f"--confidence={wrong}")
        assert code == 2
        assert "is no confidence: a whole number from 0 (no chance) to 10 (certain)" in err
        assert kept(folder) == {}

    def test_a_key_result_of_another_name_is_an_error_with_near_ones(self, run):
        code, _, err = run("engagment", "--confidence", "7")
        assert (code, err) == (2, "Error: no key result of 2026-Q4 named 'engagment'; did you mean engagement?\n")

    def test_the_cycle_may_be_named_before_the_key_result_or_as_an_option(self, run, folder):
        assert run("2026-Q4/mood", "--confidence", "5")[0] == 0
        assert run("mood", "--cycle", "2026-Q4", "--confidence", "6")[0] == 0
        assert [one[1] for one in kept(folder)["mood"]] == [5, 6]
        code, _, err = run("2026-Q3/mood", "--confidence", "5")
        assert code == 2
        assert "2026-Q3" in err

    def test_what_has_ended_takes_notes_only(self, run, folder):
        code, _, err = run("autumn", "--confidence", "7")
        assert (code, err) == (2, "Error: autumn ended with 2026-10-31: leave out the confidence to keep a note\n")
        assert run("autumn", "--note", "we should have asked earlier")[0] == 0
        assert kept(folder) == {"autumn": [("ana", None, "we should have asked earlier")]}

    def test_what_was_withdrawn_takes_notes_only(self, run, folder):
        gone = (
            'target = { from = "60%", to = "85%" }\n  revisions = [{ on = 2026-11-02, reason = "r", withdraw = true }]'
        )
        (folder / "keyresults.toml").write_text(CONFIG.replace('target = { from = "60%", to = "85%" }', gone))
        code, _, err = run("engagement", "--confidence", "7")
        assert (code, err) == (2, "Error: engagement was withdrawn: leave out the confidence to keep a note\n")

    def test_a_note_is_bounded(self, run, folder):
        assert run("mood", "--note", "x" * 1000)[0] == 0
        code, _, err = run("mood", "--note", "x" * 1001)
        assert code == 2
        assert "at most 1000 characters" in err
        assert len(kept(folder)["mood"]) == 1

    def test_an_empty_check_in_and_an_empty_name_are_refused(self, run, folder):
        assert run("mood", "--note", "  ")[0] == 2
        code, _, err = run("mood", "--confidence", "3", "--by", "")
        assert (code, err) == (2, "Error: --by needs a name\n")
        assert kept(folder) == {}

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--confidence", "7"], "of which key result?"),
            (["--note", "n"], "of which key result?"),
            (["--due", "--history"], "one of them"),
            (["mood", "--due", "--confidence", "7"], "only list"),
            (["--history", "--by", "ana"], "only list"),
            (["mood", "--confidence", "7", "--json"], "--json goes with --due or --history"),
            (["mood", "--owner", "ana"], "one of them"),
        ],
    )
    def test_options_that_contradict_each_other_are_refused(self, run, arguments, words):
        code, _, err = run(*arguments)
        assert code == 2
        assert words in err

    def test_hostile_text_steers_no_terminal(self, run, folder, capsys):
        text = HOSTILE.replace("\ud800", "")
        code, out, _ = run("mood", "--confidence", "7", "--note", text, "--by", text)
        assert code == 0
        assert main(["checkin", "--history"]) == 0
        listed = capsys.readouterr().out
        assert main(["checkin", "--history", "--json"]) == 0
        as_json = capsys.readouterr().out
        for shown in (out, listed, as_json):
            assert not set("\x1b\x07\x9b\u202e\u2066\u200b") & set(shown)
        assert "<script>alert(1)</script>" in " ".join(listed.split())
        assert max(map(len, (out + listed).splitlines())) <= 80

    def test_it_works_before_anything_was_collected(self, tmp_path, monkeypatch, clock, capsys):
        (tmp_path / "keyresults.toml").write_text(CONFIG)
        monkeypatch.chdir(tmp_path)
        assert main(["checkin", "mood", "--confidence", "2", "--by", "ana"]) == 0
        assert kept(tmp_path) == {"mood": [("ana", 2, "")]}


class TestRounds:
    def test_each_open_key_result_is_shown_then_asked_for(self, run, folder):
        code, out, err = run(typed="7\nthe survey is out\n\n")
        assert (code, err) == (0, "")
        first, second = out.split("2 of 2")
        assert "1 of 2  Raise engagement from 60% to 85% (engagement)" in first
        assert "60% → 74% → 85% · 56%" in first
        assert "A better mood (mood)" in second
        assert out.endswith("1 check-in kept.\n")
        assert kept(folder) == {"engagement": [("ana", 7, "the survey is out")]}

    def test_it_shows_what_was_said_last_and_what_moved_since(self, run, clock):
        clock.append(NOW - timedelta(days=7))
        run("engagement", "--confidence", "6", "--note", "slow")
        clock.append(NOW)
        out = " ".join(run("engagement", typed="\n")[1].split())
        assert "70 → 74% since 13 Nov, the day of the last check-in" in out
        assert "Confidence 6 of 10, 7 days ago by ana: slow" in out

    def test_nothing_said_keeps_nothing(self, run, folder):
        code, out, _ = run(typed="\n\n")
        assert (code, out.splitlines()[-1]) == (0, "No check-ins kept.")
        assert kept(folder) == {}

    @pytest.mark.parametrize(
        ("owner", "asked"),
        [("ana", ["engagement", "mood"]), ("people", ["engagement", "mood"]), ("office", ["mood"]), ("cho", ["mood"])],
    )
    def test_an_owner_is_asked_for_what_they_and_their_team_answer_for(self, run, owner, asked):
        out = run("--owner", owner, typed="\n" * len(asked))[1]
        assert [kr for kr in ("engagement", "mood", "proposed", "autumn") if f"({kr})" in out] == asked

    def test_an_owner_nobody_knows_is_an_error(self, run):
        code, _, err = run("--owner", "offise")
        assert (code, err) == (2, "Error: no owner named 'offise'; did you mean office?\n")

    def test_where_nothing_is_open_it_says_so(self, run, clock):
        clock.append(datetime(2027, 1, 2, tzinfo=UTC))
        assert run() == (0, "No key result of 2026-Q4 is open.\n", "")

    def test_where_the_input_ends_it_says_where_and_keeps_what_was_said(self, run, folder):
        code, _, err = run(typed="7\nfine\n")
        assert (code, err) == (2, "Error: the input ended at mood; 1 check-in kept\n")
        assert kept(folder) == {"engagement": [("ana", 7, "fine")]}

    def test_a_confidence_is_kept_where_the_input_ends_at_its_note(self, run, folder):
        code, _, err = run(typed="7\n")
        assert (code, err) == (2, "Error: the input ended at engagement; 1 check-in kept\n")
        assert kept(folder) == {"engagement": [("ana", 7, "")]}

    def test_a_line_that_is_no_confidence_ends_a_round_that_is_no_conversation(self, run, folder):
        code, _, err = run(typed="7\nfine\nhigh\n")
        assert code == 2
        assert "'high' is no confidence" in err
        assert "1 check-in kept" in err
        assert kept(folder) == {"engagement": [("ana", 7, "fine")]}

    def test_a_note_that_is_too_long_loses_no_confidence(self, run, folder):
        code, _, err = run(typed=f"7\n{'x' * 1001}\n")
        assert code == 2
        assert "at most 1000 characters" in err
        assert kept(folder) == {"engagement": [("ana", 7, "")]}

    def test_ctrl_c_loses_nothing(self, folder):
        asked = subprocess.Popen(
            [sys.executable, "-c", AT_NOON],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            preexec_fn=hear_interrupts,
        )
        asked.stdin.write(b"7\nfine \xff\n4\n")
        asked.stdin.flush()
        said = b""
        while said.count(b"Note") < 2:
            said += (more := os.read(asked.stdout.fileno(), 65536))
            assert more, "it ended before it asked for the second note"
        asked.send_signal(signal.SIGINT)
        _, err = asked.communicate(timeout=60)
        assert asked.returncode == 130
        assert b"Stopped; 2 check-ins kept." in err
        assert kept(folder) == {"engagement": [("ana", 7, "fine \ufffd")], "mood": [("ana", 4, "")]}


class TestDue:
    def listed(self, run):
        code, out, err = run("--due", "--json")
        assert (code, err) == (0, "")
        said = json.loads(out)
        Draft202012Validator({"$ref": "#/$defs/checkin_due", "$defs": SCHEMA["$defs"]}).validate(said)
        return {one["key_result"]: one for one in said}

    def test_open_key_results_are_due_from_the_hour_on_with_their_owners(self, run, clock):
        # Every other Friday from 2 October: 16 and 30 October, 13 and 27 November.
        clock.append(datetime(2026, 11, 20, 11, tzinfo=UTC))
        found = self.listed(run)
        assert {name: one["owners"] for name, one in found.items()} == {
            "engagement": ["ana"],
            "mood": ["people", "office"],
        }
        assert (found["mood"]["since"], found["mood"]["rounds"]) == ("2026-10-02T10:00:00+02:00", 4)
        run("engagement", "--confidence", "7")
        assert list(self.listed(run)) == ["mood"]
        clock.append(datetime(2026, 11, 27, 8, 59, tzinfo=UTC))
        assert list(self.listed(run)) == ["mood"]
        clock.append(datetime(2026, 11, 27, 9, 0, tzinfo=UTC))
        found = self.listed(run)
        assert (found["engagement"]["since"], found["engagement"]["rounds"]) == ("2026-11-27T10:00:00+01:00", 1)
        assert found["engagement"]["last"]["confidence"] == 7

    def test_it_is_told_in_words(self, run):
        run("engagement", "--confidence", "7")
        out = " ".join(run("--due")[1].split())
        assert out == (
            "1 check-in due: A better mood (mood) people, office · due since 2 Oct 10:00 (4 rounds) · no check-in yet"
        )
        run("mood", "--note", "well")
        assert run("--due") == (0, "No check-in is due.\n", "")

    def test_it_can_be_asked_of_an_owner_or_a_key_result(self, run):
        assert "(engagement)" not in run("--due", "--owner", "office")[1]
        assert "(mood)" not in run("engagement", "--due")[1]

    def test_without_a_rhythm_it_says_what_to_write(self, run, folder):
        (folder / "keyresults.toml").write_text(CONFIG.replace("[checkins]", "").replace('every = "2 weeks"', "")
                                                .replace('on = "friday 10:00"', ""))  # fmt: skip
        code, _, err = run("--due")
        assert code == 2
        assert "write [checkins] with" in err

    def test_nothing_of_a_closed_cycle_is_due_or_asked_for(self, run, folder):
        with Workspace.open(folder / "keyresults.toml", writing=True) as one:
            report = one.store.last_evaluation("2026-Q4").content
            one.store.put_closing("2026-Q4", "closed", at=NOW, by="ana", content=report)
        assert self.listed(run) == {}
        assert run()[1] == "No key result of 2026-Q4 is open.\n"
        code, _, err = run("mood", "--confidence", "7")
        assert (code, err) == (2, "Error: 2026-Q4 is closed: leave out the confidence to keep a note\n")


class TestHistory:
    def test_it_lists_what_was_said_newest_first(self, run, clock):
        clock.append(NOW - timedelta(days=7))
        run("engagement", "--confidence", "6", "--note", "slow", "--by", "ben")
        clock.append(NOW)
        run("engagement", "--confidence", "8")
        assert run("--history")[1].splitlines() == [
            "Raise engagement from 60% to 85% (engagement)",
            "  20 Nov 12:00  8 of 10  ana",
            "  13 Nov 12:00  6 of 10  ben  slow",
        ]
        assert run("mood", "--history")[1].splitlines() == ["A better mood (mood)", "  no check-in yet"]

    def test_as_json_it_is_oldest_first(self, run, clock):
        run("engagement", "--confidence", "6")
        run("engagement", "--note", "n")
        said = json.loads(run("engagement", "--history", "--json")[1])
        Draft202012Validator({"$ref": "#/$defs/checkin_history", "$defs": SCHEMA["$defs"]}).validate(said)
        assert [one["confidence"] for one in said[0]["check_ins"]] == [6, None]

    def test_where_nobody_said_anything_it_says_how_to_begin(self, run):
        assert run("--history")[1] == "Nobody checked in yet: `keyresults checkin` begins a round.\n"
