"""What is said to somebody who named a thing that isn't there."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches


def near(name: str, known: Sequence[str], most: int = 10) -> str:
    """The name that was probably meant, else those there are."""
    if not known:
        return "it has none"
    meant = get_close_matches(name, known, n=1)
    if meant:
        return f"did you mean {meant[0]!r}?"
    return "it has " + ", ".join(known[:most]) + (" and more" if len(known) > most else "")
