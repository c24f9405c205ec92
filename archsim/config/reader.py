"""YAML text to a tree of nodes, without recursion and within limits.

The tree is built from the event stream of PyYAML (the C parser where it is installed), so that nesting cannot exhaust
the stack and an alias bomb is refused while it is read: an alias counts as many nodes as it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from archsim.errors import ConfigError, Problem

MAX_NODES = 100_000
MAX_DEPTH = 64
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(eq=False, slots=True)
class Node:
    """A scalar (``text``), a sequence (``items``) or a mapping (``items``: key, value, key, value, ...)."""

    kind: str
    line: int
    tag: str | None
    text: str = ""
    quoted: bool = False
    items: list[Node] = field(default_factory=list)
    size: int = 1
    height: int = 1
    is_complete: bool = False


class _Composer:
    """Grows the tree event by event; ``open_nodes`` are the containers that have not ended."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.root: Node | None = None
        self.open_nodes: list[Node] = []
        self.anchors: dict[str, Node] = {}
        self.nodes = 0

    def fail(self, message: str, line: int | None) -> ConfigError:
        return ConfigError(Problem(message, self.shown, line))

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            if self.root is not None:
                raise self.fail("a second document starts here; one file holds one document", line)
        elif isinstance(event, yaml.AliasEvent):
            self.attach(replace(self.target(str(event.anchor), line), line=line), line)
        elif isinstance(event, yaml.ScalarEvent):
            node = Node("scalar", line, event.tag, event.value, quoted=event.style not in (None, ""), is_complete=True)
            self.name(node, event.anchor)
            self.attach(node, line)
        elif isinstance(event, yaml.CollectionStartEvent):
            kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "sequence"
            node = Node(kind, line, event.tag)
            self.name(node, event.anchor)
            self.open_nodes.append(node)
            if len(self.open_nodes) > MAX_DEPTH:
                raise self.fail(f"nested deeper than {MAX_DEPTH} levels", line)
        elif isinstance(event, yaml.CollectionEndEvent):
            node = self.open_nodes.pop()
            node.is_complete = True
            self.attach(node, node.line)

    def target(self, anchor: str, line: int) -> Node:
        node = self.anchors.get(anchor)
        if node is None:
            raise self.fail(f"alias '*{anchor}' has no anchor '&{anchor}' before it", line)
        if not node.is_complete:
            raise self.fail(f"alias '*{anchor}' stands inside its own anchor '&{anchor}'", line)
        return node

    def name(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = node

    def attach(self, node: Node, line: int) -> None:
        if not self.open_nodes:
            self.root = node
            return
        parent = self.open_nodes[-1]
        parent.items.append(node)
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        if parent.size > MAX_NODES:
            raise self.fail(f"more than {MAX_NODES:,} values, aliases written out", line)
        if len(self.open_nodes) + node.height > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH} levels", line)


def compose(text: str, shown: str) -> Node:
    """The root node of the only document in ``text``; ConfigError for bad syntax, emptiness, size or depth."""
    composer = _Composer(shown)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise composer.fail(f"not YAML: {reason}", mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise composer.fail(f"not YAML: {error}", None) from None
    root = composer.root
    if root is None or (root.kind == "scalar" and not root.quoted and not root.text and root.tag is None):
        raise composer.fail("is empty", None)
    return root
