"""Notices as JSON, posted to a web address."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from ..collectors.contract import CollectorError
from ..collectors.secrets import Secret
from ..storage.outbox import WaitingNotice
from .sending import HOPELESS, NotTold, quiet

if TYPE_CHECKING:
    from requests import Response
    from requests.auth import AuthBase

TIMEOUT = 10.0
LONGEST_ANSWER = 1024 * 1024

KEY_HEADER = "Idempotency-Key"


def post(address: Secret, waiting: WaitingNotice, clock: Callable[[], datetime]) -> None:
    """
    Raises:
        NotTold: unless it was accepted, with a status from 200 to 299.
    """
    from requests import RequestException

    from ..collectors.http import HttpDoor, explain, place

    url, auth = _without_credentials(address.reveal())
    door = HttpDoor(timeout=TIMEOUT, attempts=2, max_bytes=LONGEST_ANSWER)
    headers = {KEY_HEADER: quote(waiting.notice.key, safe="/:+-._~"), "Content-Type": "application/json"}
    try:
        with quiet(), door.session(auth=auth, headers=headers) as session:
            answer = session.post(url, data=body(waiting), allow_redirects=False)
    except RequestException as error:
        raise NotTold(_nameless(explain(error), place(url))) from None
    except CollectorError as error:
        raise NotTold(_nameless(str(error), place(url))) from None
    _must_be_accepted(answer, clock())


def _must_be_accepted(answer: Response, now: datetime) -> None:
    from ..collectors.http import retry_time

    status = answer.status_code
    if 300 <= status < 400:  # a POST that follows a redirect arrives as something else
        raise NotTold(f"the receiver sends elsewhere ({status}): write the address it moved to")
    if not 200 <= status < 300:
        again = retry_time(answer, now) if "Retry-After" in answer.headers else None
        # No more of what it says: that may hold the address.
        raise NotTold(f"the receiver answered with {status}", again=again, hopeless=status in HOPELESS)


def body(waiting: WaitingNotice) -> bytes:
    """`text` is title and body together, as chats read it that know no more of the rest."""
    notice = waiting.notice
    said = {
        "key": notice.key,
        "occasion": notice.occasion,
        "at": waiting.created_at.astimezone(UTC).isoformat(timespec="seconds"),
        "title": notice.title,
        "body": notice.body,
        "text": f"{notice.title}\n\n{notice.body}",
    }
    return json.dumps(said).encode()


def _without_credentials(url: str) -> tuple[str, AuthBase | None]:
    """User and password of an address are sent as such; the door would send none."""
    from ..collectors.http import Basic

    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    name, _, password = user.partition(":")
    return parts._replace(netloc=host).geturl(), Basic(unquote(name), Secret(unquote(password)))


def _nameless(words: str, host: str) -> str:
    """Even the host may be known to those alone who may write there."""
    return words.replace(host, "the receiver")
