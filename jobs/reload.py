"""Follows the config file: a new one that is fine is used, a broken one is told and left."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from ..config.load import load
from ..config.model import Config
from ..config.problem import ConfigProblems

log = logging.getLogger("keyresults.config")


class Followed:
    """The config as the file says it. `look` may be called often: it reads the file where that has changed.

    `asked` has the next look read it, changed or not. `problem` says why the newest one is not used; empty where it
    is.
    """

    def __init__(self, config: Config, use: Callable[[Config], None], asked: threading.Event) -> None:
        self.problem = ""
        self._config = config
        self._use = use
        self._seen = _stamp(config.path)
        self._asked = asked

    def look(self) -> None:
        stamp = _stamp(self._config.path)
        asked = self._asked.is_set()
        if stamp == self._seen and not asked:
            return
        self._asked.clear()
        self._seen = stamp
        self.problem = self._read(asked)
        if self.problem:
            log.error("the changed config is not used, the one before stays: %s", self.problem)

    def _read(self, asked: bool) -> str:
        """Use the file as it is now; else why not."""
        try:
            new = load(self._config.path)
        except (ConfigProblems, OSError) as error:
            return str(error)
        if new.store != self._config.store:
            return "it names another store: restart to use that"
        if new.digest != self._config.digest:
            self._config = new
            self._use(new)
            log.info("the config has changed and is used from now on", extra={"config": new.digest[:12]})
        elif asked or self.problem:
            log.info("the config was read again and says what it said before", extra={"config": new.digest[:12]})
        return ""


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
