"""PyGithub does the transport and the authentication: one credential, a connection for each thread."""

from __future__ import annotations

import hashlib
import logging
import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from .contract import Context
from .github_options import GitHubOptions
from .redaction import HIDDEN, without

if TYPE_CHECKING:
    from github import Github
    from github.Auth import Auth
    from github.Requester import Requester


class Transport:
    """One PyGithub instance per thread: a shared one can hand out another request's answer.

    `limited` says that the memo may hold refusals, which the next answer ends. A thread takes its `turn`
    for each request: there are as many as may be under way at the same time.
    """

    def __init__(self, options: GitHubOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._token = options.token.resolve(context.base) if options.token else None
        self._key = options.app.key.resolve(context.base) if options.app else None
        self._own = threading.local()
        self._all: list[Github] = []
        self.turn = threading.BoundedSemaphore(options.concurrency)
        self.limited = True
        self.is_counted = True
        self.budget = context.budgets(self.account)

    @property
    def authority(self) -> Path | None:
        """The certificate of a private authority that vouches for the server."""
        return self._context.base / self._options.ca if self._options.ca else None

    @property
    def is_encrypted(self) -> bool:
        return self._options.api_url.startswith("https:")

    def requester(self) -> Requester:
        github: Github | None = getattr(self._own, "github", None)
        if github is None:
            github = self._own.github = self._connect()
            self._all.append(github)
        return github.requester

    def credential(self) -> str:
        """What is sent as the credential; an App's is renewed once an hour, by a request of its own."""
        auth = self.requester().auth
        token = auth.token if auth else ""
        if self._key is not None and token != getattr(self._own, "token", None):
            self._own.token = token
            self._own.renewals = getattr(self._own, "renewals", 0) + 1
        return token

    def take_renewals(self) -> int:
        """Requests for an App's token since the last call, in this thread."""
        renewals: int = getattr(self._own, "renewals", 0)
        self._own.renewals = 0
        return renewals

    @property
    def account(self) -> str:
        """Names what GitHub counts requests for, by a digest: the token, or an App's installation."""
        app, token = self._options.app, self._token
        who = f"installation {app.installation}" if app else f"token {token.reveal()}" if token else ""
        return hashlib.sha256(f"{self._options.api_url} {who}".encode()).hexdigest()[:24]

    def without_secrets(self, words: str) -> str:
        """For what is shown to people."""
        return without(words, (one for one in (self._token, self._key) if one is not None))

    def clean(self, text: str) -> str:
        """Of what is kept; what a credential looks like is not searched for in all of it."""
        token = self._token.reveal() if self._token else getattr(self._own, "token", None)
        return text.replace(token, HIDDEN) if token else text

    def close(self) -> None:
        while self._all:
            self._all.pop().close()
        self._own = threading.local()

    def _connect(self) -> Github:
        from github import Github

        # They say more than is good to keep: where a server sends a request to, what its answer holds.
        for talker in ("github.Requester", "urllib3.connectionpool"):
            logging.getLogger(talker).setLevel(logging.WARNING)
        return Github(
            auth=self._auth(),
            base_url=self._options.api_url,
            user_agent="keyresults",
            timeout=math.ceil(self._context.http.timeout),
            verify=str(self.authority) if self.authority else True,
            per_page=100,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )

    def _auth(self) -> Auth:
        from github.Auth import AppAuth, Token

        app = self._options.app
        if app is not None and self._key is not None:
            return AppAuth(app.id, self._key.reveal()).get_installation_auth(app.installation)
        assert self._token is not None
        return Token(self._token.reveal())
