"""Long texts as a store holds them: of what repeats itself, as reports do, a seventh to a twentieth is left."""

from __future__ import annotations

import zlib


def packed(text: str) -> bytes:
    return zlib.compress(text.encode())


def unpacked(content: bytes) -> str:
    return zlib.decompress(content).decode()
