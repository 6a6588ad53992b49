"""What a metric puts to its sources, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .definition import MetricDefinition
from .facts import FactKind

_SAID_ELSEWHERE = frozenset({"kind", "files_of"})
"""The kind of coverage and the files of services are told apart from the question."""


def plainly_asked(definition: MetricDefinition, kind: FactKind) -> list[str]:
    """The plain words of the question for one kind of fact: `workflow ci.yml`."""
    query = definition.queries.get(kind, {})
    return [f"{key} {value}" for key, value in query.items() if isinstance(value, str) and key not in _SAID_ELSEWHERE]


def further_asked(definition: MetricDefinition, first: FactKind) -> list[str]:
    """All else that is asked: what is no plain word of the kind asked first, and whatever of the others.

    `tags v*`, `labels incident, outage`, `changes branch release`.
    """
    rest = {key: value for key, value in definition.queries.get(first, {}).items() if not isinstance(value, str)}
    said = list(_parts(rest))
    for kind, query in definition.queries.items():
        if kind != first:
            plain = {key: value for key, value in query.items() if isinstance(value, str)}
            said += [f"{kind} {words}" for words in _parts(plain)]
            said += _parts({key: value for key, value in query.items() if key not in plain})
    return said


def counts_files(definition: MetricDefinition) -> bool:
    """Whether the kind of coverage matters: a percentage that somebody else worked out has the one it has."""
    figures = definition.queries.get("samples", {}).get("figures")
    return not isinstance(figures, Mapping) or "artifact" in figures


def _parts(asked: Mapping[str, object]) -> Iterator[str]:
    for key, value in asked.items():
        if key in _SAID_ELSEWHERE or value in (None, False, "", [], ()):
            continue
        if isinstance(value, Mapping):
            yield ", ".join(_parts(value))
        elif value is True:
            yield key
        elif isinstance(value, (list, tuple)):
            yield f"{key} {', '.join(map(str, value))}"
        else:
            yield f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
