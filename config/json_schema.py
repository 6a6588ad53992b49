"""The JSON Schema of the config, for editors that complete and check TOML as it is typed.

Draft 7, which the common TOML language servers read. It knows every key and its type; what only
makes sense together (a measure and its options, units, references) is checked by `load`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ..collectors.contract import Collector
from ..metrics.measures import MEASURES
from .bind_metrics import UNWRITTEN
from .bind_sources import DEPLOYMENTS
from .known_types import KnownTypes
from .schema_metrics import MetricTable
from .schema_objectives import KeyResultTable, ObjectiveTable
from .schema_sources import SourceTable
from .schema_telling import CheckinsTable, DaemonTable, NotifyTable, ReportTable
from .schema_tracker import CalendarTable, CycleTable, ServiceTable, TeamTable, TrackerTable

Schema = dict[str, Any]

_ONE: Mapping[str, type[BaseModel]] = {
    "tracker": TrackerTable,
    "calendar": CalendarTable,
    "checkins": CheckinsTable,
    "daemon": DaemonTable,
}
_NAMED: Mapping[str, type[BaseModel]] = {
    "cycles": CycleTable,
    "teams": TeamTable,
    "services": ServiceTable,
    "reports": ReportTable,
    "notify": NotifyTable,
}


def json_schema(registry: Mapping[str, type[Collector]] | None = None) -> Schema:
    """The schema of the whole file. `registry` holds the collectors by type word; None: all there are."""
    types = KnownTypes() if registry is None else registry
    collectors = {word: types[word] for word in types}
    return _Writer(collectors).schema()


class _Writer:
    def __init__(self, collectors: Mapping[str, type[Collector]]) -> None:
        self._collectors = collectors
        models: set[type[BaseModel]] = {
            *_ONE.values(),
            *_NAMED.values(),
            SourceTable,
            MetricTable,
            ObjectiveTable,
            KeyResultTable,
        }
        models |= {c.Options for c in collectors.values()} | {
            q for c in collectors.values() for q in c.Queries.values()
        }
        ordered = sorted(models, key=lambda model: (model.__module__, model.__qualname__))
        self._references, written = models_json_schema(
            [(model, "validation") for model in ordered], ref_template="#/definitions/{model}"
        )
        self._definitions: dict[str, Schema] = _tidy(written["$defs"])

    def schema(self) -> Schema:
        properties: Schema = {name: self._reference(model) for name, model in _ONE.items()}
        properties |= {name: _by_name(self._reference(model)) for name, model in _NAMED.items()}
        properties["sources"] = _by_name({"oneOf": [self._source(*one) for one in self._collectors.items()]})
        properties["metrics"] = _by_name(self._metric())
        properties["objectives"] = {"type": "array", "items": self._reference(ObjectiveTable)}
        self._of(ObjectiveTable)["properties"]["key_results"]["items"] = self._reference(KeyResultTable)
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "keyresults.toml",
            "type": "object",
            "additionalProperties": False,
            "properties": properties,
            "definitions": self._used(properties),
        }

    def _source(self, word: str, collector: type[Collector]) -> Schema:
        """One type of source: the keys all have, and the collector's own."""
        own, common = self._of(collector.Options), self._of(SourceTable)
        query = collector.Queries.get(DEPLOYMENTS)
        default = self._of(query)["properties"].get(DEPLOYMENTS) if query else None
        properties = {
            **common["properties"],
            "type": {"const": word, "description": common["properties"]["type"].get("description", "")},
            **({DEPLOYMENTS: default} if default else {}),
            **own.get("properties", {}),
        }
        required = ["type", *own.get("required", [])]
        return {
            "title": word,
            "type": "object",
            "additionalProperties": False,
            "required": required,
            "properties": properties,
        }

    def _metric(self) -> Schema:
        """Every option of every measure, and everything that may be put to any source."""
        table = self._of(MetricTable)
        variants: dict[str, list[Schema]] = {key: [value] for key, value in table["properties"].items()}
        for collector in self._collectors.values():
            for query in collector.Queries.values():
                for key, value in self._of(query).get("properties", {}).items():
                    if key not in UNWRITTEN and value not in variants.setdefault(key, []):
                        variants[key].append(value)
        properties = {key: found[0] if len(found) == 1 else {"anyOf": found} for key, found in variants.items()}
        properties["measure"] = {**table["properties"]["measure"], "enum": list(MEASURES)}
        return {"type": "object", "additionalProperties": False, "required": ["source"], "properties": properties}

    def _reference(self, model: type[BaseModel]) -> Schema:
        return dict(self._references[(model, "validation")])

    def _of(self, model: type[BaseModel]) -> Schema:
        return self._definitions[self._reference(model)["$ref"].rpartition("/")[2]]

    def _used(self, properties: Schema) -> dict[str, Schema]:
        """The definitions that something refers to, by way of others too."""
        names: set[str] = set()
        waiting = [*_referred(properties)]
        while waiting:
            name = waiting.pop()
            if name not in names:
                names.add(name)
                waiting.extend(_referred(self._definitions[name]))
        return {name: self._definitions[name] for name in sorted(names)}


def _by_name(schema: Schema) -> Schema:
    return {"type": "object", "additionalProperties": schema}


def _tidy(schema: Any) -> Any:  # noqa: ANN401 (any part of a JSON Schema)
    """TOML has no null, and pydantic's titles only repeat the keys."""
    if isinstance(schema, list):
        return [_tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    tidied = {
        key: {name: _tidy(one) for name, one in value.items()} if key == "properties" else _tidy(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }
    branches = [one for one in tidied.get("anyOf", ()) if one != {"type": "null"}]
    if len(branches) == 1:
        del tidied["anyOf"]
        tidied = {**branches[0], **tidied}
    elif branches:
        tidied["anyOf"] = branches
    return tidied


def _referred(schema: object) -> Iterable[str]:
    if isinstance(schema, list):
        for one in schema:
            yield from _referred(one)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.rpartition("/")[2]
            else:
                yield from _referred(value)
