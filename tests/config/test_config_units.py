"""Quantities with units."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from archsim import config
from archsim.config import Bytes, Megahertz, Strict, Volts, parse_document, validate
from archsim.errors import ConfigError


class Everything(Strict):
    bytes: config.Bytes | None = None
    bits: config.Bits | None = None
    cycles: config.Cycles | None = None
    mhz: config.Megahertz | None = None
    nm: config.Nanometres | None = None
    ns: config.Nanoseconds | None = None
    pj: config.Picojoules | None = None
    mw: config.Milliwatts | None = None
    gbs: config.GigabytesPerSecond | None = None
    um2: config.SquareMicrometres | None = None
    v: config.Volts | None = None
    us: config.Microsiemens | None = None
    ohm: config.Ohms | None = None
    ff: config.Femtofarads | None = None
    c: config.Celsius | None = None
    s: config.Seconds | None = None


def read(text: str) -> Everything:
    return validate(Everything, parse_document(text, "my.yaml"))


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("bytes", "144 KiB", 147_456),
        ("bytes", "0.5 KiB", 512),
        ("bytes", "2kB", 2000),
        ("bytes", "1.5 MiB", 1_572_864),
        ("bytes", "7", 7),
        ("bytes", "0", 0),
        ("bits", "8 bit", 8),
        ("bits", "2 kbit", 2000),
        ("cycles", "10 cycles", 10),
        ("mhz", "400 MHz", 400.0),
        ("mhz", "1.2 GHz", 1200.0),
        ("mhz", "250 kHz", 0.25),
        ("mhz", "500", 500.0),
        ("nm", "28 nm", 28.0),
        ("nm", "0.18 um", 180.0),
        ("s", "1 day", 86_400.0),
        ("s", "2 years", 63_115_200.0),
        ("s", "90", 90.0),
        ("ns", "2 ns", 2.0),
        ("ns", "350 ps", 0.35),
        ("ns", "1 µs", 1000.0),
        ("ns", "1 μs", 1000.0),
        ("pj", "0.5 pJ", 0.5),
        ("pj", "0.1 nJ", 100.0),
        ("pj", "3.2e1 fJ", 0.032),
        ("mw", "30 uW", 0.03),
        ("gbs", "12.8 GB/s", 12.8),
        ("gbs", "25.6 Gbit/s", 3.2),
        ("gbs", "1 GiB/s", 1.073741824),
        ("um2", "0.2 mm²", 200_000.0),
        ("um2", "3 um^2", 3.0),
        ("v", "-300 mV", -0.3),
        ("us", "40 uS", 40.0),
        ("ohm", "20 kohm", 20_000.0),
        ("ff", "1.5 pF", 1500.0),
        ("c", "-25 C", -25.0),
    ],
)
def test_text_and_numbers_come_to_base_units(key: str, text: str, value: float) -> None:
    found = getattr(read(f"{key}: {text}"), key)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "bytes: 144 KB",
            "bytes: unknown unit (got '144 KB'; allowed: B, kB, KiB, MB, MiB, GB, GiB; did you mean 'KiB'?)",
        ),
        ("bytes: '144'", "bytes: text without a unit (got '144'; allowed: B, kB, KiB, MB, MiB, GB, GiB)"),
        ("bytes: 0.3 B", "bytes: must come to a whole number of bytes (got '0.3 B')"),
        ("bytes: 1e200 GiB", "bytes: must come to a whole number of bytes (got '1e200 GiB')"),
        ("mhz: 400 ns", "mhz: unknown unit (got '400 ns'; allowed: Hz, kHz, MHz, GHz)"),
        ("mhz: 0", "mhz: must be a number of MHz, above 0, or text such as '1.2 GHz' or null (got 0)"),
        ("mhz: 0 MHz", "mhz: must be a number of MHz, above 0, or text such as '1.2 GHz' or null (got '0 MHz')"),
        ("pj: -1", "pj: must be a number of pJ, at least 0, or text such as '0.5 pJ' or null (got -1)"),
        ("pj: cheap", "pj: must be a number of pJ, at least 0, or text such as '0.5 pJ' or null (got 'cheap')"),
        ("pj: true", "pj: must be a number of pJ, at least 0, or text such as '0.5 pJ' or null (got True)"),
        ("pj: .inf", "pj: must be a finite number (got inf)"),
        ("v: .nan", "v: must be a finite number (got nan)"),
        ("pj: 9e999 pJ", "pj: must be a finite number (got '9e999 pJ')"),
        ("bits: 8.0", "bits: must be a whole number of bits, at least 0, or text such as '8 bit' or null (got 8.0)"),
    ],
)
def test_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert [str(problem) for problem in caught.value.problems] == [f"my.yaml:1: {expected}"]


def test_fields_narrow_a_quantity() -> None:
    class Buffer(Strict):
        size_bytes: Annotated[Bytes, Field(gt=0)]
        line_bytes: Bytes = Field(16, ge=4, le=64)
        voltage_v: Volts = Field(1.0, lt=2)
        clock_mhz: Megahertz | None = None

    with pytest.raises(ConfigError) as caught:
        validate(Buffer, parse_document("size_bytes: 0 B\nline_bytes: 1 KiB\nvoltage_v: 3\n", "my.yaml"))
    assert [str(problem) for problem in caught.value.problems] == [
        "my.yaml:1: size_bytes: must be a whole number of bytes, at least 1, or text such as '144 KiB' (got '0 B')",
        "my.yaml:2: line_bytes: must be a whole number of bytes, from 4 to 64, or text such as '144 KiB' (got '1 KiB')",
        "my.yaml:3: voltage_v: must be a number of V, below 2, or text such as '300 mV' (got 3)",
    ]
    assert validate(Buffer, parse_document("size_bytes: 1 KiB", "my.yaml")).size_bytes == 1024


@given(st.decimals(0, 10**6, places=3), st.sampled_from(["fJ", "pJ", "nJ"]))
def test_a_unit_is_the_number_times_its_factor(number: Any, unit: str) -> None:
    thousandths = {"fJ": 1, "pJ": 1000, "nJ": 1_000_000}[unit] * int(number * 1000)
    assert read(f"pj: {number} {unit}").pj == thousandths / 1_000_000


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    document = parse_document("bytes: x", "my.yaml")
    document.data["bytes"] = text
    try:
        found = validate(Everything, document).bytes
    except ConfigError:
        return
    assert isinstance(found, int)
