"""Nodes to plain Python data and the line of every key."""

from __future__ import annotations

import re
from typing import Any

from archsim.config.reader import Node
from archsim.config.scalars import plain, tagged
from archsim.errors import ConfigError, Problem

Key = tuple[str | int, ...]

_CORE = "tag:yaml.org,2002:"
_CORE_SCALARS = frozenset({"str", "int", "float", "bool", "null"})
_CONTAINERS = {"mapping": ("map", "mapping"), "sequence": ("seq", "list")}
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class _Builder:
    """Walks the nodes (their depth is limited by the reader) and collects every problem."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.lines: dict[Key, int] = {}
        self.problems: dict[int, Problem] = {}
        self.doubled: dict[int, Problem] = {}  # keys that stand twice: the first one counts until it is mended

    def report(self, message: str, node: Node, path: Key, value: object = None) -> None:
        """Note what is wrong with ``node``, once however many aliases repeat it."""
        key = ".".join(str(part) for part in path) or None
        self.problems.setdefault(id(node), Problem(message, self.shown, node.line, key, value))

    def value(self, node: Node, path: Key) -> Any:
        if node.kind == "scalar":
            return self.scalar(node, path)
        tag, noun = _CONTAINERS[node.kind]
        if node.tag not in (None, "!", _CORE + tag):
            self.report(f"tag {_shown_tag(node.tag)} is not allowed on a {noun}", node, path)
            return None
        return self.mapping(node, path) if node.kind == "mapping" else self.sequence(node, path)

    def sequence(self, node: Node, path: Key) -> list[Any]:
        result = []
        for index, item in enumerate(node.items):
            self.lines[(*path, index)] = item.line
            result.append(self.value(item, (*path, index)))
        return result

    def mapping(self, node: Node, path: Key) -> dict[str, Any]:
        result: dict[str, Any] = {}
        first_line: dict[str, int] = {}
        for key_node, value_node in zip(node.items[::2], node.items[1::2], strict=True):
            name = self.key(key_node, path)
            if name is None:
                continue
            here = (*path, name)
            if name in result:
                message = f"key stands twice (first on line {first_line[name]})"
                key = ".".join(map(str, here))
                self.doubled.setdefault(id(key_node), Problem(message, self.shown, key_node.line, key))
                continue
            first_line[name] = self.lines[here] = key_node.line
            result[name] = self.value(value_node, here)
        return result

    def key(self, node: Node, path: Key) -> str | None:
        if node.kind != "scalar":
            self.report(f"a {_CONTAINERS[node.kind][1]} cannot be a key", node, path)
            return None
        if node.text == "<<" and not node.quoted and node.tag is None:
            self.report("merge key '<<' is not supported; write the keys out or alias a whole mapping", node, path)
            return None
        name = self.scalar(node, path)
        if isinstance(name, str):
            return name
        self.report(f"a key must be text; write '{node.text}' in quotes", node, path)
        return None

    def scalar(self, node: Node, path: Key) -> Any:
        text, tag = node.text, node.tag
        if _CONTROL.search(text):
            self.report("control character in text", node, path, text)
            return None
        try:
            if tag is None:
                return text if node.quoted else plain(text)
            if tag == "!":
                return text
            kind = tag.removeprefix(_CORE)
            if kind in _CORE_SCALARS and tag.startswith(_CORE):
                return tagged(kind, text)
        except ValueError as error:
            self.report(str(error), node, path, text)
            return None
        self.report(f"tag {_shown_tag(tag)} is not allowed", node, path)
        return None


def build(root: Node, shown: str) -> tuple[Any, dict[Key, int], list[Problem]]:
    """Plain data, the line of every path, and the keys that stand twice; ConfigError with foreign tags and the like.

    Only YAML's core tags are known. Keys must be text. Whole numbers fit 64 bits; text carries no control characters
    but tab and line feed.
    """
    builder = _Builder(shown)
    builder.lines[()] = root.line
    data = builder.value(root, ())
    if builder.problems:
        every = [*builder.problems.values(), *builder.doubled.values()]
        raise ConfigError(sorted(every, key=lambda problem: problem.line or 0))
    return data, builder.lines, list(builder.doubled.values())


def _shown_tag(tag: str) -> str:
    return "!!" + tag.removeprefix(_CORE) if tag.startswith(_CORE) else tag
