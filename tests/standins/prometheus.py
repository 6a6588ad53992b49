"""A real Prometheus on the loopback, filled with a made-up past.

`promtool` turns OpenMetrics text into blocks. Its work grows with the square of a file's length,
so each day is a file of its own.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("prometheus", "promtool")
START_SECONDS = 30.0
HASH_OF_HUNTER2 = "$2b$04$k4R6VwEBkq5ZFJeoX0p5g.Pmllhy0nlLTEYiKlxRMzDJAOhVlbdZe"
"""bcrypt of `hunter2!`, as a web config file wants it."""


def missing_programs() -> list[str]:
    return [name for name in PROGRAMS if shutil.which(name) is None]


def write_blocks(storage: Path, days: Iterable[str]) -> None:
    """Fill a server's storage folder; each text holds one day (by UTC) of OpenMetrics, without its `# EOF`."""
    storage.mkdir(parents=True, exist_ok=True)
    text = storage.parent / "days.openmetrics"
    text.write_text("".join(days) + "# EOF\n")
    # Long blocks: for each of them promtool reads the whole file again.
    filling = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=720h", "-q"]
    subprocess.run([*filling, text, storage], check=True, capture_output=True, timeout=120)
    text.unlink()


@contextmanager
def running(storage: Path, *options: str, config: str = "scrape_configs: []\n") -> Iterator[str]:
    """A server over a storage folder that scrapes nothing, unless its `config` says so; gives its URL."""
    file = storage.parent / f"{storage.name}.yml"
    file.write_text(config)
    address = f"127.0.0.1:{_free_port()}"
    with (storage.parent / f"{storage.name}.log").open("wb") as log:
        server = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={file}",
                f"--storage.tsdb.path={storage}",
                # Without it the first start deletes whatever is older than 15 days.
                "--storage.tsdb.retention.time=10y",
                f"--web.listen-address={address}",
                *options,
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(f"http://{address}/-/ready", server)
            yield f"http://{address}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError as answer:
            if answer.code == 401:  # it is up, and wants a password
                return
        except OSError:
            pass
        if server.poll() is not None:
            raise RuntimeError(f"prometheus ended with {server.returncode}; see the log beside its storage")
        time.sleep(0.1)
    raise RuntimeError("prometheus did not become ready")
