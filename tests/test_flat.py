"""What a daemon holds does not grow: two hours of fifty sources that are collected every five minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from standins import postgres as servers

MORE_MEMORY, MORE_FILES, MORE_THREADS = 1.1, 12, 4
"""What may be held later, of what was at most in the first tenth; pools open connections and begin threads when they
are needed."""


@pytest.mark.soak
def test_memory_files_and_threads_stay_flat(tmp_path, store_url, soak):
    steps = soak(short=5, whole=24)
    store = f'"{store_url}"'
    if not store_url.startswith("sqlite"):
        without = store_url.replace("kr:hunter2%21@", "kr@")
        store = f'{{ url = "{without}", password = {{ env = "KR_DB" }} }}'
    here = Path(__file__).parent
    ran = subprocess.run(
        [sys.executable, str(here / "flat_daemon.py"), str(tmp_path), store, str(steps)],
        env={**os.environ, "KR_DB": servers.PASSWORD},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    held = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(held) == steps
    first, rest = held[: max(1, steps // 10)], held[max(1, steps // 10) :]
    at_first = {name: max(one[name] for one in first) for name in held[0]}
    later = {name: max(one[name] for one in rest) for name in held[0]}
    sys.stdout.write(f"at first {at_first}, later at most {later}\n")
    assert later["threads"] <= at_first["threads"] + MORE_THREADS
    assert later["files"] <= at_first["files"] + MORE_FILES
    assert later["memory"] <= at_first["memory"] * MORE_MEMORY
