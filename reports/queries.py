"""What a stream asks its source, in words: shown where two streams would read alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from ..metrics.stream import Json


class Asking(Protocol):
    """Something that is said of a stream."""

    @property
    def source(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def subject(self) -> str: ...

    @property
    def query(self) -> Json: ...


def told_apart(streams: Iterable[Asking]) -> Callable[[Asking], str]:
    """What each stream asks, in words, where another of these reads like it; nothing where its name is enough."""
    alike: dict[tuple[str, str, str], set[str]] = {}
    for one in streams:
        alike.setdefault((one.source, one.kind, one.subject), set()).add(query(one.query))

    def apart(one: Asking) -> str:
        words = query(one.query)
        return (words or "by default") if len(alike[one.source, one.kind, one.subject]) > 1 else ""

    return apart


def query(asked: Json) -> str:
    """`tags v*`, `releases`, `workflow ci.yml, branch main`: what is said in it, without the words around it."""
    return ", ".join(_said(asked))


def _said(asked: Mapping[str, object]) -> Iterator[str]:
    for key, value in asked.items():
        if isinstance(value, Mapping):
            yield from _said(value)
        elif value is True:
            yield key
        elif isinstance(value, (list, tuple)) and value:
            yield f"{key} {' '.join(map(str, value))}"
        elif value is not None and value is not False and value not in ("", (), []):
            yield f"{key} {value}"
