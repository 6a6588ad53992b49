"""The first screen on a terminal: lines are cut to its width, so that there are never more than there may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from .asks import Ask
from .escaping import clean
from .first_screen import HEADING_LINES, MOST_LINES, FirstScreen, Point
from .looks import ASKS
from .numbers import count

_LEAST_HEAD = 16
_LABEL_WIDTH = 8  # fits "✖ decide"
_GAP = 2


@dataclass(frozen=True, slots=True)
class CutLine:
    """One line, whatever its width: `head` gives way first, then `body`; `tail` stays."""

    head: Text
    body: Text
    tail: str = ""

    @property
    def whole(self) -> Text:
        return self.head + self.body + Text(self.tail, style="dim")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width - len(self.tail)
        head, body = self.head.copy(), self.body.copy()
        head.truncate(max(_LEAST_HEAD, room - body.cell_len), overflow="ellipsis")
        body.truncate(max(0, room - head.cell_len), overflow="ellipsis")
        whole = CutLine(head, body, self.tail).whole
        whole.truncate(options.max_width, overflow="ellipsis")
        whole.no_wrap = True
        yield whole

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, options.max_width)


@dataclass(frozen=True, slots=True)
class FirstLines:
    """What stands below the heading. A line that is too long goes on below while there is room, else it is cut."""

    screen: FirstScreen

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table.grid(padding=(0, _GAP), expand=True)
        table.add_column(width=_LABEL_WIDTH, no_wrap=True)
        table.add_column(ratio=1, overflow="fold")
        rows = list(_rows(self.screen))
        spare = MOST_LINES - HEADING_LINES - len(rows)
        for label, line in rows:
            width = max(1, options.max_width - _LABEL_WIDTH - _GAP)
            more = len(line.whole.wrap(console, width, overflow="fold")) - 1
            goes_on = 0 < more <= spare
            spare -= more if goes_on else 0
            table.add_row(label, line.whole if goes_on else line)
        if rows:
            yield table


def _rows(screen: FirstScreen) -> Iterator[tuple[Text, CutLine]]:
    if screen.good:
        good = CutLine(Text(clean(screen.good.title), style="bold"), Text(f": {clean(screen.good.words)}"))
        yield Text("✔ good", style="green"), good
    for number, ask in enumerate(screen.asks, start=1):
        yield from _ask(ask, screen.more_asks if number == len(screen.asks) else 0)
    if screen.quiet:
        yield Text("  moved"), CutLine(Text(""), Text(clean(screen.quiet)))
    yield from _points("moved", screen.moved, screen.more_moved)
    yield from _points("takes", screen.takes, screen.more_takes)


def _ask(ask: Ask, more: int) -> Iterator[tuple[Text, CutLine]]:
    look = ASKS[ask.kind]
    words = Text(f": {clean(ask.words)}")
    yield Text(f"{look.symbol} {look.words}", style=look.colour), CutLine(Text(clean(ask.about), style="bold"), words)
    owner, link = clean(ask.owner), clean(ask.link)
    yield Text(""), CutLine(Text(owner), Text(f" · {link}" if owner else link), _more(more))


def _points(label: str, points: Sequence[Point], more: int) -> Iterator[tuple[Text, CutLine]]:
    for number, point in enumerate(points, start=1):
        tail = _more(more) if number == len(points) else ""
        line = CutLine(Text(clean(point.key_result), style="bold"), Text(f": {clean(point.words)}"), tail)
        yield Text("" if number > 1 else f"  {label}"), line


def _more(number: int) -> str:
    return f" · and {count(number)} more" if number else ""
