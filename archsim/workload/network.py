"""A resolved network: layers whose shapes, value widths, sources and neurons are all known.

Nothing here knows a file format or a chip. :mod:`archsim.workload.shapes` makes these objects from a workload file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Shape = tuple[int, int, int]
"""(channels, height, width); linear: (features, 1, 1); matmul: (features, rows, 1)."""

Encoding = Literal["direct", "rate", "ttfs", "events"]
Readout = Literal["sum", "last", "max", "first"]
NeuronModel = Literal["if", "lif", "cuba_lif", "li", "cuba_li"]
Reset = Literal["hard", "subtract", "delayed_subtract", "delayed_hard", "none"]
INPUT = "input"
"""The name under which the network's own input is a source."""
WEIGHTED = ("conv2d", "linear", "matmul")
POOLS = ("avgpool2d", "sumpool2d", "maxpool2d")


@dataclass(frozen=True)
class Neuron:
    """One neuron model, updated once per timestep by the current ``x[t]`` that reaches it.

    ``I[t] = x[t]``; ``cuba_lif`` and ``cuba_li`` keep a synaptic current as a second state word,
    ``i[t] = current_leak * i[t-1] + current_gain * x[t]``, and ``I[t]`` is ``i[t]`` (``membrane_sees: new``) or
    ``i[t-1]`` (``old``). Then, rounded as these operations round (``update``; on paper they are one equation),

    * ``decay``: ``v = leak * v + gain * I (+ (1 - leak) * rest)``;
    * ``euler``: ``v = v + (1 - leak) * (rest - v + gain * I)``; without a leak ``v = v + gain * I``.

    ``delayed_subtract`` lowers ``v`` by ``threshold * s[t-1]`` now, ``delayed_hard`` makes it 0 where there was a spike
    at t-1 (this step's current is lost); ``minimum`` bounds it from below. Spikes: whether
    ``v`` compares true with ``threshold``, or with ``max_spikes`` above 1 how often the threshold fits into ``v``. Then
    ``v`` is set to ``reset_to`` where there was one (``hard``) or lowered by ``threshold * s`` (``subtract``).
    ``li`` and ``cuba_li`` send no spikes: the potential is the output.
    """

    model: NeuronModel = "lif"
    leak: float = 0.9375
    threshold: float = 1.0
    reset: Reset = "hard"
    compare: Literal[">", ">="] = ">="
    max_spikes: int = 1
    current_leak: float = 0.0
    current_gain: float = 1.0
    gain: float = 1.0
    rest: float = 0.0
    reset_to: float = 0.0
    minimum: float | None = None
    update: Literal["decay", "euler"] = "decay"
    membrane_sees: Literal["new", "old"] = "new"

    @property
    def spiking(self) -> bool:
        """Whether spikes leave; the potential does where not."""
        return self.model not in ("li", "cuba_li")

    @property
    def has_current(self) -> bool:
        """Whether a synaptic current is kept beside the membrane potential."""
        return self.model in ("cuba_lif", "cuba_li")

    @property
    def state_words(self) -> int:
        """Words of state that outlive a timestep: the membrane, and the synaptic current where there is one."""
        return 2 if self.has_current else 1

    @property
    def delayed_reset_bit(self) -> bool:
        """Whether one more bit per neuron remembers that the reset is still due."""
        return self.reset in ("delayed_subtract", "delayed_hard")


@dataclass(frozen=True)
class Recurrence:
    """Connections from a layer's neurons back to themselves, one timestep later: ``x[t] += W s[t-1] + b``.

    ``linear``: all to all, W [N, N]; ``elementwise``: each to itself, W [C, H, W]; ``conv2d``: W [C, C, kh, kw] with
    odd kernels and padding that keeps the map's size.
    """

    kind: Literal["linear", "elementwise", "conv2d"]
    kernel: tuple[int, int] = (1, 1)
    bias: bool = False


@dataclass(frozen=True)
class Precision:
    """Bits of a weight, of a membrane potential (and of any current), and of an element of a direct input."""

    weight_bits: int = 8
    membrane_bits: int = 16
    input_bits: int = 8


@dataclass(frozen=True)
class Layer:
    """One layer, fully resolved.

    ``sources`` names the producers (``"input"``: the network's input; empty: a row of an independent table).
    ``in_bits`` and ``in_max`` describe one element of the input edge, for ``add`` the widest of its operands;
    ``out_bits`` and ``out_max`` the edge that leaves. A signed edge carries currents. What leaves is ``delay``
    timesteps late.
    """

    index: int
    name: str
    kind: str
    sources: tuple[str, ...]
    in_shape: Shape
    out_shape: Shape
    in_bits: int
    out_bits: int
    in_max: int
    out_max: int
    weight_bits: int
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    groups: int = 1
    dilation: tuple[int, int] = (1, 1)
    bias: bool = False
    neuron: Neuron | None = None
    recurrent: Recurrence | None = None
    delay: int = 0
    in_signed: bool = False
    out_signed: bool = False

    @property
    def weighted(self) -> bool:
        """Whether the layer multiplies its input with weights (conv2d, linear, matmul)."""
        return self.kind in WEIGHTED

    @property
    def positions(self) -> int:
        """Output positions that share the same weights: Ho*Wo; rows of a matmul; 1 for linear."""
        return self.out_shape[1] * self.out_shape[2]

    @property
    def reduction(self) -> int:
        """Products summed into one output value: C/groups * kh * kw; 0 without weights."""
        return self.in_shape[0] // self.groups * self.kernel[0] * self.kernel[1] if self.weighted else 0

    @property
    def filters(self) -> int:
        """Output channels of one group."""
        return self.out_shape[0] // self.groups

    @property
    def reach(self) -> tuple[int, int]:
        """Rows and columns of its input that a window spans: dilation * (kernel - 1) + 1."""
        (high, wide), (down, right) = self.kernel, self.dilation
        return down * (high - 1) + 1, right * (wide - 1) + 1

    @property
    def spiking(self) -> bool:
        """Whether spikes leave the layer."""
        return self.neuron is not None and self.neuron.spiking

    @property
    def neurons(self) -> int:
        """Neurons that the layer carries: every element of its output map, or none."""
        channels, height, width = self.out_shape
        return channels * height * width if self.neuron is not None else 0

    @property
    def weights(self) -> int:
        """Weights without biases: groups * filters * reduction."""
        return self.groups * self.filters * self.reduction

    @property
    def macs(self) -> int:
        """Products per timestep if no value were zero: weights * positions (padding counted, as everyone does)."""
        return self.weights * self.positions


@dataclass(frozen=True)
class InputCode:
    """How the network's input travels; ``scale``: a direct-coded integer stands for integer / scale.

    ``max_spikes``: largest value of a spike input. ``rate``: a pixel of the largest value spikes with probability
    ``peak`` per timestep, drawn from ``seed`` and the sample's number (``bernoulli``) or evenly spread (``regular``).
    """

    scale: float = 1.0
    max_spikes: int = 1
    rate: Literal["bernoulli", "regular"] = "bernoulli"
    peak: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Network:
    """A network, or with ``chained`` false a table of layers that do not feed each other.

    ``readout``: what of the last layer is compared for a prediction: its ``sum`` over the timesteps (currents, spikes),
    its ``last`` or its ``max``imal potential, or which neuron spikes ``first``.
    """

    name: str
    timesteps: int
    layers: tuple[Layer, ...]
    input_shape: Shape | None
    encoding: Encoding | None
    precision: Precision
    chained: bool = True
    description: str = ""
    source: str = ""
    code: InputCode = InputCode()
    readout: Readout = "sum"

    @cached_property
    def _by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def _consumers(self) -> dict[str, tuple[Layer, ...]]:
        found: dict[str, tuple[Layer, ...]] = {}
        for layer in self.layers:
            for source in dict.fromkeys(layer.sources):
                found[source] = (*found.get(source, ()), layer)
        return found

    def layer(self, name: str) -> Layer:
        """The layer of that name (KeyError if there is none)."""
        return self._by_name[name]

    def consumers(self, name: str) -> tuple[Layer, ...]:
        """The layers that read what ``name`` (a layer, or ``"input"``) produces, in the order of the list."""
        return self._consumers.get(name, ())

    @property
    def input_max(self) -> int:
        """Largest value of an element of the network's input: 2**input_bits - 1 if direct, else of a spike."""
        return (1 << self.precision.input_bits) - 1 if self.encoding == "direct" else self.code.max_spikes

    @property
    def weighted_layers(self) -> tuple[Layer, ...]:
        """The layers with weights, in order."""
        return tuple(layer for layer in self.layers if layer.weighted)

    @property
    def macs(self) -> int:
        """Dense products per timestep over all layers."""
        return sum(layer.macs for layer in self.layers)
