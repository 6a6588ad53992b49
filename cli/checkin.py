from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from . import completing
from .invocation import Invocation, pass_invocation
from .options import cycle_option, json_option
from .printing import show, write

if TYPE_CHECKING:
    from ..jobs.workspace import Workspace


class Confidence(click.ParamType[int]):
    """A whole number from 0 to 10."""

    name = "confidence"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401 (click's own signature)
        from ..krs.checkin import confidence_of

        try:
            return confidence_of(str(value))
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


@click.command()
@click.argument("key_result", required=False, shell_complete=completing.key_results)
@click.option(
    "--confidence", type=Confidence(), metavar="0…10", help="How sure: 0 is no chance, 10 certain to be reached."
)
@click.option("--note", metavar="TEXT", help="What it rests on, in a sentence.")
@click.option(
    "--by", metavar="NAME", help="Who says so. Default: $KEYRESULTS_USER, else git's user.name, else the login."
)
@click.option("--owner", metavar="NAME", help="Only what this team or person answers for.")
@click.option("--due", is_flag=True, help="List what awaits a check-in by the rhythm of [checkins].")
@click.option("--history", is_flag=True, help="List what was said, newest first.")
@cycle_option
@json_option
@pass_invocation
def checkin(
    invocation: Invocation,
    key_result: str | None,
    confidence: int | None,
    note: str | None,
    by: str | None,
    owner: str | None,
    due: bool,
    history: bool,
    cycle: str | None,
    as_json: bool,
) -> None:
    """Say how sure you are that a key result will be reached.

    Without --confidence and --note it is a round: each open key result is shown with its reading, what moved since
    the last check-in and its forecast, then asked for. Every answer is kept at once. No check-in alters a number.

    \b
    Examples:
      keyresults checkin p99-payments --confidence 7 --note "the cache goes live next week"
      keyresults checkin --owner payments
      keyresults checkin --due
      keyresults checkin p99-payments --history
    """
    said = confidence is not None or note is not None
    _agree(key_result, owner, said=said, listed=due or history, twice=due and history, as_json=as_json, by=by)
    if due:
        _show_due(invocation.open(), cycle, owner, key_result, as_json=as_json)
    elif history:
        _show_history(invocation.open(), cycle, owner, key_result, as_json=as_json)
    elif said and key_result is not None:
        _keep(invocation.open(writing=True), key_result, cycle, confidence, note or "", by)
    else:
        _go_round(invocation.open(writing=True), cycle, owner, key_result, by)


def _agree(
    key_result: str | None,
    owner: str | None,
    *,
    said: bool,
    listed: bool,
    twice: bool,
    as_json: bool,
    by: str | None,
) -> None:
    """End the command where its options contradict each other."""
    if twice:
        raise click.UsageError("--due or --history: one of them")
    if listed and (said or by is not None):
        raise click.UsageError("--due and --history only list: leave out --confidence, --note and --by")
    if as_json and not listed:
        raise click.UsageError("--json goes with --due or --history")
    if said and key_result is None:
        raise click.UsageError("of which key result? `keyresults checkin KEY_RESULT --confidence 7`")
    if owner is not None and key_result is not None:
        raise click.UsageError("--owner or a key result: one of them")


def _keep(
    workspace: Workspace, name: str, cycle: str | None, confidence: int | None, note: str, by: str | None
) -> None:
    from ..jobs.checkin import check_in, named, tell, turn_of
    from ..jobs.who import who
    from ..reports import terminal_checkins
    from ..reports.dates import Dates

    kr = named(workspace.config, name, cycle)
    check_in(workspace, kr, confidence, note, by=who(by, os.environ, workspace.config.path.parent))
    report = tell(workspace, kr.cycle)
    turn = turn_of(report, kr.id)
    dates = Dates.seen_at(report.as_of, report.timezone)
    show(terminal_checkins.kept(turn.key_result, turn.objective.kind, dates))


def _go_round(workspace: Workspace, cycle: str | None, owner: str | None, only: str | None, by: str | None) -> None:
    from ..jobs.checkin import named as key_result_named
    from ..jobs.checkin import turn_of, turns
    from ..jobs.evaluate import cycle_named, evaluate
    from ..jobs.who import who
    from .checkin_round import go_round

    name = who(by, os.environ, workspace.config.path.parent)
    kr = key_result_named(workspace.config, only, cycle) if only is not None else None
    one = cycle_named(workspace.config, kr.cycle if kr else cycle)
    report = evaluate(workspace, as_of=workspace.clock(), cycle=one.name)
    found = [turn_of(report, kr.id)] if kr else turns(workspace, report, owner)
    if not found:
        write(f"No key result of {one.name} is open{f' that {owner} answers for' if owner else ''}.\n")
        return
    go_round(workspace, report, found, by=name)


def _show_due(workspace: Workspace, cycle: str | None, owner: str | None, only: str | None, *, as_json: bool) -> None:
    from ..jobs.checkin import due, named
    from ..reports.dates import Dates

    kr = named(workspace.config, only, cycle) if only is not None else None
    found = [one for one in due(workspace, kr.cycle if kr else cycle, owner) if kr is None or one.key_result == kr.id]
    timezone = workspace.config.calendar.timezone
    if as_json:
        from ..reports import machine

        write(machine.check_ins_due(found, timezone))
    else:
        from ..reports import terminal_checkins

        show(terminal_checkins.due(found, Dates.seen_at(workspace.clock(), timezone)))


def _show_history(
    workspace: Workspace, cycle: str | None, owner: str | None, only: str | None, *, as_json: bool
) -> None:
    from ..jobs.checkin import history, named
    from ..reports.dates import Dates

    kr = named(workspace.config, only, cycle) if only is not None else None
    found = history(workspace, kr.cycle if kr else cycle, owner, kr.id if kr else None)
    timezone = workspace.config.calendar.timezone
    if as_json:
        from ..reports import machine

        write(machine.check_in_history(found, timezone))
    else:
        from ..reports import terminal_checkins

        show(terminal_checkins.history(found, Dates.seen_at(workspace.clock(), timezone)))
