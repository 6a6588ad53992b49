"""Frozen dataclasses to JSON text and back, complete: `decode_json(type(v), encode_json(v)) == v`.

Fields a stored text lacks take their defaults and fields it has in excess are passed over, so an
evaluation stored by another release stays readable while its required fields are there.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Decoder = Callable[[Any], Any]


def encode_json(value: object) -> str:
    """
    Raises:
        ValueError: for nan and infinity, which are no readings.
    """
    return json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":"))


def decode_json(cls: type[T], text: str) -> T:
    """
    Raises:
        ValueError: where the text doesn't hold what `cls` needs.
    """
    wanted: Any = cls
    try:
        decoded = _decoder(wanted)(json.loads(text))
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"not a stored {cls.__name__}: {problem}") from problem
    assert isinstance(decoded, cls)
    return decoded


def _plain(value: Any) -> Any:  # noqa: ANN401 (whatever JSON can hold)
    """One that JSON does not know, as one that it does: of a dataclass its fields, whatever is in them."""
    kind: Any = type(value)
    names = _names(kind)
    if names is not None:
        return {name: getattr(value, name) for name in names}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a {kind.__name__} can't be stored")


@cache
def _names(cls: Any) -> tuple[str, ...] | None:  # noqa: ANN401 (any type at all)
    return tuple(field.name for field in dataclasses.fields(cls)) if dataclasses.is_dataclass(cls) else None


@cache
def _decoder(wanted: Any) -> Decoder:  # noqa: ANN401 (whatever the fields of a dataclass are)
    """How a value of this type is read. Worked out once: a report holds tens of thousands of days."""
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        inner = _decoder(_only_type_in(wanted))
        return lambda value: None if value is None else inner(value)
    decode = _decoder_of_known(wanted, origin)

    def known(value: Any) -> Any:  # noqa: ANN401 (what JSON held)
        if value is None:
            raise TypeError(f"{wanted} can't be null")
        return decode(value)

    return known


def _decoder_of_known(wanted: Any, origin: Any) -> Decoder:  # noqa: ANN401 (a type form)
    if origin is tuple:
        return _tuple(get_args(wanted))
    if dataclasses.is_dataclass(wanted):
        return lambda value: _instance(wanted, value)
    if wanted in (date, datetime):
        from_text: Decoder = wanted.fromisoformat
        return from_text
    if wanted is float:
        return float
    if origin is not Literal and issubclass(wanted, Enum):
        return {member.value: member for member in wanted}.__getitem__
    return lambda value: value


def _instance(cls: Any, value: dict[str, Any]) -> Any:  # noqa: ANN401 (a dataclass)
    return cls(**{name: decode(value[name]) for name, decode in _fields(cls) if name in value})


@cache
def _fields(cls: Any) -> tuple[tuple[str, Decoder], ...]:  # noqa: ANN401 (a dataclass)
    return tuple((name, _decoder(hint)) for name, hint in get_type_hints(cls).items())


def _tuple(items: tuple[Any, ...]) -> Decoder:
    if len(items) == 2 and items[1] is Ellipsis:
        each = _decoder(items[0])
        return lambda value: tuple(map(each, value))
    decoders = [_decoder(item) for item in items]
    return lambda value: tuple(decode(v) for decode, v in zip(decoders, value, strict=True))


def _only_type_in(union: Any) -> Any:  # noqa: ANN401 (a type form)
    (inner,) = (t for t in get_args(union) if t is not types.NoneType)
    return inner
