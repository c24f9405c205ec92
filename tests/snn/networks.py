"""Random small networks with weights and inputs on dyadic grids, on which float32 holds every sum exactly."""

from __future__ import annotations

import random

import numpy as np
import yaml

from archsim.workload import load_workload
from archsim.workload.weights import write_weights


class Builder:
    """Draws a workload file and its weights."""

    def __init__(self, seed, integers=False):
        self.rng, self.numbers = random.Random(seed), np.random.default_rng(seed)
        self.integers = integers  # what integers of the stated precision can express
        self.shape = tuple(self.rng.randint(1, 3) if axis == 0 else self.rng.randint(3, 5) for axis in range(3))
        self.steps = self.rng.randint(1, 5)
        self.layers, self.arrays, self.shapes = [], {}, {}

    def chance(self, share):
        return self.rng.random() < share

    def grid(self, shape, scale=8, reach=8):
        return self.numbers.integers(-reach, reach + 1, shape) / scale

    def of_map(self, shape, values):
        """One number, [C] or [C, H, W] out of the values."""
        form = self.rng.choice([(), shape[:1], shape, (shape[0], 1, 1)])
        return self.numbers.choice(values, form)

    def neuron(self, last=False):
        models = ["if", "lif", "lif", "cuba_lif"] + (["li", "cuba_li"] * 2 if last else [])
        keys = {"model": self.rng.choice(models), "update": self.rng.choice(["decay", "decay", "euler"])}
        if keys["model"] != "if":
            keys["leak"] = self.rng.choice([0.5, 0.75, 0.9, 0.9375, 1.0, 0.0])
        if keys["model"].startswith("cuba"):
            keys |= {"current_leak": self.rng.choice([0.5, 0.8, 0.0, 1.0]), "current_gain": self.rng.choice([1.0, 0.5])}
            keys["membrane_sees"] = self.rng.choice(["new", "old"])
        if self.chance(0.4):
            keys["gain"] = self.rng.choice([0.5, 2.0, 0.7, -1.0])
        if self.chance(0.3):
            keys["rest"] = self.rng.choice([0.25, -0.5])
        if self.chance(0.3):
            keys["minimum"] = self.rng.choice([-1.0, -0.25, 0.0])
        if keys["model"] in ("li", "cuba_li"):
            return keys
        keys |= {"threshold": self.rng.choice([0.5, 1.0, 1.25, 0.3]), "compare": self.rng.choice([">", ">="])}
        keys["reset"] = self.rng.choice(["hard", "subtract", "delayed_subtract", "delayed_hard", "none"])
        keys["max_spikes"] = self.rng.choice([1, 1, 3, 300])
        if keys["reset"] == "hard" and self.chance(0.3):
            keys["reset_to"] = self.rng.choice([-0.25, 0.125])
        return keys

    def per_neuron(self, name, keys, shape):
        """Some of the neuron's numbers as arrays."""
        choices = {"threshold": [0.5, 1.0, 1.5], "leak": [0.5, 0.875, 1.0, 0.6], "gain": [1.0, 0.5, 0.3],
                   "rest": [0.0, 0.5], "minimum": [-2.0, -0.5], "reset_to": [0.0, -0.5],
                   "current_leak": [0.5, 0.75], "current_gain": [1.0, 0.25]}  # fmt: skip
        useless = {"leak"} if keys["model"] == "if" else set()
        useless |= set() if keys["model"].startswith("cuba") else {"current_leak", "current_gain"}
        useless |= {"threshold", "reset_to"} if "threshold" not in keys else set()
        useless |= {"reset_to"} if keys.get("reset") != "hard" else set()
        if self.integers:
            useless |= {"gain", "current_gain"} | ({"leak"} if keys["update"] == "euler" else set())
        for part, values in choices.items():
            if part not in useless and self.chance(0.25):
                self.arrays[f"{name}.{part}"] = np.asarray(self.of_map(shape, values))

    def recurrence(self, name, shape):
        kind = self.rng.choice(["linear", "elementwise", "conv2d"])
        spec, bias = {"type": kind, "bias": self.chance(0.5)}, None
        if kind == "linear":
            every = int(np.prod(shape))
            weight, bias = self.grid((every, every), 16), self.grid((every,))
        elif kind == "conv2d":
            spec["kernel"] = [self.rng.choice([1, 3]), 3]
            weight, bias = self.grid((shape[0], shape[0], *spec["kernel"])), self.grid((shape[0],))
        else:
            weight, bias = (np.asarray(self.of_map(shape, [0.5, -0.25, 1.0])) for _ in range(2))
        self.arrays[f"{name}.recurrent_weight"] = weight
        if spec["bias"]:
            self.arrays[f"{name}.recurrent_bias"] = bias
        return spec

    def with_neurons(self, layer, shape, last=False):
        layer["neuron"] = keys = self.neuron(last)
        self.per_neuron(layer["name"], keys, shape)
        if "threshold" in keys and self.chance(0.35):
            layer["recurrent"] = self.recurrence(layer["name"], shape)

    def put(self, layer, shape):
        self.layers.append(layer)
        self.shapes[layer["name"]] = self.shape = tuple(shape)

    def weighted(self, kind, last=False, spiking=True):
        name, (channels, height, width) = f"l{len(self.layers)}", self.shape
        layer = {"name": name, "type": kind, "bias": self.chance(0.5), "spiking": spiking}
        if kind == "conv2d":
            groups = self.rng.choice([1, channels])
            out = groups * self.rng.randint(1, 2)
            kernel = [self.rng.randint(1, min(3, height)), self.rng.randint(1, min(3, width))]
            stride, pad = [self.rng.randint(1, 2) for _ in range(2)], [self.rng.randint(0, 2) for _ in range(2)]
            far = [1 if kernel[axis] == 1 or self.shape[1 + axis] + 2 * pad[axis] < 2 * kernel[axis] - 1
                   else self.rng.randint(1, 2) for axis in range(2)]  # fmt: skip
            reach = [far[axis] * (kernel[axis] - 1) + 1 for axis in range(2)]
            sizes = [(self.shape[1 + a] + 2 * pad[a] - reach[a]) // stride[a] + 1 for a in range(2)]
            layer |= {"out_channels": out, "kernel": kernel, "stride": stride, "padding": pad, "groups": groups,
                      "dilation": far}  # fmt: skip
            self.arrays[f"{name}.weight"], shape = self.grid((out, channels // groups, *kernel)), (out, *sizes)
        else:
            out = self.rng.randint(1, 4)
            inside = channels if kind == "matmul" else channels * height * width
            layer["out_features"] = out
            self.arrays[f"{name}.weight"] = self.grid((out, inside))
            shape = (out, height * width if kind == "matmul" else 1, 1)
        if layer["bias"]:
            self.arrays[f"{name}.bias"] = self.grid((out,))
        if spiking:
            self.with_neurons(layer, shape, last)
        self.put(layer, shape)

    def plain(self, kind):
        name, (channels, height, width) = f"l{len(self.layers)}", self.shape
        layer, shape = {"name": name, "type": kind}, self.shape
        if kind.endswith("pool2d"):
            kernel = [self.rng.choice([1, 2]) if size > 1 else 1 for size in (height, width)]
            pad, stride = self.rng.randint(0, 1), self.rng.randint(1, 2)
            layer |= {"kernel": kernel, "padding": pad, "stride": stride}
            sizes = ((size + 2 * pad - k) // stride + 1 for size, k in zip((height, width), kernel, strict=True))
            shape = (channels, *sizes)
        if kind == "flatten":
            shape = (channels * height * width, 1, 1)
        if kind == "delay":
            layer["steps"] = self.rng.randint(1, self.steps + 1)
        if kind == "scale":
            values = [0.5, -2.0, 1.0]
            scale = self.numbers.choice(values) if self.integers else self.of_map(self.shape, values)
            self.arrays[f"{name}.scale"] = np.asarray(scale)
        if kind == "batchnorm":
            timed = self.chance(0.5)
            form = (self.steps, channels) if timed else (channels,)
            scale = self.numbers.choice([0.5, 1.0, -1.0, 2.0], form[-1:] if self.integers else form)
            self.arrays[f"{name}.scale"] = np.broadcast_to(scale, form).copy()
            self.arrays[f"{name}.offset"] = self.grid(form)
        self.put(layer, shape)

    def add(self):
        before = list(self.shapes)[-1]
        alike = [name for name, shape in [*self.shapes.items()][:-1] if shape == self.shape]
        name = f"l{len(self.layers)}"
        if alike:
            self.put({"name": name, "type": "add", "inputs": [before, self.rng.choice(alike)]}, self.shape)
            return
        channels = self.shape[0]
        conv = {"name": name, "type": "conv2d", "kernel": 3, "padding": 1, "out_channels": channels, "spiking": False}
        self.arrays[f"{name}.weight"] = self.grid((channels, channels, 3, 3))
        self.put(conv, self.shape)
        self.put({"name": f"l{len(self.layers)}", "type": "add", "inputs": [name, before]}, self.shape)

    def neurons(self, last=False):
        layer = {"name": f"l{len(self.layers)}", "type": "neuron"}
        self.with_neurons(layer, self.shape, last)
        self.put(layer, self.shape)

    def build(self, folder):
        """Write the files; the loaded workload and inputs as a chip gets them, [N, (T,) C, H, W]."""
        encoding = self.rng.choice(["direct", "events"])
        code = {"shape": list(self.shape), "encoding": encoding}
        largest = 1
        if encoding == "events":
            code["max_spikes"] = largest = self.rng.choice([1, 3])
        else:
            largest, code["scale"] = 15, self.rng.choice([1, 8, 16])
        shape, count = self.shape, self.rng.randint(1, 3)
        for _ in range(self.rng.randint(1, 3)):
            self.block()
        self.tail()
        document = {
            "name": "random", "timesteps": self.steps, "input": code, "layers": self.layers,
            "weights": "random-weights.npz",
            "precision": {"input_bits": 4, "weight_bits": self.rng.choice([2, 4, 5, 8]),
                          "membrane_bits": self.rng.choice([6, 10, 16, 32])},
        }  # fmt: skip
        (folder / "random.yaml").write_text(yaml.safe_dump(document))
        write_weights(folder / "random-weights.npz", self.arrays)
        form = (count, self.steps, *shape) if encoding == "events" else (count, *shape)
        inputs = self.numbers.integers(0, largest + 1, form)
        inputs *= self.numbers.random(form) < 0.5
        return load_workload(folder / "random.yaml"), inputs.astype(np.uint8)

    def block(self):
        if self.chance(0.2):
            self.plain(self.rng.choice(["delay", "avgpool2d", "sumpool2d", "maxpool2d", "scale"]))
        kind = self.rng.choice(["conv2d", "conv2d", "matmul"])
        form = self.rng.choice(["direct", "direct", "behind", "norm", "residual"])
        if form == "direct":
            self.weighted(kind)
            if self.chance(0.3):
                self.add()
                self.neurons()
            return
        self.weighted(kind, spiking=False)
        if form == "norm":
            self.plain("batchnorm")
        if form == "residual":
            self.add()
        if self.chance(0.5):
            self.plain(self.rng.choice(["avgpool2d", "sumpool2d", "maxpool2d", "delay", "scale"]))
        self.neurons()

    def tail(self):
        if self.chance(0.3):
            self.plain("flatten")
        form = self.rng.choice(["current", "neurons", "potential"])
        self.weighted("linear", last=form == "potential", spiking=form != "current")


def random_network(seed, folder, integers=False):
    return Builder(seed, integers).build(folder)
