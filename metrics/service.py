"""Services: what has an order of versions of its own. A repository is one, unless it is split into several."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .facts import FactKind

if TYPE_CHECKING:
    import pandas as pd

PATTERN = frozenset("*?[")
"""What makes a name a glob."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A part of a repository with an order of versions of its own; exactly one of the four ways to match is set.

    `environment`, `workflow` and `tag` are exact names or globs; `payload` are keys that must hold these
    values, in order of their names. `paths` are globs of the files that are its own.
    """

    name: str
    repository: str
    environment: str | None = None
    workflow: str | None = None
    payload: tuple[tuple[str, str], ...] | None = None
    tag: str | None = None
    paths: tuple[str, ...] = ()

    @property
    def home(self) -> str:
        """Its repository as subjects are compared with it: GitHub tells no upper from lower case."""
        return self.repository.lower()

    def owns(self, deployment: Mapping[str, object]) -> bool:
        """Whether a deployment of its repository, by the names of a fact's columns, is its own."""
        if self.payload is not None:
            return _holds(deployment["payload"], self.payload)
        if self.environment is not None:
            return _fits(deployment["environment"], self.environment)
        if self.workflow is not None:
            return _fits(deployment["workflow"], self.workflow)
        released = deployment["origin"] in ("tag", "release")
        return released and self.tag is not None and _fits(deployment["ref"], self.tag)

    @property
    def match(self) -> str:
        """How it is told apart, in words."""
        if self.payload is not None:
            return "payload " + ", ".join(f"{key} {value}" for key, value in self.payload)
        ways = {"environment": self.environment, "workflow": self.workflow, "tag": self.tag}
        return next((f"{way} {pattern}" for way, pattern in ways.items() if pattern is not None), "nothing")


def _fits(name: object, pattern: str) -> bool:
    return isinstance(name, str) and (name == pattern or fnmatchcase(name, pattern))


def _holds(payload: object, wanted: Sequence[tuple[str, str]]) -> bool:
    held = json.loads(payload) if isinstance(payload, str) and payload else {}
    return isinstance(held, dict) and all(key in held and _as_text(held[key]) == value for key, value in wanted)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def columns_needed(services: Iterable[Service], kind: FactKind = "deployments") -> tuple[str, ...]:
    """The columns of facts that telling them apart needs besides those that are always there."""
    if kind == "changes":
        return ("paths",) if any(service.paths for service in services) else ()
    if kind != "deployments":
        return ()
    ways = {"workflow": "workflow", "payload": "payload", "tag": "ref"}
    services = tuple(services)
    return tuple(column for way, column in ways.items() if any(getattr(one, way) is not None for one in services))


def services_of(deployments: pd.DataFrame, services: Sequence[Service]) -> list[str]:
    """Whose each deployment is: the first service's of its repository that fits, else the repository's itself."""
    split: dict[str, list[Service]] = {}
    for service in services:
        split.setdefault(service.home, []).append(service)
    found: list[str] = deployments["subject"].tolist()
    if not split or not found:
        return found
    names = ("environment", "origin", *columns_needed(services))
    homes = {subject: subject.lower() for subject in set(found)}
    known: dict[tuple[object, ...], str] = {}
    for row, one in enumerate(zip(found, *(deployments[name].tolist() for name in names), strict=True)):
        if homes[one[0]] not in split:
            continue
        if one not in known:
            deployment = dict(zip(names, one[1:], strict=True))
            known[one] = next((s.name for s in split[homes[found[row]]] if s.owns(deployment)), found[row])
        found[row] = known[one]
    return found


def rests(services: Iterable[Service], names: Iterable[str]) -> set[str]:
    """Of these services those that are split repositories: what none of their services owns."""
    homes = {service.home for service in services}
    return {name for name in names if name.lower() in homes}
