"""Gathers everything that is wrong, so that one run of `check` tells it all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..collectors.contract import WrongKeys
from ..collectors.secrets import FORMS
from .document import Document
from .fields import NAME
from .places import Key, Places
from .problem import SHOWN, Problem
from .words import all_in_words

_M = TypeVar("_M", bound=BaseModel)
_CREDENTIALS = re.compile(
    r"^[a-z][a-z0-9+.-]*://[^/?#\s:@]*:[^/?#\s@]+@"
    r"|://[^\s]*[?&](?:access_|api_?)?(?:token|key|secret|password)=[^&]"
    r"|(?:gh[a-z]_|github_pat_|glpat-|xox[a-z]-)[A-Za-z0-9_-]{12}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY",
    re.IGNORECASE,
)


class Findings:
    """What was found wrong with one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._found: list[tuple[Key, str]] = []
        self._secret: set[Key] = set()
        for key in credentials_in(document.table):
            self._secret.add(key)
            self._found.append(
                (key, f"a password or token is written here: take it out, and give it by reference: {FORMS}")
            )

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def enough(self) -> bool:
        """Whether more is known than will be shown."""
        return len(self._found) > 2 * SHOWN

    def add(self, key: Key, message: str) -> None:
        # Whatever else is wrong with a value that holds a password, saying it might show the password.
        if not self.enough and not any(key[: len(secret)] == secret for secret in self._secret):
            self._found.append((key, message))

    def model(self, model: type[_M], value: object, key: Key) -> _M | None:
        """The table at `key` as its model; None where it isn't one, with everything wrong noted."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        for where, message in all_in_words(model, value, errors[:SHOWN]):
            self.add((*key, *where), message)
        return None

    def salvaged(self, model: type[_M], value: object, key: Key) -> _M | None:
        """As `model`, but where some keys are wrong, the others are still read, so that they can be checked too."""
        return self.patched(model, value, key, {})[0]

    def patched(
        self, model: type[_M], value: object, key: Key, stand_ins: Mapping[str, object]
    ) -> tuple[_M | None, frozenset[str]]:
        """As `salvaged`, with stand-ins for keys it can't do without, and the names of those that stand in."""
        table = self.model(model, value, key)
        if table is not None or not isinstance(value, Mapping):
            return table, frozenset()
        rest = dict(value)
        for _ in range(2):  # What is wrong between keys is only seen once each is right by itself.
            wrong = _wrong_keys(model, rest)
            rest = {k: v for k, v in rest.items() if k not in wrong}
        for whole in (rest, {**stand_ins, **rest}):
            try:
                return model.model_validate(whole), frozenset(whole.keys() - rest.keys())
            except ValidationError:
                continue
        return None, frozenset()

    def tables(self, value: object, key: Key) -> Iterator[tuple[str, Any, Key]]:
        """The named tables of a table, `[metrics.NAME]`, each with its key."""
        if not isinstance(value, Mapping):
            self.add(key, f"must be tables with names: [{key[-1]}.NAME]")
            return
        for name, table in value.items():
            if NAME.match(name) is None:
                self.add(
                    (*key, name), "a name has letters, digits, dots, dashes and underscores, a letter or digit first"
                )
            elif not isinstance(table, Mapping):
                self.add((*key, name), f"must be a table: [{key[-1]}.{name}]")
            else:
                yield name, table, (*key, name)

    def problems(self) -> tuple[Problem, ...]:
        places = Places(self._document.text)
        return tuple(
            Problem(self._document.path, *places.of(key), dotted(key, self._document.table), message)
            for key, message in dict.fromkeys(self._found)
        )


def _wrong_keys(model: type[BaseModel], value: object) -> set[str | int]:
    try:
        model.model_validate(value)
    except ValidationError as error:
        return {key[0] for one in error.errors(include_url=False) for key in _keys_of(one) if key}
    return set()


def _keys_of(error: Mapping[str, Any]) -> list[Key]:
    raised = error.get("ctx", {}).get("error")
    inside: list[Key] = [key for key, _ in raised.problems] if isinstance(raised, WrongKeys) else [()]
    return [(*error["loc"], *key) for key in inside]


def dotted(key: Key, table: object) -> str:
    """`objectives[reliability].key_results[p99].target.to`: elements of arrays by id, else by number from 1."""
    text, node = "", table
    for part in key:
        node = _inside(node, part)
        if isinstance(part, int):
            name = node.get("id") if isinstance(node, Mapping) else None
            text += f"[{name if isinstance(name, str) and NAME.match(name) else part + 1}]"
        else:
            written = part if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", part) else f'"{part[:100]}"'
            text += f".{written}" if text else written
    return text


def _inside(node: object, part: str | int) -> object:
    if isinstance(node, list) and isinstance(part, int) and part < len(node):
        return node[part]
    return node.get(part) if isinstance(node, Mapping) else None


def credentials_in(table: Mapping[str, Any]) -> Iterator[Key]:
    """Every text that holds a password or token, by its looks."""
    waiting: list[tuple[Key, object]] = [((), table)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting.extend(((*key, name), inner) for name, inner in value.items())
        elif isinstance(value, list):
            waiting.extend(((*key, index), inner) for index, inner in enumerate(value))
        elif isinstance(value, str) and _CREDENTIALS.search(value):
            yield key
