"""XML that builds write, read element by element: no entities, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from .file_patterns import SourceFile, UnreadableFile


def elements(file: SourceFile) -> Iterator[tuple[bool, Element]]:
    """Each element at its start (False; it has its attributes only) and at its end (True), without namespaces.

    A DOCTYPE is let through (JaCoCo and Cobertura name one) but never loaded.

    Raises:
        UnreadableFile: for XML that is cut off or garbled, and for entities.
    """
    try:
        with file.path.open("rb") as stream:
            for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=False):
                element.tag = element.tag.rpartition("}")[2]
                yield event == "end", element
                if event == "end":
                    element.clear()
    except ParseError as error:
        raise UnreadableFile(file.name, error.position[0], f"the XML ends or breaks here ({error.msg})") from None
    except DefusedXmlException:
        raise UnreadableFile(file.name, None, "it declares XML entities, which are not read") from None
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        raise UnreadableFile(file.name, None, f"its text can't be decoded ({error})") from None


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
