"""Plain YAML scalars by the YAML 1.2 core schema: what is a number, a truth value or nothing, and what is just text.

YAML 1.1 readers take ``on`` for true, ``12:30`` for 750, ``010`` for 8 and ``1e-12`` for text; each of these has put a
wrong number into somebody's results. Source of the rules: YAML 1.2.2, section 10.3.2 (core schema).
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

LARGEST_INT = 2**64 - 1
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_BASED_INT = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z")
_NAN = frozenset({".nan", ".NaN", ".NAN"})


def plain(text: str) -> Scalar:
    """The value of an unquoted scalar.

    ``010`` is ten, ``0o10`` eight, ``1e-12`` a float, ``yes``, ``12:30`` and ``1_000`` text. Raises ValueError, with a
    text for people, for whole numbers beyond 64 bits.
    """
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _INT.match(text) or _BASED_INT.match(text):
        return _integer(text)
    if _FLOAT.match(text):
        return float(text)
    if _INFINITE.match(text):
        return float("-inf") if text[0] == "-" else float("inf")
    return float("nan") if text in _NAN else text


def tagged(kind: str, text: str) -> Scalar:
    """The value of a scalar under an explicit core tag, such as ``!!float 3``; ValueError when it is not one."""
    if kind == "str":
        return text
    value = plain(text)
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    wanted = {"int": int, "float": float, "bool": bool, "null": type(None)}[kind]
    if type(value) is not wanted:
        raise ValueError(f"not a value of the tag !!{kind}")
    return value


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    digits = (text.lstrip("+-") if base == 10 else text[2:]).lstrip("0") or "0"
    if len(digits) > 64 or int(digits, base) > LARGEST_INT:
        raise ValueError("whole number beyond 64 bits")
    return -int(digits, base) if text[0] == "-" else int(digits, base)
