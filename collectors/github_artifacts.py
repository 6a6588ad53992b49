"""Coverage and test figures out of the artifacts that workflows leave, the newest of each commit."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from ..metrics.facts import Sample
from ..metrics.ranges import TimeRange
from ..metrics.stream import Batch
from .contract import ConfigError, SourceError
from .coverage import covered
from .coverage_tally import Kind
from .file_patterns import SourceFile, UnreadableFile
from .github_client import Answer
from .github_cursor import instant
from .github_download import download
from .github_facts import Node
from .github_reader import TICK
from .github_refusals import NotVisible
from .github_watched import Told, WatchedReader
from .junit import counted, is_junit
from .remembered import recall, remember
from .zip_files import unpacked

REMEMBERED = 5000
"""Of how many commits, those with the newest artifacts, it is known which artifact was read."""

LOOK_BACK = timedelta(days=1)
"""How far behind its window a list is read."""

TOLD = 5
"""Of how many artifacts it is told why they can't be read; the others are counted."""

_TOGETHER = 20
"""Artifacts that are handed over at once, at most."""

HAND_OVER = 30.0
"""Seconds of downloads after which what they gave is handed over: the store sees that the collection goes on."""

_UTC = ZoneInfo("UTC")


def dates_query(count: int) -> str:
    """Asks when `count` commits were made."""
    given = "".join(f", $c{n}: GitObjectID!" for n in range(count))
    asked = " ".join(f"c{n}: object(oid: $c{n}) {{ ... on Commit {{ committedDate }} }}" for n in range(count))
    inside = f"repository(owner: $owner, name: $name) {{ nameWithOwner url {asked} }}"
    return f"query($owner: String!, $name: String!{given}) {{ {inside} }}"


@dataclass(slots=True, kw_only=True)
class ArtifactReader(WatchedReader):
    """Artifacts of one name that runs on one branch left, newest first; each is downloaded once.

    A figure belongs to the commit it was measured at, and is dated by it. `known` holds, by commit, the number of
    the artifact that was read, the highest there was. What has expired or was deleted keeps the figure it once gave.
    """

    branch: str
    artifact: str
    files: tuple[str, ...]
    kind: Kind
    _first: Answer | None = None
    _lost: datetime | None = None
    _unreadable: int = 0

    def ask(self, etag: str | None) -> Answer:
        self._first = self.get("/actions/artifacts", etag, {"name": self.artifact, "per_page": 100})
        return self._first

    def shown(self, body: Any) -> object:  # noqa: ANN401 (JSON)
        return [[one["id"], one["expired"]] for one in body["artifacts"]]

    def read(self, window: TimeRange) -> Iterator[Batch]:
        for batch in WatchedReader.read(self, window):
            if self._lost is not None and window.start < self._lost:
                kept = batch.covered.clip(self._lost, max(self._lost, window.end))
                yield replace(batch, covered=kept, horizon=self._lost)
            else:
                yield batch

    def tell(self, window: TimeRange) -> Told:
        known = yield from self.tell_gap(window)
        return known or "", ()

    def tell_gap(self, window: TimeRange) -> Generator[Batch, None, str | None]:
        floor = window.start - LOOK_BACK
        for listed in self._down_to(floor):
            own = [one for one in listed if self._is_own(one) and instant(one["created_at"]) >= floor]
            self._note_lost(own)
            there = [one for one in own if not one["expired"]]
            for start in range(0, len(there), _TOGETHER):
                yield from self._read(there[start : start + _TOGETHER])
        if self._unreadable > TOLD:
            self.problems.append(f"{self.subject}: {self._unreadable - TOLD} more artifacts can't be read either")
        return self.progress.known

    def _down_to(self, floor: datetime) -> Iterator[Sequence[Node]]:
        answer, self._first = self._first or self.ask(None), None
        while True:
            listed = _listed(answer.body, self.subject)
            yield listed
            if answer.following is None or any(instant(one["created_at"]) < floor for one in listed):
                return
            answer = self.client.get(answer.following, self.subject)

    def _is_own(self, one: Node) -> bool:
        """Whether the branch's own run left it, and not a fork's branch of the same name."""
        run = one["workflow_run"] or {}
        self.hold_against("/".join(one["url"].partition("/repos/")[2].split("/")[:2]))
        return run.get("head_branch") == self.branch and run.get("head_repository_id") == run.get("repository_id")

    def _note_lost(self, own: Sequence[Node]) -> None:
        """How far back artifacts are gone unread: what was measured before then is not known completely."""
        read = recall(self.progress.known)
        gone = [instant(one["created_at"]) for one in own if one["expired"] and _commit(one) not in read]
        kept = [instant(one["expires_at"]) - instant(one["created_at"]) for one in own if one["expires_at"]]
        if gone:
            self._lost = max(filter(None, [self._lost, max(gone) + TICK]))
            words = f"{len(gone)} artifacts {self.artifact!r} have expired unread, the newest of {max(gone):%Y-%m-%d}"
            self.problems.append(f"{self.subject}: {words}")
        if kept:
            self._lost = max(filter(None, [self._lost, self.client.now() - max(kept)]))

    def _read(self, artifacts: Sequence[Node]) -> Iterator[Batch]:
        """Where one can't be downloaded, those before it are handed over first, as they are where it takes long."""
        read = recall(self.progress.known)
        newest: dict[str, Node] = {}
        for one in artifacts:
            commit = _commit(one)
            if one["id"] > max(read.get(commit, 0), newest[commit]["id"] if commit in newest else 0):
                newest[commit] = one
        if not newest:
            return
        facts: list[Sample] = []
        since = time.monotonic()
        try:
            dates = self._dates(list(newest))
            for commit, one in newest.items():
                facts += self._sample(one, dates)
                read[commit] = one["id"]
                if time.monotonic() - since >= HAND_OVER:
                    yield self._handed_over(facts, read)
                    facts, since = [], time.monotonic()
        except Exception:
            yield self._handed_over(facts, read)
            raise
        yield self._handed_over(facts, read)

    def _handed_over(self, facts: Sequence[Sample], read: Mapping[str, int]) -> Batch:
        self.progress.known = remember(read, REMEMBERED)
        return self.batch(facts, problems=self.problems)

    def _dates(self, commits: Sequence[str]) -> Node:
        owner, _, name = self.repository.name.partition("/")
        variables = {f"c{n}": commit for n, commit in enumerate(commits)}
        asked = {"owner": owner, "name": name, **variables}
        repository: Any = self.client.graphql(dates_query(len(commits)), asked, self.subject).data.get("repository")
        if not repository:
            raise SourceError(f"{self.subject}: GitHub does not say when commits were made")
        self.hold_against(repository["nameWithOwner"])
        dates = {commit: (repository.get(f"c{n}") or {}).get("committedDate") for n, commit in enumerate(commits)}
        return {**dates, "url": repository["url"]}

    def _sample(self, one: Node, dates: Node) -> list[Sample]:
        """One, or none where it can't be read, now or later: then the problem is told."""
        commit, name = _commit(one), f"artifact {self.artifact} of {_commit(one)[:12]}"
        try:
            parts = self._measured(one, name)
        except NotVisible:
            return self._can_not_be_read(f"{name} is gone")
        except UnreadableFile as error:
            return self._can_not_be_read(f"{error}" if self.files else f"{error}; `files` says which of it count")
        except ConfigError as error:
            return self._can_not_be_read(f"{error}")
        dated = dates[commit]
        return [
            Sample(
                key=commit,
                subject=self.subject,
                at=instant(dated or one["created_at"]),
                parts=parts,
                commit=commit,
                note=None if dated else "dated by its artifact: its commit is gone",
                url=f"{dates['url']}/actions/runs/{one['workflow_run']['id']}",
            )
        ]

    def _measured(self, one: Node, name: str) -> Mapping[str, float]:
        most = self.client.context.http.max_bytes
        if one["size_in_bytes"] > most:
            raise UnreadableFile(
                name, None, f"it has {one['size_in_bytes']:,} bytes, more than the {most:,} that are read"
            )
        path = f"/repos/{self.repository.name}/actions/artifacts/{one['id']}/zip"
        return measured(download(self.client, path, name), name, self.files, self.kind)

    def _can_not_be_read(self, why: str) -> list[Sample]:
        self._unreadable += 1
        if self._unreadable <= TOLD:
            self.problems.append(f"{self.subject}: {why}")
        return []


def measured(packed: bytes, name: str, patterns: Sequence[str], kind: Kind) -> Mapping[str, float]:
    """What the coverage and JUnit files of an archive say together.

    Raises:
        UnreadableFile: where one of them can't be read; then nothing is said.
        ConfigError: where their format can't tell the kind of coverage.
    """
    with TemporaryDirectory(prefix="keyresults-") as made:
        folder = Path(made)
        try:
            files = unpacked(packed, name, patterns, folder)
            del packed
            return _figures(files, kind, folder)
        except OSError as error:
            raise SourceError(f"{name}: the temporary folder can't be used ({error.strerror})") from None


def _figures(files: Sequence[SourceFile], kind: Kind, folder: Path) -> Mapping[str, float]:
    is_test = {file: is_junit(file) for file in files}
    tests = [file for file in files if is_test[file]]
    code = [file for file in files if not is_test[file]]
    parts = dict(counted(tests, _UTC).parts) if tests else {}
    return {**parts, **covered(code, None, kind, folder).parts} if code else parts


def _listed(body: Any, subject: str) -> Sequence[Node]:  # noqa: ANN401 (JSON)
    try:
        return [one for one in body["artifacts"] if one["id"] and one["url"] and instant(one["created_at"])]
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{subject}: GitHub's answer lists no artifacts ({error!r})") from None


def _commit(one: Node) -> str:
    return str(one["workflow_run"]["head_sha"])
