"""PyGithub does the transport and the authentication: one credential, a connection for each thread."""

from __future__ import annotations

import hashlib
import logging
import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from .contract import Context, RetryAt
from .github_options import GitHubOptions
from .github_refusals import Headers, forget_refusals, retry_at
from .redaction import HIDDEN, without
from .secrets import Secret

if TYPE_CHECKING:
    from github import Github
    from github.Auth import AppInstallationAuth, Auth
    from github.Requester import Requester


class Transport:
    """One PyGithub instance per thread: a shared one can hand out another request's answer.

    A thread takes its `turn` for each request: there are as many as may be under way at the same time.
    """

    def __init__(self, options: GitHubOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._token = options.token.resolve(context.base) if options.token else None
        self._key = options.app.key.resolve(context.base) if options.app else None
        self._own = threading.local()
        self._all: list[Github] = []
        self.turn = threading.BoundedSemaphore(options.concurrency)
        self._noting = threading.Lock()
        self._was_refused = self._was_answered = False
        self._app: AppInstallationAuth | None = None
        self._app_token: Secret | None = None
        self.is_counted = True
        self.budget = context.budgets(self.account)

    @property
    def authority(self) -> Path | None:
        """The certificate of a private authority that vouches for the server."""
        return self._context.base / self._options.ca if self._options.ca else None

    @property
    def credential_place(self) -> str:
        """Where the config says the credential: `[sources.github] token`."""
        return f"[sources.{self._context.source}] {'app' if self._options.app else 'token'}"

    @property
    def is_encrypted(self) -> bool:
        return self._options.api_url.startswith("https:")

    def requester(self) -> Requester:
        """This thread's, with the `credential` that holds now."""
        token = self.credential()
        if getattr(self._own, "token", None) != Secret(token):
            from github.Auth import Token

            self._own.token, self._own.github = Secret(token), self._connect(Token(token))
        github: Github = self._own.github
        return github.requester

    def credential(self) -> str:
        """What is sent as the credential; an App's is renewed once an hour for all threads, by a request of its own."""
        if self._token is not None:
            return self._token.reveal()
        with self._noting:
            self._app = self._app or self._installed()
            token = self._app.token
            if Secret(token) != self._app_token:
                self._app_token = Secret(token)
                self._own.renewals = getattr(self._own, "renewals", 0) + 1
            return token

    def refused(self, headers: Headers, about: str) -> RetryAt:
        """When to come back after being refused. Threads that are refused together count as one refusal."""
        with self._noting:
            again, self._was_refused = self._was_refused, True
            return retry_at(headers, about, self._context.clock(), self._context.memo, again=again)

    def answered(self) -> None:
        """An answer that is no refusal: pauses start small again, unless another thread was refused meanwhile."""
        with self._noting:
            if not self._was_refused and not self._was_answered:
                forget_refusals(self._context.memo)
                self._was_answered = True

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
        token = self._token or self._app_token
        return text.replace(token.reveal(), HIDDEN) if token else text

    def close(self) -> None:
        while self._all:
            self._all.pop().close()
        self._own, self._app = threading.local(), None

    def _connect(self, auth: Auth) -> Github:
        from github import Github

        # They say more than is good to keep: where a server sends a request to, what its answer holds.
        for talker in ("github.Requester", "urllib3.connectionpool"):
            logging.getLogger(talker).setLevel(logging.WARNING)
        made = Github(
            auth=auth,
            base_url=self._options.api_url,
            user_agent="keyresults",
            timeout=math.ceil(self._context.http.timeout),
            verify=str(self.authority) if self.authority else True,
            per_page=100,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        self._all.append(made)
        return made

    def _installed(self) -> AppInstallationAuth:
        """What makes the App's tokens, over a connection of its own."""
        from github.Auth import AppAuth

        app = self._options.app
        assert app is not None
        assert self._key is not None
        auth = AppAuth(app.id, self._key.reveal()).get_installation_auth(app.installation)
        self._connect(auth)
        return auth
