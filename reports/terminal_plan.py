"""What a collection will take, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from . import wording
from .dates import Dates
from .escaping import clean
from .numbers import amount, count, many
from .queries import told_apart
from .values import CollectionPlan, PlannedQuota, PlannedSource, PlannedStream


def plan(planned: CollectionPlan, dates: Dates) -> RenderableType:
    """One line per stream, then for each source whether its quotas allow it, and how long it takes."""
    if not planned.sources:
        return Text("Nothing to collect: no metric asks a source for anything.")
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    table.add_column("stream", overflow="fold")
    table.add_column("back to", no_wrap=True)
    table.add_column("requests", justify="right", no_wrap=True)
    for source in planned.sources:
        apart = told_apart(source.streams)
        for stream in source.streams:
            name = wording.stream(stream.source, stream.kind, stream.subject, query=apart(stream))
            table.add_row(clean(name), dates.instant(stream.start), _requests(stream))
    said = [line for source in planned.sources for line in _of_source(source, dates)]
    return Group(table, "", *said) if table.row_count else Group(*said)


def _requests(stream: PlannedStream) -> str:
    if stream.requests is None:
        return "?"
    return f"{count(stream.requests)}{'+' if stream.at_least else ''}"


def _of_source(source: PlannedSource, dates: Dates) -> Iterator[Text]:
    name = clean(source.source)
    if source.error:
        yield Text(f"{name}: {clean(dates.in_text(source.error))}", style="red")
        return
    if source.seconds is None:
        yield Text(f"{name} counts no requests.", style="dim")
        return
    takes = f"{many(source.requests, 'requests')}, about {amount(source.seconds, 's')}"
    yield Text(f"{name}: {takes}; finding this out took {many(source.spent, 'requests')}.")
    for quota in source.quotas:
        yield Text(f"  {_quota(quota, dates)}", style="" if quota.fits else "yellow")
    if any(stream.at_least for stream in source.streams):
        yield Text("  + where nothing is new; what is new or can't be counted comes on top.", style="dim")
    beyond = list(_beyond(source))
    if beyond:
        yield Text(f"  not in it: {', and '.join(beyond)}.", style="dim")


def _beyond(source: PlannedSource) -> Iterator[str]:
    """What the counts don't show beforehand."""
    if source.compares:
        yield "comparisons of commits, about one for each deployment that is still to be read"
    if any(stream.kind == "runs" for stream in source.streams):
        yield "the first attempts of repeated runs"


def _quota(quota: PlannedQuota, dates: Dates) -> str:
    if quota.allowed is None or quota.reset is None:
        return f"{quota.resource}: {count(quota.needed)} needed; how many are left is not known."
    until = dates.instant(quota.reset)
    left = f"{quota.resource}: {count(quota.needed)} needed, {count(quota.allowed)} left until {until}"
    return f"{left}." if quota.fits else f"{left}: the rest is collected after it."
