"""From a document to a frozen model, or to one error that lists everything that is wrong."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema

from archsim.config.adapt import adapt
from archsim.config.document import OVERRIDE, Document, Key
from archsim.config.explain import explain
from archsim.config.places import MISSING, lookup
from archsim.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


class Strict(BaseModel):
    """Base of every schema model.

    Frozen; unknown keys are refused; no silent conversion (text is no number, a truth value is no number, 3.0 is no
    whole number; a whole number is a number); numbers are finite. A validator may raise ValueError or any ArchsimError;
    the ``key`` of a problem raised inside a model is relative to that model.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=(), defer_build=True
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Pydantic's schema with two differences: lists become tuples, and an ArchsimError joins the other errors."""
        schema = handler(source)
        adapt(schema, handler.resolve_ref_schema)
        return schema


def validate(model: type[M], document: Document, at: Key = ()) -> M:
    """The part of the document at path ``at`` as a ``model``.

    Raises one ConfigError with every problem in file order, those of files that it names last: file, line, dotted key,
    value, what is allowed, and the nearest known key or value. Values that the command line has set are blamed on
    ``--set``.
    """
    data = lookup(document.data, at)
    if data is MISSING:
        raise ConfigError(document.problem(at, "is missing"))
    try:
        return model.model_validate(data, context={"document": document, "at": at})
    except ValidationError as error:
        found = error.errors(include_url=False)
    problems = [
        document.problem((*at, *one.path), one.message, value=one.value, allowed=one.allowed, nearest=one.nearest)
        if one.complete is None
        else one.complete
        for one in explain(model, data, found)
    ]
    own = (document.file, OVERRIDE)
    raise ConfigError(
        sorted(problems, key=lambda one: (one.file not in own, float("inf") if one.line is None else one.line))
    )
