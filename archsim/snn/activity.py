"""Simulated spikes as the activity that a chip reads."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ConfigError, Problem
from archsim.snn.inputs import check_inputs
from archsim.snn.simulated import Simulated
from archsim.snn.simulation import Precision, simulate, workload_problems
from archsim.workload import Workload
from archsim.workload.activity import Activity
from archsim.workload.generators import Values
from archsim.workload.network import INPUT, Layer

Array = NDArray[Any]
CHUNK = 16
"""Inputs that are simulated together."""
KEPT_BYTES = 256 << 20


class SimulatedActivity(Activity):
    """The spikes of a network on given inputs, simulated when they are first asked for.

    Sample k is the k-th of the inputs. Layers without neurons follow from the edges before them, as in a recording. The
    values are those that a chip gets: integers, at the ``precision`` that the workload states unless told otherwise.
    """

    synthetic = False

    def __init__(
        self,
        workload: Workload,
        inputs: Any,
        labels: Array | None = None,
        *,
        name: str = "inputs",
        precision: Precision = "stated",
        dtype: str = "float32",
        numbers: int | Sequence[int] = 0,
        threads: int | None = None,
    ) -> None:
        """Check the inputs; nothing is simulated yet. Raises ConfigError with everything that is wrong."""
        super().__init__(workload.network)
        problems = workload_problems(workload)
        given = None
        if workload.network.chained:
            given, wrong = check_inputs(workload.network, inputs, numbers)
            problems += wrong
        if given is not None and not given.integers and workload.network.encoding in ("direct", "events"):
            text = "a chip gets integers; these are real values between them"
            problems.append(Problem(text, key="inputs"))
        if given is not None and labels is not None and np.shape(labels) != (len(given),):
            problems.append(Problem(f"there are {len(given)} inputs", key="labels", value=np.shape(labels)))
        if problems or given is None:
            raise ConfigError(problems)
        self.workload, self.name, self.precision, self.dtype = workload, name, precision, dtype
        self.labels = None if labels is None else np.asarray(labels, np.int64)
        self.threads = threads
        self._given = given
        self._kept: OrderedDict[int, Simulated] = OrderedDict()
        self._predictions = np.full(len(given), -1, np.int64)
        self._lock = threading.Lock()

    def describe(self) -> str:
        """Which inputs, at which precision."""
        if self.precision == "float":
            return f"simulated: {self.name}, {self.dtype}"
        bits = self.network.precision
        return f"simulated: {self.name}, {bits.weight_bits}-bit weights, {bits.membrane_bits}-bit membranes"

    @property
    def content(self) -> str:
        """The hash of inputs, labels, weights and precision."""
        weights = self.workload.weights
        number = self.dtype if self.precision == "float" else ""
        parts = [self.precision, number, "" if weights is None else weights.sha256, str(self._given.numbers.tolist())]
        digest = hashlib.sha256("|".join(parts).encode())
        for array in (self._given.values, self.labels):
            if array is not None:
                digest.update(f"{array.shape}{array.dtype.str}".encode())
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def samples(self) -> range:
        """The given inputs."""
        return range(len(self._given))

    def density_of(self, layer: Layer, sample: int = 0) -> float:
        """Non-zero values at the layer's input over all values, in this sample."""
        values = self.inputs_of(layer, sample)
        return float(np.count_nonzero(values)) / values.size

    @property
    def predictions(self) -> Array:
        """The predicted class of every input, [N]; simulates those that were not asked for yet."""
        return self._predicted(self.samples)

    def accuracy(self, samples: Iterable[int] | None = None) -> float | None:
        """Fraction of right predictions among some samples, or all; None if there are no labels."""
        chosen = list(self.samples if samples is None else samples)
        for sample in chosen:
            self._check(sample)
        if self.labels is None or not chosen:
            return None
        return float((self._predicted(chosen)[chosen] == self.labels[chosen]).mean())

    def execute(self, chosen: slice) -> Simulated:
        """The network executed on some of the inputs; nothing of it is kept."""
        return simulate(
            self.workload, self._given.values[chosen], dtype=self.dtype,  # type: ignore[arg-type]
            precision=self.precision, numbers=self._given.numbers[chosen].tolist(), threads=self.threads,
        )  # fmt: skip

    def _predicted(self, samples: Iterable[int]) -> Array:
        for chunk in sorted({sample // CHUNK for sample in samples}):
            if self._predictions[chunk * CHUNK] < 0:
                self._chunk(chunk)
        return self._predictions.copy()

    def _make_edge(self, name: str, sample: int) -> Values:
        if name != INPUT and not self.network.layer(name).spiking:
            return self._computed(self.network.layer(name), sample)
        found = self._chunk(sample // CHUNK)
        place = sample % CHUNK
        if name != INPUT:
            spikes: Values = found.spikes[name][place]
            return spikes.copy()
        given: Values = found.input[place]
        if given.ndim == 4:
            return given.copy()
        return np.broadcast_to(given, (self.network.timesteps, *given.shape))

    def _chunk(self, number: int) -> Simulated:
        """The simulation of the inputs [CHUNK * number, CHUNK * (number + 1))."""
        with self._lock:
            if number in self._kept:
                self._kept.move_to_end(number)
                return self._kept[number]
            chosen = slice(number * CHUNK, (number + 1) * CHUNK)
            found = self.execute(chosen)
            self._predictions[chosen] = found.predictions
            self._kept[number] = found
            while len(self._kept) > 1 and sum(map(_bytes_of, self._kept.values())) > KEPT_BYTES:
                self._kept.popitem(last=False)
            return found


def _bytes_of(simulated: Simulated) -> int:
    return sum(values.nbytes for values in simulated.spikes.values())
