from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .invocation import Invocation, pass_invocation
from .printing import write

if TYPE_CHECKING:
    from ..config.model import Config

BACKUPS = "backups"
"""The folder beside the config that copies go into, where `[daemon]` names no other."""


class Span(click.ParamType[timedelta]):
    """A length of time, as the config writes them."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401 (click's own signature)
        from ..config.fields import parse_span

        try:
            return value if isinstance(value, timedelta) else parse_span(str(value))
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


span = Span()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def store() -> None:
    """Check, back up, copy and prune the store.

    All of it may be done while `keyresults run` is at work, but for moving to another place: stop
    it before that.

    \b
    Examples:
      keyresults store check
      keyresults store backup
    """


@store.command()
@pass_invocation
def check(invocation: Invocation) -> None:
    """Look through the whole store for damage.

    Ends with 0 for a sound store, and with 2 where something is wrong.

    \b
    Examples:
      keyresults store check
    """
    from ..reports.numbers import count
    from ..storage.errors import StoreBroken

    opened = invocation.open().store
    faults = opened.check()
    if faults:
        raise StoreBroken("\n".join([f"{opened.place} is damaged: put a backup in its place", *faults]))
    states = opened.states()
    facts = sum(state.facts for state in states)
    write(f"{opened.place} is sound: {count(facts)} facts in {count(len(states))} streams.\n")


@store.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The file to write; none may be there. Default: a new one, named after the time, in the folder of "
    f"[daemon] backup, or {BACKUPS}/ beside the config.",
)
@pass_invocation
def backup(invocation: Invocation, output: Path | None) -> None:
    """Copy the store into one file.

    The file gets its name once it is whole and was checked. It is a store itself, where the backed up
    one is on a server too: put it in the place of a store file, or into a database by
    `keyresults store copy`.

    \b
    Examples:
      keyresults store backup
      keyresults store backup --output /mnt/safe/keyresults.db
    """
    from ..storage.backups import backup_name, write_backup

    workspace = invocation.open()
    target = output or _folder(workspace.config) / backup_name(workspace.clock())
    if target.exists():
        raise click.ClickException(f"{target} is there already: name another file with --output")
    write_backup(workspace.store, target)
    write(f"{workspace.store.place} is backed up, and the copy checked: {target}\n")


def _folder(config: Config) -> Path:
    settings = config.daemon.backup
    return settings.directory if settings else config.path.parent / BACKUPS


@store.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option(
    "--password-env",
    "variables",
    multiple=True,
    metavar="NAME",
    help="The environment variable with the server's password. Where both are on servers with different "
    "passwords: once for FROM, once for TO.",
)
def copy(source: str, target: str, variables: tuple[str, ...]) -> None:
    """Copy a store with its history to a new place.

    FROM and TO are files, or addresses as `store` of the config has them. There may be nothing at TO
    yet. All of it arrives, compared row by row, or nothing. FROM stays as it is; point `store` of the
    config at TO afterwards.

    \b
    Examples:
      keyresults store copy .keyresults/store.db postgresql://keyresults@db.example.com/okr --password-env KR_DB
      keyresults store copy backups/store-2026-11-23T0330.db .keyresults/store.db
    """
    from ..reports.numbers import count
    from ..storage.copying import copy as copied
    from ..storage.copying import open_to_fill
    from ..storage.store import Store

    urls = [_address(source), _address(target)]
    there, here = _passwords(urls, variables)
    with Store.open(urls[0], password=there, read_only=True) as old, open_to_fill(urls[1], password=here) as new:
        rows = copied(old, new)
        total, filled = sum(rows.values()), sum(1 for number in rows.values() if number)
        write(f"{old.place} is copied to {new.place}: {count(total)} rows of {count(filled)} tables, compared.\n")


def _address(written: str) -> str:
    from ..config.store_address import store_url

    if "://" not in written:
        return f"sqlite:///{Path(written).expanduser().absolute()}"
    if _holds_password(written):
        raise click.UsageError("leave the password out of the address, where others can see it: use --password-env")
    try:
        return store_url(written, Path.cwd())
    except ValueError as problem:
        raise click.UsageError(f"FROM or TO {problem}") from problem


def _holds_password(url: str) -> bool:
    user, at, _ = url.partition("://")[2].partition("?")[0].rpartition("@")
    return (bool(at) and ":" in user) or "password=" in url


def _passwords(urls: Sequence[str], variables: tuple[str, ...]) -> list[str | None]:
    servers = [url for url in urls if not url.startswith("sqlite:")]
    if len(variables) > len(servers):
        raise click.UsageError("--password-env is for stores on a server: name it once for each of them")
    values = [_secret(name) for name in variables]
    if len(servers) > len(values) == 1:
        values *= 2
    left = iter(values)
    return [None if url.startswith("sqlite:") else next(left, None) for url in urls]


def _secret(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise click.ClickException(f"the environment variable {name} is not set")
    return value


@store.command()
@click.option(
    "--runs-older-than",
    "runs",
    type=span,
    metavar="SPAN",
    default="90d",
    show_default=True,
    help='How long records are kept, such as "90d" or "26 weeks".',
)
@click.option(
    "--said-older-than",
    "said",
    type=span,
    metavar="SPAN",
    help="Keep of what was said on days longer ago only what was said last on each. Default: all is kept.",
)
@pass_invocation
def prune(invocation: Invocation, runs: timedelta, said: timedelta | None) -> None:
    """Let go of old records of collections and notices.

    Notices that still wait stay, and so do the newest records of each stream; no fact, reading,
    baseline, grade or check-in is touched, and `--said-on` shows what it did. A file does not get
    smaller by it; what is stored next takes the room.

    \b
    Examples:
      keyresults store prune
      keyresults store prune --runs-older-than 30d --said-older-than 90d
    """
    from ..reports.numbers import count
    from ..storage.pruning import prune as pruned
    from ..storage.pruning import thin_said

    workspace = invocation.open(writing=True, making=False)
    now = workspace.clock()
    gone = pruned(workspace.store, now - runs)
    write(f"Removed {count(gone.runs)} records of collections and {count(gone.notices)} notices.\n")
    if said is not None:
        thinned = thin_said(workspace.store, workspace.config.calendar.day_of(now - said))
        write(f"Removed {count(thinned)} evaluations that were said over on their day.\n")
