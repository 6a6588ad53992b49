"""Who holds a lease: this process, named so that others on the machine can see whether it still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def this_process() -> str:
    """`host:pid:birth`; the birth tells this process from a later one with the same number."""
    return f"{socket.gethostname()}:{os.getpid()}:{_birth(os.getpid()) or ''}"


def is_dead(holder: str) -> bool:
    """Whether the holder surely lives no more. Of other machines nothing is known: their leases run out."""
    host, _, rest = holder.rpartition(":")[0].rpartition(":")
    birth = holder.rpartition(":")[2]
    if host != socket.gethostname() or not rest.isdigit():
        return False
    pid = int(rest)
    return not _lives(pid) or (birth != "" and _birth(pid) not in (None, birth))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _birth(pid: int) -> str | None:
    """Clock ticks from the machine's start to the process's; None where the system does not say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[19]
