"""Which repositories a source can show, as far as its options tell without asking anybody."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase

from ..metrics.service import PATTERN, Service
from .bind_sources import BoundSource
from .findings import Findings
from .places import Key
from .problem import near

_PATTERN = re.compile(r"[*?]|\[.*\]")


def repositories_of(source: BoundSource | None) -> Sequence[str] | None:
    """Which repositories a source is of, names and globs; None where its options don't say."""
    options = source.config.options if source and source.config else None
    if getattr(options, "topics", ()):
        return None
    found: Sequence[str] | None = getattr(options, "repositories", None)
    return found


def is_among(repository: str, names: Collection[str]) -> bool:
    asked = repository.lower()
    return any(asked == name.lower() or fnmatchcase(asked, name.lower()) for name in names)


def check_repositories(asked: Sequence[str], source: BoundSource, key: Key, findings: Findings) -> None:
    """Whether the source can have what a metric's `repositories` name, each a name or a glob."""
    for index, name in enumerate(asked):
        if (said := unseen(name, [source])) is not None:
            findings.add((*key, "repositories", index), said)


def check_homes(services: Mapping[str, Service], sources: Collection[BoundSource], findings: Findings) -> None:
    """Whether any source can have the services' repositories; nothing is said where one source doesn't tell its own."""
    telling = [s for s in sources if s.collector is None or {"deployments", "changes"} & set(s.tells)]
    for service in services.values() if telling else ():
        if (said := unseen(service.repository, telling)) is not None:
            findings.add(("services", service.name, "repository"), said)


def unseen(name: str, sources: Sequence[BoundSource]) -> str | None:
    """Why none of the sources can have a repository of this name or glob."""
    known: list[str] = []
    excluding: list[str] = []
    for source in sources:
        told = repositories_of(source)
        if told is None:
            return None
        known.extend(told)
        if any(_may_both_fit(name.lower(), pattern.lower()) for pattern in told):
            if not _is_excluded(name, source):
                return None
            excluding.append(f"[sources.{source.name}]")
    if excluding:
        return f"exclude of {' and '.join(excluding)} leaves it out"
    where = " or ".join(f"[sources.{source.name}]" for source in sources)
    return f"no pattern of {where} repositories matches it{near(name, known)}"


def _is_excluded(name: str, source: BoundSource) -> bool:
    """Whether nothing that fits the name is left: of a glob this is only told where it is excluded as it is written."""
    excluded: Sequence[str] = getattr(source.config.options, "exclude", ()) if source.config else ()
    if PATTERN & set(name):
        return name.lower() in {pattern.lower() for pattern in excluded}
    return is_among(name, excluded)


def _may_both_fit(one: str, other: str) -> bool:
    """Whether a name can fit both; of two globs only what stands before and after their patterns is compared."""
    if not _PATTERN.search(one) or not _PATTERN.search(other):
        return is_among(one, [other]) or is_among(other, [one])
    begins, ends = zip(_ends(one), _ends(other), strict=True)
    return _starts(*begins) and _starts(*(end[::-1] for end in ends))


def _ends(glob: str) -> tuple[str, str]:
    parts = _PATTERN.split(glob)
    return parts[0], parts[-1]


def _starts(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
