"""The command as people call it, on a real config and a real store."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from jsonschema import Draft202012Validator
from keyresults.cli import main as command
from keyresults.cli.main import keyresults, main
from keyresults.cli.reference import reference
from keyresults.cli.watched import watched
from keyresults.jobs import collect, sources
from keyresults.jobs.workspace import Workspace
from keyresults.reports.values import CollectionResult, StreamRun

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "docs" / "json.schema.json").read_text())

CONFIG = """
[tracker]
timezone = "Europe/Berlin"
cycle = "2026-Q4"

[sources.people]
type = "manual"

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

[[objectives]]
id = "team"
title = "A team that likes to work here"

  [[objectives.key_results]]
  id = "engagement"
  title = "Raise engagement from 60% to 85%"
  metric = "engagement"
  target = { from = "60%", to = "85%" }

  [[objectives.key_results]]
  id = "mood-kr"
  title = "A better mood"
  metric = "mood"
  target = { at_least = "50%" }
  guardrails = [{ metric = "engagement", at_least = "50%" }]
"""


NOW = datetime(2026, 11, 20, 11, tzinfo=UTC)


def stop_the_clock(patch):
    """It stands at noon in Berlin."""
    whole = Workspace.__init__
    patch.setattr(Workspace, "__init__", lambda self, config, writing=False: whole(self, config, writing, lambda: NOW))
    patch.delenv("KEYRESULTS_CONFIG", raising=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    stop_the_clock(monkeypatch)
    (tmp_path / "keyresults.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Filled once, copied for each test."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "keyresults.toml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        stop_the_clock(patch)
        assert main(["record", "engagement", "70%", "--at", "2026-11-10T09:00", "--by", "ana"]) == 0
        assert main(["record", "engagement", "74%", "--at", "2026-11-20T09:00"]) == 0
    return folder


@pytest.fixture
def recorded(folder, filled):
    shutil.copytree(filled, folder, dirs_exist_ok=True)
    return folder


def run(capsys, *arguments):
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def valid(form, text):
    said = json.loads(text)
    Draft202012Validator({"$ref": f"#/$defs/{form}", "$defs": SCHEMA["$defs"]}).validate(said)
    return said


def test_status_tells_what_was_recorded(recorded, capsys):
    code, out, err = run(capsys, "status")
    assert (code, err) == (0, "")
    assert "60% → 74% → 85% · 56%" in out
    assert "? unknown" in out
    assert "1 of 2 measured" in out


@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        ("status", ["status", "--json"]),
        ("status", ["status", "--json", "--as-of", "2026-11-12"]),
        ("report", ["report", "--json"]),
        ("report", ["report", "--format", "json"]),
        ("metric", ["metric", "engagement", "--json"]),
        ("explain", ["explain", "engagement", "--json"]),
        ("sources", ["sources", "--json"]),
    ],
)
def test_json_is_as_documented(recorded, capsys, form, arguments):
    code, out, err = run(capsys, *arguments)
    assert (code, err) == (0, "")
    valid(form, out)


def test_every_form_shows_the_same_value(recorded, capsys):
    _, terminal, _ = run(capsys, "report")
    _, markdown, _ = run(capsys, "report", "--format", "markdown")
    _, machine, _ = run(capsys, "report", "--format", "json")
    kr = json.loads(machine)["objectives"][0]["key_results"][0]
    assert kr["reading"]["value"] == pytest.approx(0.74)
    assert kr["progress"] == 0.56
    for text in (terminal, markdown):
        assert "60% → 74% → 85%" in text
        assert "56%, expected" in text


def test_as_of_a_day_means_its_end(recorded, capsys):
    said = valid("status", run(capsys, "status", "--json", "--as-of", "2026-11-12")[1])
    assert said["as_of"] == "2026-11-13T00:00:00+01:00"
    assert said["objectives"][0]["key_results"][0]["reading"]["value"] == pytest.approx(0.70)


def test_as_of_today_means_now_and_times_are_taken_whole(recorded, capsys):
    today = valid("status", run(capsys, "status", "--json", "--as-of", "2026-11-20")[1])
    exact = valid("status", run(capsys, "status", "--json", "--as-of", "2026-11-12T10:30:00+00:00")[1])
    assert today["as_of"] == "2026-11-20T12:00:00+01:00"
    assert exact["as_of"] == "2026-11-12T11:30:00+01:00"


@pytest.mark.parametrize("moment", ["2026-11-21", "2027-01-01", "soon", ""])
def test_the_future_and_nonsense_are_the_users_error(recorded, capsys, moment):
    code, out, err = run(capsys, "status", "--as-of", moment)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1


def test_metric_bounds_are_both_included(recorded, capsys):
    said = valid(
        "metric", run(capsys, "metric", "engagement", "--json", "--since", "2026-11-09", "--until", "2026-11-12")[1]
    )
    assert [r["day"] for r in said["readings"]] == ["2026-11-09", "2026-11-10", "2026-11-11", "2026-11-12"]
    assert [r["value"] for r in said["readings"]] == [None, *[pytest.approx(0.7)] * 3]


def test_a_key_result_stands_for_its_metric(recorded, capsys):
    assert valid("metric", run(capsys, "metric", "mood-kr", "--json")[1])["metric"] == "mood"


@pytest.mark.parametrize("name", ["engagement", "metric:engagement", "2026-Q4/engagement"])
def test_names_reach_key_results_metrics_and_cycles(recorded, capsys, name):
    code, out, _ = run(capsys, "explain", name)
    assert code == 0
    assert "counted" in out


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["explain", "engagment"], "engagement"),
        (["explain", "metric:modo"], "mood"),
        (["explain", "2026-Q3/engagement"], "2026-Q4"),
        (["explain", "2026-Q4/mod-kr"], "mood-kr"),
        (["metric", "moood"], "mood"),
        (["collect", "poeple"], "people"),
        (["record", "engagment", "1%"], "engagement"),
        (["status", "--cycle", "2026-Q3"], "2026-Q4"),
    ],
)
def test_unknown_names_get_a_hint_in_one_line(recorded, capsys, arguments, hint):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert hint in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("wanted", "code"), [("unknown", 1), ("off_track,unknown", 1), ("OFF-TRACK", 0), ("missed", 0)]
)
def test_fail_on_asks_for_attention(recorded, capsys, wanted, code):
    found, out, _ = run(capsys, "status", "--fail-on", wanted)
    assert found == code
    assert "Raise engagement" in out
    assert run(capsys, "report", "--fail-on", wanted)[0] == code


def test_fail_on_may_be_said_twice(recorded, capsys):
    assert run(capsys, "status", "--fail-on", "missed", "--fail-on", "unknown")[0] == 1


def test_a_status_nobody_has_is_wrong_usage(recorded, capsys):
    assert run(capsys, "status", "--fail-on", "amber")[0] == 2


def test_a_report_is_written_to_a_file(recorded, capsys):
    for form in ("terminal", "markdown", "json", "html"):
        _, printed, _ = run(capsys, "report", "--format", form)
        code, out, _ = run(capsys, "report", "--format", form, "--output", "out")
        assert (code, out) == (0, "")
        assert (recorded / "out").read_text() == printed


def test_a_file_that_cannot_be_written_is_named(recorded, capsys):
    for form in ("markdown", "html"):
        code, _, err = run(capsys, "report", "--output", "keyresults.toml/out", "--format", form)
        assert code == 2
        assert "keyresults.toml/out" in err


def told_often(folder, capsys):
    """Ninety days of answers: the reading looks at more of them than a page has room for."""
    days = [NOW.date() - timedelta(days=90 - n) for n in range(90)]
    (folder / "answers.csv").write_text("day,value\n" + "".join(f"{d},{40 + n / 3}\n" for n, d in enumerate(days)))
    source = '[sources.answers]\ntype = "file"\nfiles = ["answers.csv"]\nfacts = "samples"\n'
    metric = '[metrics.engagement]\nsource = "answers"\nwindow = "80d"\n'
    text = CONFIG.replace('[metrics.engagement]\nsource = "people"\n', f"{source}\n{metric}")
    (folder / "keyresults.toml").write_text(text)
    assert run(capsys, "collect")[0] == 0


def test_facts_that_have_no_room_on_a_page_stand_beside_it(folder, capsys):
    told_often(folder, capsys)
    assert run(capsys, "report", "--format", "html", "--output", "the page.html") == (0, "", "")
    assert [one.name for one in (folder / "evidence").iterdir()] == ["engagement.html"]
    assert 'href="evidence/engagement.html"' in (folder / "the page.html").read_text()
    beside = (folder / "evidence" / "engagement.html").read_text()
    assert 'href="../the%20page.html#kr-engagement"' in beside
    told = int(re.search(r"(\d+) facts were looked at", beside)[1])
    assert told > 50
    assert beside.count("<tr><td>") >= told


def test_a_page_is_not_written_where_one_beside_it_cannot_be(folder, capsys):
    told_often(folder, capsys)
    (folder / "evidence").write_text("in the way")
    (folder / "page.html").write_text("the page of last week")
    code, _, err = run(capsys, "report", "--format", "html", "--output", "page.html")
    assert code == 2
    assert "evidence/engagement.html" in err
    assert (folder / "page.html").read_text() == "the page of last week"


def test_reading_commands_write_nothing(recorded, capsys):
    def stored():
        return {p: p.read_bytes() for p in recorded.rglob("*.db")}

    before = stored()
    for arguments in (["status"], ["report"], ["explain", "engagement"], ["metric", "mood"], ["sources"], ["check"]):
        assert run(capsys, *arguments)[0] == 0
    assert stored() == before


def test_without_a_store_reading_says_what_to_do(folder, capsys):
    code, _, err = run(capsys, "status")
    assert code == 2
    assert "keyresults collect" in err
    assert not (folder / ".keyresults").exists()


def test_without_a_config_the_error_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KEYRESULTS_CONFIG", raising=False)
    for arguments in (["status"], ["check"], ["collect"]):
        code, _, err = run(capsys, *arguments)
        assert code == 2
        assert "keyresults init" in err


def test_check_names_the_line_of_every_mistake(folder, capsys):
    (folder / "keyresults.toml").write_text(CONFIG.replace("max_age", "max_agee"))
    code, _, err = run(capsys, "check")
    assert code == 2
    assert re.search(r"keyresults\.toml:\d+", err)
    assert "max_age" in err


def test_check_counts_what_it_read_and_probes(folder, capsys):
    code, out, _ = run(capsys, "check", "--probe")
    assert code == 0
    assert "1 source, 2 metrics, 1 objective, 2 key results. No errors." in out
    assert "✔ people" in out


def test_a_probe_names_what_a_source_shows(folder, capsys):
    rows = "".join(f"2026-11-{day:02},5\n" for day in (2, 3))
    for name in "abcd":
        (folder / f"{name}.csv").write_text("day,value\n" + rows)
    more = '[sources.scores]\ntype = "file"\nfiles = ["*.csv"]\nfacts = "samples"\n'
    (folder / "keyresults.toml").write_text(CONFIG.replace("[metrics.engagement]", f"{more}\n[metrics.engagement]"))
    code, out, _ = run(capsys, "check", "--probe")
    assert code == 0
    assert "; sees a.csv, b.csv, c.csv and 1 more; since 2026-11-02\n" in out


def test_the_config_can_be_named(recorded, capsys, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert run(capsys, "--config", str(recorded / "keyresults.toml"), "status")[0] == 0
    monkeypatch.setenv("KEYRESULTS_CONFIG", str(recorded / "keyresults.toml"))
    assert run(capsys, "status")[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [["engagement", "lots"], ["engagement", "1/day"], ["engagement", "5%", "--at", "2030-01-01"]],
)
def test_values_that_make_no_sense_are_not_recorded(recorded, capsys, arguments):
    code, _, err = run(capsys, "record", *arguments)
    assert code == 2
    assert err.startswith("Error: ")


def test_every_config_error_is_a_line_that_starts_with_its_place(tmp_path, capsys):
    path = tmp_path / "keyresults.toml"
    path.write_text('[tracker]\ntimezon = "UTC"\nforecast = 1\n')
    code, out, err = run(capsys, "--config", str(path), "check")
    assert (code, out) == (2, "")
    assert [line.split(": ")[0] for line in err.splitlines()] == [f"{path}:2:1", f"{path}:3:1"]


def test_negative_values_can_be_recorded(recorded, capsys):
    assert run(capsys, "record", "mood", "-5%")[0] == 0


def test_a_source_that_fails_ends_a_collection_with_3(recorded, capsys, monkeypatch):
    failed = StreamRun(source="people", stream="people/samples/x@1", outcome="failed", error="the server said no")
    result = CollectionResult(runs=(failed,), failed=True)
    monkeypatch.setattr(collect, "collect", lambda *_, **__: result)
    monkeypatch.setattr(collect, "backfill", lambda *_, **__: result)
    for arguments in (["collect"], ["backfill", "--since", "2026-01-01"]):
        code, out, _ = run(capsys, *arguments)
        assert code == 3
        assert "the server said no" in " ".join(out.split())


def test_a_day_in_another_form_is_shown_how_to_be_written(recorded, capsys):
    code, _, err = run(capsys, "backfill", "--since", "1.6.2026")
    assert code == 2
    assert "'1.6.2026' is no date: write year, month and day, such as 2026-06-01" in " ".join(err.split())


def test_an_unexpected_error_is_one_line_and_debug_shows_more(recorded, capsys, monkeypatch):
    def broken(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr(sources, "source_states", broken)
    code, _, err = run(capsys, "sources")
    assert code == command.UNEXPECTED
    assert "RuntimeError: a defect" in err
    assert "--debug" in err
    assert err.count("\n") == 1
    assert "Traceback" in run(capsys, "--debug", "sources")[2]


def test_an_interrupt_ends_with_130(recorded, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sources, "source_states", interrupted)
    code, _, err = run(capsys, "sources")
    assert code == 130
    assert "Traceback" not in err


def test_the_commands_page_is_what_the_commands_say():
    assert (ROOT / "docs" / "commands.md").read_text() == reference(), "run `make docs`"


@pytest.mark.parametrize("name", sorted(keyresults.commands))
def test_every_command_explains_itself_with_examples(name, capsys):
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert f"keyresults {name}" in out.split("Examples:")[1] or f" {name}" in out.split("Examples:")[1]
    for param in keyresults.commands[name].params:
        assert param.param_type_name == "argument" or param.help


def test_the_help_fits_80_columns_and_cuts_no_sentence(capsys):
    out = run(capsys, "--help")[1]
    assert max(map(len, out.splitlines())) <= 80
    assert "..." not in out.split("Commands:")[1]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_printed(shell, capsys):
    code, out, _ = run(capsys, "completions", shell)
    assert code == 0
    assert "_KEYRESULTS_COMPLETE" in out


@pytest.mark.parametrize(
    ("typed", "last", "offered"),
    [
        (["explain"], "", ["engagement", "metric:engagement", "mood", "mood-kr"]),
        (["metric"], "mo", ["mood", "mood-kr"]),
        (["record"], "e", ["engagement"]),
        (["collect"], "", ["people"]),
        (["backfill", "people"], "p", ["people"]),
        (["status", "--cycle"], "2026", ["2026-Q4"]),
        (["status", "--fail-on"], "o", ["off_track", "on_track"]),
        (["report", "--fail-on"], "missed,no", ["missed,not_measured", "missed,not_started"]),
    ],
)
def test_words_are_completed_from_the_config(folder, typed, last, offered):
    assert completed(typed, last) == offered


@pytest.mark.parametrize("config", ["[tracker", "metrics = 3", 'objectives = ["a"]\ntracker = 1\nsources = 2', None])
def test_a_config_that_cannot_be_read_completes_nothing(folder, config, capsys):
    (folder / "keyresults.toml").unlink()
    if config is not None:
        (folder / "keyresults.toml").write_text(config)
    for typed in (["explain"], ["metric"], ["record"], ["collect"], ["status", "--cycle"]):
        assert completed(typed, "") == []
    assert capsys.readouterr() == ("", "")


def test_completing_reads_the_config_that_was_named(folder, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert completed(["--config", str(folder / "keyresults.toml"), "collect"], "") == ["people"]


def completed(typed, last):
    shell = ShellComplete(keyresults, {}, "keyresults", "_KEYRESULTS_COMPLETE")
    return [item.value for item in shell.get_completions(typed, last)]


HEAVY = ("pandas", "numpy", "pydantic", "github", "alembic", "prometheus_api_client", "requests")
START = "import sys; from keyresults.cli.main import main; code = main(sys.argv[1:]); "


def process(folder, *arguments, after="sys.exit(code)", **more):
    return subprocess.run(
        [sys.executable, "-c", START + after, *arguments],
        cwd=folder, capture_output=True, text=True, timeout=60, **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A store that was filled by the real clock."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "keyresults.toml").write_text(CONFIG)
    done = process(folder, "record", "engagement", "74%")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("arguments", [["--help"], ["status", "--help"], ["status"], ["status", "--json"]])
def test_quick_commands_import_nothing_heavy(real, arguments):
    told = f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    done = process(real, *arguments, after=told)
    assert done.stderr.strip() == "[]"


def test_an_edited_config_is_judged_anew(recorded, capsys):
    (recorded / "keyresults.toml").write_text(CONFIG.replace('to = "85%"', 'to = "74%"'))
    assert "✔ met" in run(capsys, "status")[1]


@pytest.mark.parametrize("form", ["terminal", "markdown", "json", "html"])
def test_the_machines_time_zone_changes_no_byte_of_a_report(recorded, capsys, monkeypatch, form):
    said = []
    with monkeypatch.context() as patch:
        for zone in ("UTC", "Pacific/Kiritimati", "America/St_Johns"):
            patch.setenv("TZ", zone)
            time.tzset()
            said.append(run(capsys, "report", "--format", form, "--as-of", "2026-11-19"))
    time.tzset()
    assert said[0][0] == 0
    assert said[0] == said[1] == said[2]


def test_piped_output_is_plain_even_in_an_odd_locale(real):
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "TERM": "xterm-256color"}
    done = process(real, "status", env=env)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_reader_that_leaves_early_is_no_error(real):
    started = subprocess.Popen(
        [sys.executable, "-c", START + "sys.exit(code)", "report", "--json"],
        cwd=real, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    started.stdout.close()
    err = started.stderr.read()
    started.stderr.close()
    assert (started.wait(timeout=60), err) == (141, b"")


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_long_work_is_drawn_where_somebody_watches(monkeypatch):
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    monkeypatch.setenv("TERM", "xterm")
    with watched() as progress:
        progress.stream("github/runs/[bold]acme", "2026-11-01 to 2026-11-20")
        progress.advance(120, 2)
    assert "github/runs/[bold]acme 2026-11-01 to 2026-11-20 · 2 requests" in screen.getvalue()


def test_nothing_is_drawn_into_a_log(monkeypatch):
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    with watched() as progress:
        progress.stream("github/runs/acme")
        progress.advance(1)
    assert log.getvalue() == ""


def test_a_config_without_cycle_and_objectives_says_what_to_write(tmp_path, monkeypatch, capsys):
    stop_the_clock(monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keyresults.toml").write_text('[tracker]\ntimezone = "UTC"\n')
    assert main(["collect"]) == 0
    assert main(["status"]) == 2
    said = capsys.readouterr()
    assert "Nothing to collect" in said.out
    assert "no objectives yet" in said.err
    assert "[[objectives]]" in said.err


def test_streams_are_named_by_the_metrics_that_rest_on_them(folder, capsys):
    assert main(["record", "engagement", "74%"]) == 0
    assert main(["collect"]) == 0
    assert "✔  people samples of engagement: engagement · nothing new" in capsys.readouterr().out
    assert main(["sources", "--json"]) == 0
    said = {state["subject"]: state for state in json.loads(capsys.readouterr().out)}
    assert said["engagement"]["metrics"] == ["engagement"]
    assert said["mood"]["kind"] == "samples"
