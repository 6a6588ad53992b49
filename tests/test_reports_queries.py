"""Streams that would read alike are told apart by what they ask."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from keyresults.cli.printing import rendered
from keyresults.metrics.reading import Health
from keyresults.metrics.stream import Json
from keyresults.reports import terminal_plan, terminal_tables
from keyresults.reports.dates import Dates
from keyresults.reports.queries import query
from keyresults.reports.values import (
    CollectionPlan,
    CollectionResult,
    PlannedSource,
    PlannedStream,
    SourceState,
    StreamRun,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DATES = Dates.seen_at(NOW, "UTC")
QUERIES: tuple[Json, ...] = ({"deployments": {"releases": True, "tags": None}}, {"deployments": {"tags": "v*"}}, {})


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (QUERIES[0], "releases"),
        (QUERIES[1], "tags v*"),
        (QUERIES[2], ""),
        ({"workflow": "ci.yml", "branch": "*", "event": ""}, "workflow ci.yml, branch *"),
        ({"labels": ["incident", "outage"], "files_of": []}, "labels incident outage"),
        ({"every": False, "step": 0}, "step 0"),
    ],
)
def test_a_query_is_said_without_what_it_leaves_open(asked: Json, words: str) -> None:
    assert query(asked) == words


def test_the_plan_names_what_two_streams_of_one_repository_ask() -> None:
    streams = [planned("deployments", "acme/app", asked) for asked in QUERIES]
    text = shown(
        PlannedSource(source="github", streams=(*streams, planned("runs", "acme/app", {"workflow": "ci.yml"})))
    )
    names = [line.partition("  ")[0] for line in text.splitlines()[1:5]]
    assert names == [
        "github deployments of acme/app (releases)",
        "github deployments of acme/app (tags v*)",
        "github deployments of acme/app (by default)",
        "github runs of acme/app",
    ]


def test_sources_and_collect_name_them_too() -> None:
    states = [
        SourceState(
            source="github", type="github", stream=str(n), kind="deployments", subject="acme/app",
            query=asked, metrics=("often",), health=Health.OK,
        )
        for n, asked in enumerate(QUERIES[:2])
    ]  # fmt: skip
    listed = rendered(terminal_tables.sources(states, DATES, NOW), colour=False)
    runs = [
        StreamRun(
            source="github", stream=str(n), kind="deployments", subject="acme/app",
            query=asked, metrics=("often",), outcome="ok",
        )
        for n, asked in enumerate(QUERIES[:2])
    ]  # fmt: skip
    told = rendered(terminal_tables.collection(CollectionResult(runs=tuple(runs)), DATES), colour=False)
    for words in ("releases", "tags v*"):
        assert f"github deployments of acme/app ({words})\n" in listed
        assert f"github deployments of acme/app ({words}): often" in told


def test_comparisons_are_called_commits_of_deployments() -> None:
    text = shown(PlannedSource(source="github", streams=(planned("shipments", "acme/app", {}),)))
    assert "github commits of deployments of acme/app" in text
    assert "shipments" not in text


@pytest.mark.parametrize(
    ("kind", "compares", "words"),
    [
        ("deployments", False, ""),
        (
            "deployments",
            True,
            "not in it: comparisons of commits, about one for each deployment that is still to be read.",
        ),
        ("runs", False, "not in it: the first attempts of repeated runs."),
        (
            "runs",
            True,
            "not in it: comparisons of commits, about one for each deployment that is still to be read, "
            "and the first attempts of repeated runs.",
        ),
    ],
)
def test_the_plan_says_what_it_can_not_count(kind: str, compares: bool, words: str) -> None:
    one = PlannedSource(source="github", streams=(planned(kind, "acme/app", {}),), seconds=1.0, compares=compares)
    text = " ".join(shown(one).split())
    assert words in text
    assert ("not in it" in text) == bool(words)


def planned(kind: str, subject: str, asked: Json) -> PlannedStream:
    return PlannedStream(
        source="github", stream=f"{kind}/{subject}", kind=kind, subject=subject, query=asked, metrics=("often",),
        start=NOW, requests=5,
    )  # fmt: skip


def shown(source: PlannedSource) -> str:
    return rendered(terminal_plan.plan(CollectionPlan(sources=(source,)), DATES), colour=False)
