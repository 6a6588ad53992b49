"""A GitHub collector on a stand-in, for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from keyresults.collectors import github_client
from keyresults.collectors.contract import Context
from keyresults.collectors.github import GitHub
from keyresults.collectors.http import HttpDoor
from keyresults.metrics.calendar import Calendar

from .github import TOKEN, GitHubStandIn, github
from .github_world import Repository, World
from .histories import START
from .keeping import Keeper

Make = Callable[..., GitHub]
PAYMENTS = "acme/payments"
DAY = timedelta(days=1)


@pytest.fixture(name="world")
def a_world() -> World:
    return World(START + 40 * DAY)


@pytest.fixture(name="server")
def a_server(world: World) -> Iterator[GitHubStandIn]:
    with github(world) as standin:
        yield standin


@contextmanager
def collectors(server: GitHubStandIn, base: Path) -> Iterator[Make]:
    """Makes collectors as a run would, each with a memo of its own unless given one; closes them all."""
    secret = base / "token"
    secret.write_text(TOKEN)
    made: list[GitHub] = []

    def make(memo: dict[str, str] | None = None, budgets: Any = None, timeout: float = 5, **options: object) -> GitHub:
        asked = {"api_url": server.url, "token": {"file": "token"}, "repositories": [PAYMENTS], **options}
        if asked["token"] is None:
            del asked["token"]
        context = Context(
            source="github",
            http=HttpDoor(timeout=timeout),
            clock=lambda: server.world.now,
            calendar=Calendar(),
            base=base,
            memo={} if memo is None else memo,
            **({} if budgets is None else {"budgets": budgets}),
        )
        made.append(GitHub(GitHub.Options.model_validate(asked), context))
        return made[-1]

    try:
        yield make
    finally:
        for collector in made:
            collector.close()


@pytest.fixture(name="make")
def a_maker(server: GitHubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Theirs that ask again do so at once."""
    monkeypatch.setattr(github_client, "PAUSES", (0.0, 0.0))
    with collectors(server, tmp_path) as one:
        yield one


@pytest.fixture(name="repository")
def a_repository(world: World) -> Repository:
    return world.add(PAYMENTS)


def keeper(collector: GitHub, kind: str, since: Any, **query: object) -> Keeper:
    """Of the only stream that answers the query."""
    (stream,) = collector.streams([(kind, query)])
    return Keeper(stream, since)
