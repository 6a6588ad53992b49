from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .invocation import Invocation, as_of_instant, pass_invocation
from .options import as_of_option, cycle_option, day, fail_on_option, json_option, only_one_of, said_on_option
from .options import fail_on as fail_if
from .printing import save, show, write

if TYPE_CHECKING:
    from ..config.model import Format
    from ..jobs.workspace import Workspace
    from ..reports.progress_report import ProgressReport


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", "markdown", "json", "html"]),
    default="terminal",
    show_default=True,
    help="How it is written.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file. Pages of facts are put beside a report in HTML, into the folder evidence.",
)
@json_option
@as_of_option
@said_on_option
@cycle_option
@click.option(
    "--since",
    type=day,
    metavar="DATE",
    help="Tell what moved since the end of that day. Default: 7 days before.",
)
@fail_on_option
@pass_invocation
def report(
    invocation: Invocation,
    form: Format,
    output: Path | None,
    as_json: bool,
    as_of: str | None,
    said_on: datetime | None,
    cycle: str | None,
    since: datetime | None,
    fail_on: tuple[frozenset[str], ...],
) -> None:
    """Print the full report, with what every number rests on.

    \b
    Examples:
      keyresults report
      keyresults report --format html --output progress.html
      keyresults report --format markdown --output progress.md
      keyresults report --json --as-of 2026-11-01
      keyresults report --since 2026-11-09
    """
    form = "json" if as_json else form
    only_one_of(as_of, said_on)
    if said_on is not None and since is not None:
        raise click.UsageError("--since compares with what today's facts say; --said-on shows a report as it was")
    workspace = invocation.open()
    found = _report(workspace, as_of, said_on, cycle, since)
    if output is None:
        _print(workspace, found, form)
    else:
        from ..jobs.report_files import files

        for name, text in files(workspace, found, form, output.name):
            save(output.parent / name, text)
    fail_if(found, fail_on)


def _report(
    workspace: Workspace, as_of: str | None, on: datetime | None, cycle: str | None, since: datetime | None
) -> ProgressReport:
    if on is not None:
        from ..jobs.said import said_on

        return said_on(workspace, day=on.date(), cycle=cycle)
    from ..jobs.telling import report_of

    at = as_of_instant(workspace, as_of)
    return report_of(workspace, as_of=at, cycle=cycle, since=since.date() if since else None)


def _print(workspace: Workspace, found: ProgressReport, form: Format) -> None:
    if form == "terminal":
        from ..reports import terminal

        show(terminal.full_report(found))
    else:
        from ..jobs.report_files import text

        write(text(workspace, found, form))
