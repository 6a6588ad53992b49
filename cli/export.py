from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from . import completing
from .invocation import Invocation, as_of_instant, pass_invocation
from .names import known_sources, metric_named
from .options import as_of_option, day
from .printing import write

if TYPE_CHECKING:
    from ..metrics.facts import FactKind
    from ..reports.tabular import Form

KINDS = ("deployments", "runs", "changes", "incidents", "shipments", "samples")

_LINES = 500
"""How many are written at a time."""

Option = Callable[[Any], Any]

format_option: Option = click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    default="csv",
    show_default=True,
    help="CSV with a heading, or a JSON object on each line.",
)
since_option: Option = click.option("--since", type=day, metavar="DAY", help="The first day, included.")
until_option: Option = click.option("--until", type=day, metavar="DAY", help="The last day, included.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def export() -> None:
    """Write facts or readings for other tools.

    To standard output, as CSV or JSON Lines, with times in the tracker's zone. What is missing is an
    empty cell, or null. Readings have the units of the command `metric --json`.

    \b
    Examples:
      keyresults export facts deployments > deployments.csv
      keyresults export readings --metric rollback-rate > readings.csv
    """


@export.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option(
    "--source", "sources", multiple=True, shell_complete=completing.sources, help="Of this source; may come repeatedly."
)
@since_option
@until_option
@format_option
@pass_invocation
def facts(
    invocation: Invocation,
    kind: FactKind,
    sources: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    form: Form,
) -> None:
    """Write the stored facts of a kind.

    By source and stream, oldest first. A source of type "file" reads them again.

    \b
    Examples:
      keyresults export facts deployments > deployments.csv
      keyresults export facts runs --source github --since 2026-10-01 --format jsonl
    """
    from ..reports.tabular import lines
    from ..storage.exporting import fact_fields, fact_records

    workspace = invocation.open()
    calendar = workspace.config.calendar
    start = calendar.start_of(since.date()) if since else None
    end = calendar.end_of(until.date()) if until else None
    with closing(fact_records(workspace.store, kind, known_sources(sources, workspace.config), start, end)) as records:
        _write(lines(records, form, calendar.timezone, fact_fields(kind)))


@export.command()
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    shell_complete=completing.names,
    help="Of this metric, or that of this key result; may come repeatedly. Default: all.",
)
@since_option
@until_option
@format_option
@as_of_option
@pass_invocation
def readings(
    invocation: Invocation,
    metrics: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    form: Form,
    as_of: str | None,
) -> None:
    """Write metrics' daily readings.

    The same that `keyresults metric` shows, for several metrics at once. Without --since they begin
    with the cycle.

    \b
    Examples:
      keyresults export readings > readings.csv
      keyresults export readings --metric p99-payments --since 2026-10-01 --format jsonl
    """
    from ..jobs.evaluate import metric_series
    from ..reports import tabular

    workspace = invocation.open()
    at = as_of_instant(workspace, as_of)
    first, last = since.date() if since else None, until.date() if until else None
    names = dict.fromkeys(metric_named(name, workspace.config, at) for name in metrics) or workspace.config.metrics
    records = (
        record
        for name in names
        for record in tabular.readings(metric_series(workspace, name, since=first, until=last, as_of=at))
    )
    shaped = tabular.flat(records) if form == "csv" else records
    _write(tabular.lines(shaped, form, workspace.config.calendar.timezone, tabular.READING_HEADING))


def _write(lines: Iterable[str]) -> None:
    waiting: list[str] = []
    for line in lines:
        waiting.append(line)
        if len(waiting) == _LINES:
            write("".join(waiting))
            waiting.clear()
    write("".join(waiting))
