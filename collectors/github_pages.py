"""Pages of which little is read: the rest is skipped as the JSON is parsed, and never becomes objects."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Protocol

from pydantic_core import SchemaValidator, core_schema

RUN = (
    "id", "run_attempt", "status", "conclusion", "event", "name", "path", "head_branch", "head_sha", "html_url",
    "created_at", "run_started_at", "updated_at",
)  # fmt: skip
"""What is read of each run of a list. GitHub tells six times as much, most of it addresses."""


class Reads(Protocol):
    """What makes objects of JSON text; raises a ValueError for what is none."""

    def __call__(self, text: str, /) -> Any: ...  # noqa: ANN401 (JSON)


def runs(text: str) -> Any:  # noqa: ANN401 (JSON)
    """A page with no more of each run than `RUN` and its repositories' names; what is no page of runs, whole."""
    try:
        return _run_page().validate_json(text)
    except ValueError:
        return json.loads(text)


@cache
def _run_page() -> SchemaValidator:
    repository = core_schema.nullable_schema(_some("full_name"))
    run = _some(*RUN, repository=repository, head_repository=repository)
    return SchemaValidator(_some("total_count", workflow_runs=core_schema.list_schema(run)))


def _some(*names: str, **within: core_schema.CoreSchema) -> core_schema.CoreSchema:
    """An object of which these are kept, where they are there, and whatever they are."""
    fields = {name: core_schema.any_schema() for name in names} | within
    return core_schema.typed_dict_schema(
        {name: core_schema.typed_dict_field(schema, required=False) for name, schema in fields.items()}
    )
