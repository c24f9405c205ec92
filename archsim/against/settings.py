"""What a user may state about a peer, read from text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from archsim.errors import ConfigError, Problem, nearest

Settings = Mapping[str, Any]
PADDINGS = ("none", "written")
"""What a peer without padding is given: the bare map, or the map with its padding written into it."""


def whole_number(key: str, most: int) -> Callable[[str], int]:
    """A reader of whole numbers from 1."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
            message = "not a whole number in range"
            raise ConfigError(Problem(message, key=f"--against {key}", value=text, allowed=f"1..{most}"))
        return int(text)

    return read


def fraction(key: str) -> Callable[[str], float]:
    """A reader of numbers from 0 to 1."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1:
            raise ConfigError(Problem("not a fraction", key=f"--against {key}", value=text, allowed="0..1"))
        return value

    return read


def choice(key: str, *known: str) -> Callable[[str], str]:
    """A reader of one of several words."""

    def read(text: str) -> str:
        if text not in known:
            near = nearest(text, known)
            raise ConfigError(
                Problem("no such choice", key=f"--against {key}", value=text, allowed=", ".join(known), nearest=near)
            )
        return text

    return read


def names(key: str, known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    """A reader of names joined by ``+``; ``all`` and ``none`` are short for every and no name."""

    def read(text: str) -> tuple[str, ...]:
        if text in ("all", "none"):
            return known if text == "all" else ()
        chosen = tuple(dict.fromkeys(part.strip() for part in text.split("+")))
        allowed = f"all, none, or some of {' + '.join(known)}"
        problems = [
            Problem("no such step", key=f"--against {key}", value=name, allowed=allowed, nearest=nearest(name, known))
            for name in chosen
            if name not in known
        ]
        if problems:
            raise ConfigError(problems)
        return chosen

    return read
