"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from . import completing

if TYPE_CHECKING:
    from ..krs.judgement import Status
    from ..reports.progress_report import ProgressReport

ATTENTION = 1
"""The exit code that `--fail-on` asks for."""

STATUSES = (
    "off_track",
    "at_risk",
    "unknown",
    "missed",
    "held_back",
    "not_measured",
    "not_started",
    "withdrawn",
    "draft",
    "on_track",
    "met",
    "landed",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, as docs/json.md describes it.")
as_of_option = click.option(
    "--as-of",
    metavar="TIME",
    help="What today's facts say of that time: a date (its end) or an ISO time. Default: now.",
)
cycle_option = click.option(
    "--cycle",
    metavar="NAME",
    shell_complete=completing.cycles,
    help="The cycle, such as 2026-Q4. Default: the config's.",
)


class Day(click.DateTime):
    """A date such as 2026-06-01."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 (click's own signature)
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{str(value)[:40]!r} is no date: write year, month and day, such as 2026-06-01", param, ctx)


day = Day()

said_on_option = click.option(
    "--said-on",
    type=day,
    metavar="DATE",
    help="What was said at the end of that day, as it was said then. --as-of says what today's facts say of it.",
)


def only_one_of(as_of: str | None, said_on: object) -> None:
    if as_of is not None and said_on is not None:
        raise click.UsageError(
            "--said-on shows what was said on a day, --as-of what today's facts say of it: ask for one after the other"
        )


class StatusList(click.ParamType[frozenset[str]]):
    """Statuses, separated by commas."""

    name = "status"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[str]:  # noqa: ANN401 (click's own signature)
        if isinstance(value, frozenset):
            return value
        words = [w.strip().replace("-", "_").lower() for w in str(value).split(",")]
        choice = click.Choice(STATUSES)
        return frozenset(choice.convert(w, param, ctx) for w in words)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",")
        return [CompletionItem(f"{before}{comma}{word}") for word in STATUSES if word.startswith(last)]


fail_on_option = click.option(
    "--fail-on",
    type=StatusList(),
    multiple=True,
    metavar="STATUS[,…]",
    help="Exit with 1 if an objective or key result has one of these: off_track, at_risk, unknown, …",
)


def fail_on(report: ProgressReport, wanted: tuple[frozenset[str], ...]) -> None:
    """End the command with `ATTENTION` where a status is among the wanted."""
    statuses = frozenset[str]().union(*wanted)
    if any(status.value in statuses for status in _statuses(report)):
        click.get_current_context().exit(ATTENTION)


def _statuses(report: ProgressReport) -> Iterator[Status]:
    for objective in report.objectives:
        yield objective.judgement.status
        yield from (kr.judgement.status for kr in objective.key_results)
