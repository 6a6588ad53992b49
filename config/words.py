"""What pydantic found, in words for the author of a config: never the value, unless it is a choice among few."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..collectors.contract import WrongKeys
from .places import Key
from .problem import choices, listed, near

_KINDS = {
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "list_type": "a list: [ … ]",
    "tuple_type": "a list: [ … ]",
    "dict_type": "a table: { … }",
    "model_type": "a table: { … }",
    "model_attributes_type": "a table: { … }",
    "mapping_type": "a table: { … }",
}
_SIZES = {
    "string_too_short": "must not be empty",
    "string_too_long": "is too long: {max_length} characters at most",
    "too_short": "needs at least {min_length}",
    "too_long": "takes at most {max_length}",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be {le:g} or less",
    "finite_number": "must be a finite number",
}
_ECHOES = {*_KINDS, "literal_error", "too_short"}
"""Errors that say little where another one stands at the same place or inside it: the other branches of a union."""

_CHOICE = re.compile(r"^[A-Za-z0-9_ .-]{1,40}$")


def all_in_words(
    model: type[BaseModel], table: object, errors: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[Key, str]]:
    """Where in `table` each error stands, and what it says."""
    said = [(error["type"], *one) for error in errors for one in _told(model, table, error)]
    for number, (kind, key, message) in enumerate(said):
        better = (other for n, (rival, other, _) in enumerate(said) if _outweighs(rival, kind, n < number))
        if kind not in _ECHOES or all(other[: len(key)] != key for other in better):
            yield key, message


def _told(model: type[BaseModel], table: object, error: Mapping[str, Any]) -> Iterator[tuple[Key, str]]:
    raised = error.get("ctx", {}).get("error")
    if not isinstance(raised, WrongKeys):
        yield _in_words(model, table, error)
        return
    for key, message in raised.problems:
        yield _way(table, (*error["loc"], *key)), message


def _outweighs(rival: str, kind: str, first: bool) -> bool:
    """Of two branches' complaints about one place, the one that names choices is told, else the first."""
    if rival not in _ECHOES:
        return True
    return kind in _KINDS and (rival not in _KINDS or first)


def _in_words(model: type[BaseModel], table: object, error: Mapping[str, Any]) -> tuple[Key, str]:
    loc: Key = error["loc"]
    kind, context = error["type"], error.get("ctx", {})
    key = _way(table, loc)
    if kind == "missing":
        return key, f"{loc[-1]} is missing" + _described(model, loc)
    if kind == "extra_forbidden":
        return key, unknown_key(str(loc[-1]), _keys(_models_at(model, loc[:-1])))
    if kind in ("literal_error", "enum"):
        return key, _no_choice(error.get("input"), context["expected"])
    if kind in _KINDS:
        return key, f"must be {_KINDS[kind]}, not {_found(error.get('input'))}"
    if kind == "value_error":
        return key, str(context["error"])
    if kind == "string_pattern_mismatch":
        return key, f"has another form than it should{_described(model, loc)}"
    if kind in _SIZES:
        return key, _SIZES[kind].format_map(context)
    message = str(error["msg"])
    return key, message[:1].lower() + message[1:]


def unknown_key(name: str, known: Iterable[str]) -> str:
    options = sorted(known)
    return f"unknown key{choices(name, options)}"


def _no_choice(value: object, expected: str) -> str:
    choices = re.findall(r"'([^']*)'", expected)
    if not isinstance(value, str):
        return f"must be one of {listed(choices)}, in quotes"
    # A long or odd text may be a secret that went astray.
    said = f'"{value}"' if _CHOICE.match(value) else "this"
    return f"{said} is none of {listed(choices)}{near(value, choices)}"


def _found(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or time")


def _way(table: object, loc: Key) -> Key:
    """The part of a location that exists in the table: pydantic adds the tags of unions to it."""
    key: list[str | int] = []
    node: Any = table
    for number, part in enumerate(loc):
        if _holds(node, part) and not _only_a_tag(node, loc[number:]):
            node = node[part]
            key.append(part)
    return tuple(key)


def _holds(node: object, part: str | int) -> bool:
    if isinstance(node, list):
        return isinstance(part, int) and part < len(node)
    return isinstance(node, Mapping) and part in node


def _only_a_tag(node: Any, rest: Key) -> bool:  # noqa: ANN401 (a table or a list)
    """Whether `rest` starts with a tag that happens to be a key too: what follows is then a key beside it."""
    return len(rest) > 1 and _holds(node, rest[1]) and not isinstance(node[rest[0]], (Mapping, list))


def _described(model: type[BaseModel], loc: Key) -> str:
    for owner in _models_at(model, loc[:-1]):
        for name, field in owner.model_fields.items():
            if loc[-1] in (name, field.alias) and field.description:
                return f": {field.description}"
    return ""


def _models_at(model: type[BaseModel], loc: Key) -> list[type[BaseModel]]:
    """The models that a table at this location may be."""
    models = [model]
    for part in loc:
        fields = [f for m in models for name, f in m.model_fields.items() if part in (name, f.alias)]
        models = [m for f in fields for m in _models_in(f)] or models
    return models


def _models_in(field: FieldInfo) -> Iterator[type[BaseModel]]:
    waiting: list[Any] = [field.annotation]
    while waiting:
        annotation = waiting.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
        elif get_origin(annotation) in (Union, types.UnionType) or get_args(annotation):
            waiting.extend(get_args(annotation))


def _keys(models: Iterable[type[BaseModel]]) -> set[str]:
    return {keys for m in models for keys in model_keys(m)}


def model_keys(model: type[BaseModel]) -> set[str]:
    """The keys a table of this model may have, as they are written."""
    return {field.alias or name for name, field in model.model_fields.items()}
