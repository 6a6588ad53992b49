"""Stores filled with a made-up history, as if a source had told it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from keyresults.jobs.bindings import Bindings, questions
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.facts import Deployment, Run
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.stream import Batch, Stream

from .history import REPOSITORIES, deployments, runs


def fill(workspace: Workspace, each: int, start: datetime, end: datetime) -> None:
    """`each` facts of every kind its metrics ask for, of every repository, from `start` to `end`, all of it covered."""
    covered = TimeRanges.of(TimeRange(start, end))
    for question in {q for metric in workspace.config.metrics.values() for q in questions(metric)}:
        streams = [Stream(question.source, question.kind, name, question.query) for name in REPOSITORIES]
        for stream in streams:
            make = deployments if question.kind == "deployments" else runs
            told: Sequence[Deployment | Run] = make(stream.subject, each, start, end)
            workspace.store.write(stream, Batch(facts=tuple(told), covered=covered), end)
        Bindings(workspace.config, workspace.store).remember(question, streams)
