"""The DRAM channel: its description, and the unit on which loads and stores of all operands compete."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from archsim.config import Bytes, GigabytesPerSecond, Nanoseconds, Strict
from archsim.cost.component import Component
from archsim.errors import ConfigError, Problem
from archsim.taskgraph import MOST_CYCLES, GraphBuilder, Span

Ints = NDArray[np.int64]
Positive = Annotated[int, Field(ge=1, le=MOST_CYCLES)]


class Dram(Strict):
    """The DRAM channel."""

    bandwidth: GigabytesPerSecond | Literal["unlimited"] = Field(
        description="GB/s, or unlimited: never stalls the chip"
    )
    latency: Annotated[Nanoseconds, Field(ge=0)] = Field(
        0.0, description="from the end of a burst until its data is usable"
    )
    row: Annotated[Bytes, Field(ge=1)] = Field(
        2048, description="bytes of one DRAM row: one activation for each that a transfer touches"
    )
    devices: Positive = Field(1, description="DRAM devices on the channel; each draws background power")

    @model_validator(mode="after")
    def _positive(self) -> Dram:
        if self.bandwidth != "unlimited" and self.bandwidth <= 0:
            text, allowed = "must be more than 0", "a positive number of GB/s, or unlimited"
            raise ConfigError(Problem(text, key="bandwidth", value=self.bandwidth, allowed=allowed))
        return self

    def bits_per_cycle(self, clock_mhz: float) -> float | None:
        """Bits that the channel moves per cycle of the chip; None when its bandwidth is unlimited."""
        return None if self.bandwidth == "unlimited" else float(self.bandwidth) * 8e9 / (clock_mhz * 1e6)

    def latency_cycles(self, clock_mhz: float) -> int:
        """Latency, rounded up to cycles of the chip."""
        cycles = -(-float(self.latency) * clock_mhz // 1000)
        return int(min(cycles, MOST_CYCLES + 1))  # the builder refuses what is longer

    @property
    def component(self) -> Component:
        """The devices as a part with a price."""
        sizes = {"row_bytes": int(self.row), "devices": self.devices}
        return Component("dram", "dram", "DRAM", sizes, on_chip=False, description="off-chip memory")


class DramChannel:
    """Makes DRAM tasks for one layer, and counts what transfers move.

    A transfer of ``n`` bits holds the channel for ``ceil(n / bits per cycle)`` cycles and its data is there ``latency``
    cycles later. It opens ``ceil(n / row bits)`` rows. A channel of unlimited bandwidth has no tasks (``timed`` is
    false).
    """

    def __init__(self, builder: GraphBuilder, dram: Dram, clock_mhz: float, layer: int) -> None:
        self._builder, self._layer = builder, layer
        self._rate, self._latency_cycles = dram.bits_per_cycle(clock_mhz), dram.latency_cycles(clock_mhz)
        self._row_bits = int(dram.row) * 8

    @property
    def timed(self) -> bool:
        """Whether transfers take time."""
        return self._rate is not None

    def tasks(self, bits: Ints, timestep: Ints | int, at_least: Ints | int = 1) -> Span:
        """One task for each transfer, of so many cycles at least where something else moves the bits on."""
        assert self._rate is not None
        cycles = np.minimum(bits / self._rate, MOST_CYCLES + 1)  # the builder refuses what is longer
        duration = np.maximum(np.ceil(cycles).astype(np.int64), np.maximum(at_least, 1))
        return self._builder.block(
            len(bits), layer=self._layer, unit=self._builder.unit("dram", "fifo"), duration=duration,
            latency=self._latency_cycles, timestep=timestep,
        )  # fmt: skip

    def count(self, span: Span, way: str, bits: Ints) -> None:
        """Count the bits that each task of a span reads or writes, and the rows opened for them."""
        self._builder.count("dram", f"{way}_bit", span, bits)
        self._builder.count("dram", "activate", span, self.rows(bits))

    def rows(self, bits: Ints) -> Ints:
        """Rows opened for transfers of so many bits."""
        return -(-bits // self._row_bits)
