"""Merged pull requests on the stand-in for GitHub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from keyresults.metrics.facts import Change

from .github_payloads import user, written

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
type PullRequestChangedFile { path: String! }
type PullRequestChangedFileConnection { nodes: [PullRequestChangedFile] pageInfo: PageInfo! totalCount: Int! }
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
  files(after: String, first: Int): PullRequestChangedFileConnection
}
type PullRequestConnection { nodes: [PullRequest] pageInfo: PageInfo! totalCount: Int! }
"""

FIELDS = """
  pullRequest(number: Int!): PullRequest
  pullRequests(
    after: String, baseRefName: String, first: Int, orderBy: IssueOrder, states: [PullRequestState!]
  ): PullRequestConnection!
"""


@dataclass(frozen=True)
class Review:
    """`login` is None where the account is gone."""

    login: str | None
    at: datetime
    by_a_bot: bool = False


@dataclass
class Pull:
    """`told` is the change it is; `touched` is when it was last updated, its merge or later.

    `reviews` came before the one that `told` knows. One that is `rejected` was closed without being merged. GitHub
    knows no commit any more for one that `lost` it.
    """

    told: Change
    touched: datetime
    body: str = ""
    reviews: tuple[Review, ...] = ()
    rejected: bool = False
    lost: bool = False

    def files(self, connection: Any) -> Callable[..., Any]:
        """Null where nobody said which files it touched, as GitHub has it where it can't tell the difference."""
        paths = self.told.paths
        listed = [{"path": path} for path in paths or ()]
        return lambda _, **page: None if paths is None else connection(listed, page)


def newest(pulls: Sequence[Pull], now: datetime) -> list[Pull]:
    there = [one for one in pulls if one.told.merged_at <= now]
    return sorted(there, key=lambda one: (one.touched, int(one.told.key)), reverse=True)


def fields(pulls: Sequence[Pull], now: datetime, connection: Any, files: Any) -> dict[str, object]:
    def merged() -> list[Pull]:
        return [one for one in newest(pulls, now) if not one.rejected]

    def pull_request(_: object, number: int) -> Any:
        return next(_node(one, files) for one in merged() if one.told.key == str(number))

    def pull_requests(_: object, states: list[str], orderBy: Any, baseRefName: Any = None, **page: Any) -> Any:  # noqa: N803 (GitHub's names)
        assert (states, orderBy["field"]) == (["MERGED"], "UPDATED_AT")
        told = [{"id": f"PR_{one.told.key}", "pull": one} for one in merged() if baseRefName in (None, one.told.base)]
        in_order = told if orderBy["direction"] == "DESC" else told[::-1]
        return connection(in_order, page, lambda listed: _node(listed["pull"], files))

    return {"pullRequest": pull_request, "pullRequests": pull_requests}


def payload(one: Pull, repository: dict[str, object]) -> dict[str, object]:
    """As a list shows it."""
    told, owner = one.told, str(repository["full_name"]).partition("/")[0]
    assert told.opened_at
    api, web = f"{repository['url']}/pulls/{told.key}", f"{repository['html_url']}/pull/{told.key}"
    issue = f"{repository['url']}/issues/{told.key}"
    links = {
        "self": api,
        "html": web,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{api}/comments",
        "review_comment": f"{repository['url']}/pulls/comments{{/number}}",
        "commits": f"{api}/commits",
        "statuses": f"{repository['url']}/statuses/{told.commit}",
    }
    return {
        "id": int(told.key),
        "node_id": f"PR_{told.key}",
        "number": int(told.key),
        "state": "closed",
        "locked": False,
        "draft": False,
        "title": told.title,
        "body": one.body,
        "labels": [_label(n, name, api) for n, name in enumerate(told.labels)],
        "closed_at": written(told.merged_at),
        "merged_at": None if one.rejected else written(told.merged_at),
        "created_at": written(told.opened_at),
        "updated_at": written(one.touched),
        "merge_commit_sha": told.commit,
        "user": _user(told),
        "author_association": "MEMBER",
        **dict.fromkeys(("assignee", "milestone", "auto_merge"), None),
        "head": _end(owner, told.head, told.commit, repository),
        "base": _end(owner, told.base, told.commit, repository),
        "url": api,
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        **{f"{kind}_url": href for kind, href in links.items() if kind not in ("self", "html")},
        "_links": {kind: {"href": href} for kind, href in links.items()},
    }


def _end(owner: str, branch: str, commit: str, repository: dict[str, object]) -> dict[str, object]:
    return {"label": f"{owner}:{branch}", "ref": branch, "sha": commit, "user": user(owner), "repo": repository}


def _label(number: int, name: str, url: str) -> dict[str, object]:
    ids = {"id": number, "node_id": f"LA_{number}", "url": url}
    return {**ids, "name": name, "description": "", "color": "ededed", "default": False}


def _user(told: Change) -> object:
    """REST writes of a bot what GraphQL does not."""
    if told.author_kind == "unknown":
        return None
    login = _AUTHORS[told.author_kind][1]
    return user(f"{login}[bot]" if told.author_kind == "bot" else login)


_AUTHORS = {"bot": ("Bot", "robot"), "person": ("User", "someone")}
"""An account that is gone has no author at all."""


def _reviews(one: Pull, author: dict[str, str] | None) -> list[dict[str, object]]:
    """Their author's own comes first."""
    told = one.told
    assert told.opened_at
    found: list[dict[str, object]] = [{"author": author, "submittedAt": written(told.opened_at)}] if author else []
    for said in (*one.reviews, *([Review("other", told.first_review_at)] if told.first_review_at else [])):
        by = {"__typename": "Bot" if said.by_a_bot else "User", "login": said.login} if said.login else None
        found.append({"author": by, "submittedAt": written(said.at)})
    return found


def _node(one: Pull, connection: Any) -> dict[str, object]:
    told = one.told
    assert told.opened_at
    assert told.first_commit_at
    kind, login = _AUTHORS.get(told.author_kind, (None, None))
    author = {"__typename": kind, "login": login} if kind and login else None
    labels = [{"name": name} for name in told.labels]
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
        "mergeCommit": None if one.lost else {"__typename": "Commit", "oid": told.commit},
        "author": author,
        "labels": lambda _, **page: connection(labels, page),
        "files": one.files(connection),
        "reviews": lambda _, **page: connection(_reviews(one, author), page),
        "commits": {"nodes": [{"commit": {"__typename": "Commit", "authoredDate": written(told.first_commit_at)}}]},
    }
