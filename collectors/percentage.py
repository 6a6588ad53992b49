"""The percentage in a sentence that a service wrote about a commit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

LONGEST = 20_000
"""Characters of a text that are looked through."""

_UNSIGNED = re.compile(r"(?<![\d.,+\-−±])(\d{1,3}(?:[.,]\d{1,6})?)\s?%")


def share_in(texts: Iterable[str | None], pattern: str | None) -> float | None:
    """The first text's percentage as a fraction from 0 to 1; None where none of them holds one.

    A percentage with a sign is a change and no figure ("Coverage increased (+0.2%) to 87.5%"). `pattern` has one
    group, around the number, and stands in for this rule.
    """
    wanted = _UNSIGNED if pattern is None else re.compile(pattern)
    for text in texts:
        found = wanted.search((text or "")[:LONGEST])
        share = _fraction(found[1]) if found else None
        if share is not None:
            return share
    return None


def _fraction(written: str | None) -> float | None:
    try:
        percent = Decimal((written or "").strip().rstrip("%").strip().replace(",", "."))
    except InvalidOperation:
        return None
    return float(percent / 100) if percent.is_finite() and 0 <= percent <= 100 else None
