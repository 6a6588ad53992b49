"""`[reports]`, `[checkins]`, `[notify]`, `[daemon]`: who is told, when, and where it runs."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from ..collectors.contract import WrongKeys
from ..collectors.secrets import SecretRef
from .fields import Name, Span, Table, Text
from .model import Format, Occasion


class ReportTable(Table):
    at: Text | None = Field(default=None, description='When it is written: "monday 09:00", or "09:00" for every day.')
    cron: Text | None = Field(default=None, description="Instead of at: a cron line.")
    formats: list[Format] = Field(default=["markdown"], min_length=1, description="What is written.")
    directory: Text = Field(default="reports", description="Where to, relative to the config file.")
    notify: list[Name] = Field(default=[], description="Channels of [notify] it is sent to.")

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        said = [name for name in ("at", "cron") if getattr(self, name) is not None]
        if len(said) != 1:
            raise WrongKeys.not_one(said, 'say when: at = "monday 09:00", or cron = "0 9 * * mon"')
        return self


class CheckinsTable(Table):
    every: Span = Field(description='The rhythm: "1 week" or "2 weeks", counted from the first day of the cycle.')
    on: Text = Field(description='From when on check-ins are due: "friday 10:00", or "10:00" for any day.')


class NotifyTable(Table):
    url: SecretRef = Field(description="Address of the channel, by reference: it holds a credential.")
    tell: list[Occasion] = Field(
        default=["report", "status", "blind", "checkin"], min_length=1, description="What it is told."
    )


class BackupTable(Table):
    every: Span = Field(description="How often the store is copied.")
    directory: Text = Field(description="Where to, relative to the config file.")
    keep: Annotated[int, Field(ge=1)] = Field(default=7, description="How many copies are kept.")


class DaemonTable(Table):
    listen: Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$")] | None = Field(
        default=None, description='Address of health and metrics pages, "127.0.0.1:9464".'
    )
    backup: BackupTable | None = Field(default=None, description="Copies of the store.")
    keep_runs: Span | None = Field(default=None, description="How long records of runs are kept.")
    keep_said: Span | None = Field(
        default=None,
        description="Of days longer ago is kept only what was said last on each. Default: all that was said.",
    )
