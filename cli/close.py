from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from . import completing
from .invocation import Invocation, pass_invocation
from .options import json_option
from .printing import show, write

if TYPE_CHECKING:
    from ..jobs.workspace import Workspace
    from ..krs.grading import HandGrade
    from ..reports.values import ClosingPreview

NOBODY_KNOWS = "none"
"""What stands in place of a grade that nobody can give."""


@click.command()
@click.argument("cycle", shell_complete=completing.cycles)
@click.option("--yes", is_flag=True, help="Close it: the grades are frozen. Without, they are only shown.")
@click.option(
    "--grade",
    "written",
    multiple=True,
    metavar="KR=GRADE",
    help="Grade what was not measured by hand: 0 to 1, or none where nobody can tell. May come more than once.",
)
@click.option(
    "--reason", "reasons", multiple=True, metavar="TEXT", help="Why: for each --grade, or one for all of them."
)
@click.option("--early", is_flag=True, help="Close it although it, or one of its key results, still runs.")
@click.option("--reopen", is_flag=True, help="Open a closed cycle again, with a --reason.")
@click.option(
    "--by", metavar="NAME", help="Who closes or reopens it. Default: $KEYRESULTS_USER, else git's name, else the login."
)
@json_option
@pass_invocation
def close(
    invocation: Invocation,
    cycle: str,
    yes: bool,
    written: tuple[str, ...],
    reasons: tuple[str, ...],
    early: bool,
    reopen: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Grade a cycle's key results, and freeze the grades.

    What becomes known later changes them no more. Nothing is written without --yes or --reopen;
    docs/closing.md says what a grade is.

    \b
    Examples:
      keyresults close 2026-Q4
      keyresults close 2026-Q4 --grade survey=0.4 --reason "9 of 22 said so by phone" --yes
      keyresults close 2026-Q4 --reopen --reason "December's incidents came in late"
    """
    if reopen and (yes or written or early):
        raise click.UsageError("--reopen goes with --reason and --by alone")
    hands = _hands(written, reasons, reopen=reopen)
    workspace = invocation.open(writing=yes or reopen)
    if reopen:
        found = _reopened(workspace, cycle, " ".join(reasons), by)
    elif yes:
        found = _closed(workspace, cycle, hands, by, early=early)
    else:
        found = _previewed(workspace, cycle, hands, early=early)
    _print(found, as_json)


def _hands(written: tuple[str, ...], reasons: tuple[str, ...], *, reopen: bool) -> Mapping[str, HandGrade]:
    if reasons and not written and not reopen:
        raise click.UsageError("--reason goes with --grade or --reopen")
    if written and len(reasons) not in (1, len(written)):
        raise click.UsageError("give each --grade its --reason, in the same order, or one --reason for all")
    from ..krs.grading import HandGrade

    shared = reasons * len(written) if len(reasons) == 1 else reasons
    pairs = [_grade(one) for one in written]
    if len({name for name, _ in pairs}) < len(pairs):
        raise click.UsageError("two grades of one key result: give each its --grade once")
    return {
        name: HandGrade(value, reason.strip()) for (name, value), reason in zip(pairs, shared, strict=bool(written))
    }


def _grade(text: str) -> tuple[str, float | None]:
    name, _, value = text.rpartition("=")
    try:
        return name.strip(), None if value.strip().lower() == NOBODY_KNOWS else float(value)
    except ValueError:
        raise click.BadParameter(
            f"{text[:60]!r} is no grade: write the key result's id and 0 to 1, such as survey=0.4", param_hint="--grade"
        ) from None


def _previewed(workspace: Workspace, cycle: str, hands: Mapping[str, HandGrade], *, early: bool) -> ClosingPreview:
    from ..jobs.closing import preview

    return preview(workspace, cycle, hands, early=early)


def _closed(
    workspace: Workspace, cycle: str, hands: Mapping[str, HandGrade], by: str | None, *, early: bool
) -> ClosingPreview:
    from ..jobs.closing import close as closed

    closed(workspace, cycle, hands, by=_who(workspace, by), early=early)
    return _previewed(workspace, cycle, {}, early=False)


def _reopened(workspace: Workspace, cycle: str, reason: str, by: str | None) -> ClosingPreview:
    from ..jobs.closing import reopen as reopened

    reopened(workspace, cycle, by=_who(workspace, by), reason=reason)
    return _previewed(workspace, cycle, {}, early=False)


def _who(workspace: Workspace, by: str | None) -> str:
    from ..jobs.who import who

    return who(by, os.environ, workspace.config.path.parent)


def _print(found: ClosingPreview, as_json: bool) -> None:
    if as_json:
        from ..reports import machine

        write(machine.closing(found))
    else:
        from ..reports.terminal_closing import closing

        show(closing(found))
