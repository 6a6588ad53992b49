"""Collectors, made from the config: the secrets they refer to are looked up here and nowhere earlier."""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping

from ..collectors.contract import Budget, Collector, Context, no_budgets
from ..collectors.http import HttpDoor
from ..collectors.registry import collector_type
from ..config.model import SourceConfig
from .budget import StoredBudget
from .workspace import Workspace


def construct(
    workspace: Workspace,
    source: SourceConfig,
    memo: MutableMapping[str, str] | None = None,
    check: Callable[[str], None] = lambda resource: None,
) -> Collector:
    """`memo` is what the store keeps for the source, unless another is given; no store is asked for budgets then.

    `check` is called with its resource before each request that a budget counts, and may raise.

    Raises:
        CollectorError: where a secret can't be found or the options can't work.
    """

    def budget(credential: str) -> Budget:
        return StoredBudget(workspace.store, source.name, credential, source.reserve, workspace.clock, check)

    context = Context(
        source=source.name,
        http=HttpDoor(),
        clock=workspace.clock,
        calendar=workspace.config.calendar,
        base=workspace.config.path.parent,
        budgets=budget if memo is None else no_budgets,
        memo=workspace.store.memo(source.name) if memo is None else memo,
        log=logging.getLogger(f"keyresults.collectors.{source.name}"),
    )
    return collector_type(source.type)(source.options, context)
