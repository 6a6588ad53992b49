"""Text that others wrote, made harmless for terminals, Markdown and JSON on a screen."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

_ESCAPE_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor moves
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # titles, links, device strings up to their end
    r"|\x1b[@-Z\\-_]?",
    re.DOTALL,
)
_JOINERS = "\u200c\u200d"  # needed by Persian and by composed emoji
# A "<" before a blank or a digit opens no tag, a "&" that isn't written as an entity stands for itself.
# "#123" is no heading, and "~40" opens nothing that could be closed: `~` after something else is escaped.
_MARKDOWN = re.compile(r"[\\`*\[\]|$]|^#(?=#*$)|^~(?!\d)|(?<!^)~|<(?![\s\d]|$)|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])")
_CODE = re.compile(r"(?<!`)`[\w .,:=/-]+`(?!`)")
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+")
_BLOCK = re.compile(r"^(\d*)([-+.)](?=\s|$)|>)")
_MENTION = re.compile(r"@(?=\w)")
_UNPRINTABLE = re.compile("[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")


def clean(text: str) -> str:
    """One line without control characters, escape sequences or marks that turn the direction of writing."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    without = _ESCAPE_SEQUENCE.sub("", text)
    return " ".join("".join(_visible(c) for c in without).split())


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if character in _JOINERS:
        return character
    if category in ("Cc", "Zl", "Zp"):
        return " "
    if category == "Cf":
        return ""
    return "\ufffd" if category == "Cs" else character


def markdown(text: str) -> str:
    """Cleaned text in which no character means anything to Markdown, in a table's cell too.

    Plain URLs are links, and a few words between backticks are code.
    """
    whole = clean(text)
    if whole.count("`") % 2:
        return _prose(whole)
    ends = [0, *(end for code in _CODE.finditer(whole) for end in code.span()), len(whole)]
    parts = [whole[start:end] for start, end in pairwise(ends)]
    return "".join(part if n % 2 else _prose(part) for n, part in enumerate(parts))


def _prose(text: str) -> str:
    words = " ".join(_link(word) or _escaped(word) for word in text.split(" "))
    return _BLOCK.sub(r"\1\\\2", words)


def is_address(text: str) -> bool:
    """Whether the whole text is a plain web address: nothing in it means anything but itself."""
    return _PLAIN_URL.fullmatch(text) is not None


def _link(word: str) -> str | None:
    return f"<{word}>" if is_address(word) else None


def _escaped(word: str) -> str:
    return _MENTION.sub("@\u2060", _MARKDOWN.sub(lambda m: "\\" + m[0], word))


def screen_safe_json(text: str) -> str:
    """JSON text with the characters that could steer a terminal as escapes; it means the same.

    They can only stand inside strings, and JSON escapes the rest of the control characters by itself.
    """
    return _UNPRINTABLE.sub(lambda m: f"\\u{ord(m[0]):04x}", text)
