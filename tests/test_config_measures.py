"""Which options and queries the measures of changes, incidents and runs take."""

from __future__ import annotations

import pytest
from keyresults.config.load import load
from keyresults.config.problem import ConfigProblems
from keyresults.metrics.traits import in_words, traits_of

SOURCES = """
[sources.code]
type = "github"
token = { env = "GITHUB_TOKEN" }
repositories = ["acme/pay", "acme/ledger"]
incidents = { labels = ["incident"] }

[sources.repo]
type = "git"

[metrics.m]
"""


@pytest.fixture
def metric(tmp_path):
    def bound(lines: str):
        path = tmp_path / "keyresults.toml"
        path.write_text(SOURCES + lines)
        return load(path).metrics["m"]

    return bound


FIGURES = 'source = "code"\nmeasure = "{}"\nfigures = {{ {} }}\n'
ARTIFACT = 'artifact = "reports", files = ["coverage.xml", "junit-*.xml"]'


@pytest.mark.parametrize("measure", ["test_coverage", "test_pass_rate", "test_count"])
def test_artifacts_serve_coverage_and_tests_and_are_one_stream(metric, measure):
    one = metric(FIGURES.format(measure, ARTIFACT))
    figures = {"artifact": "reports", "files": ["coverage.xml", "junit-*.xml"]}
    assert one.queries == {"samples": {"figures": figures, "kind": "line"}}


@pytest.mark.parametrize("measure", ["test_pass_rate", "test_count"])
@pytest.mark.parametrize("where", ['status = "codecov/project"', 'check = "tests"'])
def test_a_percentage_in_words_is_no_count_of_tests(metric, measure, where):
    with pytest.raises(ConfigProblems, match=f"m.measure: only artifacts hold what {measure} is made of"):
        metric(FIGURES.format(measure, where))
    assert metric(FIGURES.format("test_coverage", where)).queries["samples"]["kind"] == "line"


@pytest.mark.parametrize("measure", ["change_count", "change_cycle_time", "change_review_time"])
def test_changes_are_asked_for_by_repository_and_branch(metric, measure):
    one = metric(f'source = "code"\nmeasure = "{measure}"\nbranch = "release"\nrepositories = ["acme/pay"]\n')
    assert (one.sources, one.queries["changes"]) == ({"changes": "code"}, {"branch": "release"})
    assert one.subjects == ("acme/pay",)


@pytest.mark.parametrize("measure", ["change_cycle_time", "change_review_time"])
def test_times_of_changes_take_a_quantile(metric, measure):
    one = metric(f'source = "repo"\nmeasure = "{measure}"\nquantile = 0.9\n')
    assert (one.quantile, one.unit.dimension, one.better) == (0.9, "duration", "lower")
    assert in_words(one).startswith("p90 of the time from the ")


def test_incidents_are_a_count_of_issues_with_labels(metric):
    one = metric('source = "code"\nmeasure = "incident_count"\nwindow = "cycle"\n')
    assert (one.sources, one.better, traits_of(one).counts) == ({"incidents": "code"}, "lower", True)


def test_flaky_runs_are_a_ratio_of_a_workflows_runs(metric):
    one = metric('source = "code"\nmeasure = "ci_flaky_rate"\nworkflow = "ci.yml"\nbranch = "*"\n')
    assert one.queries["runs"] == {"workflow": "ci.yml", "branch": "*"}
    assert (one.better, traits_of(one).ratio_of_counts) == ("lower", True)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('source = "repo"\nmeasure = "incident_count"\n', "incident_count needs incidents"),
        ('source = "repo"\nmeasure = "ci_flaky_rate"\n', "ci_flaky_rate needs runs"),
        ('source = "code"\nmeasure = "change_count"\nquantile = 0.9\n', "takes no quantile"),
        ('source = "code"\nmeasure = "ci_flaky_rate"\nenvironment = "production"\n', "takes no environment"),
    ],
)
def test_what_a_measure_cannot_use_is_refused(metric, lines, said):
    with pytest.raises(ConfigProblems) as refused:
        metric(lines)
    assert said in str(refused.value)
