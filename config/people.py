"""Who may own something: teams and the people in them."""

from __future__ import annotations

from collections.abc import Mapping

from .findings import Findings
from .model import Team
from .places import Key
from .problem import near


class People:
    """Without `[teams]` every name is accepted: there is nothing to check it against."""

    def __init__(self, teams: Mapping[str, Team]) -> None:
        self._teams = set(teams)
        self._known = self._teams | {person for team in teams.values() for person in team.people}

    def check_owner(self, owner: str | None, key: Key, findings: Findings) -> None:
        if owner is not None and self._teams and owner not in self._known:
            findings.add(key, f'"{owner}" is no team of [teams] and no person of one{near(owner, self._known)}')

    def check_team(self, team: str, key: Key, findings: Findings) -> None:
        if self._teams and team not in self._teams:
            findings.add(key, f"there is no [teams.{team}]{near(team, self._teams)}")
