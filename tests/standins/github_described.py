"""The stand-in's REST answers held against GitHub's published OpenAPI description, where that is at hand.

KEYRESULTS_SCHEMAS names the folder that the npm packages @octokit/openapi and @octokit/graphql-schema are installed in.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from .github_answers import Answer, Asked

FOLDER = os.environ.get("KEYRESULTS_SCHEMAS")

_SEVERAL_PARTS = ("ref", "basehead", "path")
"""Parameters whose value may hold slashes."""

_LONGEST_WORD = 20
_A_WORD = re.compile(rf"[a-z_]{{1,{_LONGEST_WORD}}}")


def package(name: str) -> Path:
    return Path(str(FOLDER)) / "node_modules" / "@octokit" / name


@cache
def described() -> dict[str, Any]:
    text = (package("openapi") / "generated" / "api.github.com.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def _paths(verb: str) -> tuple[list[str], re.Pattern[str]]:
    """The paths GitHub describes, those that say most first, and one pattern that has a group for each."""
    told = (path for path, verbs in described()["paths"].items() if verb in verbs)
    paths = sorted(told, key=lambda path: (path.count("{"), -len(path)))
    return paths, re.compile("|".join(f"({_pattern(path)})" for path in paths))


def _pattern(path: str) -> str:
    parts = re.split(r"\{(\w+)\}", path)
    return "".join(
        (".+" if part in _SEVERAL_PARTS else "[^/]+") if place % 2 else re.escape(part)
        for place, part in enumerate(parts)
    )


def template(verb: str, path: str) -> str | None:
    """The described path an address is one of; a repository may be named by its number, as redirects do."""
    paths, like = _paths(verb.lower())
    found = like.fullmatch(re.sub(r"^/repositories/\d+", "/repos/owner/name", path))
    return paths[found.lastindex - 1] if found and found.lastindex else None


@cache
def parameters(verb: str, path: str) -> frozenset[str]:
    known = described()["components"]["parameters"]
    told = described()["paths"][path][verb.lower()].get("parameters", ())
    return frozenset((known[one["$ref"].rpartition("/")[2]] if "$ref" in one else one)["name"] for one in told)


@cache
def _validator(verb: str, path: str, status: int) -> Draft7Validator | None:
    """None for an answer that holds no JSON. Raises KeyError where GitHub describes no such answer."""
    if status >= 400:
        # Most paths' refusals are left undescribed; they all look alike.
        return Draft7Validator(_json_schema({"$ref": "#/components/schemas/basic-error"}))
    response = described()["paths"][path][verb.lower()]["responses"][str(status)]
    if "$ref" in response:
        response = described()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    content = response.get("content", {}).get("application/json")
    return Draft7Validator(_json_schema(content["schema"])) if content else None


_as_described: set[object] = set()
"""Shapes, with where they were met, that were found to be as described: by any stand-in of this process."""


class Described:
    """What answers differ in from the description. What has a shape that was as described is not looked at again."""

    def __init__(self, complaints: list[str]) -> None:
        self.complaints = complaints

    def look_at(self, asked: Asked, answer: Answer) -> None:
        path = template(asked.verb, asked.path)
        if path is None:
            return self._complain(asked, "GitHub describes no such path")
        unknown = set(asked.query) - parameters(asked.verb, path)
        if unknown:
            self._complain(asked, f"GitHub describes no parameter {', '.join(sorted(unknown))}")
        if answer.status in (301, 302, 304):
            return None
        body = json.loads(answer.body) if isinstance(answer.body, bytes) else answer.body
        shapes, part = _unlike_before((asked.verb, path, answer.status), body)
        if shapes and self._check(asked, path, answer.status, part):
            _as_described.update(shapes)
        return None

    def _check(self, asked: Asked, path: str, status: int, body: Any) -> bool:
        try:
            validator = _validator(asked.verb, path, status)
        except KeyError:
            self._complain(asked, f"GitHub describes no answer {status}")
            return False
        errors = list(validator.iter_errors(body)) if validator else []
        for error in errors:
            place = re.sub(r"\[\d+\]", "[…]", error.json_path)
            self._complain(asked, f"{place}: {error.message[:200]}")
        return not errors

    def _complain(self, asked: Asked, what: str) -> None:
        complaint = f"{asked.verb} {asked.path}: {what}"
        if complaint not in self.complaints:
            self.complaints.append(complaint)


def _unlike_before(where: tuple[object, ...], body: Any) -> tuple[set[object], Any]:
    """Shapes not known to be as described, and the answer with one item of each: a page's items are alike but few."""
    if isinstance(body, list):
        shapes, part = _unlike_before(where, {"": body})
        return shapes, part[""]
    if not isinstance(body, dict):
        return {(*where, _shape(body))} - _as_described, body
    frame = {key: ["one"][: len(value)] if isinstance(value, list) else value for key, value in body.items()}
    shapes, part = {(*where, _shape(frame))}, dict(body)
    for key, value in body.items():
        if isinstance(value, list):
            items = {(*where, key, _shape(one)): one for one in value}
            shapes |= set(items)
            part[key] = [one for shape, one in items.items() if shape not in _as_described] or value[:1]
    return shapes - _as_described, part


def _shape(body: Any) -> object:
    """Types instead of values, save words, which may have to be one of a few."""
    if isinstance(body, str):
        return body if len(body) <= _LONGEST_WORD and _A_WORD.fullmatch(body) else str
    if isinstance(body, dict):
        return (*body, *map(_shape, body.values()))
    if isinstance(body, list):
        return frozenset(map(_shape, body))
    return type(body)


def _json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0's dialect as JSON Schema, with every schema it refers to."""
    wanted, known = _references(schema), {}
    while wanted:
        name = wanted.pop()
        known[name] = described()["components"]["schemas"][name]
        wanted |= _references(known[name]) - set(known)
    return {**_nullable(schema), "components": {"schemas": {name: _nullable(one) for name, one in known.items()}}}


def _references(schema: object) -> set[str]:
    return set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema)))


def _nullable(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _nullable(value) for key, value in schema.items() if key not in ("nullable", "example", "examples")}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain
