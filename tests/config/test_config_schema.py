"""JSON Schema export."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import pytest
from pydantic import Field

from archsim import config
from archsim.config import Bytes, Megahertz, Strict, json_schema


class Conv(Strict):
    """A convolution."""

    type: Literal["conv2d"]


class Linear(Strict):
    type: Literal["linear"]


class Chip(Strict):
    """A chip."""

    size_bytes: Annotated[Bytes, Field(gt=0, description="capacity")]
    line_bytes: Bytes = Field(16, le=64)
    clock_mhz: Megahertz = 400
    layers: tuple[Annotated[Conv | Linear, Field(discriminator="type")], ...] = ()


def test_quantities_are_a_number_or_text() -> None:
    size = json_schema(Chip)["properties"]["size_bytes"]
    number, text = size["anyOf"]
    assert size["description"] == "capacity"
    assert (number["type"], number["exclusiveMinimum"]) == ("integer", 0)
    for good in ("144 KiB", "0.5MiB", "1e3 B"):
        assert re.search(text["pattern"], good)
    for bad in ("144", "144 KB", "KiB", "1 KiB x"):
        assert not re.search(text["pattern"], bad)


def test_bounds_defaults_and_descriptions_are_there() -> None:
    schema = json_schema(Chip)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["description"] == "A chip."
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["size_bytes"]
    assert schema["properties"]["line_bytes"]["anyOf"][0] == {"type": "integer", "minimum": 0, "maximum": 64}
    assert schema["properties"]["clock_mhz"]["default"] == 400


def test_unions_refer_to_definitions() -> None:
    schema = json_schema(Chip)
    items = schema["properties"]["layers"]["items"]
    assert items["discriminator"]["mapping"] == {"conv2d": "#/$defs/Conv", "linear": "#/$defs/Linear"}
    assert schema["$defs"]["Conv"]["description"] == "A convolution."


UNITS = [name for name in config.__all__ if hasattr(getattr(config, name), "__metadata__")]


@pytest.mark.parametrize("name", UNITS)
def test_every_quantity_exports_and_takes_its_own_example(name: str) -> None:
    class One(Strict):
        value: getattr(config, name)  # type: ignore[valid-type]

    text = json_schema(One)["properties"]["value"]["anyOf"][1]
    (example,) = text["examples"]
    assert re.search(text["pattern"], example)
    assert One(value=example).value > 0


def test_there_are_quantities() -> None:
    assert len(UNITS) == 16
