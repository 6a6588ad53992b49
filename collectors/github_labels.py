"""Whether any repository has the labels of incidents: a misspelt one would read as no incidents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from .contract import ConfigError, SourceError, Unauthorized
from .github_client import GitHubClient

_FOUND = "labels found"


def require_one(client: GitHubClient, repositories: Sequence[str], labels: Sequence[str]) -> None:
    """Ask the repositories, one after the other, until one of them has one of the labels; and then never again.

    Raises:
        ConfigError: where all could be asked, and none has any of the labels.
    """
    memo = client.context.memo
    wanted = {label.casefold() for label in labels}
    if not wanted.isdisjoint(json.loads(memo.get(_FOUND, "[]"))):
        return
    seen: dict[str, str] = {}
    for repository in repositories:
        try:
            seen |= {name.casefold(): name for name in _labels(client, repository)}
        except (SourceError, Unauthorized):
            return  # what can't be seen may have it; reading its issues says what is the matter
        if found := wanted & seen.keys():
            memo[_FOUND] = json.dumps(sorted({*json.loads(memo.get(_FOUND, "[]")), *found}))
            return
    if repositories:
        raise ConfigError(_nowhere(client.context.source, labels, seen))


def _labels(client: GitHubClient, repository: str) -> Iterator[str]:
    for answer in client.pages(f"/repos/{repository}/labels", repository, {}):
        yield from (str(one["name"]) for one in answer.body)


def _nowhere(source: str, labels: Sequence[str], seen: dict[str, str]) -> str:
    near = [seen[one] for label in labels for one in get_close_matches(label.casefold(), seen, n=1)]
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(seen.values())[:10]) or 'none'}"
    return f"no repository of [sources.{source}] has a label {' or '.join(map(repr, labels))}; {hint}"
