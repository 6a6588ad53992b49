"""The report as a page: what it consists of, what it asks for, and what hostile texts do to it."""

import os
import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from keyresults.jobs.whole_files import write_whole
from keyresults.metrics.reading import Health
from keyresults.reports import html
from keyresults.reports.html_key_result import MOST_FACTS, cuts_facts, link
from keyresults.reports.progress_report import DayValue
from report_cases import HOSTILE, charted, fact, hostile_report, key_result, latency, report, told

VOID = {"meta", "br", "hr", "img", "input", "link"}
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff]")


class Read(HTMLParser):
    """A page's tags, in order; it fails where one is closed that is not open, or never closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append((self.open[-1] if self.open else "", text))

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]

    def said_in(self, name):
        return [text for tag, text in self.texts if tag == name]


@pytest.fixture(scope="module")
def page():
    return html.full_report(charted())


@pytest.fixture(scope="module")
def hostile():
    return html.full_report(charted(hostile_report()))


def test_it_has_one_title_and_its_landmarks(page):
    read = Read(page)
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">\n')
    assert read.said_in("title") == ["Progress in 2026-Q4"]
    assert [len(read.all(name)) for name in ("h1", "header", "main")] == [1, 1, 1]
    labelled = [one["aria-labelledby"] for one in (*read.all("section"), *read.all("article"))]
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert set(labelled) <= set(ids)


def test_its_headings_skip_no_level(page):
    levels = [int(tag[1]) for tag, _ in Read(page).tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(there <= here + 1 for here, there in pairwise(levels))


@pytest.mark.parametrize("which", ["page", "hostile"])
def test_it_asks_nobody_for_anything(which, request):
    text = request.getfixturevalue(which)
    read = Read(text)
    assert {tag for tag, _ in read.tags} & {
        "script",
        "link",
        "iframe",
        "img",
        "object",
        "embed",
        "base",
        "form",
    } == set()
    loading = {"src", "srcset", "data", "background", "xlink:href", "action", "style"}
    assert not [one for one in read.tags if loading & one[1].keys()]
    assert {tag for tag, attributes in read.tags if "href" in attributes} == {"a"}
    assert not re.search(r"@import|url\(", text.partition("<style>")[2].partition("</style>")[0])
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on")]


def test_its_links_lead_to_itself_or_into_the_web(hostile, page):
    for text in (page, hostile):
        read = Read(text)
        ids = {attributes["id"] for _, attributes in read.tags if "id" in attributes}
        for address in (one["href"] for one in read.all("a")):
            assert address[1:] in ids if address.startswith("#") else re.match("https?://", address)
    assert "https://github.com/acme/payments/milestone/7" in page
    assert "https://github.com/acme/payments/d-7" in page


def test_hostile_texts_stay_texts(hostile):
    assert not STEERING.search(hostile)
    assert "<script" not in hostile
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in hostile
    assert "\u200b" not in hostile


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", 'https://a"b', None, ""]
)
def test_what_is_no_address_of_the_web_is_no_link(address):
    assert link("here", address).address == ""


def test_sections_are_closed_and_the_overview_leads_into_them(page):
    read = Read(page)
    assert all("open" not in one for one in read.all("details"))
    inside = [one["id"] for one in read.all("div") if one.get("class") == "inside"]
    assert inside == ["kr-p99", "kr-rollbacks", "kr-fast-enough"]
    assert {f"#{name}" for name in inside} <= {one["href"] for one in read.all("a")}


def test_warnings_stand_out(page):
    assert '<p class="remark warned">! guardrail rollback-rate is 6.1% (limit 5%); one fewer would mend it</p>' in page
    assert '<div class="alarming"><dt>Guardrail</dt>' in page


def test_a_chart_shows_value_pace_target_forecast_and_marks(page):
    section = page.partition('id="kr-p99"')[2].partition('id="kr-rollbacks"')[0]
    image = re.search(r"<figure>\s*(<svg.*?</svg>)", section, re.DOTALL)[1]
    for sign in ("value", "pace", "target", "forecast", "revision", "check-in", "excluded"):
        assert f"var(--{sign})" in image
        assert f'class="sign {sign}"' in section
    # The eleventh day has no value: the line is in two parts. The target was changed once: its line has a step.
    assert len(re.findall(r'<path d="[^"]*" stroke="var\(--value\)"', image)) == 2
    assert 'role="img"' in image
    assert "from 450 ms to 398 ms, between 398 ms and 450 ms" in image
    assert not re.search(r'#[0-9a-f]{3}|rgb\(| id="', image)


def test_behind_a_chart_is_its_table(page):
    section = page.partition('id="kr-p99"')[2].partition("</table>")[0]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', section)
    cells = {day: re.findall("<td>(.*?)</td>", rest) for day, rest in rows}
    assert re.findall('<th scope="col">(.*?)</th>', section) == ["Day", "Value", "Planned", "Target"]
    assert list(cells)[:2] == ["31 Dec", "22 Nov"]  # the deadline, then the newest day first
    assert cells["31 Dec"] == ["–", "356 ms", "315 ms"]  # 450 − 94.5
    assert cells["11 Oct"] == ["–", "439 ms", "270 ms"]  # the day without a value: 450 − 11/92 · 94.5
    assert cells["1 Oct"][0] == "450 ms"
    assert len(rows) == 54


def test_a_single_value_has_no_chart():
    one = replace(latency(), series=(DayValue(date(2026, 11, 22), 0.4, Health.OK),))
    assert "<figure>" not in html.full_report(report(one))


def test_of_a_long_time_the_table_has_one_row_a_week():
    days = tuple(DayValue(date(2026, 1, 1) + timedelta(days=n), n / 100, Health.OK) for n in range(300))
    text = html.full_report(report(key_result(series=days, start=date(2026, 1, 1))))
    assert "The chart as a table, week by week" in text
    assert len(re.findall('<tr><th scope="row">', text)) == 43


def test_a_cycle_without_objectives_is_a_page_too():
    assert "No objectives in this cycle yet." in html.full_report(report(objectives=(), sources=(), notices=()))


def test_at_most_fifty_facts_of_a_key_result_stand_in_the_page():
    facts = tuple(fact(f"d-{n}", n % 2 == 0, "forward", "a new version") for n in range(120))
    rich = told().objectives[0].key_results[0]
    moves = tuple(replace(move, facts=facts) for move in rich.moves)
    found = report(replace(rich, evidence=facts, moves=moves))
    text = html.full_report(found, {"p99": "evidence/p99.html"})
    assert text.count("<tr><td>") == MOST_FACTS == 50
    assert 'And 110 more: see <a href="evidence/p99.html">all facts</a>.' in text


@pytest.mark.parametrize(
    ("behind_moves", "behind_the_reading", "cut"),
    [((), 50, False), ((), 51, True), ((10, 10, 10), 20, False), ((10, 10, 10), 21, True), ((11,), 5, True)],
)
def test_whatever_has_no_room_on_the_page_is_said_to_be_cut(behind_moves, behind_the_reading, cut):
    facts = tuple(fact(f"d-{n}", True, "forward", "a new version") for n in range(60))
    rich = told().objectives[0].key_results[0]
    moves = tuple(replace(rich.moves[0], facts=facts[:n]) for n in behind_moves)
    one = replace(rich, evidence=facts[:behind_the_reading], moves=moves)
    assert cuts_facts(one) is cut
    shown = html.full_report(report(one)).count("<tr><td>")
    assert (shown < sum(behind_moves) + behind_the_reading) is cut


def test_a_page_of_facts_tells_all_of_them_and_leads_back():
    found = charted()
    kr = found.objectives[0].key_results[0]
    facts = [fact(f"d-{n}", n != 1, "forward", "a new version") for n in range(70)]
    text = html.facts_page(found, kr, facts, "../report.html")
    read = Read(text)
    assert len(read.all("tr")) == 71 + sum(1 + len(move.facts) for move in kr.moves)
    assert "70 facts were looked at, 69 of them count." in text
    assert {"href": "../report.html#kr-p99"} in read.all("a")


def test_hostile_texts_stay_texts_among_facts():
    found = hostile_report()
    (kr,) = found.objectives[0].key_results
    text = html.facts_page(found, kr, kr.evidence, "../report.html")
    assert not STEERING.search(text)
    assert "<script" not in text
    assert [one["href"] for one in Read(text).all("a")] == ["../report.html#kr-" + html.names(found)[kr.id]]


def test_names_are_safe_in_addresses_and_differ():
    krs = [key_result(id=name) for name in ("p99", "P99", "a/b", "a b", "../../etc/passwd", "é", "ü", HOSTILE)]
    named = list(html.names(report(*krs)).values())
    assert named[:7] == ["p99", "P99-2", "a-b", "a-b-2", "etc-passwd", "kr", "kr-2"]
    assert all(re.fullmatch("[A-Za-z0-9-]{1,70}", name) for name in named)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "report.html"
    write_whole(path, "first\n")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "second \ud800")
    assert path.read_text() == "first\n"
    assert [one.name for one in path.parent.iterdir()] == ["report.html"]


def test_a_file_has_the_rights_of_any_new_one_and_keeps_those_it_has(tmp_path):
    plain, made = tmp_path / "plain", tmp_path / "made"
    plain.write_text("")
    write_whole(made, "")
    assert made.stat().st_mode == plain.stat().st_mode
    made.chmod(0o600)
    write_whole(made, "again")
    assert made.stat().st_mode & 0o777 == 0o600


def test_what_a_link_points_at_is_written_and_the_link_stays(tmp_path):
    real, alias = tmp_path / "real", tmp_path / "alias"
    real.write_text("")
    alias.symlink_to(real)
    write_whole(alias, "new")
    assert (real.read_text(), alias.is_symlink()) == ("new", True)
    write_whole(type(real)(os.devnull), "nowhere")
