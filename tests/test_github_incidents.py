"""GitHub's issues as incidents, read from a stand-in that speaks its API over a socket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from keyresults.collectors import github_client, github_incidents
from keyresults.collectors.contract import ConfigError, SourceError
from keyresults.collectors.github_cursor import SETTLES
from keyresults.collectors.github_incidents import incident_fact
from keyresults.metrics.facts import Incident
from keyresults.metrics.ranges import TimeRange, TimeRanges
from pydantic import ValidationError
from standins.github import GitHubStandIn, Trouble
from standins.github_issues import Issue, payload
from standins.github_source import DAY, PAYMENTS, Make, a_server, a_world, collectors, keeper  # noqa: F401 (fixtures)
from standins.github_world import World
from standins.histories import START

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
LABELS = {"incidents": {"labels": ["incident", "outage"]}}


@pytest.fixture
def make(server: GitHubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(github_client, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(github_client, "PER_MINUTE", {})
    with collectors(server, tmp_path) as one:
        yield lambda *memo, **options: one(*memo, **{**LABELS, **options})


def issue(number: int, opened: datetime, *labels: str, closed: datetime | None = None) -> Issue:
    told = Incident(
        key=str(number),
        subject=PAYMENTS,
        opened_at=opened,
        closed_at=closed,
        title=f"Broken {number}",
        labels=labels or ("incident",),
        url=f"https://github.com/{PAYMENTS}/issues/{number}",
    )
    return Issue(told, closed or opened)


def history(world: World, count: int = 12) -> list[Issue]:
    """Incidents through 36 days; every third is closed five hours later, every fourth is an outage too."""
    issues = []
    for n in range(1, count + 1):
        opened = START + n * timedelta(minutes=51_840 // count)
        labels = ("incident", "Outage") if n % 4 == 0 else ("bug", "incident")
        issues.append(issue(n, opened, *labels, closed=opened + 5 * HOUR if n % 3 == 0 else None))
    world.add(PAYMENTS).issues.extend(issues)
    return issues


def told(issues: list[Issue]) -> dict[str, Incident]:
    return {one.told.key: one.told for one in issues}


def test_every_issue_with_a_label_is_an_incident_from_its_opening_to_its_closing(world: World, make: Make) -> None:
    issues = history(world)
    others = [issue(100, START + DAY, "bug"), issue(101, START + DAY, "outage")]
    pull = replace(issue(102, START + DAY), is_pull=True)
    world.repositories[0].issues.extend([*others, pull])
    followed = keeper(make(), "incidents", START)
    followed.collect(make(), world.now)
    assert followed.facts == told([*issues, others[1]])
    assert {one.told.closed_at is None for one in issues} == {True, False}
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_several_pages_are_read_whole_and_the_next_poll_only_to_what_is_known(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    issues = history(world, 250)
    followed = keeper(make(incidents={"labels": ["incident"]}), "incidents", START)
    followed.collect(make(), world.now)
    assert followed.facts == told(issues)
    assert sum(one.path.endswith("/issues") for one in server.asked) == 4  # three pages, and the first once more
    world.now += HOUR
    issues.append(issue(900, world.now - HOUR / 2))
    world.repositories[0].issues.append(issues[-1])
    server.forget()
    followed.collect(make(), world.now)
    assert followed.facts == told(issues)
    assert sum(one.path.endswith("/issues") for one in server.asked) == 1


def test_a_poll_without_news_is_answered_for_free(world: World, make: Make, server: GitHubStandIn) -> None:
    history(world)
    followed = keeper(make(), "incidents", START)
    memo: dict[str, str] = {}
    followed.collect(make(memo), world.now)
    world.now += HOUR
    server.forget()
    followed.collect(make(memo), world.now)
    listed = [one for one in server.asked if one.path.endswith("/issues")]
    assert [one.query["labels"] for one in listed] == ["incident", "outage"]
    assert set(server.counts()) == {304}
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_an_incident_is_closed_and_opened_again(world: World, make: Make) -> None:
    one = history(world)[0]
    followed = keeper(make(), "incidents", START)
    followed.collect(make(), world.now)
    for closed in (world.now, None):
        world.now += HOUR
        one.told, one.touched = replace(one.told, closed_at=closed), world.now - HOUR / 2
        followed.collect(make(), world.now)
        assert followed.facts["1"] == one.told
    assert one.told.closed_at is None


@pytest.mark.parametrize("hours", [2, 12, 30])
@pytest.mark.parametrize("how", ["loses its label", "is deleted", "is moved away"])
def test_an_issue_that_is_no_incident_any_longer_is_taken_back(
    world: World, make: Make, server: GitHubStandIn, how: str, hours: int
) -> None:
    issues = history(world)
    followed = keeper(make(), "incidents", START)
    followed.collect(make(), world.now)
    world.now += hours * HOUR
    one = issues[4]
    if how == "loses its label":
        one.told, one.touched = replace(one.told, labels=("bug",)), world.now - HOUR
    one.deleted = how == "is deleted"
    one.moved_to = "acme/other" if how == "is moved away" else None
    server.forget()
    followed.collect(make(), world.now)
    assert set(followed.facts) == {other.told.key for other in issues} - {"5"}
    # Two lists, of which one has lost it; it is asked for once, by its number.
    assert sum("/issues" in one.path for one in server.asked) == 3


def test_only_the_part_of_a_list_that_was_read_tells_that_an_issue_is_gone(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    """A hundred and one touched in the same second: the first page shows a hundred of them."""
    same = START + DAY
    issues = [issue(n, same) for n in range(1, 102)]
    world.add(PAYMENTS).issues.extend(issues)
    labels = {"incidents": {"labels": ["incident"]}}
    followed = keeper(make(**labels), "incidents", START)
    followed.collect(make(**labels), world.now)
    world.now += 2 * HOUR
    issues[50].touched = world.now - HOUR
    server.forget()
    followed.collect(make(**labels), world.now)
    assert followed.facts == told(issues)
    assert [one.path for one in server.asked if "/issues" in one.path] == [f"/repos/{PAYMENTS}/issues"]


def test_an_issue_deep_in_the_list_that_lost_its_label_is_found_by_the_daily_sweep(world: World, make: Make) -> None:
    issues = history(world, 250)
    followed = keeper(make(), "incidents", START)
    followed.collect(make(), world.now)
    issues[2].told = replace(issues[2].told, labels=())
    issues[2].touched = world.now
    world.now += HOUR
    followed.collect(make(), world.now)
    assert "3" in followed.facts
    world.now += DAY
    followed.collect(make(), world.now)
    assert followed.facts == told([one for one in issues if one.told.key != "3"])


def test_an_issue_that_changes_one_label_for_the_other_stays(world: World, make: Make) -> None:
    issues = history(world)
    followed = keeper(make(), "incidents", START)
    followed.collect(make(), world.now)
    world.now += 30 * HOUR
    issues[0].told, issues[0].touched = replace(issues[0].told, labels=("outage",)), world.now - HOUR
    followed.collect(make(), world.now)
    assert followed.facts == told(issues)
    assert not any(batch.removed for batch in followed.batches)


def test_an_issue_touched_between_two_pages_is_not_lost(world: World, make: Make) -> None:
    issues = history(world, 250)
    followed = keeper(make(), "incidents", START)
    for place, batch in enumerate(make().collect(followed.stream, TimeRange(START, world.now), None)):
        followed.keep(batch)
        if place == 0:
            world.now += timedelta(minutes=1)
            issues[0].touched = world.now
    assert followed.facts == told(issues)


@pytest.mark.parametrize("trouble", ["502", "truncated"])
def test_what_came_before_a_broken_page_is_kept_and_the_next_run_completes_it(
    world: World, make: Make, server: GitHubStandIn, trouble: Trouble
) -> None:
    issues = history(world, 250)
    followed = keeper(make(), "incidents", START)
    server.plan = dict.fromkeys(range(4, 10), trouble)  # after the labels, the repository and a page
    with pytest.raises(SourceError):
        followed.collect(make(), world.now)
    assert len(followed.facts) == 100
    assert not followed.covered
    server.plan = {}
    issues.pop().deleted = True
    followed.collect(make(), world.now)
    assert followed.facts == told(issues)


def test_older_incidents_are_read_when_they_are_asked_for(world: World, make: Make) -> None:
    issues = history(world, 250)
    followed = keeper(make(), "incidents", START + 20 * DAY)
    followed.collect(make(), world.now)
    assert set(followed.facts) >= {key for key, fact in told(issues).items() if fact.at in followed.covered}
    followed.since = START
    followed.collect(make(), world.now)
    assert followed.facts == told(issues)
    issues[1].deleted = True
    world.now += 2 * DAY
    followed.collect(make(), world.now)
    assert "2" not in followed.facts


def test_without_a_label_it_is_said_which_key_to_write(make: Make, world: World) -> None:
    history(world)
    with pytest.raises(ConfigError, match=r"incidents = \{ labels = .* in \[sources\.github\]"):
        make(incidents=None).streams([("incidents", {})])
    (stream,) = make(incidents=None).streams([("incidents", {"labels": ["incident"]})])
    assert stream.query == {"labels": ["incident"]}


def test_other_labels_are_another_stream_and_their_order_or_case_is_none(make: Make, world: World) -> None:
    history(world)
    one, same, other = (
        make(incidents={"labels": labels}).streams([("incidents", {})])[0]
        for labels in (["incident", "outage"], ["outage", "incident", "INCIDENT"], ["outage"])
    )
    assert one.id == same.id
    assert one.id != other.id


@pytest.mark.parametrize("label", ["a,b", " ", ""])
def test_a_label_github_cannot_be_asked_for_is_refused(make: Make, label: str) -> None:
    with pytest.raises(ValidationError, match="is no label"):
        make(incidents={"labels": [label]})


def test_what_broke_may_be_named_in_the_text(world: World) -> None:
    one = issue(1, START)
    one.body = (
        f"It broke.\r\n\r\nCaused-by: {'ab' * 20}\r\nDeployment: #4711\r\nEnvironment: production eu \r\n\r\nSorry"
    )
    fact = incident_fact(payload(one, world.now), PAYMENTS)
    assert (fact.commit, fact.deployment, fact.environment) == ("ab" * 20, "4711", "production eu")
    one.body = "caused-by the deployment: 12\nNo Environment: here\nCaused-by: somebody"
    assert incident_fact(payload(one, world.now), PAYMENTS) == one.told


@pytest.mark.parametrize("name", ["Environment", "Deployment", "Caused-by"])
@pytest.mark.parametrize("filling", [" ", "\t", "1", "x ", "\r\n"])
def test_a_text_made_to_be_slow_is_read_at_once(world: World, name: str, filling: str) -> None:
    one = issue(1, START)
    one.body = f"{name}: 1{filling * (65_536 // len(filling))}!"
    began = time.process_time()
    fact = incident_fact(payload(one, world.now), PAYMENTS)
    assert time.process_time() - began < 1
    assert (fact.environment is not None) == (name == "Environment")


def test_an_issue_that_cannot_be_read_leaves_its_second_open_until_it_can(
    world: World, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    issues = history(world)
    at = issues[4].told.opened_at
    whole = github_incidents.incident_fact

    def unreadable(node: dict[str, Any], subject: str) -> Incident:
        return whole({**node, "labels": [None]} if node["number"] == 5 else node, subject)

    followed = keeper(make(), "incidents", START)
    with monkeypatch.context() as one:
        one.setattr(github_incidents, "incident_fact", unreadable)
        for _ in range(2):
            followed.collect(make(), world.now)
            assert followed.facts == told([one for one in issues if one.told.key != "5"])
            left = TimeRanges.of(TimeRange(START, world.now - SETTLES)) - followed.covered
            assert left == TimeRanges.of(TimeRange(at, at + SECOND))
            assert any("issue 5 can't be read" in said for batch in followed.batches for said in batch.problems)
            followed.batches.clear()
            world.now += HOUR
    followed.collect(make(), world.now)
    assert followed.facts == told(issues)
    assert followed.covered == TimeRanges.of(TimeRange(START, world.now - SETTLES))


def test_an_issue_that_cannot_be_read_any_longer_is_asked_for_until_it_can(
    world: World, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    issues = history(world)
    followed = keeper(make(), "incidents", START)
    followed.collect(make(), world.now)
    world.now += HOUR
    closed = world.now - HOUR / 2
    issues[4].told, issues[4].touched = replace(issues[4].told, closed_at=closed), closed
    with monkeypatch.context() as one:
        one.setattr(github_incidents, "incident_fact", lambda *_: {}["labels"])
        followed.collect(make(), world.now)
    assert followed.facts == told(issues) | {"5": replace(issues[4].told, closed_at=None)}
    world.now += HOUR
    followed.collect(make(), world.now)
    assert followed.facts == told(issues)


def test_a_label_that_no_repository_has_is_refused_and_not_taken_for_no_incidents(
    world: World, make: Make, server: GitHubStandIn
) -> None:
    for name in ("acme/payments", "acme/shop"):
        world.add(name, [])
    misspelt = make(repositories=["acme/payments", "acme/shop"], incidents={"labels": ["incidnet"]})
    with pytest.raises(ConfigError) as refused:
        misspelt.streams([("incidents", {})])
    assert str(refused.value) == ("no repository of [sources.github] has a label 'incidnet'; did you mean 'incident'?")
    repository = world.repositories[-1]
    repository.labels = frozenset({"Incidnet"})
    memo: dict[str, str] = {}
    for _ in range(2):
        one = make(memo=memo, repositories=["acme/payments", "acme/shop"], incidents={"labels": ["incidnet"]})
        assert len(one.streams([("incidents", {})])) == 2
    asked = [one.path for one in server.asked if one.path.endswith("/labels")]
    assert asked == ["/repos/acme/payments/labels", "/repos/acme/shop/labels"] * 2, "and never again once it was found"
