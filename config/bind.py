"""Puts the whole config together from its parts, telling everything that is wrong at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..collectors.contract import Collector
from .bind_metrics import bind_metrics
from .bind_objectives import bind_objectives
from .bind_services import bind_services
from .bind_sources import bind_sources
from .bind_telling import bind_checkins, bind_daemon, bind_notify, bind_reports
from .bind_tracker import bind_calendar, bind_cycles, bind_teams, bind_tracker
from .document import Document
from .findings import Findings
from .known_types import KnownTypes
from .model import Config
from .people import People
from .problem import ConfigProblems
from .reach import check_homes
from .words import unknown_key
from .written_objectives import read_objectives

TABLES = (
    "tracker",
    "cycles",
    "calendar",
    "teams",
    "services",
    "sources",
    "metrics",
    "objectives",
    "reports",
    "checkins",
    "notify",
    "daemon",
)


def bind(document: Document, registry: Mapping[str, type[Collector]] | None = None) -> Config:
    """
    Raises:
        ConfigProblems: with everything that is wrong, each at its place.
    """
    findings = Findings(document)
    config = _bind(document, findings, KnownTypes() if registry is None else registry)
    if findings:
        raise ConfigProblems(findings.problems())
    return config


def _bind(document: Document, findings: Findings, registry: Mapping[str, type[Collector]]) -> Config:
    table, base = document.table, document.path.resolve().parent
    _known_tables(table, findings)
    tracker = bind_tracker(table.get("tracker", {}), base, findings)
    channels = [*table["notify"]] if isinstance(table.get("notify"), Mapping) else []
    teams = bind_teams(table.get("teams", {}), channels, findings)
    people = People(teams)
    services = bind_services(table.get("services", {}), findings)
    sources = bind_sources(table.get("sources", {}), registry, people, findings)
    check_homes(services, sources.values(), findings)
    written = read_objectives(table.get("objectives", []), findings)
    cycles = bind_cycles(table.get("cycles", {}), tracker, written, findings)
    metrics = bind_metrics(table.get("metrics", {}), sources, services, written, findings)
    return Config(
        path=document.path,
        digest=document.digest,
        calendar=bind_calendar(table.get("calendar", {}), tracker.timezone, findings),
        store=tracker.store,
        cycle=cycles.default,
        cycles=cycles.by_name,
        pace=tracker.pace,
        forecast=tracker.forecast,
        sources={name: bound.config for name, bound in sources.items() if bound.config is not None},
        metrics={name: bound.definition for name, bound in metrics.items() if bound.definition is not None},
        objectives=bind_objectives(written, cycles, metrics, people, tracker.forecast, findings),
        teams=teams,
        services=services,
        reports=bind_reports(table.get("reports", {}), channels, base, findings),
        checkins=bind_checkins(table.get("checkins"), findings),
        notify=bind_notify(table.get("notify", {}), findings),
        daemon=bind_daemon(table.get("daemon", {}), base, findings),
    )


def _known_tables(table: Mapping[str, Any], findings: Findings) -> None:
    for name in table:
        if name not in TABLES:
            findings.add((name,), unknown_key(name, TABLES))
