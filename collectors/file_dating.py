"""When a measured file was made: what it says, else the commit it belongs to, else its modification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from .contract import CollectorError
from .git_program import GitProgram, instant


@dataclass(frozen=True, slots=True)
class Dated:
    """`commit` where the date is a commit's; `note` where the date is only the best there is."""

    at: datetime
    commit: str | None = None
    note: str | None = None


def date_of(path: Path, stated: datetime | None, zone: ZoneInfo, now: datetime) -> Dated:
    """The date of what a file measured. `stated` is its own word for it; without an offset it is read in `zone`.

    A file that states none is dated by the last commit that touched it where git tracks it
    unchanged; otherwise by the commit that is checked out around it, unless the file is older.
    """
    modified = min(datetime.fromtimestamp(path.stat().st_mtime, UTC), now)
    if stated is not None:
        at = (stated if stated.tzinfo else stated.replace(tzinfo=zone)).astimezone(UTC)
        if at <= now:
            return Dated(at)
        return Dated(modified, note=f"it says {at:%Y-%m-%d %H:%M} UTC, which is not yet: dated by its modification")
    return _commit_of(path, modified) or Dated(modified, note="dated by its modification: it states no time")


def _commit_of(path: Path, modified: datetime) -> Dated | None:
    git = GitProgram(path.parent)
    try:
        state = git.text("status", "--porcelain", "--ignored", "--", path.name)
        last = _newest(git, "--", path.name) if not state.strip() else None
        if last:
            return last
        around = _newest(git, "HEAD", "--")
    except CollectorError:
        return None
    return around if around and around.at <= modified else None


def _newest(git: GitProgram, *which: str) -> Dated | None:
    said = (git.line("log", "-1", "--format=%H %ct", *which) or "").split()
    at = instant(said[1]) if said else None
    return Dated(at, said[0]) if at else None
