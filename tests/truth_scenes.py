"""What the truth tests share: a clock that stands still, and the command as people call it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from keyresults.cli.main import main
from keyresults.jobs.workspace import Workspace


@contextmanager
def clock_at(now: datetime) -> Iterator[None]:
    """Whatever opens a workspace inside believes that it is `now`."""
    whole = Workspace.__init__

    def made(self: Workspace, config: Any, writing: bool = False, clock: Callable[[], datetime] = lambda: now) -> None:
        whole(self, config, writing, clock)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Workspace, "__init__", made)
        yield


class Command:
    """`keyresults --config FILE …` inside this process, at a given time."""

    def __init__(self, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._config = config
        self._capsys = capsys

    def __call__(self, now: datetime, *arguments: str) -> tuple[int, str, str]:
        """The exit code, and what was written to standard output and standard error."""
        self._capsys.readouterr()
        with clock_at(now):
            code = main(["--config", str(self._config), *arguments])
        told = self._capsys.readouterr()
        return code, told.out, told.err

    def json(self, now: datetime, *arguments: str) -> Any:
        """What a reading command says with `--json`, which must succeed."""
        code, out, err = self(now, *arguments, "--json")
        assert code == 0, err
        return json.loads(out)
