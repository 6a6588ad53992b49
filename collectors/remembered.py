"""The keys a source told of last time, kept small in a cursor, so that what it takes back is noticed."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Container, Mapping

LARGEST = 32 * 2**20

_MARK = "."
"""Begins texts in base64; those of earlier builds are in base85, which has no such letter and takes far longer."""


def remember(times: Mapping[str, int], limit: int) -> str:
    """The newest `limit` keys with their times (whole seconds since 1970 UTC), as text for a cursor."""
    newest = sorted(times.items(), key=lambda item: (item[1], item[0]))[-limit:]
    packed = zlib.compress(json.dumps(dict(newest), separators=(",", ":")).encode(), 3)
    return _MARK + base64.b64encode(packed).decode()


def recall(text: object) -> dict[str, int]:
    """What `remember` kept; nothing for a text that isn't one of its own."""
    if not isinstance(text, str):
        return {}
    try:
        packed = base64.b64decode(text[1:]) if text.startswith(_MARK) else base64.b85decode(text)
        known = json.loads(zlib.decompressobj().decompress(packed, LARGEST))
    except (ValueError, zlib.error, binascii.Error):
        return {}
    return known if isinstance(known, dict) else {}


def withdrawn(before: Mapping[str, int], now: Container[str], since: int) -> tuple[str, ...]:
    """Keys that are gone. Those older than `since` have only fallen off what the source still shows."""
    return tuple(sorted(key for key, at in before.items() if key not in now and at >= since))
