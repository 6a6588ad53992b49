"""From GitHub's statuses and artifacts to readings, several metrics from one download."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from keyresults.config.load import load
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import explain, metric_series
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.reading import Reading
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_code import Commit
from standins.github_figures import Artifact, Beside, Status, Storage, storage
from standins.github_world import World

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)

CONFIG = """
[tracker]
cycle = "2026-Q4"

[sources.github]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = ["acme/payments"]

[metrics.said]
source = "github"
measure = "test_coverage"
figures = {{ status = "codecov/project" }}

[metrics.measured]
source = "github"
measure = "test_coverage"
figures = {{ artifact = "reports" }}

[metrics.passing]
source = "github"
measure = "test_pass_rate"
figures = {{ artifact = "reports" }}

[metrics.tests]
source = "github"
measure = "test_count"
figures = {{ artifact = "reports" }}
"""


@pytest.fixture
def elsewhere() -> Iterator[Storage]:
    with storage() as place:
        yield place


@pytest.fixture
def server(elsewhere: Storage) -> Iterator[GitHubStandIn]:
    """A commit a day for ten days, the last two days ago; 81 % said of the first, a percent more of each."""
    world = World(NOW)
    code = world.add("acme/payments").code
    for n in range(1, 11):
        oid, at = f"{n:040x}", NOW - 12 * DAY + n * DAY
        code.add(Commit(oid, at, (f"{n - 1:040x}",) if n > 1 else ()))
        code.branches["main"] = oid
        words = f"{80 + n}.5% (+1.0%)" if n < 10 else "no report"
        code.beside[oid] = Beside([Status("codecov/project", "success", words)])
        address = elsewhere.put(f"{n}.zip", archive(n))
        code.artifacts.append(Artifact(n, "reports", oid, at + timedelta(minutes=5), NOW + 90 * DAY, address))
    with github(world) as standin:
        yield standin


def archive(number: int) -> bytes:
    """Of twenty lines as many are covered as the number says; of as many tests one failed."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as packed:
        lines = "".join(f"DA:{line},{int(line <= number)}\n" for line in range(1, 21))
        packed.writestr("lcov.info", f"SF:a.py\n{lines}end_of_record\n")
        cases = '<testcase name="t"/>' * (number - 1) + '<testcase name="f"><failure/></testcase>'
        packed.writestr("junit.xml", f"<testsuite>{cases}</testsuite>")
    return whole.getvalue()


@pytest.fixture
def space(server: GitHubStandIn, tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "token").write_text(TOKEN)
    config = tmp_path / "keyresults.toml"
    config.write_text(CONFIG.format(url=server.url))
    with Workspace(load(config), writing=True, clock=lambda: server.world.now) as one:
        yield one


def readings(space: Workspace, name: str) -> dict[int, Reading]:
    """By the day of November they close."""
    told = metric_series(space, name, since=(NOW - 12 * DAY).date(), until=None, as_of=NOW).readings
    return {one.day.day: one for one in told}


def test_what_a_service_says_is_carried_from_day_to_day(space: Workspace) -> None:
    result = collect(space)
    assert not result.failed
    said = readings(space, "said")
    # The commit of the 9th is the first; the one of the 18th says nothing, so the 17th's stays.
    assert [said[day].value for day in (8, 9, 17, 18, 20)] == [None, 0.815, 0.895, 0.895, 0.895]
    assert (said[20].n, said[20].numerator, said[20].health) == (0, None, "ok")
    (problem,) = [p for run in result.runs for p in run.problems]
    assert "of the newest one: 'no report'" in problem


def test_one_download_gives_coverage_and_tests(space: Workspace, elsewhere: Storage) -> None:
    assert not collect(space).failed
    assert len(elsewhere.asked) == 10
    newest = {name: readings(space, name)[20] for name in ("measured", "passing", "tests")}
    assert (newest["measured"].value, newest["measured"].numerator, newest["measured"].denominator) == (0.5, 10, 20)
    assert (newest["passing"].value, newest["tests"].value) == (0.9, 10)
    assert readings(space, "measured")[12].value == 4 / 20
    (counted,) = [fact for fact in explain(space, "measured", as_of=NOW).facts if fact.counted]
    assert counted.url == "https://github.com/acme/payments/actions/runs/7010"
