"""docs/config.md: every key of the config, from the models that check it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..collectors.contract import SOURCE_KEYS, Collector
from ..metrics.measures import EVERY, MEASURES, Measure
from .bind_metrics import UNWRITTEN
from .json_schema import Schema, json_schema
from .known_types import KnownTypes
from .words import model_keys

_HEAD = """\
# The config file

`keyresults.toml` is found by `--config`, else by `$KEYRESULTS_CONFIG`, else upwards from the current folder.
[config.example.toml](../config.example.toml) shows all of it with explanations; `keyresults check` says everything
that is wrong with yours, each with its line; `keyresults schema` prints a JSON Schema for editors.
This page is generated (`make docs`).

A secret is never written into the file. Where one is needed, say where it lies: `{ env = "NAME" }`,
`{ file = "path" }` (relative to the config) or `{ command = ["program", "argument"] }` (what it prints; no shell).
It is read when its source is asked, and shown nowhere.

The file may have up to 1 MiB, 100,000 lines, 30,000 values, 32 levels of nesting and 16 parts in a dotted key.

Amounts carry their unit: `"85%"`, `"+5pp"` (percentage points), `"300ms"`, `"2h"`, `"1/workday"`, `"2/day"`,
`"3/week"`, `"6/month"`. A plain number is in the metric's own unit; above 1 on a ratio it is an error. `m` is minutes.
"""

_TABLES: Mapping[str, str] = {
    "tracker": "[tracker]",
    "cycles": "[cycles.NAME]",
    "calendar": "[calendar]",
    "teams": "[teams.NAME]",
    "services": "[services.NAME]",
}
_TELLING: Mapping[str, str] = {
    "reports": "[reports.NAME]",
    "checkins": "[checkins]",
    "notify": "[notify.NAME]",
    "daemon": "[daemon]",
}


def config_reference(registry: Mapping[str, type[Collector]] | None = None) -> str:
    """The page, as Markdown. `registry` holds the collectors by type word; None: all there are."""
    types = KnownTypes() if registry is None else registry
    collectors = {word: types[word] for word in types}
    return _HEAD + "\n" + "\n".join(_Page(json_schema(collectors), collectors).lines()) + "\n"


class _Page:
    def __init__(self, schema: Schema, collectors: Mapping[str, type[Collector]]) -> None:
        self._schema = schema
        self._collectors = collectors

    def lines(self) -> Iterator[str]:
        for name, title in _TABLES.items():
            yield from self._table(title, self._top(name))
        yield from self._sources()
        yield from self._metrics()
        objective = self._resolved(self._schema["properties"]["objectives"]["items"])
        yield from self._table("[[objectives]]", objective, leave_out=("key_results",))
        key_result = self._resolved(objective["properties"]["key_results"]["items"])
        yield from self._table("[[objectives.key_results]]", key_result)
        yield from (
            "A target is one of `{ from, to }`, `{ to }`, `{ change }`, one comparison, or `{ keep, share }`:",
            "",
        )
        yield from self._rows(self._resolved(key_result["properties"]["target"]))
        yield ""
        for name, title in _TELLING.items():
            yield from self._table(title, self._top(name))

    def _sources(self) -> Iterator[str]:
        kinds = self._schema["properties"]["sources"]["additionalProperties"]["oneOf"]
        first = kinds[0]
        common = {key: first["properties"][key] for key in SOURCE_KEYS}
        common["type"] = {"enum": [*self._collectors], "description": common["type"]["description"]}
        yield from ("## [sources.NAME]", "", "Every source may say:", "")
        yield from self._rows({"properties": common, "required": ["type"]})
        yield ""
        for kind in kinds:
            yield from (f'### type = "{kind["title"]}"', "")
            own = {key: value for key, value in kind["properties"].items() if key not in SOURCE_KEYS}
            yield from (
                self._rows({"properties": own, "required": kind["required"]}) if own else ["Nothing else to say."]
            )
            yield from ("", "```toml", self._collectors[kind["title"]].sample_config.strip(), "```", "")

    def _metrics(self) -> Iterator[str]:
        properties: Schema = self._schema["properties"]["metrics"]["additionalProperties"]["properties"]
        yield from ("## [metrics.NAME]", "", "Every metric may say:", "")
        every = {key: properties[key] for key in ("source", "measure", *EVERY)}
        yield from self._rows({"properties": every, "required": ["source"]})
        yield from ("", "### Measures", "", "| measure | | facts | options |", "|---|---|---|---|")
        yield from (self._measure(measure) for measure in MEASURES.values())
        options = sorted({option for m in MEASURES.values() for option in m.options} & {*properties})
        yield from ("", "### Options of measures", "")
        yield from self._rows({"properties": {key: properties[key] for key in options if key != "deployments"}})
        yield from ("", "### What is put to a source", "", "| source | facts | key | |", "|---|---|---|---|")
        for word, collector in self._collectors.items():
            for kind, query in collector.Queries.items():
                for key in sorted(model_keys(query) - UNWRITTEN):
                    said = (f.description or "" for name, f in query.model_fields.items() if key in (name, f.alias))
                    yield f"| {word} | {kind} | `{key}` | {_cell(next(said))} |"
        yield ""

    def _measure(self, measure: Measure) -> str:
        options = ", ".join(f"`{option}`" for option in measure.options if option != "deployments")
        return f"| `{measure.name}` | {_cell(measure.words)} | {', '.join(measure.kinds)} | {options} |"

    def _table(self, title: str, schema: Schema, leave_out: Iterable[str] = ()) -> Iterator[str]:
        yield from (f"## {title}", "")
        yield from self._rows(schema, leave_out)
        yield ""

    def _rows(self, schema: Schema, leave_out: Iterable[str] = ()) -> Iterator[str]:
        yield from ("| key | | |", "|---|---|---|")
        for key, value in schema["properties"].items():
            if key not in leave_out:
                needed = "**Needed.** " if key in schema.get("required", ()) else ""
                yield f"| `{key}` | {_cell(self._kind(value))} | {_cell(needed + self._said(value))} |"

    def _said(self, schema: Schema) -> str:
        described: str = schema.get("description") or next(
            (one["description"] for one in schema.get("anyOf", ()) if "description" in one), ""
        )
        return described

    def _kind(self, schema: Schema) -> str:
        """What may stand there, in few words."""
        schema = {**self._resolved(schema), **{k: v for k, v in schema.items() if k != "description"}}
        if "const" in schema or "enum" in schema:
            values = schema.get("enum", [schema.get("const")])
            return ", ".join(f'"{value}"' for value in values) if len(values) < 9 else "a name, see below"
        if "anyOf" in schema or "oneOf" in schema:
            kinds = [self._kind(one) for one in schema.get("anyOf") or schema.get("oneOf") or ()]
            return " or ".join(dict.fromkeys(kinds))
        if schema.get("format") == "date":
            return "day"
        if "examples" in schema:
            return "such as " + ", ".join(f"`{_toml(one)}`" for one in schema["examples"])
        if schema.get("type") == "array":
            return f"list of: {self._kind(schema.get('items', {}))}"
        if schema.get("type") == "object":
            keys = ", ".join(schema.get("properties", {}))
            return f"{{ {keys} }}" if keys else "table"
        return {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}.get(
            schema.get("type", ""), ""
        )

    def _top(self, name: str) -> Schema:
        schema = self._schema["properties"][name]
        return self._resolved(schema.get("additionalProperties", schema) if "$ref" not in schema else schema)

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self._schema["definitions"][schema["$ref"].rpartition("/")[2]]
        return schema


def _toml(value: Any) -> str:  # noqa: ANN401 (an example of any type)
    return f'"{value}"' if isinstance(value, str) else str(value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
