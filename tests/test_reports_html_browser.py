"""The page in a real browser: axe-core and html-validate find nothing, and nothing is asked of the network."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from keyresults.reports import html
from report_cases import charted, hostile_report, report

pytestmark = pytest.mark.soak  # a real browser: in CI, and not for every change

CHECKS = Path(__file__).with_name("page_checks.cjs")
PAGES = {
    "report": lambda: html.full_report(charted(), {"p99": "evidence/p99.html"}),
    "hostile": lambda: html.full_report(charted(hostile_report())),
    "empty": lambda: html.full_report(report(objectives=(), sources=(), notices=())),
    "facts": lambda: _facts(charted()),
    "hostile-facts": lambda: _facts(hostile_report()),
}

BROKEN = """<!DOCTYPE html>
<html><head><title>x</title></head><body>
<p style="color: #ccc; width: 2000px">pale and wide</p><img src="http://127.0.0.1:9/x.png"></p>
</body></html>
"""


def _facts(found):
    kr = found.objectives[0].key_results[0]
    return html.facts_page(found, kr, kr.evidence, "../report.html")


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """Every page is looked at light and dark, at 360 and 1,280 pixels, with its sections closed and open."""
    modules = os.environ.get("KEYRESULTS_BROWSER")
    if not modules:
        pytest.skip(
            "KEYRESULTS_BROWSER names no folder with axe-core, html-validate and puppeteer-core; .ci/run makes one"
        )
    missing = [name for name in ("node", "chromium") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs the programs {' and '.join(missing)} (Debian: apt install nodejs chromium)")
    folder = tmp_path_factory.mktemp("pages")
    texts = {name: page() for name, page in PAGES.items()} | {"broken": BROKEN}
    paths = {name: folder / f"{name}.html" for name in texts}
    for name, path in paths.items():
        path.write_text(texts[name], encoding="utf-8")
    command = ["node", CHECKS, modules, shutil.which("chromium"), *paths.values()]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.stderr == ""
    told = json.loads(ended.stdout)
    return {name: told[str(path)] for name, path in paths.items()}


@pytest.mark.parametrize("page", PAGES)
def test_people_who_see_or_hear_it_otherwise_can_use_it(checked, page):
    assert checked[page]["violations"] == []


@pytest.mark.parametrize("page", PAGES)
def test_its_html_is_valid(checked, page):
    assert checked[page]["invalid"] == []


@pytest.mark.parametrize("page", PAGES)
def test_it_requests_nothing_and_runs_without_a_complaint(checked, page):
    assert (checked[page]["requests"], checked[page]["errors"]) == ([], [])


@pytest.mark.parametrize("page", PAGES)
def test_it_fits_a_phone(checked, page):
    assert checked[page]["wide"] == []


def test_the_checks_find_what_is_wrong_with_a_page(checked):
    found = checked["broken"]
    assert {one.split(": ")[1] for one in found["violations"]} >= {"color-contrast", "html-has-lang", "image-alt"}
    assert set(found["requests"]) == {"http://127.0.0.1:9/x.png"}
    assert found["wide"]
    assert found["invalid"]
