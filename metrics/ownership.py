"""Whose a change is where a repository is split into services: theirs whose files it touched."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from .roles import NO_SERVICE, OTHER_SERVICE, UNKNOWN_FILES
from .service import PATTERN, Service

if TYPE_CHECKING:
    import pandas as pd

LEFT_OUT = {NO_SERVICE: "changes that touch no service's files", UNKNOWN_FILES: "changes whose files are not known"}
"""What the roles of changes that are no service's are worth noting as."""

_WILD = re.compile(r"((?<![^/])\*\*/|\*\*|\*|\?|\[[^/\]]+\])")
_MEANT = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@lru_cache(maxsize=4096)
def files_of(glob: str) -> re.Pattern[str]:
    """Matches (in full) the files that a glob names, by their paths from the repository's root.

    `*` and `?` stay within a folder, `**` goes through folders. A name without any of these is a file
    or a folder with all in it.

    Raises:
        re.error: for a range of characters that runs backwards.
    """
    if not PATTERN & set(glob):
        return re.compile(re.escape(glob.rstrip("/")) + "(?:/.*)?", re.DOTALL)
    whole = f"{glob}**" if glob.endswith("/") else glob
    return re.compile("".join(map(_meant, _WILD.split(whole))), re.DOTALL)


def _meant(part: str) -> str:
    if part in _MEANT:
        return _MEANT[part]
    if _WILD.fullmatch(part):
        none_of, inside = ("^", part[2:-1]) if part[1] == "!" else ("", part[1:-1])
        return f"(?!/)[{none_of}{inside.translate(_LITERAL)}]"
    return re.escape(part)


_LITERAL = str.maketrans({one: f"\\{one}" for one in "\\[^&|~"})


def owners(changes: pd.DataFrame, services: Sequence[Service]) -> list[tuple[str, ...]]:
    """The services each change belongs to; without any, the repository itself.

    It belongs to each service of its repository whose `paths` it touches, and to each that says none.
    """
    split: dict[str, list[Service]] = {}
    for service in services:
        split.setdefault(service.home, []).append(service)
    subjects: list[str] = changes["subject"].tolist()
    if not split or not subjects:
        return [(subject,) for subject in subjects]
    touched: list[str | None] = changes["paths"].tolist() if "paths" in changes else [None] * len(subjects)
    known: dict[tuple[str, str | None], tuple[str, ...]] = {}
    for one in zip(subjects, touched, strict=True):
        if one not in known:
            paths = None if one[1] is None else json.loads(one[1])
            found = tuple(s.name for s in split.get(one[0].lower(), ()) if not s.paths or _touches(paths, s))
            known[one] = found or one[:1]
    return [known[one] for one in zip(subjects, touched, strict=True)]


def _touches(paths: Collection[str] | None, service: Service) -> bool:
    globs = [files_of(glob) for glob in service.paths]
    return any(glob.fullmatch(path) for path in paths or () for glob in globs)


def by_service(changes: pd.DataFrame, services: Sequence[Service]) -> pd.DataFrame:
    """The changes, each as often as it has owners, with `service` (whose it is); the order stays."""
    if not services:
        return changes.assign(service=changes["subject"])
    theirs = owners(changes, services)
    rows = [row for row, found in enumerate(theirs) for _ in found]
    repeated = changes.take(rows).reset_index(drop=True)
    return repeated.assign(service=[name for found in theirs for name in found])


def roles_by_owner(
    changes: pd.DataFrame,
    found: Sequence[tuple[str, ...]],
    services: Sequence[Service],
    counted: Collection[str] | None,
) -> list[str | None]:
    """Why each change, of the owners `found`, is not the metric's: its role, or None where it is. `counted` are the
    services that the metric is about; None for all."""
    split = {s.home for s in services}
    touched = changes["paths"].tolist() if "paths" in changes else [None] * len(changes)
    wanted = None if counted is None else frozenset(counted)
    roles: list[str | None] = []
    for subject, paths, whose in zip(changes["subject"], touched, found, strict=True):
        nobodys = subject.lower() in split and whose == (subject,)
        if nobodys and paths is None:
            roles.append(UNKNOWN_FILES)
        elif wanted is not None and not wanted.isdisjoint(whose):
            roles.append(None)
        elif nobodys:
            roles.append(NO_SERVICE)
        else:
            roles.append(None if wanted is None else OTHER_SERVICE)
    return roles


def ownership_notes(services: Sequence[Service], counted: Collection[str] | None) -> tuple[str, ...]:
    """Which of the services take every change of their repository for their own."""
    silent = [s.name for s in services if not s.paths and (counted is None or s.name in counted)]
    return tuple(f"{name} says no paths: every change of its repository counts as its own" for name in silent)


def untouched_notes(
    changes: pd.DataFrame, owning: Collection[str], services: Sequence[Service], counted: Collection[str] | None
) -> tuple[str, ...]:
    """Of which services no file was ever touched, though the files of their repository's `changes` are known: their
    paths may be misspelt. `owning` are the names of all that own a change."""
    idle = [s for s in services if s.paths and s.name not in owning and (counted is None or s.name in counted)]
    if not idle or "paths" not in changes:
        return ()
    told = {subject.lower() for subject in changes.loc[changes["paths"].notna(), "subject"].unique()}
    return tuple(f"no change has touched {', '.join(s.paths)}: the paths of {s.name}" for s in idle if s.home in told)
