"""The on-chip memories of a systolic chip's description: its global buffers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from archsim.accelerators.systolic.nest import Room
from archsim.config import Bytes, Strict
from archsim.taskgraph import MOST_CYCLES

Positive = Annotated[int, Field(ge=1, le=MOST_CYCLES)]


class Sram(Strict):
    """One on-chip memory, all of which may be in use."""

    size: Annotated[Bytes, Field(ge=1)] = Field(description="total bytes, all banks and both halves")
    line: Annotated[Bytes, Field(ge=1, le=128)] = Field(32, description="bytes read or written in one access")
    banks: Positive = Field(1, description="banks; each gives one line per cycle")

    @property
    def size_bits(self) -> int:
        """Capacity in bits."""
        return int(self.size) * 8

    @property
    def line_bits(self) -> int:
        """Bits of one access."""
        return int(self.line) * 8


class GlobalBuffer(Sram):
    """One on-chip memory between DRAM and the array."""

    double_buffered: bool = Field(True, description="half of it holds what is in use, the other half what comes next")

    @property
    def usable_bits(self) -> int:
        """What may stay resident while the next tile comes in."""
        return self.size_bits // 2 if self.double_buffered else self.size_bits

    @property
    def room(self) -> Room:
        """What may stay resident: half of a double buffer, or all of it if nothing else has to come in."""
        return Room(self.usable_bits, self.size_bits)


class Buffers(Strict):
    """The global buffers."""

    ifmap: GlobalBuffer = Field(description="for input maps")
    weight: GlobalBuffer = Field(description="for weights")
    ofmap: GlobalBuffer = Field(description="for output maps and partial sums")
    membrane: Sram | None = Field(
        None, description="needed by neuron.membrane.home: sram; states are updated in place, in all of it"
    )
    port_limited: bool = Field(True, description="a pass lasts at least as long as its busiest buffer port")
