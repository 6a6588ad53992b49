"""What GitHub's refusals mean to a runner: limits to wait for, credentials that don't reach, servers in trouble."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, timedelta

from .contract import CollectorError, ConfigError, CredentialRefused, RetryAt, SourceError, Unauthorized

Headers = Mapping[str, str]

FIRST_PAUSE = timedelta(seconds=60)
LONGEST_PAUSE = timedelta(hours=1)
_REFUSALS = "github: limits in a row"
_LIMIT_WORDS = ("rate limit", "abuse detection", "please wait a few minutes", "retry your request again later")


class NotVisible(Unauthorized):
    """Gone, never there, or hidden from the token: GitHub answers 404 to all three."""


class EmptyRepository(SourceError):
    """Nothing was ever pushed to it: there is no commit, branch or tag."""


class Overloaded(SourceError):
    """The server gave up on this request; asking for less may help."""


class LeftOut(Overloaded):
    """The server left out what it was asked for, and gave no reason."""


def refusal(status: int, headers: Headers, message: str, about: str, now: datetime) -> CollectorError | None:
    """The error an answer means; None for one that refuses nothing. Limits are told apart before."""
    if status < 400:
        return None
    if status == 401:
        return CredentialRefused(f"GitHub refuses the credential (401): {message}")
    if status in (404, 410):
        return NotVisible(f"{about}: not found, or the token may not see it ({status})")
    if status in (403, 451):
        return Unauthorized(f"{about}: forbidden to this token ({status}): {message}")
    if status in (400, 422):
        return ConfigError(f"{about}: GitHub refuses the question ({status}): {message}")
    if status == 409 and "is empty" in message.lower():
        return EmptyRepository(f"{about}: nothing has been pushed to it yet")
    if status >= 500:
        return Overloaded(f"{about}: GitHub answered with {status}")
    return SourceError(f"{about}: GitHub answered with {status}: {message}")


def is_limit(status: int, headers: Headers, message: str) -> bool:
    """A 403 may be a limit or a lacking permission; only its headers and words tell."""
    if status == 429:
        return True
    if status != 403:
        return False
    words = message.lower()
    exhausted = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    return exhausted or any(word in words for word in _LIMIT_WORDS)


def retry_at(
    headers: Headers, about: str, now: datetime, memo: MutableMapping[str, str], *, again: bool = False
) -> RetryAt:
    """When to ask again: what the answer says, else a minute, doubled for each collection in a row that was refused.

    `again`: this collection was refused before, in another thread.
    """
    asked_for = _asked_for(headers, now)
    if asked_for is not None:
        # Of a secondary limit nothing says which requests it is about.
        resource = None if "retry-after" in headers else headers.get("x-ratelimit-resource")
        return RetryAt(asked_for, f"{about}: GitHub's rate limit is used up", resource)
    refusals = _in_a_row(memo) if again else _in_a_row(memo) + 1
    memo[_REFUSALS] = str(refusals)
    pause = min(FIRST_PAUSE * 2 ** min(max(refusals - 1, 0), 10), LONGEST_PAUSE)
    return RetryAt(now + pause, f"{about}: GitHub asks to slow down")


def forget_refusals(memo: MutableMapping[str, str]) -> None:
    """The next pause starts small again."""
    memo.pop(_REFUSALS, None)


def _asked_for(headers: Headers, now: datetime) -> datetime | None:
    wait = number(headers, "retry-after")
    if wait is not None:
        return now + min(max(timedelta(seconds=wait), timedelta(seconds=1)), LONGEST_PAUSE)
    reset = number(headers, "x-ratelimit-reset")
    if reset is None or headers.get("x-ratelimit-remaining") != "0":
        return None
    # A clock that runs ahead of GitHub's would ask again at once, over and over.
    return min(max(datetime.fromtimestamp(reset, UTC), now + timedelta(seconds=1)), now + 2 * LONGEST_PAUSE)


def number(headers: Headers, name: str) -> float | None:
    """A header as a finite number in the range of instants; None where it is absent or no number."""
    try:
        value = float(headers[name])
    except (KeyError, ValueError):
        return None
    return value if math.isfinite(value) and 0 <= value < 1e11 else None


def _in_a_row(memo: Mapping[str, str]) -> int:
    written = memo.get(_REFUSALS, "0")
    return int(written) if written.isdecimal() else 0
