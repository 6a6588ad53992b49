"""What deployments and changes say together, against plain loops over made-up histories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import median

import oracle
import oracle_delivery
import pytest
from columns import at, covered, tables
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.facts import Change, Incident
from metric_cases import between, definition, deployed, measurement

DAY = datetime(2026, 10, 5, 8, tzinfo=UTC)
STEPS = st.sampled_from((0, 1, 9, 11, 60, 23 * 60, 24 * 60, 4000, 6 * 24 * 60))


@st.composite
def deliveries(draw):
    """A few versions, changes, reverts, hotfixes, incidents and known commits, all around the same instants."""
    facts, now, commits = [], DAY, []
    for number in range(draw(st.integers(0, 9))):
        now += timedelta(minutes=draw(STEPS), microseconds=1)
        commits.append(draw(st.sampled_from("ABCDE")))
        told = {
            "environment": draw(st.sampled_from(("production", "production", "prod-eu"))),
            "marked_rollback": draw(st.sampled_from((False, False, True))),
        }
        subject = draw(st.sampled_from(("acme/pay", "acme/pay", "acme/ledger")))
        seconds = draw(st.sampled_from((60, 3600, 90_000)))
        facts.append(deployed(commits[-1], now, key=f"d{number}", seconds=seconds, subject=subject, **told))
    around = st.integers(-2000, 15_000).map(lambda minutes: DAY + timedelta(minutes=minutes))
    instants = st.one_of(
        around, st.sampled_from([f.succeeded_at for f in facts] + [f.created_at for f in facts] or [DAY])
    )
    count = draw(st.integers(0, 8))
    names = [*draw(st.lists(st.sampled_from("ABCDE"), unique=True, max_size=count))]
    names += [f"abcdef{n % 3}{n}".ljust(40, "0") for n in range(len(names), count)]
    refer_to = [*names, *(name[:digits] for name in names for digits in (6, 7, 8)), *(f"#{n}" for n in range(count))]
    for number, name in enumerate(names):
        merge = draw(instants)
        facts.append(
            Change(
                key=str(number),
                subject=draw(st.sampled_from(("acme/pay", "acme/pay", "acme/ledger"))),
                commit=name,
                merged_at=merge,
                first_commit_at=draw(st.sampled_from((None, merge - timedelta(hours=5), merge + timedelta(hours=9)))),
                labels=draw(st.sampled_from(((), ("hotfix",)))),
                head=draw(st.sampled_from(("", "hotfix/x", "topic"))),
                author_kind=draw(st.sampled_from(("person", "person", "unknown", "bot"))),
                reverts=draw(st.sampled_from((None, *refer_to))),
            )
        )
    for number in range(draw(st.integers(0, 3))):
        facts.append(
            Incident(
                key=f"i{number}",
                subject="acme/pay",
                opened_at=(opened := draw(instants)),
                closed_at=draw(
                    st.sampled_from((None, opened, opened + timedelta(hours=2), opened + timedelta(days=3)))
                ),
                environment=draw(st.sampled_from((None, None, "production", "staging"))),
                commit=draw(st.sampled_from((None, None, *commits, *names))),
                deployment=draw(st.sampled_from((None, None, "d1", "d2", "gone"))),
            )
        )
    pairs = draw(
        st.lists(
            st.tuples(*[st.sampled_from("ABCDE")] * 2, st.sampled_from(("clone", "compare", "merge-time"))),
            max_size=6,
            unique=True,
        )
    )
    for previous, commit, method in pairs:
        brought = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
        facts.append(between(previous, commit, *brought, method=method, key=f"{previous}{commit}{method}"))
    return facts


@settings(max_examples=80, deadline=None)
@given(
    facts=deliveries(),
    environment=st.sampled_from(("production", "prod*")),
    count=st.sampled_from(("first", "last", "each")),
    begin=st.sampled_from(("merge", "first_commit")),
    rules=st.sampled_from((("version_return",), ("version_return", "marked"))),
    hours=st.integers(1, 24 * 12),
)
def test_any_delivery_agrees_with_plain_loops(facts, environment, count, begin, rules, hours):
    as_of = DAY + timedelta(hours=hours)
    world = oracle.World(facts, [(at("2026-09-20"), as_of)], Calendar(), as_of, ("acme/pay",))
    common = {"environment": environment, "count": count, "rollback_rules": rules, "min_samples": 0}
    hot = {"hotfix_labels": ("hotfix",), "hotfix_branches": ("hotfix/*",)}
    lead = definition("lead_time_for_changes", **common, lead_time_from=begin)
    rate = definition("change_failure_rate", **common, **hot)
    recovery = definition("failed_deployment_recovery_time", **common, **hot)
    rework = definition("deployment_rework_rate", **common, **hot)
    coverage = covered("2026-09-20", as_of.isoformat()[:-6])
    shared = tables(facts)
    for what, loop in (
        (lead, oracle_delivery.lead_times),
        (rate, oracle_delivery.failed),
        (recovery, oracle_delivery.recoveries),
        (rework, oracle_delivery.rework),
    ):
        frame = oracle.Frame(what, world, as_of - timedelta(days=28), as_of)
        expected = loop(what, frame)
        one = measurement(what, facts, coverage, as_of, tables=shared)
        if one.refusal is not None:
            continue
        (reading,) = one.readings([as_of], at("2026-10-01"))
        notes = {note.key: note for note in one.evidence(reading)}
        counted = {key for key, note in notes.items() if note.counted}
        assert counted == set(expected)
        assert reading.n == len(expected)
        if expected:
            share = what in (rate, rework)
            value = sum(expected.values()) / len(expected) if share else median(expected.values())
            assert reading.value == pytest.approx(value)
        if what is rate:
            bad = {key for key in counted if "; failed: " in notes[key].why}
            assert bad == {key for key in expected if expected[key]}
        if what is recovery:
            still = {key for key, note in notes.items() if note.role == "not recovered"}
            assert still == oracle_delivery.not_recovered(what, frame)
