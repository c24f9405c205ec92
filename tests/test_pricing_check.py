"""Chips that cannot be priced are refused when they are loaded, in the words of their own files."""

from __future__ import annotations

from pathlib import Path

import pytest

import archsim
from archsim.accelerators import load_architecture
from archsim.config import names
from archsim.cost.component import Component
from archsim.cost.table import load_costs
from archsim.errors import ArchsimError, CostError
from archsim.pricing_check import bank_bounds, readable_bytes, unpriceable


def problems_of(file: Path, *replacements: tuple[str, str]) -> list[str]:
    text = archsim.preset_text("sata")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    with pytest.raises(ArchsimError) as caught:
        archsim.check(file)
    found = [str(problem) for problem in caught.value.problems]
    with pytest.raises(ArchsimError) as caught:
        archsim.simulate(file, "cnn-mnist")
    assert [str(problem) for problem in caught.value.problems] == found
    return [text.removeprefix(str(file)) for text in found]


def line_of(file: Path, part: str) -> int:
    return next(at for at, line in enumerate(file.read_text().splitlines(), 1) if part in line)


def test_a_size_outside_the_table_is_told_with_the_users_key_value_and_bounds(tmp_path: Path) -> None:
    file = tmp_path / "chip.yaml"
    weight, ifmap = ("size: 144 KiB, line: 32 B, banks: 2", "ifmap: {size: 32 KiB")
    small, large = problems_of(
        file, (weight, "size: 100 B, line: 32 B, banks: 2"), (ifmap, "ifmap: {size: 33554432")
    )[::-1]  # fmt: skip
    assert small == (
        f":{line_of(file, 'weight: {size')}: buffers.weight.size: 50 B per bank are less than the SRAM table has"
        " (got '100 B'; allowed: 2 KiB to 4 MiB in 2 banks, at 28 nm)"
    )
    assert large == (
        f":{line_of(file, 'ifmap: {size')}: buffers.ifmap.size: 16 MiB per bank are more than the SRAM table has"
        " (got 33554432; allowed: 2 KiB to 4 MiB in 2 banks, or buffers.ifmap.banks=16, at 28 nm)"
    )


def test_a_node_outside_the_table_is_told_once(tmp_path: Path) -> None:
    file = tmp_path / "chip.yaml"
    (text,) = problems_of(file, ("node: 28 nm", "node: 3 nm"))
    assert text.startswith(f":{line_of(file, 'node: 3')}: node: ")
    assert "(got '3 nm'; allowed: 7 to 180 nm)" in text


def test_of_an_override_the_override_is_blamed() -> None:
    with pytest.raises(ArchsimError) as caught:
        archsim.simulate("sata", "cnn-mnist", overrides=["buffers.ofmap.banks=64", "node=200"])
    found = [str(problem) for problem in caught.value.problems]
    assert any(text.startswith("sata (preset):") and "buffers.ofmap.size: 512 B per bank" in text for text in found)
    assert sum(text.startswith("--set: node: ") for text in found) == 1
    assert len(found) == 2


@pytest.mark.parametrize("name", names("arch"))
def test_presets_can_be_priced(name: str) -> None:
    assert unpriceable(load_architecture(name), load_costs()) == []


@pytest.mark.parametrize("node_nm", [28.0, 40.0, 90.0, 14.0])
def test_the_stated_bounds_are_those_of_the_prices(node_nm: float) -> None:
    table = load_costs()
    low, high = bank_bounds(table, "itrs-lop", node_nm)
    for size, fits in ((low, True), (high, True), (low - 1, False), (high + 1, False)):
        part = Component("buffer", "sram", "global buffer", {"bytes": 3 * size, "banks": 3, "line_bytes": 32})
        if fits:
            assert table.cost_of(part, node_nm).energy_pj["line_read"].value > 0
        else:
            with pytest.raises(CostError):
                table.cost_of(part, node_nm)


def test_readable_sizes() -> None:
    sizes = (1, 100, 1024, 144 * 1024, 1536, 32 * 2**20, 3 * 2**30)
    assert [readable_bytes(size) for size in sizes] == [
        "1 B", "100 B", "1 KiB", "144 KiB", "1.5 KiB", "32 MiB", "3 GiB",
    ]  # fmt: skip


@pytest.mark.parametrize("name", names("arch"))
def test_the_keys_of_memories_are_keys_of_the_chip(name: str) -> None:
    architecture = load_architecture(name)
    assert architecture.family.memories is not None
    for component, keys in architecture.family.memories(architecture.chip):
        for attribute, dotted in keys.items():
            value = architecture.chip
            for key in dotted.split("."):
                value = getattr(value, key)
            assert value == component.attributes[attribute]
