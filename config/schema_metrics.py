"""`[metrics.NAME]`: every option a measure may take. The rest of the table is put to the collector."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ..collectors.contract import WrongKeys
from .fields import Amount, Day, Name, Share, Span, Table, Text, WindowText

Quantile = Annotated[float, Field(gt=0, lt=1)]


class ExclusionTable(Table):
    start: Day = Field(alias="from", description="First day left out.")
    end: Day = Field(alias="to", description="Last day left out, included.")
    reason: Text = Field(description="Why, for the report.")
    added: Day | None = Field(default=None, description="The day this exclusion was written down.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end < self.start:
            raise WrongKeys((("to",), f"ends ({self.end}) before it starts ({self.start})"))
        return self


class RollbackTable(Table):
    rules: list[Literal["version_return", "ancestor", "marked", "revert"]] = Field(
        default=["version_return"], min_length=1, description="What makes a deployment a rollback."
    )
    mark: Literal["between", "newest"] = Field(
        default="between", description="Whether all versions above the one returned to are marked, or the newest."
    )


class HotfixTable(Table):
    labels: list[Text] = Field(default=[], description="Labels of changes that are hotfixes.")
    branches: list[Text] = Field(default=[], description="Globs of branches that are hotfixes.")


class WithinTable(Table):
    at_most: Amount | None = Field(default=None, description="Upper limit, included.")
    at_least: Amount | None = Field(default=None, description="Lower limit, included.")

    @model_validator(mode="after")
    def _some_limit(self) -> Self:
        if self.at_most is None and self.at_least is None:
            raise ValueError("share_within needs at_most, at_least or both")
        return self


class ShareWithinTable(Table):
    share_within: WithinTable = Field(description="The share of samples within these limits.")


class MetricTable(Table):
    source: Name = Field(description="The [sources.NAME] its facts come from.")
    measure: Name | None = Field(
        default=None, description="How facts become a number; a query alone is sampled, a histogram histogram_quantile."
    )
    window: WindowText | None = Field(default=None, description="The time a reading looks back over; default 28d.")
    min_samples: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="With fewer, the reading moves nothing."
    )
    min_covered: Share = Field(default=0.98, description="Share of the window that must have been collected.")
    max_age: Span | None = Field(default=None, description="How old data may be before the reading is stale.")
    exclude: list[ExclusionTable] = Field(default=[], description="Days left out, with a reason.")
    repositories: list[Text] | None = Field(
        default=None, min_length=1, description="Only these repositories of the source."
    )
    services: list[Text] | None = Field(
        default=None, min_length=1, description="Only these [services], or repositories that are one each."
    )
    better: Literal["higher", "lower"] | None = Field(default=None, description="Which way is better.")
    environment: Text = Field(
        default="production",
        description="Environment of deployments; a glob may be given. Without it, a service that is named and matched "
        "by environment has its own.",
    )
    task: Text = Field(default="deploy", description="Task of deployments.")
    count: Literal["first", "last", "each"] = Field(
        default="first", description="Which counts of a commit's deployments to several environments of a service."
    )
    across: Literal["sum", "worst"] | None = Field(
        default=None, description="How a frequency over several services becomes one number."
    )
    duplicates_within: Span | None = Field(
        default=None, description="The same commit again within this time is the same deployment; default 10m."
    )
    per: Literal["day", "workday"] | None = Field(default=None, description="What a frequency is divided by.")
    rollback: RollbackTable = Field(default=RollbackTable(), description="What counts as a rollback.")
    settle: Span | None = Field(
        default=None, description="Deployments younger than this are not judged yet; default 24h."
    )
    hotfix: HotfixTable = Field(default=HotfixTable(), description="What counts as a hotfix.")
    failure_window: Span | None = Field(
        default=None, description="An incident blames the newest deployment within this time before it; default 24h."
    )
    changes: Name | None = Field(default=None, description="A second source, for changes.")
    incidents: Name | None = Field(default=None, description="A second source, for incidents.")
    lead_time_from: Literal["merge", "first_commit"] = Field(
        default="merge", alias="from", description="Where the lead time of a change begins."
    )
    quantile: Quantile | None = Field(default=None, description="Between 0 and 1; default 0.5, the median.")
    kind: Literal["line", "branch", "statement", "combined"] | None = Field(
        default=None, description="Which coverage is meant; default line."
    )
    unit: Text | None = Field(default=None, description='Unit of the samples: "s", "ms", "%", "ratio", or any word.')
    aggregate: Text | ShareWithinTable = Field(
        default="last",
        description="How a window's samples become one: last, mean, median, min, max, sum, p90, { share_within = … }.",
    )
