"""What lint found, in words and on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..krs.lint_rules import RULES, Finding
from .escaping import clean
from .numbers import amount, many


def words(finding: Finding) -> str:
    """The finding's sentence, its amounts as people read them."""
    shown = {name: amount(value, finding.unit) for name, value in finding.amounts}
    return finding.words.format(**shown) if shown else finding.words


def place(finding: Finding) -> str:
    """`reliability / p99`: what it concerns; empty for the cycle."""
    return " / ".join(part for part in (finding.objective, finding.key_result) if part)


def findings(found: Sequence[Finding], *, ignored: int = 0) -> RenderableType:
    """By what they concern, each with its code and why it matters; `ignored` more are not among them."""
    parts: list[RenderableType] = []
    for where, group in groupby(found, key=place):
        parts += [Text(clean(where or "The cycle"), style="bold"), _rows(list(group)), ""]
    return Group(*parts, Text(_sum(found, ignored), style="dim"))


def _rows(found: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(width=5)
    table.add_column(overflow="fold")
    for one in found:
        for code, line, style in _lines(one):
            table.add_row(Text(code), Text(clean(line), style=style))
    return table


def _lines(one: Finding) -> Iterator[tuple[str, str, str]]:
    said = words(one)
    yield one.code, said[0].upper() + said[1:] + ".", ""
    yield "", f"Ignored: {one.ignored}" if one.ignored is not None else RULES[one.code].reason, "dim"


def _sum(found: Sequence[Finding], ignored: int) -> str:
    said = many(len(found), "findings") if found else "Nothing found"
    rest = f"; {ignored} ignored (--all shows them)" if ignored else ""
    return f"{said}{rest}. docs/lint.md says more of each rule." if found else f"{said}{rest}."
