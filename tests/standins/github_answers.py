"""What is asked of the stand-in for GitHub and what it answers, on good days and on bad ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Trouble = Literal[
    "401",
    "403",
    "429",
    "429, wait",
    "500",
    "502",
    "hang",
    "slow",
    "login page",
    "truncated",
    "cut off",
    "primary limit",
    "secondary limit",
    "secondary limit, no hint",
    "graphql limit",
    "echo",
    "sent elsewhere",
    "sent astray",
]
"""`slow` drips a good answer; `echo` says the credential back wherever an answer has room; `sent elsewhere` redirects
to another host, with the credential in the address, and `sent astray` to another path of this one."""

BROKEN: dict[Trouble, int] = {"hang": 0, "truncated": 200, "cut off": 200, "login page": 200}
"""Troubles that leave no answer, each with the status that is still sent."""


@dataclass
class Answer:
    """`body` is JSON, or bytes that hold it; a `slow` one is sent in drops."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    slow: bool = False

    def written(self) -> bytes:
        if self.status == 304:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Asked:
    verb: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    status: int = 0


_SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
_PRIMARY = {"message": "API rate limit exceeded for user ID 1."}
_LIMITED = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}


def refusal(trouble: Trouble, used_up: Mapping[str, str], credential: str) -> Answer:
    """`used_up` are the headers of a quota of which nothing is left."""
    token = credential.partition(" ")[2]
    elsewhere, astray = f"http://localhost:9/login?access_token={token}", f"http://127.0.0.1/{token}/login"
    refusals: dict[str, Answer] = {
        "401": Answer(401, {"message": "Bad credentials"}),
        "403": Answer(403, {"message": "Resource not accessible by personal access token"}),
        "429": Answer(429, {"message": "Too many requests"}),
        "429, wait": Answer(429, {"message": "Too many requests"}, {"Retry-After": "90"}),
        "500": Answer(500, {"message": "Server Error"}),
        "502": Answer(502, {"message": "Server Error"}),
        "primary limit": Answer(403, _PRIMARY, dict(used_up)),
        "secondary limit": Answer(403, _SECONDARY, {"Retry-After": "90"}),
        "secondary limit, no hint": Answer(403, _SECONDARY),
        "graphql limit": Answer(200, _LIMITED, {**used_up, "X-RateLimit-Resource": "graphql"}),
        "echo": Answer(
            500,
            {"message": f"cannot authenticate {credential}", "errors": [{"message": credential, "type": credential}]},
            {"X-Echo": credential, "WWW-Authenticate": credential, "ETag": f'"{credential}"'},
        ),
        "sent elsewhere": Answer(302, {"message": elsewhere}, {"Location": elsewhere}),
        "sent astray": Answer(301, {"message": astray}, {"Location": astray}),
    }
    return refusals[trouble]
