"""A round of check-ins: one key result after another is shown and asked for; each answer is kept before the next."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from .printing import show, write

if TYPE_CHECKING:
    from ..jobs.checkin import Turn
    from ..jobs.workspace import Workspace
    from ..krs.names import KeyResultName
    from ..reports.progress_report import ProgressReport


T = TypeVar("T")


class InputEnded(Exception):
    """There is nothing more to read."""


def go_round(workspace: Workspace, report: ProgressReport, turns: Sequence[Turn], *, by: str) -> None:
    """Ask for each key result, on a terminal or line by line from a file or pipe.

    Raises:
        ClickException: where the input ends before the round does, or a line of it is no confidence.
    """
    from ..krs.names import KeyResultName
    from ..reports import terminal_checkins
    from ..reports.dates import Dates

    dates = Dates.seen_at(report.as_of, report.timezone)
    answers = _Answers(workspace, by)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    for n, turn in enumerate(turns, 1):
        place = f"{n} of {len(turns)}" if len(turns) > 1 else ""
        show(terminal_checkins.asked(turn.key_result, turn.objective.kind, dates, place))
        try:
            answers.take(KeyResultName(report.cycle.name, turn.key_result.id))
        except InputEnded:
            raise click.ClickException(f"the input ended at {turn.key_result.id}; {answers.told()}") from None
        except click.ClickException as problem:
            raise click.ClickException(f"{problem.message}; {answers.told()}") from None
        except KeyboardInterrupt:
            click.echo(f"\nStopped; {answers.told()}.", err=True)
            raise
        write("\n")
    if answers.kept:
        from ..jobs.checkin import tell

        tell(workspace, report.cycle.name)
    told = answers.told()
    write(f"{told[0].upper()}{told[1:]}.\n")


class _Answers:
    """Asks and keeps; counts what was kept."""

    def __init__(self, workspace: Workspace, by: str) -> None:
        self.kept = 0
        self._workspace = workspace
        self._by = by

    def told(self) -> str:
        return f"{self.kept or 'no'} check-in{'' if self.kept == 1 else 's'} kept"

    def take(self, name: KeyResultName) -> None:
        confidence = self._confidence()
        if confidence is None:
            return
        note = ""
        try:
            note = self._note()
        finally:  # what was said already is kept, whatever becomes of the note
            self._keep(name, confidence, note)

    def _confidence(self) -> int | None:
        """None where the key result is passed over."""
        from ..krs.checkin import confidence_of

        return _answer("Confidence, 0 to 10 (Enter to skip): ", lambda text: confidence_of(text) if text else None)

    def _note(self) -> str:
        from ..jobs.checkin import fitting

        return _answer("Note (Enter for none): ", fitting)

    def _keep(self, name: KeyResultName, confidence: int, note: str) -> None:
        from ..jobs.checkin import check_in

        check_in(self._workspace, name, confidence, note, by=self._by)
        self.kept += 1


def _answer(question: str, read: Callable[[str], T]) -> T:
    """Asked again on a terminal until it can be read. Of a file or pipe nothing that follows can be trusted then."""
    while True:
        text = _ask(question)
        try:
            return read(text)
        except ValueError as problem:
            if not sys.stdin.isatty():
                raise click.ClickException(str(problem)) from None
            click.echo(str(problem), err=True)


def _ask(question: str) -> str:
    """The next line, without blanks at its ends.

    Raises:
        InputEnded: where there is none.
    """
    if sys.stdin.isatty() and sys.stdout.isatty():
        try:
            return input(question).strip()
        except EOFError:
            raise InputEnded from None
    write(question)
    line = sys.stdin.readline()
    write("\n")
    if not line:
        raise InputEnded
    return line.strip()
