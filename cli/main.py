"""`keyresults`: the commands, and what becomes of errors."""

from __future__ import annotations

import io
import sys
import traceback
from pathlib import Path

import click

from .backtest import backtest
from .check import check
from .checkin import checkin
from .close import close
from .collect import SOURCE_FAILED, backfill, collect
from .completions import completions
from .explain import explain
from .export import export
from .init import init
from .invocation import Invocation
from .lint import lint
from .metric import metric
from .new_cycle import new_cycle
from .notify import notify
from .record import record
from .report import report
from .retrospective import retrospective
from .run import run
from .schema import schema
from .sources import sources
from .status import status
from .store import store

WRONG_USAGE = 2
"""The exit code for wrong options, a wrong config and a store that can't be opened."""

UNEXPECTED = 70
"""The exit code for a defect of ours, as sysexits has it."""

INTERRUPTED = 130


class InOrderOfUse(click.Group):
    """Lists its commands as they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=InOrderOfUse, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="keyresults", message="%(prog)s %(version)s")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The config. Default: $KEYRESULTS_CONFIG, else keyresults.toml here or above.",
)
@click.option("--debug", is_flag=True, help="Show where an unexpected error came from.")
@click.pass_context
def keyresults(ctx: click.Context, config: Path | None, debug: bool) -> None:
    """Key results that update themselves.

    It ends with 0 where all is well, with 1 where --fail-on finds what it looks for, with 2
    for a wrong option or config, and with 3 where a source could not be collected.

    \b
    Examples:
      keyresults init
      keyresults collect
      keyresults status
    """
    ctx.obj = Invocation(config, debug)


for command in (
    init, check, lint, collect, backfill, record, checkin, status, metric, explain, report, close, retrospective,
    new_cycle, sources, run, notify, store, export, backtest, schema, completions,
):  # fmt: skip
    keyresults.add_command(command)


def main(arguments: list[str] | None = None) -> int:
    """The exit code of one call of the command; `arguments` are the process's own by default."""
    _survive_any_character()
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = keyresults.main(given, prog_name="keyresults", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return WRONG_USAGE
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        return _told(error, debug="--debug" in given)
    return code if isinstance(code, int) else 0


def _survive_any_character() -> None:
    """A title may hold what the terminal's encoding can't show; that must not end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _told(error: Exception, *, debug: bool) -> int:
    """Say the error in its own words where they are made for people, and give its exit code."""
    if debug:
        traceback.print_exception(error)
    code = _code_of_known(error)
    if code is not None:
        # Editors look for file:line:column at the start of a line.
        click.echo(str(error) if _has_places(error) else f"Error: {error}", err=True)
        return code
    hint = "" if debug else "; `keyresults --debug …` shows where it came from"
    click.echo(f"Error: this should not have happened: {type(error).__name__}: {error}{hint}", err=True)
    return UNEXPECTED


def _has_places(error: Exception) -> bool:
    from ..config.problem import ConfigProblems

    return isinstance(error, ConfigProblems) and any(problem.line for problem in error.problems)


def _code_of_known(error: Exception) -> int | None:
    """None for errors that were not made for people. An import that fails is one of them."""
    if isinstance(error, ImportError):
        return None
    from ..collectors.contract import CollectorError, ConfigError
    from ..config.problem import ConfigProblems
    from ..jobs.checkin import CannotCheckIn
    from ..jobs.closing import CannotClose
    from ..jobs.collect import NotPast
    from ..jobs.evaluate import NoCycle
    from ..jobs.exporter import CannotListen
    from ..jobs.next_cycle_parts import CannotDraft
    from ..jobs.record import CannotRecord
    from ..jobs.said import NothingSaid
    from ..jobs.telling import NotBefore
    from ..jobs.who import Nobody
    from ..krs.names import UnknownNameError
    from ..storage.errors import StoreError

    told = (
        CannotListen,
        ConfigProblems,
        StoreError,
        UnknownNameError,
        ConfigError,
        NoCycle,
        NotPast,
        NotBefore,
        NothingSaid,
    )
    if isinstance(error, (*told, CannotRecord, CannotCheckIn, CannotClose, CannotDraft, Nobody)):
        return WRONG_USAGE
    return SOURCE_FAILED if isinstance(error, CollectorError) else None
