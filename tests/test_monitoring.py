"""What hangs on the names that the daemon tells: the real Prometheus, alert rules, and the dashboard."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.jobs.collect import collect
from keyresults.jobs.exported import CATALOGUE
from keyresults.jobs.exporter import serve
from keyresults.jobs.pulse import Pulse
from standins import prometheus as servers

pytestmark = pytest.mark.soak  # a real Prometheus that scrapes and judges: in CI, and not for every change

CONTRIB = Path(__file__).parent.parent / "contrib"
RULES, UNIT_TESTS = CONTRIB / "alerts.yml", CONTRIB / "alerts.test.yml"
DASHBOARD = json.loads((CONTRIB / "grafana-dashboard.json").read_text(encoding="utf-8"))
KNOWN = {one.shown: set(one.labels) for one in CATALOGUE}
ADDED = {"job", "instance"}
"""Labels that Prometheus adds."""


def promtool(*arguments):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture(autouse=True)
def _programs():
    if missing := servers.missing_programs():
        pytest.skip(f"needs {' and '.join(missing)} (Debian: apt install prometheus)")


def test_the_rules_are_rules_and_use_names_there_are():
    checked = promtool("check", "rules", RULES)
    assert checked.returncode == 0, checked.stderr
    text = RULES.read_text(encoding="utf-8")
    expressions = re.findall(r"^ +expr: (?:>\n)?((?:.+\n)+?) +(?:for|labels):", text, re.MULTILINE)
    assert len(expressions) == text.count("- alert:")
    assert {name for one in expressions for name in re.findall(r"keyresults_\w+", one)} <= set(KNOWN)


def test_each_rule_fires_when_it_should():
    tested = promtool("test", "rules", UNIT_TESTS)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))
    assert set(alerts) == set(re.findall(r"alertname: (\w+)", UNIT_TESTS.read_text(encoding="utf-8")))


def test_a_rule_that_never_fires_is_noticed(tmp_path):
    broken = RULES.read_text().replace(
        "keyresults_key_result_max_age_seconds", "2 * keyresults_key_result_max_age_seconds"
    )
    (tmp_path / "alerts.yml").write_text(broken)
    (tmp_path / "alerts.test.yml").write_text(UNIT_TESTS.read_text())
    assert promtool("test", "rules", tmp_path / "alerts.test.yml").returncode != 0


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions():
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    return asked + [one["definition"] for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]


def test_the_dashboard_asks_for_names_and_labels_there_are():
    found = [name for one in expressions() for name in re.findall(r"keyresults_\w+", one)]
    assert set(found) <= set(KNOWN)
    assert len(set(found)) > 12
    for one in expressions():
        for name, matchers in re.findall(r"(keyresults_\w+)\{([^}]*)\}", one):
            assert set(re.findall(r"(\w+)=", matchers)) <= KNOWN[name] | ADDED, one


def test_the_dashboard_can_be_imported():
    assert DASHBOARD["schemaVersion"] >= 30
    assert "id" not in DASHBOARD, "an imported one gets its own"
    first, *others = DASHBOARD["templating"]["list"]
    assert (first["type"], first["name"]) == ("datasource", "datasource")
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for one in (*panels(), *others, *(target for panel in panels() for target in panel["targets"])):
        assert one["datasource"] == chosen
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels():
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters)
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
    places = {
        (p["gridPos"]["x"] + x, p["gridPos"]["y"] + y)
        for p in panels()
        for x in range(p["gridPos"]["w"])
        for y in range(p["gridPos"]["h"])
    }
    assert len(places) == sum(p["gridPos"]["w"] * p["gridPos"]["h"] for p in panels()), "no panel covers another"


SCRAPING = """
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: [{rules}]
scrape_configs:
  - job_name: keyresults
    static_configs: [{{ targets: ["{address}"] }}]
"""


def asked(url, query):
    with urllib.request.urlopen(f"{url}/api/v1/query?query={quote(query)}", timeout=10) as answer:
        return json.load(answer)["data"]["result"]


def wait_for(question, seconds=30):
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return answer


def test_the_real_prometheus_scrapes_it_and_takes_rules_and_dashboard(tmp_path):
    with workspace(write_scene(tmp_path / "scene", rows(200))) as one:
        collect(one)
        exporter = serve(lambda: one, Pulse(ready=True), "127.0.0.1:0")
        try:
            config = SCRAPING.format(rules=RULES, address=exporter.address)
            with servers.running(tmp_path / "scraping", config=config) as url:
                progress = wait_for(lambda: asked(url, "keyresults_key_result_progress_ratio"))
                with urllib.request.urlopen(f"{url}/api/v1/targets", timeout=10) as answer:
                    (target,) = json.load(answer)["data"]["activeTargets"]
                assert (target["health"], target["lastError"]) == ("up", "")
                labels = {"job": "keyresults", "instance": exporter.address, "cycle": "2026-Q4", "objective": "stable"}
                assert all(labels.items() <= measured["metric"].items() for measured in progress)
                (age,) = asked(url, 'keyresults_key_result_data_age_seconds{key_result="daily"}')
                assert float(age["value"][1]) == 13 * 3600, "since Berlin's midnight"
                for expression in expressions():
                    if not expression.startswith("label_values"):
                        asked(url, re.sub(r"\$\w+", ".*", expression))
                wait_for(lambda: not asked(url, 'ALERTS{alertname="KeyresultsDown"}'))
                one.clock = lambda: NOW.replace(day=23)
                pending = wait_for(lambda: asked(url, 'ALERTS{alertname="KeyResultStale"}'))
                assert {alert["metric"]["key_result"] for alert in pending} == {"daily", "rollbacks"}
        finally:
            exporter.close()


def test_prometheus_sees_the_daemon_become_ready_and_end(tmp_path):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{one.getsockname()[1]}"
    config = write_scene(tmp_path / "scene", rows(50))
    config.write_text(f'{config.read_text()}\n[daemon]\nlisten = "{address}"\n')
    command = "import sys; from keyresults.cli.main import main; sys.exit(main())"
    scraping = SCRAPING.format(rules=RULES, address=address)
    with servers.running(tmp_path / "scraping", config=scraping) as url, (tmp_path / "log").open("w") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-c", command, "--config", config, "run", "--log", "json"], stderr=log, stdout=log
        )
        try:
            wait_for(lambda: asked(url, "keyresults_ready == 1"), seconds=90)
            wait_for(lambda: asked(url, 'keyresults_job_last_success_timestamp_seconds{name="collect/exports"}'))
            (seen,) = wait_for(lambda: asked(url, 'keyresults_key_result_status{key_result="mood"} == 1'))
            assert seen["metric"]["status"] == "unknown"
            assert asked(url, "process_resident_memory_bytes > 1e6")
        finally:
            daemon.terminate()
            assert daemon.wait(timeout=20) == 0
        wait_for(lambda: asked(url, 'ALERTS{alertname="KeyresultsDown"}'))
    told = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    (collected,) = [one for one in told if one.get("job") == "collect/exports"]
    assert (collected["level"], collected["outcome"]) == ("INFO", "ok")
