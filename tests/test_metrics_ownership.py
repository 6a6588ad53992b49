"""Whose a change of a monorepo is, and what each measure makes of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import oracle
import oracle_delivery
import pytest
from columns import at, covered, tables
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.definition import MetricDefinition
from keyresults.metrics.facts import Change, Deployment, Fact, Incident
from keyresults.metrics.measurement import Measurement
from keyresults.metrics.ownership import files_of
from keyresults.metrics.service import Service
from keyresults.metrics.table import FactTables
from keyresults.metrics.traits import in_words
from metric_cases import broke, definition, deployed, explained, measurement, merged, read

SHOP = "acme/shop"
HOUR = 3600


@pytest.mark.parametrize(
    ("glob", "fitting", "others"),
    [
        ("services/web/**", ["services/web/a.py", "services/web/x/y/b.py"], ["services/webs/a.py", "services/web"]),
        ("services/web/", ["services/web/a.py", "services/web/x/y"], ["services/webs/a.py"]),
        ("services/web", ["services/web", "services/web/x/y"], ["services/webs", "x/services/web"]),
        ("services/*/api.py", ["services/web/api.py"], ["services/web/x/api.py", "services/api.py"]),
        ("**/api.py", ["api.py", "services/web/api.py"], ["services/web_api.py"]),
        ("services/**/test/*", ["services/test/a", "services/x/y/test/b"], ["services/x/test/y/b", "test/b"]),
        ("libs/[ab]?.py", ["libs/a1.py", "libs/bb.py"], ["libs/c1.py", "libs/a/.py"]),
        ("libs/[!ab].py", ["libs/c.py"], ["libs/a.py", "libs//.py"]),
        ("a.b+c(d)/**", ["a.b+c(d)/x"], ["aXb+c(d)/x"]),
        ("*.md", ["README.md"], ["docs/README.md"]),
        ("**", ["README.md", "a/b/c"], []),
    ],
)
def test_a_glob_names_files_as_people_expect(glob: str, fitting: list[str], others: list[str]) -> None:
    assert [path for path in (*fitting, *others) if files_of(glob).fullmatch(path)] == fitting


# ---- by hand
def service(name: str, *paths: str) -> Service:
    return Service(name=name, repository=SHOP, payload=(("service", name),), paths=paths)


WEB, LEDGER = service("web", "web/**", "libs/**"), service("ledger", "ledger/**", "libs/**")
SPLIT = (WEB, LEDGER)


def ships(name: str, commit: str, when: str | datetime, **fields: Any) -> Deployment:
    given: dict[str, Any] = {"subject": SHOP, "key": f"{name}-{commit}", "payload": {"service": name}, **fields}
    return deployed(commit, when, **given)


def change(key: str, when: str, *paths: str, **fields: Any) -> Change:
    return merged(key, when, subject=SHOP, paths=paths, **fields)


TRACKS = [
    *(ships("web", c, f"2026-10-0{day} 10:00") for c, day in (("A", 5), ("B", 6), ("C", 7))),
    *(ships("ledger", c, f"2026-10-0{day} 12:00") for c, day in (("A", 5), ("C", 8))),
]


def asked(measure: str, **fields: Any) -> MetricDefinition:
    return definition(measure, **{"min_samples": 0, "split": SPLIT, **fields})


def hours(*facts: Fact, **fields: Any) -> tuple[float | None, float]:
    one = read(asked("lead_time_for_changes", **fields), [*TRACKS, *facts], subjects=(SHOP,))
    return (None if one.value is None else one.value / HOUR, one.n)


def test_a_change_is_shipped_by_the_deployments_of_the_service_whose_files_it_touched() -> None:
    assert hours(change("b", "2026-10-06 08:00", "web/a.py")) == (2, 1)
    assert hours(change("b", "2026-10-06 08:00", "ledger/a.py")) == (52, 1)
    assert hours(change("b", "2026-10-06 08:00", "web/a.py", "README.md"), services=("ledger",)) == (None, 0)


def test_a_change_that_touches_several_services_belongs_to_each_of_them() -> None:
    both = change("b", "2026-10-06 08:00", "libs/a.py")
    assert hours(both) == ((2 + 52) / 2, 2)
    assert hours(both, services=("ledger",)) == (52, 1)
    assert hours(change("b", "2026-10-06 08:00", "web/a.py", "ledger/a.py"), services=("web",)) == (2, 1)


def test_a_change_that_touches_none_is_left_out_and_noted() -> None:
    facts = [*TRACKS, change("d", "2026-10-06 08:00", "docs/a.md"), change("b", "2026-10-06 08:00", "web/a.py")]
    for services in (None, ("web",)):
        what = asked("lead_time_for_changes", services=services)
        reading = read(what, facts, subjects=(SHOP,))
        assert (reading.value, reading.n) == (2 * HOUR, 1)
        assert "1 left out: changes that touch no service's files" in reading.notes
        assert explained(what, facts, subjects=(SHOP,))["d"].why == "it touches no service's files"


def test_what_no_service_owns_is_the_repository_s_own_where_it_deploys_something_itself() -> None:
    own = [deployed(c, f"2026-10-0{day} 09:00", subject=SHOP, key=f"own-{c}") for c, day in (("A", 5), ("B", 7))]
    docs = change("d", "2026-10-06 08:00", "docs/a.md")
    assert hours(*own, docs) == (25, 1)
    assert hours(*own, docs, services=(SHOP,)) == (25, 1)
    assert hours(*own, docs, services=("web",)) == (None, 0)


def test_a_change_whose_files_nobody_told_is_nobody_s_and_noted() -> None:
    untold = merged("b", "2026-10-06 08:00", subject=SHOP)
    reading = read(asked("lead_time_for_changes"), [*TRACKS, untold], subjects=(SHOP,))
    assert reading.value is None
    assert "1 left out: changes whose files are not known" in reading.notes


def test_a_service_without_paths_takes_every_change_for_its_own_and_says_so() -> None:
    split = (replace(WEB, paths=()), LEDGER)
    facts = [*TRACKS, change("b", "2026-10-06 08:00", "docs/a.md"), change("c", "2026-10-06 08:00", "ledger/a.py")]
    reading = read(asked("lead_time_for_changes", split=split, services=("web",)), facts, subjects=(SHOP,))
    assert (reading.value, reading.n) == (2 * HOUR, 2)
    assert "web says no paths: every change of its repository counts as its own" in reading.notes
    alone = read(asked("lead_time_for_changes", split=split, services=("ledger",)), facts, subjects=(SHOP,))
    assert (alone.value, alone.n) == (52 * HOUR, 1)
    assert not any("no paths" in note for note in alone.notes)


@pytest.mark.parametrize(
    "measure", ["lead_time_for_changes", "change_failure_rate", "change_count", "change_cycle_time"]
)
def test_paths_that_no_change_ever_touched_are_noted(measure: str) -> None:
    misspelt = replace(LEDGER, paths=("ledgr/**", "libz/**"))
    said = "no change has touched ledgr/**, libz/**: the paths of ledger"
    facts = [*TRACKS, change("b", "2026-10-06 08:00", "web/a.py"), change("c", "2026-10-06 08:00", "ledger/a.py")]

    def noted(counted: tuple[str, ...], ledger: Service, known: list[Fact]) -> bool:
        what = asked(measure, split=(WEB, ledger), services=counted)
        return any("no change has touched" in note for note in read(what, known, subjects=(SHOP,)).notes)

    assert said in read(asked(measure, split=(WEB, misspelt), services=("ledger",)), facts, subjects=(SHOP,)).notes
    assert noted(("web", "ledger"), misspelt, facts)
    assert not noted(("web",), misspelt, facts)  # its readings are none of the ledger's
    assert not noted(("ledger",), LEDGER, facts)
    untold = [merged("b", "2026-10-06 08:00", subject=SHOP)]
    assert not noted(("ledger",), misspelt, [*TRACKS, *untold])  # nobody knows what was touched


def test_a_revert_or_a_hotfix_fails_only_the_service_whose_files_it_touches() -> None:
    hot = change("h", "2026-10-07 13:00", "web/a.py", labels=("hotfix",))
    facts = [*TRACKS, ships("web", "D", "2026-10-08 10:00"), hot]
    what = asked("failed_deployment_recovery_time", hotfix_labels=("hotfix",))
    reading = read(what, facts, subjects=(SHOP,))
    assert (reading.value, reading.n) == (24 * HOUR, 1)
    assert explained(what, facts, subjects=(SHOP,))["web-C"].role == "recovered"
    bad = change("b", "2026-10-06 08:00", "web/a.py", "ledger/a.py")
    back = change("r", "2026-10-06 12:00", "web/a.py", reverts="b")
    failures = explained(asked("change_failure_rate"), [*TRACKS, bad, back], subjects=(SHOP,))
    assert {key for key, note in failures.items() if "failed" in note.why} == {"web-B"}
    marked = read(
        asked("rollback_rate", rollback_rules=("version_return", "revert")), [*TRACKS, bad, back], subjects=(SHOP,)
    )
    assert (marked.numerator, marked.denominator) == (1, 5)


def test_a_deployment_is_rework_by_the_changes_of_its_own_service() -> None:
    hot = change("h", "2026-10-06 12:00", "web/a.py", labels=("hotfix",))
    other = change("o", "2026-10-06 12:00", "ledger/a.py")
    reading = read(asked("deployment_rework_rate", hotfix_labels=("hotfix",)), [*TRACKS, hot, other], subjects=(SHOP,))
    assert (reading.numerator, reading.denominator) == (1, 5)
    without = read(
        asked("deployment_rework_rate", hotfix_labels=("hotfix",), split=()), [*TRACKS, hot, other], subjects=(SHOP,)
    )
    assert (without.numerator, without.denominator) == (0, 3)  # as one service, C brings both


def blamed(*incidents: Incident, **fields: Any) -> set[str]:
    notes = explained(asked("change_failure_rate", **fields), [*TRACKS, *incidents], subjects=(SHOP,))
    return {key for key, note in notes.items() if "failed" in note.why}


def test_an_incident_that_names_nothing_is_the_fault_of_what_any_service_shipped_last() -> None:
    outage = broke("i", "2026-10-08 12:30", subject=SHOP)
    assert blamed(outage) == {"ledger-C"}
    assert blamed(outage, services=("ledger",)) == {"ledger-C"}
    assert blamed(outage, services=("web",), failure_window=timedelta(days=3)) == set()
    assert blamed(broke("i", "2026-10-07 12:30", subject=SHOP), services=("web",)) == {"web-C"}


def test_an_incident_that_names_a_deployment_or_a_commit_is_of_its_services() -> None:
    assert blamed(broke("i", "2026-10-20", subject=SHOP, deployment="web-C")) == {"web-C"}
    assert blamed(broke("i", "2026-10-20", subject=SHOP, commit="C")) == {"web-C", "ledger-C"}
    facts = [*TRACKS, change("C", "2026-10-07 08:00", "web/a.py"), broke("i", "2026-10-20", subject=SHOP, commit="C")]
    notes = explained(asked("change_failure_rate"), facts, subjects=(SHOP,))
    assert {key for key, note in notes.items() if "failed" in note.why} == {"web-C"}


def test_an_incident_of_a_service_is_the_fault_of_that_service_alone() -> None:
    of_web = broke("i", "2026-10-08 12:30", subject="web")
    week = timedelta(days=7)
    assert blamed(of_web, services=("web",), failure_window=week) == {"web-C"}
    assert blamed(of_web, services=("ledger",), failure_window=week) == set()
    assert blamed(of_web, failure_window=week) == {"web-C"}
    assert blamed(broke("i", "2026-10-09", subject="web", deployment="web-B")) == {"web-B"}
    assert blamed(broke("i", "2026-10-09", subject="web", commit="C")) == {"web-C"}
    assert blamed(broke("i", "2026-10-09", subject=SHOP, commit="C")) == {"web-C", "ledger-C"}


def test_an_incident_of_an_environment_is_the_fault_of_the_service_that_is_there() -> None:
    eu, us = (Service(name=n, repository=SHOP, environment=f"{n}-*", paths=(f"{n}/**",)) for n in ("eu", "us"))
    facts = [
        *(deployed("A", f"2026-10-0{day} 10:00", subject=SHOP, environment="eu-1", key=f"eu{day}") for day in (5,)),
        *(deployed("A", f"2026-10-0{day} 11:00", subject=SHOP, environment="us-1", key=f"us{day}") for day in (5,)),
        broke("i", "2026-10-05 12:00", subject=SHOP, environment="eu-1"),
    ]
    for services, expected in ((("eu", "us"), {"eu5"}), (("us",), set()), (("eu",), {"eu5"})):
        what = asked("change_failure_rate", split=(eu, us), services=services, own_environments=True)
        notes = explained(what, facts, subjects=(SHOP,))
        assert {key for key, note in notes.items() if "failed" in note.why} == expected


@pytest.mark.parametrize(
    ("services", "counted"),
    [(None, "bcdu"), (("web",), "bd"), (("web", "ledger"), "bcd"), ((SHOP,), "e")],
)
def test_counts_and_times_of_changes_are_those_of_the_services_named(services: Any, counted: str) -> None:
    facts = [
        change("b", "2026-10-06 08:00", "web/a", first_commit_at=at("2026-10-06 07:00"), author_kind="person"),
        change("c", "2026-10-06 08:00", "ledger/a", first_commit_at=at("2026-10-06 06:00")),
        change("d", "2026-10-06 08:00", "web/a", "ledger/a", first_commit_at=at("2026-10-06 04:00")),
        change("e", "2026-10-06 08:00", "docs/a", first_commit_at=at("2026-10-06 00:00")),
        merged("u", "2026-10-06 08:00", subject=SHOP, first_commit_at=at("2026-10-05 08:00")),
    ]
    counted = "bcdeu" if services is None else counted
    spent = {"b": 1, "c": 2, "d": 4, "e": 8, "u": 24}
    what = asked("change_count", services=services, split=SPLIT if services else ())
    reading = read(what, facts, subjects=(SHOP,))
    assert (reading.value, reading.n) == (len(counted), len(counted))
    time = read(replace(what, measure="change_cycle_time"), facts, subjects=(SHOP,))
    assert time.value == median(spent[key] for key in counted) * HOUR
    notes = explained(what, facts, subjects=(SHOP,))
    assert {key for key, note in notes.items() if note.counted} == set(counted)
    if services == ("web",):
        assert notes["c"].why == "of ledger"
        assert {
            "1 left out: changes that touch no service's files",
            "1 left out: changes whose files are not known",
        } <= set(reading.notes)


def test_other_paths_are_another_definition() -> None:
    what = asked("lead_time_for_changes")
    other = replace(what, split=(replace(WEB, paths=("web/**",)), LEDGER))
    assert "web by payload service web (files web/** libs/**)" in in_words(what)
    assert in_words(what) != in_words(other)


# ---- against plain loops
NAMES = ("cart", "search", "ledger", "mail", "web", "login")
SIX = tuple(service(name, f"services/{name}/**", "libs/common/**") for name in NAMES)
BEGIN = datetime(2026, 10, 5, 8, tzinfo=UTC)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)


def monorepo(rng: random.Random, merges: int, *, trouble: bool) -> list[Fact]:
    """Every merge touches two or three of six services and is deployed to them, one after the other.

    With trouble, services go back now and then, merges are reverts or hotfixes, deployments are late, and incidents
    happen.
    """
    facts: list[Fact] = []
    now = BEGIN
    for number in range(merges):
        now += timedelta(hours=rng.randint(1, 5), microseconds=1)
        names = rng.sample(NAMES, rng.choice((2, 3)))
        paths = tuple(f"services/{name}/{number}.py" for name in names)
        commit = f"m{number:03}"
        touched = rng.choice((paths, paths, (*paths, "README.md"), ("docs/a.md",), ("libs/common/a.py",)))
        hot, back = trouble and rng.random() < 0.1, trouble and number and rng.random() < 0.15
        facts.append(
            Change(
                key=str(number),
                subject=SHOP,
                commit=commit,
                merged_at=now,
                paths=touched,
                labels=("hotfix",) if hot else (),
                reverts=f"m{rng.randrange(number):03}" if back else None,
                author_kind=rng.choice(("person", "person", "bot")),
            )
        )
        for place, name in enumerate(names):
            later = now + timedelta(minutes=5 * place + 1 + (rng.choice((0, 300)) if trouble else 0))
            old = f"m{rng.randrange(number + 1):03}" if trouble and rng.random() < 0.15 else commit
            facts.append(ships(name, old, later, key=f"{number:03}-{name}"))
        if trouble and rng.random() < 0.15:
            cause = f"{rng.randrange(number + 1):03}-{rng.choice(NAMES)}" if rng.random() < 0.5 else None
            opened = now + timedelta(minutes=rng.randint(0, 400))
            closed = rng.choice((None, opened + timedelta(hours=2), opened + timedelta(days=2)))
            facts.append(Incident(key=f"i{number}", subject=SHOP, opened_at=opened, closed_at=closed, deployment=cause))
    return facts


def in_repositories_of_their_own(facts: list[Fact]) -> list[Fact]:
    """The same, had each service been a repository: a change is in each of those whose files it touched."""
    apart: list[Fact] = []
    for fact in facts:
        if isinstance(fact, Deployment):
            apart.append(replace(fact, subject=str(fact.payload["service"])))
        elif isinstance(fact, Change):
            common = any(path.startswith("libs/common/") for path in fact.paths or ())
            theirs = {path.split("/")[1] for path in fact.paths or () if path.startswith("services/")}
            for name in NAMES if common else sorted(theirs):
                apart.append(replace(fact, subject=name, key=f"{fact.key}@{name}"))
    what = asked("change_failure_rate", split=())
    going = oracle_delivery.forward(what, oracle.World(apart, [(BEGIN, AS_OF)], Calendar(), AS_OF, NAMES))
    for fact in facts:
        if not isinstance(fact, Incident):
            continue
        named = [d for d in apart if isinstance(d, Deployment) and d.key == fact.deployment]
        before = [p.fact for p in going if p.at <= fact.opened_at]
        cause = named[:1] if fact.deployment else before[-1:]
        apart += [replace(fact, subject=d.subject) for d in cause]
    return apart


LOOPS: dict[str, Callable[[MetricDefinition, oracle.Frame], dict[str, Any]]] = {
    "lead_time_for_changes": oracle_delivery.lead_times,
    "change_failure_rate": oracle_delivery.failed,
    "failed_deployment_recovery_time": oracle_delivery.recoveries,
    "deployment_rework_rate": oracle_delivery.rework,
}


def computed(what: MetricDefinition, facts: list[Fact], **shared: FactTables) -> tuple[Measurement, Any]:
    one = measurement(what, facts, covered("2026-10-01", "2026-11-01"), AS_OF, subjects=(SHOP,), **shared)
    return one, one.readings([AS_OF], BEGIN)[0]


@pytest.mark.parametrize("measure", LOOPS)
@pytest.mark.parametrize("seed", range(6))
def test_a_service_measures_what_it_would_as_a_repository_of_its_own(measure: str, seed: int) -> None:
    facts = monorepo(random.Random(seed), 60, trouble=True)
    apart = in_repositories_of_their_own(facts)
    world = oracle.World(apart, [(at("2026-10-01"), AS_OF)], Calendar(), AS_OF, NAMES)
    hotfixes = {"hotfix_labels": ("hotfix",)} if measure != "lead_time_for_changes" else {}
    shared = tables(facts)
    for services in (None, ("cart",), ("web", "mail")):
        what = asked(measure, split=SIX, services=services, **hotfixes)
        frame = oracle.Frame(what, world, AS_OF - timedelta(days=28), AS_OF)
        expected = LOOPS[measure](replace(what, split=()), kept(frame, services))
        one, reading = computed(what, facts, tables=shared)
        assert reading.n == len(expected)
        together = median if "time" in measure else lambda values: sum(values) / len(values)
        assert expected
        assert reading.value == pytest.approx(together(list(expected.values())))
        counted = {f"{note.key}@{note.subject}" for note in one.evidence(reading) if note.counted}
        assert counted == {key if "@" in key else f"{key}@{key.split('-')[1]}" for key in expected}


def kept(frame: oracle.Frame, services: tuple[str, ...] | None) -> oracle.Frame:
    facts = [fact for fact in frame.world.facts if services is None or fact.subject in services]
    return oracle.Frame(frame.definition, replace(frame.world, facts=facts), frame.start, frame.at)


@pytest.mark.parametrize("rules", [("version_return",), ("version_return", "revert"), ("revert",)])
@pytest.mark.parametrize("seed", range(5))
def test_merges_that_go_to_two_or_three_services_are_no_rollbacks(seed: int, rules: Any) -> None:
    facts = monorepo(random.Random(seed), 90, trouble=False)
    done = [f.succeeded_at for f in facts if isinstance(f, Deployment)]
    shipped = sum(one is not None and one <= AS_OF - timedelta(days=1) for one in done)
    for measure in ("rollback_rate", "change_failure_rate"):
        _, reading = computed(asked(measure, split=SIX, rollback_rules=rules), facts)
        assert (reading.numerator, reading.denominator) == (0, shipped)
    _, rework = computed(asked("deployment_rework_rate", split=SIX, rollback_rules=rules), facts)
    assert rework.numerator == 0
    _, recovery = computed(asked("failed_deployment_recovery_time", split=SIX, rollback_rules=rules), facts)
    assert recovery.value is None
