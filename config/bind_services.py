"""`[services]`: the parts of repositories, which of them a metric tells apart, and which it names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from ..metrics.measures import Measure, kinds_needed
from ..metrics.service import PATTERN, Service
from .bind_sources import BoundSource
from .findings import Findings
from .places import Key
from .problem import near
from .reach import is_among, repositories_of, unseen
from .schema_metrics import MetricTable
from .schema_tracker import ServiceTable


def bind_services(table: object, findings: Findings) -> dict[str, Service]:
    services: dict[str, Service] = {}
    for name, said, key in findings.tables(table, ("services",)):
        written = findings.salvaged(ServiceTable, said, key)
        if written:
            match: dict[str, Any] = written.match.model_dump()
            if match["payload"] is not None:
                match["payload"] = tuple(sorted(match["payload"].items()))
            one = Service(name=name, repository=written.repository, paths=tuple(written.paths), **match)
            _check_turn(one, services.values(), key, findings)
            services[name] = one
    return services


def _check_turn(service: Service, before: Iterable[Service], key: Key, findings: Findings) -> None:
    """Whether the services before it leave it any deployment."""
    for other in before:
        if other.home == service.home and _covers(other, service):
            said = f"services.{other.name} before it ({other.match}) takes all its deployments"
            in_turn = "" if _covers(service, other) else f"write [services.{service.name}] first, or "
            findings.add((*key, "match"), f"{said}: {in_turn}match them differently")
            return


def _covers(first: Service, later: Service) -> bool:
    """Whether all that fits the later one surely fits the first; two globs are only told to where they are equal."""
    if first.payload is not None and later.payload is not None:
        return set(first.payload) <= set(later.payload)
    for way in ("environment", "workflow", "tag"):
        wide, narrow = getattr(first, way), getattr(later, way)
        if wide is not None and narrow is not None:
            return wide == narrow or (not PATTERN & set(narrow) and fnmatchcase(narrow, wide))
    return False


def services_of_metric(
    measure: Measure, options: MetricTable, services: Mapping[str, Service], source: BoundSource | None
) -> dict[str, Any]:
    """Fields of a `MetricDefinition`. A metric that names services rests on their repositories alone."""
    named = [n if n in services else _as_source_says(n, source) for n in options.services or ()]
    written = dict.fromkeys(services[n].repository if n in services else n for n in named) or options.repositories
    among = written or repositories_of(source)
    split = (s for s in services.values() if among is None or is_among(s.repository, among))
    own = "environment" not in options.model_fields_set
    kinds = kinds_needed(measure, options.rollback.rules)
    files_matter = "changes" in kinds
    return {
        "subjects": tuple(written) if written else None,
        "services": tuple(named) or None,
        # Which files are a service's own makes no difference to deployments.
        "split": tuple(s if files_matter else replace(s, paths=()) for s in split)
        if "deployments" in kinds or (named and files_matter)
        else (),
        "own_environments": own and any(n in services and services[n].environment is not None for n in named),
    }


def _as_source_says(repository: str, source: BoundSource | None) -> str:
    """A repository in the upper and lower case of its facts, where the source names it in full."""
    return next((name for name in repositories_of(source) or () if name.lower() == repository.lower()), repository)


def repositories_with_paths(services: Mapping[str, Service], source: BoundSource) -> tuple[str, ...]:
    """Of the source's repositories those whose changes can be told apart by their files."""
    told = repositories_of(source)
    found = {s.repository for s in services.values() if s.paths and (told is None or is_among(s.repository, told))}
    return tuple(sorted(found))


def check_services(options: MetricTable | None, services: Mapping[str, Service], key: Key, findings: Findings) -> None:
    """Whether what a metric names is there at all."""
    for index, name in enumerate((options.services if options else None) or ()):
        if (said := _unknown(name, services)) is not None:
            findings.add((*key, "services", index), said)


def _unknown(name: str, services: Mapping[str, Service]) -> str | None:
    """Why this is the name neither of a service nor of a repository."""
    if name in services:
        return None
    if "/" not in name:
        return f"there is no [services.{name[:100]}]{near(name, services)}"
    return "services are named one by one: a glob goes with repositories" if PATTERN & set(name) else None


def check_reach(
    measure: Measure,
    options: MetricTable,
    services: Mapping[str, Service],
    source: BoundSource,
    key: Key,
    findings: Findings,
) -> None:
    """Whether the metric can have facts of what it names."""
    for index, name in enumerate(options.services or ()):
        if _unknown(name, services) is not None:
            continue
        place = (*key, "services", index)
        repository = services[name].repository if name in services else name
        if name in services and not {"deployments", "changes"} & set(measure.kinds):
            said = f"only deployments and changes are told apart by service, and {measure.name} has none of them"
            findings.add(place, said)
        elif options.repositories and not is_among(repository, options.repositories):
            findings.add(place, _outside(name, repository, "this metric's repositories", options.repositories))
        elif (told := repositories_of(source)) is not None and not is_among(repository, told):
            findings.add(place, _outside(name, repository, f'the repositories of the source "{source.name}"', told))
        elif (why := unseen(repository, [source])) is not None:
            findings.add(place, why)


def _outside(name: str, repository: str, where: str, known: Collection[str]) -> str:
    lives = f"{name} lives in {repository}, which" if name != repository else name
    return f"{lives} is not among {where}{near(repository, known)}"
