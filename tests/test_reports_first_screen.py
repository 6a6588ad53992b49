from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.cli.printing import rendered
from keyresults.krs.checkin import CheckIn
from keyresults.krs.forecast import Forecast
from keyresults.krs.judgement import Baseline, GuardrailState, Status
from keyresults.metrics.reading import Health
from keyresults.reports import terminal
from keyresults.reports.asks import asks
from keyresults.reports.first_screen import MOST_LINES, FirstScreen, first_screen
from keyresults.reports.good_news import good_news
from keyresults.reports.progress_report import (
    Before,
    Closed,
    DayValue,
    Move,
    ReportedRevision,
    SourceHealth,
    TargetTerms,
)
from report_cases import AS_OF, DATES, HOSTILE, judgement, kept, key_result, reading, report
from rich.cells import cell_len
from rich.console import Group

TODAY = date(2026, 11, 23)
SINCE = date(2026, 11, 16)
FALLING = Baseline(value=0.45, at=None, measured=False, provisional=False, pace_start=AS_OF)


def days(*values):
    """The last of them is today's."""
    first = TODAY - timedelta(days=len(values) - 1)
    return tuple(
        DayValue(first + timedelta(days=n), v, Health.NO_DATA if v is None else Health.OK) for n, v in enumerate(values)
    )


def latency(*values, status=Status.AT_RISK, judged=None, **more):
    fields = {
        "status": status,
        "baseline": FALLING,
        "target_value": 0.315,
        "comparison": "at_most",
        "progress": 0.4,
        "satisfied": False,
    }
    fields["reading"] = reading(values[-1] if values else 0.402, "s")
    return key_result(series=days(*values), judgement=judgement(**fields | (judged or {})), **more)


def said_before(status=Status.AT_RISK, progress=0.4, value=0.5):
    return Before(at=datetime(2026, 11, 16, 22, tzinfo=UTC), status=status, progress=progress, value=value)


def week(*key_results, sources=(), **more):
    return report(*key_results, sources=sources, since=SINCE, **{"notices": (), **more})


def news(*key_results):
    found = good_news(week(*key_results), DATES)
    return found and (found[0].id, found[1])


def asked(*key_results, **more):
    return [(a.kind, a.about, a.words, a.owner, a.link) for a in asks(week(*key_results, **more), DATES)]


def test_changes_without_a_reason_are_to_talk_about_in_one_ask():
    told = ("p99: target 450ms → 600ms: changed without a reason, first seen on 2026-11-03", "daily: vanished")
    assert asked(notices=told)[:1] == [
        (
            "talk",
            "The config",
            "p99: target 450ms → 600ms: changed without a reason, first seen on 3 Nov (and 1 more)",
            "",
            "keyresults check",
        )
    ]


def screen(*key_results, **more):
    return first_screen(week(*key_results, **more), DATES)


# ---- one good thing


def test_the_best_value_says_since_when_it_was_not_as_good():
    # 40 days: as good 20 days ago (3 Nov), worse ever since.
    values = [0.5] * 19 + [0.40] + [0.45] * 19 + [0.402]
    assert news(latency(*values)) == ("p99", "402 ms, the best since 3 Nov")
    values[-1] = 0.398
    assert news(latency(*values)) == ("p99", "398 ms, the best since 15 Oct")
    values[-10] = 0.397  # nine days ago: too near to speak of
    assert news(latency(*values)) is None


def test_the_best_value_of_all_is_the_best_since_the_first_day():
    assert news(latency(*[0.5] * 29, 0.41)) == ("p99", "410 ms, the best since 25 Oct")


def test_a_rising_one_has_its_best_value_at_the_top():
    target = TargetTerms(kind="at_least", comparison="at_least", text="at least 0.6", value=0.6)
    assert news(latency(*[0.4] * 29, 0.5, target=target)) == ("p99", "500 ms, the best since 25 Oct")
    assert news(latency(*[0.4] * 29, 0.3, target=target)) is None


def test_a_value_that_has_been_there_for_a_week_is_no_news():
    assert news(latency(*[0.5] * 30, *[0.41] * 8)) is None
    assert news(latency(*[0.5] * 30, *[0.41004] * 8, 0.41003)) is None  # reads the same


def test_values_of_another_metric_are_not_compared():
    revised = (ReportedRevision(on=date(2026, 11, 15), reason="x", changes="the metric from a to b"),)
    assert news(latency(*[0.5] * 29, 0.41, revisions=revised, measured_since=date(2026, 11, 15))) is None


def test_an_old_value_and_an_unknown_one_are_no_news():
    gone = latency(*[0.5] * 29, 0.41)
    old = replace(gone, series=tuple(replace(d, day=d.day - timedelta(days=7)) for d in gone.series))
    assert news(old) is None
    assert news(replace(gone, judgement=replace(gone.judgement, status=Status.UNKNOWN))) is None


def test_a_value_that_is_not_the_one_shown_is_no_news():
    best = latency(*[0.5] * 29, 0.41)
    assert news(replace(best, judgement=replace(best.judgement, reading=reading(0.45, "s")))) is None


def test_a_total_that_only_rises_is_no_best_value():
    target = TargetTerms(kind="at_least", comparison="at_least", text="at least 60", value=60)
    totals = latency(*range(30), unit="count", target=target, judged={"shape": "total"})
    assert news(totals) is None


@given(st.lists(st.none() | st.integers(1, 6), min_size=1, max_size=40))
def test_a_best_value_is_one_by_a_plain_loop_over_the_days(values):
    found = news(latency(*(None if v is None else v / 10 for v in values)))
    if found is None or "the best since" not in found[1]:
        return
    now, since = values[-1], None
    for back, value in enumerate(reversed(values[:-1]), start=1):
        if value is not None and value <= now:
            since = back
            break
    first = next(n for n, value in enumerate(values) if value is not None)
    since = since or len(values) - 1 - first
    assert since >= 14
    assert found[1] == f"{now * 100} ms, the best since {DATES.day(TODAY - timedelta(days=since))}"


def test_what_is_newly_reached_comes_first():
    met = latency(*[0.5] * 29, 0.31, status=Status.MET, id="met", before=said_before(), judged={"satisfied": True})
    assert news(latency(*[0.5] * 29, 0.41), met) == ("met", "met now, at risk before: 450 ms → 310 ms → 315 ms")
    assert news(replace(met, before=said_before(Status.LANDED), series=())) is None


def test_the_most_progress_since_the_last_report_is_told():
    slow = latency(id="slow", before=said_before(progress=0.34))
    fast = latency(id="fast", before=said_before(progress=0.30))
    assert news(slow, fast) == ("fast", "30% → 40% of the way since 16 Nov")
    assert news(latency(before=said_before(progress=0.36))) is None


def test_progress_of_a_target_revised_since_is_not_compared():
    def revised(day):
        return (ReportedRevision(on=day, reason="x", changes="the target from 1 to 2"),)

    before = said_before(progress=0.1)
    assert news(latency(before=before, revisions=revised(date(2026, 11, 17)))) is None
    assert news(latency(before=before, revisions=revised(date(2026, 11, 16))))


def test_a_streak_counts_the_days_within_the_target_up_to_the_first_that_was_not():
    values = [0.3, 0.5, *[0.31] * 7]
    assert news(latency(*values)) == ("p99", "within its target for 7 days, since 17 Nov")
    assert news(latency(*values[:-1])) is None  # six days
    values[-3] = None
    assert news(latency(*values)) is None  # a day nobody saw is not one within the target


def test_a_streak_begins_no_earlier_than_its_target():
    revised = (ReportedRevision(on=date(2026, 11, 18), reason="x", changes="the target from 1 to 2"),)
    assert news(latency(*[0.31] * 30, revisions=revised)) is None


def test_the_longest_streak_of_days_to_keep_is_told():
    between = TargetTerms(kind="keep", text="x", between=(0.2, 0.4), share=0.9)
    steady = replace(kept(), judgement=replace(kept().judgement, reading=reading(0.4, "s")))
    short = replace(steady, series=days(*[0.44] * 7, 0.4))
    long = replace(steady, id="long", target=between, series=days(0.1, *[0.2, 0.4] * 5))
    assert news(short, long) == ("long", "within its target for 10 days, since 14 Nov")


# ---- asks


def forecast(probability):
    return Forecast(low=0.38, high=0.42, median=0.4, probability=probability)


def test_what_is_off_track_or_hardly_possible_is_to_be_decided():
    link = "https://github.com/acme/payments/milestone/7"
    off = latency(status=Status.OFF_TRACK, id="off", title="Off", forecast=forecast(0.12), initiatives=("Plan", link))
    hopeless = latency(status=Status.ON_TRACK, id="hopeless", title="Hopeless", forecast=forecast(0.09), owner=None)
    missed = latency(status=Status.MISSED, id="missed", title="Missed")
    fine = latency(status=Status.ON_TRACK, forecast=forecast(0.10))
    (committed,) = (replace(o, kind="committed") for o in report(hopeless, fine, off, missed).objectives)
    assert asked(objectives=(committed,)) == [
        ("decide", "Missed", "missed; carry it over, change it or drop it", "ana", "keyresults explain missed"),
        ("decide", "Off", "off track, 12% chance; revise, drop or act", "ana", link),
        (
            "decide",
            "Hopeless",
            "on track, but 9% chance; revise, drop or act",
            "payments",
            "keyresults explain hopeless",
        ),
    ]


def test_a_draft_and_a_withdrawn_one_ask_nothing():
    for status in (Status.DRAFT, Status.WITHDRAWN, Status.NOT_STARTED):
        broken = GuardrailState(metric="g", holds=False, value=1.0, unit="count", limit="at most 0", words="broken")
        assert asked(latency(status=status, forecast=forecast(0.0), judged={"guardrails": (broken,)})) == []


def test_that_all_of_an_aspirational_target_is_unlikely_is_no_reason_to_decide():
    assert asked(latency(status=Status.ON_TRACK, forecast=forecast(0.02))) == []


@pytest.mark.parametrize(("confidence", "asks_to_talk"), [(8, False), (9, True), (1, True), (2, False), (None, False)])
def test_people_and_figures_far_apart_are_to_talk(confidence, asks_to_talk):
    # 40 points from 50 %: 9 and 1 of 10 are as far away as that.
    said = (CheckIn(at=AS_OF, by="ana", confidence=confidence, note="x"),)
    found = asked(latency(forecast=forecast(0.5), check_ins=said))
    assert [kind for kind, *_ in found] == ["talk"] * asks_to_talk
    if asks_to_talk:
        words = f"confidence {confidence} of 10, forecast 50%"
        assert found[0][2:] == (words, "ana", "keyresults checkin p99")


def test_a_note_alone_leaves_the_confidence_before_it_in_force():
    said = (CheckIn(at=AS_OF, by="ana", confidence=9), CheckIn(at=AS_OF, by="ben", confidence=None, note="x"))
    assert [kind for kind, *_ in asked(latency(forecast=forecast(0.5), check_ins=said))] == ["talk"]


def test_a_broken_guardrail_is_to_be_talked_about_and_an_unseen_one_is_not():
    broken = GuardrailState(metric="errors", holds=False, value=0.061, unit="ratio", limit="at most 5%", words="broken")
    unseen = GuardrailState(metric="u", holds=None, value=None, unit="ratio", limit="at most 5%", words="unseen")
    assert asked(latency(judged={"guardrails": (broken, unseen)})) == [
        ("talk", latency().title, "errors is 6.1% (limit 5%)", "ana", "keyresults explain errors")
    ]


def test_blind_sources_and_unknown_key_results_are_told():
    github = SourceHealth(name="github", health=Health.UNAUTHORIZED, words="refused", owner="platform")
    stale = reading(0.4, "s", Health.STALE, notes=("the last value is 9 days old",))
    unknown = latency(status=Status.UNKNOWN, id="old", title="Old", judged={"reading": stale})
    refused = reading(None, "s", Health.UNAUTHORIZED, notes=("refused",))
    by_source = latency(status=Status.UNKNOWN, id="refused", judged={"reading": refused})
    assert asked(unknown, by_source, sources=(github,)) == [
        ("blind", "github", "refused", "platform", "keyresults sources"),
        ("blind", "Old", "the last value is 9 days old (400 ms, measured 23 Nov)", "ana", "keyresults explain old"),
    ]


def test_a_source_never_collected_is_to_be_collected():
    fresh = SourceHealth(name="github", health=Health.NO_DATA, words="never collected")
    assert asked(latency(), sources=(fresh,)) == [("blind", "github", "never collected", "", "keyresults collect")]


def test_what_was_not_measured_is_to_be_graded():
    (ask,) = asked(latency(status=Status.NOT_MEASURED, judged={"reading": None}))
    assert ask[2:] == ("not measured; grade it by hand, with a reason", "ana", "keyresults close 2026-Q4")


def test_three_asks_are_shown_one_of_each_kind_first():
    github = SourceHealth(name="github", health=Health.FAILED, words="it fails")
    off = [latency(status=Status.OFF_TRACK, id=f"off-{n}", title=f"Off {n}") for n in range(3)]
    said = (CheckIn(at=AS_OF, by="ana", confidence=9),)
    apart = latency(forecast=forecast(0.5), check_ins=said)
    found = screen(*off, apart, sources=(github,))
    assert [(a.kind, a.about) for a in found.asks] == [
        ("decide", "Off 0"),
        ("talk", apart.title),
        ("blind", "github"),
    ]
    assert found.more_asks == 2
    assert [a.about for a in screen(*off).asks] == ["Off 0", "Off 1", "Off 2"]


# ---- what moved, what it takes


def moved(before, after, **more):
    move = Move(start=SINCE, end=TODAY, before=before, after=after, why=("ledger",))
    return latency(moved=move, before=said_before(**more))


def test_what_moved_is_told_with_its_reasons_the_furthest_first():
    little, far = replace(moved(0.41, 0.40), id="little"), replace(moved(0.45, 0.40), id="far")
    changed = replace(moved(0.41, 0.40, status=Status.ON_TRACK), id="changed")
    assert [(p.key_result, p.words) for p in screen(little, far, changed).moved] == [
        ("changed", "on track → at risk; 410 → 400 ms since 16 Nov: ledger"),
        ("far", "450 → 400 ms since 16 Nov: ledger"),
        ("little", "410 → 400 ms since 16 Nov: ledger"),
    ]


def test_a_value_that_moved_away_from_its_target_is_said_to_be_worse():
    assert [p.words for p in screen(moved(0.40, 0.42)).moved] == ["worse, 400 → 420 ms since 16 Nov: ledger"]
    total = TargetTerms(kind="at_most", comparison="at_most", text="at most 3", value=3.0)
    used = replace(moved(1.0, 2.0), unit="count", target=total)
    used = replace(used, judgement=replace(used.judgement, shape="budget"))
    assert [p.words for p in screen(used).moved] == ["1 → 2 since 16 Nov: ledger"]


def test_better_is_what_the_target_asks_for_wherever_it_began():
    # 90 % at the start and 85 % to be kept: more is better still.
    began = Baseline(value=0.90, at=None, measured=False, provisional=False, pace_start=AS_OF)
    judged = {"baseline": began, "target_value": 0.85, "comparison": "at_least", "shape": "way", "satisfied": True}
    target = TargetTerms(kind="to", text="85%", value=0.85)
    one = latency(*[0.90] * 29, 0.92, status=Status.MET, judged=judged, target=target, unit="ratio")
    assert news(one) == ("p99", "92%, the best since 25 Oct")
    up = Move(start=SINCE, end=TODAY, before=0.90, after=0.92)
    assert [p.words for p in screen(replace(one, moved=up)).moved] == ["90 → 92% since 16 Nov"]


def test_a_week_in_which_nothing_changed_says_so_in_one_line():
    found = screen(moved(0.40001, 0.40002), moved(0.4, 0.4))
    assert (found.moved, found.quiet) == ((), "Nothing changed since 16 Nov")
    assert "  moved   Nothing changed since 16 Nov" in front(week(moved(0.4, 0.4)))


def test_what_nobody_could_see_is_not_said_to_be_unchanged():
    blind = latency(before=said_before())
    assert screen(moved(0.4, 0.4), blind).quiet == "Nothing changed since 16 Nov, of the 1 of 2 that can be compared"
    assert screen(blind).quiet == "Nothing can be compared with 16 Nov"
    draft = latency(status=Status.NOT_STARTED)
    assert screen(draft, latency(status=Status.DRAFT)).quiet == ""


def test_without_anything_to_compare_with_nothing_is_claimed():
    assert first_screen(report(latency()), DATES).quiet == ""


def test_what_it_takes_is_told_of_open_ones_the_gravest_first():
    found = screen(
        latency(id="fine", takes="hold it", status=Status.ON_TRACK),
        latency(id="off", takes="17 deployments", status=Status.OFF_TRACK),
        latency(id="over", takes="nothing any more", status=Status.MISSED),
        latency(id="draft", takes="x", status=Status.DRAFT),
    )
    assert [(p.key_result, p.words) for p in found.takes] == [("off", "17 deployments"), ("fine", "hold it")]


def test_moves_and_takes_share_the_room_and_count_what_is_left_out():
    both = [replace(moved(0.45, 0.40), id=f"kr-{n}", takes="effort") for n in range(9)]
    # 14 lines, 2 for the heading; nothing good, nothing asked: 6 and 6.
    found = screen(*both)
    assert (len(found.moved), found.more_moved, len(found.takes), found.more_takes) == (6, 3, 6, 3)
    assert found.lines == MOST_LINES
    few = screen(*both[:2], *(replace(kr, moved=None) for kr in both[2:]))
    assert (len(few.moved), len(few.takes), few.more_takes) == (2, 9, 0)
    assert "kr-5: 450 → 400 ms since 16 Nov: ledger · and 3 more" in front(week(*both))


# ---- on a terminal


def front(found):
    """What stands before the first empty line, 80 columns wide."""
    parts = terminal.full_report(found).renderables
    return rendered(Group(*takewhile(lambda part: part != "", parts)), colour=False).rstrip("\n")


def test_the_words_of_an_ask_survive_a_long_title():
    off = latency(status=Status.OFF_TRACK, title="A title that goes on and on " * 5)
    others = [latency(id=f"kr-{n}", takes="effort") for n in range(10)]
    lines = front(week(off, *others)).splitlines()
    assert lines[2] == "✖ decide  A title that goes on and on A title t…: off track; revise, drop or act"
    assert lines[3] == "          ana · keyresults explain p99"


TEXT = st.text(max_size=120) | st.just(HOSTILE)
VALUES = st.none() | st.floats(0.001, 10)


BROKEN = GuardrailState(metric=HOSTILE, holds=False, value=1.0, unit="count", limit=HOSTILE, words=HOSTILE)


@st.composite
def key_results(draw):
    reason = draw(st.lists(TEXT, max_size=3))
    move = Move(start=SINCE, end=TODAY, before=draw(st.floats(0.1, 1)), after=0.4, why=tuple(reason))
    judged = {
        "reading": draw(st.sampled_from([None, reading(0.4, "s"), reading(None, "s", Health.STALE, notes=(HOSTILE,))])),
        "guardrails": draw(st.sampled_from([(), (BROKEN, BROKEN)])),
    }
    return latency(
        *draw(st.lists(VALUES, max_size=20)),
        status=draw(st.sampled_from(Status)),
        judged=judged,
        id=draw(TEXT),
        title=draw(TEXT),
        owner=draw(st.none() | TEXT),
        takes=draw(TEXT),
        moved=draw(st.sampled_from([None, move])),
        before=draw(st.sampled_from([None, said_before(), said_before(Status.MISSED)])),
        forecast=draw(st.sampled_from([None, forecast(0.01), forecast(0.9)])),
        check_ins=draw(st.sampled_from([(), (CheckIn(at=AS_OF, by=HOSTILE, confidence=5, note=HOSTILE),)])),
        initiatives=tuple(draw(st.lists(TEXT | st.just("https://a.example/" + "x" * 200), max_size=2))),
    )


SOURCES = st.builds(SourceHealth, name=TEXT, health=st.sampled_from(Health), words=TEXT, owner=st.none() | TEXT)


@settings(max_examples=40, deadline=None)
@given(st.lists(key_results(), max_size=12), st.lists(SOURCES, max_size=4), TEXT)
def test_it_has_never_more_than_14_lines_of_80_columns(found, sources, name):
    whole = week(*found, sources=tuple(sources))
    whole = replace(whole, cycle=replace(whole.cycle, name=name))
    lines = front(whole).splitlines()
    assert len(lines) <= MOST_LINES
    assert all(cell_len(line) <= 80 for line in lines)
    assert first_screen(whole, DATES).lines <= MOST_LINES


def test_a_long_line_goes_on_below_while_there_is_room():
    move = Move(start=SINCE, end=TODAY, before=0.45, after=0.40, why=("#123 Cache the price list of every shop",))
    few = [latency(id=f"kr-{n}", moved=move) for n in range(2)]
    assert front(week(*few)).splitlines()[2:] == [
        "  moved   kr-0: 450 → 400 ms since 16 Nov: #123 Cache the price list of every",
        "          shop",
        "          kr-1: 450 → 400 ms since 16 Nov: #123 Cache the price list of every",
        "          shop",
    ]
    many = [latency(id=f"kr-{n}", moved=move) for n in range(11)]
    lines = front(week(*many)).splitlines()
    assert lines[3:5] == [
        "          shop",
        "          kr-1: 450 → 400 ms since 16 Nov: #123 Cache the price list of every s…",
    ]
    assert len(lines) == MOST_LINES


def test_a_closed_cycle_says_so_and_asks_nothing():
    off = replace(moved(0.5, 0.41), takes="effort")
    closed = week(off, latency(*[0.5] * 29, 0.41, status=Status.OFF_TRACK), closed=Closed(at=AS_OF, by="ana"))
    assert first_screen(closed, DATES) == FirstScreen()
    said = front(closed).splitlines()
    assert said[1:] == ["closed on 23 Nov 09:00 by ana, its grades are frozen; 1 off track, 1 at risk"]
    long = front(replace(closed, closed=Closed(at=AS_OF, by=HOSTILE * 5)))
    assert len(long.splitlines()) <= MOST_LINES
