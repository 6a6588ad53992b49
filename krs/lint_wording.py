"""What titles give away: numbers as objectives, wishes nobody can see, work instead of effects, wrong directions."""

from __future__ import annotations

import re
from collections.abc import Sequence


def set_of(words: str) -> frozenset[str]:
    """The words of a line."""
    return frozenset(words.split())


_OUTPUT = set_of(
    "add adopt build complete create define deliver develop document finish hire implement install integrate introduce "
    "launch migrate organise organize prepare publish refactor release replace rewrite run ship upgrade write"
)
_OUTPUT_PHRASES = re.compile(
    r"^(?:deploy|set up|roll out|start|hold|conduct)\b"
    r"|\b(?:launch|complete|ship|roll out|go live)\b(?! (?:rate|time|frequency))",
    re.IGNORECASE,
)
_OFTEN = re.compile(r"\b(?:every|each|per|daily|weekly|monthly|hourly|times|once|twice)\b", re.IGNORECASE)
_FALLING = set_of(
    "abolish avoid bring-down cut decrease eliminate fewer halve less limit lower minimise minimize reduce shorten "
    "shrink slash"
)
_RISING = set_of("accelerate boost double expand grow increase maximise maximize more raise triple")
_VAGUE = set_of(
    "advance awesome best better boost culture efficiency efficient enhance enhanced excellence excellent experience "
    "great improve improved increase innovation innovative maximise maximize modern optimise optimize productivity "
    "quality raise satisfaction significantly strengthen"
)
_SMALL = set_of(
    "a all an and are as at be by for from in into is it its keep make of on or our so that the their them they this "
    "to under up us we what while with your not more less core establish become every each per than"
)
_WORD = re.compile(r"[^\W\d_](?:[\w'-]*\w)?")
_NUMBER = re.compile(r"(?<![\w./-])\d+(?:[.,]\d+)*(?:\s?(?:%|percent|ms|s|min|h|x|times))?(?![\w/-]|\.\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_STEM = 5


def words_of(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def is_output(title: str) -> bool:
    """Whether it tells of work to be done ("launch", "complete") instead of what changes by it."""
    words = words_of(title)
    if not words or _OFTEN.search(title):  # something that goes on, and is counted
        return False
    return words[0] in _OUTPUT or _OUTPUT_PHRASES.search(title) is not None


def direction(title: str) -> bool | None:
    """True where the title says that a number shall rise, False where fall; the first such word decides."""
    for word in words_of(title):
        if word in _RISING or word in _FALLING:
            return word in _RISING
    return None


def number_in(title: str) -> str | None:
    """The first number in a title; names such as P99, 24/7 and years are none."""
    found = (match[0] for match in _NUMBER.finditer(title))
    return next((text for text in found if not _YEAR.fullmatch(text)), None)


def is_vague(title: str, seen_in: Sequence[str]) -> bool:
    """Whether it wishes for something general, and no content word of it comes back in `seen_in`.

    Words are compared by their first letters, so that "reliable" is seen in "reliability".
    """
    words = set(words_of(title))
    if not words & _VAGUE:
        return False
    content = {word[:_STEM] for word in words - _VAGUE - _SMALL}
    seen = {word[:_STEM] for text in seen_in for word in words_of(text)}
    return not content & seen
