"""Readable figures."""

from __future__ import annotations

import pytest

from archsim.report.units import (
    AREA,
    CYCLES,
    ENERGY,
    TIME,
    percent,
    printed,
    readable,
    scale_for,
    signed,
    significant,
    whole,
)


@pytest.mark.parametrize(
    ("value", "ladder", "text"),
    [
        (46_776_959.7, ENERGY, "46.8 uJ"),
        (999.4, ENERGY, "999 pJ"),
        (1000, ENERGY, "1.00 nJ"),
        (0.02, ENERGY, "20.0 fJ"),
        (0, ENERGY, "0 pJ"),
        (2.9e10, ENERGY, "29.0 mJ"),
        (275_660, TIME, "276 us"),
        (922_392, AREA, "0.922 mm2"),
        (9_999, AREA, "9,999 um2"),
    ],
)
def test_units_that_suit(value: float, ladder, text: str) -> None:
    assert readable(value, ladder) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.04123, "0.0412"), (4.123, "4.12"), (41.23, "41.2"), (412.3, "412"), (4123, "4,123"),
     (-4.123, "-4.12"), (1.234e9, "1.23e+09"), (3.4e-6, "3.4e-06"), (99.96, "100.0")],
)  # fmt: skip
def test_three_digits(value: float, text: str) -> None:
    assert significant(value) == text


def test_one_unit_for_a_column_and_signs() -> None:
    scale = scale_for([3.0, -2e6, 5e5], ENERGY)
    assert (scale.unit, scale(5e5), scale.printed_unit) == ("uJ", 0.5, "µJ")
    assert scale_for([], CYCLES).unit == "cycles"
    assert printed(922_392, AREA) == "0.922 mm²"
    assert (signed(1.0), signed(-1.0), signed(0.0)) == ("+1.00", "-1.00", "0")
    assert (whole(3.0), whole(1234.5), whole(12345)) == ("3", "1,234.5", "12,345")


def test_shares() -> None:
    assert [percent(1, 3), percent(0, 3), percent(1, 10_000), percent(1, 0)] == ["33.3 %", "0.0 %", "< 0.1 %", "-"]
