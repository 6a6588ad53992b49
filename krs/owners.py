"""Who answers for a key result: its owner, else all who share its objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .model import KeyResult, Objective


def owners(objective: Objective, kr: KeyResult) -> tuple[str, ...]:
    """Teams and persons, each once. Of an objective that several teams share, all of them."""
    if kr.owner:
        return (kr.owner,)
    return tuple(dict.fromkeys(name for name in (objective.owner, *objective.teams) if name))


def answers_for(name: str, owned_by: Sequence[str], people: Mapping[str, Sequence[str]]) -> bool:
    """Whether a team or person is among the owners: a team also by its people, a person also by their teams.

    `people` are those of each team.
    """
    mine = {name, *people.get(name, ()), *(team for team, members in people.items() if name in members)}
    return not mine.isdisjoint(owned_by)
