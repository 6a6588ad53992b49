"""Answers that never came, or came in pieces: which of them are worth another try at once."""

from __future__ import annotations

import json
from typing import Any

from .contract import SourceError
from .github_pages import Reads


class Passing(Exception):
    """Trouble that may be over in a moment."""

    def __init__(self, meaning: SourceError) -> None:
        super().__init__(str(meaning))
        self.meaning = meaning


def parsed(text: str, about: str, status: int, reads: Reads = json.loads) -> Any:  # noqa: ANN401 (JSON)
    """`reads` is for answers; a refusal is read whole."""
    if not text:
        return None
    try:
        return reads(text) if status == 200 else json.loads(text)
    except ValueError:
        if status >= 300:
            return None
        raise Passing(SourceError(f"{about}: the answer is no JSON (cut off, or a login page)")) from None


def _is_timeout(error: Exception) -> bool:
    """requests calls a body that stops coming a ConnectionError, around urllib3's own timeout."""
    import requests
    from urllib3.exceptions import ReadTimeoutError

    return isinstance(error, requests.Timeout) or any(isinstance(arg, ReadTimeoutError) for arg in error.args)


def broken(error: Exception, about: str) -> Exception:
    if _is_timeout(error):
        # Another try would hang as long again.
        return SourceError(f"{about}: GitHub did not answer in time")
    return Passing(SourceError(f"{about}: GitHub can't be reached, or broke off ({type(error).__name__})"))
