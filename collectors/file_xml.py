"""XML that builds write, read element by element: no entities, nothing loaded from elsewhere, no tree built of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from .file_patterns import SourceFile, UnreadableFile

DEEPEST = 200
"""Elements within each other."""

MOST_NAMES = 10_000
"""Different names of elements, attributes and namespaces: the parser keeps each to the end."""

LONGEST_TAG = 2 * 2**20
"""Bytes of a single tag or comment: the parser holds it whole."""

LONGEST_TEXT = 4096
"""Characters of an element's text that are kept: what tests print is skipped."""

_STEP = 1 << 16
_OPEN = 8 * 2**20
"""Bytes, about, that the attributes of elements within each other may take."""


def elements(file: SourceFile) -> Iterator[tuple[bool, Element]]:
    """Each element at its start (False) and at its end (True), without namespaces and children.

    It has its attributes, and at its end the beginning of its text where it holds nothing else. A DOCTYPE is let
    through (JaCoCo and Cobertura name one) but never loaded.

    Raises:
        UnreadableFile: for XML that is cut off or garbled, for entities, and for what no report looks like.
    """
    try:
        with file.path.open("rb") as stream:
            yield from _parsed(stream, file)
    except ParseError as error:
        raise UnreadableFile(file.name, error.position[0], f"the XML ends or breaks here ({error.msg})") from None
    except DefusedXmlException:
        raise UnreadableFile(file.name, None, "it declares XML entities, which are not read") from None
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        raise UnreadableFile(file.name, None, f"its text can't be decoded ({error})") from None


def _parsed(stream: BinaryIO, file: SourceFile) -> Iterator[tuple[bool, Element]]:
    told = _Told(file.name)
    parser = DefusedXMLParser(target=told)
    parser.parser.StartDoctypeDeclHandler = told.doctype
    parser.parser.StartNamespaceDeclHandler = told.namespace
    waiting = 0
    while part := stream.read(_STEP):
        parser.feed(part)
        waiting = 0 if told.take_moved() else waiting + len(part)
        if waiting > LONGEST_TAG:
            raise UnreadableFile(file.name, None, f"it holds a tag or comment of more than {LONGEST_TAG:,} bytes")
        waits = told.take()
        if file.bound is not None:
            file.bound.count(len(waits) // 2, file.name)
        yield from waits
    parser.close()
    yield from told.take()


class _Told:
    """What the parser tells since it was last taken. Elements that have ended are let go."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: list[tuple[bool, Element]] = []
        self._open: list[tuple[Element, int]] = []
        self._held = 0
        self._text: list[str] = []
        self._letters = 0
        self._names: set[str] = set()
        self._moved = False

    def take(self) -> list[tuple[bool, Element]]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def take_moved(self) -> bool:
        """Whether the parser got any further."""
        moved, self._moved = self._moved, False
        return moved

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._note(tag, *attributes)
        size = 300 + 200 * len(attributes) + sum(map(len, attributes.values()))
        self._held += size
        if len(self._open) >= DEEPEST or self._held > _OPEN:
            raise UnreadableFile(self._name, None, f"it nests more than the {DEEPEST} elements that are read")
        element = Element(tag.rpartition("}")[2], dict(attributes))
        self._open.append((element, size))
        self._forget_text()
        self._waiting.append((False, element))

    def end(self, _: str) -> None:
        element, size = self._open.pop()
        self._held -= size
        element.text = "".join(self._text)[:LONGEST_TEXT]
        self._forget_text()
        self._waiting.append((True, element))

    def data(self, text: str) -> None:
        self._moved = True
        if self._letters < LONGEST_TEXT:
            self._text.append(text)
            self._letters += len(text)

    def doctype(self, name: str, system: str | None, public: str | None, has_own: bool) -> None:
        if has_own:
            raise UnreadableFile(self._name, None, "it declares XML entities or a grammar of its own: neither is read")

    def namespace(self, prefix: str | None, uri: str | None) -> None:
        self._note(f"{prefix}={uri}")

    def close(self) -> None:
        """Called at the end of the file."""

    def _note(self, *names: str) -> None:
        self._moved = True
        self._names.update(names)
        if len(self._names) > MOST_NAMES:
            words = f"it uses more than {MOST_NAMES:,} names of elements and attributes: no report does"
            raise UnreadableFile(self._name, None, words)

    def _forget_text(self) -> None:
        self._text, self._letters = [], 0


def whole(file: SourceFile, element: Element, name: str, otherwise: int = 0) -> int:
    """An attribute that must be a whole number."""
    text = element.get(name)
    if text is None:
        return otherwise
    try:
        return int(text)
    except ValueError:
        words = f'<{element.tag} {name}="{text[:40]}"> should be a whole number'
        raise UnreadableFile(file.name, None, words) from None
