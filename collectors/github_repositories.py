"""Which repositories are meant, and what each is called now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from .contract import ConfigError, ProbeResult, SourceError
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


@dataclass(frozen=True, slots=True)
class Repository:
    """`name` is what GitHub calls it today: PyGithub drops the query when it follows the redirect of an old name."""

    name: str
    default_branch: str
    private: bool
    archived: bool


def look_up(client: GitHubClient, subject: str) -> Repository:
    """The repository as it stands; costs no quota while it is unchanged."""
    place = f"github: {client.credential_mark()} {subject.lower()}"
    known: Mapping[str, Any] = json.loads(client.context.memo.get(place, "{}"))
    answer = client.get(f"/repos/{subject}", subject, etag=known.get("etag"))
    if answer.unchanged:
        return Repository(**known["repository"])
    body = answer.body
    if not isinstance(body, Mapping) or not isinstance(body.get("full_name"), str):
        raise SourceError(f"{subject}: GitHub's answer describes no repository")
    found = Repository(body["full_name"], body["default_branch"], bool(body["private"]), bool(body.get("archived")))
    if found.name.lower() != subject.lower():
        client.context.log.warning("%s is now called %s; the config should say so", subject, found.name)
    if (etag := answer.headers.get("etag")) is not None:
        client.context.memo[place] = json.dumps({"etag": etag, "repository": asdict(found)})
    return found


def chosen(client: GitHubClient, options: GitHubOptions) -> list[str]:
    """The repositories the options mean, in order; asks GitHub only for globs and topics.

    Raises:
        ConfigError: where nothing at all is left.
    """
    named = [name for name in options.repositories if not _is_glob(name)]
    globs = [name for name in options.repositories if _is_glob(name)]
    owners = {name.partition("/")[0].lower() for name in (options.repositories if options.topics else globs)}
    found = [name for owner in sorted(owners) for name in _matching(client, owner, globs, options.topics)]
    unique = {name.lower(): name for name in [*found, *named]}
    left = [name for _, name in sorted(unique.items()) if not _matches(name, options.exclude)]
    if not left:
        raise ConfigError(f"no repository is left of {', '.join(options.repositories)}: check the globs and exclude")
    return left


def look_around(client: GitHubClient, patterns: Sequence[str]) -> ProbeResult:
    """One query: which of the named repositories, and of the owners of globs, the credential sees."""
    names = sorted({name.partition("/")[0] + "/*" if _is_glob(name) else name for name in patterns})
    answer = client.graphql("{" + " ".join(_visibility(i, name) for i, name in enumerate(names)) + "}", {}, "GitHub")
    seen = [name for i, name in enumerate(names) if answer.data.get(f"n{i}")]
    hidden = [name for name in names if name not in seen]
    detail = f"{len(seen)} of {len(names)} configured repositories and owners are there"
    return ProbeResult(
        reachable=True,
        authorised=bool(seen),
        detail=f"{detail}; not found, or hidden from the token: {', '.join(hidden)}" if hidden else detail,
        visible=tuple(seen),
    )


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
