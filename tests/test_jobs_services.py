"""Services of a monorepo from a file to what is said of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from job_scenes import FIRST, NOW, workspace, write_scene
from keyresults.jobs.bindings import wants
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate, explain, metric_series
from keyresults.jobs.notices import concerns_of

SERVICES = """
[services.ledger]
repository = "acme/shop"
match = { workflow = "deploy-ledger.yml" }

[services.web]
repository = "acme/shop"
match = { workflow = "deploy-web*" }

[services.mail]
repository = "acme/shop"
match = { environment = "mail-*" }
"""
METRICS = """
[metrics.shop]
source = "exports"
measure = "rollback_rate"
window = "28d"

[metrics.web]
source = "exports"
measure = "rollback_rate"
window = "28d"
services = ["web"]

[metrics.mails]
source = "exports"
measure = "deployment_count"
window = "28d"
services = ["mail"]

[metrics.slowest]
source = "exports"
measure = "deployment_frequency"
across = "worst"
window = "28d"
"""


def monorepo():
    """Every 12 hours one commit to ledger, web and two environments of mail; web goes back on every tenth."""
    made = []
    for i in range(220):
        at = FIRST + timedelta(hours=12 * i)
        back = i % 10 == 9
        for minutes, name, environment in ((0, "ledger", "production"), (5, "web", "production"),
                                           (20, "mail", "mail-eu"), (25, "mail", "mail-us")):  # fmt: skip
            if name == "mail" and i % 2:
                continue
            when = (at + timedelta(minutes=minutes)).isoformat()
            made.append(
                {
                    "key": f"{i}-{environment}-{name}",
                    "subject": "acme/shop",
                    "commit": f"c{i - 2}" if back and name == "web" else f"c{i}",
                    "workflow": f"deploy-{name}.yml",
                    "environment": environment,
                    "status": "success",
                    "created_at": when,
                    "at": when,
                }
            )
    return made


@pytest.fixture
def config(tmp_path):
    return write_scene(tmp_path, monorepo(), metrics=SERVICES + METRICS)


def newest(one, name):
    return metric_series(one, name, since=None, until=None, as_of=NOW).readings[-1]


def in_window(until=timedelta(0)):
    """Rounds of the 28 days that end where the file does (the end of 19 November in Berlin), by a plain loop."""
    end = NOW.replace(hour=23) - timedelta(days=1)
    start = NOW - timedelta(days=28)
    return [i for i in range(220) if start <= FIRST + timedelta(hours=12 * i, minutes=25) < min(end, NOW - until)]


def test_each_service_of_a_monorepo_is_measured_from_its_own_order(config):
    with workspace(config) as one:
        collect(one)
        web = newest(one, "web")
        forward = [i for i in in_window(timedelta(hours=24)) if i % 10 != 9]
        assert (web.numerator, web.denominator) == (sum(i % 10 == 8 for i in forward), len(forward))
        shop = newest(one, "shop")
        both = len(in_window(timedelta(hours=24)))
        assert (shop.numerator, shop.denominator) == (web.numerator, len(forward) + both)
        assert newest(one, "mails").value == sum(i % 2 == 0 for i in in_window())


def test_explain_says_of_which_service_what_is_left_out(config):
    with workspace(config) as one:
        collect(one)
        facts = {fact.key: fact for fact in explain(one, "web", as_of=NOW).facts}
        assert (facts["acme/shop/200-production-ledger"].role, facts["acme/shop/200-production-ledger"].why) == (
            "other service",
            "of ledger",
        )
        assert (facts["acme/shop/200-production-web"].subject, facts["acme/shop/200-production-web"].counted) == (
            "web",
            True,
        )
        assert facts["acme/shop/209-production-web"].role == "rollback"


def test_the_least_frequent_service_is_named_and_one_of_other_environments_is_none(config):
    with workspace(config) as one:
        collect(one)
        assert "the least frequent of 2 services: web" in newest(one, "slowest").notes


def test_another_split_measures_finished_days_anew(config):
    with workspace(config) as one:
        collect(one)
        before = {r["id"]: r for r in key_results(one)}
    config.write_text(
        config.read_text().replace(SERVICES, "").replace('services = ["web"]', "").replace('services = ["mail"]', "")
    )
    with workspace(config) as edited:
        after = {r["id"]: r for r in key_results(edited)}
        assert concerns_of(edited)[0].startswith("rollbacks: definition of its metric")
    assert before["rollbacks"]["series"] != after["rollbacks"]["series"]


def key_results(one):
    return [kr for o in json.loads(evaluate(one, as_of=NOW).to_json())["objectives"] for kr in o["key_results"]]


def test_services_are_no_longer_something_this_release_does_not_do(config):
    with workspace(config, writing=False) as one:
        assert concerns_of(one) == []


MERGES = """
[sources.merges]
type = "file"
files = ["merges.csv"]
facts = "changes"
covers = { from = 2026-08-01, to = 2026-11-19 }
"""
PATHS = """
[services.ledger]
repository = "acme/shop"
match = { workflow = "deploy-ledger.yml" }
paths = ["ledger/**", "libs/**"]

[services.web]
repository = "acme/shop"
match = { workflow = "deploy-web*" }
paths = ["web/**", "libs/**"]

[metrics.lead]
source = "exports"
measure = "lead_time_for_changes"
changes = "merges"
services = ["web"]

[metrics.lasting]
source = "exports"
measure = "failed_deployment_recovery_time"
changes = "merges"
services = ["web"]

[metrics.rework]
source = "exports"
measure = "deployment_rework_rate"
changes = "merges"
rollback = { rules = ["version_return", "revert"] }
services = ["ledger"]

[metrics.merged]
source = "merges"
measure = "change_count"
services = ["ledger"]
"""


def merges():
    """Before every round a change, of web, of ledger, of both, of neither, in turn."""
    touched = ("web/a.py", "ledger/a.py", "libs/x/a.py", "README.md; docs/a.md")
    rounds = ((i, FIRST + timedelta(hours=12 * i, minutes=-10)) for i in range(220))
    lines = (f"acme/shop,merge{i},{when.isoformat()},{touched[i % 4]}" for i, when in rounds)
    return "\n".join(("subject,commit,merged_at,paths", *lines, ""))


def test_changes_of_a_monorepo_are_told_apart_by_their_files_from_a_file_to_a_reading(tmp_path):
    config = write_scene(tmp_path, monorepo(), sources=MERGES, metrics=PATHS)
    (tmp_path / "merges.csv").write_text(merges())
    with workspace(config) as one:
        assert not collect(one).failed
        assert concerns_of(one) == []
        lead = newest(one, "lead")
        rounds = in_window()
        shipped = [15 * 60 for i in rounds if i % 4 in (0, 2) and i % 10 != 9]
        # A tenth of web's deployments go back: what was merged for one of those waits for the next round.
        shipped += [15 * 60 + 12 * 3600 for i in rounds if (i - 1) % 4 in (0, 2) and (i - 1) % 10 == 9]
        assert (lead.value, lead.n) == (15 * 60, len(shipped))
        assert f"{sum(i % 4 == 3 for i in merged_in_window())} left out: changes that touch no service's files" in (
            lead.notes
        )
        lasting = newest(one, "lasting")
        assert (lasting.value, lasting.n) == (12 * 3600, sum(i % 10 == 8 for i in rounds))
        rework = newest(one, "rework")
        assert (rework.numerator, rework.denominator) == (0, len(in_window()))
        merged = newest(one, "merged")
        assert merged.value == sum(i % 4 in (1, 2) for i in merged_in_window())


def merged_in_window():
    end, start = NOW.replace(hour=23) - timedelta(days=1), NOW - timedelta(days=28)
    return [i for i in range(220) if start <= FIRST + timedelta(hours=12 * i, minutes=-10) < end]


def test_a_metric_s_repositories_are_the_same_in_upper_and_lower_case(config):
    with workspace(config) as one:
        metric = replace(one.config.metrics["shop"], subjects=("Acme/Shop", "Acme/pay-*"))
    asked = ("acme/shop", "ACME/SHOP", "acme/pay-api", "acme/other")
    assert [wants(metric, subject) for subject in asked] == [True, True, True, False]
