"""What every subcommand is given: where the config is, and how to open what stands behind it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..jobs.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Invocation:
    """The global options. `config` is None where the file is to be looked for."""

    config: Path | None = None
    debug: bool = False

    def config_path(self) -> Path:
        """
        Raises:
            ConfigProblems: where there is none.
        """
        from ..config.load import find

        return find(self.config, os.environ, Path.cwd())

    def open(self, *, writing: bool = False, making: bool = True) -> Workspace:
        """The config, and the store once it is needed, which `writing` makes unless `making` is False; closed when the
        command ends."""
        from ..jobs.workspace import Workspace

        return click.get_current_context().with_resource(Workspace.open(self.config, writing=writing, making=making))


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)


def as_of_instant(workspace: Workspace, text: str | None) -> datetime:
    """The instant `--as-of` speaks of; wrong ones are the user's error."""
    from ..jobs.clock import parse_as_of

    with _told_to_the_user():
        return parse_as_of(text, workspace.config.calendar, workspace.clock())


def measured_instant(workspace: Workspace, text: str) -> datetime:
    """The instant `--at` speaks of; wrong ones are the user's error."""
    from ..jobs.clock import parse_measured_at

    with _told_to_the_user():
        return parse_measured_at(text, workspace.config.calendar, workspace.clock())


@contextmanager
def _told_to_the_user() -> Iterator[None]:
    try:
        yield
    except ValueError as problem:
        raise click.ClickException(str(problem)) from problem
