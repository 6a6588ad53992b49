"""`[tracker]`, `[cycles]`, `[calendar]`, `[teams]`, `[services]`: the frame around the key results."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ..collectors.contract import WrongKeys
from ..collectors.secrets import SecretRef
from ..metrics.ownership import files_of
from .fields import Day, Name, Table, Text

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Threshold = Annotated[float, Field(ge=0, le=100)]


class PaceTable(Table):
    on_track: Threshold = Field(default=0.10, description="Gap to the expected progress up to which a KR is on track.")
    at_risk: Threshold = Field(default=0.25, description="Gap up to which it is at risk; beyond, off track.")
    needed_on_track: Threshold = Field(default=1.5, description="Needed pace, in planned ones, up to which on track.")
    needed_at_risk: Threshold = Field(default=2.5, description="Needed pace up to which at risk.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        pairs = (("on_track", "at_risk"), ("needed_on_track", "needed_at_risk"))
        wrong = [pair for pair in pairs if getattr(self, pair[0]) > getattr(self, pair[1])]
        if wrong:
            # Of a pair the one that is written: the other may be the default.
            named = [(next(name for name in pair if name in self.model_fields_set), pair) for pair in wrong]
            raise WrongKeys(*(((name,), f"{near} can't be wider than {far}") for name, (near, far) in named))
        return self


class StoreTable(Table):
    url: Text = Field(description="Address of the store, without its password.")
    password: SecretRef | None = Field(default=None, description="The password, by reference.")


class TrackerTable(Table):
    timezone: Text = Field(default="UTC", description="IANA zone that days, weeks and cycles are cut in.")
    store: Text | StoreTable | None = Field(
        default=None, description="Where facts are kept; default: .keyresults/store.db beside the config."
    )
    cycle: Text | None = Field(default=None, description='The cycle shown when no other is named, such as "2026-Q4".')
    pace: PaceTable = Field(default=PaceTable(), description="Thresholds of status.")
    forecast: bool = Field(default=True, description="Whether reports forecast the value at the deadline.")


class CycleTable(Table):
    start: Day = Field(description="First day.")
    end: Day = Field(description="Last day, included.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end < self.start:
            raise WrongKeys((("end",), f"the cycle ends ({self.end}) before it starts ({self.start})"))
        return self


class ClosedTable(Table):
    start: Day = Field(alias="from", description="First closed day.")
    end: Day = Field(alias="to", description="Last closed day, included.")
    reason: Text = Field(description="Why nobody ships then.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end < self.start:
            raise WrongKeys((("to",), f"ends ({self.end}) before it starts ({self.start})"))
        return self


class CalendarTable(Table):
    workdays: list[Weekday] = Field(
        default=["mon", "tue", "wed", "thu", "fri"], min_length=1, description="Days of the week people ship on."
    )
    holidays: list[Day] = Field(default=[], description="Days off.")
    closed: list[ClosedTable] = Field(default=[], description="Closed periods, with their reasons.")


class TeamTable(Table):
    people: list[Name] = Field(default=[], description="Who may own a key result.")
    notify: list[Name] = Field(default=[], description="Channels of [notify] that the team reads.")


def _is_glob_of_files(written: str) -> str:
    if written.startswith(("/", "./", "!")):
        raise ValueError(f'{written!r} names no files: write them from the repository\'s root, such as "ledger/**"')
    try:
        files_of(written)
    except re.error as error:
        raise ValueError(f"{written!r} is no glob: {error}") from None
    return written


Paths = Annotated[Text, AfterValidator(_is_glob_of_files)]


class ServiceMatchTable(Table):
    environment: Text | None = Field(default=None, description="Deployments to this environment; a glob may be given.")
    workflow: Text | None = Field(default=None, description="Deployments by this workflow; a glob may be given.")
    payload: dict[str, str] | None = Field(default=None, description="Deployments whose payload holds these values.")
    tag: Text | None = Field(default=None, description='Tags that match this glob, such as "ledger-v*".')

    @model_validator(mode="after")
    def _one(self) -> Self:
        said = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(said) != 1:
            raise WrongKeys.not_one(said, "say exactly one of environment, workflow, payload or tag")
        return self


class ServiceTable(Table):
    repository: Text = Field(description='The repository it lives in, "owner/name".')
    match: ServiceMatchTable = Field(description="Which of the repository's deployments are its own.")
    paths: list[Paths] = Field(
        default=[],
        description='Globs of the files that are its own, from the repository\'s root: "services/ledger/**".',
    )
