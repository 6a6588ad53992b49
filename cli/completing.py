"""What a shell offers after TAB, read off the config. A config that can't be read offers nothing, silently."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

Table = Mapping[str, Any]
Offer = Callable[[click.Context, click.Parameter, str], list[str]]


def _offering(words: Callable[[Table], Iterable[str]]) -> Offer:
    """What click asks for words: those of the config that begin as what was typed."""

    def offer(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        from ..config.document import read
        from ..config.load import find

        try:
            path = find(ctx.find_root().params.get("config"), os.environ, Path.cwd())
            known = sorted({str(word) for word in words(read(path).table)})
        except Exception:  # whatever is wrong, a shell in the middle of a line is not the place to say it
            return []
        return [word for word in known if word.startswith(incomplete)]

    return offer


def _metrics(config: Table) -> set[str]:
    return set(config.get("metrics", {}))


def _key_results(config: Table) -> set[str]:
    return {kr["id"] for objective in config.get("objectives", ()) for kr in objective.get("key_results", ())}


def _names(config: Table) -> Iterable[str]:
    """A metric has to be called `metric:NAME` only where a key result has its name."""
    metrics, key_results = _metrics(config), _key_results(config)
    return {*metrics, *key_results, *(f"metric:{name}" for name in metrics & key_results)}


def _cycles(config: Table) -> Iterable[str]:
    said = [config.get("tracker", {}), *config.get("objectives", ())]
    return {*config.get("cycles", {}), *(table["cycle"] for table in said if "cycle" in table)}


names = _offering(_names)
key_results = _offering(_key_results)
metrics = _offering(_metrics)
sources = _offering(lambda config: config.get("sources", {}))
cycles = _offering(_cycles)
channels = _offering(lambda config: config.get("notify", {}))
