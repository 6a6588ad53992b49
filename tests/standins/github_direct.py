"""The stand-in for GitHub without a socket between: what takes thousands of requests has no time for one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from . import github
from .github import TOKEN, Asked, GitHubStandIn

BESIDE = 1_000_000
"""How much higher the numbers of the other repository are."""


class Direct:
    """What PyGithub is to a client. Answers, limits and troubles are the stand-in's own.

    `before` is called with the number of each request, counted from 1.
    """

    def __init__(self, server: GitHubStandIn) -> None:
        self.server = server
        self.requester = self
        self.graphql_url = f"{server.url}/graphql"
        self.auth = SimpleNamespace(token=TOKEN)
        self.before: Callable[[int], None] = lambda number: None

    def _place(self, path: str) -> str:
        """Where another repository answers, the same question put to that one."""
        if self.server.world.impostor is None:
            return path
        return re.sub(r"(?<=/actions/runs/)\d{1,6}(?!\d)", lambda run: str(int(run[0]) + BESIDE), path)

    def close(self) -> None:
        pass

    def requestJson(  # noqa: N802 (PyGithub's name)
        self,
        verb: str,
        url: str,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        input: Mapping[str, Any] | None = None,
    ) -> tuple[int, dict[str, str], str]:
        self.before(len(self.server.asked) + 1)
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query)) | {key: str(value) for key, value in (parameters or {}).items()}
        asked = Asked(verb, self._place(parts.path), query, dict(input or {}))
        reply = self.server.respond(asked, {**(headers or {}), "Authorization": f"token {TOKEN}"})
        if not isinstance(reply, github.Answer):
            return _broken(reply)
        asked.status = reply.status
        return reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.written().decode()


def _broken(trouble: str) -> tuple[int, dict[str, str], str]:
    if trouble == "hang":
        raise requests.exceptions.ReadTimeout("read timed out")
    if trouble == "truncated":
        raise requests.exceptions.ChunkedEncodingError("connection broken")
    return 200, {}, "<html>Sign in</html>" if trouble == "login page" else '{"data": {"repository":'
