"""The stand-in for GitHub in a process of its own: filled, troubled, held back and questioned from another."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from keyresults.metrics.facts import Run
from standins import histories
from standins.github_control import Disobeyed, GitHubProcess, github_process

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

COLLECT = """
import sys
from datetime import datetime
from pathlib import Path
from keyresults.config.load import load
from keyresults.jobs.collect import collect
from keyresults.jobs.workspace import Workspace
now = datetime.fromisoformat(sys.argv[2])
with Workspace(load(Path(sys.argv[1])), writing=True, clock=lambda: now) as one:
    collect(one, (sys.argv[3],))
"""


@pytest.fixture(scope="module")
def process() -> Iterator[GitHubProcess]:
    with github_process() as running:
        yield running


@pytest.fixture
def server(process: GitHubProcess) -> Iterator[GitHubProcess]:
    process.set("world.now", NOW)
    yield process
    process.call("world.repositories.clear")
    process.call("quota.used.clear")
    process.call("forget")
    for place, value in {"always": None, "latency": 0.0, "quota.limit": 5000, "quota.ends": None}.items():
        process.set(place, value)


def ask(server: GitHubProcess, path: str, **headers: str) -> requests.Response:
    known = {"Authorization": f"Bearer {server.token}", **headers}
    return requests.get(server.url + path, headers=known, timeout=10)


def test_facts_are_added_while_it_runs(server: GitHubProcess) -> None:
    assert ask(server, "/repos/acme/payments").status_code == 404
    server.add("acme/payments", histories.runs(1, start=NOW - DAY, days=1), private=True)
    assert ask(server, "/repos/acme/payments").json()["private"] is True
    before = ask(server, "/repos/acme/payments/actions/runs").json()["total_count"]
    late = histories.runs(2, start=NOW, days=1, first_run=90000)
    server.call("world.repositories.0.history.extend", late)
    assert ask(server, "/repos/acme/payments/actions/runs").json()["total_count"] == before
    server.set("world.now", NOW + DAY)
    after = ask(server, "/repos/acme/payments/actions/runs").json()["total_count"]
    assert after == before + len({run.run for run in late if run.started_at and run.started_at <= NOW + DAY})


def test_an_etag_answers_for_what_is_unchanged_and_costs_nothing(server: GitHubProcess) -> None:
    server.add("acme/payments", histories.deployments(1, start=NOW - DAY, days=1))
    first = ask(server, "/repos/acme/payments/deployments")
    spent = server.get("quota.used")["core"]
    again = ask(server, "/repos/acme/payments/deployments", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert server.get("quota.used")["core"] == spent == 1
    assert first.headers["X-RateLimit-Remaining"] == again.headers["X-RateLimit-Remaining"] == "4999"


def test_pages_lead_to_one_another(server: GitHubProcess) -> None:
    told = histories.deployments(1, start=NOW - 9 * DAY, days=9)
    server.add("acme/payments", told)
    path, seen = "/repos/acme/payments/deployments?per_page=7", []
    while path:
        answer = ask(server, path)
        seen += [one["id"] for one in answer.json()]
        path = answer.links.get("next", {}).get("url", "").removeprefix(server.url)
    assert seen == [int(d.key) for d in sorted(told, key=lambda d: (d.created_at, d.key), reverse=True)]


@pytest.mark.parametrize(
    ("trouble", "status", "retry_after"),
    [
        ("403", 403, None),
        ("429", 429, None),
        ("429, wait", 429, "90"),
        ("secondary limit", 403, "90"),
        ("secondary limit, no hint", 403, None),
        ("502", 502, None),
    ],
)
def test_it_refuses_as_it_is_told_to(server: GitHubProcess, trouble: str, status: int, retry_after: str | None) -> None:
    server.add("acme/payments")
    server.set("plan", {2: trouble})
    answers = [ask(server, "/repos/acme/payments") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, status, 200]
    assert answers[1].headers.get("Retry-After") == retry_after


def test_it_breaks_off_drips_and_redirects(server: GitHubProcess) -> None:
    server.add("acme/payments")
    whole = ask(server, "/repos/acme/payments").content
    server.set("always", "truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask(server, "/repos/acme/payments")
    server.set("always", "slow")
    began = time.monotonic()
    assert ask(server, "/repos/acme/payments").content == whole
    assert time.monotonic() - began >= 0.8
    server.set("always", "sent elsewhere")
    answer = requests.get(server.url + "/user", allow_redirects=False, timeout=10)
    assert answer.status_code == 302


def test_latency_holds_answers_back_but_not_one_another(server: GitHubProcess) -> None:
    server.add("acme/payments")
    server.set("latency", 0.3)
    began = time.monotonic()
    command = "import sys, requests; requests.get(sys.argv[1], timeout=10)"
    asking = [subprocess.Popen([sys.executable, "-c", command, server.url]) for _ in range(3)]
    assert [one.wait(timeout=30) for one in asking] == [0, 0, 0]
    assert time.monotonic() - began >= 0.3
    assert len(server.get("asked")) == 3


def test_an_enterprise_server_may_count_nothing(server: GitHubProcess) -> None:
    server.add("acme/payments")
    server.set("quota.silent", True)
    assert not [name for name in ask(server, "/repos/acme/payments").headers if name.lower().startswith("x-ratelimit")]
    server.set("quota.silent", False)


def test_only_the_one_that_started_it_gives_orders(server: GitHubProcess) -> None:
    stranger = GitHubProcess(server.url, server.token, "guessed", server.pid)
    with pytest.raises(requests.HTTPError):
        stranger.set("always", "502")
    with pytest.raises(Disobeyed, match=r"quota\.limits"):
        server.get("quota.limits")


CONFIG = """
[tracker]
timezone = "UTC"
cycle = "2026-Q4"
"""

SOURCE = """
[sources.{name}]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = ["acme/{name}-*"]
reserve = "25%"

[metrics.runs-{name}]
source = "{name}"
measure = "ci_success_rate"
"""


def run(subject: str, number: int, attempt: int) -> Run:
    """Every run went wrong once, and its first attempt has to be asked for by itself."""
    created = NOW - number * DAY - 5 * HOUR
    return Run(
        key=f"{number}/{attempt}",
        subject=subject,
        workflow="ci.yml",
        run=str(number),
        attempt=attempt,
        branch="main",
        commit=f"{number:040x}",
        created_at=created,
        started_at=created + attempt * HOUR,
        completed_at=created + attempt * HOUR + timedelta(minutes=10),
        conclusion="success" if attempt == 2 else "failure",
        event="push",
    )


def test_three_processes_never_take_more_than_the_budget(server: GitHubProcess, tmp_path: Path) -> None:
    """Two that collect with one credential, and the GitHub that counts."""
    sources = ("east", "west")
    for name in [f"acme/{source}-{n}" for source in sources for n in range(6)]:
        server.add(name, [run(name, number, attempt) for number in range(1, 5) for attempt in (1, 2)])
    (tmp_path / "token").write_text(server.token)
    config = tmp_path / "keyresults.toml"
    config.write_text(CONFIG + "".join(SOURCE.format(name=s, url=server.url) for s in sources))
    server.set("quota.limit", 40)
    server.set("quota.ends", NOW + HOUR)
    command = [sys.executable, "-c", COLLECT, str(config), NOW.isoformat()]
    running = [subprocess.Popen([*command, source]) for source in sources]
    assert [one.wait(timeout=120) for one in running] == [0, 0]
    used = server.get("quota.used")
    # What is under way is counted as spent until it is answered, so as many may be left as ask at once: two times four.
    assert 22 < used["core"] <= 30, "40 less the reserve of a quarter"
    assert used["graphql"] == len(sources), "one question for the repositories of each glob"
    assert set(server.call("counts")) == {200}, "GitHub never had to refuse"
