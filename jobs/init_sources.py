"""The sources and metrics that a first config has, by what was found."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from .init_tables import Table, listed, quoted
from .surroundings import PUBLIC_API, Repository, Surroundings
from .workflows import workflow_that_tests

GIT, GITHUB, PROMETHEUS, COVERAGE, TESTS, PEOPLE = "git", "github", "prometheus", "coverage", "tests", "people"
"""Names of the sources."""

RELEASES, MERGES, MERGE_DAYS, REVERTS = "releases", "merges", "merge-days", "reverts"
CI_SUCCESS, CI_DURATION, DEPLOYMENTS, ROLLBACKS = "ci-success", "ci-duration", "deployments", "rollbacks"
LINES, TEST_COUNT, TEST_PASSES, P99 = "coverage", "test-count", "test-passes", "p99"
"""Names of the metrics."""

IN_ORDER = (
    *(DEPLOYMENTS, ROLLBACKS, RELEASES, MERGES, MERGE_DAYS, REVERTS),
    *(CI_DURATION, CI_SUCCESS, LINES, TEST_COUNT, TEST_PASSES),
)

FETCHED = '"7d"'
"""How old a clone's last fetch may be: people don't fetch every day."""


def source_tables(found: Surroundings) -> Iterator[Table]:
    if found.repository is not None:
        yield _git(found.repository)
        yield from _github(found.repository, found.token)
    if found.coverage is not None:
        yield _files(COVERAGE, "coverage", found.coverage, "Coverage, recognised by content; measured when it is made.")
    if found.junit is not None:
        yield _files(TESTS, "junit", found.junit, "Test results; these files together are one run.")
    if found.prometheus is not None:
        entries = {"type": quoted("prometheus"), "url": quoted(found.prometheus.url)}
        words = "It answered while this file was written."
        yield Table(header=f"[sources.{PROMETHEUS}]", entries=entries, above=words, active=found.prometheus.is_clear)


def metric_tables(found: Surroundings, windows: Mapping[str, str], refused: Container[str] = ()) -> Iterator[Table]:
    """The metrics; `windows` says which have another one than 28 days (`cycle`: a running total).

    Those `refused` are commented out, as are those whose source is.
    """
    if found.repository is not None and found.repository.branch is not None:
        yield from _git_metrics(found.repository, windows)
    if found.repository is not None:
        yield from _github_metrics(found.repository, found.token, refused)
    yield from _file_metrics(found)
    yield from _prometheus_metrics(found)


def _git(repository: Repository) -> Table:
    words = "The clone itself: no token and no network. It knows what its last `git fetch` brought."
    entries = {"type": quoted("git"), "path": quoted(".")}
    return Table(header=f"[sources.{GIT}]", entries=entries, above=words, active=repository.branch is not None)


def _files(name: str, kind: str, pattern: str, words: str) -> Table:
    return Table(header=f"[sources.{name}]", entries={"type": quoted(kind), "files": listed([pattern])}, above=words)


def _github(repository: Repository, token: str | None) -> Iterator[Table]:
    remote = repository.remote
    if remote is None or remote.github is None:
        return
    entries = {"type": quoted("github")}
    if repository.api_url != PUBLIC_API:
        entries["api_url"] = quoted(repository.api_url)
    entries["token"] = f"{{ env = {quoted(token or repository.token_variable)} }}"
    entries["repositories"] = listed([remote.github])
    words = "CI runs, deployments and rollbacks."
    if token is None:
        words += (
            " To use them, set the variable to a token that may read the repository (`gh auth token` prints one), and "
            "take the # away here and under their metrics below."
        )
    yield Table(header=f"[sources.{GITHUB}]", entries=entries, above=words, active=token is not None)


def _git_metrics(repository: Repository, windows: Mapping[str, str]) -> Iterator[Table]:
    assert repository.branch is not None
    merges = f"{{ merges = {quoted(repository.branch)} }}"
    if repository.families:
        family = repository.families[0]
        words = f"Releases are the tags like {family.newest.name}."
        if family.pre_releases:
            words += f" {family.pre_releases} of the {family.lately} of the last year are pre-releases, and count."
        tags = f"{{ tags = {quoted(family.pattern)} }}"
        yield _rate(RELEASES, tags, windows.get(RELEASES, "28d"), words)
    words = (
        f"Every merge to {repository.branch}, squashed, rebased and pushed ones too: they stand in for deployments "
        "where no source tells of those."
    )
    yield _rate(MERGES, merges, windows.get(MERGES, "28d"), words)
    yield Table(
        header=f"[metrics.{MERGE_DAYS}]",
        entries=_git_entries("deployment_days", merges, "28d"),
        above="The share of workdays on which something was merged: small steps rather than rare big ones.",
    )
    entries = _git_entries("rollback_rate", merges, windows.get(REVERTS, "28d"))
    yield Table(
        header=f"[metrics.{REVERTS}]",
        entries={**entries, "rollback": '{ rules = ["revert"] }', "branch": quoted(repository.branch)},
        above='The share of merges taken back within seven days by a commit that says "This reverts commit …".',
    )


def _rate(name: str, deployments: str, window: str, words: str) -> Table:
    measure = "deployment_count" if window == "cycle" else "deployment_frequency"
    return Table(header=f"[metrics.{name}]", entries=_git_entries(measure, deployments, window), above=words)


def _git_entries(measure: str, deployments: str, window: str) -> dict[str, str]:
    return {
        "source": quoted(GIT),
        "measure": quoted(measure),
        "deployments": deployments,
        "window": quoted(window),
        "max_age": FETCHED,
    }


def _github_metrics(repository: Repository, token: str | None, refused: Container[str]) -> Iterator[Table]:
    if repository.remote is None or repository.remote.github is None:
        return
    active = token is not None
    testing = workflow_that_tests(repository.workflows)
    if testing is not None:
        for name, measure, words in (
            (CI_SUCCESS, "ci_success_rate", f"The share of runs of {testing.file} on the default branch that succeed."),
            (CI_DURATION, "ci_duration", "How long they take, in the median."),
        ):
            entries = {**_github_entries(measure), "workflow": quoted(testing.file)}
            told = active and name not in refused
            yield Table(header=f"[metrics.{name}]", entries=entries, above=words, active=told)
    for name, measure, words in (
        (DEPLOYMENTS, "deployment_frequency", "Deployments to the environment production."),
        (ROLLBACKS, "rollback_rate", "The share of them that were rolled back: an older version came back."),
    ):
        yield Table(header=f"[metrics.{name}]", entries=_github_entries(measure), above=words, active=active)


def _github_entries(measure: str) -> dict[str, str]:
    return {"source": quoted(GITHUB), "measure": quoted(measure), "window": quoted("28d")}


def _file_metrics(found: Surroundings) -> Iterator[Table]:
    if found.coverage is not None:
        entries = {"source": quoted(COVERAGE), "measure": quoted("test_coverage"), "kind": quoted("line")}
        words = f"Covered lines, from {found.coverage}; a figure stands for seven days."
        yield Table(header=f"[metrics.{LINES}]", entries=entries, above=words)
    if found.junit is not None:
        entries = {"source": quoted(TESTS), "measure": quoted("test_count")}
        yield Table(header=f"[metrics.{TEST_COUNT}]", entries=entries, above="Tests that ran.")
        entries = {"source": quoted(TESTS), "measure": quoted("test_pass_rate")}
        yield Table(header=f"[metrics.{TEST_PASSES}]", entries=entries, above="The share of them that passed.")


def _prometheus_metrics(found: Surroundings) -> Iterator[Table]:
    if found.prometheus is None:
        return
    histogram = next(iter(found.prometheus.histograms), "http_request_duration_seconds_bucket")
    entries = {
        "source": quoted(PROMETHEUS),
        "histogram": quoted(histogram),
        "quantile": "0.99",
        "unit": quoted("s"),
        "window": quoted("7d"),
    }
    words = '99 of 100 requests are answered within this time. Name one service: histogram{service="…"}.'
    if not found.prometheus.is_clear:
        known = ", ".join(found.prometheus.histograms[:5])
        words += f" Histograms that may fit: {known}." if known else " No histogram of requests was found."
    yield Table(header=f"[metrics.{P99}]", entries=entries, above=words, active=found.prometheus.is_clear)
