"""What a source of fact files may say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from ..metrics.facts import FactKind
from .contract import FactQuery, SourceOptions, WrongKeys
from .file_cells import TimeFormat, checked_zone
from .file_facts import FIELDS, RowKind
from .file_rows import RowFormat
from .near import near


class Covers(SourceOptions):
    """For which time the files tell of everything."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)

    start: date | Literal["first_row"] = Field(
        default="first_row", alias="from", description="A day, or the first row's time."
    )
    to: date | Literal["last_row", "modified"] = Field(
        default="last_row", description="A day (included), the last row's time, or when the newest file was modified."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if isinstance(self.start, date) and isinstance(self.to, date) and self.start > self.to:
            raise WrongKeys((("from",), f"from ({self.start}) lies after to ({self.to})"))
        return self


class FileOptions(SourceOptions):
    files: list[str] = Field(description="Files or patterns, relative to the config file.", min_length=1)
    facts: RowKind = Field(description="What the rows are.")
    format: RowFormat | None = Field(None, description="CSV or JSON Lines. Default: by content.")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Which column says which field of the fact. Fields not named are looked for under their own name.",
    )
    values: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Words of the file for words of the fact, by field."
    )
    time: TimeFormat = Field("iso", description="How times are written.")
    zone: str | None = Field(None, description="Zone of times written without one. Default: the tracker's.")
    covers: Covers = Field(
        default_factory=Covers,
        description='For which time the files tell of everything: from a day or "first_row" to a day, "last_row" '
        'or "modified". Default: from the first row to the last.',
    )

    def tells_only(self) -> FactKind:
        return self.facts

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        return None if name is None else checked_zone(name)

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        known = list(FIELDS[self.facts])
        wrong = [
            ((key, field), f"{self.facts} have no {field!r}; {near(field, known, most=20)}")
            for key, said in (("columns", self.columns), ("values", self.values))
            for field in said
            if field not in known
        ]
        if wrong:
            raise WrongKeys(*wrong)
        return self


class RowsQuery(FactQuery):
    """A metric takes all rows."""


class SamplesQuery(RowsQuery):
    """A row has one value, and no counts that it is made of."""

    measures: ClassVar[tuple[str, ...] | None] = ("sampled",)


class RunsQuery(FactQuery):
    workflow: str | None = Field(None, description="Workflow to count, as the file names it. Default: all.")
    branch: str | None = Field(None, description='Branch to count. Default, and "*": all.')


QUERIES: Mapping[RowKind, type[FactQuery]] = {
    "deployments": RowsQuery,
    "runs": RunsQuery,
    "changes": RowsQuery,
    "incidents": RowsQuery,
    "samples": SamplesQuery,
}
