"""How values become columns: integer microseconds since 1970 UTC, JSON text, numbers that are numbers."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Dialect, Double, LargeBinary, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from ..metrics.facts import StatusChange
from ..metrics.table import from_microseconds, microseconds
from .packing import packed, unpacked

PLAIN = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Text in the order of its characters' numbers in every database, whatever language a server was set up for."""


class PackedText(TypeDecorator[str]):
    """Text that is kept compressed."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else packed(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else unpacked(value)


# No database keeps a lone surrogate, and PostgreSQL no NUL.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def to_text(text: str) -> str:
    """The text, with what no database stores replaced by U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return _UNSTORABLE.sub("\ufffd", text)


def _are_storable(texts: Sequence[str | None]) -> bool:
    joined = "".join([text for text in texts if text is not None])
    return joined.isascii() and "\0" not in joined


def _are_plain(values: Sequence[object]) -> bool:
    return True


def to_number(number: float) -> float | None:
    """The number; None for nan, infinity and what is beyond all floats, which are no measurements."""
    try:
        return float(number) if math.isfinite(number) else None
    except OverflowError:
        return None


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def to_json(value: object) -> str:
    """One text for equal values: keys in order, no spaces. What JSON or a database can't say is replaced."""
    try:
        text = _encode(value)
    except (TypeError, ValueError):
        return _encode(_sayable(value))
    if "\\u0000" in text or not (text.isascii() or _UNSTORABLE.search(text) is None):
        return _encode(_sayable(value))
    return text


def _sayable(value: object) -> object:
    match value:
        case str():
            return to_text(value)
        case bool() | int() | None:
            return value
        case float():
            return to_number(value)
        case Mapping():
            return {to_text(str(name)): _sayable(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_sayable(inner) for inner in value]
        case _:
            return to_text(str(value))


def _parts_to_json(parts: Mapping[str, float]) -> str:
    # A histogram with one bucket unknown is no histogram: all or nothing.
    if not parts or any(to_number(part) is None for part in parts.values()):
        return "{}"
    return to_json(parts)


def _object_to_json(value: Mapping[str, object]) -> str:
    return to_json(value) if value else "{}"


def _statuses_to_json(statuses: Iterable[StatusChange]) -> str:
    return to_json([(status.state, microseconds(status.at)) for status in statuses])


def _statuses_from_json(text: str) -> tuple[StatusChange, ...]:
    return tuple(StatusChange(state, from_microseconds(at)) for state, at in json.loads(text))


def _texts_from_json(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _same(value: Any) -> Any:  # noqa: ANN401 (whatever the column holds)
    return value


def _never(values: Sequence[object]) -> bool:
    return False


@dataclass(frozen=True)
class Codec:
    """A kind of column: its type, and how a fact's field is written to it and read back.

    `are_fine` may say, cheaper than one by one, that `write` would leave all these values as they are.
    """

    type: TypeEngine[Any]
    write: Callable[[Any], Any] = _same
    read: Callable[[Any], Any] = _same
    are_fine: Callable[[Sequence[Any]], bool] = _never

    def written(self, values: Sequence[Any]) -> Sequence[Any]:
        """What is stored for these values; None stays None."""
        if self.are_fine(values):
            return values
        return [None if value is None else self.write(value) for value in values]


TEXT = Codec(PLAIN, to_text, are_fine=_are_storable)
WHOLE = Codec(BigInteger(), are_fine=_are_plain)
NUMBER = Codec(Double(), to_number)
FLAG = Codec(Boolean(), bool, bool)
INSTANT = Codec(BigInteger(), microseconds, from_microseconds)
STATUSES = Codec(PLAIN, _statuses_to_json, _statuses_from_json)
TEXTS = Codec(PLAIN, to_json, _texts_from_json)
OBJECT = Codec(PLAIN, _object_to_json, json.loads)
PARTS = Codec(PLAIN, _parts_to_json, json.loads)


def needed(name: str, codec: Codec, **more: Any) -> Column[Any]:  # noqa: ANN401 (SQLAlchemy's own options)
    """A column that is never empty."""
    return Column(name, codec.type, nullable=False, info={"codec": codec}, **more)


def maybe(name: str, codec: Codec) -> Column[Any]:
    """A column that is empty where the value is missing."""
    return Column(name, codec.type, nullable=True, info={"codec": codec})


def codec_of(column: Column[Any]) -> Codec:
    codec: Codec = column.info["codec"]
    return codec
