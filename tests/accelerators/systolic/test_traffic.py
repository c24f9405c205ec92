"""DRAM traffic against a literal model: what must come at least, and what a buffer without any reuse would load."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from drawn import Done, chip, run, workload

SEEDS = 300


@dataclass(frozen=True)
class Layer:
    """A convolution and the chip it runs on; sizes of the buffers in bytes, all of them usable."""

    channels: int
    height: int
    width: int
    filters: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    groups: int
    timesteps: int
    order: int
    scope: str
    placement: str
    dataflow: str
    rows: int
    cols: int
    constant: bool
    bias: bool
    ifmap_bytes: int
    weight_bytes: int

    @property
    def batches(self) -> int:
        return -(-self.timesteps // self.order)

    @property
    def out(self) -> tuple[int, int]:
        reach = self.dilation * (self.kernel - 1) + 1
        return (
            (self.height + 2 * self.padding - reach) // self.stride + 1,
            (self.width + 2 * self.padding - reach) // self.stride + 1,
        )

    @property
    def reduction(self) -> int:
        return self.channels // self.groups * self.kernel**2

    @property
    def weight_bits(self) -> int:
        """8 bits for each weight, 16 for each bias."""
        return self.filters * (self.reduction * 8 + 16 * self.bias)

    def rows_of(self, y: int) -> set[int]:
        """Input rows that the windows of output row ``y`` touch."""
        first = y * self.stride - self.padding
        rows = (first + tap * self.dilation for tap in range(self.kernel))
        return {row for row in rows if 0 <= row < self.height}

    @property
    def ifmap_bits(self) -> int:
        """Every row that some window touches, whole, for every channel and (unless it is one image) timestep."""
        touched = set().union(*(self.rows_of(y) for y in range(self.out[0])))
        return len(touched) * self.row_bits

    @property
    def row_bits(self) -> int:
        """One row of all channels and timesteps: spikes, or one image of 8 bits."""
        return self.width * self.channels * (8 if self.constant else self.timesteps)

    @property
    def spanned_ifmap_bits(self) -> int:
        """All rows from the first to the last that a window spans: tiles are bands of neighbouring rows."""
        last = (self.out[0] - 1) * self.stride - self.padding + self.dilation * (self.kernel - 1)
        return (min(last, self.height - 1) + 1) * self.row_bits


def layer_of(seed: int) -> Layer:
    rng = np.random.default_rng(seed)

    def pick(*choices):  # type: ignore[no-untyped-def]
        return choices[int(rng.integers(len(choices)))]

    groups = pick(1, 1, 2)
    kernel = pick(1, 2, 3)
    padding, dilation = int(rng.integers(0, kernel)), pick(1, 1, 2, 3)
    timesteps = pick(1, 2, 3, 4)
    scope, dataflow = pick("layer", "tile", "network"), pick("os", "os", "ws", "is")
    order = pick(*(n for n in (1, 2, 3, 4) if n <= timesteps and (scope != "tile" or timesteps % n == 0)))
    rows, cols = pick(2, 3, 4, 8), pick(2, 4)
    if scope == "tile" and 1 < order < timesteps:
        rows, cols = 4, 4
    return Layer(
        channels=groups * int(rng.integers(1, 4)),
        height=int(rng.integers(dilation * (kernel - 1) + 1, 8)),
        width=int(rng.integers(dilation * (kernel - 1) + 1, 8)),
        filters=groups * int(rng.integers(1, 9)),
        kernel=kernel,
        stride=pick(1, 1, 2),
        padding=padding,
        dilation=dilation,
        groups=groups,
        timesteps=timesteps,
        order=order,
        scope=scope,
        placement=pick("rows", "in_pe") if dataflow == "os" and order > 1 else "rows",
        dataflow=dataflow,
        rows=rows,
        cols=cols,
        constant=bool(pick(True, False)),
        bias=bool(pick(True, False)),
        ifmap_bytes=pick(16, 64, 256, 65536),
        weight_bytes=pick(16, 64, 256, 65536),
    )


def executed(layer: Layer, bandwidth: float | str = "unlimited") -> Done:
    byte_lines = {"line": 1, "double_buffered": False}
    description = chip(
        array={"rows": layer.rows, "cols": layer.cols, "dataflow": layer.dataflow},
        timesteps={"scope": layer.scope, "order": {"batched": layer.order}, "placement": layer.placement},
        buffers={
            "ifmap": {"size": layer.ifmap_bytes, **byte_lines},
            "weight": {"size": layer.weight_bytes, **byte_lines},
            "ofmap": {"size": "64 KiB"},
            "membrane": {"size": "64 KiB"},
            "port_limited": False,
        },
        dram={"bandwidth": bandwidth},
    )
    conv = {
        "name": "conv",
        "type": "conv2d",
        "out_channels": layer.filters,
        "kernel": layer.kernel,
        "stride": layer.stride,
        "padding": layer.padding,
        "dilation": layer.dilation,
        "groups": layer.groups,
        "bias": layer.bias,
    }
    network = workload(
        {
            "name": "one layer",
            "timesteps": layer.timesteps,
            "input": {
                "shape": [layer.channels, layer.height, layer.width],
                "encoding": "direct" if layer.constant else "events",
            },
            "layers": [conv],
        }
    )
    return run(description, network, "fast")


def loaded(done: Done) -> tuple[int, int]:
    """Bits of weights and of inputs that came from DRAM (a weight is a whole number of the buffer's one-byte lines)."""
    weights = 8 * done.count("weight_buffer", "line_write")
    return weights, done.count("dram", "read_bit") - weights


def wrong(seed: int) -> list[str]:
    layer, found = layer_of(seed), []
    done = executed(layer)
    weights, inputs = loaded(done)
    if weights < layer.weight_bits:
        found.append(f"weights {weights} < compulsory {layer.weight_bits}")
    if inputs < layer.ifmap_bits:
        found.append(f"inputs {inputs} < compulsory {layer.ifmap_bits}")
    if layer.weight_bits <= 8 * layer.weight_bytes and weights != layer.weight_bits:
        found.append(f"weights fit and come {weights} for {layer.weight_bits}")
    if (
        layer.weight_bits > 8 * layer.weight_bytes
        and layer.scope == "network"
        and weights < layer.batches * layer.weight_bits
    ):
        found.append(f"weights do not fit and come {weights} in {layer.batches} batches of {layer.weight_bits}")
    if layer.spanned_ifmap_bits <= 8 * layer.ifmap_bytes:
        again = layer.batches if layer.constant and layer.scope == "network" else 1  # other layers come in between
        if not layer.ifmap_bits <= inputs <= again * layer.spanned_ifmap_bits:
            found.append(f"inputs fit and come {inputs} for {layer.ifmap_bits}..{layer.spanned_ifmap_bits}")
    outputs = layer.filters * layer.out[0] * layer.out[1] * layer.timesteps
    if done.count("dram", "write_bit") != outputs:
        found.append(f"stored {done.count('dram', 'write_bit')} bits of a map of {outputs}")
    timed = executed(layer, 1.0)
    if loaded(timed) != (weights, inputs):
        found.append("traffic depends on the bandwidth")
    return found


@pytest.mark.parametrize("block", range(6))
def test_traffic_is_at_least_compulsory_and_exactly_that_where_everything_fits(block: int) -> None:
    for seed in range(block, SEEDS, 6):
        assert wrong(seed) == [], (seed, layer_of(seed))
