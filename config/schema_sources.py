"""`[sources.NAME]`: the keys every source has. The rest of the table is the collector's own."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from ..collectors.contract import WrongKeys
from .fields import Day, Name, Share, Span, Table, Text


class SourceTable(Table):
    type: Name = Field(description="The collector.")
    every: Span | None = Field(default=None, description="How often it is collected; default 1h.")
    at: Text | None = Field(default=None, description='Instead of every: a time of day, such as "06:00".')
    cron: Text | None = Field(default=None, description="Instead of every: a cron line.")
    since: Day | None = Field(default=None, description="Never ask for anything older.")
    reserve: Share = Field(default=0.0, description="Share of the credential's quota that is left to others.")
    owner: Name | None = Field(default=None, description="Team or person told when the source goes blind.")

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        said = [name for name in ("every", "at", "cron") if getattr(self, name) is not None]
        if len(said) > 1:
            raise WrongKeys.not_one(said, "say only one of every, at and cron")
        return self
