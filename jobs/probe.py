"""Asking each source one cheap question."""

from __future__ import annotations

from ..collectors.contract import CollectorError, ProbeResult
from .collectors import construct
from .workspace import Workspace


def probe(workspace: Workspace) -> list[tuple[str, ProbeResult | CollectorError]]:
    """What each source answers, or the error that keeps it from answering, in the order of the config."""
    return [(name, _probe(workspace, name)) for name in workspace.config.sources]


def _probe(workspace: Workspace, name: str) -> ProbeResult | CollectorError:
    try:
        collector = construct(workspace, workspace.config.sources[name], memo={})  # a probe needs no store
        try:
            return collector.probe()
        finally:
            collector.close()
    except CollectorError as error:
        return error
