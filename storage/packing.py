"""Long texts as a store holds them: of what repeats itself, as reports do, a seventh to a twentieth is left."""

from __future__ import annotations

import zlib

from .errors import StoreBroken


def packed(text: str) -> bytes:
    return zlib.compress(text.encode())


def unpacked(content: bytes) -> str:
    """
    Raises:
        StoreBroken: where it is not what was packed; a sum goes with it.
    """
    try:
        return zlib.decompress(content).decode()
    except (zlib.error, UnicodeDecodeError):
        raise StoreBroken(
            "what was said is damaged in the store: `keyresults store check` says of which days"
        ) from None


def is_whole(content: bytes) -> bool:
    try:
        unpacked(content)
    except StoreBroken:
        return False
    return True
