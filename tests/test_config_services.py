"""`[services]`: what a metric makes of them, and what is wrong with what it names."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from keyresults.config.load import load
from keyresults.config.problem import ConfigProblems
from keyresults.metrics.service import Service

BASE = """
[tracker]
cycle = "2026-Q4"

[services.web]
repository = "acme/shop"
match = { payload = { team = "front", service = "web" } }

[services.ledger]
repository = "acme/shop"
match = { environment = "ledger-*" }
paths = ["services/ledger/**"]

[services.mail]
repository = "post/office"
match = { workflow = "mail.yml" }

[sources.hub]
type = "github"
token = { env = "TOKEN" }
repositories = ["acme/shop", "acme/pay-*"]
exclude = ["acme/pay-old", "acme/pay-old*"]

[sources.others]
type = "github"
token = { env = "TOKEN" }
repositories = ["post/office", "acme/shop"]

[metrics.m]
source = "hub"
measure = "rollback_rate"
"""
WEB = Service(name="web", repository="acme/shop", payload=(("service", "web"), ("team", "front")))
LEDGER = Service(name="ledger", repository="acme/shop", environment="ledger-*", paths=("services/ledger/**",))


@pytest.fixture
def metric(tmp_path):
    def load_metric(lines: str):
        path = tmp_path / "keyresults.toml"
        base = BASE.replace('measure = "rollback_rate"\n', "") if "measure" in lines else BASE
        path.write_text(base + lines)
        return load(path).metrics["m"]

    return load_metric


def test_a_metric_tells_apart_the_services_of_its_source_s_repositories_in_their_order(metric):
    found = metric("")
    assert found.split == (WEB, replace(LEDGER, paths=()))  # not mail, and no paths: they change no reading
    assert (found.subjects, found.services, found.own_environments) == (None, None, False)


def test_a_metric_over_other_repositories_knows_of_no_services(metric):
    assert metric('repositories = ["acme/pay-*"]').split == ()


def test_repositories_are_the_same_in_upper_and_lower_case(metric):
    found = metric('services = ["web", "ACME/Shop"]')
    assert found.services == ("web", "acme/shop")
    assert [one.name for one in found.split] == ["web", "ledger"]
    assert metric('repositories = ["Acme/SHOP"]').split == metric("").split


def test_a_metric_that_names_services_rests_on_their_repositories(metric):
    found = metric('services = ["ledger", "web", "acme/pay-api"]')
    assert found.subjects == ("acme/shop", "acme/pay-api")
    assert found.services == ("ledger", "web", "acme/pay-api")
    assert [one.name for one in found.split] == ["web", "ledger"]


@pytest.mark.parametrize(
    "asked",
    [
        'rollback = { rules = ["revert"] }',
        'measure = "lead_time_for_changes"',
        'measure = "deployment_rework_rate"',
        'measure = "change_count"\nservices = ["ledger"]',
    ],
)
def test_where_changes_matter_so_do_the_files_that_are_a_service_s_own(metric, asked):
    found = metric(asked)
    assert found.split == (WEB, LEDGER)
    assert found.queries["changes"] == {"files_of": ["acme/shop"]}


def test_changes_of_all_services_together_are_not_told_apart_but_read_with_those_that_are(metric):
    found = metric('measure = "change_count"')
    assert (found.split, found.queries["changes"]) == ((), {"files_of": ["acme/shop"]})


def test_where_no_service_of_the_source_has_paths_no_files_are_asked(tmp_path):
    path = tmp_path / "keyresults.toml"
    path.write_text(BASE.replace('["acme/shop", "acme', '["acme').replace("rollback_rate", "change_count"))
    assert load(path).metrics["m"].queries["changes"] == {}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("/services/ledger/**", "names no files: write them from the repository's root"),
        ("./ledger", "names no files"),
        ("!ledger/**", "names no files"),
        ("ledger/[z-a]*", "is no glob: bad character range"),
    ],
)
def test_paths_that_can_fit_no_file_are_an_error(tmp_path, written, said):
    path = tmp_path / "keyresults.toml"
    path.write_text(BASE.replace("services/ledger/**", written))
    with pytest.raises(ConfigProblems, match=re.escape(said)):
        load(path)


def test_nobody_writes_of_which_repositories_the_files_are_asked(metric):
    with pytest.raises(ConfigProblems, match="files_of"):
        metric('measure = "change_count"\nfiles_of = ["acme/shop"]')


@pytest.mark.parametrize(
    ("lines", "own"),
    [
        ('services = ["ledger"]', True),
        ('services = ["ledger", "web"]', True),
        ('services = ["web"]', False),
        ('services = ["ledger"]\nenvironment = "production"', False),
    ],
)
def test_a_service_brings_its_environments_where_none_is_written(metric, lines, own):
    assert metric(lines).own_environments is own


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('services = ["lodger"]', 'there is no [services.lodger]; did you mean "ledger"?'),
        (
            'services = ["mail"]',
            'mail lives in post/office, which is not among the repositories of the source "hub"',
        ),
        (
            'services = ["acme/shap"]',
            'acme/shap is not among the repositories of the source "hub"; did you mean "acme/shop"?',
        ),
        (
            'services = ["ledger"]\nrepositories = ["acme/pay-shop"]',
            'ledger lives in acme/shop, which is not among this metric\'s repositories; did you mean "acme/pay-shop"?',
        ),
        ('services = ["acme/pay-old"]', "exclude of [sources.hub] leaves it out"),
        ('services = ["acme/*"]', "services are named one by one: a glob goes with repositories"),
    ],
)
def test_a_service_that_can_have_no_facts_is_an_error(metric, lines, said):
    with pytest.raises(ConfigProblems) as raised:
        metric(lines)
    assert [(p.key, p.message) for p in raised.value.problems] == [("metrics.m.services[1]", said)]


def test_ci_runs_are_not_told_apart_by_service(tmp_path):
    path = tmp_path / "keyresults.toml"
    path.write_text(BASE.replace("rollback_rate", "ci_success_rate") + 'services = ["ledger"]\nworkflow = "ci.yml"\n')
    with pytest.raises(ConfigProblems, match="only deployments and changes are told apart by service"):
        load(path)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("acme/pya-api", 'no pattern of [sources.hub] repositories matches it; did you mean "acme/pay-*"?'),
        ("acme/shops-*", 'no pattern of [sources.hub] repositories matches it; did you mean "acme/shop"?'),
        ("other/*", "no pattern of [sources.hub] repositories matches it"),
        ("acme/pay-old", "exclude of [sources.hub] leaves it out"),
        ("acme/Pay-Old*", "exclude of [sources.hub] leaves it out"),
    ],
)
def test_a_repository_that_the_source_can_t_have_is_an_error(tmp_path, asked, said):
    lines = f'{BASE}repositories = ["acme/shop", "{asked}"]\n'
    (tmp_path / "kr.toml").write_text(lines)
    with pytest.raises(ConfigProblems) as raised:
        load(tmp_path / "kr.toml")
    last = len(lines.splitlines())
    assert [(p.line, p.key, p.message) for p in raised.value.problems] == [(last, "metrics.m.repositories[2]", said)]


@pytest.mark.parametrize(
    "asked", ["ACME/shop", "acme/pay-api", "acme/*", "acme/pay-*-api", "*/*", "acme/[ps]hop", "a*e/p*"]
)
def test_a_repository_that_the_source_may_have_is_fine(metric, asked):
    assert metric(f'repositories = ["{asked}"]').subjects == (asked,)


def test_where_topics_choose_repositories_any_may_be_meant(tmp_path):
    path = tmp_path / "keyresults.toml"
    path.write_text(BASE.replace('"acme/pay-*"]', '"acme/pay-*"]\ntopics = ["pay"]') + 'repositories = ["acme/any"]\n')
    assert load(path).metrics["m"].subjects == ("acme/any",)


def test_a_service_in_a_repository_that_no_source_has_is_an_error(tmp_path):
    path = tmp_path / "keyresults.toml"
    written = BASE.replace('repository = "post/office"', 'repository = "post/ofice"')
    path.write_text(written)
    with pytest.raises(ConfigProblems) as raised:
        load(path)
    said = 'no pattern of [sources.hub] or [sources.others] repositories matches it; did you mean "post/office"?'
    assert [(p.line, p.key, p.message) for p in raised.value.problems] == [(15, "services.mail.repository", said)]
    path.write_text(written + '\n[sources.clone]\ntype = "git"\npath = "."\n')
    assert load(path).services["mail"].repository == "post/ofice"  # which repository a clone is of, only it knows


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ('environment = "prod"', 'environment = "prod"'),
        ('environment = "*-prod"', 'environment = "web-prod"'),
        ('workflow = "deploy*.yml"', 'workflow = "deploy*.yml"'),
        ('tag = "v*"', 'tag = "v1"'),
        ('payload = { team = "front" }', 'payload = { team = "front", service = "web" }'),
    ],
)
def test_a_service_whose_deployments_another_before_it_takes_is_an_error(tmp_path, first, later):
    path = tmp_path / "keyresults.toml"

    def service(name: str, match: str, repository: str = "acme/shop") -> str:
        return f'[services.{name}]\nrepository = "{repository}"\nmatch = {{ {match} }}\n'

    path.write_text(service("ledger", first) + service("web", later, "Acme/Shop"))
    with pytest.raises(ConfigProblems) as raised:
        load(path)
    (problem,) = raised.value.problems
    assert (problem.line, problem.key) == (6, "services.web.match")
    assert problem.message.startswith("services.ledger before it (")
    remedy = "match them differently" if first == later else "write [services.web] first, or match them differently"
    assert problem.message.endswith(f"takes all its deployments: {remedy}")
    path.write_text(service("ledger", first) + service("web", later, "acme/other"))
    assert len(load(path).services) == 2
    if first != later:
        path.write_text(service("web", later) + service("ledger", first))
        assert len(load(path).services) == 2
