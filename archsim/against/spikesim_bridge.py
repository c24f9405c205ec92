"""From the parts of SpikeSim's energy and area to the parts of archsim's, one named difference at a time.

Every component of the result is taken by exactly one bar, and one that no bar names takes a bar of its own; so the bars
sum to the difference of the totals by construction. Leakage, of which SpikeSim has none, is cut by the levels of the
chip, for all components that the bars name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from archsim.peers import spikesim
from archsim.peers.spikesim_refusals import cell_of
from archsim.peers.waterfall import Given

if TYPE_CHECKING:
    from archsim.peers.spikesim import Area, Energy, SpikeSimConfig, SpikeSimLayer
    from archsim.result import ComponentRow, Result


@dataclass(frozen=True)
class _Part:
    """One bar: archsim's components (by name, ``*`` for any ending) against parts of SpikeSim."""

    name: str
    explanation: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...] = ()


CELLS, ADC = "cells", "adc"
_MEMBRANE = ("neuron_membrane*", "membrane_buffer*")
_NOC = _Part(
    "NoC: spikes and partial sums between tiles", "the peer has no network between tiles", ("router*", "link*")
)
_VECTOR = _Part("pools and residual adds", "the peer has none", ("vector_*",))
_DRAM = _Part("DRAM", "the peer has none", ("dram",))
_ENCODER = _Part("input encoder", "the peer has none", ("encoder_*",))
_DRIVERS = _Part("word-line drivers", "the peer's rows need none", ("wordline_driver",))
_BEYOND = (_VECTOR, _DRAM, _ENCODER)

ENERGY_PARTS = (
    _Part(
        "cells: the rows that spikes select",
        "archsim's cells conduct with their device's conductances, in every crossbar that holds a weight; the peer has"
        " one figure per crossbar and mux phase",
        (CELLS,), ("crossbar",),
    ),
    _DRIVERS,
    _Part("column muxes", "archsim switches a mux per conversion; the peer per phase of every PE", ("column_mux",),
          ("mux",)),
    _Part(
        "digital sums of signs and bit slices",
        "archsim shifts, adds and subtracts every converted column; the peer's subtractors take 1.15 aJ",
        ("popcount", "shift_add", "subtractor"), ("sub",),
    ),
    _Part(
        "partial sums",
        "archsim adds them in accumulators of PEs and tiles; the peer has a buffer of 0.2 pJ per ADC and PE cycle",
        ("pe_accumulator", "tile_accumulator"), ("temp_buffer",),
    ),
    _Part(
        "input buffer: the bits that are fetched",
        "archsim bills the lines of the window; the peer 397 pJ tile buffer and 4.64 pJ fetch per PE cycle,"
        " whatever moves",
        ("input_buffer*",), ("tile_buffer", "mem_fetch"),
    ),
    _Part(
        "H-tree: the bits that are moved",
        "archsim bills bits over its wires; the peer 157.12 pJ per PE cycle, for any number of PEs",
        ("htree*", "bus*"), ("htree",),
    ),
    _NOC,
    _Part("membranes: reads and writes", "archsim bills memory lines per update; the peer only an area", _MEMBRANE),
    _Part(
        "neuron updates",
        "archsim adds, leaks, compares and resets once per neuron and timestep; the peer bills 5.096 pJ per PE cycle",
        ("neuron_*",), ("neuron",),
    ),
    *_BEYOND,
)  # fmt: skip

AREA_PARTS = (
    _DRIVERS,
    _Part("column muxes", "archsim's muxes of every crossbar or PE against the peer's 45.9 um2 each", ("column_mux",),
          ("mux",)),
    _Part(
        "digital sums of signs and bit slices",
        "archsim has adders behind the converters; the peer a subtractor of 13,411 um2 per 8 columns of a tile",
        ("popcount", "shift_add", "subtractor"), ("sub",),
    ),
    _Part("accumulators", "archsim's accumulators of PEs and tiles against the peer's buffer of 485 um2 per tile",
          ("pe_accumulator", "tile_accumulator"), ("temp_buffer",)),
    _Part(
        "input buffers",
        "archsim's hold the rows that a window needs; the peer's every element of every map, and 8 Kibit per tile",
        ("input_buffer*",), ("input_memory", "tile_buffer"),
    ),
    _Part("H-trees", "archsim's wires and adders by their number; the peer's 433,660 um2 per tile", ("htree*", "bus*"),
          ("htree",)),
    _NOC,
    _Part("membrane memory", "banks, lines and periphery instead of 0.7391 um2 per bit", _MEMBRANE,
          ("neuron_memory",)),
    _Part("neuron units", "the peer's neurons have a memory but no circuits", ("neuron_*",)),
    *_BEYOND,
)  # fmt: skip


class _Shares:
    """archsim's figures by component; what is taken is gone."""

    def __init__(self, figures: dict[str, float]) -> None:
        self.left = figures

    def take(self, *patterns: str) -> float:
        """Sum of the components whose names match."""
        names = [name for name in self.left if any(fnmatchcase(name, pattern) for pattern in patterns)]
        return sum(self.left.pop(name) for name in names)


def energy_bars(result: Result, peer: Energy, timesteps: int, config: SpikeSimConfig) -> list[Given]:
    """The bars in pJ from ``peer``, SpikeSim under ``config``, to ``result``; bars worth nothing are left out."""
    theirs = peer.components_pj()
    conversions = sum(layer.pe_cycles for layer in peer.layers) * timesteps * config.phases * config.adcs
    leaking = {row.name: row.static_pj for row in result.components if _is_named(row)}
    shares = _Shares({row.name: row.energy_pj - leaking.get(row.name, 0.0) for row in result.components})
    executed = result.count(ADC, "convert") or result.count("column_mux", "select")  # where an ADC decides bit by bit
    bars = [
        *_by_number(
            ("ADC: conversions", "ADC: energy of a conversion"),
            "columns of both signs and all slices, in every bit plane, of the crossbars that are not silent",
            executed, conversions, config.constants.adc_pj, shares.take(ADC) - theirs["adc"],
        ),
        *_bars(shares, theirs, ENERGY_PARTS),
        *_leakage([row for row in result.components if row.name in leaking]),
        *_strangers(shares, result),
    ]  # fmt: skip
    return [bar for bar in bars if bar.difference]


def area_bars(
    result: Result, peer: Area, layers: Sequence[SpikeSimLayer], config: SpikeSimConfig
) -> list[Given]:  # fmt: skip
    """The bars in um2 from ``peer``, SpikeSim under ``config``, to ``result``; bars worth nothing are left out."""
    theirs, built = peer.components_um2, {row.name: row.instances for row in result.components}
    shares = _Shares({row.name: row.area_um2 for row in result.components})
    crossbar_um2 = cell_of(config).area_um2 * config.crossbar_scale
    slots = spikesim.tiles(layers, config).tiles * config.pes_per_tile
    bars = [
        *_by_number(
            ("crossbars: their number", "crossbars: area of each"), "signs and bit slices take columns",
            built.get(CELLS, 0), theirs["crossbar"] / crossbar_um2, crossbar_um2,
            shares.take(CELLS) - theirs["crossbar"],
        ),
        *_by_number(
            ("ADCs: their number", "ADCs: area of each"), "of every crossbar or PE that the chip builds",
            built.get(ADC, 0), slots * config.adcs, config.constants.adc_um2, shares.take(ADC) - theirs["adc"],
        ),
        *_bars(shares, theirs, AREA_PARTS),
        *_strangers(shares, result),
    ]  # fmt: skip
    return [bar for bar in bars if bar.difference]


def _by_number(
    names: tuple[str, str], why: str, ours: float, theirs: float, price: float, difference: float
) -> Iterator[Given]:
    """More or fewer things at the peer's price, then the price; one bar if archsim does not say how many."""
    if not ours:
        yield Given(names[0], why, difference)
        return
    more = (ours - theirs) * price
    yield Given(names[0], f"{ours:,.0f} instead of the peer's {theirs:,.0f}: {why}", more)
    yield Given(names[1], "the cost table's figure instead of the peer's constant", difference - more)


def _bars(shares: _Shares, theirs: dict[str, float], parts: Sequence[_Part]) -> Iterator[Given]:
    for part in parts:
        yield Given(part.name, part.explanation, shares.take(*part.ours) - sum(theirs[name] for name in part.theirs))


def _leakage(parts: Sequence[ComponentRow]) -> Iterator[Given]:
    """Leakage over the executed time, a bar for each level of the chip."""
    levels: dict[str, list[ComponentRow]] = {}
    for row in parts:
        levels.setdefault(row.level, []).append(row)
    for level, rows in levels.items():
        most = max(rows, key=lambda row: row.static_pj)
        why = f"over the executed time, most of it of {most.name}; the peer has none"
        yield Given(f"leakage: {level}", why, sum(row.static_pj for row in rows))


def _strangers(shares: _Shares, result: Result) -> Iterator[Given]:
    """A bar for each component that no part names."""
    for row in result.components:
        if row.name in shares.left:
            text = row.description or f"a part of the {row.level}"
            yield Given(f"component {row.name}", f"{text}; the peer has none", shares.left[row.name])


def _is_named(row: ComponentRow) -> bool:
    """Whether a bar of the energy names the component."""
    patterns = (ADC, *(pattern for part in ENERGY_PARTS for pattern in part.ours))
    return any(fnmatchcase(row.name, pattern) for pattern in patterns)
