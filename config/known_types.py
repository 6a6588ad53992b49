"""Collectors by type word, imported one by one as a config names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..collectors.contract import Collector
from ..collectors.registry import collector_type, type_words


class KnownTypes(Mapping[str, type[Collector]]):
    """Looks like a table of all collectors, and loads only those that are asked for.

    Looking one up raises ConfigError where it can't be loaded.
    """

    def __init__(self) -> None:
        self._words = type_words()

    def __getitem__(self, word: str) -> type[Collector]:
        if word not in self._words:
            raise KeyError(word)
        return collector_type(word)

    def __contains__(self, word: object) -> bool:
        return word in self._words

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)
