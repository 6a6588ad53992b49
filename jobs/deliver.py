"""Sending what waits in the outbox, until it has arrived or there is no hope."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Literal

from ..collectors.contract import CollectorError
from ..collectors.secrets import Secret
from ..krs.names import UnknownNameError
from ..storage.outbox import Notice, WaitingNotice
from . import by_apprise, webhook
from .sending import NotTold, Send
from .workspace import Workspace

log = logging.getLogger("keyresults.notices")

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
GIVEN_UP = timedelta(days=7)

TEST_TITLE, TEST_BODY = "A test by keyresults", "This channel is told what `tell` says of it."

_End = Literal["delivered", "given_up", "waits"]


def deliver(workspace: Workspace, now: datetime, send: Send | None = None) -> int:
    """Send what is due; how many arrived. Of each channel in order: where one waits, those after it do too.

    Each attempt is noted before it is made, and each arrival at once: only what was under way when the process died
    is sent a second time, under the same key.
    """
    send = send or partial(by_scheme, clock=workspace.clock)
    unsent = sorted(workspace.store.unsent(), key=lambda waiting: (waiting.notice.channel, waiting.id))
    return sum(
        _in_order(workspace, waiting, now, send)
        for _, waiting in groupby(unsent, key=lambda waiting: waiting.notice.channel)
    )


def try_out(workspace: Workspace, channel: str) -> None:
    """Send a test to a channel, past the outbox.

    Raises:
        UnknownNameError: where the config has no such channel.
        CollectorError: unless it arrived.
    """
    channels, now = workspace.config.notify, workspace.clock()
    if channel not in channels:
        raise UnknownNameError("channel", channel, channels)
    key = f"test/{channel}/{now.isoformat(timespec='seconds')}"
    test = Notice(key=key, channel=channel, occasion="test", title=TEST_TITLE, body=TEST_BODY)
    waiting = WaitingNotice(id=0, notice=test, created_at=now, due=now, attempts=0, error=None)
    problem = _problem(workspace, waiting, partial(by_scheme, clock=workspace.clock))
    if problem is not None:
        raise problem


def by_scheme(address: Secret, waiting: WaitingNotice, clock: Callable[[], datetime]) -> None:
    """Post it to a web address; by apprise to any other, and to those of chats."""
    url = address.reveal()
    if url.lower().startswith(("https://", "http://")) and not by_apprise.knows(url):
        webhook.post(address, waiting, clock)
    else:
        by_apprise.send(address, waiting)


def _in_order(workspace: Workspace, channel: Iterable[WaitingNotice], now: datetime, send: Send) -> int:
    arrived = 0
    for waiting in channel:
        if _has_to_wait(waiting, now) or workspace.stopping.is_set():
            break
        end = _try(workspace, waiting, now, send)
        arrived += end == "delivered"
        if end == "waits":
            break
    return arrived


def _has_to_wait(waiting: WaitingNotice, now: datetime) -> bool:
    """Not where it was put in, or put off for longer than anything is, by a clock that was set back since."""
    from ..collectors.http import LONGEST_PAUSE as LONGEST_ASKED_FOR

    return waiting.attempts > 0 and now < waiting.due <= now + max(LONGEST_PAUSE, LONGEST_ASKED_FOR)


def _try(workspace: Workspace, waiting: WaitingNotice, now: datetime, send: Send) -> _End:
    store, notice = workspace.store, waiting.notice
    told = {"channel": notice.channel, "occasion": notice.occasion, "key": notice.key}
    again = now + pause(waiting.attempts + 1)
    if not store.begin_notice(waiting, again):
        return "waits"
    problem = _problem(workspace, waiting, send)
    if problem is None:
        store.end_notice(waiting.id, workspace.clock(), "delivered")
        log.info("told %s: %s", notice.channel, notice.title, extra=told)
        return "delivered"
    last = waiting.created_at + GIVEN_UP
    if problem.hopeless or now >= last:
        store.end_notice(waiting.id, workspace.clock(), "given_up", str(problem))
        log.error("%s is not told, for good: %s (%s)", notice.channel, problem, notice.title, extra=told)
        return "given_up"
    store.put_off(waiting.id, min(max(again, problem.again or again), last), str(problem))
    log.warning("%s could not be told yet: %s (%s)", notice.channel, problem, notice.title, extra=told)
    return "waits"


def _problem(workspace: Workspace, waiting: WaitingNotice, send: Send) -> NotTold | None:
    channel = workspace.config.notify.get(waiting.notice.channel)
    if channel is None:
        return NotTold(f"there is no [notify.{waiting.notice.channel}]")
    try:
        send(channel.url.resolve(workspace.config.path.parent), waiting)
    except NotTold as problem:
        return problem
    except CollectorError as error:
        return NotTold(str(error))
    except Exception as unexpected:  # its words may hold the address
        return NotTold(f"it failed in a way it should not: {type(unexpected).__name__}")
    return None


def pause(attempts: int) -> timedelta:
    """Before the next attempt, after that many: twice as long each time."""
    return min(FIRST_PAUSE * (1 << min(attempts - 1, 20)), LONGEST_PAUSE)
