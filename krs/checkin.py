"""Check-ins: what people say of a key result. They never alter a measured number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """`confidence` is 0 (no chance) to 10 (certain) that the target will be satisfied; None for a note alone."""

    at: datetime
    by: str
    confidence: int | None
    note: str = ""
