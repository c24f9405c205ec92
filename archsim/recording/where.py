"""Where a function is called: in which module of the network, and in which ``torch.autograd.Function``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import CodeType
from typing import TYPE_CHECKING, Any

from archsim.recording.graph import Node

if TYPE_CHECKING:
    from archsim.recording.follow import Follower


def placed(follower: Follower, name: str, sources: tuple[Node, ...]) -> tuple[str, tuple[Node, ...]]:
    """The name of a call with its place, and what it reads; a module's path says its place already.

    All that one autograd Function calls is one, and reads what that Function reads.
    """
    if name in follower.leaves:
        return name, sources
    path, function = _place(follower.torch, follower.module)
    name = f"autograd Function {function}" if function else name
    name = f"{name} in {path}" if path else name
    if function:
        read = [source.inputs if source.name == name else (source,) for source in sources]
        sources = tuple(dict.fromkeys(source for each in read for source in each))
    return name, sources


def _place(torch: Any, module: Any) -> tuple[str, str]:
    """Path of the innermost part of ``module`` that is running (the module itself: none), and the name of the Function.

    The Function's is empty where none runs within that part.
    """
    parts = {id(part): path for path, part in module.named_modules()}
    codes = dict(_functions(torch.autograd.Function))
    frame, function = sys._getframe(1), ""
    while frame is not None:
        code = frame.f_code
        function = function or codes.get(code, "")
        if code.co_varnames[:1] == ("self",) and (path := parts.get(id(frame.f_locals.get("self")))) is not None:
            return path, function
        frame = frame.f_back  # type: ignore[assignment]
    return "", function


def _functions(base: Any) -> Iterator[tuple[CodeType, str]]:
    """The code of forward() of every kind of Function, and its name."""
    for cls in base.__subclasses__():
        code = getattr(inspect.unwrap(cls.forward), "__code__", None)
        if code is not None and cls.forward is not base.forward:
            yield code, cls.__name__
        yield from _functions(cls)
