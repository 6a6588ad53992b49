"""A page for each collector, made of what it says of itself: `python -m keyresults.collectors.documentation FOLDER`."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .contract import FILES_KEY, Collector
from .registry import BUILT_IN, collector_type


def page(collector: type[Collector]) -> str:
    """The Markdown page of one collector: what it is, its sample, its options and what metrics may ask of it."""
    return "\n".join(_lines(collector)).rstrip() + "\n"


def write_pages(folder: Path) -> None:
    """Write the built-in collectors' pages anew, and remove those of collectors that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.md"):
        if stale.stem not in BUILT_IN:
            stale.unlink()
    for word in BUILT_IN:
        (folder / f"{word}.md").write_text(page(collector_type(word)), encoding="utf-8")


def _lines(collector: type[Collector]) -> Iterator[str]:
    yield from (f'# type = "{collector.type}"', "")
    yield from (inspect.getdoc(collector) or "", "", "This page is generated (`make docs`).", "")
    yield from ("```toml", collector.sample_config.strip(), "```", "", "## What the source may say", "")
    if collector.Options.model_fields:
        yield from (*_table(collector.Options), "")
    yield from ("Besides what every source may say: see [the config file](../config.md).", "")
    yield from ("## What a metric may ask", "")
    for kind, query in collector.Queries.items():
        yield from (f"### {kind}", "")
        if query.measures is not None:
            yield from (f"For {' and '.join(f'`{name}`' for name in query.measures)}.", "")
        yield from (_table(query) if query.model_fields else ["Nothing but the facts themselves."])
        yield ""


def _table(model: type[BaseModel]) -> Iterator[str]:
    yield from ("| key | default | |", "|---|---|---|")
    for name, field in model.model_fields.items():
        if name == FILES_KEY:
            continue
        yield f"| `{field.alias or name}` | {_default(field)} | {_cell(field.description or '')} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    written: Any = field.get_default(call_default_factory=True, validated_data={})
    if written is None or written in ((), {}) or isinstance(written, BaseModel):
        return ""
    return f"`{json.dumps(written, ensure_ascii=False, default=str)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
