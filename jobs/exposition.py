"""All that monitoring is told, read anew from the store each time it is asked for."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ..storage.errors import StoreError
from .exported import CATALOGUE, STORE_UP, Exported, Point
from .exported_key_results import KeyResultPoints
from .exported_sources import SourcePoints
from .exported_work import of_daemon, of_jobs, of_notices
from .pulse import Pulse
from .workspace import Workspace


class Exposition:
    """Nothing is computed but how old things are: values are those of the last stored evaluation."""

    def __init__(self, workspace: Callable[[], Workspace], pulse: Pulse) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Points(workspace, pulse))
        # Memory, processor time and file handles of this process.
        ProcessCollector(registry=self._registry)
        self._one_at_a_time = threading.Lock()

    def text(self, accepted: str) -> tuple[str, bytes]:
        """The type of content and the content itself, of a type that the asking side accepts."""
        encode, content_type = choose_encoder(accepted)
        with self._one_at_a_time:
            return content_type, encode(self._registry)


class _Points(Collector):
    def __init__(self, workspace: Callable[[], Workspace], pulse: Pulse) -> None:
        self._workspace = workspace
        self._pulse = pulse
        self._key_results = KeyResultPoints()
        self._sources = SourcePoints()

    def describe(self) -> Iterable[Metric]:
        """Nothing is read to register."""
        return [_family(one) for one in CATALOGUE]

    def collect(self) -> Iterable[Metric]:
        found = {one: _family(one) for one in CATALOGUE}
        for one, labels, value in (*of_daemon(self._pulse), *self._of_store()):
            if value is not None and math.isfinite(value):
                found[one].add_sample(one.shown, dict(zip(one.labels, labels, strict=True)), value)
        return [family for family in found.values() if family.samples]

    def _of_store(self) -> list[Point]:
        """All of it or nothing: what is told of a broken store would be told as true."""
        try:
            return [*self._read(self._workspace()), (STORE_UP, (), 1.0)]
        except StoreError:
            return [(STORE_UP, (), 0.0)]

    def _read(self, workspace: Workspace) -> Iterator[Point]:
        jobs = workspace.store.jobs()
        yield from self._key_results.points(workspace)
        yield from self._sources.points(workspace, jobs)
        yield from of_jobs(jobs)
        yield from of_notices(workspace)


def _family(one: Exported) -> Metric:
    family = CounterMetricFamily if one.counter else GaugeMetricFamily
    return family(one.name, one.help, labels=one.labels)
