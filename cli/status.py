from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from .invocation import Invocation, as_of_instant, pass_invocation
from .options import as_of_option, cycle_option, fail_on, fail_on_option, json_option, only_one_of, said_on_option
from .printing import show, write

if TYPE_CHECKING:
    from ..reports.progress_report import ProgressReport


@click.command()
@json_option
@as_of_option
@said_on_option
@cycle_option
@fail_on_option
@pass_invocation
def status(
    invocation: Invocation,
    as_json: bool,
    as_of: str | None,
    said_on: datetime | None,
    cycle: str | None,
    fail_on: tuple[frozenset[str], ...],
) -> None:
    """Show where objectives and key results stand.

    Without --as-of this is what the last collection found, with its time.

    \b
    Examples:
      keyresults status
      keyresults status --as-of 2026-11-01
      keyresults status --said-on 2026-11-01
      keyresults status --json | jq '.objectives[].status'
      keyresults status --fail-on off_track,unknown
    """
    only_one_of(as_of, said_on)
    if said_on is not None:
        from ..jobs.said import said_on as said

        report = said(invocation.open(), day=said_on.date(), cycle=cycle)
    else:
        report = _report(invocation, as_of, cycle)
    _print(report, as_json, fail_on, "" if as_of or said_on else _upcoming(invocation))


def _upcoming(invocation: Invocation) -> str:
    from ..jobs.status import upcoming

    found = upcoming(invocation.config_path())
    return "" if found is None else found.words()


def _report(invocation: Invocation, as_of: str | None, cycle: str | None) -> ProgressReport:
    if as_of is None:
        from ..jobs.status import stored_report

        stored = stored_report(invocation.config_path(), cycle)
        if stored is not None:
            return stored
    from ..jobs.evaluate import evaluate

    workspace = invocation.open()
    return evaluate(workspace, as_of=as_of_instant(workspace, as_of), cycle=cycle)


def _print(report: ProgressReport, as_json: bool, wanted: tuple[frozenset[str], ...], upcoming: str) -> None:
    if as_json:
        from ..reports import machine

        write(machine.status(report))
    else:
        from ..reports import terminal

        show(terminal.status(report))
        write(f"\n{upcoming}\n" if upcoming else "")
    fail_on(report, wanted)
