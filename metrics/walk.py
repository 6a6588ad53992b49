"""The walk over one track: a stack of versions, and what each deployment does to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .roles import DUPLICATE, FORWARD, REDEPLOY, ROLLBACK
from .shipping import Pair
from .table import MICROSECOND

if TYPE_CHECKING:
    from .tracks import TrackRules


@dataclass(frozen=True, slots=True)
class Step:
    """A deployment's role, the rule that made it a rollback, the rows it takes back, and those it casts doubt on."""

    role: str
    rule: str = ""
    undone: Sequence[int] = ()
    in_doubt: Sequence[int] = ()


@dataclass(slots=True)
class Walk:
    """One track's stack of versions: each a commit and the row of the deployment that pushed it.

    The newest version on it is always the one that runs.
    """

    rules: TrackRules
    subject: str
    known: Mapping[Pair, str]
    wanted: dict[Pair, None]
    versions: list[tuple[str, int]] = field(default_factory=list)
    on_stack: set[str] = field(default_factory=set)
    kept_at: int = 0
    kept_commit: str | None = None
    kept_run: str | None = None

    def step(self, row: int, at: int, commit: str, run: str | None, marked: bool) -> Step:
        if commit == self.kept_commit:
            soon = at - self.kept_at <= self.rules.duplicates_within // MICROSECOND
            if soon or (run is not None and run == self.kept_run):
                return Step(DUPLICATE)
            step = Step(REDEPLOY)
        else:
            step = self._place(row, commit, marked)
        self.kept_at, self.kept_commit, self.kept_run = at, commit, run
        return step

    def _place(self, row: int, commit: str, marked: bool) -> Step:
        rules = self.rules.rules
        if "version_return" in rules and commit in self.on_stack:
            return Step(ROLLBACK, "version_return", self._marked(self._return_to(commit)))
        relation = self._relation(commit) if "ancestor" in rules else None
        if relation == "behind":
            return self._go_back(row, commit)
        if "marked" in rules and marked and self.versions:
            undone = [self._pop()]
            self._push(commit, row)
            return Step(ROLLBACK, "marked", undone)
        in_doubt = [*self._reachable(), row] if "ancestor" in rules and relation is None else []
        self._push(commit, row)
        return Step(FORWARD, in_doubt=in_doubt)

    def _go_back(self, row: int, commit: str) -> Step:
        """To an ancestor of what runs: all that descends from it is taken off."""
        undone = []
        while (relation := self._relation(commit)) == "behind":
            undone.append(self._pop())
        in_doubt = self._reachable() if relation is None and self._marks_all else []
        if relation != "identical":
            self._push(commit, row)
        return Step(ROLLBACK, "ancestor", self._marked(undone), in_doubt)

    def _relation(self, commit: str) -> str | None:
        """How a commit lies to the newest version on the stack; to none at all it is no ancestor."""
        if not self.versions:
            return "ahead"
        if self.versions[-1][0] == commit:
            return "identical"
        pair = (self.subject, self.versions[-1][0], commit)
        if pair not in self.known:
            self.wanted[pair] = None
        return self.known.get(pair)

    @property
    def _marks_all(self) -> bool:
        return self.rules.mark != "newest"

    def _marked(self, undone: list[int]) -> list[int]:
        return undone if self._marks_all else undone[:1]

    def _reachable(self) -> list[int]:
        """Rows that a rollback of unknown reach might take back."""
        return self._marked([row for _, row in reversed(self.versions)])

    def _push(self, commit: str, row: int) -> None:
        self.versions.append((commit, row))
        self.on_stack.add(commit)

    def _pop(self) -> int:
        commit, row = self.versions.pop()
        self.on_stack.discard(commit)
        return row

    def _return_to(self, commit: str) -> list[int]:
        undone = []
        while self.versions[-1][0] != commit:
            undone.append(self._pop())
        return undone
