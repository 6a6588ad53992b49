"""The last stored evaluation: what `status` shows at once, without computing anything anew."""

from __future__ import annotations

from pathlib import Path

from ..config.peek import peek
from ..reports.progress_report import ProgressReport
from ..storage.errors import StoreError
from ..storage.store import Store


def stored_report(config: Path, cycle: str | None) -> ProgressReport | None:
    """What was last said of the cycle, where the config is unchanged since; None where it has to be computed."""
    found = peek(config)
    name = cycle or found.cycle
    if name is None or found.store.password is not None:
        return None
    try:
        with Store.open(found.store.url, create=False, read_only=True) as store:
            last = store.last_evaluation(name)
    except StoreError:
        return None
    if last is None or last.config_digest != found.digest:
        return None
    try:
        return ProgressReport.from_json(last.content)
    except ValueError:
        return None  # kept by another release: what it rests on is still there to be computed again
