"""Issues as incidents: those that carry one of several labels, the last touched first."""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ..metrics.facts import Incident
from ..metrics.ranges import TimeRange, TimeRanges, intersection
from ..metrics.stream import Batch
from .contract import SourceError
from .github_client import Answer
from .github_cursor import SETTLES, Progress, instant
from .github_facts import Node
from .github_reader import TICK, Reader
from .github_refusals import NotVisible
from .github_watched import Told, WatchedReader
from .remembered import recall, remember

REMEMBERED = 5000
"""How many of a label's issues, the last touched ones, are watched for losing it."""

_COMMIT = re.compile(r"^caused[ -]by: *([0-9a-f]{40})\b", re.IGNORECASE | re.MULTILINE)
_DEPLOYMENT = re.compile(r"^deployment: *#?(\d+) *\r?$", re.IGNORECASE | re.MULTILINE)
_ENVIRONMENT = re.compile(r"^environment: *(\S[^\r\n]*)", re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True, kw_only=True)
class IncidentReader(Reader):
    """One list for each label, each watched on a URL of its own; an issue with several labels is one incident."""

    labels: tuple[str, ...]

    def read(self, window: TimeRange) -> Iterator[Batch]:
        covered: list[TimeRanges] = []
        for label in self.labels:
            one = self._of(label)
            for batch in one.read(window):
                self.progress.parts[label] = one.progress
                yield replace(batch, covered=self.covered, cursor=self.progress.as_json())
            covered.append(one.covered)
        self.covered = intersection(covered)
        yield self.batch(())

    def _of(self, label: str) -> LabelReader:
        return LabelReader(
            client=self.client,
            repository=self.repository,
            subject=self.subject,
            progress=self.progress.parts.get(label, Progress()),
            label=label,
            labels=frozenset(one.casefold() for one in self.labels),
        )


@dataclass(slots=True, kw_only=True)
class LabelReader(WatchedReader):
    """The issues of one label. `labels` are all that make an issue an incident, in lower case.

    `known` holds when each of them was touched last: all that were touched later than where a reading ended (in
    `_lowest`, seconds since 1970 UTC) have been seen by it, and one that was not has lost the label, or was deleted or
    moved away. It is asked for by its number before it is given up.
    """

    label: str
    labels: frozenset[str]
    _first: Answer | None = None
    _lowest: float = math.inf

    def ask(self, etag: str | None) -> Answer:
        self._first = self.get("/issues", etag, self._asked)
        return self._first

    def shown(self, body: Any) -> object:  # noqa: ANN401 (JSON)
        return [[one["number"], one["updated_at"]] for one in _listed(body)]

    def tell(self, window: TimeRange) -> Told:
        before = recall(self.progress.known)
        sweep = self.progress.sweep_is_due(self.client.now())
        floor = self._floor(window.start, before if sweep else {})
        now: dict[str, int] = {}
        for issues in self._down_to(floor):
            now |= {str(issue["number"]): _touched(issue) for issue in issues}
            # Should the rest never come, the next reading has to know what this one told.
            self.progress.known = remember(before | now, REMEMBERED)
            yield self.batch(self._facts(issues))
        missing = [number for number, touched in before.items() if touched > self._lowest and number not in now]
        asked = {number: self._asked_for(number) for number in missing}
        found = [issue for issue in asked.values() if issue is not None]
        yield self.batch(self._facts(found))
        now |= {str(one["number"]): _touched(one) for one in found if self.label.casefold() in _folded(one)}
        kept = {number: touched for number, touched in before.items() if number not in asked}
        return remember(kept | now, REMEMBERED), tuple(sorted(n for n, issue in asked.items() if issue is None))

    def tell_gap(self, window: TimeRange) -> Generator[Batch, None, str | None]:
        known = recall(self.progress.known)
        for issues in self._down_to(window.start):
            known |= {str(issue["number"]): _touched(issue) for issue in issues}
            self.progress.known = remember(known, REMEMBERED)
            yield self.batch([fact for fact in self._facts(issues) if fact.opened_at in window])
        return self.progress.known

    @property
    def _asked(self) -> dict[str, str | int]:
        return {"labels": self.label, "state": "all", "sort": "updated", "direction": "desc", "per_page": 100}

    def _floor(self, start: datetime, swept: Mapping[str, int]) -> datetime:
        """How far down to read: a sweep goes on to the one known that was touched longest ago."""
        oldest = min(swept.values(), default=None)
        return start if oldest is None else min(start, datetime.fromtimestamp(oldest, UTC))

    def _down_to(self, floor: datetime) -> Iterator[list[Node]]:
        """Pages of issues, none of them a pull request, until one ends below `floor`.

        An issue touched while the pages are read moves to their front: that is read again at the end.
        """
        began = self.client.now() - SETTLES
        several = False
        for page, issues in enumerate(self._pages(floor)):
            several = page > 0
            yield issues
        if several:
            yield from self._pages(began)

    def _pages(self, floor: datetime) -> Iterator[list[Node]]:
        answer, self._first = self._first or self.get("/issues", None, self._asked), None
        while True:
            listed = _listed(answer.body)
            yield [self._ours(issue) for issue in listed if "pull_request" not in issue]
            # Where the list goes on, others of its last second may stand on the next page.
            ended = min(map(_touched, listed), default=math.inf) if answer.following is not None else -math.inf
            self._lowest = min(self._lowest, ended)
            if answer.following is None or ended < floor.timestamp():
                return
            answer = self.client.get(answer.following, self.subject)

    def _asked_for(self, number: str) -> Node | None:
        """An issue that the label's list shows no more; None where it is no incident any longer."""
        try:
            (issue,) = _listed([self.get(f"/issues/{number}", None).body])
        except NotVisible:
            return None
        return issue if self.is_of(_repository(issue)) and not self.labels.isdisjoint(_folded(issue)) else None

    def _ours(self, issue: Node) -> Node:
        self.hold_against(_repository(issue))
        return issue

    def _facts(self, issues: Sequence[Node]) -> list[Incident]:
        facts = []
        for issue in issues:
            try:
                facts.append(incident_fact(issue, self.subject))
            except (KeyError, TypeError, ValueError) as error:
                at = instant(issue["created_at"])
                self.problems.append(f"{self.subject}: issue {issue['number']} can't be read ({error!r})")
                self.holes |= TimeRanges.of(TimeRange(at, at + TICK))
                self.settled = False
        return facts


def incident_fact(issue: Node, subject: str) -> Incident:
    """An issue from its opening to its last closing. What broke may be named in its text, each on a line of its own:

    `Caused-by: <commit>`, `Deployment: <id>`, `Environment: <name>`.
    """
    text = issue.get("body") or ""
    return Incident(
        key=str(issue["number"]),
        subject=subject,
        opened_at=instant(issue["created_at"]),
        closed_at=instant(issue["closed_at"]) if issue["state"] == "closed" and issue["closed_at"] else None,
        title=issue["title"],
        labels=tuple(_labels(issue)),
        environment=_named(_ENVIRONMENT, text),
        commit=_named(_COMMIT, text),
        deployment=_named(_DEPLOYMENT, text),
        url=issue["html_url"],
    )


def _named(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1].rstrip() if found else None


def _listed(body: object) -> Sequence[Node]:
    """
    Raises:
        SourceError: for what is no list of issues.
    """
    issues: Any = body
    try:
        return [issue for issue in issues if issue["number"] and _touched(issue) and instant(issue["created_at"])]
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"GitHub's answer lists no issues ({error!r})") from None


def _labels(issue: Node) -> list[str]:
    return [one if isinstance(one, str) else one["name"] for one in issue["labels"]]


def _folded(issue: Node) -> set[str]:
    """Upper and lower case make no difference between labels."""
    return {name.casefold() for name in _labels(issue)}


def _repository(issue: Node) -> str:
    return "/".join(str(issue.get("repository_url", "")).split("/")[-2:])


def _touched(issue: Node) -> int:
    return int(instant(issue["updated_at"]).timestamp())
