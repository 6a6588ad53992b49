"""A local clone: its branches and tags, and for which time it can speak."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from .contract import ConfigError
from .git_program import CREDENTIALS, GitProgram, instant
from .near import near

_TAG_FIELDS = ("refname:lstrip=2", "objecttype", "objectname", "creatordate:unix", "*objectname", "*committerdate:unix")
_HOSTED = re.compile(r"(?:(?:https?|ssh|git)://[^/]+/|[^/@]+@[^/:]+:)(?:.*/)?([^/]+/[^/]+)$")


@dataclass(frozen=True, slots=True)
class Branch:
    """`ref` is what git reads it by; `name` what people call it (`HEAD` where no branch is checked out)."""

    name: str
    ref: str


@dataclass(frozen=True, slots=True)
class Tag:
    """`at` is when an annotated tag was made, or a lightweight one's commit."""

    name: str
    commit: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of a branch's first-parent line; `at` is the committer's date."""

    id: str
    at: datetime
    parents: tuple[str, ...]


class Clone:
    """Reads one repository: a clone, a bare or shallow one, a worktree, a submodule."""

    def __init__(self, path: Path, remote: str | None) -> None:
        self.git = GitProgram(path)
        self._wanted = remote

    @cached_property
    def remote(self) -> str | None:
        """The remote this clone is fetched from: the one asked for, else `origin`, else the first; None without any."""
        known = self.git.lines("remote")
        if self._wanted is None:
            return "origin" if "origin" in known else next(iter(known), None)
        if self._wanted not in known:
            raise ConfigError(f"{self.git.path} has no remote {self._wanted!r}; {near(self._wanted, known)}")
        return self._wanted

    @cached_property
    def folder(self) -> Path:
        """Where git keeps what all worktrees share."""
        said = self.git.text("rev-parse", "--git-common-dir").strip()
        return (self.git.path / said).resolve()

    @cached_property
    def is_shallow(self) -> bool:
        return self.git.line("rev-parse", "--is-shallow-repository") == "true"

    @cached_property
    def cut_off(self) -> frozenset[str]:
        """Commits of a shallow clone whose parents it does not have."""
        try:
            return frozenset((self.folder / "shallow").read_text().split()) if self.is_shallow else frozenset()
        except OSError:
            return frozenset()

    @cached_property
    def label(self) -> str:
        """`owner/name` of where it is fetched from, else the folder's name."""
        hosted = _HOSTED.match(self._address) if self.remote else None
        if hosted:
            return hosted[1]
        folder = self.folder.parent if self.folder.name == ".git" else self.folder
        return folder.name.removesuffix(".git") or "repository"

    @property
    def branches(self) -> dict[str, str]:
        """Every branch's name and ref; where a remote has one of that name, the remote's."""
        heads = self.git.lines("for-each-ref", "--format=%(refname)", "refs/heads")
        found = {ref.removeprefix("refs/heads/"): ref for ref in heads}
        if self.remote:
            prefix = f"refs/remotes/{self.remote}/"
            fetched = self.git.lines("for-each-ref", "--format=%(refname)", prefix)
            found |= {ref.removeprefix(prefix): ref for ref in fetched if ref != f"{prefix}HEAD"}
        return found

    def branch(self, name: str) -> Branch:
        """
        Raises:
            ConfigError: where there is none of that name, with those there are.
        """
        known = self.branches
        if name in known:
            return Branch(name, known[name])
        raise ConfigError(f"{self.label} has no branch {name!r}; {near(name, sorted(known))}")

    def default_branch(self) -> Branch | None:
        """The remote's default, else what is checked out; None while there is no commit."""
        if self.remote:
            prefix = f"refs/remotes/{self.remote}/"
            ref = self.git.line("symbolic-ref", "-q", f"{prefix}HEAD")
            if ref and self.git.line("rev-parse", "-q", "--verify", ref):
                return Branch(ref.removeprefix(prefix), ref)
        name = self.git.line("symbolic-ref", "-q", "--short", "HEAD")
        if name and name in self.branches:
            return self.branch(name)
        if self.git.line("rev-parse", "-q", "--verify", "HEAD"):
            return Branch("HEAD", "HEAD")
        # A bare repository whose HEAD names a branch nobody pushed.
        known = self.branches
        usual = next((name for name in ("main", "master", *sorted(known)) if name in known), None)
        return self.branch(usual) if usual else None

    def first_parents(self, ref: str) -> list[Commit]:
        """The branch's own line of commits, newest first."""
        rows = (line.split() for line in self.git.lines("rev-list", "--first-parent", "--timestamp", "--parents", ref))
        return [Commit(row[1], at, tuple(row[2:])) for row in rows if (at := instant(row[0]))]

    def tags(self) -> list[Tag]:
        """Every tag of a commit, by name."""
        form = "--format=" + "%00".join(f"%({field})" for field in _TAG_FIELDS)
        found = (self._tag(line.split("\0")) for line in self.git.lines("for-each-ref", form, "refs/tags"))
        return [tag for tag in found if tag is not None]

    def _tag(self, fields: Sequence[str]) -> Tag | None:
        name, kind, target, made, inner, inner_made = fields
        if kind == "commit":
            commit: str | None = target
        elif inner_made:
            commit = inner
        else:  # a tag of a tag, or of something that is no commit
            commit = self.git.line("rev-parse", "-q", "--verify", f"refs/tags/{name}^{{commit}}")
        at = instant(made) or instant(inner_made)
        return Tag(name, commit, at) if commit and at else None

    @property
    def brings_tags(self) -> bool:
        """Whether fetching this clone fetches tags."""
        return self.remote is None or self.git.line("config", f"remote.{self.remote}.tagOpt") != "--no-tags"

    def known_until(self, branch: Branch, now: datetime) -> datetime:
        """Until when the clone can know of everything: its last fetch of the branch, or now where it has no remote."""
        if self.remote is None:
            return now
        fetches = [_modified(p) for p in self._fetch_records() if self._brought(p.read_text(errors="replace"), branch)]
        return min(max(fetches, default=self._cloned_at()), now)

    def _brought(self, record: str, branch: Branch) -> bool:
        """Whether a fetch asked our remote for this branch; for an unnamed one, for any."""
        named = "branch '" if branch.name == "HEAD" else f"branch '{branch.name}' of "
        told = [line for line in record.splitlines() if named in line]
        if len(self.git.lines("remote")) == 1:
            return bool(told)
        return any(line.endswith(f" of {self._address}") for line in told)

    @property
    def _address(self) -> str:
        """The remote's URL as git writes it into FETCH_HEAD: without credentials and a final `.git`."""
        url = CREDENTIALS.sub("://", self.git.line("remote", "get-url", str(self.remote)) or "")
        return url.rstrip("/").removesuffix(".git")

    def _fetch_records(self) -> list[Path]:
        # Each worktree has its own. A fetch that fails leaves an empty one.
        return [p for p in (self.folder / "FETCH_HEAD", *self.folder.glob("worktrees/*/FETCH_HEAD")) if p.is_file()]

    def _cloned_at(self) -> datetime:
        # Cloning writes these; later commands may only make them younger.
        written = [self.folder / name for name in ("description", "info/exclude", "config", "HEAD")]
        return min(_modified(p) for p in written if p.exists())


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
