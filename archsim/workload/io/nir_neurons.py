"""From a NIR neuron's differential equation to archsim's neuron, as a dialect steps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.workload.io.dialects import Dialect
from archsim.workload.io.nir_file import Node

Array = NDArray[Any]
Say = Callable[[str], None]
LARGEST = 1e30
"""Numbers of neurons are smaller: float32 holds them, and their products with currents."""
CLOSE = 1e-5
"""Relative distance from 1 at which a gain is 1: what float32 leaves of tau / dt * dt / tau."""
_MODELS = {"IF": "if", "I": "li", "LI": "li", "LIF": "lif", "CubaLI": "cuba_li", "CubaLIF": "cuba_lif"}


@dataclass
class Neurons:
    """What a workload file says of neurons, and the numbers that differ from neuron to neuron."""

    keys: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, Array] = field(default_factory=dict)

    def put(self, key: str, values: Array, single: bool, default: float | None = None) -> None:
        """One number in the file (none where it is the default), or an array beside it and its mean in the file."""
        if values.size and (values == values.flat[0]).all():
            number = readable(float(values.flat[0]), single)
            if number != default:
                self.keys[key] = number
            return
        self.parts[key] = values
        if default is None:
            self.keys[key] = readable(float(values.mean()), True)


def readable(number: float, single: bool) -> float:
    """The shortest decimal that is the same float32 number, or the same to 15 digits."""
    return float(str(np.float32(number))) if single and abs(number) < LARGEST else float(f"{number:.15g}")


class Stepped:
    """One neuron node on its way to :class:`Neurons`; ``say`` takes what is wrong."""

    def __init__(self, node: Node, dims: tuple[int, ...] | None, dialect: Dialect, dt: float, say: Say) -> None:
        self.node, self.dims, self.dialect, self.dt, self.say = node, dims, dialect, dt, say
        arrays = [value for value in node.fields.values() if not isinstance(value, str)]
        self.single = all(array.dtype.itemsize <= 4 or array.dtype.kind in "iu" for array in arrays)
        self.found = Neurons()
        self.misfits: dict[tuple[int, ...], list[str]] = {}
        self.broken = False

    def neurons(self, recurrent: bool) -> Neurons:
        """The neuron; ``recurrent``: its spikes come back to it."""
        kind, keys = self.node.kind, self.found.keys
        keys["model"] = _MODELS[kind]
        late = recurrent or kind == "CubaLIF"
        reset = self.dialect.late_reset if late else self.dialect.reset
        with np.errstate(all="ignore"):  # numbers that are too large are told
            update = self._membrane(kind)
            if kind in ("CubaLI", "CubaLIF"):
                self._current()
            self._levels(reset)
        if kind in ("IF", "LIF", "CubaLIF"):
            keys |= {"reset": reset, "compare": self.dialect.compare}
            if self.dialect.max_spikes > 1:
                keys["max_spikes"] = self.dialect.max_spikes
        if update == "euler" and kind not in ("IF", "I"):
            keys["update"] = update
        for shape, names in self.misfits.items():
            self.say(f"{', '.join(names)}: shape {list(shape)}; its neurons are a map of {list(self.dims or ())}")
        return self.found

    def _membrane(self, kind: str) -> str:
        """leak and gain; how the potential is updated."""
        r, dialect = self._value("r"), self.dialect
        if dialect.unit_r and not self.broken and not np.allclose(r, 1.0, rtol=CLOSE, atol=0.0):
            self.say(f"r is {float(r.flat[0]):.6g}, and 1 in all files of this dialect")
        if kind in ("IF", "I"):
            if kind == "I":
                self.found.keys["leak"] = 1.0
            self._gain("gain", "r", r if dialect.gain == "r" else self.dt * r, dialect.gain == "one")
            return "decay"
        name = "tau_mem" if kind.startswith("Cuba") else "tau"
        part = self._part_of_step(name)
        update = dialect.update
        if update == "as_written":
            update = "euler" if np.allclose(r, 1.0, rtol=CLOSE) else "decay"
        leak = self._leak("leak", part, update)
        if dialect.gain == "step":
            self._gain("gain", "r", leak if kind == "LI" else np.asarray(1.0), False)
        elif update == "euler":
            self._gain("gain", "r", r, False)
        elif dialect.solver == "exact":
            plain = dialect.gain == "r" or kind == "LI"  # ExpLeak has norm_input=False, LIF has True
            self._gain("gain", "r", r if plain else (1.0 - leak) * r, False)
        else:
            self._gain("gain", f"r * dt / {name}", part * r, dialect.gain == "one")
        return update

    def _current(self) -> None:
        """current_leak and current_gain of the synaptic current."""
        part, weight, rule = self._part_of_step("tau_syn"), self._value("w_in", 1.0), self.dialect.current_gain
        leak = self._leak("current_leak", part, "decay")
        gain = weight if rule == "w_in" else (leak if rule == "leak" else part) * weight
        self._gain("current_gain", "w_in * dt / tau_syn", gain, rule == "one")

    def _levels(self, reset: str) -> None:
        """threshold, rest, reset_to and minimum."""
        rest, back = self._value("v_leak", 0.0), self._value("v_reset", 0.0)
        if self.dialect.name != "euler":
            for name, values in (("v_leak", rest), ("v_reset", back)):
                if values.any():
                    text = "is not 0, where this dialect's files hold 0 and its neurons start"
                    self.say(f"{name} {text}; 'euler' takes it as it is")
        elif self.node.kind != "IF":
            self._put("rest", rest, self.single, 0.0)
        if self.node.kind not in ("IF", "LIF", "CubaLIF"):
            return
        threshold = self._value("v_threshold")
        if not self.broken and (threshold <= 0).any():
            self.say("v_threshold is not above 0")
        self._put("threshold", threshold, self.single)
        if reset == "hard" and self.dialect.name == "euler":
            self._put("reset_to", back, self.single, 0.0)
        if self.dialect.clamped and self.node.kind == "IF":
            self._put("minimum", -threshold, self.single)

    def _put(self, key: str, values: Array, single: bool, default: float | None = None) -> None:
        if not (np.abs(values) < LARGEST).all():
            self.say(f"{key} comes out as {float(np.abs(values).max()):.3g}; allowed: below {LARGEST:g}")
            return
        self.found.put(key, values, single, default)

    def _value(self, name: str, default: float | None = None) -> Array:
        """A parameter in float64: one number, or as it lies on the map of neurons."""
        stated = self.node.array(name)
        if stated is None:
            if default is None:
                self.broken = True
            return np.asarray(1.0 if default is None else default)
        values = np.asarray(stated, np.float64)
        if values.size == 1:
            return values.reshape(())
        if self.dims is None:
            self.broken = True
            return np.asarray(values.flat[0] if values.size else 1.0)
        shape = values.shape
        while len(shape) > len(self.dims) and shape[0] == 1:
            shape = shape[1:]
        full = (*self.dims, 1, 1)[:3]
        if shape == self.dims:
            return values.reshape(full)
        if shape == self.dims[:1]:
            return values.reshape(full[0], 1, 1)
        self.misfits.setdefault(values.shape, []).append(name)
        self.broken = True
        return np.asarray(values.flat[0] if values.size else 1.0)

    def _part_of_step(self, name: str) -> Array:
        """dt / tau, which a time constant above 0 and a step that fits it keep above 0 (and for Euler up to 1)."""
        tau = self._value(name)
        if (tau <= 0).any():
            self.say(f"{name} is not above 0")
            return np.asarray(0.5)
        part = (self.dt or self._step_in_r()) / tau
        if self.single:
            part = part.astype(np.float32).astype(np.float64)
        if self.dialect.solver == "euler" and (part > 1.0 + CLOSE).any():
            text = f"dt / {name} is {part.max():.4g} at the dt of this dialect, {self.dt:g}; it is at most 1"
            self.say(f"{text}: the file was written by another framework, or with another step (--dt)")
            return np.asarray(0.5)
        return np.minimum(part, 1.0) if self.dialect.solver == "euler" else part

    def _step_in_r(self) -> Array | float:
        """The step dt for which r is tau exp(-dt/tau) / dt (Newton's method on q + log q = -log r, q = dt / tau)."""
        r, tau = self._value("r"), self._value("tau_mem" if self.node.kind == "CubaLIF" else "tau")
        if (r <= 0).any() or (tau <= 0).any():
            self.say("r and tau are not above 0, and say no step")
            return 1.0
        q = 1.0 / (1.0 + r)
        for _ in range(20):
            q = np.maximum(q - (q + np.log(q) + np.log(r)) / (1.0 + 1.0 / q), q / 10)
        steps = q * tau
        if not np.allclose(steps, steps.flat[0], rtol=1e-3, atol=0.0):
            self.say(f"r and tau say steps from {steps.min():.4g} to {steps.max():.4g}; its files have one")
        return float(np.median(steps))

    def _leak(self, key: str, part: Array, update: str) -> Array:
        """What is kept per step, put under ``key`` as exactly as the framework's own type holds it."""
        if self.dialect.solver == "exact":
            leak = np.exp(-part)
        elif part.size == 1 and self.single:
            leak = np.asarray(float(f"{1.0 - readable(float(part), True):.15g}"))
        else:
            leak = 1.0 - part
        if self.single and (update == "decay" or self.dialect.solver == "exact"):
            leak = leak.astype(np.float32).astype(np.float64)
            self._put(key, leak, True)
        else:
            self._put(key, leak, False)
        return leak

    def _gain(self, key: str, what: str, gain: Array, must_be_one: bool) -> None:
        if np.allclose(gain, 1.0, rtol=CLOSE, atol=0.0):
            return
        if must_be_one and not self.broken:
            self.say(f"{what} is {float(gain.flat[0]):.6g}, and 1 in all files of this dialect")
            return
        self._put(key, gain, self.single, 1.0)
