"""`init`, then `collect` and `status`, in repositories of every layout: true numbers or a reason."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from bisect import bisect
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from git_layouts import Repo
from keyresults.cli.main import main
from keyresults.config.load import load
from keyresults.jobs import clock, surroundings
from keyresults.jobs.init import AlreadyConfigured, initialise
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.facts import Deployment, Run, StatusChange
from standins.github import TOKEN, github
from standins.github_world import World

NOW = datetime(2026, 11, 20, 11, tzinfo=UTC)
TODAY = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
TRACEBACK = re.compile(r"Traceback|this should not have happened")
OFFERED = re.compile(r"^(\s*)# (\[.*\]|[a-z_]+ = .*)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def surroundings_without_surprises(monkeypatch, tmp_path):
    """The clock stands still, no Prometheus is near, and the machine's own tokens and zone are out of sight."""
    whole = Workspace.__init__
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(
        Workspace,
        "__init__",
        lambda self, config, writing=False, clock=lambda: NOW: whole(self, config, writing, clock),
    )
    monkeypatch.setattr(surroundings, "look_for_prometheus", lambda: None)
    for name in (*surroundings.TOKENS, *surroundings.ENTERPRISE_TOKENS, "GITHUB_SERVER_URL", "KEYRESULTS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "Etc/UTC")
    monkeypatch.setattr(surroundings, "local_zone", lambda environ: "UTC")
    # Folders of tests may lie inside a repository.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


def history(path: Path, commits: Iterable[datetime], tags: Iterable[tuple[str, datetime]] = (), reverted=()) -> Repo:
    """A repository with these commits on `main`, each tag on the newest before it; a `reverted` takes one back then."""
    repo = Repo.create(path)
    lines: list[str] = []
    line = sorted(commits)
    for n, at in enumerate(line, 1):
        words = f"Change {n}"
        person = f"Ana <ana@example.org> {int(at.timestamp())} +0000"
        lines += ["commit refs/heads/main", f"mark :{n}", f"author {person}", f"committer {person}"]
        lines += [f"data {len(words)}", words, *([f"from :{n - 1}"] if n > 1 else []), ""]
    for name, at in tags:
        lines += [
            f"tag {name}",
            f"from :{bisect(line, at)}",
            f"tagger Ana <ana@example.org> {int(at.timestamp())} +0000",
        ]
        lines += ["data 1", "x"]
    subprocess.run(["git", "fast-import", "--quiet"], cwd=path, input="\n".join(lines), text=True, check=True)
    for at in reverted:
        repo.commit(at, f"Revert\n\nThis reverts commit {repo.git('rev-parse', 'HEAD')}.")
    repo.git("reset", "-q", "--hard")
    return repo


def every(hours: float, days: int, first: datetime = TODAY) -> list[datetime]:
    """Instants that far apart, backwards from `first`, over so many days."""
    return [first - n * hours * HOUR for n in range(1, int(days * 24 / hours) + 1)]


class Command:
    """The command, run in one folder."""

    def __init__(self, folder: Path, capsys, monkeypatch) -> None:
        self.folder, self.capsys = folder, capsys
        monkeypatch.chdir(folder)

    def __call__(self, *arguments: str, code: int = 0) -> str:
        found = main(list(arguments))
        said = self.capsys.readouterr()
        assert not TRACEBACK.search(said.out + said.err), said.err
        assert found == code, said.out + said.err
        return said.out + said.err

    def start(self, collected: int = 0) -> str:
        """`init`, `check`, `collect` and `status`; what `init` said."""
        said = self("init")
        assert all(len(line) <= 80 for line in said.splitlines() if "keyresults.toml" not in line), said
        load(self.folder / "keyresults.toml")
        self("check")
        self("collect", code=collected)
        return said

    def key_results(self) -> dict[str, dict]:
        told = json.loads(self("status", "--json"))
        return {kr["id"]: kr for o in told["objectives"] for kr in o["key_results"]}


@pytest.fixture
def command(capsys, monkeypatch):
    return lambda folder: Command(folder, capsys, monkeypatch)


def first_parents(path: Path) -> list[datetime]:
    told = subprocess.run(
        ["git", "log", "--first-parent", "--format=%ct", "main"], cwd=path, text=True, capture_output=True, check=True
    )
    return [datetime.fromtimestamp(int(line), UTC) for line in told.stdout.split()]


def between(instants: Iterable[datetime], start: datetime, end: datetime) -> int:
    return sum(1 for at in instants if start <= at < end)


def uncommitted(path: Path) -> list[str]:
    told = subprocess.run(["git", "status", "--short"], cwd=path, text=True, capture_output=True, check=True)
    return told.stdout.splitlines()


def test_releases_by_tags_with_a_prefix(tmp_path, command):
    releases = [(f"v1.{n}", TODAY - (4 + 9 * n) * DAY) for n in range(12)]
    repo = history(tmp_path / "shop", every(31, 200), [*releases, ("docs-1", TODAY - DAY)])
    run = command(repo.path)
    said = run.start()
    quarter = between([at for _, at in releases], TODAY - 91 * DAY, TODAY)
    assert f"{quarter} releases in the 91 days before 2026-11-20" in said
    assert "not counted: tags docs-*" in said
    found = run.key_results()
    assert set(found) == {"more-releases", "more-merges"}
    # 42 days are left, from today to the end of the year.
    before = between([at for _, at in releases], TODAY - 42 * DAY, TODAY)
    assert found["more-releases"]["baseline"]["value"] == before
    assert found["more-releases"]["reading"]["value"] == 0
    assert found["more-releases"]["target"]["value"] > before
    assert uncommitted(repo.path) == ["?? keyresults.toml"]


@pytest.mark.soak
def test_frequent_releases_by_tags_without_a_prefix(tmp_path, command):
    releases = [(f"26.11.{n}", TODAY - n * 2 * DAY - HOUR) for n in range(60)]
    repo = history(tmp_path / "shop", every(11, 200), releases)
    run = command(repo.path)
    assert 'tags = "[0-9]*"' in run.start() + (repo.path / "keyresults.toml").read_text()
    found = run.key_results()["more-releases"]
    month = between([at for _, at in releases], TODAY - 28 * DAY, TODAY)
    assert month == 14
    assert found["title"] == "Raise releases from 3.5 to 4.5 a week"
    assert found["baseline"]["value"] == pytest.approx(14 / 28)
    assert found["reading"]["value"] == pytest.approx(between([at for _, at in releases], NOW - 28 * DAY, NOW) / 28)
    assert found["target"]["value"] == pytest.approx(4.5 / 7)


def test_merges_where_there_are_no_tags(tmp_path, command):
    repo = history(tmp_path / "shop", every(17, 120), reverted=[TODAY - 2 * HOUR])
    run = command(repo.path)
    said = run.start()
    commits = first_parents(repo.path)
    month = between(commits, TODAY - 28 * DAY, TODAY)
    assert f"{month} merges in the 28 days before 2026-11-20, {month / 20:g} a workday" in said
    found = run.key_results()["more-merges"]
    assert found["baseline"]["value"] == pytest.approx(month / 20)
    assert found["baseline"]["provisional"] is False
    assert found["target"]["value"] > month / 20
    assert found["progress"] < 1
    (guardrail,) = found["guardrails"]
    settled = [at for at in commits if NOW - 28 * DAY <= at <= NOW - DAY]
    assert guardrail["holds"] is True
    # The revert is of this night; what it took back is older than a day, so it is seen already.
    assert guardrail["value"] == pytest.approx(1 / len(settled))


def test_a_repository_with_few_commits_gets_a_total(tmp_path, command):
    repo = history(tmp_path / "shop", [*every(24 * 15, 90), *every(24 * 40, 400)])
    run = command(repo.path)
    run.start()
    found = run.key_results()["more-merges"]
    commits = first_parents(repo.path)
    assert between(commits, TODAY - 28 * DAY, TODAY) < 8
    assert found["title"].endswith("from 20 November to 31 December")
    assert found["baseline"]["value"] == between(commits, TODAY - 42 * DAY, TODAY)


def test_nothing_is_made_up_for_too_few_commits(tmp_path, command):
    repo = history(tmp_path / "shop", [TODAY - 200 * DAY, TODAY - 30 * DAY])
    run = command(repo.path)
    assert "only 1 merge in the 91 days before 2026-11-20" in run.start()
    assert "No objectives" in run("status")


def test_a_bare_mirror(tmp_path, command):
    made = history(tmp_path / "shop", every(17, 120), [("v1", TODAY - 50 * DAY)])
    mirror = made.clone(tmp_path / "mirror.git", "--mirror")
    run = command(mirror.path)
    fetched(mirror.path, NOW)
    assert "a bare repository has no other folder" in run.start().replace("\n", " ")
    month = between(first_parents(made.path), TODAY - 28 * DAY, TODAY)
    assert run.key_results()["more-merges"]["baseline"]["value"] == pytest.approx(month / 20)


def fetched(folder: Path, at: datetime) -> None:
    """As if the clone had been made then."""
    for name in ("description", "info/exclude", "config", "HEAD"):
        if (folder / name).exists():
            os.utime(folder / name, (at.timestamp(), at.timestamp()))


def test_a_shallow_clone_says_how_to_mend_it(tmp_path, command):
    made = history(tmp_path / "shop", every(17, 120), [("v1", TODAY - 50 * DAY)])
    shallow = made.clone(tmp_path / "shallow", "--depth", "3")
    fetched(shallow.path / ".git", NOW)
    run = command(shallow.path)
    assert "git fetch --unshallow --tags" in " ".join(run.start().split())
    assert "No objectives" in run("status")
    assert "--unshallow" in (shallow.path / "keyresults.toml").read_text().replace("\n# ", " ")
    assert uncommitted(shallow.path) == ["?? keyresults.toml"]


def test_a_clone_fetched_long_ago_says_so(tmp_path, command):
    made = history(tmp_path / "shop", every(17, 120))
    clone = made.clone(tmp_path / "clone")
    fetched(clone.path / ".git", NOW - 20 * DAY)
    assert "last fetched on 2026-10-31" in command(clone.path).start()


def test_an_empty_repository(tmp_path, command):
    repo = Repo.create(tmp_path / "shop")
    run = command(repo.path)
    assert "there is no commit yet" in run.start()
    assert "No objectives" in run("status")


def test_a_repository_that_begins_today(tmp_path, command):
    repo = history(tmp_path / "shop", [NOW - HOUR])
    assert "history begins on 2026-11-20" in command(repo.path).start()


def test_no_repository_at_all(tmp_path, command):
    folder = tmp_path / "plain"
    folder.mkdir()
    run = command(folder)
    assert "is no git repository" in " ".join(run.start().split())
    assert "No objectives" in run("status")
    assert sorted(p.name for p in folder.iterdir()) == [".keyresults", "keyresults.toml"]


def test_a_detached_checkout_is_measured_by_its_main_branch(tmp_path, command):
    made = history(tmp_path / "shop", every(17, 120))
    clone = made.clone(tmp_path / "clone")
    clone.git("checkout", "-q", "--detach")
    clone.git("remote", "set-head", "origin", "--delete")
    fetched(clone.path / ".git", NOW)
    run = command(clone.path)
    run.start()
    month = between(first_parents(made.path), TODAY - 28 * DAY, TODAY)
    assert run.key_results()["more-merges"]["baseline"]["value"] == pytest.approx(month / 20)


def test_a_folder_inside_a_repository(tmp_path, command):
    repo = history(tmp_path / "shop", every(17, 120))
    inside = repo.path / "services" / "pay"
    inside.mkdir(parents=True)
    run = command(inside)
    run.start()
    assert run.key_results()["more-merges"]["reading"]["health"] == "ok"
    assert uncommitted(repo.path) == ["?? services/"]


def test_no_proposal_is_met_at_the_start(tmp_path, command):
    repo = history(tmp_path / "shop", every(31, 190), [(f"v{n}.0", TODAY - n * 3 * DAY - HOUR) for n in range(50)])
    run = command(repo.path)
    run.start()
    found = run.key_results()
    assert len(found) >= 2
    for kr in found.values():
        assert kr["status"] in ("on_track", "at_risk"), kr  # what moved since midnight may be a step back
        assert kr["progress"] < 0.5
        assert all(g["holds"] for g in kr["guardrails"])


def test_a_config_is_never_overwritten(tmp_path, command):
    path = tmp_path / "keyresults.toml"
    path.write_text("mine")
    run = command(tmp_path)
    assert "never overwritten" in run("init", code=2)
    assert path.read_text() == "mine"
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere.toml")
    with pytest.raises(AlreadyConfigured):
        initialise(tmp_path, environ={}, clock=lambda: NOW)
    assert not (tmp_path / "elsewhere.toml").exists()


def test_a_folder_that_takes_no_file_is_told(tmp_path, command):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "can't be written" in command(tmp_path)("init", "locked", code=2)


def test_another_folder_may_be_named(tmp_path, command):
    (tmp_path / "there").mkdir()
    said = command(tmp_path)("init", "there")
    assert f"cd {tmp_path / 'there'}" in said
    assert (tmp_path / "there" / "keyresults.toml").is_file()


def test_config_names_no_place_for_init(tmp_path, command):
    assert "DIRECTORY" in command(tmp_path)("--config", "other.toml", "init", code=2)


def on_github(tmp_path: Path) -> Repo:
    """A clone of a repository on a server called github.test, with two workflows."""
    repo = history(tmp_path / "shop", every(17, 120))
    folder = repo.path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "ci.yml").write_text("on:\n  push:\n  pull_request:\n")
    (folder / "deploy.yml").write_text("on:\n  push:\n    branches: [main]\n")
    repo.git("add", ".")
    repo.git("commit", "-q", "-m", "Test and deploy", at=TODAY - 30 * HOUR)
    repo.git("remote", "add", "origin", "git@github.test:acme/payments.git")
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    fetched(repo.path / ".git", NOW)
    return repo


def test_github_is_offered_where_no_token_is_set(tmp_path, command):
    repo = on_github(tmp_path)
    run = command(repo.path)
    said = run.start()
    assert "acme/payments; no token is set" in said
    assert "ci.yml tests changes; deploy.yml deploys" in said
    text = (repo.path / "keyresults.toml").read_text()
    assert "github" not in tomllib.loads(text)["sources"]
    offered = OFFERED.sub(r"\1\2", text)
    (tmp_path / "all.toml").write_text(offered)
    config = load(tmp_path / "all.toml")
    assert {"ci-success", "ci-duration", "deployments", "rollbacks"} <= set(config.metrics)
    assert config.sources["github"].options.api_url == "https://github.test/api/v3"


def test_everything_offered_in_an_empty_folder_can_be_taken(tmp_path, command):
    command(tmp_path)("init")
    text = OFFERED.sub(r"\1\2", (tmp_path / "keyresults.toml").read_text())
    (tmp_path / "all.toml").write_text(text)
    (kr,) = load(tmp_path / "all.toml").objectives[0].key_results
    assert kr.metric == "engagement"


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.test")


@pytest.mark.soak
def test_without_a_network_git_still_tells(tmp_path, command, token, monkeypatch):
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    run = command(on_github(tmp_path).path)
    said = run.start(collected=3)
    assert TOKEN not in said + (run.folder / "keyresults.toml").read_text()
    assert "can't be reached" in " ".join(said.split())
    assert run.key_results()["more-merges"]["reading"]["health"] == "ok"


def ci_runs(minutes: float) -> list[Run]:
    """Two a day, nine of ten green."""
    return [
        Run(
            key=f"{n}/1",
            subject="acme/payments",
            workflow="ci.yml",
            run=str(n),
            attempt=1,
            branch="main",
            commit=f"{n:040x}",
            created_at=at,
            started_at=at,
            completed_at=at + timedelta(minutes=minutes),
            conclusion="failure" if n % 10 == 0 else "success",
        )
        for n, at in enumerate(every(12, 40), 1)
    ]


def test_ci_is_measured_where_a_token_is_set(tmp_path, command, token, monkeypatch):
    world = World(NOW)
    world.add("acme/payments", ci_runs(12))
    with github(world) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        run = command(on_github(tmp_path).path)
        said = run.start()
    assert "Shorten CI from 12 min to 8 min" in said
    found = run.key_results()["quick-ci"]
    assert found["baseline"]["value"] == 720
    assert found["target"]["value"] == 480
    # Two runs a day for 28 days, the one at the window's start included.
    counted = [r for r in ci_runs(12) if TODAY - 28 * DAY <= r.created_at < TODAY]
    green = sum(r.conclusion == "success" for r in counted)
    assert f"{green} of {len(counted)} runs succeeded" in said


def test_deployments_and_rollbacks_stand_before_releases_and_merges(tmp_path, command, token, monkeypatch):
    # Every day at noon a new version; on one day the version of two days before comes back.
    noons = [TODAY - n * DAY - 12 * HOUR for n in range(33, 0, -1)]
    commits = [18 if n == 20 else n for n in range(33)]
    told = [
        Deployment(
            key=str(n + 1),
            subject="acme/payments",
            environment="production",
            commit=f"{commit:040x}",
            created_at=at,
            statuses=(StatusChange("success", at + timedelta(minutes=5)),),
        )
        for n, (at, commit) in enumerate(zip(noons, commits, strict=True))
    ]
    world = World(NOW)
    world.add("acme/payments", told)
    with github(world) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        run = command(on_github(tmp_path).path)
        said = run.start()
    # GitHub has never run the workflow that lies in the repository: no reason to fail at every collection.
    assert "has no workflow 'ci.yml'" in " ".join(said.split())
    assert "ci-duration" not in load(run.folder / "keyresults.toml").metrics
    found = run.key_results()
    # 27 noons lie in the four weeks; the rollback is no step forward.
    assert found["more-deployments"]["baseline"]["value"] == pytest.approx(26 / 20)
    assert "more-merges" not in found
    (guardrail,) = found["more-deployments"]["guardrails"]
    assert (guardrail["metric"], guardrail["holds"]) == ("rollbacks", True)
    assert guardrail["value"] == pytest.approx(1 / 26)


COVERAGE = """<?xml version="1.0" ?>
<coverage line-rate="0.6" branch-rate="0" version="7" timestamp="{stamp}">
<packages><package name="."><classes><class name="pay.py" filename="pay.py"><lines>
{lines}
</lines></class></classes></package></packages></coverage>
"""

JUNIT = """<testsuites><testsuite name="all" tests="4" timestamp="{at}">
<testcase name="a"/><testcase name="b"/><testcase name="c"/><testcase name="d"{last}</testsuite></testsuites>
"""


def results(folder: Path, at: datetime, last: str = "/>") -> None:
    """Three of five lines covered, four tests."""
    lines = "\n".join(f'<line number="{n}" hits="{int(n < 4)}"/>' for n in range(1, 6))
    (folder / "coverage.xml").write_text(COVERAGE.format(stamp=int(at.timestamp() * 1000), lines=lines))
    (folder / "junit.xml").write_text(JUNIT.format(at=at.isoformat(), last=last))


def test_coverage_and_tests_that_are_there_are_measured(tmp_path, command):
    results(tmp_path, NOW - HOUR)
    run = command(tmp_path)
    said = run.start()
    assert "60% of lines covered" in said
    assert "4 of 4 tests passed" in said
    found = run.key_results()["more-coverage"]
    assert found["reading"]["value"] == pytest.approx(3 / 5)
    assert found["target"]["value"] == pytest.approx(0.7)
    assert [g["holds"] for g in found["guardrails"]] == [True]


def test_a_failing_test_is_a_key_result(tmp_path, command):
    results(tmp_path, NOW - HOUR, last="><failure/></testcase>")
    run = command(tmp_path)
    run.start()
    assert run.key_results()["green-tests"]["reading"]["value"] == pytest.approx(3 / 4)


def test_old_files_are_told_and_nothing_is_proposed_by_them(tmp_path, command):
    results(tmp_path, NOW - 20 * DAY)
    run = command(tmp_path)
    assert "the last value is 20 days old" in " ".join(run.start().split())
    assert "No objectives" in run("status")


def test_a_broken_coverage_file_is_told_by_its_name(tmp_path, command):
    (tmp_path / "coverage.xml").write_text("<coverage><packages>")
    assert "coverage.xml" in command(tmp_path).start()


def test_the_quarter_that_ends_soon_gives_way_to_the_next(tmp_path, monkeypatch):
    late = datetime(2026, 12, 21, 9, tzinfo=UTC)
    repo = history(tmp_path / "shop", every(17, 120, late))
    result = initialise(repo.path, environ={}, clock=lambda: late)
    assert "Proposed for 2027-Q1, from today to 2027-03-31 (2026-Q4 ends in 10 days)" in result.lines
    (objective,) = load(result.path).objectives
    assert (objective.cycle.name, objective.key_results[0].start) == ("2027-Q1", date(2026, 12, 21))


def test_a_prometheus_nearby_becomes_a_source(tmp_path, command, monkeypatch):
    near = surroundings.NearbyPrometheus("http://127.0.0.1:1", ("http_request_duration_seconds_bucket",))
    monkeypatch.setattr(surroundings, "look_for_prometheus", lambda: near)
    command(tmp_path)("init")
    config = load(tmp_path / "keyresults.toml")
    assert config.metrics["p99"].quantile == 0.99
    assert config.sources["prometheus"].type == "prometheus"


def test_a_prometheus_without_a_clear_histogram_is_offered(tmp_path, command, monkeypatch):
    near = surroundings.NearbyPrometheus("http://127.0.0.1:1", ())
    monkeypatch.setattr(surroundings, "look_for_prometheus", lambda: near)
    command(tmp_path)("init")
    assert not load(tmp_path / "keyresults.toml").sources


def test_names_that_toml_or_teams_could_trip_over(tmp_path, command):
    made = history(tmp_path / 'what "a" näme', every(17, 120))
    run = command(made.path)
    run.start()
    assert run.key_results()["more-merges"]["reading"]["health"] == "ok"
