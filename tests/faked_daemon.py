"""The daemon as a process that looks at the clock every tenth of a second, for a test that steps the system's clock."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from keyresults.config.load import load
from keyresults.jobs.service import Service
from keyresults.jobs.workspace import Workspace


def main(config: str) -> None:
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: ending.set())
    workspace = Workspace(load(Path(config)), writing=True, chance=lambda: 0.0)
    with workspace, Service(workspace, bound=0.1) as service:
        service.start()
        while not ending.wait(1.0):
            pass
        service.stop(5.0)


if __name__ == "__main__":
    main(sys.argv[1])
