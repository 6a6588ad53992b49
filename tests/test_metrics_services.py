"""Services within a repository: whose each deployment is, and an order of versions for each."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import oracle
import pytest
from columns import tables
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.definition import essence
from keyresults.metrics.facts import Deployment
from keyresults.metrics.measurement import Evidence, Measurement
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.service import Service, columns_needed
from keyresults.metrics.traits import in_words
from metric_cases import definition, deployed, explained, read

SHOP = "acme/shop"
BEGIN = datetime(2026, 10, 5, 8, tzinfo=UTC)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
NAMES = ("cart", "search", "ledger", "mail", "web", "login")
SIX = tuple(Service(name=name, repository=SHOP, payload=(("service", name),)) for name in NAMES)


def shop(commit: str, when: str | datetime, **fields: object) -> Deployment:
    return deployed(commit, when, subject=SHOP, **fields)


def monorepo(rng: random.Random, merges: int) -> list[Deployment]:
    """Every merge is deployed to two or three of six services, one after the other; a few go back by one."""
    facts: list[Deployment] = []
    versions: dict[str, list[str]] = {name: [] for name in NAMES}
    done = BEGIN
    for merge in range(merges):
        done += timedelta(hours=rng.randint(2, 5))
        for name in rng.sample(NAMES, rng.choice((2, 3))):
            done += timedelta(minutes=rng.randint(1, 20))
            mine = versions[name]
            if len(mine) > 1 and rng.random() < 0.1:
                mine.pop()
            else:
                mine.append(f"m{merge:03}")
            facts.append(shop(mine[-1], done, key=f"{merge:03}-{name}", payload={"service": name, "by": "ci"}))
    return facts


def by_plain_loop(facts: list[Deployment]) -> tuple[set[str], set[str]]:
    """Keys that moved a service forward, and those of them that it went back from, each service on its own."""
    forward, back = set(), set()
    for name in NAMES:
        stack: list[Deployment] = []
        for d in facts:
            if d.payload["service"] != name:
                continue
            commits = [on.commit for on in stack]
            if d.commit in commits:
                while stack[-1].commit != d.commit:
                    back.add(stack.pop().key)
            else:
                stack.append(d)
                forward.add(d.key)
    return forward, back


@pytest.mark.parametrize("seed", range(8))
def test_services_that_are_deployed_together_are_no_rollbacks_of_each_other(seed: int) -> None:
    facts = monorepo(random.Random(seed), 90)
    settled = AS_OF - timedelta(hours=24)
    forward, back = by_plain_loop([f for f in facts if f.succeeded_at <= AS_OF])
    young = {f.key for f in facts if f.succeeded_at > settled}
    what = definition("rollback_rate", split=SIX)
    reading = read(what, facts, AS_OF, subjects=(SHOP,))
    assert (reading.numerator, reading.denominator) == (len(back - young), len(forward - young))
    notes = explained(what, facts, subjects=(SHOP,))
    assert {key for key, note in notes.items() if note.counted} == forward - young
    together = read(replace(what, split=()), facts, AS_OF, subjects=(SHOP,))
    assert together.numerator > reading.numerator


@pytest.mark.parametrize("measure", ["rollback_rate", "deployment_frequency", "deployment_days", "deployment_duration"])
@pytest.mark.parametrize("seed", range(4))
def test_a_service_measures_what_it_would_as_a_repository_of_its_own(measure: str, seed: int) -> None:
    rng = random.Random(f"{measure} {seed}")
    facts = monorepo(rng, 70)
    alone = [replace(f, subject=str(f.payload["service"])) for f in facts]
    for across in ("sum", "worst"):
        what = definition(measure, split=SIX, across=across if measure == "deployment_frequency" else None)
        world = oracle.World(alone, [(BEGIN, AS_OF)], Calendar(), AS_OF, tuple(sorted(NAMES)))
        expected = oracle.reading(replace(what, split=()), world, AS_OF, BEGIN)
        evidence = Evidence(tables=tables(facts), coverage=TimeRanges.of(TimeRange(BEGIN, AS_OF)), subjects=(SHOP,))
        measurement = Measurement(what, evidence, Calendar(), AS_OF)
        (reading,) = measurement.readings([AS_OF], BEGIN)
        assert (reading.value, reading.n) == (pytest.approx(expected.value), expected.n)
        assert measurement.subjects == tuple(sorted(NAMES))
        counted = {note.key for note in measurement.evidence(reading) if note.counted}
        assert counted == expected.keys


def test_a_frequency_over_the_services_of_one_repository_must_say_how() -> None:
    facts = [shop("a", "2026-10-20", payload={"service": "cart"})]
    reading = read(definition("deployment_frequency", split=SIX), facts, subjects=(SHOP,))
    assert reading.value is None
    assert reading.notes[0] == 'it covers 6 services: say across = "sum" or "worst"'


def test_the_worst_service_is_named_even_where_it_never_shipped() -> None:
    facts = [shop("a", f"2026-10-{20 + i}", payload={"service": name}) for i, name in enumerate(NAMES[:5])]
    reading = read(definition("deployment_frequency", split=SIX, across="worst"), facts, subjects=(SHOP,))
    assert reading.value == 0
    assert "the least frequent of 6 services: login" in reading.notes


REGIONS = ("eu", "us", "ap")


def rollout() -> list[Deployment]:
    """Two commits of a ledger, each through a canary and three regions, while the shop ships them at its own pace."""
    return [
        *(
            shop(commit, f"2026-10-{day} 10:{minute:02}", environment=f"ledger-{place}", key=f"{commit}-{place}")
            for commit, day in (("one", 20), ("two", 21))
            for minute, place in enumerate(("canary", *REGIONS))
        ),
        shop("one", "2026-10-20 10:30", key="shop-one"),
        shop("two", "2026-10-21 10:30", key="shop-two"),
    ]


LEDGER = Service(name="ledger", repository=SHOP, environment="ledger-*")


@pytest.mark.parametrize(
    ("count", "keys"),
    [
        ("first", {"one-canary", "two-canary"}),
        ("last", {"one-ap", "two-ap"}),
        ("each", {f"{commit}-{place}" for commit in ("one", "two") for place in ("canary", *REGIONS)}),
    ],
)
def test_a_canary_and_three_regions_of_a_service_count_each_commit_once(count: str, keys: set[str]) -> None:
    what = definition("deployment_count", split=(LEDGER,), services=("ledger",), own_environments=True, count=count)
    notes = explained(what, rollout(), subjects=(SHOP,))
    assert {key for key, note in notes.items() if note.counted} == keys
    assert (notes["shop-one"].role, notes["shop-one"].why) == ("other service", f"of {SHOP}")
    assert notes["one-eu"].subject == "ledger"
    assert read(what, rollout(), subjects=(SHOP,)).value == len(keys)


def test_what_no_service_owns_is_the_repositorys_own() -> None:
    what = definition("deployment_count", split=(LEDGER,), services=(SHOP,))
    notes = explained(what, rollout(), subjects=(SHOP,))
    assert {key for key, note in notes.items() if note.counted} == {"shop-one", "shop-two"}


def test_an_environment_that_is_written_holds_for_services_too() -> None:
    what = definition("deployment_count", split=(LEDGER,), services=("ledger",), environment="ledger-eu")
    assert read(what, rollout(), subjects=(SHOP,)).value == 2
    reading = read(replace(what, environment="production"), rollout(), subjects=(SHOP,))
    assert reading.value is None
    known = "known are ledger-ap, ledger-canary, ledger-eu, ledger-us"
    assert reading.notes[0] == f"environment 'production' was never seen; {known}"


def test_what_belongs_to_no_service_is_in_the_sum_but_never_the_worst_unless_it_is_named() -> None:
    cart = [shop(f"c{day}", f"2026-10-2{day}", payload={"service": "cart"}) for day in range(5, 9)]
    web = [shop(f"w{day}", f"2026-10-2{day} 01:00", payload={"service": "web"}) for day in range(5, 8)]
    stray = shop("old", "2026-10-25 02:00")
    split = (SIX[0], SIX[4])
    worst = definition("deployment_frequency", "7d", split=split, across="worst")
    reading = read(worst, [*cart, *web, stray], subjects=(SHOP,))
    assert (reading.n, reading.value) == (3, 3 / 7)
    assert "the least frequent of 2 services: web" in reading.notes
    assert "of no service: 1 of these deployments" in reading.notes
    total = read(replace(worst, across="sum"), [*cart, *web, stray], subjects=(SHOP,))
    assert (total.n, total.value) == (8, 8 / 7)
    named = read(replace(worst, services=("web", SHOP)), [*cart, *web, stray], subjects=(SHOP,))
    assert (named.n, named.notes[0]) == (1, f"the least frequent of 2 services: {SHOP}")


def test_a_service_in_other_environments_is_no_idle_part_of_a_frequency() -> None:
    """It would be the least frequent for ever."""
    what = definition("deployment_frequency", split=(LEDGER,), across="worst")
    reading = read(what, rollout(), subjects=(SHOP,))
    assert (reading.n, reading.notes[0]) == (2, f"the least frequent of 1 services: {SHOP}")


def test_a_named_service_without_deployments_has_no_reading() -> None:
    what = definition("deployment_count", split=(LEDGER,), services=("ledger",), own_environments=True)
    reading = read(what, [shop("a", "2026-10-20")], subjects=(SHOP,))
    assert (reading.value, reading.notes[0]) == (None, "no deployment of ledger is known")


@pytest.mark.parametrize(
    ("service", "theirs"),
    [
        (Service(name="s", repository=SHOP, environment="production"), {"plain", "flow", "paid", "number", "tag"}),
        (Service(name="s", repository=SHOP, workflow="deploy-*.yml"), {"flow"}),
        (Service(name="s", repository=SHOP, payload=(("service", "s"),)), {"paid", "number"}),
        (Service(name="s", repository=SHOP, payload=(("service", "s"), ("wave", "2"))), {"number"}),
        (Service(name="s", repository=SHOP, tag="s-v*"), {"tag"}),
        (Service(name="s", repository="acme/other", tag="s-v*"), set()),
    ],
)
def test_each_way_to_tell_a_service_apart_fits_its_deployments(service: Service, theirs: set[str]) -> None:
    facts = [
        shop("a", "2026-10-20 10:00", key="plain", ref="s-v0"),
        shop("b", "2026-10-20 11:00", key="flow", workflow="deploy-s.yml"),
        shop("c", "2026-10-20 12:00", key="paid", payload={"service": "s"}),
        shop("d", "2026-10-20 13:00", key="number", payload={"service": "s", "wave": 2}),
        shop("e", "2026-10-20 14:00", key="tag", origin="tag", ref="s-v1"),
        shop("f", "2026-10-20 15:00", key="elsewhere", environment="canary", origin="tag", ref="other-v1"),
    ]
    notes = explained(definition("deployment_count", split=(service,)), facts, subjects=(SHOP,))
    assert {key for key, note in notes.items() if note.subject == "s"} == theirs


def test_the_first_service_that_fits_has_the_deployment() -> None:
    rng = random.Random(3)
    patterns = ("eu-*", "*-web", "us-web", "*")
    services = tuple(Service(name=f"s{i}", repository=SHOP, environment=p) for i, p in enumerate(patterns))
    for split in (services, services[::-1]):
        facts = [
            shop("c", BEGIN + timedelta(hours=i), environment=rng.choice(("eu-web", "us-web", "ap-web", "eu-x", "z")))
            for i in range(40)
        ]
        notes = explained(definition("deployment_count", split=split, environment="*"), facts, subjects=(SHOP,))
        for fact in facts:
            fitting = [s.name for s in split if fnmatchcase(fact.environment, s.environment or "")]
            assert notes[fact.key].subject == fitting[0]


def test_a_service_s_repository_is_the_same_in_upper_and_lower_case() -> None:
    facts = [shop("a", "2026-10-20", payload={"service": "cart"}), shop("b", "2026-10-21", payload={"service": "web"})]
    written = tuple(replace(one, repository="Acme/SHOP") for one in SIX)
    what = definition("deployment_count", split=written, services=("cart", "mail"), across="sum")
    assert read(what, facts, subjects=(SHOP,)).value == 1
    assert {note.subject for note in explained(what, facts, subjects=(SHOP,)).values()} == {"cart", "web"}
    worst = read(replace(what, across="worst"), facts, subjects=(SHOP,))
    assert worst == read(replace(what, split=SIX, across="worst"), facts, subjects=(SHOP,))


def test_only_the_columns_that_services_are_told_apart_by_are_needed() -> None:
    assert columns_needed((LEDGER,)) == ()
    assert columns_needed((LEDGER, *SIX)) == ("payload",)
    assert columns_needed(
        (Service(name="a", repository=SHOP, workflow="a"), replace(SIX[0], payload=None, tag="v*"))
    ) == (
        "workflow",
        "ref",
    )


def test_another_way_to_tell_services_apart_is_another_definition() -> None:
    what = definition("rollback_rate", split=(LEDGER,))
    other = replace(what, split=(replace(LEDGER, environment="ledger-production"),))
    assert essence(what) != essence(other)
    assert "services told apart: ledger by environment ledger-*" in in_words(what)
    assert in_words(what) != in_words(other)
