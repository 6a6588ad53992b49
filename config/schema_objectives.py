"""`[[objectives]]` and their key results, targets, guardrails, plans and revisions."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ..collectors.contract import WrongKeys
from ..krs.model import Comparison
from .fields import Amount, Day, Name, Share, Table, Text, WindowText

Weight = Annotated[float, Field(ge=0, le=1000)]
COMPARISONS: tuple[Comparison, ...] = ("at_most", "below", "at_least", "above")


class LimitTable(Table):
    """One comparison, or a range."""

    at_most: Amount | None = Field(default=None, description="Upper limit, included.")
    below: Amount | None = Field(default=None, description="Upper limit, not included.")
    at_least: Amount | None = Field(default=None, description="Lower limit, included.")
    above: Amount | None = Field(default=None, description="Lower limit, not included.")
    between: Annotated[list[Amount], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="Both ends, included."
    )

    @property
    def said(self) -> list[str]:
        return [name for name in (*COMPARISONS, "between") if getattr(self, name) is not None]

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if len(self.said) != 1:
            raise WrongKeys.not_one(
                self.said, "say exactly one of at_most, below, at_least, above, between = [low, high]"
            )
        return self


class TargetTable(Table):
    """`{ from, to }`, `{ to }`, `{ change }`, one comparison, or `{ keep, share }`."""

    start: Amount | None = Field(default=None, alias="from", description="With to: where it starts.")
    to: Amount | None = Field(default=None, description="The value to reach.")
    change: Amount | None = Field(
        default=None, description='From the baseline: "-30%" relative, "+5pp" points, "-200ms" a difference.'
    )
    at_most: Amount | None = Field(default=None, description="Upper limit, included.")
    below: Amount | None = Field(default=None, description="Upper limit, not included.")
    at_least: Amount | None = Field(default=None, description="Lower limit, included.")
    above: Amount | None = Field(default=None, description="Lower limit, not included.")
    keep: LimitTable | None = Field(default=None, description="A limit that holds day by day.")
    share: Share | None = Field(default=None, description="With keep: the share of days it holds on; default all.")

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        said = [name for name in ("to", "change", "keep", *COMPARISONS) if getattr(self, name) is not None]
        if len(said) != 1:
            raise WrongKeys.not_one(
                said,
                'write one of { from = "60%", to = "85%" }, { to = … }, { change = "-30%" }, '
                "{ at_most | below | at_least | above = … }, { keep = { … }, share = … }",
            )
        if self.start is not None and self.to is None:
            raise WrongKeys((("from",), "from goes with to"))
        if self.share is not None and self.keep is None:
            raise WrongKeys((("share",), "share goes with keep"))
        return self


class GuardrailTable(LimitTable):
    metric: Name = Field(description="The metric that must hold.")


class PlanTable(Table):
    on: Day = Field(description="At this day's end …")
    progress: Share = Field(description="… this progress is expected.")


class RevisionTable(Table):
    on: Day = Field(description="In force from this day's start.")
    reason: Text = Field(description="Why the course changed.")
    target: TargetTable | None = Field(default=None, description="The new target.")
    deadline: Day | None = Field(default=None, description="The new deadline.")
    metric: Name | None = Field(default=None, description="The new metric.")
    plan: list[PlanTable] | None = Field(default=None, description="The new plan.")
    weight: Weight | None = Field(default=None, description="The new weight.")
    withdraw: bool = Field(default=False, description="true: given up.")

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        changed = (self.target, self.deadline, self.metric, self.plan, self.weight)
        if not self.withdraw and all(one is None for one in changed):
            raise ValueError("changes nothing: give a target, plan, weight, metric or deadline, or withdraw = true")
        return self


class IgnoreTable(Table):
    code: Annotated[str, Field(pattern="^KR[0-9]{3}$")] = Field(description='A lint rule, such as "KR104".')
    reason: Text = Field(description="Why it doesn't hold here.")


class KeyResultTable(Table):
    id: Name = Field(description='a short name, unique in its cycle: id = "p99"')
    title: Text = Field(description="what it says to people, in one line")
    owner: Name | None = Field(default=None, description="Who answers for it: a person or a team.")
    metric: Name = Field(description="the [metrics.NAME] that measures it")
    target: TargetTable = Field(description='such as { from = "60%", to = "85%" } or { at_most = "450ms" }')
    start: Day | None = Field(default=None, description="First day; default: the cycle's.")
    deadline: Day | None = Field(default=None, description="Last day; default: the cycle's.")
    baseline: Amount | Literal["measured"] = Field(default="measured", description="Where it starts from.")
    baseline_window: WindowText | None = Field(default=None, description='The days it is measured over, "28d".')
    plan: list[PlanTable] = Field(default=[], description="Expected progress by day, where it isn't a straight line.")
    weight: Weight = Field(default=1.0, description="Its part in the objective's progress.")
    guardrails: list[GuardrailTable] = Field(default=[], description="Other metrics that must hold meanwhile.")
    revisions: list[RevisionTable] = Field(default=[], description="Dated changes of course, with their reasons.")
    accept: list[Literal["partial"]] = Field(default=[], description='["partial"]: readings with gaps move progress.')
    draft: bool = Field(default=False, description="Measured, not judged.")
    forecast: bool | None = Field(default=None, description="Whether it is forecast; default: the tracker's.")
    was: Name | None = Field(default=None, description="The id it had before.")
    initiatives: list[Text] = Field(default=[], description="Links to the work done for it.")
    ignore: list[IgnoreTable] = Field(default=[], description="Rules of `lint` that don't hold for it.")


class ObjectiveTable(Table):
    id: Name = Field(description='a short name, unique in its cycle: id = "reliability"')
    title: Text = Field(description="what is wanted, in one line")
    owner: Name | None = Field(default=None, description="Who answers for it: a team or a person.")
    teams: list[Name] = Field(default=[], description="The teams that work on it.")
    kind: Literal["committed", "aspirational"] = Field(
        default="committed", description="Whether 100 % or 70 % is success."
    )
    cycle: Text | None = Field(default=None, description="Its cycle; demanded once two are in use.")
    parent: Name | None = Field(default=None, description="The objective it serves.")
    ignore: list[IgnoreTable] = Field(default=[], description="Rules of `lint` that don't hold for it.")
    key_results: list[object] = Field(default=[], description="How we know.")
