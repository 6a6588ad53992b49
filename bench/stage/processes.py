"""Whole processes, measured from outside: seconds, seconds of processor, peak memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

PYTHON = sys.executable
_IN_KIB = sys.platform != "darwin"


@dataclass(frozen=True, slots=True)
class Spent:
    """`wall` and `cpu` (user and system) in seconds, `peak` in MiB, and what the process printed."""

    wall: float
    cpu: float
    peak: float
    printed: str = ""

    def told(self) -> Any:
        """What the process printed, as JSON."""
        return json.loads(self.printed)


def run(arguments: Sequence[str]) -> Spent:
    """One process from start to end. Its caller stays small: on Linux a child's peak begins with its parent's."""
    began = time.perf_counter()
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        printed = process.stdout.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    return Spent(wall, used.ru_utime + used.ru_stime, _mebibytes(used), printed)


def peak() -> float:
    """MiB that this process held at most so far."""
    return _mebibytes(resource.getrusage(resource.RUSAGE_SELF))


def _mebibytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / 1024 if _IN_KIB else used.ru_maxrss / 2**20


def in_turn(rounds: int, *processes: Callable[[], Spent]) -> list[list[Spent]]:
    """What each process spent, round after round, A B A B: what slows the machine slows all of them."""
    spent: list[list[Spent]] = [[] for _ in processes]
    for _ in range(rounds):
        for mine, process in zip(spent, processes, strict=True):
            mine.append(process())
    return spent


def middle(spent: Sequence[Spent]) -> Spent:
    return Spent(*(median(getattr(one, name) for one in spent) for name in ("wall", "cpu", "peak")))
