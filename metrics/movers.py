"""What moved a value from one window to a later one: the facts that came into it and those that left, in groups.

A group's pull is what the metric's own function says without it: the value of the later window less that
without the group where its facts came, the other way round where they left the earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .basis import Basis

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

Part = Literal["hits", "misses", "facts"]

_CLOSEST_LOOK = 40
"""How many single values of a quantile are tried one by one: those furthest from it."""


_OUTSTANDING = 1 / 3
"""The share of all days' pulls that makes one of them worth naming."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """Facts of one service (or workflow) that came (`came`) or left, of a ratio only its hits or its other facts.

    `n` of `of` such facts of all services. `pull` is by how much they moved the value, in its base unit;
    `rows` are their places in the ledger, oldest first. `whose` is empty where all facts are of one.
    """

    whose: str
    part: Part
    came: bool
    n: int
    of: int
    pull: float
    rows: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Movement:
    """From the reading of one basis to that of a later one, of the same facts."""

    before: Basis
    after: Basis

    @property
    def came(self) -> Numbers:
        return _numbers(max(self.after.inside.start, self.before.inside.stop), self.after.inside.stop)

    @property
    def left(self) -> Numbers:
        return _numbers(self.before.inside.start, min(self.before.inside.stop, self.after.inside.start))

    @property
    def change(self) -> float:
        before, after = self.before.value(), self.after.value()
        return 0.0 if before is None or after is None else after - before

    @property
    def newest(self) -> list[int]:
        """The places in the ledger of the newest fact up to the end of each window: what is carried forward."""
        return [one.newest for one in (self.before, self.after) if one.newest is not None]

    @property
    def longest_step(self) -> int | None:
        """Of what is carried forward: the place in the ledger of the fact that went furthest the way the value went,
        from the one before it."""
        import numpy as np

        stops = [
            one.counted.between(one.span.window.start, one.span.window.end).stop for one in (self.before, self.after)
        ]
        values = self.after.counted.values
        if values is None or not 0 < stops[0] < stops[1]:
            return None
        steps = np.diff(values[stops[0] - 1 : stops[1]]) * np.sign(values[stops[1] - 1] - values[stops[0] - 1])
        furthest = int(np.argmax(steps))
        return int(self.after.counted.places[stops[0] + furthest]) if steps[furthest] > 0 else None

    def alone(self, of: Mover) -> float | None:
        """The value of its facts alone."""
        import numpy as np

        facts = self.came if of.came else self.left
        return self.value_alone(facts[np.isin(self.after.counted.places[facts], of.rows)], came=of.came)

    def value_alone(self, facts: Numbers, *, came: bool) -> float | None:
        """The value of these facts, which came or left, and no others."""
        return (self.after if came else self.before).alone(facts)

    @property
    def is_overlapping(self) -> bool:
        """Whether the windows have facts in common."""
        return bool(self.after.inside.start < self.before.inside.stop)

    def groups(self) -> list[Mover]:
        """Those that moved the value the way it went, strongest first; of one strength those of more facts first."""
        import numpy as np

        found = []
        for came, facts in ((True, self.came), (False, self.left)):
            whose = _whose(self.after, np.concatenate([self.came, self.left]), facts)
            for part, inside in self._parts(facts):
                for name in sorted(set(whose[inside])):
                    found.append(self._mover(name, part, came, facts[inside & (whose == name)], int(inside.sum())))
        ours = (one for one in found if one.pull * self.change > 0)
        return sorted(ours, key=lambda m: (-abs(m.pull), -m.n, m.whose, m.part, m.came))

    def together(self, of: Mover) -> Mover:
        """All facts of its part that came (or left) with its own, whosever they are."""
        import numpy as np

        facts = self.came if of.came else self.left
        mine = next(inside for part, inside in self._parts(facts) if part == of.part)
        return self._mover("", of.part, of.came, facts[np.flatnonzero(mine)], of.of)

    def strongest_day(self) -> Mover | None:
        """Of facts that stand for days the one that moved the value most, where its pull is `_OUTSTANDING`."""
        all_of = {
            came: Mover(whose="", part="facts", came=came, n=0, of=0, pull=0.0, rows=self._rows(came))
            for came in (True, False)
        }
        found = [one for group in all_of.values() for one in self.singles(group)]
        found.sort(key=lambda m: -abs(m.pull))
        most = _OUTSTANDING * sum(abs(one.pull) for one in found)
        several = len(self.came) + len(self.left) > 2
        return found[0] if found and several and abs(found[0].pull) >= most else None

    def _rows(self, came: bool) -> tuple[int, ...]:
        facts = self.came if came else self.left
        return tuple(int(place) for place in self.after.counted.places[facts])

    def singles(self, of: Mover) -> list[Mover]:
        """Its facts one by one, ordered as `groups` are; of many only those with values furthest from the reading."""
        import numpy as np

        facts = self.came if of.came else self.left
        facts = facts[np.isin(self.after.counted.places[facts], of.rows)]
        values, reading = self.after.counted.values, self.after.value()
        if len(facts) > _CLOSEST_LOOK and values is not None and reading is not None:
            far = np.argsort(-np.abs(values[facts] - reading), kind="stable")[:_CLOSEST_LOOK]
            facts = facts[np.sort(far)]
        found = [self._mover(of.whose, of.part, of.came, facts[n : n + 1], 1) for n in range(len(facts))]
        return sorted((one for one in found if one.pull * self.change > 0), key=lambda m: (-abs(m.pull), -m.rows[0]))

    def _parts(self, facts: Numbers) -> Iterator[tuple[Part, Numbers]]:
        import numpy as np

        hits = self.after.counted.hits
        if hits is None:
            yield "facts", np.ones(len(facts), dtype=bool)
            return
        hit = (hits[facts + 1] - hits[facts]) > 0
        yield "hits", hit
        yield "misses", ~hit

    def _mover(self, whose: str, part: Part, came: bool, facts: Numbers, of: int) -> Mover:
        rows = tuple(int(place) for place in self.after.counted.places[facts])
        return Mover(whose=whose, part=part, came=came, n=len(facts), of=of, pull=self._pull(facts, came), rows=rows)

    def _pull(self, facts: Numbers, came: bool) -> float:
        one = self.after if came else self.before
        whole, rest = one.value(), one.without(facts)
        if whole is None or rest is None:
            return self.change  # nothing but these
        return whole - rest if came else rest - whole


def _numbers(start: int, stop: int) -> Numbers:
    import numpy as np

    return np.arange(start, max(start, stop))


def _whose(basis: Basis, all_facts: Numbers, facts: Numbers) -> Numbers:
    """The service of each fact; where all are of one its workflow; where these don't differ either, nothing."""
    import numpy as np

    ledger, places = basis.counted.ledger, basis.counted.places
    for column in ("service", "subject", "workflow"):
        if column in ledger:
            names = ledger[column].to_numpy(dtype=object)
            if len(set(names[places[all_facts]])) > 1:
                found: Numbers = names[places[facts]]
                return found
    return np.full(len(facts), "", dtype=object)
