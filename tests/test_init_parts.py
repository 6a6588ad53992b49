"""What `init` makes of tags, remotes, workflows, zones and figures."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from git_layouts import Repo
from hypothesis import given
from hypothesis import strategies as st
from keyresults.collectors.git_clone import Tag
from keyresults.collectors.git_program import GitProgram
from keyresults.jobs.figures import percent, plain, raised, raised_rate, raised_share, roomy_limit, shortened
from keyresults.jobs.init_period import Period
from keyresults.jobs.nearby_prometheus import look_for_prometheus
from keyresults.jobs.surroundings import local_zone, remote_place
from keyresults.jobs.tag_families import tag_families, version_prefix
from keyresults.jobs.workflows import Workflow, workflow_that_tests, workflows
from keyresults.metrics.calendar import Calendar
from pytest_httpserver import HTTPServer

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def tags(*names: str, last: int = 1) -> list[Tag]:
    """One a day, the newest `last` days ago."""
    return [Tag(name, "c0ffee", NOW - (last + len(names) - n) * DAY) for n, name in enumerate(names, 1)]


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("v1.2.3", "v"),
        ("1.2", ""),
        ("25.4.0", ""),
        ("v5", "v"),
        ("release-2.1", "release-"),
        ("release-2026-11-20", "release-"),
        ("2026-11-20", ""),
        ("core@1.0.0", "core@"),
        ("@scope/core@1.0.0", "@scope/core@"),
        ("k8s-v1.2.0", "k8s-v"),
        ("tools/cli/v0.3.1-rc.2", "tools/cli/v"),
        ("v2rc1", "v"),
        ("latest", None),
        ("k8s", None),
    ],
)
def test_a_version_is_told_from_what_stands_before_it(name: str, prefix: str | None) -> None:
    assert version_prefix(name) == prefix


def test_the_family_used_most_in_the_last_year_comes_first() -> None:
    old = [Tag(f"{n}.0", "c0ffee", NOW - (400 + n) * DAY) for n in range(9)]
    found = tag_families([*old, *tags("v1.0", "v1.1"), *tags("docs-1"), *tags("latest")], NOW)
    assert [(f.pattern, f.lately, f.total) for f in found] == [("v*", 2, 2), ("docs-*", 1, 1), ("[0-9]*", 0, 9)]
    assert found[0].newest.name == "v1.1"


def test_nightly_builds_are_no_releases_while_there_are_others() -> None:
    nightly = tags(*(f"nightly-2026.10.{n}" for n in range(1, 25)))
    assert [f.pattern for f in tag_families([*nightly, *tags("v1.0")], NOW)] == ["v*", "nightly-*"]
    assert [f.pattern for f in tag_families(nightly, NOW)] == ["nightly-*"]


def test_the_pattern_matches_no_tag_of_another_family() -> None:
    assert tag_families(tags("v1.0", "vendor-import"), NOW)[0].pattern == "v[0-9]*"


def test_pre_releases_of_the_last_year_are_counted() -> None:
    (family,) = tag_families(tags("v1.0-rc1", "v1.0rc2", "v1.0.0-beta.3", "v1.0.0", "v1.1.0"), NOW)
    assert (family.lately, family.pre_releases) == (5, 3)


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://github.com/acme/pay.git", "github.com", "acme/pay"),
        ("https://user:secret@github.com/acme/pay", "github.com", "acme/pay"),
        ("git@github.com:acme/pay.git", "github.com", "acme/pay"),
        ("ssh://git@github.com/acme/pay.git", "github.com", "acme/pay"),
        ("ssh://git@ssh.github.com:443/acme/pay.git", "github.com", "acme/pay"),
        ("git@github.com-work:acme/pay.git", "github.com", "acme/pay"),
        ("git@github.corp.example:acme/pay.git", "github.corp.example", "acme/pay"),
        ("https://gitlab.com/group/sub/pay.git", "gitlab.com", "group/sub/pay"),
    ],
)
def test_a_remote_is_read_without_its_credential(url: str, host: str, path: str) -> None:
    place = remote_place(url)
    assert place is not None
    assert (place.host, place.path) == (host, path)
    assert place.github == (path if "github" in host else None)
    assert "secret" not in repr(place)


@pytest.mark.parametrize("url", ["/srv/git/pay.git", "../pay", "file:///srv/git/pay.git", "C:/repos/pay"])
def test_a_folder_is_no_place_on_a_server(url: str) -> None:
    assert remote_place(url) is None


def test_a_token_for_github_goes_to_no_other_host() -> None:
    public, other = remote_place("git@github.com:a/b"), remote_place("git@github.corp.example:a/b")
    assert public is not None
    assert other is not None
    environ = {"GITHUB_TOKEN": "", "GH_TOKEN": "x"}
    assert (public.token(environ), other.token(environ)) == ("GH_TOKEN", None)
    assert other.token({**environ, "GH_ENTERPRISE_TOKEN": "y"}) == "GH_ENTERPRISE_TOKEN"
    within = {"GITHUB_TOKEN": "z", "GITHUB_SERVER_URL": "https://github.corp.example"}
    assert other.token(within) == "GITHUB_TOKEN"
    assert (public.api_url({}), other.api_url({})) == ("https://api.github.com", "https://github.corp.example/api/v3")
    assert other.api_url({**within, "GITHUB_API_URL": "https://github.corp.example/api"}).endswith("/api")


def test_the_workflow_that_tests_changes_is_found_among_others() -> None:
    found = [
        Workflow("codeql-analysis.yml", True),
        Workflow("labels.yml", True),
        Workflow("publish-release.yml", True),
        Workflow("nightly-tests.yml", False),
        Workflow("tests.yml", True),
    ]
    assert workflow_that_tests(found) == Workflow("tests.yml", True)
    assert [w.file for w in found if w.deploys] == ["publish-release.yml"]
    assert workflow_that_tests(found[1:4]) is None


def test_a_workflow_of_blank_lines_is_read_at_once(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "repo")
    folder = repo.path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "blank.yml").write_text("\n" * 16_384)
    (folder / "ci.yml").write_text("\n" * 16_384 + "on:\n  - push\n")
    repo.git("add", ".")
    commit = repo.commit(NOW)
    began = time.process_time()
    found = workflows(GitProgram(repo.path), commit)
    assert time.process_time() - began < 1
    assert found == (Workflow("blank.yml", False), Workflow("ci.yml", True))


def test_the_zone_is_the_machines_or_utc(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    assert local_zone({}, link) == "Europe/Berlin"
    assert local_zone({"TZ": ":America/New_York"}, link) == "America/New_York"
    assert local_zone({"TZ": "CET-1CEST,M3.5.0"}, link) == "Europe/Berlin"
    assert local_zone({"TZ": "/etc/passwd"}, tmp_path / "none") == "UTC"
    assert local_zone({"TZ": "Etc/UTC"}, tmp_path / "none") == "UTC"


@pytest.mark.parametrize(
    ("today", "cycle", "cut"),
    [
        ("2026-10-01", "2026-Q4", None),
        ("2026-12-11", "2026-Q4", None),
        ("2026-12-12", "2027-Q1", "2026-Q4"),
        ("2026-12-31", "2027-Q1", "2026-Q4"),
        ("2026-06-20", "2026-Q3", "2026-Q2"),
    ],
)
def test_key_results_are_set_for_this_quarter_unless_it_is_nearly_over(today: str, cycle: str, cut: str | None) -> None:
    period = Period.now(datetime.fromisoformat(f"{today}T12:00+00:00"), Calendar())
    assert (period.cycle.name, period.cut and period.cut.name) == (cycle, cut)
    assert period.start == date.fromisoformat(today)
    assert period.days >= 21


@pytest.mark.parametrize(("before", "target"), [(0.5, 1), (1, 2), (3, 4), (6, 8), (12, 16), (18, 25), (40, 50)])
def test_totals_are_raised_by_about_a_third(before: float, target: int) -> None:
    assert raised(before) == target


@pytest.mark.parametrize(("before", "target"), [(1.05, 1.5), (3.4, 4.5), (2.25, 3), (7.1, 9), (17, 25)])
def test_rates_are_raised_in_halves_while_small(before: float, target: float) -> None:
    assert raised_rate(before) == target


@given(st.floats(0.1, 1000))
def test_a_raised_target_is_never_met_already_nor_out_of_sight(value: float) -> None:
    assert value * 1.1 <= raised(value) <= value * 2 + 1
    assert value * 1.1 <= raised_rate(value) <= value * 2 + 0.5


@given(st.floats(0, 0.93), st.sampled_from([0.25, 1 / 3, 0.5]))
def test_a_raised_share_stays_below_all(share: float, way: float) -> None:
    assert share < raised_share(share, way) < 1


@given(st.floats(180, 20000))
def test_a_shortened_time_is_shorter(seconds: float) -> None:
    assert seconds / 3 < shortened(seconds) <= seconds * 2 / 3


@given(st.integers(5, 500), st.data())
def test_a_limit_leaves_room_for_two_more(n: int, given_: st.DataObject) -> None:
    hits = given_.draw(st.integers(0, n // 4))
    assert roomy_limit(hits / n, n) >= min((hits + 2) / n, 1)


def test_figures_are_short() -> None:
    assert [plain(x) for x in (1.05, 3.4, 12.0, 1234.5, 2 / 3)] == ["1.05", "3.4", "12", "1,234.5", "0.67"]
    assert [percent(x) for x in (0.65, 0.07, 1.0)] == ["65%", "7%", "100%"]


def test_a_prometheus_is_known_by_its_answer(httpserver: HTTPServer) -> None:
    names = ["grpc_server_handling_seconds_bucket", "http_request_duration_seconds_bucket", "prometheus_x_bucket"]
    labels = httpserver.expect_request("/api/v1/label/__name__/values")
    labels.respond_with_json({"status": "success", "data": names})
    found = look_for_prometheus(["http://127.0.0.1:1", httpserver.url_for("").rstrip("/")])
    assert found is not None
    assert found.url == httpserver.url_for("").rstrip("/")
    assert found.histograms == tuple(names[:2])


@pytest.mark.parametrize("body", ["<html>", '"text"', '{"status": "success"}', '{"status": "error", "data": []}'])
def test_what_answers_otherwise_is_no_prometheus(httpserver: HTTPServer, body: str) -> None:
    httpserver.expect_request("/api/v1/label/__name__/values").respond_with_data(body)
    assert look_for_prometheus([httpserver.url_for("").rstrip("/")]) is None
