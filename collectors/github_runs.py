"""Workflow runs, one fact per attempt."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import partial
from urllib.parse import quote

from ..metrics.facts import Deployment, Run
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Batch
from . import github_pages
from .contract import CollectorError, ConfigError, SourceError
from .github_client import Answer
from .github_cursor import Item, Seen, claimed, instant
from .github_facts import Node, end_is_doubtful, run_fact
from .github_jobs import last_job_ended
from .github_reader import TICK, Reader
from .github_refusals import NotVisible
from .github_told import ToldRuns

SAFE = 900
"""Behind so many runs of a list another one begins, where this one had come to."""

SHOWN = 1000
"""A filtered list is cut off behind so many, silently."""

BELIEVED = 0.9
"""A list that brings less than this share of what it promised is not taken for complete."""

ABANDONED_AFTER = timedelta(days=35)
"""GitHub ends a run after 35 days, and lets it be repeated for 30."""

KEPT_PUBLIC = timedelta(days=90)
KEPT_PRIVATE = timedelta(days=400)
"""How long GitHub keeps runs at most. An empty list of older ones says nothing of what ran then."""


@dataclass(slots=True, kw_only=True)
class RunReader(Reader):
    """`branch` is None for all branches; `make` turns an attempt into the stream's fact."""

    workflow: str | None
    branch: str | None
    make: Callable[[Run], Run | Deployment] = lambda run: run
    _handed_over: ToldRuns = field(init=False)
    _holes: TimeRanges = field(default_factory=TimeRanges)
    _shrunk: TimeRange | None = None

    def read(self, window: TimeRange) -> Iterator[Batch]:
        now = self.client.now()
        horizon = now - (KEPT_PRIVATE if self.repository.private else KEPT_PUBLIC)
        self._handed_over = ToldRuns.of(self.progress, window)
        beyond = self.progress.is_beyond(window.end)
        for batch in self._poll(window, now) if beyond else self._slices(window, window):
            if window.start < horizon:
                yield replace(batch, covered=batch.covered.clip(horizon, window.end), horizon=horizon)
            else:
                yield batch

    def _poll(self, window: TimeRange, now: datetime) -> Iterator[Batch]:
        sweep = self.progress.sweep_is_due(now)
        answer, seen = self._look(window.start, sweep)
        asked = claimed(window, answer.sent)
        listed = [] if answer.unchanged else self._runs(answer)
        yield from self._ask_open_again(answer, seen, {str(run["id"]) for run in listed})
        if answer.unchanged:
            self._cover(asked, asked)
        else:
            floor = min(window.start, self.progress.swept_back(ABANDONED_AFTER)) if sweep else window.start
            yield from self._newest_and_older(listed, seen.oldest, asked, floor)
        self.progress.forget_before(now - ABANDONED_AFTER)
        self._handed_over.forget_before(now - ABANDONED_AFTER)
        self.progress = self.progress.finished(
            until=asked.end, swept=now if sweep else None, seen=seen if seen.etag else None
        )
        yield self._batch(())

    def _look(self, start: datetime, sweep: bool) -> tuple[Answer, Seen]:
        """The newest page, on a URL that never changes, so that an ETag can answer for it."""
        mark = self.client.credential_mark()
        before = self.progress.seen
        # What of the window lies behind the newest page may have been repeated without a change to it.
        is_all = before is None or before.oldest is None or before.oldest < start
        etag = self.progress.etag_for(mark, start) if is_all and not sweep else None
        try:
            answer = self.client.get(self._path, self.subject, self._parameters, etag, github_pages.runs)
        except NotVisible:
            raise self._no_workflow() from None
        if answer.unchanged and self.progress.seen:
            return answer, self.progress.seen
        listed = self._listed(answer)
        oldest = min((instant(run["created_at"]) for run in listed), default=None) if answer.following else None
        return answer, Seen(mark, answer.headers.get("etag", ""), oldest)

    def _newest_and_older(
        self, listed: Sequence[Node], oldest: datetime | None, asked: TimeRange, floor: datetime
    ) -> Iterator[Batch]:
        start = oldest + TICK if oldest else asked.start
        yield from self._told(listed, lambda: self._cover(TimeRange(min(start, asked.end), asked.end), asked))
        if oldest and oldest >= floor:
            yield from self._slices(TimeRange(floor, oldest + TICK), asked)

    def count(self, span: TimeRange) -> int:
        """How many runs GitHub says were created in a span; it takes one request."""
        asked = {**self._parameters, "per_page": 1, "created": f"{_written(span.start)}..{_written(span.end)}"}
        return _promised(self.client.get(self._path, self.subject, asked))

    def _slices(self, span: TimeRange, window: TimeRange) -> Iterator[Batch]:
        """Every run created in `span`, newest first, in lists that GitHub doesn't cut off."""
        start, last = _whole_second(span.start), _whole_second(span.end - timedelta(microseconds=1)) + TICK
        left = TimeRange(start, last) if start < last else None
        while left is not None:
            left = yield from self._slice(left, window)

    def _slice(self, part: TimeRange, window: TimeRange) -> Generator[Batch, None, TimeRange | None]:
        """As much of a list as is safe to read; what is left of its time, if anything is."""
        # GitHub includes both ends.
        created = f"{_written(part.start)}..{_written(part.end - TICK)}"
        count, oldest, cut, most = 0, part.end - TICK, False, 0
        asked = {**self._parameters, "created": created}
        for answer in self.client.pages(self._path, self.subject, asked, github_pages.runs):
            listed = self._listed(answer)
            count += len(listed)
            most = max(most, _promised(answer))
            if _promised(answer) < most and part != self._shrunk:
                # Runs were deleted meanwhile, and others slipped to a page that was read: once more, from the front.
                self._shrunk = part
                yield from self._told(self._runs(answer), list)
                return part
            oldest = max(part.start, min((oldest, *(instant(run["created_at"]) for run in listed))))
            cut = _may_be_cut(answer, count)
            read = TimeRange(oldest + TICK, part.end)
            if cut and read.length:
                yield from self._told(self._runs(answer), partial(self._cover, read, window))
                return TimeRange(part.start, read.start)
            yield from self._told(self._runs(answer), partial(self._close, part, window, count, answer))
        # Nothing but runs of the newest second was shown: what lies before it is still to be read.
        return TimeRange(part.start, oldest) if cut and part.start < oldest else None

    def _close(self, part: TimeRange, window: TimeRange, count: int, answer: Answer) -> list[str]:
        """The end of a list's page: with the last one its time is covered, where it brought what it promised."""
        if answer.following is not None:
            return []
        if count < (promised := _promised(answer)) * BELIEVED or _may_be_cut(answer, count):
            return [f"{self.subject}: GitHub listed {count} of {promised} runs created from {part.start} to {part.end}"]
        return self._cover(part, window)

    def _cover(self, part: TimeRange, window: TimeRange) -> list[str]:
        self.covered |= TimeRanges.of(part).clip(window.start, window.end) - self._holes
        return []

    def _ask_open_again(self, answer: Answer, seen: Seen, listed: set[str]) -> Iterator[Batch]:
        for run, one in sorted(self.progress.open.items()):
            shown = answer.unchanged and (seen.oldest is None or one.created_at > seen.oldest)
            if shown or run in listed:
                continue
            try:
                payload = self.client.get(f"{self._actions}/runs/{run}", self.subject).body
            except NotVisible:
                # Should it be listed again, all of it has to be told again.
                self.progress.repeated[run] = replace(self.progress.open.pop(run), attempt=0)
                yield self._batch((), removed=(one.key,))
                continue
            facts, problems = self._attempts(self._ours(payload), one.attempt - 1)
            yield self._batch(facts, problems=problems)

    def _told(self, runs: Sequence[Node], close: Callable[[], list[str]]) -> Iterator[Batch]:
        """A page's attempts; `close` is called once all are there, and says what is wrong with them.

        Repeated runs cost requests of their own. Where one is refused, those before it are handed over first.
        """
        facts: list[Run] = []
        problems: list[str] = []
        try:
            for run in runs:
                new, troubles = self._readable(run)
                facts += new
                problems += troubles
        except CollectorError:
            if facts:
                yield self._batch(facts, problems=problems)
            raise
        problems += close()
        yield self._batch(facts, problems=problems)

    def _readable(self, run: Node) -> tuple[list[Run], list[str]]:
        try:
            return self._attempts(run, self._handed_over.attempts(run, self.progress))
        except (KeyError, TypeError, ValueError) as error:
            created = instant(run["created_at"])
            self._holes |= TimeRanges.of(TimeRange(created, created + TICK))
            return [], [f"{self.subject}: run {run.get('id')} can't be read ({error!r})"]

    def _attempts(self, run: Node, known: int) -> tuple[list[Run], list[str]]:
        """The attempts after `known`; a list shows only the latest."""
        latest = int(run["run_attempt"])
        facts, problems = [], []
        for attempt in range(known + 1, latest):
            try:
                payload = self.client.get(f"{self._actions}/runs/{run['id']}/attempts/{attempt}", self.subject).body
            except NotVisible:
                problems.append(f"{self.subject}: attempt {attempt} of run {run['id']} is gone")
                continue
            facts.append(self._attempt(self._ours(payload)))
        if latest > known:
            facts.append(self._attempt(run))
            self._note(facts[-1])
        return facts, problems

    def _attempt(self, payload: Node) -> Run:
        if not end_is_doubtful(payload):
            return run_fact(payload, self.subject, None)
        ended = last_job_ended(self.client, self._actions, self.subject, payload, self._ours)
        return run_fact(payload, self.subject, ended)

    def _note(self, run: Run) -> None:
        self._handed_over.add(run.run, run.created_at)
        item = Item(run.key, run.created_at, run.attempt)
        if run.conclusion is None:
            self.progress.open[run.run] = item
            return
        self.progress.open.pop(run.run, None)
        if run.attempt > 1:
            self.progress.repeated[run.run] = item

    def _runs(self, answer: Answer) -> list[Node]:
        """The list's runs; where a branch is asked for, without forks' branches of the same name."""
        runs = [self._ours(run) for run in self._listed(answer)]
        return runs if self.branch is None else [run for run in runs if self._is_own(run)]

    def _listed(self, answer: Answer) -> Sequence[Node]:
        runs = answer.body.get("workflow_runs") if isinstance(answer.body, Mapping) else None
        if not isinstance(runs, list):
            raise SourceError(f"{self.subject}: GitHub's answer lists no runs")
        return runs

    def _ours(self, told: object) -> Node:
        run: Node = told if isinstance(told, Mapping) else {}
        self.hold_against(run["repository"]["full_name"] if run.get("repository") else "nothing")
        return run

    def _is_own(self, run: Node) -> bool:
        head = run.get("head_repository") or {}
        return self.is_of(head.get("full_name", ""))

    def _no_workflow(self) -> ConfigError:
        answers = self.client.pages(f"{self._actions}/workflows", self.subject, {})
        files = [str(one["path"]).rpartition("/")[2] for answer in answers for one in answer.body["workflows"]]
        near = get_close_matches(self.workflow or "", files, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(files)) or 'none'}"
        return ConfigError(f"{self.subject} has no workflow {self.workflow!r}; {hint}")

    @property
    def _actions(self) -> str:
        return f"/repos/{self.repository.name}/actions"

    @property
    def _path(self) -> str:
        part = f"/workflows/{quote(self.workflow, safe='')}" if self.workflow else ""
        return f"{self._actions}{part}/runs"

    @property
    def _parameters(self) -> dict[str, str | int]:
        branch: dict[str, str | int] = {"branch": self.branch} if self.branch else {}
        return {"per_page": 100, "exclude_pull_requests": "true", **branch}

    def _batch(self, facts: Sequence[Run], *, removed: tuple[str, ...] = (), problems: Sequence[str] = ()) -> Batch:
        self._handed_over.keep_in(self.progress)
        return self.batch([self.make(fact) for fact in facts], removed=removed, problems=problems)


def _promised(answer: Answer) -> int:
    return int(answer.body["total_count"])


def _may_be_cut(answer: Answer, count: int) -> bool:
    """Whether a list that brought `count` runs up to this page may have more than it shows, or comes close to that."""
    return count >= SAFE and (answer.following is not None or not _promised(answer) <= count < SHOWN)


def _whole_second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
