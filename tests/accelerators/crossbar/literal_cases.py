"""Random small networks on random small crossbar chips, drawn by hypothesis, with values on every edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from literal_case import Case
from literal_chip import replicas

from archsim.accelerators.crossbar.mapping import place

Draw = Any
MOST_WEIGHTS = 150  # of a convolution with more than one filter


@dataclass
class Edge:
    name: str
    shape: tuple[int, int, int]
    signed: bool = False
    flat: bool = False  # flattened: read by vectors only


def windows(
    shape: tuple[int, int, int],
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    dilation: tuple[int, int] = (1, 1),
) -> tuple[int, int, int]:
    """Shape of the map that windows make of a map."""
    height, width = (
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, p, d in zip(shape[1:], kernel, stride, padding, dilation, strict=True)
    )
    return shape[0], height, width


class Drawing:
    """A network while it is drawn, layer by layer."""

    def __init__(self, draw: Draw, edge: Edge) -> None:
        self.draw, self.layers = draw, list[dict[str, Any]]()
        self.edges = [edge]  # of all layers so far; the last one is read next

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def put(self, shape: tuple[int, int, int], signed: bool, **described: Any) -> None:
        name = f"{described['type'][0]}{len(self.layers)}"
        self.layers.append({"name": name, **described})
        self.edges.append(Edge(name, shape, signed))

    def neuron(self) -> dict[str, Any]:
        model = self.pick("lif", "lif", "if", "cuba_lif")
        found = {"reset": self.pick("hard", "subtract", "delayed_subtract", "delayed_hard", "none")}
        found["max_spikes"] = self.pick(1, 1, 1, 3, 1, 1, 300)
        return found | self.potential(model)

    def potential(self, model: str) -> dict[str, Any]:
        """What neurons with and without spikes have in common."""
        found: dict[str, Any] = {"model": model, "update": self.pick("decay", "decay", "euler")}
        if model != "if":
            found["leak"] = self.pick(0.9375, 0.9, 1.0, 0.5)
        if model.startswith("cuba"):
            found["current_leak"] = self.pick(0.0, 0.5, 0.7)
        for key, value in (("minimum", -1.0), ("rest", 0.25), ("gain", 2.0)):
            if self.pick(False, False, True):
                found[key] = value
        return found

    def stage(self, last: bool) -> None:
        """A weighted layer that reads the last edge or an earlier one, and its tail."""
        unsigned = [edge for edge in self.edges if not edge.signed]
        source = self.pick(unsigned[-1], unsigned[-1], self.pick(*unsigned))
        leaving = self.pick("spikes", "spikes", "spikes", "currents", "potentials")
        head = {"from": source.name, "bias": self.pick(False, True), "spiking": leaving != "currents"}
        if leaving == "spikes":
            head["neuron"] = self.neuron()
        elif leaving == "potentials":
            head["neuron"] = self.potential(self.pick("li", "cuba_li"))
        self.first = len(self.edges)
        self.put_weighted(source.shape, head, leaving != "spikes", source.flat)
        for _ in range(self.pick(0, 0, 1, 2, 3)):
            self.tail()
        if self.edges[-1].signed and not (last and self.pick(True, False)):
            if self.edges[-1].name[0] != "n" and self.pick(True, False, False):
                self.tail()
            if leaving == "potentials" and len(self.edges) == self.first + 1:  # else it would be this layer's neuron
                self.put(self.edges[-1].shape, True, type="scale")
            self.put(self.edges[-1].shape, False, type="neuron", neuron=self.neuron())
            if self.pick(False, False, True):
                self.tail()
                if self.edges[-1].signed:
                    self.put(self.edges[-1].shape, False, type="neuron", neuron=self.neuron())

    def put_weighted(self, shape: tuple[int, int, int], head: dict[str, Any], signed: bool, flat: bool = False) -> None:
        channels, height, width = shape
        kind = self.pick(*["conv2d"] * 3 * (not flat), "linear", "matmul")
        if kind != "conv2d":
            same = channels * height * width if kind == "linear" else channels
            features = self.pick(1, 2, 3, 5, min(same, 12))
            rows = 1 if kind == "linear" else height * width
            return self.put((features, rows, 1), signed, type=kind, out_features=features, **head)
        groups = self.pick(1, 1, channels, *(n for n in (2, 3) if channels % n == 0))
        kept = [edge.shape[0] for edge in self.edges if edge.shape[0] % groups == 0]
        out = self.pick(groups * self.pick(1, 2, 3), *kept[-2:])
        kernel, stride, padding = self.window((height, width))
        if channels // groups * out * kernel[0] * kernel[1] > MOST_WEIGHTS:
            out = groups
        down, right = (
            self.pick(1, *(d for d in (2, 3) if d * (k - 1) < size + 2 * p))
            for size, k, p in zip((height, width), kernel, padding, strict=True)
        )
        self.put(
            (out, *windows(shape, kernel, stride, padding, (down, right))[1:]), signed, type=kind, out_channels=out,
            kernel=kernel, stride=stride, padding=padding, dilation=[down, right], groups=groups, **head,
        )  # fmt: skip

    def window(self, sizes: tuple[int, int]) -> tuple[list[int], list[int], list[int]]:
        """Kernel, stride and padding of each axis; often such that the size stays."""
        if self.pick(True, False):
            k = self.pick(1, 3)
            return [k, k], [1, 1], [k // 2, k // 2]
        kernel, stride, padding = [], [], []
        for size in sizes:
            k = self.pick(1, 2, 3)
            p = self.pick(*range(k))
            kernel.append(min(k, size + 2 * p))
            stride.append(self.pick(1, 1, 2, 3))
            padding.append(min(p, kernel[-1] - 1))
        return kernel, stride, padding

    def tail(self) -> None:
        """A pool, an add with any map of the same shape, a batch norm or a flattening, or nothing."""
        edge = self.edges[-1]
        if edge.flat:
            return
        alike = [one for one in self.edges[:-1] if one.shape == edge.shape and not one.flat]
        kind = self.pick("pool", "batchnorm", "scale", *["flatten"] * (not edge.signed), *["add"] * 4 * bool(alike))
        if kind == "pool":
            kernel, stride, padding = self.window((edge.shape[1], edge.shape[2]))
            pool: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding}
            name = self.pick("maxpool2d", "avgpool2d", "sumpool2d")
            self.put(windows(edge.shape, **pool), edge.signed, type=name, **pool)
        elif kind == "add":
            others, outside = [self.pick(*alike)], [one for one in alike if one in self.edges[: self.first]]
            if others[0] in outside and self.pick(False, False, True):
                others.append(self.pick(*outside))
            names = list(dict.fromkeys(one.name for one in others))
            signed = edge.signed or any(one.signed for one in others)
            self.put(edge.shape, signed, type="add", inputs=[edge.name, *names])
        elif kind == "flatten":
            self.put((edge.shape[0] * edge.shape[1] * edge.shape[2], 1, 1), edge.signed, type="flatten")
            self.edges[-1].flat = edge.shape[1:] != (1, 1)
        else:
            self.put(edge.shape, edge.signed, type=kind)


@st.composite
def networks(draw: Draw) -> dict[str, Any]:
    sizes = tuple(draw(st.integers(1, most)) for most in (4, 5, 5))
    drawing = Drawing(draw, Edge("input", sizes))
    encoding = drawing.pick("direct", "rate", "ttfs", "events")
    entering: dict[str, Any] = {"shape": list(sizes), "encoding": encoding}
    if encoding == "events":
        entering["max_spikes"] = drawing.pick(1, 1, 3, 300)
    stages = drawing.pick(1, 2, 3, 3, 4)
    for number in range(stages):
        drawing.stage(number == stages - 1)
    return {
        "name": "drawn", "timesteps": drawing.pick(1, 2, 3), "input": entering,
        "precision": {"weight_bits": drawing.pick(1, 2, 3, 4), "input_bits": drawing.pick(1, 2, 3),
                      "membrane_bits": drawing.pick(5, 8, 16)},
        "layers": drawing.layers, "activity": {"density": 0.5},
    }  # fmt: skip


@st.composite
def tables(draw: Draw) -> dict[str, Any]:
    """Layers that do not feed each other."""
    found, timesteps = [], draw(st.integers(1, 3))
    for number in range(draw(st.integers(1, 3))):
        shape = tuple(draw(st.integers(1, most)) for most in (4, 4, 4))
        drawing = Drawing(draw, Edge("input", shape))
        drawing.put_weighted(shape, {"bias": drawing.pick(False, True)}, False)
        spec = {**drawing.layers[0], "name": f"t{number}", "input_shape": list(shape)}
        if spec["type"] == "linear":
            spec["input_shape"] = [shape[0] * shape[1] * shape[2]]
        elif spec["type"] == "matmul":
            spec["input_shape"] = [shape[1] * shape[2], shape[0]]
        found.append(spec)
    return {
        "name": "table", "timesteps": timesteps, "chained": False, "layers": found, "activity": {"density": 0.5},
        "precision": {"weight_bits": draw(st.integers(1, 4)), "membrane_bits": 8},
    }  # fmt: skip


# -- chips -------------------------------------------------------------------------------------------------------------


@st.composite
def cases(draw: Draw) -> Case:
    network = draw(st.one_of(networks(), networks(), networks(), networks(), tables()))

    def pick(*choices: Any) -> Any:
        return draw(st.sampled_from(choices))

    chip = {
        "family": "crossbar", "name": "drawn", "clock": pick(100, 1000), **_arrays(pick, network["precision"]),
        **_order(pick), "tile": {"pes": pick(1, 2, 3), "side": "0.1 mm", "wiring": pick("htree", "bus"),
                                 "wires": pick(1, 16, 256)},
        "mapping": {"unroll": pick("kernel", "flat"), "replicate": pick(1, 2, 3), "share_tiles": pick(False, True)},
        "accumulator_bits": pick(4, 16), "granularity": pick("position", "row"), "pool_lanes": pick(1, 4),
        "neuron": {"units": pick(1, 2, "per_channel"), "clear_between_inputs": pick(False, True),
                   "membrane": {"line": pick(1, 2, 4)}},
        "noc": {"flit_bits": pick(1, 4, 32), "packets": pick("aer", "bitmap"), "cast": pick("unicast", "multicast")},
    }  # fmt: skip
    case = Case(chip, network, draw(st.integers(0, 2**20)), pick(0, 0.1, 0.4, 0.8, 1))
    return _with_tiles(case, pick("as_needed", "enough", "rounds"), draw(st.integers(0, 3)))


def _arrays(pick: Any, precision: dict[str, int]) -> dict[str, Any]:
    """Crossbars, converters and PEs, large enough for a weight."""
    signed, cell_bits = pick("differential", "diff", "offset"), pick(1, 2)
    weight_bits = precision["weight_bits"]
    slices = -(-weight_bits // cell_bits) if signed == "offset" else max(1, -(-(weight_bits - 1) // cell_bits))
    cols = slices * (2 if signed == "differential" else 1) + (signed == "offset") + pick(0, 1, 2, 4)
    share, rows = pick("crossbar", "pe"), pick(1, 2, 3, 4, 6)
    return {
        "crossbar": {"rows": rows, "active_rows": pick("all", "all", *range(1, rows + 1)), "cols": cols,
                     "device": "rram-20k-200k", "cell_bits": cell_bits, "signed": signed,
                     "column_mux": pick(*range(1, cols + 1)), "conducts": pick("hold", "sample_hold")},
        "adc": {"bits": pick(1, 2, 4, 6), "conversion": pick(1, 3, 20), "model": "spikesim", "share": share,
                "analog_sum": share == "pe" and pick(True, False), "skip_silent": pick(True, True, False),
                "resolution": pick("full", "active_rows")},
        "pe": {"crossbars": pick(*range(2 if signed == "diff" else 1, 6))},
    }  # fmt: skip


def _order(pick: Any) -> dict[str, Any]:
    """What waits for what, and where inputs come from."""
    pipeline, dram = pick("none", "layer", "full"), {"bandwidth": pick("unlimited", 0.5, 8), "latency": pick(0, 20)}
    return {
        "pipeline": pipeline,
        "timesteps": "sequential" if pipeline == "layer" else pick("sequential", "together"),
        "buffer": {"line": pick(1, 2), "rows": pick("all", 75, 200) if pipeline == "full" else "all"},
        "dram": pick(None, *[{**dram, "row": pick(1, 2, 2048)}] * 2),
    }


def _with_tiles(case: Case, size: str, more: int) -> Case:
    """A chip of a stated size: enough tiles (and some more), or so few that it is loaded in rounds."""
    if size == "as_needed":
        return case
    chip = {**case.chip, "mapping": {**case.chip["mapping"], "replicate": 1}} if size == "rounds" else case.chip
    arch, network = Case(chip, case.network, 0, 0).architecture().chip, case.workload().network
    layers = network.weighted_layers
    placed = place(layers, arch.hierarchy, [replicas(arch.mapping.replicate, one.out_shape[1]) for one in layers])
    if size == "enough":
        return Case({**chip, "tiles": 1 + max(int(one.tile.max()) for one in placed) + more}, *_rest(case))
    longest = max(len(np.unique(one.pe[one.column == 0])) for one in placed)
    dram = case.chip["dram"] or {"bandwidth": 1}
    chip |= {"tiles": -(-longest // arch.tile.pes) + more, "reload": True, "dram": dram}
    return Case({**chip, "buffer": {**chip["buffer"], "rows": "all"}}, *_rest(case))


def _rest(case: Case) -> tuple[dict[str, Any], int, float]:
    return case.network, case.seed, case.density
