import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.cli.printing import rendered
from keyresults.reports import machine, markdown, terminal, terminal_tables
from keyresults.reports.escaping import clean, screen_safe_json
from keyresults.reports.escaping import markdown as escaped
from keyresults.reports.values import CollectionResult, StreamRun
from report_cases import HOSTILE, explanation, hostile_report, report, series, sources

PAGES = {
    "status": lambda: terminal.status(report()),
    "report": lambda: terminal.full_report(report()),
    "hostile status": lambda: terminal.status(hostile_report()),
    "hostile report": lambda: terminal.full_report(hostile_report()),
    "explain": lambda: terminal_tables.explanation(explanation()),
    "metric": lambda: terminal_tables.metric(series()),
    "sources": lambda: terminal_tables.sources(sources(), "Europe/Berlin"),
    "collection": lambda: terminal_tables.collection(
        CollectionResult(
            runs=(
                StreamRun(source="a", stream="a/runs/x@1", outcome="ok", added=12345),
                StreamRun(source="b", stream="b/runs/" + "x" * 100, outcome="failed", error="the server said no " * 9),
            )
        ),
        "UTC",
    ),
}
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff]")


@pytest.mark.parametrize("page", PAGES)
def test_a_piped_page_is_plain_and_fits_80_columns(page):
    text = rendered(PAGES[page](), colour=False)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert not STEERING.search(text)
    assert not re.search(" +$", text, re.MULTILINE)


def test_colours_leave_no_escape_of_others_on_a_terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    text = rendered(terminal.full_report(hostile_report()), colour=True)
    own = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert own != text
    assert not STEERING.search(own)
    assert "[bold]rich[/bold]" in own


def test_no_color_is_honoured(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", rendered(terminal.status(report()), colour=True))


def test_statuses_are_told_in_words_and_signs():
    text = rendered(terminal.status(report()), colour=False)
    assert "▲ at risk" in text
    assert "? unknown" in text
    assert "● on track" in text


def test_status_shows_why_flags_guardrails_and_blindness():
    text = " ".join(rendered(terminal.status(report()), colour=False).split())
    assert "2 of 3 measured" in text
    assert "450 ms (provisional) → 402 ms → 315 ms · 35%, expected 53%" in text
    assert "n 12,345" in text
    assert "! provisional: The baseline may still change" in text
    assert "! guardrail rollback-rate broken by one; 6.1%, limit at most 5%, 1.1 pp beyond" in text
    assert "Data: no data since 30 Oct (2% then)" in text
    assert "? github: the credential was refused" in text
    assert "! p99 changed without a reason, first seen on 2026-11-03" in text
    assert "prometheus" not in text


def test_markdown_has_no_live_markup_of_others():
    text = markdown.full_report(hostile_report())
    assert not STEERING.search(text)
    assert "<script" not in text.replace("\\<", "")
    assert not re.search(r"(?<!\\)\*\*b", text)
    assert not re.search(r"(?<!\\)\[link", text)
    assert not re.search(r"@(?=\w)", text)


def test_markdown_tables_keep_their_columns():
    for line in markdown.full_report(hostile_report()).splitlines():
        if line.startswith("|"):
            bars = len(re.findall(r"(?<!\\)\|", line))
            assert bars in (3, 5), line


@given(st.text())
def test_cleaned_text_is_one_line_without_control_characters(text):
    cleaned = clean(text)
    assert "\n" not in cleaned
    assert not STEERING.search(cleaned)
    assert clean(cleaned) == cleaned


def test_plain_links_stay_links_and_no_other_scheme_does():
    assert escaped("see https://a.example/x_y_?a=1&b=2") == "see <https://a.example/x_y_?a=1&b=2>"
    assert escaped("javascript:alert(1)") == "javascript:alert(1)"


@pytest.mark.parametrize(
    ("text", "harmless"), [("- x", "\\- x"), ("1. x", "1\\. x"), ("-30%", "-30%"), ("1.5 s", "1.5 s")]
)
def test_text_begins_no_list(text, harmless):
    assert escaped(text) == harmless


def test_markdown_leaves_ordinary_words_readable():
    assert escaped("Reduce p99_latency by 30% (fast-enough)!") == "Reduce p99_latency by 30% (fast-enough)!"


def test_json_on_a_screen_steers_nothing_and_means_the_same():
    import json

    text = machine.full_report(hostile_report())
    assert not STEERING.search(text.replace("\n", ""))
    assert json.loads(text)["objectives"][0]["title"] == HOSTILE
    assert json.loads(screen_safe_json('"ü\x9b"')) == "ü\x9b"


def test_explain_marks_what_counted_and_tallies_it():
    text = rendered(terminal_tables.explanation(explanation()), colour=False)
    assert "3.57%, 1 of 28, 80% interval 1.2% to 9.9%" in text
    assert "counted   2 (1 forward, 1 rolled back)" in text
    assert "left out  1 (1 redeploy)" in text
    assert re.search(r"^✓ 2026-11-20 09:00 forward a version", text, re.MULTILINE)
    assert re.search(r"^· 2026-11-20 09:00 redeploy", text, re.MULTILINE)
