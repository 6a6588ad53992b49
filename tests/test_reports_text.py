import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.cli.printing import rendered
from keyresults.reports import machine, markdown, terminal, terminal_tables
from keyresults.reports.escaping import clean, screen_safe_json
from keyresults.reports.escaping import markdown as escaped
from keyresults.reports.values import CollectionResult, StreamRun
from markdown_it import MarkdownIt
from report_cases import AS_OF, DATES, HOSTILE, explanation, fact, hostile_report, report, series, sources, told

PAGES = {
    "status": lambda: terminal.status(report()),
    "report": lambda: terminal.full_report(report()),
    "hostile status": lambda: terminal.status(hostile_report()),
    "hostile report": lambda: terminal.full_report(hostile_report()),
    "explain": lambda: terminal_tables.explanation(explanation()),
    "metric": lambda: terminal_tables.metric(series()),
    "sources": lambda: terminal_tables.sources(sources(), DATES, AS_OF),
    "collection": lambda: terminal_tables.collection(
        CollectionResult(
            runs=(
                StreamRun(source="a", stream="a/runs/x@1", outcome="ok", added=12345),
                StreamRun(source="b", stream="b/runs/" + "x" * 100, outcome="failed", error="the server said no " * 9),
            )
        ),
        DATES,
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


def test_status_shows_numbers_flags_guardrails_and_blindness():
    text = " ".join(rendered(terminal.status(report()), colour=False).split())
    assert "2026-Q4, 1 Oct – 31 Dec, as of 23 Nov 2026 09:00 Europe/Berlin 1 at risk, 1 on track, 1 unknown" in text
    assert "46% (70% is success), 2 of 3 measured · aspirational · payments, platform" in text
    assert "450 ms (provisional) → 402 ms → 315 ms · 35%, expected 37%, needs 1.4× the planned pace" in text
    assert "· 12,345 requests" in text
    assert "! provisional: The baseline may still change" in text
    assert "! guardrail rollback-rate is 6.1% (limit 5%); one fewer would mend it" in text
    assert "No deployment is known since 30 Oct (last 2% on 30 Oct)" in text
    assert "github: the credential was refused" in text
    assert "! p99 changed without a reason, first seen on 3 Nov" in text
    assert "prometheus" not in text


def test_status_says_nothing_twice():
    text = " ".join(rendered(terminal.status(report()), colour=False).split())
    assert "of the way is done" not in text
    assert text.count("no deployment is known") + text.count("No deployment is known") == 1


@pytest.mark.parametrize("page", ["status", "report", "explain", "metric", "sources"])
def test_a_page_for_people_has_no_date_as_machines_write_it(page):
    assert not re.search(r"\d{4}-\d\d-\d\d", rendered(PAGES[page](), colour=False))


def test_markdown_for_people_has_no_date_as_machines_write_it():
    assert not re.search(r"\d{4}-\d\d-\d\d", markdown.full_report(report()))


def test_the_report_names_its_cycle_and_counts_by_status():
    page = rendered(terminal.full_report(report()), colour=False)
    assert page.startswith(
        "Progress in 2026-Q4, 1 Oct – 31 Dec, as of 23 Nov 2026 09:00 Europe/Berlin\n1 at risk, 1 on"
    )
    assert "# Progress in 2026-Q4" in markdown.full_report(report())
    assert ": 1 at risk, 1 on track, 1 unknown" in markdown.full_report(report())


def test_a_cycle_without_objectives_says_where_they_come_from():
    assert "[[objectives]]" in rendered(terminal.status(report(objectives=())), colour=False)


def test_a_section_tells_a_broken_guardrail_once():
    section = markdown.full_report(report()).partition("### ")[2].partition("### ")[0]
    assert section.count("one fewer would mend it") == 1
    assert "- **Guardrail: rollback-rate is 6.1% (limit 5%); one fewer would mend it**" in section


def test_markdown_has_no_live_markup_of_others():
    text = markdown.full_report(hostile_report())
    assert not STEERING.search(text)
    assert "<script" not in text.replace("\\<", "")
    assert not re.search(r"(?<!\\)\*\*b\*", text)
    assert not re.search(r"(?<!\\)\[link", text)
    assert not re.search(r"@(?=\w)", text)


@pytest.mark.parametrize("made", [report, hostile_report])
def test_markdown_keeps_its_shape_whatever_others_wrote(made):
    """Items, their further lines, headings, our own folding: nothing else begins a line, and every fold is closed."""
    lines = markdown.full_report(made()).splitlines()
    ours = ("- ", "  ", "# ", "## ", "### ", "<details>", "<summary>What stands behind it</summary>", "</details>")
    assert [line for line in lines if line and not line.startswith((*ours, *"●▲✖?✔○~–", "1 Oct – 31 Dec"))] == []
    folds = [line for line in lines if "details>" in line]
    assert folds == ["<details>", "</details>"] * sum(len(o.key_results) for o in made().objectives)


def _tokens(tokens):
    for token in tokens:
        yield token
        yield from _tokens(token.children or [])


READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
SIGNS = st.text(alphabet=st.sampled_from("ab1 _*~#`<>&;|[]()!-+.=:/\\$@\"'\n\t"), max_size=24)


@pytest.mark.parametrize("around", ["{}", "- a: {}", "- a  \n  ▁▂ {} · b", "### {}", "- **a: {}**"])
@settings(max_examples=60, deadline=None)
@given(written=SIGNS | st.text(max_size=30))
def test_escaped_text_is_read_as_it_was_written(around, written):
    tokens = list(_tokens(READER.parse(around.format(escaped(written)))))
    ours = {token.type for token in _tokens(READER.parse(around.format("x")))}
    assert {token.type for token in tokens} <= {*ours, "code_inline", "link_open", "link_close", "text_special"}
    read = "".join(token.content for token in tokens if token.type in ("text", "code_inline", "text_special"))
    for harmless in "`\u2060":  # of code, and after an @ so that nobody is called
        written, read = written.replace(harmless, ""), read.replace(harmless, "")
    assert clean(written) in clean(read)


@pytest.mark.parametrize("made", [report, told, hostile_report])
def test_a_page_made_of_markdown_has_our_headings_and_folds_and_plain_links_alone(made):
    tokens = list(_tokens(READER.parse(markdown.full_report(made()))))
    kinds = Counter(token.type for token in tokens)
    key_results = sum(len(o.key_results) for o in made().objectives)
    markup = Counter(token.content.strip() for token in tokens if token.type == "html_block")
    assert markup == {"<details>\n<summary>What stands behind it</summary>": key_results, "</details>": key_results}
    # the title, one objective, "one by one", blind sources, notices; each key result
    assert kinds["heading_open"] == 5 + key_results
    assert not set(kinds) & {
        "html_inline",
        "image",
        "table_open",
        "s_open",
        "fence",
        "code_block",
        "blockquote_open",
        "hr",
    }
    links = {dict(token.attrs)["href"] for token in tokens if token.type == "link_open"}
    assert all(re.match("https?://", link) for link in links)


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


@pytest.mark.parametrize(
    "text",
    [
        "#123 Cache it",
        "~40 deployments",
        "a_b",
        "5% → 2% → < 1%",
        "> 1% and R&D",
        "run `keyresults collect`",
        'a{job="x"}',
        "1.2× or 3 < 4",
    ],
)
def test_markdown_leaves_harmless_signs_as_they_are(text):
    assert escaped(f"is {text}") == f"is {text}"


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("<b>", "\\<b>"),
        ("a<b", "a\\<b"),
        ("</p>", "\\</p>"),
        ("<!-- x", "\\<!-- x"),
        ("&lt;b&gt;", "\\&lt;b\\&gt;"),
        ("> quoted", "\\> quoted"),
        ("`a` and `b", "\\`a\\` and \\`b"),
        ("__0__", "\\_\\_0\\_\\_"),
        ("~a~ ~~~", "\\~a\\~ \\~\\~\\~"),
        ("## C #", "\\## C \\#"),
        ("``a`", "\\`\\`a\\`"),
        ("`a|b`", "\\`a\\|b\\`"),
        ("`<b>`", "\\`\\<b>\\`"),
    ],
)
def test_markdown_escapes_what_would_mean_something(text, harmless):
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
    assert "3.6%, 1 of 28 deployments, 80% interval 1.2 to 9.9%" in text
    assert "counted   2 (1 forward, 1 rolled back)" in text
    assert "left out  1 redeploy" in text
    assert re.search(r"^✓ 20 Nov 09:00 forward: a version not seen before \[acme/payments 1\]$", text, re.MULTILINE)
    assert re.search(r"^· 20 Nov 09:00 redeploy: ", text, re.MULTILINE)


def explained(*facts):
    text = rendered(terminal_tables.explanation(replace(explanation(), facts=facts)), colour=False)
    return text.splitlines()[-len(facts) :]


def test_explain_repeats_neither_role_nor_subject():
    (line,) = explained(fact("acme/payments/d-7", False, "other environment", "environment staging"))
    assert line == "· 20 Nov 09:00 other environment: staging [acme/payments/d-7]"


def test_a_sample_of_a_whole_day_has_the_day_for_its_time():
    midnight = datetime(2026, 11, 19, 23, tzinfo=UTC)
    day, moment = explained(
        fact("ffab01", True, "sample", "measured 40", at=midnight, subject="support"),
        fact("ffab02", True, "sample", "measured 41", at=midnight + timedelta(hours=9), subject="support"),
    )
    assert day.split() == ["✓", "20", "Nov", "sample:", "measured", "40", "[support]"]
    assert moment == "✓ 20 Nov 09:00 sample: measured 41 [support]"


def test_sources_are_named_by_what_they_tell_and_for_which_metrics():
    text = rendered(terminal_tables.sources(sources(), DATES, AS_OF), colour=False)
    assert "github deployments of acme/payments\nfor          rollback-rate, deploys\n" in text
    assert "1f0c00112233aabb" not in text
    assert "people samples\nfor          no metric any more" in text


@pytest.mark.parametrize(("ago", "label"), [(-60, "next run"), (14, "next run"), (16, "was due")])
def test_a_source_that_nobody_asks_was_due(ago, label):
    state = replace(sources()[0], next_run=AS_OF - timedelta(minutes=ago))
    text = rendered(terminal_tables.sources([state], DATES, AS_OF), colour=False)
    assert re.search(rf"^{label} +23 Nov \d\d:\d\d$", text, re.MULTILINE)


def test_a_collection_says_what_each_stream_brought():
    runs = (
        StreamRun(
            source="kit", stream="kit/deployments/payment-kit@12", kind="deployments", subject="payment-kit",
            metrics=("kit-releases",), outcome="ok", added=1234, changed=1, requests=1,
        ),
        StreamRun(source="prom", stream="prom/samples/prom@1", kind="samples", subject="prom", outcome="ok"),
        StreamRun(source="github", stream="", outcome="refused", error="no repository"),
    )  # fmt: skip
    assert rendered(terminal_tables.collection(CollectionResult(runs=runs), DATES), colour=False).splitlines() == [
        "✔  kit deployments of payment-kit: kit-releases · 1,234 new, 1 changed · 1",
        "   request",
        "✔  prom samples · nothing new",
        "✖  github",
        "   no repository",
    ]


def test_a_credential_that_is_refused_is_said_once():
    def refused(source: str, stream: str, error: str = "not with this token", added: int = 0) -> StreamRun:
        subject = stream.partition("@")[0]
        return StreamRun(
            source=source, stream=stream, kind="runs", subject=subject, outcome="unauthorized", error=error, added=added
        )

    runs = (
        refused("forge", "a@1"), refused("forge", "b@1"), refused("forge", "c@1", added=3),
        refused("forge", "d@1", "d is not to be seen"), refused("hub", ""), refused("hub", "a@1"),
        refused("lab", "a@1"),
    )  # fmt: skip
    assert rendered(terminal_tables.collection(CollectionResult(runs=runs), DATES), colour=False).splitlines() == [
        "✖  forge · 2 streams", "   not with this token",
        "✖  forge runs of c · 3 new", "   not with this token",
        "✖  forge runs of d", "   d is not to be seen",
        "✖  hub", "   not with this token",
        "✖  lab runs of a", "   not with this token",
    ]  # fmt: skip


def test_nothing_to_collect_is_said():
    text = rendered(terminal_tables.collection(CollectionResult(), DATES), colour=False)
    assert text == "Nothing to collect: no metric asks a source for anything.\n"
