"""A weighted layer as its crossbars execute it, timestep by timestep.

What leaves is ``round(gain * sums) + bias``: whole numbers in the unit of the layer's currents, as the accumulators
hold them (taken as wide enough); ``sums`` are those of :mod:`archsim.fabricated.bank`. An image is the same at every
timestep, and so is what is read of it, unless reads are noisy and it is read anew (``first_layer: repeat``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators import spikes
from archsim.accelerators.crossbar.mapping import Placement
from archsim.accelerators.crossbar.noc import replica_rows
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.errors import Problem, UnsupportedError
from archsim.fabricated.bank import Bank, Watcher
from archsim.fabricated.cells import Cells, Programmer
from archsim.fabricated.codes import Codes, inverted, levels_of
from archsim.fabricated.converters import Quantiser, drawn
from archsim.fabricated.encoding import compensated
from archsim.fabricated.reading import reads_of
from archsim.snn.operators import Operator, with_bias
from archsim.workload import Layer

Array = NDArray[Any]
Floats = NDArray[np.float64]
AT_ONCE = 1 << 21
"""Values of unfolded windows that are handled together."""
NOISE = 1 << 21
"""Tells draws of reads from those of cells and converters."""


class Written(NamedTuple):
    """What cells were told to hold: ``levels`` [X, R, C], complements [groups, outputs], and the weights' scale."""

    levels: Codes
    flipped: NDArray[np.bool_]
    scale: float


class CrossbarLayer:
    """The operator of one layer on the chip of a number; ``exact``: what ideal crossbars do, bias apart.

    ``gain`` [outputs or 1, 1, 1] multiplies its sums; ``quantiser`` is what its converters do, None: nothing;
    ``watcher`` is called with the layer, its input and the numbers before these are read.
    """

    def __init__(
        self, arch: CrossbarArchitecture, placement: Placement, number: int, exact: Operator, bias: Array | None,
        timesteps: int,
    ) -> None:  # fmt: skip
        self.arch, self.placement, self.layer, self.number = arch, placement, placement.layer, number
        self.exact, self.bias, self.timesteps = exact, bias, timesteps
        self.programmer = Programmer(arch, placement, number)
        self.gain: Floats = np.ones((1, 1, 1))
        self.quantiser: Quantiser | None = None
        self.watcher: Callable[[CrossbarLayer, Array, Array], None] | None = None
        self.written: Written
        self.cells: Cells
        self.banks: dict[tuple[int, int], Bank]
        bands = replica_rows(self.layer, placement.replicas)
        self.bands = [slice(band.start * self._width, band.stop * self._width) for band in bands]

    def program(self, weights: Array, solve: bool = True) -> None:
        """Write whole ``weights`` [out, in / groups, ...] into the cells.

        Without ``solve`` the wires are taken to pass on the same share of every current as before.
        """
        groups = weights.reshape(self.layer.groups, self.layer.filters, -1)
        programmer, encoding = self.programmer, self.arch.mapping.encoding
        flipped, scale = inverted(programmer.scheme, groups) & (encoding == "complement"), 1.0
        if encoding == "compensated":
            groups, scale = compensated(programmer, groups)
        self.write(Written(levels_of(self.placement, groups, programmer.shape, flipped), flipped, scale), solve)

    def write(self, written: Written, solve: bool = True) -> None:
        """Program the cells to these levels."""
        programmer, flipped = self.programmer, written.flipped
        self.written = written
        self.cells = programmer.program(written.levels, None if solve else self.cells)
        mismatch = drawn(self.arch, self.placement, self.number, programmer.shape[1])
        self.banks = {
            key: Bank(self.arch, self.cells, reads, self.layer.in_bits, self.layer.reduction)
            for key, reads in reads_of(self.arch, self.cells, flipped, mismatch).items()
        }

    def __call__(self, operands: Sequence[Array]) -> Array:
        """Currents [B, T or 1, C, H, W] of inputs numbered from 0."""
        return self.numbered(operands, np.arange(len(operands[0])))

    def numbered(self, operands: Sequence[Array], numbers: Array) -> Array:
        """Currents of inputs of these numbers, from which read noise is drawn."""
        values = self.read_values(operands[0])
        if self.watcher is not None:
            self.watcher(self, values, numbers)
        if self.quantiser is None and not self.arch.adc.ideal:
            text = f"the converters of layer '{self.layer.name}' have no range yet; calibrate it with a few inputs"
            raise UnsupportedError(Problem(text, key="adc.range", value="calibrated"))
        sums = self.sums(values, numbers)
        return with_bias(np.rint(sums * (self.gain / self.scale)), self.bias)

    def read_values(self, values: Array) -> Array:
        """What is read: at every timestep anew, where that makes a difference."""
        if values.shape[1] > 1 or not self.noisy or self.arch.first_layer == "once":
            return values
        return np.broadcast_to(values, (len(values), self.timesteps, *values.shape[2:]))

    def sums(self, values: Array, numbers: Array, watch: Watcher | None = None) -> Floats:
        """What the digital side has before it is scaled, [B, T or 1, C, H, W]."""
        layer = self.layer
        found = np.zeros((*values.shape[:2], layer.groups, layer.filters, layer.positions))
        of_one = values.shape[1] * layer.groups * layer.positions * layer.reduction
        each = 1 if self.noisy else max(1, AT_ONCE // of_one)
        for first in range(0, len(values), each):
            rng = self._draws(int(numbers[first])) if self.noisy else None
            windows = unfolded(values[first : first + each], layer)
            for (replica, group), bank in self.banks.items():
                band = self.bands[replica]
                vectors = windows[:, :, group, band]
                busy = vectors.any(axis=-1) | (not self.arch.adc.skip_silent)
                into = found[first : first + each, :, group, :, band].swapaxes(2, 3)
                into[busy] = bank(vectors[busy], self.quantiser, rng, watch)
        return found.reshape(*values.shape[:2], *layer.out_shape)

    @property
    def scale(self) -> float:
        """By what the weights were multiplied before they were written."""
        return self.written.scale

    @property
    def noisy(self) -> bool:
        """Whether every read is another."""
        return self.cells.sigma_s is not None

    @property
    def _width(self) -> int:
        return self.layer.out_shape[2]

    def _draws(self, number: int) -> np.random.Generator:
        return np.random.Generator(np.random.SFC64([self.number, self.layer.index, NOISE, number]))


def unfolded(values: Array, layer: Layer) -> Array:
    """The windows of maps [B, T, C, H, W] of whole numbers: [B, T, groups, positions, reduction].

    UnsupportedError for numbers that the layer's bit planes do not hold: a scale below 0, an add of unlike averages.
    """
    batch, steps = values.shape[:2]
    least, most = int(values.min()), int(values.max())
    if least < 0 or most >= 1 << layer.in_bits:
        text = f"layer '{layer.name}' reads a number that its {layer.in_bits} bit planes do not hold"
        allowed = f"0..{(1 << layer.in_bits) - 1}"
        raise UnsupportedError(Problem(text, key="inputs", value=least if least < 0 else most, allowed=allowed))
    whole = values.astype(np.uint8 if layer.in_bits <= 8 else np.uint32)
    padded = spikes.padded_maps(whole.reshape(batch * steps, *layer.in_shape), layer)
    taps = [padded[:, :, rows, columns] for rows, columns in spikes.window_slices(layer)]
    stacked = np.stack(taps, axis=2).reshape(batch, steps, layer.groups, layer.reduction, layer.positions)
    return np.ascontiguousarray(stacked.swapaxes(-1, -2))
