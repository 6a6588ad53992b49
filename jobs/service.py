"""The daemon as a whole: alone on its store, following its config, until it is stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from ..config.model import Config
from ..storage.errors import StoreError
from .daemon import Daemon
from .exporter import CannotListen, serve
from .pulse import Pulse
from .reload import Followed
from .routines import Work
from .scheduler import BOUND
from .workspace import Workspace

log = logging.getLogger("keyresults.daemon")


class Service:
    """`lost` is called where another daemon has taken the store, which happens only once the lock on it was lost.

    `problem` then says so.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        lost: Callable[[], None] = lambda: None,
        bound: float = BOUND,
    ) -> None:
        self.problem = ""
        self.pulse = Pulse()
        self._workspace = workspace
        self._lost = lost
        self._bound = bound
        self._reread = threading.Event()
        self._held: Callable[[], bool] = lambda: True
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """
        Raises:
            StoreTaken: where another daemon is at work on the store.
            CannotListen: where the address that the config names can't be had.
        """
        self._held = self._open.enter_context(self._workspace.store.alone())
        self._followed = Followed(self._workspace.config, self._use, self._reread)
        self.daemon = Daemon(
            self._workspace,
            lambda workspace: Work(workspace, self.pulse, self._soon).routines(),
            pulse=self.pulse,
            watch=self._watch,
            bound=self._bound,
        )
        with self._open.pop_all() as opened:
            opened.enter_context(self._seen())
            self._open = opened.pop_all()
        return self

    @contextmanager
    def _seen(self) -> Iterator[None]:
        """From outside, where nobody else has the address; one that the config names must be had."""
        listen = self._workspace.config.daemon.listen
        try:
            exporter = serve(lambda: self._workspace, self.pulse, listen)
        except CannotListen as error:
            if listen is not None:
                raise
            log.warning("%s", error)
            yield
            return
        try:
            yield
        finally:
            exporter.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def start(self) -> None:
        self.daemon.start()
        # Judged anew: the config may be another, and whoever asks whether it is ready waits for this.
        self.daemon.soon("evaluate")
        config = self._workspace.config
        told = {"sources": len(config.sources), "objectives": len(config.objectives), "config": config.digest[:12]}
        log.info("started", extra=told)

    def reread(self) -> None:
        """Read the config at once, changed or not."""
        self._reread.set()
        self.daemon.wake()

    def stop(self, seconds: float) -> bool:
        log.info("stopping")
        return self.daemon.stop(seconds)

    def _soon(self, name: str) -> None:
        self.daemon.soon(name)

    def _use(self, config: Config) -> None:
        if config.daemon.listen != self._workspace.config.daemon.listen:
            log.warning("health and metrics stay where they are: restart to have them told at [daemon] listen")
        self._workspace = self._workspace.under(config)
        self.daemon.use(self._workspace)
        self.daemon.soon("evaluate")

    def _watch(self) -> None:
        self._followed.look()
        self.pulse.config_error = self._followed.problem
        try:
            if not self._held():
                self.problem = "another `keyresults run` has taken over the store"
                self._lost()
        except StoreError as error:
            log.error("%s", error)
