"""The keys a source told of last time, kept small in a cursor, so that what it takes back is noticed."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Container, Mapping

LARGEST = 32 * 2**20

_MARK = "."
"""Begins each pack in base64; those of earlier builds are in base85, which has no such letter and takes far longer."""

_PACKS = 100
"""The most packs in a text: more of them would take more room than they spare time."""


def remember(times: Mapping[str, int], limit: int) -> str:
    """The newest `limit` keys with their times (whole seconds since 1970 UTC), as text for a cursor."""
    newest = sorted(times.items(), key=lambda item: (item[1], item[0]))[-limit:]
    return _packed(dict(newest))


def remember_more(text: str | None, more: Mapping[str, int]) -> str | None:
    """What a text keeps and these keys besides, without packing all anew; None where that is due."""
    if text is None or not text.startswith(_MARK) or text.count(_MARK) >= _PACKS:
        return None
    return text + _packed(more)


def recall(text: object) -> dict[str, int]:
    """What was remembered; nothing for a text that isn't one of these."""
    if not isinstance(text, str):
        return {}
    try:
        if not text.startswith(_MARK):
            return _unpacked(base64.b85decode(text))
        known: dict[str, int] = {}
        for pack in text[1:].split(_MARK):
            known |= _unpacked(base64.b64decode(pack))
    except (ValueError, zlib.error, binascii.Error):
        return {}
    return known


def _packed(times: Mapping[str, int]) -> str:
    packed = zlib.compress(json.dumps(times, separators=(",", ":")).encode(), 3)
    return _MARK + base64.b64encode(packed).decode()


def _unpacked(pack: bytes) -> dict[str, int]:
    known = json.loads(zlib.decompressobj().decompress(pack, LARGEST))
    return known if isinstance(known, dict) else {}


def withdrawn(before: Mapping[str, int], now: Container[str], since: int) -> tuple[str, ...]:
    """Keys that are gone. Those older than `since` have only fallen off what the source still shows."""
    return tuple(sorted(key for key, at in before.items() if key not in now and at >= since))
