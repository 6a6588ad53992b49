"""Which collectors there are: the built-in ones, and those other packages declare as entry points."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from .contract import Collector, ConfigError

GROUP = "keyresults.collectors"

BUILT_IN: Mapping[str, str] = {
    "prometheus": "prometheus:Prometheus",
    "github": "github:GitHub",
    "git": "git:Git",
    "coverage": "coverage:CoverageFiles",
    "junit": "junit:JUnit",
    "file": "file:FactFiles",
    "manual": "manual:Manual",
}
"""The word in `[sources.NAME] type = "…"` and where its class lives, as `module:Class` of this room."""


def collector_type(word: str) -> type[Collector]:
    """The collector a type word names; imports no other.

    Raises:
        ConfigError: for a word nobody claims (with a near match), and for a collector that cannot be loaded.
    """
    declared = _declared()
    if word not in declared:
        near = get_close_matches(word, declared, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "known are " + ", ".join(sorted(declared))
        raise ConfigError(f"no collector has the type {word!r}; {hint}")
    return _load(word, declared[word])


def type_words() -> tuple[str, ...]:
    """Every type word, the built-in ones first; imports no collector."""
    return tuple(_declared())


@cache
def _declared() -> Mapping[str, EntryPoint]:
    declared: dict[str, EntryPoint] = {}
    for point in (*_built_in(), *_installed()):
        rival = declared.get(point.name)
        if rival is not None and rival.value != point.value:
            raise ConfigError(
                f"two collectors claim the type {point.name!r}: {rival.value} and {point.value}; "
                "uninstall one, or ask its author to choose another word"
            )
        declared[point.name] = point
    return declared


def _built_in() -> list[EntryPoint]:
    room = __name__.rpartition(".")[0]
    return [EntryPoint(word, f"{room}.{place}", GROUP) for word, place in BUILT_IN.items()]


def _installed() -> list[EntryPoint]:
    return sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def _load(word: str, point: EntryPoint) -> type[Collector]:
    module, _, name = point.value.partition(":")
    try:
        found: type[Collector] = getattr(import_module(module), name)
    except Exception as error:
        raise ConfigError(f"the collector {word!r} ({point.value}) cannot be loaded: {error}") from error
    if found.type != word:
        raise ConfigError(f"{point.value} calls itself {found.type!r} but is declared as {word!r}")
    return found
