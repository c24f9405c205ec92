"""YAML files to frozen, validated models, with errors that name file, line, key, value and what is allowed."""

from archsim.config.build import build_from
from archsim.config.document import Document, dotted, load_document, parse_document, read_text
from archsim.config.kinds import refuse_swapped
from archsim.config.overrides import apply_overrides, overridden
from archsim.config.presets import find, names
from archsim.config.schema import json_schema
from archsim.config.units import (
    Bits,
    Bytes,
    Celsius,
    Cycles,
    Femtofarads,
    GigabytesPerSecond,
    Megahertz,
    Microsiemens,
    Milliwatts,
    Nanometres,
    Nanoseconds,
    Ohms,
    Picojoules,
    Quantity,
    Seconds,
    SquareMicrometres,
    Volts,
)
from archsim.config.validate import Strict, validate

__all__ = [
    "Bits",
    "Bytes",
    "Celsius",
    "Cycles",
    "Document",
    "Femtofarads",
    "GigabytesPerSecond",
    "Megahertz",
    "Microsiemens",
    "Milliwatts",
    "Nanometres",
    "Nanoseconds",
    "Ohms",
    "Picojoules",
    "Quantity",
    "Seconds",
    "SquareMicrometres",
    "Strict",
    "Volts",
    "apply_overrides",
    "build_from",
    "dotted",
    "find",
    "json_schema",
    "load_document",
    "names",
    "overridden",
    "parse_document",
    "read_text",
    "refuse_swapped",
    "validate",
]
