"""What others start keyresults with: the unit by systemd's own judgement, the workflow by running its scripts."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from job_scenes import rows, write_scene
from keyresults.cli.main import keyresults
from keyresults.storage.store import Store
from stores_filled import fill

pytestmark = pytest.mark.soak  # whole scripts: in CI, and not for every change

CONTRIB = Path(__file__).parents[1] / "contrib"
UNIT = (CONTRIB / "systemd" / "keyresults.service").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load((CONTRIB / "github-actions" / "keyresults.yml").read_text(encoding="utf-8"))
(JOB,) = WORKFLOW["jobs"].values()


@pytest.fixture
def unit(tmp_path):
    """The unit with a program that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze (Debian: apt install systemd)")
    path = tmp_path / "keyresults.service"
    path.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT, flags=re.MULTILINE))
    return path


def analyzed(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_systemd_finds_nothing_wrong_with_the_unit(unit):
    found = analyzed("verify", unit)
    assert (found.returncode, found.stderr) == (0, "")


def test_systemd_holds_the_unit_for_well_confined(unit):
    found = analyzed("security", "--offline=true", "--threshold=15", "--no-pager", unit)
    assert found.returncode == 0, found.stdout[-200:]


def test_the_unit_starts_a_command_that_is_there_and_gives_it_time_to_end():
    (words,) = re.findall(r"^ExecStart=\S+/keyresults (.+)$", UNIT, re.MULTILINE)
    assert words.split()[0] == "--config"
    assert words.split()[-1] in keyresults.commands
    settings = dict(re.findall(r"^(\w+)=(.*)$", UNIT, re.MULTILINE))
    assert int(settings["TimeoutStopSec"]) > 10
    assert (settings["Restart"], settings["DynamicUser"], settings["ProtectSystem"]) == ("on-failure", "yes", "strict")
    assert settings["ExecReload"].endswith("-HUP $MAINPID")


def test_the_workflow_asks_for_little_and_runs_alone():
    assert set(WORKFLOW) == {"name", True, "permissions", "concurrency", "jobs"}  # YAML reads `on` as true
    assert set(WORKFLOW[True]) == {"schedule", "workflow_dispatch"}
    assert WORKFLOW["permissions"] == {}
    assert {name for name, right in JOB["permissions"].items() if right == "write"} == {"contents"}
    assert WORKFLOW["concurrency"] == {"group": "keyresults", "cancel-in-progress": False}
    assert JOB["timeout-minutes"] <= 60


def test_the_workflows_steps_are_what_github_knows():
    known = {"name", "id", "if", "uses", "with", "run", "env", "continue-on-error"}
    for step in JOB["steps"]:
        assert set(step) <= known
        assert ("uses" in step) != ("run" in step)
    pinned = [step["uses"] for step in JOB["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", name) for name in pinned)


def test_the_workflow_puts_nothing_into_scripts_but_by_the_environment():
    assert not [step for step in JOB["steps"] if "${{" in step.get("run", "")]


class Runner:
    """Runs the workflow's scripts as GitHub does, each in a fresh clone; installing is left out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.origin = folder / "origin.git"
        self.rounds = 0
        programs = folder / "bin"
        programs.mkdir()
        command = programs / "keyresults"
        command.write_text(f"#!{sys.executable}\nimport sys\nfrom keyresults.cli.main import main\nsys.exit(main())\n")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
        self.env = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", **JOB["env"]}

    def git(self, *words: str, cwd: Path | None = None) -> str:
        named = ["git", "-c", "user.name=ana", "-c", "user.email=ana@example.com", *words]
        return subprocess.run(named, cwd=cwd, capture_output=True, text=True, check=True).stdout

    def checkout(self) -> Path:
        self.rounds += 1
        clone = self.folder / f"clone-{self.rounds}"
        self.git("clone", "--quiet", "--single-branch", str(self.origin), str(clone))
        (self.folder / f"temp-{self.rounds}").mkdir()
        return clone

    def script(self, name: str, clone: Path) -> subprocess.CompletedProcess[str]:
        (step,) = [step for step in JOB["steps"] if step.get("name") == name]
        own = self.folder / f"temp-{self.rounds}"
        told = own / "env"
        env = self.env | {"RUNNER_TEMP": str(own), "GITHUB_ENV": str(told), "GITHUB_STEP_SUMMARY": str(own / "summary")}
        if told.exists():
            env |= dict(line.split("=", 1) for line in told.read_text().splitlines())
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        return subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True, check=False)

    def all(self, clone: Path, names: tuple[str, ...]) -> None:
        for name in names:
            ran = self.script(name, clone)
            assert ran.returncode == 0, (name, ran.stderr)


RESTORE, SAVE = "Restore the store", "Save the store and the report"


@pytest.fixture
def runner(tmp_path):
    made = Runner(tmp_path)
    work = tmp_path / "work"
    write_scene(work, rows(20))
    (work / ".gitignore").write_text(".keyresults/\n")
    made.git("init", "--quiet", "--initial-branch=main", str(work))
    made.git("add", ".", cwd=work)
    made.git("commit", "--quiet", "-m", "Key results", cwd=work)
    made.git("clone", "--quiet", "--bare", str(work), str(made.origin))
    return made


def saved(runner):
    """The stored branch's files, by name; its store's number of runs and facts."""
    path = runner.folder / "saved.db"
    named = ["git", "-C", str(runner.origin), "cat-file", "blob", "keyresults-store:store.db"]
    path.write_bytes(subprocess.run(named, capture_output=True, check=True).stdout)
    with Store.open(f"sqlite:///{path}", read_only=True) as store:
        assert store.check() == []
        return len(store.runs()), sum(state.facts for state in store.states())


def test_the_store_lives_on_a_branch_of_one_commit(runner):
    for number in (1, 2):
        clone = runner.checkout()
        runner.all(clone, (RESTORE, "Collect", "Report", SAVE))
        assert runner.git("rev-parse", "--is-shallow-repository", cwd=clone) == "false\n"
        runs, facts = saved(runner)
        assert (runs >= number, facts) == (True, 20)
        assert runner.git("rev-list", "--count", "keyresults-store", cwd=runner.origin) == "1\n"
    assert runs > 1
    report = runner.git("cat-file", "blob", "keyresults-store:report.md", cwd=runner.origin)
    assert report == (runner.folder / "temp-2" / "summary").read_text()
    assert "Increase deployment frequency to daily" in report


def begun(runner, facts):
    """A clone between its first and its last step, with that many facts collected."""
    clone = runner.checkout()
    runner.all(clone, (RESTORE,))
    fill(f"sqlite:///{clone}/.keyresults/store.db", facts)
    own = runner.folder / f"temp-{runner.rounds}"
    (own / "saved").mkdir()
    (own / "saved" / "report.md").write_text("a report")
    return clone


def test_trouble_with_the_repository_never_begins_a_new_store(runner):
    runner.all(begun(runner, 3), (SAVE,))
    clone = runner.checkout()
    away = runner.origin.rename(runner.folder / "away.git")
    assert runner.script(RESTORE, clone).returncode not in (0, 2)
    away.rename(runner.origin)


def test_what_another_run_stored_meanwhile_is_not_overwritten(runner):
    late = begun(runner, 3)
    rounds = runner.rounds
    runner.all(begun(runner, 10), (SAVE,))
    before = saved(runner)
    runner.rounds = rounds
    assert runner.script(SAVE, late).returncode != 0
    assert saved(runner) == before


def test_a_source_that_fails_fails_the_run_at_its_end():
    (collect,) = [step for step in JOB["steps"] if step.get("id") == "collect"]
    assert collect["continue-on-error"] is True
    last = JOB["steps"][-1]
    assert (last["if"], last["run"]) == ("steps.collect.outcome == 'failure'", "exit 1")
