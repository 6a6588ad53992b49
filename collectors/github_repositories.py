"""Which repositories are meant, and what each is called now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from .contract import ConfigError, ProbeResult, RetryAt, SourceError
from .github_client import GitHubClient
from .github_options import GitHubOptions
from .github_refusals import NotVisible

OWNED = """
query($owner: String!, $after: String) {
  repositoryOwner(login: $owner) {
    repositories(first: 100, after: $after, ownerAffiliations: [OWNER], orderBy: {field: NAME, direction: ASC}) {
      pageInfo { hasNextPage endCursor }
      nodes { nameWithOwner isArchived repositoryTopics(first: 50) { nodes { topic { name } } } }
    }
  }
}
"""


LISTED = "github: repositories"
LISTED_EVERY = timedelta(hours=1)
"""How old a list of an owner's repositories may be: a new one is found so much later at most."""


@dataclass(frozen=True, slots=True)
class Repository:
    """`name` is what GitHub calls it today: PyGithub drops the query when it follows the redirect of an old name."""

    name: str
    default_branch: str
    private: bool
    archived: bool


def look_up(client: GitHubClient, subject: str) -> Repository:
    """The repository as it stands; costs no quota while it is unchanged."""
    place, mark = f"github: {subject.lower()}", client.credential_mark()
    known: Mapping[str, Any] = json.loads(client.context.memo.get(place, "{}"))
    etag = known.get("etag") if known.get("credential") == mark else None
    answer = client.get(f"/repos/{subject}", subject, etag=etag)
    if answer.unchanged:
        return Repository(**known["repository"])
    body = answer.body
    if not isinstance(body, Mapping) or not isinstance(body.get("full_name"), str):
        raise SourceError(f"{subject}: GitHub's answer describes no repository")
    found = Repository(body["full_name"], body["default_branch"], bool(body["private"]), bool(body.get("archived")))
    if found.name.lower() != subject.lower():
        client.context.log.warning("%s is now called %s; the config should say so", subject, found.name)
    if (new := answer.headers.get("etag")) is not None:
        client.context.memo[place] = json.dumps({"credential": mark, "etag": new, "repository": asdict(found)})
    return found


def chosen(client: GitHubClient, options: GitHubOptions) -> list[str]:
    """The repositories the options mean, in order; asks GitHub only for globs and topics, and once in `LISTED_EVERY`.

    Raises:
        ConfigError: where nothing at all is left.
    """
    named = [name for name in options.repositories if not _is_glob(name)]
    globs = [name for name in options.repositories if _is_glob(name)]
    owners = {name.partition("/")[0].lower() for name in (options.repositories if options.topics else globs)}
    found = _remembered(client, sorted(owners), globs, options.topics) if owners else []
    unique = {name.lower(): name for name in [*found, *named]}
    left = [name for _, name in sorted(unique.items()) if not _matches(name, options.exclude)]
    if not left:
        raise ConfigError(f"no repository is left of {', '.join(options.repositories)}: check the globs and exclude")
    return left


def _remembered(client: GitHubClient, owners: Sequence[str], globs: Sequence[str], topics: Sequence[str]) -> list[str]:
    """Where nothing may be asked just now, the list of the last time is as good as any."""
    asked = [client.transport.account, list(owners), list(globs), list(topics)]
    known: Mapping[str, Any] = json.loads(client.context.memo.get(LISTED, "{}"))
    names = list(known["names"]) if known.get("asked") == asked else None
    now = client.now()
    if names is not None and timedelta() <= now - datetime.fromisoformat(known["at"]) < LISTED_EVERY:
        return names
    try:
        found = [name for owner in owners for name in _matching(client, owner, globs, topics)]
    except RetryAt as limited:
        if names is None:
            raise
        client.context.log.warning("new repositories are looked for later: %s", limited)
        return names
    client.context.memo[LISTED] = json.dumps({"asked": asked, "at": now.isoformat(), "names": found})
    return found


def look_around(client: GitHubClient, options: GitHubOptions) -> ProbeResult:
    """What the credential sees of the repositories and owners the options name, in one query; where it sees all of
    them, and there are globs or topics, also which repositories these choose now. All that is named must be there: a
    collection fails without it.
    """
    wanted = [name for name in options.repositories if _is_glob(name) or not _matches(name, options.exclude)]
    names = sorted({name.partition("/")[0] + "/*" if _is_glob(name) else name for name in wanted})
    query = "{" + " ".join(_visibility(i, name) for i, name in enumerate(names)) + "}"
    there = client.graphql(query, {}, "GitHub").data if names else {}
    seen = tuple(name for i, name in enumerate(names) if there.get(f"n{i}"))
    hidden = [name for name in names if name not in seen]
    if hidden:
        detail = f"{len(seen)} of {len(names)} configured repositories and owners are there"
        lacking = f"{detail}; not found, or hidden from the token: {', '.join(hidden)}"
        return ProbeResult(reachable=True, authorised=False, detail=lacking, visible=seen)
    found = tuple(chosen(client, options))
    detail = "1 repository is there" if len(found) == 1 else f"{len(found)} repositories are there"
    globs = [name for name in wanted if _is_glob(name)] if not options.topics else []
    idle = [glob for glob in globs if not any(_matches(name, [glob]) for name in found)]
    told = f"{detail}; none matches {', '.join(idle)}" if idle else detail
    return ProbeResult(reachable=True, authorised=True, detail=told, visible=found)


def _visibility(number: int, name: str) -> str:
    owner, _, repository = name.partition("/")
    if repository == "*":
        return f"n{number}: repositoryOwner(login: {json.dumps(owner)}) {{ login }}"
    arguments = f"owner: {json.dumps(owner)}, name: {json.dumps(repository)}"
    return f"n{number}: repository({arguments}) {{ nameWithOwner }}"


def _matching(client: GitHubClient, owner: str, globs: Sequence[str], topics: Sequence[str]) -> Iterator[str]:
    own = [glob for glob in globs if glob.partition("/")[0].lower() == owner]
    matched = 0
    for node in _owned_by(client, owner):
        name = node["nameWithOwner"]
        carried = {one["topic"]["name"] for one in node["repositoryTopics"]["nodes"]}
        if not _matches(name, own) and not carried & set(topics):
            continue
        matched += 1
        if node["isArchived"]:
            client.context.log.info("%s is archived and left out; name it in full to read its past", name)
        else:
            yield name
    if not matched:
        client.context.log.warning("no repository of %s that the token sees matches %s", owner, ", ".join(own))


def _owned_by(client: GitHubClient, owner: str) -> Iterator[Mapping[str, Any]]:
    after = None
    while True:
        answer = client.graphql(OWNED, {"owner": owner, "after": after}, f"the repositories of {owner}")
        found = answer.data.get("repositoryOwner")
        if found is None:
            raise NotVisible(f"{owner}: no such owner, or the token may not see it")
        if None in found["repositories"]["nodes"]:
            raise SourceError(f"{owner}: GitHub left repositories out of its list")
        yield from found["repositories"]["nodes"]
        if not found["repositories"]["pageInfo"]["hasNextPage"]:
            return
        after = found["repositories"]["pageInfo"]["endCursor"]


def _is_glob(name: str) -> bool:
    return "*" in name or "?" in name


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
