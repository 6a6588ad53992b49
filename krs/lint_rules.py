"""The rules of lint: what the literature on OKRs warns about. Each is described in docs/lint.md under its code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """`reason` says in one line why it matters. `uses_history` where it can speak only once something was collected."""

    code: str
    name: str
    reason: str
    uses_history: bool = False


_TABLE = (
    Rule("KR001", "too many objectives", "What is asked of everybody at once is nobody's priority."),
    Rule("KR002", "too many key results", "Beyond five, a team chooses by itself which ones count."),
    Rule("KR003", "too few key results", "One or two numbers are easily reached at the cost of what they don't see."),
    Rule("KR004", "objective is a number", "An objective says what is wanted; the numbers are its key results'."),
    Rule("KR005", "vague objective", "Nobody can tell whether it came true, as none of its key results speaks of it."),
    Rule("KR006", "objective without owner", "What nobody answers for is dropped first."),
    Rule("KR007", "metric twice", "The same number counts twice, and hides what the objective lacks."),
    Rule("KR101", "output wording", "Work can be completed without any effect: say what changes once it is done."),
    Rule("KR102", "key result without owner", "What nobody answers for is dropped first."),
    Rule("KR103", "count without a stability guardrail", "More and faster is easy while nobody looks at what breaks."),
    Rule("KR104", "latency without an error guardrail", "Requests that fail fast make latency look good."),
    Rule("KR105", "deadline outside the cycle", "Without a deadline inside the cycle it can't be judged at its end."),
    Rule("KR106", "wording against the target", "The title promises the opposite of what is measured as success."),
    Rule("KR107", "window too long", "What was done early or late in the cycle never shows in the number."),
    Rule("KR108", "window of broken weeks", "Weekends weigh differently every day, so the number moves by itself."),
    Rule(
        "KR109", "target edited beside a revision", "The target that the team began with can no longer be seen.", True
    ),
    Rule("KR201", "met at the start", "There is nothing left to do but to hold it: `keep` says so.", True),
    Rule("KR202", "out of reach", "The metric has never moved nearly as far.", True),
    Rule("KR203", "sandbagged", "The metric was there most of the time already.", True),
    Rule("KR204", "smaller than the noise", "It will be met and missed by chance.", True),
    Rule("KR205", "unusual baseline", "From an unusual day most metrics come back by themselves.", True),
    Rule("KR206", "limit finer than the facts", "A single fact decides it.", True),
    Rule("KR207", "reverts but no rollbacks", "Failures are undone in a way that this metric doesn't see.", True),
    Rule("KR208", "many version returns", "Several services deployed to one environment look like rollbacks.", True),
    Rule("KR209", "no check-in", "A number without a conversation teaches nobody anything.", True),
    Rule("KR210", "never measured", "A key result that can't be measured tells nothing.", True),
)

RULES: Mapping[str, Rule] = {rule.code: rule for rule in _TABLE}
"""By code, in the order they are told."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that an objective, or one of its key results, does not keep.

    `words` say what was found; each `{name}` in them stands for one of `amounts`, a value in the base
    of `unit`. `key_result` is None for what concerns the objective as a whole, `objective` where it
    concerns the cycle. `ignored` is the reason why it doesn't hold here, where the config gives one.
    """

    code: str
    words: str
    objective: str | None = None
    key_result: str | None = None
    amounts: tuple[tuple[str, float], ...] = ()
    unit: str = ""
    ignored: str | None = None
