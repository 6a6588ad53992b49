"""What a metric puts to its sources is a part of its definition: edited without a reason, it is told."""

from __future__ import annotations

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.cli.main import main
from keyresults.config.load import load
from keyresults.jobs.baselines import definition_digest
from keyresults.jobs.evaluate import evaluate
from keyresults.jobs.evidence import Evaluation
from keyresults.jobs.notices import concerns_of
from keyresults.metrics.traits import in_words

GITHUB = """
[sources.github]
type = "github"
token = { env = "GITHUB_TOKEN" }
repositories = ["acme/app"]
incidents = { labels = ["outage", "incident"] }
%s
"""
ASKED = """
[metrics.asked]
source = "github"
%s
"""
KEY_RESULT = """
  [[objectives.key_results]]
  id = "asked"
  title = "Asked of GitHub"
  metric = "asked"
  target = { at_least = %s }
"""
OFTEN = 'measure = "deployment_frequency"\n'
FAILURES = 'measure = "change_failure_rate"\n'
COVERAGE = 'measure = "test_coverage"\nfigures = { %s }\n'
CHANGED = ": changed without a reason, first seen on 2026-11-20"


@pytest.fixture
def scene(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "t")

    def written(metric, source=""):
        often = "deployment_frequency" in metric
        target = '"1/week"' if often else '"1%"'
        parts = {"sources": GITHUB % source, "metrics": ASKED % metric, "key_results": KEY_RESULT % target}
        return write_scene(tmp_path, rows(60), **parts)

    return written


def words_of(path):
    return in_words(load(path).metrics["asked"])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("{ releases = true }", "releases"),
        ('{ tags = "v1.*" }', "tags v1.*"),
        ('{ merges = "main" }', "merges main"),
        ('{ workflow = "deploy.yml", branch = "live" }', "workflow deploy.yml, branch live"),
    ],
)
def test_what_counts_as_a_deployment_is_in_the_definition_wherever_it_is_said(scene, asked, words):
    assert f"; {words}; over " in words_of(scene(f"{OFTEN}deployments = {asked}\n"))
    assert f"; {words}; over " in words_of(scene(OFTEN, f"deployments = {asked}"))


def test_the_deployments_api_has_the_words_it_always_had(scene):
    words = "forward deployments (redeploys and rollbacks left out) ÷ days; environment production; over 28 days"
    assert words_of(scene(f'{OFTEN}window = "28d"\n')) == words


def test_the_labels_of_incidents_are_in_the_definition_be_they_the_sources_or_its_own(scene):
    assert "; labels incident, outage; over " in words_of(scene(FAILURES))
    assert "; labels sev1; over " in words_of(scene(f'{FAILURES}labels = ["sev1"]\n'))


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ('status = "codecov/project"', "status codecov/project"),
        ('check = "tests"', "check tests"),
        ('artifact = "cov", files = ["a.xml", "b.xml"]', "artifact cov, files a.xml, b.xml"),
    ],
)
def test_where_figures_stand_is_in_the_definition_and_the_kind_only_of_files(scene, figures, words):
    said = words_of(scene(COVERAGE % figures)).split("; ")
    assert words in said
    assert ("kind line" in said) == figures.startswith("artifact")


def test_the_branch_of_a_second_kind_of_fact_is_in_the_definition(scene):
    assert "; changes branch release; " in words_of(scene(f'{FAILURES}branch = "release"\n'))


RELEASES, MERGES = "deployments = { releases = true }", 'deployments = { merges = "main" }'
TAGS, WORKFLOW = 'deployments = { tags = "v1.7*" }', 'deployments = { workflow = "a.yml" }'


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ((OFTEN + RELEASES,), (OFTEN + TAGS,), "releases → tags v1.7*"),
        ((OFTEN, MERGES), (OFTEN, WORKFLOW), "merges main → workflow a.yml"),
        ((OFTEN,), (OFTEN, RELEASES), "now with releases"),
        ((FAILURES,), (f'{FAILURES}labels = ["sev1"]',), "labels incident, outage → labels sev1"),
        ((COVERAGE % 'status = "a"',), (COVERAGE % 'status = "b"',), "status a → status b"),
    ],
)
def test_an_edit_of_what_is_asked_is_told_and_measures_the_baseline_anew(scene, before, after, change):
    digests = []
    for how in (before, after):
        with workspace(scene(*how)) as one:
            (kr,) = (k for o in one.config.objectives for k in o.key_results if k.id == "asked")
            digests.append(definition_digest(Evaluation(one.config, one.store, NOW), kr))
            told = concerns_of(one)
            assert list(evaluate(one, as_of=NOW, store=True).notices) == told
    assert told == [f"asked: definition of its metric {change}{CHANGED}"]
    assert digests[0] != digests[1]


def test_labels_in_another_order_ask_the_same(scene):
    path = scene(FAILURES)
    with workspace(path) as one:
        evaluate(one, as_of=NOW, store=True)
    path.write_text(path.read_text().replace('["outage", "incident"]', '["incident", "outage"]'))
    with workspace(path) as one:
        assert concerns_of(one) == []


def test_check_tells_it_in_lines_of_at_most_80_columns(scene, capsys):
    with workspace(scene(OFTEN, RELEASES)) as one:
        evaluate(one, as_of=NOW, store=True)
    path = scene(f'{OFTEN}environment = "production-*"\n', WORKFLOW)
    assert main(["--config", str(path), "check"]) == 0
    told = capsys.readouterr().out.split("No errors.\n")[1]
    assert len(told.splitlines()) > 2
    assert max(map(len, told.splitlines())) <= 80
    assert "definition of its metric releases → workflow a.yml" in " ".join(told.split())
    assert " ".join(told.split()).count("changed without a reason") == 2, "no words are lost"
    assert "÷ days" not in told
