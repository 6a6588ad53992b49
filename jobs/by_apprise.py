"""Notices sent by apprise to the chats and services it knows.

It runs in a process of its own: what it and its many clients log may hold addresses, and none of them can hang more
than itself.
"""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from ..collectors.secrets import Secret
from ..storage.outbox import WaitingNotice
from .sending import HOPELESS, NotTold

SECONDS = 60.0

WEB_CHATS = (
    "hooks.slack.com",
    "discord.com",
    "discordapp.com",
    "chat.googleapis.com",
    ".logic.azure.com",
    ".api.powerplatform.com",
)
"""Hosts of chats whose https addresses apprise knows, and which don't take the JSON of ours."""

_STATUS = re.compile(r"error=(\d{3})\b")
_MORE = "\n…"


def knows(url: str) -> bool:
    """Whether an https address is one of a chat's."""
    host = (urlsplit(url).hostname or "").lower()
    return any(host == one or (one.startswith(".") and host.endswith(one)) for one in WEB_CHATS)


def send(address: Secret, waiting: WaitingNotice) -> None:
    """
    Raises:
        NotTold: unless the service accepted it.
    """
    if find_spec("apprise") is None:
        raise NotTold('this channel needs apprise: pip install "keyresults[notify]"')
    notice = waiting.notice
    asked = json.dumps({"url": address.reveal(), "title": notice.title, "body": notice.body})
    try:
        done = subprocess.run(  # noqa: S603 (this very module, by this very interpreter)
            [sys.executable, "-P", "-m", __name__], input=asked.encode(), capture_output=True, timeout=SECONDS
        )
        said = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise NotTold(f"the channel did not answer within {SECONDS:g} s") from None
    except (OSError, ValueError):
        raise NotTold("apprise could not be run") from None
    if not said["known"]:
        raise NotTold("the address is none that apprise knows")
    if not said["accepted"]:
        status = said["status"]
        raise NotTold(f"the channel did not accept it{f' ({status})' if status else ''}", hopeless=status in HOPELESS)


class _Statuses(logging.Handler):
    """The last HTTP status that apprise complained of."""

    status: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        found = _STATUS.search(record.getMessage())
        self.status = int(found[1]) if found else self.status


def _told(asked: dict[str, str]) -> dict[str, Any]:
    import apprise

    heard = _Statuses()
    logger = logging.getLogger("apprise")
    logger.addHandler(heard)
    logger.propagate = False
    service = apprise.Apprise.instantiate(asked["url"])
    if service is None:
        return {"known": False, "accepted": False, "status": None}
    # Some services have the title within the body.
    room = service.body_maxlen - len(asked["title"]) - len(_MORE)
    service.overflow_mode = apprise.OverflowMode.TRUNCATE  # what grows when apprise puts it into HTML
    all_services = apprise.Apprise()
    all_services.add(service)
    accepted = all_services.notify(
        title=asked["title"], body=fitting(asked["body"], room), body_format=apprise.NotifyFormat.MARKDOWN
    )
    return {"known": True, "accepted": bool(accepted), "status": heard.status}


def fitting(body: str, room: int) -> str:
    """As many whole lines as there is room for; of a first line that is too long, its beginning."""
    if len(body) <= room:
        return body
    kept = body[: room - len(_MORE) + 1].rpartition("\n")[0].rstrip() or body[: room - len(_MORE)]
    return kept + _MORE


if __name__ == "__main__":
    print(json.dumps(_told(json.load(sys.stdin))))  # noqa: T201 (read by `send`)
