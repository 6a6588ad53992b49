"""Objectives that name no cycle are given their name: a config with two cycles in use wants one in each."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from itertools import count
from typing import Any

from ..config.document import Document
from .next_cycle_parts import CannotDraft
from .toml_text import inline

_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*objectives[ \t]*\]\][^\n]*$", re.MULTILINE)


def with_cycles_named(document: Document, cycle: str) -> tuple[str, tuple[str, ...]]:
    """The config's text with `cycle` in each objective that names none, and the ids of these.

    Raises:
        CannotDraft: where that can't be done by putting a line below their headers.
    """
    objectives = document.table.get("objectives", [])
    unnamed = [n for n, one in enumerate(objectives) if "cycle" not in one]
    if not unnamed:
        return document.text, ()
    line = f"\ncycle = {inline(cycle)}"
    numbers = count()

    def named(header: re.Match[str]) -> str:
        return header[0] + (line if next(numbers) in unnamed else "")

    text = _HEADER.sub(named, document.text)
    if not _differs_by_cycles_alone(text, document.table, unnamed, cycle):
        raise CannotDraft(f'write cycle = "{cycle}" into each of the objectives there are: then there may be another')
    return text, tuple(str(objectives[n].get("id", n + 1)) for n in unnamed)


def _differs_by_cycles_alone(text: str, table: Mapping[str, Any], unnamed: list[int], cycle: str) -> bool:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    wanted = [one | {"cycle": cycle} if n in unnamed else one for n, one in enumerate(table["objectives"])]
    return found == {**table, "objectives": wanted}
