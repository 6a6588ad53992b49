"""The last stored evaluation: what `status` shows at once, without computing anything anew."""

from __future__ import annotations

from pathlib import Path

from ..config.peek import peek
from ..reports.progress_report import ProgressReport
from ..storage.last_said import last_said


def stored_report(config: Path, cycle: str | None) -> ProgressReport | None:
    """What was last said of the cycle, where the config is unchanged since; None where it has to be computed."""
    found = peek(config)
    name = cycle or found.cycle
    said = None if name is None else last_said(found.store.url, name, found.digest)
    if said is None:
        return None
    try:
        return ProgressReport.from_json(said)
    except ValueError:
        return None  # kept by another release: what it rests on is still there to be computed again
