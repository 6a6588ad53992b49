"""Tags in families: those that differ in the version number alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from ..collectors.git_clone import Tag

LATELY = timedelta(days=365)

_DOTTED = re.compile(r"^(.*?)\d+(?:\.\d+)+(?!\d)")
_PLAIN = re.compile(r"^(.*?)\d+(?:[._-]\d+)*(?:$|[._+-]|(?:a|b|rc)\d*$)")
_PRE_RELEASE = re.compile(
    r"\d[._-]?(?:a|b|c|rc|alpha|beta|dev|pre|preview|snapshot|canary|next)[._-]?\d*(?:$|[._+-])", re.I
)
_BY_MACHINE = re.compile(r"nightly|snapshot|canary|build|daily", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFamily:
    """`pattern` is a glob that matches its tags and no other. `lately` counts those of the last year."""

    pattern: str
    total: int
    lately: int
    pre_releases: int
    newest: Tag

    @property
    def by_machine(self) -> bool:
        """Whether its name says that a machine makes them, whatever changed."""
        return _BY_MACHINE.search(self.pattern) is not None


def tag_families(tags: Sequence[Tag], now: datetime) -> tuple[TagFamily, ...]:
    """The families, the one to count as releases first: the one used most in the last year, nightly builds last."""
    members: dict[str, list[Tag]] = {}
    for tag in tags:
        start = version_prefix(tag.name)
        if start is not None:
            members.setdefault(start, []).append(tag)
    names = [tag.name for tag in tags]
    found = [_family(start, of, names, now) for start, of in members.items()]
    return tuple(sorted(found, key=lambda f: (f.by_machine, -f.lately, -f.total, f.pattern)))


def version_prefix(name: str) -> str | None:
    """What stands before the version: `v` of `v1.2`, `core@` of `core@1.2`; None for a name without a version."""
    found = _DOTTED.match(name) or _PLAIN.match(name)
    return found[1] if found else None


def _family(start: str, tags: Sequence[Tag], every: Iterable[str], now: datetime) -> TagFamily:
    own = {tag.name for tag in tags}
    short = f"{start}*"
    alone = start != "" and all(name in own for name in every if fnmatchcase(name, short))
    return TagFamily(
        pattern=short if alone else f"{start}[0-9]*",
        total=len(tags),
        lately=sum(1 for tag in tags if now - LATELY <= tag.at),
        pre_releases=sum(1 for tag in tags if now - LATELY <= tag.at and _PRE_RELEASE.search(tag.name)),
        newest=max(tags, key=lambda tag: tag.at),
    )
