"""Who says something: a name, and nothing more of a person."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from ..collectors.contract import CollectorError
from ..collectors.git_program import GitProgram

VARIABLE = "KEYRESULTS_USER"

_LONGEST = 100
_GIT_SECONDS = 5.0
_ADDRESS = re.compile(r"\s*<[^>]*>\s*$")


class Nobody(ValueError):
    """Nobody's name is known; `str()` says how to give one."""


def who(given: str | None, environ: Mapping[str, str], folder: Path) -> str:
    """The name to write down: as given, else of `KEYRESULTS_USER`, else git's in `folder`, else the login's.

    Raises:
        Nobody: where it is empty, or there is none.
    """
    if given is not None and not _name(given):
        raise Nobody("--by needs a name")
    for found in chain((given, environ.get(VARIABLE)), _known(folder)):
        if found is not None and _name(found):
            return _name(found)
    raise Nobody(f"who says so? Give a name with --by, or in {VARIABLE}")


def _name(text: str) -> str:
    """One line of a bounded length, without an e-mail address behind it."""
    return _ADDRESS.sub("", " ".join(text.split()))[:_LONGEST]


def _known(folder: Path) -> Iterator[str | None]:
    """What the machine knows, looked up only where it is needed."""
    try:
        yield GitProgram(folder, _GIT_SECONDS).line("config", "user.name")
    except CollectorError:
        yield None
    try:
        yield getpass.getuser()
    except (OSError, KeyError, ImportError):
        yield None
