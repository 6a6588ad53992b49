"""What time it is at GitHub, as its answers say: a clock ahead of it would claim time that has not come there yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

WHOLE = timedelta(seconds=1)
"""An answer's date is cut to seconds."""


def ahead(sent: datetime, headers: Mapping[str, str]) -> timedelta | None:
    """How far a clock that read `sent` before the request is ahead of GitHub's; None where the answer has no date."""
    try:
        answered = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None
    if answered.tzinfo is None:
        return None
    return max(sent - answered - WHOLE, timedelta())
