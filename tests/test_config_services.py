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
    path.write_text(BASE.replace('"acme/shop", ', "").replace("rollback_rate", "change_count"))
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
            'services = ["ledger"]\nrepositories = ["acme/shops"]',
            'ledger lives in acme/shop, which is not among this metric\'s repositories; did you mean "acme/shops"?',
        ),
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
