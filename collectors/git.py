"""A local clone as a source: no token, no network. It speaks for the time up to its last fetch."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Self

from pydantic import Field, model_validator

from ..metrics.facts import FactKind
from ..metrics.ranges import TimeRange
from ..metrics.stream import Batch, Json, Stream
from .contract import (
    ChangesOfServices,
    ConfigError,
    Context,
    FactQuery,
    ProbeResult,
    SourceOptions,
    WrongKeys,
    files_only_of,
)
from .git_clone import Branch, Clone
from .git_shipments import Pair, shipments
from .git_telling import Telling, changes_told, merges_told, tags_told

_EMPTY = "the repository has no commit yet"
_LACKS = "lacks the commit, the one before, or the history between them"
_UNSAID = 'say what a deployment is here: deployments = { tags = "v*" } or { merges = "main" }'


TOGETHER = 100
"""Pairs of commits that are looked at before what was found is handed over."""


class GitDeployments(FactQuery):
    """What counts as a deployment."""

    tags: str | None = Field(None, description='Tags whose name matches this glob: "v*".')
    merges: str | None = Field(None, description="Every first-parent commit of this branch.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        said = [name for name in ("tags", "merges") if getattr(self, name) is not None]
        if len(said) != 1:
            raise WrongKeys.not_one(said, 'say one of tags = "v*" and merges = "main"')
        return self


class GitOptions(SourceOptions):
    path: str = Field(".", description="Folder of the clone, bare or not; relative to the config file.")
    remote: str | None = Field(None, description="Remote it is fetched from. Default: origin, else the only one.")
    deployments: GitDeployments | None = Field(
        None,
        description='What counts as a deployment: { tags = "v*" } or { merges = "main" }. A metric may say it too.',
    )


class GitDeploymentsQuery(FactQuery):
    deployments: GitDeployments | None = Field(
        None, description='{ tags = "v*" } or { merges = "main" }. Default: what the source says.'
    )


class GitChangesQuery(ChangesOfServices):
    branch: str | None = Field(None, description="Branch whose first-parent commits are changes. Default: the default.")


class Git:
    """A local clone: its tags, or a branch's merges, as deployments; changes and their reverts.

    git itself reads it; nothing is fetched. Where the clone has a remote, it speaks for the time up
    to the last `git fetch` that brought the branch in question (for a clone never fetched: up to its
    cloning), and reads the remote's branch rather than a local one of that name. What is younger
    counts once a fetch has run: have one run beside the tracker. Where there is no remote, such as in
    a bare repository people push to, it speaks up to now. A shallow clone speaks from the commit it
    is cut at. A clone without any tags can't tell that there are none, and has no reading.

    A tag counts when it was made (an annotated one) or at its commit's date (a lightweight one); a
    moved tag is the same deployment at its new commit. A merge counts at the committer's date. All
    are in the environment `production`. Tags deleted and commits rewritten away are withdrawn (the
    newest 5,000 are watched). A change began with the oldest commit that its merge brought in; of
    squashed and direct commits the beginning is not known. Which commits a deployment brought beside
    the one before it is read from the clone too.
    """

    type: ClassVar[str] = "git"
    Options: ClassVar[builtins.type[SourceOptions]] = GitOptions
    Queries: ClassVar[Mapping[FactKind, builtins.type[FactQuery]]] = {
        "deployments": GitDeploymentsQuery,
        "changes": GitChangesQuery,
    }
    sample_config: ClassVar[str] = """\
[sources.repo]
type = "git"                     # a clone on this disk, read without token or network; known up to its last fetch
path = "."
deployments = { tags = "v*" }    # or { merges = "main" }
"""

    def __init__(self, options: GitOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._clone = Clone(context.base / options.path, options.remote)

    def probe(self) -> ProbeResult:
        clone = self._fresh()
        branch = clone.default_branch()
        if branch is None:
            return ProbeResult(reachable=True, authorised=True, detail=_EMPTY, visible=(clone.label,))
        line = clone.first_parents(branch.ref)
        until = clone.known_until(branch, self._context.clock())
        detail = (
            f"{branch.name} at {line[0].id[:9]}, {len(clone.tags())} tags"
            f"{' (a shallow clone)' if clone.is_shallow else ''}, known up to {until:%Y-%m-%d %H:%M} UTC"
        )
        return ProbeResult(reachable=True, authorised=True, detail=detail, visible=(clone.label,), since=line[-1].at)

    def streams(self, queries: Sequence[tuple[FactKind, Json]]) -> list[Stream]:
        subject = self._clone.label
        asked = [
            Stream(self._context.source, kind, subject, files_only_of(subject, self._query(kind, query)))
            for kind, query in queries
        ]
        return list(dict.fromkeys(asked))

    def _query(self, kind: FactKind, query: Json) -> Json:
        said = self.Queries[kind].model_validate(dict(query)).model_dump(mode="json", exclude_none=True)
        if kind == "deployments" and not said:
            if self._options.deployments is None:
                raise ConfigError(_UNSAID)
            return {"deployments": self._options.deployments.model_dump(mode="json", exclude_none=True)}
        return said

    def collect(self, stream: Stream, window: TimeRange, cursor: Json | None) -> Iterator[Batch]:
        clone = self._fresh()
        default = clone.default_branch()
        if default is None:
            yield Batch(problems=(_EMPTY,))
            return
        yield from self._telling(clone, default, stream).batches(window, cursor)

    def _telling(self, clone: Clone, default: Branch, stream: Stream) -> Telling:
        now = self._context.clock()
        if stream.kind == "changes":
            asked_changes = GitChangesQuery.model_validate(dict(stream.query))
            branch = clone.branch(asked_changes.branch) if asked_changes.branch else default
            return changes_told(clone, branch, stream.subject, now, files=bool(asked_changes.files_of))
        asked = GitDeploymentsQuery.model_validate(dict(stream.query)).deployments
        if asked is None:
            raise ConfigError(_UNSAID)
        if asked.merges is not None:
            return merges_told(clone, clone.branch(asked.merges), stream.subject, now)
        return tags_told(clone, default, asked.tags or "*", stream.subject, now)

    def resolve(self, pairs: Sequence[Pair]) -> Iterator[Batch]:
        """Asked again next time are pairs that the clone lacks a commit of: a fetch may bring it."""
        clone = self._fresh()
        for start in range(0, len(pairs), TOGETHER):
            part = pairs[start : start + TOGETHER]
            found = tuple(shipments(clone, part, self._context.clock()))
            lacking = len(part) - len(found)
            yield Batch(facts=found, problems=(f"of {lacking} deployments {clone.label} {_LACKS}",) if lacking else ())

    def close(self) -> None:
        return None

    def _fresh(self) -> Clone:
        self._clone = Clone(self._context.base / self._options.path, self._options.remote)
        return self._clone
