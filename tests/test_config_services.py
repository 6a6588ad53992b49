"""`[services]`: what a metric makes of them, and what is wrong with what it names."""

from __future__ import annotations

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
LEDGER = Service(name="ledger", repository="acme/shop", environment="ledger-*")


@pytest.fixture
def metric(tmp_path):
    def load_metric(lines: str):
        path = tmp_path / "keyresults.toml"
        path.write_text(BASE + lines)
        return load(path).metrics["m"]

    return load_metric


def test_a_metric_tells_apart_the_services_of_its_source_s_repositories_in_their_order(metric):
    found = metric("")
    assert found.split == (WEB, LEDGER)  # not mail, and no paths: they change no reading
    assert (found.subjects, found.services, found.own_environments) == (None, None, False)


def test_a_metric_over_other_repositories_knows_of_no_services(metric):
    assert metric('repositories = ["acme/pay-*"]').split == ()


def test_a_metric_that_names_services_rests_on_their_repositories(metric):
    found = metric('services = ["ledger", "web", "acme/pay-api"]')
    assert found.subjects == ("acme/shop", "acme/pay-api")
    assert found.services == ("ledger", "web", "acme/pay-api")
    assert found.split == (WEB, LEDGER)


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
    with pytest.raises(ConfigProblems, match="only deployments are told apart by service"):
        load(path)
