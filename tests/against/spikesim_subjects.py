"""A crossbar chip with SpikeSim's own sizes, its network, and results to compare, made by hand."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from archsim.accelerators import Architecture, Family
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.against import peers_of
from archsim.config import Document, parse_document, validate
from archsim.report.tables import print_result
from archsim.result import ComponentRow, CountRow, LayerRow, PathRow, Result
from archsim.workload import Workload, load_workload

GOLDEN = Path(__file__).parent.parent / "golden"
SPLIT = json.loads((GOLDEN / "spikesim_breakdown.json").read_text())
GRID = json.loads((GOLDEN / "spikesim_grid.json").read_text())
RUNS = [dict(zip(GRID["columns"], run, strict=True)) for run in GRID["runs"]]
WAYS = ("waterfall", "area_waterfall", "latency_waterfall")
DEVICES = {"rram": "rram-spikesim", "sram": "sram-65nm"}
ONE_PE = SPLIT["pe_cycle_energy_pj"]["x64_rram"]
AREA = SPLIT["area_vgg9_x64_rram_ppt8_um2"]
TILES_UM2 = SPLIT["area_total"] - AREA["input_mem"] - AREA["neuron_mem_first5"]
BIT = 0.7391
KNOWN = (
    "cells", "wordline_driver", "column_mux", "adc", "popcount", "shift_add", "subtractor", "pe_accumulator",
    "tile_accumulator", "input_buffer", "htree", "bus", "router", "link", "neuron_adder", "neuron_comparator",
    "neuron_threshold", "neuron_leak", "neuron_reset", "neuron_membrane", "membrane_buffer", "vector_adder",
    "vector_or", "vector_comparator", "dram", "encoder_comparator",
)  # fmt: skip
CHIP = """
family: crossbar
name: flow
clock: 250
crossbar: {rows: 64, cols: 64, device: rram-spikesim, signed: differential, read: 8 ns}
adc: {bits: 4, conversion: 4 ns, share: pe, analog_sum: true}
tile: {side: 300 um}
"""


def no_lowering(*_: object) -> Any:
    raise AssertionError("a peer executes nothing")


def pcm() -> Architecture:
    """The chip with a device that SpikeSim does not know (nor archsim what it costs: none of the presets is priced)."""
    own = chip()
    crossbar = own.chip.crossbar.model_copy(update={"device": "pcm-joshi2020"})
    return replace(own, chip=own.chip.model_copy(update={"crossbar": crossbar}))


def chip(**sections: dict[str, Any]) -> Architecture:
    """SpikeSim's own chip, with some keys of some sections changed."""
    data = parse_document(CHIP, "flow").data
    for name, keys in sections.items():
        data[name] = {**data.get(name, {}), **keys}
    document = Document(data, "flow", {}, None)
    family = Family("crossbar", CrossbarArchitecture, no_lowering)
    return Architecture(family, validate(CrossbarArchitecture, document), document)


@cache
def vgg9(timesteps: int = 5) -> Workload:
    return load_workload("vgg9-cifar10", [f"timesteps={timesteps}"])


def part(name: str, energy: float = 0.0, static: float = 0.0, area: float = 0.0, instances: int = 1) -> ComponentRow:
    return ComponentRow(name, "compute", energy, energy - static, static, area, instances, "made up")


def result(
    parts: Sequence[ComponentRow] = (), latency_ns: float = 1e6, path: Sequence[PathRow] = (), conversions: float = 0,
    counted: tuple[str, str] = ("adc", "convert"),
) -> Result:  # fmt: skip
    """A result that holds what a peer's answer reads; its totals are those of its parts."""
    counts = (CountRow("conv1", 0, *counted, conversions, 0.0, "compute"),) if conversions else ()
    layers = tuple(
        LayerRow(f"conv{k}", "conv2d", 10, 20, 5.0, 5.0, 0.0, 1, 1, 1.0, 1.0 if k == 1 else 0.25, 1, 1.0, 1)
        for k in range(1, 8)
    )
    energy = math.fsum(one.energy_pj for one in parts)
    return Result(
        arch="flow", workload="vgg9", engine="des", samples=(0,), timesteps=5, tasks=1, clock_mhz=250.0, node_nm=65.0,
        cycles=latency_ns / 4, latency_ns=latency_ns, energy_pj=energy, dynamic_pj=energy, static_pj=0.0,
        area_um2=math.fsum(one.area_um2 for one in parts), peak_power_mw=1.0, throughput_per_s=None,
        interval_cycles=None, throughput_note="", synthetic=True, layers=layers, components=tuple(parts), counts=counts,
        units=(), critical_path=tuple(path), assumptions=(), verdict="made up",
    )  # fmt: skip


@cache
def full() -> Result:
    """Every component that the family has, one that nobody knows, and a critical path."""
    parts = [part(name, 1e5 * k + k, 10.0 * k, 1e4 * k, 5 * k) for k, name in enumerate((*KNOWN, "laser"), 1)]
    path = [
        PathRow("conv1.read.0", "conv1", "busy", 129_000), PathRow("a.b.neurons.1", "conv2", "busy", 30_000),
        PathRow("conv1.adc.0", "conv1", "busy", 70_000), PathRow("conv1.fetch.0", "conv1", "busy", 1_000),
        PathRow("port.3", "conv2", "busy", 15_000), PathRow("port.3", "conv2", "latency", 5_000),
    ]  # fmt: skip
    return result(parts, latency_ns=1e6, path=path, conversions=1e6)


def ask(text: str, architecture: Architecture, workload: Workload, found: Result) -> dict[str, Any]:
    (peer,) = peers_of([text])
    return peer.answer(architecture, workload, found)


def exactly(value: Any) -> Any:
    return pytest.approx(value, rel=1e-12, abs=0)


def rows(found: dict[str, Any], way: str = "waterfall") -> dict[str, float]:
    return {row["name"]: row["difference"] for row in found[way]["rows"]}


def network(tmp_path: Path, *layers: str, shape: str = "[64, 8, 8]") -> Workload:
    text = f"name: net\ntimesteps: 2\ninput: {{shape: {shape}, encoding: rate}}\nlayers:\n"
    text += "".join(f"  - {{{layer}}}\n" for layer in layers) + "activity: {density: 0.1}\n"
    path = tmp_path / "net.yaml"
    path.write_text(text)
    return load_workload(path)


def printed(found: Result, width: int = 118) -> str:
    stream = io.StringIO()
    print_result(found, Console(file=stream, width=width, markup=False, highlight=False))
    return stream.getvalue()
