from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import completing
from .invocation import Invocation, pass_invocation
from .options import day
from .printing import save, write

if TYPE_CHECKING:
    from ..jobs.next_cycle import Drafted


@click.command("new-cycle")
@click.argument("name")
@click.option(
    "--from",
    "last",
    metavar="CYCLE",
    shell_complete=completing.cycles,
    help="The cycle it is drafted from. Default: the config's.",
)
@click.option("--start", type=day, metavar="DATE", help="Its first day, where its name doesn't say it.")
@click.option("--end", type=day, metavar="DATE", help="Its last day, included.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the draft to this file.")
@click.option("--append", is_flag=True, help="Write it into the config, behind what is there.")
@pass_invocation
def new_cycle(
    invocation: Invocation,
    name: str,
    last: str | None,
    start: datetime | None,
    end: datetime | None,
    output: Path | None,
    append: bool,
) -> None:
    """Draft the next cycle's objectives from the last one's.

    What was not reached is carried over, with its baseline measured anew; what was reached is proposed as
    something to be held; comments say why, and what was learned. Every key result of it is a draft.
    The draft is printed for you to review; with the config before it, it loads.

    \b
    Examples:
      keyresults new-cycle 2027-Q1
      keyresults new-cycle 2027-Q1 --from 2026-Q4 --output next.toml
      keyresults new-cycle spring --start 2027-01-11 --end 2027-04-04 --append
    """
    if append and output is not None:
        raise click.UsageError("--append writes into the config, --output into a file of its own: choose one")
    from ..jobs.next_cycle import append as appended
    from ..jobs.next_cycle import draft_next

    workspace = invocation.open()
    drafted = draft_next(workspace, name, last=last, days=_days(start, end))
    if append:
        appended(drafted, workspace.config)
        write(f"{_told(drafted)} {workspace.config.path.name}, as drafts.\n")
        return
    if drafted.unnamed:
        click.echo(_beside(drafted), err=True)
    if output is None:
        write(drafted.text)
    else:
        save(output, drafted.text)


def _days(start: datetime | None, end: datetime | None) -> tuple[date, date] | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise click.UsageError("--start and --end go together")
    return start.date(), end.date()


def _told(drafted: Drafted) -> str:
    objectives = [one for one in drafted.found.objectives if one.key_results]
    key_results = sum(len(one.key_results) for one in objectives)
    named = f"Named the cycle of {len(drafted.unnamed)} there were. " if drafted.unnamed else ""
    return f"{named}Objectives: {len(objectives)}, with {key_results} key results, written into"


def _beside(drafted: Drafted) -> str:
    last = drafted.found.last.cycle.name
    names = ", ".join(drafted.unnamed)
    return (
        f'Before the draft can stand beside them, write cycle = "{last}" into your objectives that name none '
        f"({names}): two cycles will be in use. --append does that too."
    )
