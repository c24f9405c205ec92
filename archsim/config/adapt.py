"""Two changes to the schema that pydantic builds for a model, so that strictness suits YAML.

Pydantic's strict mode refuses a list where a tuple is wanted and a mapping where a model is wanted, because it has
Python callers in mind; YAML knows lists and mappings only. And pydantic collects ValueErrors, whereas validators of
archsim raise ArchsimErrors.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from pydantic_core import PydanticCustomError

from archsim.errors import ArchsimError

_LENIENT = frozenset({"tuple", "set", "frozenset", "enum", "model", "dataclass", "union", "tagged-union"})
_USER_DATA = frozenset({"metadata", "default", "expected", "members", "serialization", "cls"})


class CarriedError(ValueError):
    """Carries an ArchsimError through pydantic, which collects ValueErrors only."""

    def __init__(self, error: ArchsimError) -> None:
        super().__init__(str(error))
        self.error = error


def adapt(schema: Any, resolve: Callable[[Any], Any]) -> None:
    """Make containers lenient and validators collectable, in place and in all of the schema; idempotent.

    ``resolve`` finds what a reference stands for (enumerations and named types are kept apart by pydantic).
    """
    pending, seen = [schema], set()
    while pending:
        node = pending.pop()
        if isinstance(node, list | tuple):
            pending += node
        if not isinstance(node, dict) or id(node) in seen:
            continue
        seen.add(id(node))
        kind = node.get("type")
        is_schema = isinstance(kind, str)
        if kind == "definition-ref":
            with contextlib.suppress(LookupError):  # a model that is still being built adapts itself
                pending.append(resolve(node))
        elif isinstance(kind, str):
            _adapt_node(node, kind)
        pending += [child for key, child in node.items() if not (is_schema and key in _USER_DATA)]


def _adapt_node(node: dict[str, Any], kind: str) -> None:
    if kind in _LENIENT:
        node["strict"] = False
    if kind.startswith("function-"):
        entry = node["function"]
        if not hasattr(entry["function"], "carries_errors"):
            entry["function"] = _carrying(entry["function"])


def _carrying(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function, updated=())
    def carry(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except ArchsimError as error:
            raise CarriedError(error) from error
        except TypeError as error:  # pydantic's own bound on a union, met by a member that has no order
            if not str(error).startswith("Unable to apply constraint"):
                raise
            raise PydanticCustomError("bound_type", "does not satisfy the bounds") from error

    carry.__dict__["carries_errors"] = True
    return carry
