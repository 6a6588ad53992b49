"""Finding the config file and reading it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .document import read
from .problem import whole_file

if TYPE_CHECKING:
    from ..collectors.contract import Collector
    from .model import Config

FILE = "keyresults.toml"
VARIABLE = "KEYRESULTS_CONFIG"


def find(explicit: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The config file: the one named, else that of `$KEYRESULTS_CONFIG`, else the nearest `keyresults.toml` upwards.

    Raises:
        ConfigProblems: where there is none.
    """
    if explicit is not None:
        return _there(cwd / explicit, explicit, "--config")
    if named := environ.get(VARIABLE):
        return _there(cwd / Path(named).expanduser(), Path(named), f"${VARIABLE}")
    for folder in (cwd, *cwd.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise whole_file(
        cwd / FILE,
        f"there is no {FILE} here or in a folder above: `keyresults init` writes one, --config FILE names another",
    )


def load(path: Path, registry: Mapping[str, type[Collector]] | None = None) -> Config:
    """The config, checked. `registry` holds the collectors by type word; None: all there are.

    Raises:
        ConfigProblems: with everything that is wrong, each at its place.
    """
    document = read(path)
    # Late: pydantic and the collectors are needed neither to find a file nor to refuse one.
    from .bind import bind

    return bind(document, registry)


def _there(path: Path, written: Path, said_by: str) -> Path:
    if not path.is_file():
        what = "a folder, not a file" if path.is_dir() else "not there"
        raise whole_file(written, f"the config named by {said_by} is {what}")
    return path
