"""Sources: the keys all have, split from what the collector's own options say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from ..collectors.contract import SOURCE_KEYS, Collector, ConfigError
from ..metrics.facts import FactKind
from .findings import Findings
from .model import SourceConfig
from .people import People
from .places import Key
from .problem import choices
from .schedule import cron_of, longest_gap
from .schema_sources import SourceTable
from .words import all_in_words, model_keys, unknown_key

HOURLY = timedelta(hours=1)
DEPLOYMENTS: Literal["deployments"] = "deployments"


@dataclass(frozen=True, slots=True)
class BoundSource:
    """A source that is there; `config` is None where something about it is wrong, `collector` where its type is.

    `defaults` are query keys the source says for all its metrics.
    """

    name: str
    collector: type[Collector] | None
    config: SourceConfig | None
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tells(self) -> tuple[FactKind, ...]:
        """The kinds of facts it tells: those of its type, or the one that its options leave."""
        only = self.config.options.tells_only() if self.config else None
        if only is not None:
            return (only,)
        return tuple(self.collector.Queries) if self.collector else ()

    def asks(self, kind: FactKind) -> Mapping[str, Any]:
        """The query keys it says for all its metrics, where they ask for this kind."""
        return {**self.defaults, **(self.config.options.asks(kind) if self.config else {})}


def bind_sources(
    table: object, registry: Mapping[str, type[Collector]], people: People, findings: Findings
) -> dict[str, BoundSource]:
    return {
        name: _source(name, one, key, registry, people, findings)
        for name, one, key in findings.tables(table, ("sources",))
    }


def _source(
    name: str,
    table: Mapping[str, Any],
    key: Key,
    registry: Mapping[str, type[Collector]],
    people: People,
    findings: Findings,
) -> BoundSource:
    own = {k: v for k, v in table.items() if k in SOURCE_KEYS}
    common, wrong = findings.patched(SourceTable, own, key, {"type": "unknown"})
    if common is not None:
        people.check_owner(common.owner, (*key, "owner"), findings)
    collector = _collector(table.get("type"), (*key, "type"), registry, findings)
    if collector is None:
        return BoundSource(name, None, None)
    defaults = _defaults(table, collector)
    options = _options(table, key, collector, defaults, findings)
    if common is None or wrong:
        return BoundSource(name, collector, None, defaults if options is not None else {})
    schedule, gap = _schedule(common, key, findings)
    if options is None:
        return BoundSource(name, collector, None)
    config = SourceConfig(
        name=name,
        options=options,
        schedule=schedule,
        longest_gap=gap,
        **{k: getattr(common, k) for k in ("type", "every", "at", "cron", "since", "reserve", "owner")},
    )
    return BoundSource(name, collector, config, defaults)


def _collector(
    word: object, key: Key, registry: Mapping[str, type[Collector]], findings: Findings
) -> type[Collector] | None:
    if not isinstance(word, str):
        return None  # The common keys' model has said so.
    if word not in registry:
        findings.add(key, f"no collector has this type{choices(word, sorted(registry))}")
        return None
    try:
        return registry[word]
    except ConfigError as error:
        findings.add(key, str(error))
        return None


def _defaults(table: Mapping[str, Any], collector: type[Collector]) -> dict[str, Any]:
    """What a source may say in place of its metrics: what counts as a deployment."""
    query = collector.Queries.get(DEPLOYMENTS)
    takes = query is not None and DEPLOYMENTS in model_keys(query)
    return {DEPLOYMENTS: table[DEPLOYMENTS]} if takes and DEPLOYMENTS in table else {}


def _options(
    table: Mapping[str, Any], key: Key, collector: type[Collector], defaults: Mapping[str, Any], findings: Findings
) -> Any:  # noqa: ANN401 (each collector's own Options)
    from pydantic import ValidationError

    model = collector.Options
    taken = model_keys(model)
    own = {k: v for k, v in table.items() if k not in SOURCE_KEYS and (k in taken or k not in defaults)}
    try:
        return model.model_validate(own)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    unknown = [one for one in errors if one["type"] == "extra_forbidden" and len(one["loc"]) == 1]
    for name in (str(one["loc"][0]) for one in unknown):
        findings.add((*key, name), unknown_key(name, taken | {*SOURCE_KEYS}))
    for where, message in all_in_words(model, own, [one for one in errors if one not in unknown]):
        findings.add((*key, *where), message)
    return None


def _schedule(common: SourceTable, key: Key, findings: Findings) -> tuple[str | None, timedelta]:
    word, said = ("at", common.at) if common.at is not None else ("cron", common.cron)
    if said is None:
        return None, common.every or HOURLY
    try:
        cron = cron_of(said) if word == "at" else said
        return cron, longest_gap(cron)
    except ValueError as error:
        findings.add((*key, word), str(error))
        return None, HOURLY
