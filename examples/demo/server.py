"""A Prometheus of the demo's own, on a free port of the loopback, filled with samples of the past."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("prometheus", "promtool")
PATIENCE = 20.0
"""Seconds a server may take to start or to stop."""


class PrometheusFailed(Exception):
    """In words for the user."""


def missing_programs() -> list[str]:
    return [name for name in PROGRAMS if shutil.which(name) is None]


@contextmanager
def prometheus(folder: Path, openmetrics: str) -> Iterator[str]:
    """Runs until the block is left, however it is left; gives the URL."""
    storage, samples, log = folder / "storage", folder / "samples.openmetrics", folder / "prometheus.log"
    storage.mkdir(parents=True)
    samples.write_text(openmetrics)
    # Long blocks: for each of them promtool reads the whole file again.
    filling = ("promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=720h", "--quiet")
    filled = subprocess.run([*filling, samples, storage], capture_output=True, text=True)
    if filled.returncode:
        raise PrometheusFailed(f"promtool could not load the samples: {filled.stderr.strip()}")
    (folder / "prometheus.yml").write_text("scrape_configs: []\n")
    address = f"127.0.0.1:{_free_port()}"
    with log.open("wb") as said:
        server = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={storage}",
                # Without it the first start deletes whatever is older than 15 days.
                "--storage.tsdb.retention.time=10y",
                f"--web.listen-address={address}",
            ],
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_ready(f"http://{address}/-/ready", server, log)
            yield f"http://{address}"
        finally:
            _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    # A proxy of the environment is not to be asked for the loopback.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            with direct.open(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise PrometheusFailed(f"prometheus did not start; it said why in {log}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
