"""Lint: everything that its rules find in one cycle, with what the config says doesn't hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .lint_past import Past, of_its_past
from .lint_plan import Plan, of_a_key_result, of_an_objective, of_the_cycle
from .lint_rules import Finding
from .model import Ignore


def lint(plan: Plan, past: Mapping[tuple[str, str], Past]) -> list[Finding]:
    """What is found, in the config's order. `past` is by the ids of objective and key result; those without are
    only held against the rules that need none."""
    found = list(of_the_cycle(plan))
    for objective in plan.objectives:
        found += _excused(of_an_objective(plan, objective), objective.ignore)
        for kr in objective.key_results:
            known = past.get((objective.id, kr.id))
            found += _excused(of_a_key_result(plan, objective, kr), kr.ignore)
            if known is not None:
                found += _excused(of_its_past(objective.id, kr, known), kr.ignore)
    return found


def _excused(findings: Iterable[Finding], ignore: Iterable[Ignore]) -> list[Finding]:
    reasons = {one.code: one.reason for one in ignore}
    return [replace(one, ignored=reasons.get(one.code)) for one in findings]
