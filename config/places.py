"""Where each key stands in the file: tomllib forgets lines, tree-sitter keeps them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import tree_sitter
import tree_sitter_toml

Key = tuple[str | int, ...]
"""The way to a value: keys of tables, and indexes of arrays from 0."""

Place = tuple[int, int]
"""Line and column, both from 1; the column counts characters."""


class Places:
    """The place of every key of one file. Of a key that is not there: of the nearest table around it."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._places: dict[Key, Place] = {}
        self._lengths: dict[Key, int] = {}
        self._headers: set[Key] = set()
        self._pairs: set[Key] = set()
        self.repeated: list[tuple[Key, Place]] = []
        """Keys and tables that are written although they are there already, in order, with the place of the second."""
        parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
        self._walk(parser.parse(text.encode()).root_node)

    def of(self, key: Key) -> Place:
        while key and key not in self._places:
            key = key[:-1]
        return self._places.get(key, (1, 1))

    def _walk(self, root: tree_sitter.Node) -> None:
        # A stack of our own: nesting is capped, but not by what Python's recursion bears.
        waiting: list[tuple[tree_sitter.Node, Key]] = [(root, ())]
        while waiting:
            node, key = waiting.pop()
            inside = list(self._inside(node, key))
            waiting.extend(reversed(inside))

    def _inside(self, node: tree_sitter.Node, key: Key) -> Iterator[tuple[tree_sitter.Node, Key]]:
        if node.type in ("document", "inline_table"):
            yield from ((child, key) for child in node.named_children)
        elif node.type == "pair":
            yield from self._pair(node, key)
        elif node.type in ("table", "table_array_element"):
            yield from self._table(node)
        elif node.type == "array":
            values = [child for child in node.named_children if child.type != "comment"]
            for index, child in enumerate(values):
                self._note((*key, index), child)
                yield child, (*key, index)

    def _pair(self, node: tree_sitter.Node, key: Key) -> Iterator[tuple[tree_sitter.Node, Key]]:
        name, *values = (child for child in node.named_children if child.type != "comment")
        for part in _parts(name):
            key = (*key, _text(part))
            self._note(key, part)
        self._once(key, name, self._pairs)
        yield from ((child, key) for child in values)

    def _table(self, node: tree_sitter.Node) -> Iterator[tuple[tree_sitter.Node, Key]]:
        children = [child for child in node.named_children if child.type != "comment"]
        key: Key = ()
        parts = _parts(children[0]) if children else []
        for number, part in enumerate(parts, 1):
            key = (*key, _text(part))
            self._note(key, part)
            if node.type == "table_array_element" and number == len(parts):
                self._lengths[key] = self._lengths.get(key, 0) + 1
            if key in self._lengths:
                # A header speaks of the newest element of an array of tables.
                key = (*key, self._lengths[key] - 1)
                self._note(key, part)
        if parts and node.type == "table":
            self._once(key, children[0], self._headers)
        yield from ((child, key) for child in children[1:])

    def _note(self, key: Key, node: tree_sitter.Node) -> None:
        self._places.setdefault(key, self._place(node))

    def _once(self, key: Key, node: tree_sitter.Node, alike: set[Key]) -> None:
        if key in self._pairs or key in alike:
            self.repeated.append((key, self._place(node)))
        alike.add(key)

    def _place(self, node: tree_sitter.Node) -> Place:
        row, byte = node.start_point
        return row + 1, len(self._lines[row].encode()[:byte].decode(errors="replace")) + 1


def _parts(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    """The names of a dotted key, in order; tree-sitter nests them."""
    if node.type != "dotted_key":
        return [node]
    return [part for child in node.named_children for part in _parts(child)]


def _text(node: tree_sitter.Node) -> str:
    text = (node.text or b"").decode()
    if node.type != "quoted_key":
        return text
    (name,) = tomllib.loads(f"{text}=0")
    return name
