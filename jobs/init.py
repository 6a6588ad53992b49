"""`keyresults init`: look around, measure, propose, and write a config that works at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from ..config.load import FILE
from ..metrics.calendar import Calendar
from . import init_sources as names
from .init_document import draft, written
from .init_period import Period
from .init_telling import told
from .progress import Progress, Quiet
from .proposal import Proposals
from .proposals import propose
from .surroundings import Surroundings, look_around
from .trial import read_as, trial

HISTORY_DAYS = 183
"""How far back the clone is read."""

RECENT_DAYS = 35
"""How far back sources are asked that cost a request: four weeks, and what may still be open."""


class AlreadyConfigured(ValueError):
    """There is a config already, and it is never overwritten."""


class CannotWrite(ValueError):
    """The directory takes no file."""


@dataclass(frozen=True, slots=True)
class Initialised:
    """What was written, and what to tell: lines of at most 80 columns."""

    path: Path
    lines: tuple[str, ...]


def initialise(
    directory: Path, *, environ: Mapping[str, str], clock: Callable[[], datetime], progress: Progress | None = None
) -> Initialised:
    """Write `keyresults.toml` into the directory, from what is found there and measured.

    The numbers are those that `collect` and `status` will give: a trial collection computes them.

    Raises:
        AlreadyConfigured: where the file is there.
        CannotWrite: where it can't be written.
    """
    path = directory.absolute() / FILE
    if os.path.lexists(path):
        raise AlreadyConfigured(f"{path} is there already and is never overwritten; move it away to start anew")
    now = clock()
    found = look_around(path.parent, environ, now)
    period = Period.now(now, Calendar(found.timezone))
    proposals = _measured(found, period, path, clock, progress or Quiet())
    text = written(found, period, proposals)
    with TemporaryDirectory(prefix="keyresults-") as folder:
        read_as(text, path, Path(folder))
    _write(path, text)
    return Initialised(path, tuple(told(found, period, proposals, path, environ)))


def _measured(
    found: Surroundings, period: Period, path: Path, clock: Callable[[], datetime], progress: Progress
) -> Proposals:
    since = _since(found, period.start)
    with trial(draft(found, period), path, since, clock, progress) as tried:
        return propose(tried, found, period, clock())


def _since(found: Surroundings, today: date) -> Mapping[str, date]:
    """Which sources are collected for trial, and from which day on."""
    long, short = today - timedelta(days=HISTORY_DAYS), today - timedelta(days=RECENT_DAYS)
    asked = {
        names.GIT: (found.repository is not None and found.repository.branch is not None, long),
        names.COVERAGE: (found.coverage is not None, short),
        names.TESTS: (found.junit is not None, short),
        names.GITHUB: (found.token is not None, short),
    }
    return {name: day for name, (wanted, day) in asked.items() if wanted}


def _write(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        raise AlreadyConfigured(f"{path} appeared meanwhile and is never overwritten") from None
    except OSError as error:
        raise CannotWrite(f"{path} can't be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except BaseException as error:
        with suppress(OSError):
            path.unlink()
        if isinstance(error, OSError):
            raise CannotWrite(f"{path} can't be written: {error.strerror}") from None
        raise
