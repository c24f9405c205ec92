"""Quantities: a plain number in the base unit that the type names, or text with a unit such as ``"144 KiB"``.

``Bytes`` and the like are annotated ``int`` or ``float``, so that a model holds plain numbers. All are finite and at
least 0, clocks and feature sizes above 0; ``Field(gt=0)`` and the like narrow further. Text is converted in decimal
arithmetic, so ``"0.1 nJ"`` is exactly the number that ``100`` is. "KB" is refused because it means 1000 to some and
1024 to others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from archsim.errors import nearest

_NUMBER = r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?"
_TEXT = re.compile(rf"\s*({_NUMBER})\s*(\S{{0,20}})\s*\Z", re.ASCII)
_KEYWORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_SPELLINGS = {"μ": "u", "µ": "u", "²": "2", "^2": "2"}


@dataclass(frozen=True, eq=False)
class Quantity:
    """Annotation that lets a number also be given as text with a unit.

    ``noun`` is the base unit in words, ``factors`` maps each unit to its worth in base units (``u`` stands for micro).
    """

    noun: str
    example: str
    factors: Mapping[str, Decimal]
    is_whole: bool = False

    @property
    def allowed(self) -> str:
        """The units, for messages."""
        return ", ".join(self.factors)

    def parse(self, value: Any) -> Any:
        """A number in base units for text; everything else is left to the number's own validation."""
        if not isinstance(value, str):
            return value
        match = _TEXT.match(value)
        if match is None:
            raise PydanticCustomError("quantity_type", "not a number with a unit")
        number, unit = match.groups()
        for spelling, plain in _SPELLINGS.items():
            unit = unit.replace(spelling, plain)
        if unit not in self.factors:
            known = {"allowed": self.allowed, "nearest": nearest(unit, self.factors)}
            raise PydanticCustomError("quantity", "unknown unit" if unit else "text without a unit", known)
        amount = Decimal(number) * self.factors[unit]
        if not self.is_whole:
            return float(amount)
        if amount != amount.to_integral_value() or abs(amount) >= 2**64:
            raise PydanticCustomError("quantity", f"must come to a whole number of {self.noun}")
        return int(amount)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.parse, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        units = "|".join(re.escape(unit) for unit in self.factors)
        text = {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*({units})\s*$", "examples": [self.example]}
        number = {_KEYWORDS.get(key, key): value for key, value in handler(schema).items()}
        return {"anyOf": [number, text]}


def _units(**factors: str | int | Decimal) -> dict[str, Decimal]:
    return {unit.replace("_per_", "/"): Decimal(factor) for unit, factor in factors.items()}


_NUMERIC = Field(strict=True, ge=0)
_FINITE = Field(strict=True, ge=0, allow_inf_nan=False)
_POSITIVE = Field(strict=True, gt=0, allow_inf_nan=False)
_SIGNED = Field(strict=True, allow_inf_nan=False)

_BYTE = _units(B=1, kB=10**3, KiB=2**10, MB=10**6, MiB=2**20, GB=10**9, GiB=2**30)
_BIT = _units(bit=1, bits=1, kbit=10**3, Kibit=2**10, Mbit=10**6, Mibit=2**20)
_CYCLE = _units(cycle=1, cycles=1)
_CLOCK = _units(Hz="1e-6", kHz="1e-3", MHz=1, GHz=1000)
_LENGTH = _units(nm=1, um=1000, mm=10**6)
_TIME = _units(ps="1e-3", ns=1, us=1000, ms=10**6, s=10**9)
_SPAN = _units(ms="1e-3", s=1, min=60, h=3600, day=86400, days=86400, year=31557600, years=31557600)
_ENERGY = _units(aJ="1e-6", fJ="1e-3", pJ=1, nJ=1000, uJ=10**6, mJ=10**9)
_POWER = _units(pW="1e-9", nW="1e-6", uW="1e-3", mW=1, W=1000)
_RATE = _units(
    B_per_s="1e-9", kB_per_s="1e-6", MB_per_s="1e-3", GB_per_s=1, TB_per_s=1000,
    MiB_per_s=Decimal(2**20) / 10**9, GiB_per_s=Decimal(2**30) / 10**9,
    Mbit_per_s="0.000125", Gbit_per_s="0.125",
)  # fmt: skip
_AREA = _units(nm2="1e-6", um2=1, mm2=10**6)
_VOLTAGE = _units(uV="1e-6", mV="1e-3", V=1)
_CONDUCTANCE = _units(nS="1e-3", uS=1, mS=1000, S=10**6)
_RESISTANCE = _units(mohm="1e-3", ohm=1, kohm=1000, Mohm=10**6)
_CAPACITANCE = _units(aF="1e-3", fF=1, pF=1000, nF=10**6)
_TEMPERATURE = _units(C=1, degC=1)

Bytes = Annotated[int, _NUMERIC, Quantity("bytes", "144 KiB", _BYTE, is_whole=True)]
Bits = Annotated[int, _NUMERIC, Quantity("bits", "8 bit", _BIT, is_whole=True)]
Cycles = Annotated[int, _NUMERIC, Quantity("cycles", "10 cycles", _CYCLE, is_whole=True)]
Megahertz = Annotated[float, _POSITIVE, Quantity("MHz", "1.2 GHz", _CLOCK)]
Nanometres = Annotated[float, _POSITIVE, Quantity("nm", "28 nm", _LENGTH)]
Nanoseconds = Annotated[float, _FINITE, Quantity("ns", "2 ns", _TIME)]
Seconds = Annotated[float, _FINITE, Quantity("s", "1 day", _SPAN)]
Picojoules = Annotated[float, _FINITE, Quantity("pJ", "0.5 pJ", _ENERGY)]
Milliwatts = Annotated[float, _FINITE, Quantity("mW", "30 uW", _POWER)]
GigabytesPerSecond = Annotated[float, _FINITE, Quantity("GB/s", "12.8 GB/s", _RATE)]
SquareMicrometres = Annotated[float, _FINITE, Quantity("um2", "0.2 mm2", _AREA)]
Volts = Annotated[float, _SIGNED, Quantity("V", "300 mV", _VOLTAGE)]
Microsiemens = Annotated[float, _FINITE, Quantity("uS", "40 uS", _CONDUCTANCE)]
Ohms = Annotated[float, _FINITE, Quantity("ohm", "20 kohm", _RESISTANCE)]
Femtofarads = Annotated[float, _FINITE, Quantity("fF", "1.5 fF", _CAPACITANCE)]
Celsius = Annotated[float, _SIGNED, Quantity("degrees Celsius", "25 C", _TEMPERATURE)]
