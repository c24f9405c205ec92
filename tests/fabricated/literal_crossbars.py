"""A weighted layer on crossbars in plain loops: every position, timestep, bit plane, crossbar, row and column.

Written from docs/crossbar.md and the equations of the docstrings of archsim.fabricated and archsim.analog.circuit; the
network of every crossbar is solved by a dense nodal analysis of its own. What is drawn (conductances, converters) and
what is set (range, gain) is read from the layer.
"""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np

from archsim.fabricated.converters import drawn

NEAR = 0.01
"""Codes within so much of the edge between two of them are left open: responses lie on a grid of their own."""


def resistors_of(cells_s, driven, wires):
    """(node, node, ohm) of a crossbar; nodes that no resistance divides are one. A gated row (None) has none."""
    rows, columns = cells_s.shape

    def word(i, j):
        if wires.wordline:
            return ("word", i, j)
        return ("word", i) if wires.driver else ("source", i)

    def bit(i, j):
        if wires.bitline:
            return ("bit", i, j)
        return ("bit", j) if wires.sense else ("sink", j)

    found = []
    for i in range(rows):
        if driven[i] is None:
            continue
        found.append((("source", i), word(i, 0), wires.driver + wires.wordline))
        found += [(word(i, j), bit(i, j), 1.0 / cells_s[i, j]) for j in range(columns)]
        found += [(word(i, j - 1), word(i, j), wires.wordline) for j in range(1, columns)]
    for j in range(columns):
        found.append((bit(rows - 1, j), ("sink", j), wires.bitline + wires.sense))
        found += [(bit(i - 1, j), bit(i, j), wires.bitline) for i in range(1, rows)]
    return [(one, other, ohm) for one, other, ohm in found if one != other]


def nodal(cells_s, driven, wires):
    """Currents [C] out of a crossbar, the rows at ``driven`` volt; None: disconnected. By nodal analysis."""
    resistors = resistors_of(cells_s, driven, wires)
    inner = {node for one, other, _ in resistors for node in (one, other) if node[0] in ("word", "bit")}
    number = {node: n for n, node in enumerate(sorted(inner))}

    def held(node):
        return driven[node[1]] if node[0] == "source" else 0.0

    matrix, right = np.zeros((len(number), len(number))), np.zeros(len(number))
    for one, other, ohm in resistors + [(other, one, ohm) for one, other, ohm in resistors]:
        if one in number:
            matrix[number[one], number[one]] += 1 / ohm
            if other in number:
                matrix[number[one], number[other]] -= 1 / ohm
            else:
                right[number[one]] += held(other) / ohm
    solved = np.linalg.solve(matrix, right)
    volt = {node: solved[n] for node, n in number.items()}
    found = np.zeros(cells_s.shape[1])
    for one, other, ohm in resistors:
        if other[0] == "sink":
            found[other[1]] += volt.get(one, held(one)) / ohm
    return found


def digits_of(weight, scheme, weight_bits, cell_bits):
    """(positive columns, negative columns) of a whole weight; with an offset all are the first."""
    base = 1 << cell_bits
    if scheme == "offset":
        slices = math.ceil(weight_bits / cell_bits)
        stored = (weight + 1) // 2 if weight_bits == 1 else weight + (1 << (weight_bits - 1))
        return [stored // base**n % base for n in range(slices)], []
    slices = max(1, math.ceil((weight_bits - 1) / cell_bits))
    return tuple([max(sign * weight, 0) // base**n % base for n in range(slices)] for sign in (1, -1))


class Literal:
    """One layer of a chip, for whole ``weights`` [out, in / groups, kh, kw]."""

    def __init__(self, layer, weights):
        self.made, self.arch, self.shape = layer, layer.arch, layer.layer
        self.place, self.crossbar, self.adc = layer.placement, layer.arch.crossbar, layer.arch.adc
        self.signed, self.bits = self.crossbar.signed, self.shape.weight_bits
        self.weights = np.asarray(weights).reshape(self.shape.groups, self.shape.filters, -1).astype(int)
        self.slices = len(digits_of(1, self.signed, self.bits, self.crossbar.cell_bits)[0])
        self.cells_s = layer.cells.conductance_s
        states = [one * 1e-6 for one in self.crossbar.states_us]
        self.states, self.step_s = states, (states[-1] - states[0]) / (len(states) - 1)
        self.flipped = [[self._flips(group, out) for out in range(self.shape.filters)]
                        for group in range(self.shape.groups)]  # fmt: skip
        self.mismatch = drawn(self.arch, self.place, layer.number, self.cells_s.shape[2])
        self.solved, self.open = {}, 0

    def _flips(self, group, out):
        if self.arch.mapping.encoding != "complement":
            return False
        here = [level for weight in self.weights[group, out] for level in self._levels(weight, False)]
        return sum(here) > sum((1 << self.crossbar.cell_bits) - 1 - level for level in here)

    def _levels(self, weight, flipped, sign=0):
        """Levels of a weight's columns in a crossbar."""
        positive, negative = digits_of(int(weight), self.signed, self.bits, self.crossbar.cell_bits)
        if flipped:
            positive = [(1 << self.crossbar.cell_bits) - 1 - one for one in positive]
        if self.signed == "differential":
            return positive + negative
        return negative if sign < 0 else positive

    def per_output(self):
        return self.slices * (2 if self.signed == "differential" else 1)

    def inputs_of(self, x):
        """Reduction index in each used row of a crossbar, from the first."""
        return [int(self.place.first[x]) + n * self.place.step for n in range(int(self.place.rows[x]))]

    def designed(self):
        """The conductances that plain or complement encoding wants, [X, R, C]."""
        found = np.full(self.cells_s.shape, self.states[0])
        rows = self.cells_s.shape[1]
        for x in range(self.place.crossbars):
            group, start, many = int(self.place.group[x]), int(self.place.output[x]), int(self.place.outputs[x])
            inputs = self.inputs_of(x)
            for n, k in enumerate(inputs):
                row = rows - len(inputs) + n
                column = 0
                for out in range(start, start + many):
                    flipped = self.flipped[group][out]
                    for level in self._levels(self.weights[group, out, k], flipped, int(self.place.sign[x])):
                        found[x, row, column] = self.states[level]
                        column += 1
                if self.signed == "offset":
                    found[x, row, column] = self.states[1]
        return found

    def columns(self, x, bits):
        """Answers of the used columns of a crossbar to ``bits`` on its used rows (None: not driven in this pass)."""
        rows = self.cells_s.shape[1]
        used = [bit or 0 for bit in bits]
        wires = self.crossbar.wires
        silent = None if self.crossbar.silent_rows == "gated" else 0.0
        if silent is None:
            driven = tuple([None] * (rows - len(used)) + [1.0 if bit else None for bit in used])
            if (x, driven) not in self.solved:
                self.solved[x, driven] = nodal(self.cells_s[x], driven, wires)
            currents = self.solved[x, driven]
        else:
            currents = np.zeros(self.cells_s.shape[2])
            for n, bit in enumerate(used):
                if bit:
                    row = rows - len(used) + n
                    if (x, row) not in self.solved:
                        alone = [1.0 if one == row else 0.0 for one in range(rows)]
                        self.solved[x, row] = nodal(self.cells_s[x], alone, wires)
                    currents = currents + self.solved[x, row]
        many = int(self.place.outputs[x]) * self.per_output() + (self.signed == "offset")
        dummy = currents[-1] if self.signed == "offset" else 0.0
        return [(currents[column] - dummy) / self.step_s for column in range(many)]

    def converted(self, y, x, column):
        """What the digital side takes for a column's current, and whether it could be one code more or less."""
        if self.adc.ideal:
            return y, False
        most = (1 << self.adc.bits) - 1
        lsb = self.made.quantiser.range / most
        gain, offset = 1.0, 0.0
        if self.mismatch is not None:
            gain, offset = self.mismatch.gain[x, column], self.mismatch.offset[x, column]
        exact = y * gain / lsb + offset + 0.5
        inside = -NEAR < exact < most + NEAR
        is_open = inside and abs(exact - round(exact)) < NEAR and 0 < round(exact) <= most
        return min(max(math.floor(exact), 0), most) * lsb, is_open

    def window(self, maps, group, y, x):
        """Inputs of a position in the order of the weights."""
        layer, found = self.shape, []
        channels = layer.in_shape[0] // layer.groups
        for channel in range(group * channels, (group + 1) * channels):
            for ky in range(layer.kernel[0]):
                for kx in range(layer.kernel[1]):
                    row = y * layer.stride[0] - layer.padding[0] + ky * layer.dilation[0]
                    col = x * layer.stride[1] - layer.padding[1] + kx * layer.dilation[1]
                    inside = 0 <= row < layer.in_shape[1] and 0 <= col < layer.in_shape[2]
                    found.append(int(maps[channel, row, col]) if inside else 0)
        return found

    def sums(self, vector, replica, group):
        """Sums of a group's filters for one window, and which of them are open."""
        mine = [x for x in range(self.place.crossbars)
                if self.place.replica[x] == replica and self.place.group[x] == group]  # fmt: skip
        at_once = self.crossbar.rows if self.crossbar.active_rows == "all" else self.crossbar.active_rows
        found, is_open = [0.0] * self.shape.filters, [False] * self.shape.filters
        for plane in range(self.shape.in_bits):
            together = defaultdict(list)
            for x in mine:
                bits = [vector[k] >> plane & 1 for k in self.inputs_of(x)]
                owner = int(self.place.pe[x]) if self.adc.analog_sum else x
                for start in range(0, len(bits), at_once):
                    driven = [bit if start <= n < start + at_once else None for n, bit in enumerate(bits)]
                    key = (owner, int(self.place.output[x]), int(self.place.sign[x]), start)
                    together[key].append((x, driven))
            for (_, first, sign, _), parts in together.items():
                active = any(bit for _, driven in parts for bit in driven)
                if self.adc.skip_silent and not active:
                    continue
                answers = [self.columns(x, driven) for x, driven in parts]
                added = [sum(each) for each in zip(*answers, strict=True)]
                digital = [self.converted(y, parts[0][0], column) for column, y in enumerate(added)]
                self._combine(digital, first, sign, group, 1 << plane, found, is_open)
        return found, is_open

    def _combine(self, digital, first, sign, group, worth, found, is_open):
        """Add what the columns of one conversion make of each output."""
        per, base = self.per_output(), 1 << self.crossbar.cell_bits
        outputs = (len(digital) - (self.signed == "offset")) // per
        for n in range(outputs):
            values = [value for value, _ in digital[n * per : (n + 1) * per]]
            out = first + n
            is_open[out] |= any(one for _, one in digital[n * per : (n + 1) * per])
            if self.signed == "differential":
                half = self.slices
                pairs = zip(values[:half], values[half:], strict=True)
                total = sum((plus - minus) * base**digit for digit, (plus, minus) in enumerate(pairs))
            else:
                total = sum(value * base**digit for digit, value in enumerate(values))
            if self.signed == "diff":
                total *= sign
            if self.signed == "offset":
                inputs, near = digital[-1]
                is_open[out] |= near
                if self.flipped[group][out]:
                    total = (base**self.slices - 1) * inputs - total
                total = 2 * total - inputs if self.bits == 1 else total - (1 << (self.bits - 1)) * inputs
            found[out] += worth * total

    def currents(self, values):
        """Currents [B, T, F, H, W] of values [B, T, C, H, W]; NaN where the last digit of a code is open."""
        batch, steps = values.shape[:2]
        values = values.reshape(batch, steps, *self.shape.in_shape)
        height, width = self.shape.out_shape[1:]
        band = -(-height // self.place.replicas)
        found = np.full((batch, steps, *self.shape.out_shape), np.nan)
        gain = np.broadcast_to(self.made.gain, self.shape.out_shape)
        bias = self.made.bias
        for b, t, group, y, x in np.ndindex(batch, steps, self.shape.groups, height, width):
            vector = self.window(values[b, t], group, y, x)
            sums, is_open = self.sums(vector, y // band, group)
            for n, (total, near) in enumerate(zip(sums, is_open, strict=True)):
                out = group * self.shape.filters + n
                scaled = total * float(gain[out, y, x]) / self.made.scale
                tie = abs(scaled - math.floor(scaled) - 0.5) < 1e-6
                if near or tie:
                    self.open += 1
                    continue
                added = 0.0 if bias is None else float(np.asarray(bias).reshape(-1)[out])
                found[b, t, out, y, x] = round(scaled) + added
        return found
