"""Whose facts a metric's sources tell: which are left out, and which files that name nobody belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import compress

from ..metrics.definition import MetricDefinition
from ..metrics.facts import FactKind
from ..metrics.table import Columns
from ..storage.rows import StreamState
from .bindings import is_mixed, wants

Streams = Mapping[FactKind, Sequence[StreamState]]
Subjects = Mapping[FactKind, frozenset[str]]


def joined(found: Mapping[FactKind, Columns], streams: Streams) -> dict[FactKind, Columns]:
    """The facts under the names that deployments give their subjects, which others may write in another case.

    Those of files that name no subject are given to the only one there is: that of deployments which name none.
    """
    owner = _nobodys("deployments", found, streams)
    names = {name.lower(): name for name in (set(found["deployments"]["subject"]) if "deployments" in found else ())}
    named: dict[FactKind, Columns] = {}
    for kind, columns in found.items():
        if kind == "deployments":
            named[kind] = columns
        elif owner is not None and _nobodys(kind, found, streams) is not None:
            named[kind] = {**columns, "subject": [owner] * len(columns["subject"])}
        else:
            named[kind] = {**columns, "subject": [names.get(one.lower(), one) for one in columns["subject"]]}
    return named


def _nobodys(kind: FactKind, found: Mapping[FactKind, Columns], streams: Streams) -> str | None:
    """The source of these facts, where it is one of files that name no subject: then it stands for theirs."""
    sources = {state.stream.source for state in streams.get(kind, ()) if is_mixed(state.stream)}
    subjects = set(found[kind]["subject"]) if kind in found else set()
    return next(iter(sources)) if len(sources) == 1 and subjects == sources else None


def wanted_only(definition: MetricDefinition, kind: FactKind, columns: Columns) -> Columns:
    """The facts of the metric's own subjects. An incident may be of a service."""
    if definition.subjects is None:
        return columns
    services = {service.name for service in definition.split} if kind == "incidents" else set()
    wanted = {one: one in services or wants(definition, one) for one in set(columns["subject"])}
    kept = [wanted[subject] for subject in columns["subject"]]
    return columns if all(kept) else {name: list(compress(values, kept)) for name, values in columns.items()}


def unmatched(definition: MetricDefinition, told: Subjects, measured: Sequence[str]) -> Iterator[tuple[FactKind, str]]:
    """Kinds of facts that are there, none of them of anything the metric measures, each with that in words."""
    known = {*measured, *(service.name for service in definition.split)}
    for kind in ("changes", "incidents"):
        theirs = told.get(kind, frozenset())
        if theirs and measured and known.isdisjoint(theirs):
            yield (
                kind,
                f"source {definition.sources[kind]!r} tells of {kind} of {_some(theirs)}; the metric measures "
                f"{_some(measured)}: none of them counts",
            )


def names_nobody(definition: MetricDefinition, kind: FactKind, told: Subjects) -> bool:
    """Whether these facts come from files without a subject, so that they can never be anyone's."""
    return told[kind] == {definition.sources[kind]}


def _some(names: Sequence[str] | frozenset[str]) -> str:
    few = sorted(names)[:3]
    return ", ".join(few) + (f" and {len(names) - len(few)} more" if len(names) > len(few) else "")
