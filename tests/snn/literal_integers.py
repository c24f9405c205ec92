"""The stated precision in Python's own integers and fractions, one neuron at a time, from the docstrings.

Only geometry is shared with :mod:`literal`: what an operator does to numbers is the same for whole ones. Networks whose
batch norms and scales must be folded first are given with the folded weights.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from literal_numbers import Literal, element, places


def grid(values):
    """The largest number of which all are whole multiples."""
    fractions = [abs(Fraction(float(value))) for value in values if value != 0]
    if not fractions:
        return 1.0
    common = math.lcm(*(fraction.denominator for fraction in fractions))
    return float(Fraction(math.gcd(*(int(fraction * common) for fraction in fractions)), common))


def half_up(value):
    return math.floor(value + Fraction(1, 2))


class Words(Literal):
    """One input, executed in integers; every value that leaves a layer is a whole number of ``unit[layer]``."""

    def __init__(self, workload, parts, groups):
        self.parts = parts
        super().__init__(workload, lambda value: value)
        self.bits = self.network.precision.membrane_bits
        self.low, self.high = -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        self.saturated = {layer.name: 0 for layer in self.network.layers if layer.neuron is not None}
        self.step = {name: self.step_of(group) for group in groups for name in group}
        self.unit, self.largest, self.current, self.words, self.factors = {}, {}, {}, {}, {}
        code = self.network.code
        self.unit["input"] = 1.0 / code.scale if self.network.encoding == "direct" else 1.0
        self.largest["input"], self.current["input"] = self.network.input_max, False
        for layer in self.network.layers:
            self.prepare(layer)

    def part(self, layer, name):
        return self.words.get((layer.name, name))

    def weights_of(self, name):
        return [array for part, array in self.parts[name].items() if part in ("weight", "recurrent_weight")]

    def step_of(self, group):
        bits = {name: self.network.layer(name).weight_bits for name in group}
        biases = [a for name in group for part, a in self.parts[name].items() if part in ("bias", "recurrent_bias")]
        weights = [(array, bits[name]) for name in group for array in self.weights_of(name)]
        for extra in (biases, []):
            step = grid([x for array in [*(array for array, _ in weights), *extra] for x in np.ravel(array)])
            if all(-(1 << (b - 1)) <= x / step <= (1 << (b - 1)) - 1 for array, b in weights for x in np.ravel(array)):
                return step
        return max(np.abs(array).max() / ((1 << (b - 1)) - 1) for array, b in weights) or 1.0

    def whole(self, array, step, bits):
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        found = [min(max(round(float(x) / step), low), high) for x in np.ravel(array)]
        return np.array(found, object).reshape(np.shape(array))

    def prepare(self, layer):
        """Integers of the layer's numbers; unit, largest value and kind of what leaves it."""
        name, source = layer.name, layer.sources[0]
        unit, largest, current = self.unit[source], self.largest[source], self.current[source]
        parts = self.parts[name]
        if layer.weighted:
            weight = self.words[name, "weight"] = self.whole(parts["weight"], self.step[name], layer.weight_bits)
            unit, sums = self.step[name] * unit, [sum(abs(x) for x in np.ravel(row)) * largest for row in weight]
            if "bias" in parts:
                bias = self.words[name, "bias"] = np.array([round(float(x) / unit) for x in parts["bias"]], object)
                sums = [a + abs(b) for a, b in zip(sums, bias, strict=True)]
            largest, current = max(sums), True
        if layer.kind == "add":
            self.factors[name], unit, largest, current = self.align(
                [(self.unit[s], self.largest[s], self.current[s]) for s in layer.sources], layer.weight_bits
            )
        if layer.kind in ("avgpool2d", "sumpool2d"):
            largest *= math.prod(layer.kernel)
            unit /= math.prod(layer.kernel) if layer.kind == "avgpool2d" else 1
        if layer.kind == "scale" and "scale" in parts:
            scale = float(np.ravel(parts["scale"])[0])
            self.factors[name], unit = [1 if scale > 0 else -1], unit * abs(scale)
        if layer.neuron is not None:
            unit, largest, current = self.prepare_neurons(layer, unit, largest, current)
        elif current and self.is_stored(layer):
            shift = 0
            while math.ceil(Fraction(largest) / 2**shift) > self.high:
                shift += 1
            self.words[name, "shift"] = shift
            unit, largest = unit * 2.0**shift, math.ceil(Fraction(largest) / 2**shift)
        self.unit[name], self.largest[name], self.current[name] = unit, largest, current

    def is_stored(self, layer):
        last = self.network.layers[-1].name == layer.name
        return last or any(other.weighted and layer.name in other.sources for other in self.network.layers)

    def align(self, edges, bits):
        """Whole factors to a common unit: of currents (else of spikes) exactly, of spikes as near as weights are."""
        mixed = any(current for _, _, current in edges)
        smallest = Fraction(min(unit for unit, _, current in edges if current or not mixed))
        for finer in range(1, 1 << 16):
            exact = [Fraction(unit) / smallest * finer for unit, _, _ in edges]
            near = [Fraction(1, 1 << bits) if mixed and not current else Fraction(1e-9) for _, _, current in edges]
            if all(abs(round(x) - x) <= x * limit for x, limit in zip(exact, near, strict=True)):
                break
        factors = [round(x) for x in exact]
        largest = sum(big * factor for (_, big, _), factor in zip(edges, factors, strict=True))
        return factors, float(smallest) / finer, largest, mixed

    def prepare_neurons(self, layer, unit, largest, current):
        name, neuron, parts = layer.name, layer.neuron, self.parts[layer.name]
        if layer.recurrent is not None:
            weight = self.whole(parts["recurrent_weight"], self.step[name], layer.weight_bits)
            rows = np.ravel(weight) if layer.recurrent.kind == "elementwise" else weight
            reach = max(sum(abs(x) for x in np.ravel(row)) for row in rows) * neuron.max_spikes
            self.factors[name], unit, largest, _ = self.align(
                [(unit, largest, current), (self.step[name], reach, True)], layer.weight_bits
            )
            self.words[name, "recurrent_weight"] = weight * self.factors[name][1]
            if "recurrent_bias" in parts:
                bias = [round(float(x) / unit) for x in np.ravel(parts["recurrent_bias"])]
                bias = np.array(bias, object).reshape(np.shape(parts["recurrent_bias"]))
                self.words[name, "recurrent_bias"] = bias
                largest += max(abs(x) for x in np.ravel(bias))
        keys = ("leak", "threshold", "gain", "rest", "reset_to", "current_leak", "current_gain")
        every = {key: [float(element(self.stated(layer, key), place)) for place in places(layer.out_shape)]
                 for key in keys}  # fmt: skip
        factor = every["gain"][0] * (every["current_gain"][0] if neuron.model.startswith("cuba") else 1.0)
        if neuron.update == "euler" and every["leak"][0] != 1.0:
            factor *= 1.0 - every["leak"][0]
        unit *= abs(factor)
        needed = self.needed(layer, every, unit * largest)
        shift = -200
        while needed > self.high * unit * 2.0**shift:
            shift += 1
        shift = shift if needed > 0 else 0
        if neuron.spiking:
            while round(min(every["threshold"]) / (unit * 2.0**shift)) < 1:
                shift -= 1
        self.words[name, "sign"], self.words[name, "k"] = (1 if factor > 0 else -1), shift
        self.words[name, "v step"] = unit * 2.0**shift
        if neuron.spiking:
            return 1.0, neuron.max_spikes, False
        return unit * 2.0**shift, 1 << (self.bits - 1), True

    def stated(self, layer, key):
        found = self.parts[layer.name].get(key)
        return np.asarray(getattr(layer.neuron, key)) if found is None else found

    def needed(self, layer, every, reachable):
        neuron, lowest = layer.neuron, self.stated(layer, "minimum")
        lowest = 0.0 if lowest is None or lowest.dtype == object else float(np.abs(lowest).max())
        rest = max(abs(x) for x in every["rest"])
        if neuron.spiking:
            headroom = {True: 4, False: 8 if self.bits < 16 else 16}[self.bits < 12]
            many = headroom * min(neuron.max_spikes, 8)
            return max(rest, lowest, many * max(every["threshold"]), *(abs(x) for x in every["reset_to"]))
        added = 1
        for key in ["leak", "current_leak"][: 2 if neuron.model.startswith("cuba") else 1]:
            kept, steps = max(every[key]), self.network.timesteps
            added *= steps if kept == 1.0 else min(steps, 1.0 / (1.0 - kept))
        reachable *= min(added, 2.0 ** max(0, self.bits - 8))
        return rest + max(reachable, lowest)

    def operate(self, layer, operands, place, step):
        if layer.kind == "add" or (layer.kind == "scale" and layer.name in self.factors):
            found = sum(o[place] * f for o, f in zip(operands, self.factors[layer.name], strict=True))
        elif layer.kind in ("batchnorm", "scale"):
            found = operands[0][place]
        elif layer.kind == "avgpool2d":
            found = self.pool(_Sum(layer), operands[0], place)
        else:
            found = super().operate(layer, operands, place, step)
        shift = self.words.get((layer.name, "shift"), 0)
        if layer.recurrent is not None:
            found *= self.factors[layer.name][0]
        return half_up(Fraction(int(found), 2**shift)) if shift else int(found)

    def written(self, layer, word):
        """A word as it is written: within its bits."""
        self.saturated[layer.name] += not self.low <= word <= self.high
        return min(max(word, self.low), self.high)

    def constant(self, layer, place, key):
        value = self.stated(layer, key)
        value = -math.inf if value is None or value.dtype == object else float(element(value, place))
        if value == -math.inf:
            return self.low
        return min(max(round(value / self.words[layer.name, "v step"]), self.low), self.high)

    def left(self, word, kept):
        """What a leak leaves."""
        lost = Fraction(1.0 - kept)
        if lost == 0 or (lost.numerator == 1 and lost.denominator & (lost.denominator - 1) == 0):
            return word - math.floor(word * lost)
        return half_up(Fraction(word * round(kept * 65536), 65536))

    def neuron(self, layer, place, x):
        neuron, key, name = layer.neuron, (layer.name, place), layer.name
        shift = self.words[name, "k"]
        current = half_up(Fraction(int(x)) * self.words[name, "sign"] / Fraction(2) ** shift)
        kept = float(element(self.stated(layer, "leak"), place))
        if neuron.model.startswith("cuba"):
            old, of_current = int(self.i[key]), float(element(self.stated(layer, "current_leak"), place))
            self.i[key] = self.written(layer, self.left(old, of_current) + current)
            current = old if neuron.membrane_sees == "old" else self.i[key]
        v = self.left(int(self.v[key]), kept) + current
        rest = (1.0 - kept) * float(element(self.stated(layer, "rest"), place))
        v += min(max(round(rest / self.words[name, "v step"]), self.low), self.high)
        threshold = self.constant(layer, place, "threshold")
        if neuron.reset == "delayed_subtract":
            v -= threshold * self.fired[key]
        if neuron.reset == "delayed_hard" and self.fired[key]:
            v = 0
        v = self.written(layer, max(v, self.constant(layer, place, "minimum")) if self.bounded(layer) else v)
        raw = v * self.words[name, "v step"]
        if not neuron.spiking:
            self.v[key] = v
            return v, raw
        spikes = self.compare(neuron, v, Fraction(threshold))
        if neuron.reset == "hard" and spikes:
            v = self.constant(layer, place, "reset_to")
        if neuron.reset == "subtract":
            v -= threshold * spikes
        self.v[key], self.fired[key] = v, spikes
        return spikes, raw

    def bounded(self, layer):
        """Whether some neuron of the layer has a lower bound inside the word."""
        return any(self.constant(layer, place, "minimum") > self.low for place in places(layer.out_shape))


class _Sum:
    """The layer, as one that sums."""

    def __init__(self, layer):
        self.kind, self.kernel, self.stride, self.padding = "sumpool2d", layer.kernel, layer.stride, layer.padding
