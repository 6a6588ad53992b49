"""What terminals show, as text without colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

PLAIN_WIDTH = 80


def plain(content: RenderableType) -> str:
    """The text of a page, the same on every machine."""
    from rich.console import Console

    console = Console(highlight=False, width=PLAIN_WIDTH, color_system=None)
    with console.capture() as captured:
        console.print(content)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())
