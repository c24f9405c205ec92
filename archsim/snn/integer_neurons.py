"""A layer's neurons as a chip with words of ``membrane_bits`` computes them: integers, saturating at every write.

The potential is a signed integer of the unit ``step``; step = (unit of the currents) * 2^k. Currents are shifted by k
(rounded, halves up), constants rounded to the nearest integer. k is the smallest integer, of either sign, with which
the range holds :func:`headroom` thresholds (times ``max_spikes``, up to 8), or, where nothing spikes, the largest
potential that can be reached, but 8 bits of the word are for the current of one timestep; a threshold is at least 1.
So a word is used fully: fraction bits, where there is room. Constants that no such word holds are refused; a minimum
below the word's own bound changes nothing and may stay.

A leak of 1 - 2^-j is a shift and a subtraction, v - floor(v / 2^j). Any other is an integer of 16 fraction bits, by
which v is multiplied: floor(v * L / 2^16 + 1/2). The rest of a timestep is that of
:class:`archsim.workload.network.Neuron`; an euler update is the same equation as a decay with a smaller gain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import Problem, UnsupportedError
from archsim.snn.grids import bounds, shift_for
from archsim.snn.neurons import Feedback, fire, parameters, reset, value_type
from archsim.workload.network import Layer

Array = NDArray[Any]
MANY_SPIKES = 8
LEAK_BITS = 16
CURRENT_BITS = 8
"""Of a word that integrates without spiking, what the largest current of one timestep has at least."""
EXACT_UP_TO = (1 << 24, 1 << 53)
"""Up to these every integer, and so every sum of integers, is exact in float32 and in float64."""


def exact_type(largest: float, what: str) -> np.dtype[Any]:
    """The narrowest float that carries all integers up to ``largest``. Raises UnsupportedError above 2^53."""
    if largest < EXACT_UP_TO[0]:
        return np.dtype(np.float32)
    if largest < EXACT_UP_TO[1]:
        return np.dtype(np.float64)
    raise UnsupportedError(f"{what} needs integers of more than 53 bits; state fewer weight, membrane or input bits")


def headroom(bits: int) -> int:
    """Thresholds that a potential's range holds on either side of 0: 4, from 12 bits on 8, from 16 bits on 16.

    Fewer cut off inhibition, more coarsen threshold and leak. On cnn-mnist (8-bit weights, 1,000 images) 2 to 8 differ
    by 0.2 points at 8 bits, and 16 loses 0.8; at 6 bits 4 gives 96.9 %, 8 gives 88.7 %; at 16 bits 2 to 32 give 97.8
    to 97.9 %.
    """
    return 4 << min(2, max(0, bits - 8) // 4)


class IntegerNeurons:
    """Neurons of one layer; ``unit``: what 1 of a current is worth, ``largest``: the largest current."""

    def __init__(
        self, layer: Layer, stated: Mapping[str, Array], unit: float, largest: float, bits: int, timesteps: int
    ) -> None:
        assert layer.neuron is not None
        self.neuron, self.name = layer.neuron, layer.name
        self.feedback: Feedback | None = None
        numbers = parameters(self.neuron, stated)
        factor = self._factor(numbers)
        unit *= abs(factor)
        self.low, self.high = bounds(bits)
        needed = self._needed(numbers, unit * largest, bits, timesteps)
        shift = shift_for(needed, self.high, unit) if needed > 0 else 0
        if self.neuron.spiking:
            while np.rint(numbers["threshold"].min() / math.ldexp(unit, shift)) < 1:
                shift -= 1
        self.shift, self.step = shift, math.ldexp(unit, shift)
        self._check(numbers, bits)
        scaled = math.ldexp(largest, -shift) + 1 if largest else 1.0
        self.leaks = {name: _Leak(numbers[name]) for name in ("leak", "current_leak")}
        words = float(self.high) * 4 + scaled
        before_rounding = 2 * largest  # a half is added
        self.dtype = exact_type(max(words, before_rounding), f"layer '{layer.name}'")
        self.out_type = value_type(self.neuron, self.dtype)
        self.sign = self.dtype.type(math.copysign(math.ldexp(1.0, -shift), factor))
        self.number = {name: self._whole(numbers[name]) for name in ("threshold", "reset_to", "minimum")}
        self.rest = self._whole((1.0 - numbers["leak"]) * numbers["rest"])

    def run(self, currents: Array, out: Array, potentials: Array | None) -> int:
        """Fill ``out`` and ``potentials`` as float neurons do; how many writes saturated."""
        potential = np.zeros((len(out), *out.shape[2:]), self.dtype)
        synaptic, scratch = np.zeros_like(potential), np.empty_like(potential)
        before = np.zeros_like(out[:, 0])
        saturated = 0
        if self.feedback is None:
            currents = self._shifted(currents)
        for step in range(out.shape[1]):
            current = currents[:, step if currents.shape[1] > 1 else 0]
            if self.feedback is not None:
                current = self._shifted(current + self.feedback(before))
            if self.neuron.has_current:
                seen = synaptic.copy() if self.neuron.membrane_sees == "old" else synaptic
                self.leaks["current_leak"](synaptic, scratch)
                synaptic += current
                saturated += self._saturate(synaptic)
                current = seen
            self.leaks["leak"](potential, scratch)
            potential += current
            self._correct(potential, before, scratch)
            saturated += self._saturate(potential)
            if potentials is not None:
                np.multiply(potential, self.step, out=potentials[:, step], dtype=np.float64)
            if self.neuron.spiking:
                fire(self.neuron, potential, self.number["threshold"], out[:, step], scratch)
                reset(self.neuron, potential, self.number, out[:, step], scratch)
            else:
                out[:, step] = potential
            before = out[:, step]
        return saturated

    def _correct(self, potential: Array, before: Array, scratch: Array) -> None:
        """What else happens to the potential before it is written."""
        if self.rest.any():
            potential += self.rest
        if self.neuron.reset == "delayed_subtract":
            np.multiply(before, self.number["threshold"], out=scratch)
            potential -= scratch
        elif self.neuron.reset == "delayed_hard":
            np.copyto(potential, 0.0, where=before > 0)
        if (self.number["minimum"] > self.low).any():
            np.maximum(potential, self.number["minimum"], out=potential)

    def _shifted(self, currents: Array) -> Array:
        """Currents in the unit of the potential."""
        found: Array = currents.astype(self.dtype, copy=False) * self.sign
        if self.shift > 0:
            found += self.dtype.type(0.5)
            np.floor(found, out=found)
        return found

    def _saturate(self, words: Array) -> int:
        """Hold the words within their bits; how many were outside."""
        if words.max() <= self.high and words.min() >= self.low:
            return 0
        outside = np.count_nonzero((words > self.high) | (words < self.low))
        np.clip(words, self.low, self.high, out=words)
        return int(outside)

    def _whole(self, values: Array) -> Array:
        return np.clip(np.rint(values / self.step), self.low, self.high).astype(self.dtype)

    def _check(self, numbers: Mapping[str, Array], bits: int) -> None:
        """Refuse constants that the word does not hold."""
        names = ["threshold"] if self.neuron.spiking else []
        names += ["reset_to"] if self.neuron.reset == "hard" and self.neuron.spiking else []
        problems = []
        for name in (*names, "rest"):
            whole = np.rint(numbers[name] / self.step)
            outside = (whole > self.high) | (whole < self.low)
            if not outside.any():
                continue
            value = float(np.broadcast_to(numbers[name], outside.shape)[outside].flat[0])
            text = f"layer '{self.name}': a word of {bits} bits, whose 1 is {self.step:g}, does not hold this {name}"
            if self.neuron.spiking:
                text += f" beside the smallest threshold, {float(numbers['threshold'].min()):g}"
            text += "; state more membrane_bits, or simulate with precision 'float'"
            allowed = f"{self.low * self.step:g}..{self.high * self.step:g}"
            problems.append(Problem(text, key=name, value=value, allowed=allowed))
        if problems:
            raise UnsupportedError(problems)

    def _factor(self, numbers: Mapping[str, Array]) -> float:
        """By what a current is multiplied on its way into the potential: part of the unit, so one number for all."""
        factor = numbers["gain"]
        if self.neuron.has_current:
            factor = factor * numbers["current_gain"]
        if self.neuron.update == "euler":
            factor = factor * np.where(numbers["leak"] == 1.0, 1.0, 1.0 - numbers["leak"])
        if factor.ndim:
            what = "gains" + (" (euler: or leaks)" if self.neuron.update == "euler" else "")
            text = f"layer '{self.name}' has {what} that differ from neuron to neuron; its integers have one unit"
            raise UnsupportedError(f"{text}: fold them into the weights, or simulate with precision 'float'")
        if factor == 0:
            raise UnsupportedError(f"layer '{self.name}' has a gain of 0, so no current reaches its neurons")
        return float(factor)

    def _needed(self, numbers: Mapping[str, Array], largest: float, bits: int, timesteps: int) -> float:
        """The largest potential that a word must hold."""
        lowest = np.where(np.isfinite(numbers["minimum"]), numbers["minimum"], 0.0)
        fixed = [np.abs(numbers["rest"]).max(), np.abs(lowest).max()]
        if self.neuron.spiking:
            many = headroom(bits) * min(self.neuron.max_spikes, MANY_SPIKES)
            fixed += [np.abs(numbers["reset_to"]).max(), many * numbers["threshold"].max()]
            return float(max(fixed))
        names = ("leak", "current_leak") if self.neuron.has_current else ("leak",)
        added = 1.0
        for name in names:
            kept = float(numbers[name].max())
            added *= timesteps if kept == 1.0 else min(timesteps, 1.0 / (1.0 - kept))
        held = min(added, float(1 << max(0, bits - CURRENT_BITS)))
        return float(fixed[0] + max(largest * held, fixed[1]))


class _Leak:
    """What is left of integers after a timestep, in place."""

    def __init__(self, kept: Array) -> None:
        lost = 1.0 - kept
        fraction, _ = np.frexp(lost)
        self.shifts = (fraction == 0.5) | (lost == 0.0)
        self.lost, self.nothing = lost, bool((lost == 0.0).all())
        self.factor = np.rint(kept * (1 << LEAK_BITS)) * 2.0**-LEAK_BITS

    def __call__(self, words: Array, scratch: Array) -> None:
        """``words`` becomes what is left of them."""
        if self.nothing:
            return
        if self.shifts.all():
            np.multiply(words, self.lost.astype(words.dtype), out=scratch)
            np.floor(scratch, out=scratch)
            words -= scratch
            return
        exact = words.astype(np.float64)  # 32 + 16 bits
        by_product = np.floor(exact * self.factor + 0.5)
        words[...] = np.where(self.shifts, exact - np.floor(exact * self.lost), by_product)
