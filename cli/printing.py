"""Writing to standard output: coloured on a terminal, plain and 80 columns wide in a pipe."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from ..jobs.whole_files import write_whole
from ..reports.printed import plain

if TYPE_CHECKING:
    from rich.console import RenderableType

PIPE_CLOSED = 141
"""The exit code of a program whose reader went away, as shells know it."""


def write(text: str) -> None:
    """Text as it is, to the end: a reader that leaves early ends the command quietly."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_quietly()


def save(path: Path, text: str) -> None:
    """
    Raises:
        click.FileError: where it can't be written; what stood there before is whole.
    """
    try:
        write_whole(path, text)
    except OSError as problem:
        raise click.FileError(str(path), problem.strerror) from problem


def show(content: RenderableType) -> None:
    write(rendered(content, colour=sys.stdout.isatty()))


def rendered(content: RenderableType, *, colour: bool) -> str:
    """The text of a page; without colour it is the same on every machine."""
    if not colour:
        return plain(content)
    from rich.console import Console

    # Rich asks the environment (NO_COLOR, TERM, COLUMNS) where a terminal is written to.
    console = Console(highlight=False)
    with console.capture() as captured:
        console.print(content)
    return captured.get()


def _leave_quietly() -> NoReturn:
    # What is still buffered would raise again when the interpreter flushes it at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(PIPE_CLOSED)
