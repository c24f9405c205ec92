"""What travels on the edges of a network, value by value: recorded spikes, or spikes drawn at stated densities.

Deterministic: the same layer and sample always give the same read-only array. Both sources answer the same questions,
so nothing behind them can tell which it got except by :attr:`Activity.synthetic`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from archsim.errors import UnsupportedError
from archsim.workload import edges, generators
from archsim.workload.densities import Densities
from archsim.workload.generators import Values
from archsim.workload.network import INPUT, Layer, Network
from archsim.workload.trace import Trace

CACHE_BYTES = 192 << 20
"""Arrays kept so that asking twice does not compute twice."""
SYNTHETIC_SAMPLES = 1 << 31


class Activity(ABC):
    """The values on every edge of ``network`` for every sample."""

    synthetic: bool

    def __init__(self, network: Network) -> None:
        self.network = network
        self._cache = _Cache(CACHE_BYTES)

    @abstractmethod
    def describe(self) -> str:
        """Where the values come from, in a line."""

    @property
    def content(self) -> str:
        """All that the values depend on beside the network."""
        return self.describe()

    @property
    @abstractmethod
    def samples(self) -> Sequence[int]:
        """The sample numbers that may be asked for."""

    @property
    def n_samples(self) -> int:
        """How many samples there are (synthetic activity: 2**31)."""
        return len(self.samples)

    @abstractmethod
    def density_of(self, layer: Layer, sample: int = 0) -> float:
        """Fraction of non-zero values at the layer's input: as stated, or as counted in the recording."""

    def inputs_of(self, layer: Layer, sample: int = 0) -> Values:
        """Values at the layer's input, [T, *in_shape], unsigned, 0/1 for spikes.

        A direct-coded input is the same image at every t. An ``add`` gets its operands side by side along the channels,
        [T, len(sources) * C, H, W], in the order of ``sources``.

        Raises UnsupportedError where the input is a current (``layer.in_signed``) that nobody recorded.
        """
        self._check(sample)
        values = [self._edge(source, sample) for source in layer.sources]
        if layer.kind == "add":
            return _read_only(np.concatenate(values, axis=1))
        return values[0].reshape(self.network.timesteps, *layer.in_shape)

    def outputs_of(self, layer: Layer, sample: int = 0) -> Values:
        """Spikes that leave the layer's neurons, [T, *out_shape].

        Raises UnsupportedError for a layer that carries no neuron, or one that does not spike.
        """
        self._check(sample)
        if not layer.spiking:
            raise UnsupportedError(f"layer '{layer.name}' carries no neuron that spikes, so no spikes leave it")
        return self._edge(layer.name, sample)

    def _edge(self, name: str, sample: int) -> Values:
        """Values that leave the layer ``name``, or the network's input, as [T, C, H, W]."""
        return self._cache.get((name, sample), lambda: self._make_edge(name, sample))

    @abstractmethod
    def _make_edge(self, name: str, sample: int) -> Values: ...

    def _computed(self, layer: Layer, sample: int) -> Values:
        """What follows from the edges before ``layer``, which sends no spikes of its own."""
        if layer.out_signed:
            raise UnsupportedError(
                f"the currents that leave layer '{layer.name}' are not part of a workload's activity; only spikes are"
            )
        return edges.apply(layer, [self._edge(source, sample) for source in layer.sources])

    def _check(self, sample: int) -> None:
        if sample not in self.samples:
            raise UnsupportedError(f"sample {sample} does not exist; there are samples 0..{self.n_samples - 1}")


class SyntheticActivity(Activity):
    """Spikes drawn at stated densities; the sample number is part of the seed.

    The density of a weighted layer is that of its input edge, whatever pools or adds stand before that edge. Weighted
    layers that read the same edge see the same values. A neuron map behind which pools or adds come is drawn such that
    the first weighted layer that it reaches would have its density (a pool over w values leaves 1 - (1 - d)^w).
    """

    synthetic = True

    def __init__(self, network: Network, densities: Densities) -> None:
        super().__init__(network)
        self.densities = densities

    def describe(self) -> str:
        """Generator, densities and seed."""
        return f"synthetic: {self.densities.describe()}"

    @property
    def content(self) -> str:
        """Every density of every layer, generator and seed."""
        return repr(self.densities)

    @property
    def samples(self) -> range:
        """As many as a seed can tell apart."""
        return range(SYNTHETIC_SAMPLES)

    def density_of(self, layer: Layer, sample: int = 0) -> float:
        """The stated density of a weighted layer; of another layer, what its drawn input has."""
        if layer.weighted:
            return self.densities.at_input[layer.name]
        return _density(self.inputs_of(layer, sample))

    def inputs_of(self, layer: Layer, sample: int = 0) -> Values:
        """See :meth:`Activity.inputs_of`."""
        if not layer.weighted and layer.sources:
            return super().inputs_of(layer, sample)
        self._check(sample)
        edge = self.densities.edge_of(layer) if layer.weighted else f"{layer.name}:in"
        return self._edge(edge, sample).reshape(self.network.timesteps, *layer.in_shape)

    def _make_edge(self, name: str, sample: int) -> Values:
        drawn = self.densities.drawn_edge(name)
        if drawn is None:
            return self._computed(self.network.layer(name), sample)
        if drawn.maximum == 1 and drawn.density in (0.0, 1.0):  # nothing is left to chance
            return np.full((self.network.timesteps, *drawn.shape), drawn.density, np.uint8)
        rng = generators.stream(self.densities.seed, sample, drawn.stream)
        steps = 1 if drawn.constant else self.network.timesteps
        if self.densities.generator == "clustered":
            values = generators.clustered(
                rng, steps, drawn.shape, drawn.density, self.densities.dispersion, drawn.maximum
            )
        else:
            values = generators.bernoulli(rng, steps, drawn.shape, drawn.density, drawn.maximum)
        return np.broadcast_to(values, (self.network.timesteps, *drawn.shape))


class RecordedActivity(Activity):
    """Spikes recorded on real inputs; edges behind pools and adds follow from them."""

    synthetic = False

    def __init__(self, network: Network, trace: Trace) -> None:
        super().__init__(network)
        self.trace = trace

    def describe(self) -> str:
        """The file, and how many samples it holds."""
        return f"recorded: {self.trace.file}, {self.trace.n_samples} samples"

    @property
    def content(self) -> str:
        """The recording's hash."""
        return self.trace.sha256

    @property
    def samples(self) -> range:
        """The recorded inputs."""
        return range(self.trace.n_samples)

    def density_of(self, layer: Layer, sample: int = 0) -> float:
        """Non-zero values at the layer's input over all values, in this sample."""
        return _density(self.inputs_of(layer, sample))

    def _make_edge(self, name: str, sample: int) -> Values:
        if name == INPUT or self.network.layer(name).spiking:
            return self.trace.values(name, sample)
        return self._computed(self.network.layer(name), sample)


@dataclass(frozen=True)
class ChipSpec:
    """Which chip of analog crossbars executes the network, and how it is calibrated, with which inputs (None: some)."""

    number: int = 0
    calibrate: Literal["none", "layer", "column"] = "none"
    calibration: str | None = None


class NamedInputs(Activity):
    """Inputs on which the network has yet to be executed; ``archsim.load_workload`` does that."""

    synthetic = False

    def __init__(
        self, network: Network, spec: str, precision: Literal["stated", "float", "chip"], of_chip: ChipSpec = ChipSpec()
    ) -> None:
        super().__init__(network)
        self.spec, self.precision, self.of_chip = spec, precision, of_chip

    def describe(self) -> str:
        """The inputs, and that nothing is known yet."""
        return f"to be executed on {self.spec}"

    @property
    def samples(self) -> range:
        """None yet."""
        return range(0)

    def density_of(self, layer: Layer, sample: int = 0) -> float:
        """UnsupportedError: nothing is executed yet."""
        raise UnsupportedError(f"the network has yet to be executed on {self.spec}; archsim.load_workload does that")

    def _make_edge(self, name: str, sample: int) -> Values:
        raise UnsupportedError(f"the network has yet to be executed on {self.spec}; archsim.load_workload does that")


class _Cache:
    """The most recently used arrays, up to a number of bytes; made read-only, since they are shared."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._arrays: OrderedDict[tuple[str, int], Values] = OrderedDict()

    def get(self, key: tuple[str, int], make: Callable[[], Values]) -> Values:
        if key in self._arrays:
            self._arrays.move_to_end(key)
            return self._arrays[key]
        values = _read_only(make())
        self._arrays[key] = values
        self._held_bytes += _own_bytes(values)
        while self._held_bytes > self._limit_bytes and len(self._arrays) > 1:
            _, dropped = self._arrays.popitem(last=False)
            self._held_bytes -= _own_bytes(dropped)
        return values


def _own_bytes(values: Values) -> int:
    """Bytes behind an array, a broadcast axis counted once."""
    return values.nbytes if values.strides[0] else values.nbytes // values.shape[0]


def _read_only(values: Values) -> Values:
    values.flags.writeable = False
    return values


def _density(values: Values) -> float:
    return float(np.count_nonzero(values)) / values.size
