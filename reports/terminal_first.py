"""The first screen on a terminal: each line is cut to the width, so that it is never longer than it is meant to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from .asks import Ask
from .escaping import clean
from .first_screen import FirstScreen, Point
from .looks import ASKS
from .numbers import count

_LEAST_HEAD = 16
_LABEL_WIDTH = 8  # fits "✖ decide"


@dataclass(frozen=True, slots=True)
class CutLine:
    """One line, whatever its width: `head` gives way first, then `body`; `tail` stays."""

    head: Text
    body: Text
    tail: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width - len(self.tail)
        head, body = self.head.copy(), self.body.copy()
        head.truncate(max(_LEAST_HEAD, room - body.cell_len), overflow="ellipsis")
        body.truncate(max(0, room - head.cell_len), overflow="ellipsis")
        whole = head + body + Text(self.tail, style="dim")
        whole.truncate(options.max_width, overflow="ellipsis")
        whole.no_wrap = True
        yield whole

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, options.max_width)


def first_screen(screen: FirstScreen) -> RenderableType:
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(width=_LABEL_WIDTH, no_wrap=True)
    table.add_column(ratio=1)
    for label, line in _rows(screen):
        table.add_row(label, line)
    return table if table.row_count else Group()


def _rows(screen: FirstScreen) -> Iterator[tuple[Text, RenderableType]]:
    if screen.good:
        good = CutLine(Text(clean(screen.good.title), style="bold"), Text(f": {clean(screen.good.words)}"))
        yield Text("✔ good", style="green"), good
    for number, ask in enumerate(screen.asks, start=1):
        yield from _ask(ask, screen.more_asks if number == len(screen.asks) else 0)
    if screen.quiet:
        yield Text("  moved"), CutLine(Text(""), Text(clean(screen.quiet)))
    yield from _points("moved", screen.moved, screen.more_moved)
    yield from _points("takes", screen.takes, screen.more_takes)


def _ask(ask: Ask, more: int) -> Iterator[tuple[Text, RenderableType]]:
    look = ASKS[ask.kind]
    words = Text(f": {clean(ask.words)}")
    yield Text(f"{look.symbol} {look.words}", style=look.colour), CutLine(Text(clean(ask.about), style="bold"), words)
    owner, link = clean(ask.owner), clean(ask.link)
    yield Text(""), CutLine(Text(owner), Text(f" · {link}" if owner else link), _more(more))


def _points(label: str, points: Sequence[Point], more: int) -> Iterator[tuple[Text, RenderableType]]:
    for number, point in enumerate(points, start=1):
        tail = _more(more) if number == len(points) else ""
        line = CutLine(Text(clean(point.key_result), style="bold"), Text(f": {clean(point.words)}"), tail)
        yield Text("" if number > 1 else f"  {label}"), line


def _more(number: int) -> str:
    return f" · and {count(number)} more" if number else ""
