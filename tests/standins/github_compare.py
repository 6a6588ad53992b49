"""The comparison of two commits on the stand-in for GitHub: of a tree of commits that lies in a repository's code."""

from __future__ import annotations

from typing import Any

from .github_code import Code, Commit
from .github_payloads import API, WEB, user, written

NEWEST = 250
"""How many commits are shown where no page was asked for."""

Comparison = tuple[Commit, Commit, list[Commit], int]
"""The base, the newest commit both have, those only the head has in order of time, and how many only the base has."""


def compared(code: Code, base: str, head: str) -> Comparison | None:
    """Of branches or commits; None where one is unknown, or nothing is common to both."""
    base, head = (code.branches.get(one, one) for one in (base, head))
    if not all(isinstance(code.objects.get(one), Commit) for one in (base, head)):
        return None
    ours, theirs = ({one.oid: one for one in code.history(start)} for start in (base, head))
    common = sorted((one.at, oid) for oid, one in ours.items() if oid in theirs)
    if not common:
        return None
    ahead = sorted((one for oid, one in theirs.items() if oid not in ours), key=lambda one: (one.at, one.oid))
    return ours[base], ours[common[-1][1]], ahead, len(ours) - len(common)


def comparison(found: Comparison, part: list[Commit], repository: str, head: str) -> dict[str, object]:
    """`part` are the commits shown."""
    base, common, ahead, behind = found
    place = f"{repository}/compare/{base.oid}...{head}"
    status = ("diverged" if ahead else "behind") if behind else ("ahead" if ahead else "identical")
    return {
        "url": f"{API}/repos/{place}",
        "html_url": f"{WEB}/{place}",
        "permalink_url": f"{WEB}/{place}",
        "diff_url": f"{WEB}/{place}.diff",
        "patch_url": f"{WEB}/{place}.patch",
        "base_commit": _commit(base, repository),
        "merge_base_commit": _commit(common, repository),
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": behind,
        "total_commits": len(ahead),
        "commits": [_commit(one, repository) for one in part],
        "files": [],
    }


def _commit(one: Commit, repository: str) -> dict[str, Any]:
    api, web = f"{API}/repos/{repository}", f"{WEB}/{repository}"
    signed = {"name": "Someone", "email": "someone@example.org", "date": written(one.at)}
    return {
        "sha": one.oid,
        "node_id": f"C_{one.oid}",
        "url": f"{api}/commits/{one.oid}",
        "html_url": f"{web}/commit/{one.oid}",
        "comments_url": f"{api}/commits/{one.oid}/comments",
        "commit": {
            "url": f"{api}/git/commits/{one.oid}",
            "author": signed,
            "committer": signed,
            "message": "Change something",
            "comment_count": 0,
            "tree": {"sha": one.oid, "url": f"{api}/git/trees/{one.oid}"},
        },
        "author": user("someone"),
        "committer": None,
        "parents": [{"sha": parent, "url": f"{api}/commits/{parent}"} for parent in one.parents],
    }
