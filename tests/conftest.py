"""Fixtures that several topics share."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from standins import postgres as postgres_server
from standins import prometheus as servers
from standins.latencies import Latencies

# Tests start hundreds of commands: without compiled modules beside the sources each would compile all of them again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The contract suite's asserts should tell as much as those written here.
pytest.register_assert_rewrite("keyresults.collectors.testing")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", choices=("short", "whole"), help="run the long tests: a taste of them, or all")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without --soak the long tests are no part of the run."""
    if config.getoption("--soak") is None:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("soak")])
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> Callable[..., int]:
    """How many rounds to go: `soak(short=…, whole=…)`."""
    length = request.config.getoption("--soak")
    return lambda **rounds: rounds[length]


@dataclass(frozen=True)
class FilledPrometheus:
    """A real server over ninety days of `history`; `storage` may be served a second time once this one has ended."""

    url: str
    storage: Path
    history: Latencies


@pytest.fixture(scope="session")
def make_httpserver() -> Iterator[HTTPServer]:
    """pytest-httpserver's own answers one request at a time: one told to hang would hold up the next test's."""
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        yield server


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledPrometheus]:
    _need_prometheus()
    storage = tmp_path_factory.mktemp("prometheus") / "blocks"
    history = Latencies()
    servers.write_blocks(storage, history.days())
    with servers.running(storage) as url:
        yield FilledPrometheus(url, storage, history)


@pytest.fixture
def guarded_prometheus(tmp_path: Path) -> Iterator[str]:
    """A real, empty server that wants user `kr` and password `hunter2!`."""
    _need_prometheus()
    web = tmp_path / "web.yml"
    web.write_text(f"basic_auth_users:\n  kr: {servers.HASH_OF_HUNTER2}\n")
    with servers.running(tmp_path / "guarded", f"--web.config.file={web}") as url:
        yield url


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    """A real server, one for each process of tests."""
    if reason := postgres_server.missing():
        pytest.skip(reason)
    with postgres_server.running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: postgres_server.Server) -> str:
    """That of a new, empty schema."""
    return postgres.schema(f"kr{uuid.uuid4().hex}")


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new store's, in a file and on a server."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/store.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


def _need_prometheus() -> None:
    missing = servers.missing_programs()
    if missing:
        pytest.skip(f"needs the programs {' and '.join(missing)} (Debian: apt install prometheus)")
