"""Workload files as text: the head in lines, each layer in one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z][\w.+-]*\Z", re.ASCII)
_WORDS = frozenset(["true", "false", "yes", "no", "on", "off", "null", "y", "n"])


def workload_text(head: Mapping[str, Any], layers: Iterable[Mapping[str, Any]], comments: Iterable[str] = ()) -> str:
    """A workload file: comment lines, the keys of ``head`` in order, then ``layers``."""
    lines = [f"# {line}" for line in comments]
    lines += [f"{key}: {_flow(value)}" for key, value in head.items()]
    lines += ["layers:", *(f"  - {_flow(layer)}" for layer in layers)]
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool | int | float):
        return _number(value)
    text = str(value)
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _number(value: float) -> str:
    """``true``, ``false``, or a number that YAML 1.1 reads as one: ``1.0e-05``, not ``1e-05``."""
    if isinstance(value, bool):
        return str(value).lower()
    mantissa, e, exponent = repr(value).partition("e")
    return mantissa if not e else f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}"


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
