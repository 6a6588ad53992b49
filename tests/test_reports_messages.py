"""What is told in chats, from hand-made reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from keyresults.krs.judgement import Status
from keyresults.reports import messages
from keyresults.reports.messages import Blind
from keyresults.reports.values import DueCheckIn
from markdown_it import MarkdownIt
from report_cases import AS_OF, DATES, HOSTILE, hostile_report, key_result, report, told

ON_20TH = date(2026, 11, 20)


def due(report, **more):
    return [
        DueCheckIn(
            key_result=kr.id, title=kr.title, **{"owners": ("ana",), "since": AS_OF, "rounds": 1, "last": None} | more
        )
        for objective in report.objectives
        for kr in objective.key_results
    ]


def blind(**more):
    fields = {"source": "github", "owner": "platform", "newest": AS_OF - timedelta(days=3), "metrics": ("often",)}
    return Blind(**fields | {"may_be": timedelta(hours=6), "why": "the credential was refused"} | more)


def test_a_report_is_told_by_its_first_screen_and_where_it_stands():
    message = messages.of_report(told(), ["reports/weekly-2026-11-23.md"])
    assert message.title == "Progress in 2026-Q4, 23 Nov 2026 09:00 Europe/Berlin"
    lines = message.body.splitlines()
    assert lines[0] == "1 at risk, 1 on track, 1 unknown"
    assert lines[-1] == "In full: `reports/weekly-2026-11-23.md`"
    assert [line.split(" · ")[0] for line in lines[2:-2]] == [
        "- ✔ **good**",
        "- ▲ **talk**",
        "- ▲ **talk**",
        "- ? **blind**",
        "- **moved**",
        "- **takes**",
        "- **takes**",
    ]


def test_a_status_is_told_with_what_it_was_and_the_numbers_now():
    found = told()
    (objective,) = found.objectives
    message = messages.of_status(found, objective, objective.key_results[0], Status.ON_TRACK, ON_20TH)
    assert message.title == "Reduce P99 latency of payment processing by 30%: on track → at risk"
    lines = message.body.splitlines()
    assert lines[0] == "▲ **at risk** since 20 Nov, was on track"
    assert lines[1].startswith("450 ms (provisional) → 402 ms → 315 ms · 35%, expected 37%")
    assert lines[-1] == "- ana · `keyresults explain p99`"


def test_without_an_owner_of_its_own_those_of_the_objective_are_named():
    found = report(key_result(owner=None))
    (objective,) = found.objectives
    body = messages.of_status(found, objective, objective.key_results[0], Status.AT_RISK, ON_20TH).body
    assert body.splitlines()[-1] == "- payments, platform · `keyresults explain p99`"


def test_blindness_is_told_with_its_age_and_what_suffers():
    message = messages.of_blind(blind(metrics=("often", "rollbacks")), DATES, AS_OF)
    assert (message.title, message.body) == (
        "github is blind",
        "Its data is 3 days old; often, rollbacks can do with 6 h.\nthe credential was refused\n\n"
        "- platform · `keyresults sources`",
    )
    never = messages.of_blind(blind(newest=None, owner=None, why=""), DATES, AS_OF)
    assert never.body == "It was never collected; often can do with 6 h.\n\n- `keyresults sources`"


def test_each_check_in_that_is_due_has_its_reading_and_its_move():
    message = messages.of_check_ins(told(), due(told(), rounds=2))
    assert message.title == "3 check-ins due in 2026-Q4"
    assert message.body.splitlines()[:6] == [
        "- **Reduce P99 latency of payment processing by 30%** (p99)  ",
        "  ▲ **at risk** · 450 ms (provisional) → 402 ms → 315 ms · 35%, expected 37%, needs 1.4× the planned pace  ",
        "  Likely 318 to 402 ms on 31 Dec; 22% chance  ",
        "  400 → 402 ms since 20 Nov, the day of the last check-in  ",
        "  Confidence 7 of 10, 3 days ago by ana: the cache goes live  ",
        "  ana · due since 23 Nov 09:00, 2 rounds",
    ]


def test_without_a_check_in_what_moved_of_late_is_told():
    found = told()
    (objective,) = found.objectives
    silent = replace(objective.key_results[0], check_ins=())
    body = messages.of_check_ins(report(silent), due(report(silent))).body
    assert "547 → 402 ms since 16 Nov: ledger, #123 Cache the price list" in body.replace("\\", "")


def hostile():
    found = hostile_report()
    (objective, *_) = found.objectives
    kr = objective.key_results[0]
    calls = f"{HOSTILE} <!channel> <@U123> @everyone"
    yield messages.of_report(found, [])
    yield messages.of_status(found, objective, kr, Status.ON_TRACK, ON_20TH)
    yield messages.of_blind(blind(why=calls, owner=calls), DATES, AS_OF)
    yield messages.of_check_ins(found, due(found, owners=(calls,)))
    yield messages.of_sight(calls)


def test_what_others_wrote_is_text_and_calls_nobody():
    for message in hostile():
        tokens = MarkdownIt("commonmark").parse(message.body)
        inline = [child for token in tokens for child in token.children or ()]
        kinds = {token.type for token in (*tokens, *inline)}
        assert not kinds & {"html_block", "html_inline", "link_open", "image", "heading_open"}, message.title
        strong = [inline[n + 1].content for n, token in enumerate(inline) if token.type == "strong_open"]
        assert "b" not in strong
        for said in (message.title, message.body):
            assert "<!" not in said
            assert "<@" not in said
        assert "\n" not in message.title
        assert len(message.title) <= 210
        assert "@everyone" not in message.title
        assert not {"\x1b", "\u202e", "\u200b"} & {*message.title, *message.body}
