"""Frozen dataclasses to JSON text and back, complete: `decode_json(type(v), encode_json(v)) == v`.

Fields a stored text lacks take their defaults and fields it has in excess are passed over, so an
evaluation stored by another release stays readable while its required fields are there.
"""

from __future__ import annotations

import dataclasses
import json
import types
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def encode_json(value: object) -> str:
    """
    Raises:
        ValueError: for nan and infinity, which are no readings.
    """
    return json.dumps(_encoded(value), allow_nan=False, separators=(",", ":"))


def decode_json(cls: type[T], text: str) -> T:
    """
    Raises:
        ValueError: where the text doesn't hold what `cls` needs.
    """
    try:
        decoded = _decoded(cls, json.loads(text))
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"not a stored {cls.__name__}: {problem}") from problem
    assert isinstance(decoded, cls)
    return decoded


def _encoded(value: Any) -> Any:  # noqa: ANN401 (whatever JSON can hold)
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return {f.name: _encoded(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [_encoded(item) for item in value]
    return value


def _decoded(wanted: Any, value: Any) -> Any:  # noqa: ANN401 (whatever the fields of a dataclass are)
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return None if value is None else _decoded(_only_type_in(wanted), value)
    if value is None:
        raise TypeError(f"{wanted} can't be null")
    if origin is Literal:
        return value
    if origin is tuple:
        return _tuple(get_args(wanted), value)
    if dataclasses.is_dataclass(wanted):
        return _instance(wanted, value)
    if wanted in (date, datetime):
        return wanted.fromisoformat(value)
    if issubclass(wanted, Enum):
        return wanted(value)
    return float(value) if wanted is float else value


def _instance(cls: Any, value: dict[str, Any]) -> Any:  # noqa: ANN401 (a dataclass)
    return cls(**{name: _decoded(hint, value[name]) for name, hint in _hints(cls).items() if name in value})


def _tuple(items: tuple[Any, ...], value: list[Any]) -> tuple[Any, ...]:
    if len(items) == 2 and items[1] is Ellipsis:
        return tuple(_decoded(items[0], v) for v in value)
    return tuple(_decoded(item, v) for item, v in zip(items, value, strict=True))


def _only_type_in(union: Any) -> Any:  # noqa: ANN401 (a type form)
    (inner,) = (t for t in get_args(union) if t is not types.NoneType)
    return inner


@cache
def _hints(cls: Any) -> dict[str, Any]:  # noqa: ANN401 (a dataclass)
    return get_type_hints(cls)
