"""Merged pull requests on the stand-in for GitHub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from keyresults.metrics.facts import Change

from .github_payloads import written

SCHEMA = """
enum PullRequestState { CLOSED MERGED OPEN }
enum IssueOrderField { COMMENTS CREATED_AT UPDATED_AT }
input IssueOrder { direction: OrderDirection! field: IssueOrderField! }
interface Actor { login: String! }
type User implements Actor & Node { id: ID! login: String! }
type Bot implements Actor & Node { id: ID! login: String! }
type Label implements Node { id: ID! name: String! }
type LabelConnection { nodes: [Label] pageInfo: PageInfo! totalCount: Int! }
type PullRequestReview implements Node { id: ID! author: Actor submittedAt: DateTime }
type PullRequestReviewConnection { nodes: [PullRequestReview] pageInfo: PageInfo! totalCount: Int! }
type PullRequestCommit implements Node { id: ID! commit: Commit! }
type PullRequestCommitConnection { nodes: [PullRequestCommit] pageInfo: PageInfo! totalCount: Int! }
type PullRequest implements Node {
  id: ID!
  number: Int!
  title: String!
  body: String!
  createdAt: DateTime!
  updatedAt: DateTime!
  mergedAt: DateTime
  baseRefName: String!
  headRefName: String!
  url: URI!
  mergeCommit: Commit
  author: Actor
  labels(after: String, first: Int): LabelConnection
  reviews(after: String, first: Int): PullRequestReviewConnection
  commits(after: String, first: Int): PullRequestCommitConnection!
}
type PullRequestConnection { nodes: [PullRequest] pageInfo: PageInfo! totalCount: Int! }
"""

FIELDS = """
  pullRequests(
    after: String, baseRefName: String, first: Int, orderBy: IssueOrder, states: [PullRequestState!]
  ): PullRequestConnection!
"""


@dataclass
class Pull:
    """`told` is the change it is; `touched` is when it was last updated, its merge or later."""

    told: Change
    touched: datetime
    body: str = ""


def _newest(pulls: Sequence[Pull], now: datetime) -> list[Pull]:
    there = [one for one in pulls if one.told.merged_at <= now]
    return sorted(there, key=lambda one: (one.touched, int(one.told.key)), reverse=True)


def resolver(pulls: Sequence[Pull], now: datetime, connection: Any) -> Callable[..., Any]:
    def pull_requests(_: object, states: list[str], orderBy: Any, baseRefName: Any = None, **page: Any) -> Any:  # noqa: N803 (GitHub's names)
        assert (states, orderBy) == (["MERGED"], {"field": "UPDATED_AT", "direction": "DESC"})
        told = [_node(one) for one in _newest(pulls, now) if baseRefName in (None, one.told.base)]
        return connection(told, page)

    return pull_requests


def listed(pulls: Sequence[Pull], now: datetime) -> list[dict[str, object]]:
    return [{"number": int(p.told.key), "updated_at": written(p.touched)} for p in _newest(pulls, now)]


def _node(one: Pull) -> dict[str, object]:
    told = one.told
    assert told.opened_at
    assert told.first_commit_at
    bot = told.author_kind == "bot"
    author = {"__typename": "Bot" if bot else "User", "login": "robot" if bot else "someone"}
    own = {"author": author, "submittedAt": written(told.opened_at)}
    other = {"__typename": "User", "login": "other"}
    late = [{"author": other, "submittedAt": written(told.first_review_at)}] if told.first_review_at else []
    return {
        "id": f"PR_{told.key}",
        "number": int(told.key),
        "title": told.title,
        "body": one.body,
        "createdAt": written(told.opened_at),
        "updatedAt": written(one.touched),
        "mergedAt": written(told.merged_at),
        "baseRefName": told.base,
        "headRefName": told.head,
        "url": told.url,
        "mergeCommit": {"__typename": "Commit", "oid": told.commit},
        "author": author,
        "labels": {"nodes": [{"name": name} for name in told.labels]},
        "reviews": {"nodes": [own, *late]},
        "commits": {"nodes": [{"commit": {"__typename": "Commit", "authoredDate": written(told.first_commit_at)}}]},
    }
