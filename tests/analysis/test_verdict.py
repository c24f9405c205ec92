"""The verdict: words and numbers belong together, and nothing that limits the time goes unnamed."""

from __future__ import annotations

from dataclasses import replace

import pytest

import archsim
from archsim.analysis.verdict import verdict
from archsim.result import ComponentRow, PathRow, Result


@pytest.fixture(scope="module")
def result() -> Result:
    return archsim.simulate("sata", "cnn-mnist")


def part(name: str, level: str, dynamic: float, static: float) -> ComponentRow:
    return ComponentRow(name, level, dynamic + static, dynamic, static, 0.0, 1, "")


def energy(result: Result, *parts: ComponentRow) -> str:
    total = sum(one.energy_pj for one in parts)
    return verdict(replace(result, components=parts, energy_pj=total, critical_path=()))


def time(result: Result, *shares: tuple[str, str, int]) -> str:
    path = tuple(PathRow(unit, layer, "busy", cycles) for unit, layer, cycles in shares)
    return verdict(replace(result, components=(), critical_path=path, cycles=sum(cycles for *_, cycles in shares)))


def test_the_percentage_is_that_of_the_component_and_the_reason_its_larger_part(result: Result) -> None:
    dram, buffer = part("dram", "DRAM", 20e6, 35e6), part("weight_buffer", "global buffer", 5e6, 40e6)
    assert energy(result, dram, buffer) == "energy: dram costs most (55 % of 100 uJ, mostly background power)"
    dram = part("dram", "DRAM", 35e6, 20e6)
    assert energy(result, dram, buffer) == "energy: dram costs most (55 % of 100 uJ, mostly accesses)"
    buffer = part("weight_buffer", "global buffer", 1.0, 3.0)
    assert energy(result, buffer) == "energy: weight_buffer costs most (100 % of 4 pJ, mostly leakage)"
    adder = part("pe_adder", "compute", 3.0, 1.0)
    assert energy(result, adder) == "energy: pe_adder costs most (100 % of 4 pJ, mostly operations)"


def test_the_stated_share_is_in_the_tables(result: Result) -> None:
    (dram,) = [row for row in result.components if row.name == "dram"]
    assert f"dram costs most ({100 * dram.energy_pj / result.energy_pj:.0f} % of " in result.verdict


def test_every_unit_with_a_fifth_of_the_path_is_named_largest_first(result: Result) -> None:
    assert time(result, ("array", "a", 90), ("dram", "b", 10)) == (
        "time: the PE array is the bottleneck (90 % of the critical path, most of it in a)"
    )
    assert time(result, ("dram", "a", 15), ("array", "a", 60), ("dram", "b", 25)) == (
        "time: the PE array (60 % of the critical path, most of it in a) and DRAM (40 %, most of it in b)"
        " are the bottlenecks"
    )
    assert time(result, ("array", "a", 40), ("dram", "b", 20), ("neuron", "a", 21), ("vector", "a", 19)) == (
        "time: the PE array (40 % of the critical path, most of it in a), the neuron module (21 %, most of it in a)"
        " and DRAM (20 %, most of it in b) are the bottlenecks"
    )


def test_where_no_unit_has_a_fifth_the_largest_is_named(result: Result) -> None:
    shares = [(f"stage{number}", "a", 100 + (number == 4)) for number in range(9)]
    assert time(result, *shares).startswith("time: stage4 is the bottleneck (11 %")
