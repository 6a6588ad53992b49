"""Fixtures that several topics share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from standins import prometheus as servers
from standins.latencies import Latencies

# The contract suite's asserts should tell as much as those written here.
pytest.register_assert_rewrite("keyresults.collectors.testing")


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


def _need_prometheus() -> None:
    missing = servers.missing_programs()
    if missing:
        pytest.skip(f"needs the programs {' and '.join(missing)} (Debian: apt install prometheus)")
