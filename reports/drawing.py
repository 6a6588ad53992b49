"""Vega-Lite specifications drawn as SVG that stands inside a page: no script, no network, no identifiers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Spec = dict[str, Any]

_VERSION = "5.21"
_NOT_NEEDED = re.compile(r"class|role|aria-.*|pointer-events|font-family|stroke-miterlimit|display")
_LONG = re.compile(r"(\.\d)\d+")
_DRAWN = frozenset({"text", "line"})


def drawn(spec: Spec, label: str) -> Markup:
    """An image that fills the width it is given; `label` says in words what can be seen on it."""
    import vl_convert
    from defusedxml.ElementTree import fromstring, tostring

    svg = fromstring(vl_convert.vegalite_to_svg(spec, vl_version=_VERSION, allowed_base_urls=[]))
    box = svg.get("viewBox", "")
    _tidy(svg)
    svg.attrib.clear()
    svg.attrib |= {"xmlns": "http://www.w3.org/2000/svg", "viewBox": box, "role": "img", "aria-label": label}
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704 (written by an XML writer, which escapes)


def _tidy(element: Element) -> None:
    """Takes away what says and shows nothing: that is most of what Vega writes."""
    element.tag = element.tag.rpartition("}")[2]
    for name, value in list(element.attrib.items()):
        if _NOT_NEEDED.fullmatch(name) or (name, value) == ("opacity", "1"):
            del element.attrib[name]
        elif name in ("d", "transform"):
            element.set(name, _LONG.sub(r"\1", value))
    for child in list(element):
        _tidy(child)
        if not len(child) and child.tag not in _DRAWN and not {"stroke", "fill"}.intersection(child.keys()):
            element.remove(child)
