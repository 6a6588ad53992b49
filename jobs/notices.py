"""What readers should know of the config itself: changes nobody gave a reason for, and what nobody will hear of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from ..krs.changes import MeasuredBy, silent_changes
from ..krs.cycle import Cycle
from ..krs.names import key_results_of
from ..metrics.definition import MetricDefinition
from ..metrics.traits import asked_in_words, exclusion_in_words, measured_in_words
from ..storage.errors import StoreError
from .closed import closing_in_force
from .readers import unheard
from .workspace import Workspace


def notices(workspace: Workspace, cycle: Cycle, as_of: datetime) -> tuple[str, ...]:
    """Definitions that changed without a revision, and key results that vanished."""
    present = key_results_of(cycle.name, workspace.config.objectives)
    measured_by = {id_: in_watched_words(workspace.config.metrics[kr.metric]) for id_, kr in present.items()}
    stored = workspace.store.definitions(cycle.name)
    return silent_changes(stored, present, measured_by, workspace.config.calendar, as_of)


def in_watched_words(definition: MetricDefinition) -> MeasuredBy:
    told = tuple(exclusion_in_words(one) for one in definition.exclude if one.added is not None)
    return MeasuredBy(measured_in_words(definition), asked_in_words(definition), told)


def concerns_of(workspace: Workspace) -> list[str]:
    """What `check` says of a config without errors. Nothing is stored, and a store need not be there."""
    found = list(unheard(workspace.config))
    with suppress(StoreError):  # nothing was collected yet, so nothing can have changed since
        found += _changes(workspace)
    return found


def _changes(workspace: Workspace) -> Iterator[str]:
    """Of every cycle in use that is open, the one shown first; of the others with their names."""
    shown, at = workspace.config.cycle, workspace.clock()
    cycles = {**({shown.name: shown} if shown else {}), **workspace.config.cycles}
    for name, cycle in cycles.items():
        if closing_in_force(workspace.store, name) is None:
            told = notices(workspace, cycle, at)
            yield from told if cycle == shown else (f"{name}: {words}" for words in told)
