"""What is not collected and will soon be gone from its source: said by collect and by sources, with the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from keyresults.collectors import github_client
from keyresults.collectors.contract import ConfigError
from keyresults.collectors.github import GitHub
from keyresults.config.load import load
from keyresults.jobs.collect import collect
from keyresults.jobs.sources import source_states
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.stream import Batch, Stream
from keyresults.reports import machine, terminal_tables
from keyresults.reports.dates import Dates
from rich.console import Console
from standins.github import TOKEN, github
from standins.github_world import World

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SHOP = "acme/shop"
CONFIG = """
[tracker]
timezone = "UTC"
cycle = "2026-Q4"

[sources.forge]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = ["{shop}"]

[metrics.green]
source = "forge"
measure = "ci_success_rate"

[metrics.often]
source = "forge"
measure = "deployment_frequency"
"""


@pytest.fixture(autouse=True)
def _impatiently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_client, "PAUSES", (0.0, 0.0))


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    world = World(NOW)
    world.add(SHOP)
    with github(world) as server:
        (tmp_path / "token").write_text(TOKEN)
        path = tmp_path / "keyresults.toml"
        path.write_text(CONFIG.format(url=server.url, shop=SHOP))
        server.always = "500"
        yield path


def opened(config: Path, now: datetime = NOW) -> Workspace:
    return Workspace(load(config), writing=True, clock=lambda: now)


def cover(config: Path, kind: str, *ranges: tuple[datetime, datetime]) -> None:
    with opened(config) as one:
        collect(one)  # makes the streams known
        stream = next(s.stream for s in one.store.states("forge") if s.stream.kind == kind)
        assert isinstance(stream, Stream)
        one.store.write(stream, Batch(covered=TimeRanges.of(*(TimeRange(*r) for r in ranges))), NOW)


def test_a_hole_that_reaches_the_horizon_within_a_week_is_said(config: Path) -> None:
    # Runs are kept for 90 days: what ran on 25 August is gone on 23 November, three days from now.
    gap = datetime(2026, 8, 25, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
    cover(config, "runs", (datetime(2026, 8, 1, tzinfo=UTC), gap[0]), (gap[1], NOW))
    with opened(config) as one:
        (run,) = [run for run in collect(one).runs if run.kind == "runs"]
        (state,) = [state for state in source_states(one) if state.kind == "runs"]
    assert run.soon_lost is not None
    assert run.soon_lost == state.soon_lost
    assert (run.soon_lost.start, run.soon_lost.end) == gap
    assert run.soon_lost.on == datetime(2026, 11, 23, tzinfo=UTC).date()
    assert run.soon_lost.command == "keyresults backfill forge --since 2026-08-25"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (NOW - 80 * DAY, NOW - 70 * DAY),  # ten days are left
        (NOW - 120 * DAY, NOW - 91 * DAY),  # it is gone already
    ],
)
def test_nothing_is_said_of_what_has_time_or_is_gone(config: Path, first: datetime, last: datetime) -> None:
    cover(config, "runs", (NOW - 130 * DAY, first), (last, NOW))
    with opened(config) as one:
        assert {state.soon_lost for state in source_states(one)} == {None}


def test_what_was_never_asked_for_is_nobodys_loss(config: Path) -> None:
    cover(config, "runs", (NOW - 60 * DAY, NOW))
    with opened(config) as one:
        assert {state.soon_lost for state in source_states(one)} == {None}


def test_of_what_is_kept_forever_nothing_is_said(config: Path) -> None:
    cover(config, "deployments", (NOW - 130 * DAY, NOW - 89 * DAY), (NOW - 80 * DAY, NOW))
    with opened(config) as one:
        assert {state.soon_lost for state in source_states(one)} == {None}


def test_a_source_that_has_failed_for_long_is_said_with_the_day(config: Path) -> None:
    cover(config, "runs", (NOW - 50 * DAY, NOW))
    later = NOW + 85 * DAY
    with opened(config, later) as one:
        (run,) = [run for run in collect(one).runs if run.kind == "runs"]
        (state,) = [state for state in source_states(one) if state.kind == "runs"]
        dates = Dates.seen_at(later, "UTC")
        console = Console(width=200)
        with console.capture() as told:
            console.print(terminal_tables.sources([state], dates, later))
        written = json.loads(machine.sources([state], "UTC"))
    assert run.outcome == "failed"
    assert run.soon_lost is not None
    assert run.soon_lost.start == NOW
    assert run.soon_lost.on == (NOW + 90 * DAY).date()
    assert "keyresults backfill forge --since 2026-11-20" in told.get()
    assert written[0]["soon_lost"]["on"] == "2027-02-18"


def test_where_the_config_is_wrong_or_somebody_fetches_it_nothing_is_said(config: Path) -> None:
    cover(config, "runs", (NOW - 50 * DAY, NOW))
    later = NOW + 85 * DAY
    with opened(config, later) as one:
        (stream,) = [state.stream for state in one.store.states("forge") if state.stream.kind == "runs"]
        one.store.lease(stream.id, "elsewhere:1:1", later, later + DAY)
        (busy,) = [run for run in collect(one).runs if run.kind == "runs"]
        assert (busy.outcome, busy.soon_lost) == ("busy", None)
        assert {state.soon_lost for state in source_states(one)} == {None}
        one.store.release(stream.id, "elsewhere:1:1")
        assert [state.soon_lost for state in source_states(one) if state.kind == "runs"] != [None]
        number = one.store.start_run("forge", stream, later)
        one.store.finish_run(number, later, "config", "no workflow 'deploi.yml'", 0, 0, 0, 0)
        assert {state.soon_lost for state in source_states(one)} == {None}


def test_a_refused_question_comes_before_what_would_be_lost(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise ConfigError("acme/shop: no workflow 'deploi.yml'")

    cover(config, "runs", (NOW - 50 * DAY, NOW))
    monkeypatch.setattr(GitHub, "collect", refused)
    with opened(config, NOW + 85 * DAY) as one:
        (run,) = [run for run in collect(one).runs if run.kind == "runs"]
    assert (run.outcome, run.soon_lost) == ("refused", None)
