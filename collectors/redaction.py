"""Secrets taken out of what a source said: a server may say back what it was sent."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from .secrets import Secret

HIDDEN = "…"

SHORTEST = 4
"""A shorter secret stands in every other word, and would be told by what is missing."""

_CREDENTIALS = re.compile(r"\b(?:gh[a-z]_|github_pat_)\w{12,}|\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*")
"""What GitHub's tokens and signed claims look like, whoever they belong to."""


def without(text: str, secrets: Iterable[Secret], user: str = "") -> str:
    """A message without the secrets, as they are, as URLs write them, and as `user`'s basic authentication does."""
    forms = {form for secret in secrets for form in _forms(secret.reveal(), user) if len(form) >= SHORTEST}
    # The longest first: a shorter one may be a part of it, be it of another secret.
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        text = text.replace(form, HIDDEN)
    return _CREDENTIALS.sub(HIDDEN, text)


def _forms(value: str, user: str) -> set[str]:
    basic = base64.b64encode(f"{user}:{value}".encode()).decode()
    bare = base64.b64encode(value.encode()).decode()
    return {basic, bare, value, quote(value), quote(value, safe=""), quote_plus(value)}
