"""One report in every form: the same numbers in each, whatever the machine's zone and language."""

import html as entities
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.cli.printing import rendered
from keyresults.krs.forecast import Forecast
from keyresults.reports import html, machine, markdown, terminal
from keyresults.reports.details import behind, details
from keyresults.reports.first_screen import first_screen
from keyresults.reports.in_short import numbers
from keyresults.reports.progress_report import TargetTerms
from report_cases import DATES, judgement, key_result, latency, reading, report, told

PEOPLE = {
    "terminal": lambda found: _joined(rendered(terminal.full_report(found), colour=False)),
    "markdown": lambda found: _joined(_unescaped(markdown.full_report(found))),
    "html": lambda found: _joined(_read(html.full_report(found))),
}
ELSEWHERE = {"html": {"Trend", "Facts", ""}}
"""Rows of the small table that a page draws, or has as tables of their own."""


def _joined(text):
    return " ".join(text.split())


def _unescaped(text):
    return re.sub(r"<(https?://[^>]*)>", r"\1", re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text))


def _read(page):
    """What people read of a page: its texts, without tags."""
    body = page.partition("<body>")[2]
    return entities.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"</?(?:a|b|code|span)\b[^>]*>", "", body)))


@pytest.mark.parametrize("form", PEOPLE)
def test_every_form_for_people_shows_the_numbers_of_each_key_result(form):
    text = PEOPLE[form](told())
    for words in (  # latency: 0.402 s of 0.45 s towards 0.315 s; rollbacks: none; kept: 3 of 4.6 days
        "450 ms (provisional) → 402 ms → 315 ms",
        "35%, expected 37%, needs 1.4× the planned pace",
        "12,345 requests",
        "likely 318 to 402 ms on 31 Dec; 22% chance",
        "547 → 402 ms since 16 Nov: ledger, #123 Cache the price list",
        "P99 at most 315 ms over 25–31 Dec",
        "confidence 7 of 10",
        "– → < 1%",
        "none: nothing was measured for 24 days",
        "≤ 450 ms on 95% of days",
        "3 of 4 bad days used",
        "91% chance",
    ):
        assert words in text, words


def test_json_has_the_numbers_that_people_are_shown():
    latencies, rollbacks, steady = json.loads(machine.full_report(told()))["objectives"][0]["key_results"]
    assert (latencies["baseline"]["value"], latencies["reading"]["value"], latencies["target"]["value"]) == (
        0.45,
        0.402,
        0.315,
    )
    assert (latencies["progress"], latencies["needs"], latencies["reading"]["n"]) == (0.35, 1.41, 12345)
    assert latencies["forecast"] == {"low": 0.318, "high": 0.402, "median": 0.36, "probability": 0.22}
    assert (rollbacks["reading"]["value"], rollbacks["forecast"]) == (None, None)
    assert (steady["kept"]["bad"], steady["kept"]["budget"], steady["forecast"]["probability"]) == (3, 4.6, 0.91)


VALUES = st.floats(0.001, 5000)


@st.composite
def measured(draw):
    value, unit = draw(VALUES), draw(st.sampled_from(["s", "ratio", "count", "per_day", "per_workday", "tickets"]))
    found = latency()
    judged = judgement(
        reading=reading(value, unit, n=draw(st.integers(1, 10**6))),
        baseline=replace(found.judgement.baseline, value=draw(VALUES)),
        progress=draw(st.integers(0, 99)) / 100,
        satisfied=False,
        expected=draw(st.floats(0, 0.99)),
        needed_pace=draw(st.none() | st.floats(0, 40)),
    )
    low = draw(VALUES)
    ahead = Forecast(low=low, high=low + draw(VALUES), median=low, probability=draw(st.floats(0, 1)))
    target = TargetTerms(kind="at_least", comparison="at_least", text="at least it", value=draw(VALUES))
    return key_result(unit=unit, judgement=judged, target=target, forecast=draw(st.sampled_from([None, ahead])))


@settings(max_examples=40, deadline=None)
@given(measured())
def test_whatever_the_numbers_are_all_forms_show_them_alike(kr):
    found = report(kr)
    for form in PEOPLE.values():
        text = form(found)
        for words in numbers(kr, "aspirational", DATES):
            assert _joined(words) in text
    (said,) = json.loads(machine.full_report(found))["objectives"][0]["key_results"]
    assert (said["reading"]["value"], said["progress"]) == (kr.judgement.reading.value, kr.judgement.progress)
    assert said["target"]["value"] == kr.target.value


@pytest.mark.parametrize("form", PEOPLE)
def test_every_form_for_people_shows_the_first_screen_and_all_details(form):
    found = told()
    text, screen = PEOPLE[form](found), first_screen(found, DATES)
    assert screen.moved
    for point in (*screen.moved, *screen.takes):
        assert point.words[:30] in text  # a terminal has no room for more
    for kr in found.objectives[0].key_results:
        for row in (*details(kr, DATES), *behind(kr, DATES)):
            assert row.label in ELSEWHERE.get(form, ()) or _joined(row.words) in text, row
    for ask in screen.asks:
        assert ask.link in text


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from keyresults.cli.printing import rendered
from keyresults.reports import html, machine, markdown, terminal
from report_cases import charted, hostile_report, told
for found in (told(), hostile_report()):
    for text in (
        rendered(terminal.status(found), colour=False),
        rendered(terminal.full_report(found), colour=False),
        markdown.full_report(found),
        machine.status(found),
        machine.full_report(found),
        html.full_report(charted(found)),
    ):
        sys.stdout.buffer.write(text.encode())
"""


def _made_in(**environment):
    script = SCRIPT.format(tests=str(Path(__file__).parent))
    ended = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **environment}, capture_output=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    return ended.stdout


def test_another_zone_language_terminal_and_order_of_hashes_change_no_byte():
    here = _made_in(TZ="UTC", LC_ALL="C.UTF-8", PYTHONHASHSEED="1")
    there = _made_in(
        TZ="Pacific/Kiritimati", LC_ALL="de_DE.UTF-8", LANG="tr_TR.UTF-8", COLUMNS="200", TERM="dumb",
        PYTHONHASHSEED="7", PYTHONUTF8="1",
    )  # fmt: skip
    assert here == there
    assert b"Progress in 2026-Q4" in here
