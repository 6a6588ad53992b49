"""The code of a repository on the stand-in for GitHub: its commits, branches, tags and releases."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from . import github_figures
from .github_figures import Artifact, Beside
from .github_payloads import API, WEB, user, written

SCHEMA = """
scalar GitObjectID
scalar GitTimestamp
interface GitObject { id: ID! oid: GitObjectID! }
type Blob implements GitObject & Node { id: ID! oid: GitObjectID! }
type Commit implements GitObject & Node {
  id: ID!
  oid: GitObjectID!
  authoredDate: DateTime!
  committedDate: DateTime!
  history(after: String, first: Int): CommitHistoryConnection!
  parents(after: String, first: Int): CommitConnection!
}
type CommitHistoryConnection { nodes: [Commit] pageInfo: PageInfo! totalCount: Int! }
type CommitConnection { nodes: [Commit] pageInfo: PageInfo! totalCount: Int! }
type GitActor { date: GitTimestamp }
type Tag implements GitObject & Node { id: ID! oid: GitObjectID! tagger: GitActor target: GitObject! }
type RefConnection { nodes: [Ref] pageInfo: PageInfo! totalCount: Int! }
type Release implements Node {
  id: ID!
  databaseId: Int
  isDraft: Boolean!
  publishedAt: DateTime
  tagCommit: Commit
  tagName: String!
  url: URI!
}
type ReleaseConnection { nodes: [Release] pageInfo: PageInfo! totalCount: Int! }
enum RefOrderField { ALPHABETICAL TAG_COMMIT_DATE }
enum ReleaseOrderField { CREATED_AT NAME }
input RefOrder { direction: OrderDirection! field: RefOrderField! }
input ReleaseOrder { direction: OrderDirection! field: ReleaseOrderField! }
"""

FIELDS = """
  object(oid: GitObjectID): GitObject
  refs(after: String, first: Int, orderBy: RefOrder, refPrefix: String!): RefConnection
  releases(after: String, first: Int, orderBy: ReleaseOrder): ReleaseConnection!
"""
"""What a Repository has of them."""


@dataclass(frozen=True)
class Commit:
    oid: str
    at: datetime
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tag:
    """`target` is the id of a commit, of a blob, or of another tag; a lightweight one is no object of its own."""

    oid: str
    target: str
    made: datetime | None = None


@dataclass
class Release:
    """A draft until it is published. `downloads` moves what the REST API answers, and nothing else."""

    number: int
    tag: str
    created: datetime
    published: datetime | None = None
    downloads: int = 0


@dataclass
class Code:
    """`tags` and `branches` lead from names to ids of objects; an id nothing is known of is a blob's.

    `beside` is what stands beside commits, by their ids.
    """

    objects: dict[str, Commit | Tag] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    beside: dict[str, Beside] = field(default_factory=dict)
    artifacts: list[Artifact] = field(default_factory=list)

    def add(self, *objects: Commit | Tag) -> None:
        self.objects |= {one.oid: one for one in objects}

    def history(self, head: str) -> Iterator[Commit]:
        """As `git log` walks it: of the commits reached so far, the youngest next."""
        ahead, reached = [(0.0, head)], {head}
        while ahead:
            commit = self.objects[heapq.heappop(ahead)[1]]
            assert isinstance(commit, Commit)
            yield commit
            for parent in set(commit.parents) - reached:
                reached.add(parent)
                one = self.objects[parent]
                assert isinstance(one, Commit)
                heapq.heappush(ahead, (-one.at.timestamp(), parent))

    def commit_of(self, oid: str | None) -> Commit | None:
        found = self.objects.get(oid or "")
        while isinstance(found, Tag):
            found = self.objects.get(found.target)
        return found

    def listed_releases(self, now: datetime) -> list[Release]:
        there = [one for one in self.releases if one.created <= now]
        return sorted(there, key=lambda one: (one.created, one.number), reverse=True)


# ---- GraphQL


def fields(code: Code, now: datetime, connection: Any) -> dict[str, object]:
    def refs(_: object, refPrefix: str, orderBy: dict[str, str], **page: Any) -> Any:  # noqa: N803 (GitHub's names)
        assert refPrefix == "refs/tags/"
        assert orderBy == {"field": "ALPHABETICAL", "direction": "ASC"}
        names = [{"id": f"REF_{name}", "name": name} for name in sorted(code.tags)]
        return connection(names, page, lambda one: _ref(code, one["name"], connection))

    def releases(_: object, orderBy: dict[str, str], **page: Any) -> Any:  # noqa: N803 (GitHub's names)
        assert orderBy == {"field": "CREATED_AT", "direction": "DESC"}
        return connection([_release(code, one, now, connection) for one in code.listed_releases(now)], page)

    return {"object": lambda _, oid: _object(code, oid, connection), "refs": refs, "releases": releases}


def _ref(code: Code, name: str, connection: Any) -> dict[str, object]:
    return {"id": f"REF_{name}", "name": name, "target": _object(code, code.tags[name], connection)}


def _release(code: Code, one: Release, now: datetime, connection: Any) -> dict[str, object]:
    commit = code.commit_of(code.tags.get(one.tag))
    out = one.published is not None and one.published <= now
    return {
        "id": f"RE_{one.number}",
        "databaseId": one.number,
        "isDraft": not out,
        "publishedAt": written(one.published) if out and one.published else None,
        "tagCommit": _object(code, commit.oid, connection) if commit else None,
        "tagName": one.tag,
        "url": f"{WEB}/acme/payments/releases/tag/{one.tag}",
    }


def _object(code: Code, oid: str, connection: Any) -> dict[str, object]:
    def history(_: object, **page: Any) -> Any:
        commits = [{"id": f"C_{commit.oid}", "oid": commit.oid} for commit in code.history(oid)]
        return connection(commits, page, lambda commit: _object(code, commit["oid"], connection))

    one = code.objects.get(oid)
    if isinstance(one, Tag):
        tagger = {"date": one.made.isoformat()} if one.made else None
        target = _object(code, one.target, connection)
        return {"__typename": "Tag", "id": f"TA_{oid}", "oid": oid, "tagger": tagger, "target": target}
    if one is None:
        return {"__typename": "Blob", "id": f"B_{oid}", "oid": oid}
    return {
        "__typename": "Commit",
        "id": f"C_{oid}",
        "oid": oid,
        "committedDate": written(one.at),
        "parents": lambda _, **page: connection([{"id": f"C_{p}", "oid": p} for p in one.parents], page),
        "history": history,
        **github_figures.of_commit(oid, code.beside.get(oid), connection),
    }


# ---- REST


def references(code: Code, repository: str, place: str) -> list[dict[str, object]]:
    every = {f"refs/heads/{name}": oid for name, oid in code.branches.items()}
    every |= {f"refs/tags/{name}": oid for name, oid in code.tags.items()}
    return [_reference(code, repository, ref, oid) for ref, oid in sorted(every.items()) if ref.startswith(place)]


def _reference(code: Code, repository: str, ref: str, oid: str) -> dict[str, object]:
    kind = {Commit: "commit", Tag: "tag"}.get(type(code.objects.get(oid)), "blob")
    api = f"{API}/repos/{repository}/git"
    target = {"type": kind, "sha": oid, "url": f"{api}/{kind}s/{oid}"}
    return {"ref": ref, "node_id": f"REF_{ref}", "url": f"{api}/{ref}", "object": target}


def release(one: Release, repository: str, now: datetime) -> dict[str, object]:
    api, web = f"{API}/repos/{repository}/releases/{one.number}", f"{WEB}/{repository}/releases"
    out = one.published is not None and one.published <= now
    return {
        "id": one.number,
        "node_id": f"RE_{one.number}",
        "url": api,
        "html_url": f"{web}/tag/{one.tag}",
        "assets_url": f"{api}/assets",
        "upload_url": f"{api}/assets{{?name,label}}",
        "tarball_url": None,
        "zipball_url": None,
        "tag_name": one.tag,
        "target_commitish": "main",
        "name": one.tag,
        "body": f"{one.downloads} downloads",
        "draft": not out,
        "prerelease": False,
        "created_at": written(one.created),
        "published_at": written(one.published) if out and one.published else None,
        "author": user("someone"),
        "assets": [],
    }
