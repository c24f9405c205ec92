"""A network executed one neuron at a time, in plain loops over single numbers, from the docstrings of the model.

Nothing of archsim.snn is used. Timesteps are the outer loop; a map is a dict (c, y, x) -> number; every operation is
one of two numbers of the chosen type, so it rounds as that type does.
"""

from __future__ import annotations

import itertools
import math

import numpy as np


def places(shape):
    return itertools.product(*(range(size) for size in shape))


def element(array, place):
    """A parameter given as one number, [C], [C, 1, 1] or [C, H, W], at one place."""
    array = np.asarray(array)
    if array.ndim == 0:
        return array[()]
    if array.ndim == 1:
        return array[place[0]]
    return array[tuple(0 if size == 1 else at for size, at in zip(array.shape, place, strict=True))]


class Literal:
    """One input through one network."""

    def __init__(self, workload, kind):
        self.network, self.weights, self.kind = workload.network, workload.weights, kind
        self.v, self.i, self.fired, self.late = {}, {}, {}, {}
        for layer in self.network.layers:
            for place in places(layer.out_shape):
                key = layer.name, place
                self.v[key], self.i[key], self.fired[key] = kind(0), kind(0), 0
        self.spikes = {layer.name: [] for layer in self.network.layers if layer.spiking}
        self.potentials = {layer.name: [] for layer in self.network.layers if layer.neuron is not None}
        self.outputs = []

    def part(self, layer, name):
        return None if self.weights is None else self.weights.part(layer.name, name)

    def run(self, maps):
        """``maps``: the real values or spikes [T, C, H, W] that enter."""
        for step in range(self.network.timesteps):
            values = {"input": {place: self.kind(maps[step][place]) for place in places(maps[step].shape)}}
            for layer in self.network.layers:
                values[layer.name] = self.layer(layer, [values[source] for source in layer.sources], step)
            last = self.network.layers[-1]
            self.outputs.append([values[last.name][place] for place in places(last.out_shape)])
        return self

    def layer(self, layer, operands, step):
        left = {}
        for place in places(layer.out_shape):
            left[place] = self.operate(layer, operands, place, step)
        if layer.neuron is None:
            return left
        before = {place: self.fired[layer.name, place] for place in places(layer.out_shape)}
        out, raw = {}, np.zeros(layer.out_shape)
        for place in places(layer.out_shape):
            current = left[place]
            if layer.recurrent is not None:
                current = current + self.feedback(layer, before, place)
            out[place], raw[place] = self.neuron(layer, place, current)
        self.potentials[layer.name].append(raw)
        if layer.spiking:
            spikes = np.zeros(layer.out_shape, np.int64)
            for place in places(layer.out_shape):
                spikes[place] = out[place]
            self.spikes[layer.name].append(spikes)
        return out

    def operate(self, layer, operands, place, step):  # noqa: PLR0911 - one for each kind
        c, first = place[0], operands[0]
        if layer.kind in ("conv2d", "linear", "matmul"):
            return self.weighted(layer, first, place)
        if layer.kind.endswith("pool2d"):
            return self.pool(layer, first, place)
        if layer.kind == "add":
            total = first[place]
            for other in operands[1:]:
                total = total + other[place]
            return total
        if layer.kind == "batchnorm":
            scale, offset = self.part(layer, "scale"), self.part(layer, "offset")
            of_scale = scale[step][c] if scale.ndim == 2 else scale[c]
            of_offset = offset[step][c] if offset.ndim == 2 else offset[c]
            return first[place] * self.kind(of_scale) + self.kind(of_offset)
        if layer.kind == "scale":
            return first[place] * self.kind(element(self.part(layer, "scale"), place))
        if layer.kind == "delay":
            self.late[layer.name, place, step] = first[place]
            return self.late.get((layer.name, place, step - layer.delay), self.kind(0))
        if layer.kind == "flatten":
            return list(first.values())[c]
        return first[place]

    def weighted(self, layer, values, place):
        weight, bias = self.part(layer, "weight"), self.part(layer, "bias")
        o, y, x = place
        total = self.kind(0)
        if layer.kind == "linear":
            for feature, value in enumerate(values.values()):
                total = total + self.kind(weight[o, feature]) * value
        elif layer.kind == "matmul":
            by_row = {}
            for at, value in values.items():
                by_row.setdefault(at[0], []).append(value)
            for feature in range(layer.in_shape[0]):
                total = total + self.kind(weight[o, feature]) * by_row[feature][y]
        else:
            of_group = layer.in_shape[0] // layer.groups
            first = (o // (layer.out_shape[0] // layer.groups)) * of_group
            for c, top, left in places((of_group, *layer.kernel)):
                row = y * layer.stride[0] - layer.padding[0] + top * layer.dilation[0]
                column = x * layer.stride[1] - layer.padding[1] + left * layer.dilation[1]
                if (first + c, row, column) in values:
                    total = total + self.kind(weight[o, c, top, left]) * values[first + c, row, column]
        return total if bias is None else total + self.kind(bias[o])

    def pool(self, layer, values, place):
        c, y, x = place
        window = []
        for top, left in places(layer.kernel):
            at = c, y * layer.stride[0] - layer.padding[0] + top, x * layer.stride[1] - layer.padding[1] + left
            if at in values:
                window.append(values[at])
        if layer.kind == "maxpool2d":
            return max(window, default=self.kind(0))
        total = self.kind(0)
        for value in window:
            total = total + value
        return total / self.kind(layer.kernel[0] * layer.kernel[1]) if layer.kind == "avgpool2d" else total

    def feedback(self, layer, before, place):
        weight, bias = self.part(layer, "recurrent_weight"), self.part(layer, "recurrent_bias")
        c, y, x = place
        order = list(before)
        if layer.recurrent.kind == "elementwise":
            total = self.kind(element(weight, place)) * self.kind(before[place])
            return total if bias is None else total + self.kind(element(bias, place))
        total = self.kind(0)
        if layer.recurrent.kind == "linear":
            for number, other in enumerate(order):
                total = total + self.kind(weight[order.index(place), number]) * self.kind(before[other])
            return total if bias is None else total + self.kind(bias[order.index(place)])
        high, wide = layer.recurrent.kernel
        for other, top, left in places((layer.out_shape[0], high, wide)):
            at = other, y + top - high // 2, x + left - wide // 2
            if at in before:
                total = total + self.kind(weight[c, other, top, left]) * self.kind(before[at])
        return total if bias is None else total + self.kind(bias[c])

    def number(self, layer, name, place):
        array = self.part(layer, name)
        return getattr(layer.neuron, name) if array is None else float(element(array, place))

    def neuron(self, layer, place, x):
        """One neuron for one timestep: what leaves, and the potential before the reset."""
        neuron, key, kind = layer.neuron, (layer.name, place), self.kind
        leak = self.number(layer, "leak", place)
        gain, rest = kind(self.number(layer, "gain", place)), kind(self.number(layer, "rest", place))
        threshold, lost = kind(self.number(layer, "threshold", place)), kind(1.0 - leak)
        current = kind(x)
        if neuron.model.startswith("cuba"):
            old = self.i[key]
            kept = kind(self.number(layer, "current_leak", place)) * old
            self.i[key] = kept + kind(self.number(layer, "current_gain", place)) * current
            current = old if neuron.membrane_sees == "old" else self.i[key]
        v = self.v[key]
        if neuron.update == "decay":
            v = kind(leak) * v + gain * current
            if rest != 0:
                v = v + lost * rest
        elif leak == 1.0:
            v = v + gain * current
        else:
            v = v + lost * (rest - v + gain * current)
        if neuron.reset == "delayed_subtract":
            v = v - threshold * kind(self.fired[key])
        if neuron.reset == "delayed_hard" and self.fired[key] > 0:
            v = kind(0.0)
        minimum = self.number(layer, "minimum", place)
        if minimum is not None and v < kind(minimum):
            v = kind(minimum)
        raw = v
        if not neuron.spiking:
            self.v[key] = v
            return v, raw
        spikes = self.compare(neuron, v, threshold)
        if neuron.reset == "hard" and spikes > 0:
            v = kind(self.number(layer, "reset_to", place))
        if neuron.reset == "subtract":
            v = v - threshold * kind(spikes)
        self.v[key], self.fired[key] = v, spikes
        return kind(spikes), raw

    @staticmethod
    def compare(neuron, v, threshold):
        if neuron.max_spikes == 1:
            return int(v >= threshold if neuron.compare == ">=" else v > threshold)
        ratio = v / threshold
        many = math.floor(ratio) if neuron.compare == ">=" else math.ceil(ratio) - 1
        return min(max(many, 0), neuron.max_spikes)
