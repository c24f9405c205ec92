"""Start cycles of small networks on crossbars, by hand; what lengthens and shortens a run; both engines."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from archsim.accelerators.crossbar.lower import lower_graph
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.analysis.attribution import attribute
from archsim.config import parse_document, validate
from archsim.engine import Execution, des, execute, fast
from archsim.errors import MisfitError, UnsupportedError
from archsim.workload import Workload, load_workload
from archsim.workload.activity import Activity


class Given(Activity):
    """Spikes of the input and of every layer, given outright."""

    synthetic = True

    def __init__(self, network: Any, given: dict[str, Any]) -> None:
        super().__init__(network)
        self._given = given

    def describe(self) -> str:
        return "given"

    @property
    def samples(self) -> range:
        return range(1)

    def density_of(self, layer: Any, sample: int = 0) -> float:
        return float(np.mean(self.inputs_of(layer, sample) != 0))

    def _make_edge(self, name: str, sample: int) -> Any:
        if name in self._given:
            return np.asarray(self._given[name], np.uint8)
        layer = self.network.layer(name)
        if layer.neuron is None:
            return self._computed(layer, sample)
        return np.zeros((self.network.timesteps, *layer.out_shape), np.uint8)


def chip(**changes: Any) -> CrossbarArchitecture:
    """4 x 4 crossbars at 1 GHz: a read settles in 2 cycles, a conversion takes 3; two columns share a converter."""
    base: dict[str, Any] = {
        "family": "crossbar", "name": "by hand", "clock": 1000,
        "crossbar": {"rows": 4, "cols": 4, "device": "rram", "read": 2, "cell_bits": 4, "column_mux": 2},
        "adc": {"bits": 4, "conversion": 3}, "buffer": {"port_bits": 18}, "neuron": {"units": 2},
        "noc": {"flit_bits": 4, "router_cycles": 5}, "granularity": "row",
    }  # fmt: skip
    for key, value in changes.items():
        base[key] = {**base[key], **value} if isinstance(value, dict) and key in base else value
    return validate(CrossbarArchitecture, parse_document(json.dumps(base), "drawn"))


def network(tmp_path: Any, layers: list[dict[str, Any]], given: dict[str, Any], shape: Any = (2, 2, 2)) -> Workload:
    described = {
        "name": "by hand", "timesteps": 2, "input": {"shape": list(shape), "encoding": "events"},
        "precision": {"weight_bits": 4}, "layers": layers, "activity": {"density": 0.5},
    }  # fmt: skip
    file = tmp_path / "net.yaml"
    file.write_text(json.dumps(described))
    loaded = load_workload(str(file))
    return Workload(loaded.network, Given(loaded.network, given), loaded.document, loaded.hash)


CONV = {"name": "a", "type": "conv2d", "out_channels": 2, "kernel": 3, "padding": 1}


def starts(done: Execution, unit: str) -> list[int]:
    graph = done.graph
    number = [one.name for one in graph.units].index(unit)
    return [int(cycle) for cycle in done.start[graph.unit == number]]


@pytest.mark.parametrize("engine", ["des", "fast"])
def test_one_convolution_two_timesteps_by_hand(tmp_path: Any, engine: Any) -> None:
    """2 channels, 3 x 3, 2 filters in differential columns: 9 crossbars of 2 x 4 cells in one PE, one tile.

    A position with a spike: 2 cycles to settle and 2 conversions of 3 = 8; without: the fetch of 18 bits, 1 cycle.
    t = 0 has one spike in the corner of a 2 x 2 map: all four positions see it, a row takes 16. t = 1 is silent: 2.
    A row has 4 values for 2 neuron units: 2 cycles.
    """
    spikes = np.zeros((2, 2, 2, 2), np.uint8)
    spikes[0, 1, 0, 0] = 1
    done = execute(lower_graph(chip(), network(tmp_path, [CONV], {"input": spikes})), engine)
    assert starts(done, "a.read.0") == [0, 16, 32, 34]
    assert starts(done, "a.neurons.0") == [16, 32, 34, 36]
    assert done.cycles == 38


def test_two_layers_overlap_as_the_pipeline_allows(tmp_path: Any) -> None:
    """Both layers full of spikes: a row takes 16, its neurons 2. The second layer lies in a tile of its own.

    A row of 2 positions x 2 channels goes as 2 bitmap flits over one hop of 5 cycles. Row 0 of the second layer needs
    row 1 of the first, which is read at 16..32, updated at 34, sent at 36 and there at 41.
    """
    ones = np.ones((2, 2, 2, 2), np.uint8)
    layers = [CONV, {**CONV, "name": "b"}]
    full, layer, none = (
        execute(lower_graph(chip(pipeline=kind), network(tmp_path, layers, {"input": ones, "a": ones})))
        for kind in ("full", "layer", "none")
    )
    assert starts(full, "a.read.0") == [0, 16, 32, 48]
    assert starts(full, "port.1") == [18, 34, 50, 66]
    assert starts(full, "b.read.0") == [41, 57, 73, 89]
    assert starts(layer, "b.read.0") == [41, 57, 73, 89]
    assert starts(none, "b.read.0") == [73, 89, 105, 121]
    assert (full.cycles, none.cycles) == (107, 139)


def test_timesteps_of_a_row_may_follow_each_other(tmp_path: Any) -> None:
    spikes = np.zeros((2, 2, 2, 2), np.uint8)
    spikes[0] = 1
    done = execute(lower_graph(chip(timesteps="together"), network(tmp_path, [CONV], {"input": spikes})))
    assert starts(done, "a.read.0") == [0, 16, 18, 34]
    assert done.graph.timestep[:4].tolist() == [0, 1, 0, 1]


def test_partial_sums_of_two_tiles_meet_at_the_first(tmp_path: Any) -> None:
    """One crossbar per PE, five PEs per tile: tile 1 sends 2 sums of 16 bits for 2 positions: 16 flits, one hop."""
    ones = np.ones((2, 2, 2, 2), np.uint8)
    spread = chip(pe={"crossbars": 1}, tile={"pes": 5})
    done = execute(lower_graph(spread, network(tmp_path, [CONV], {"input": ones})))
    assert starts(done, "port.0") == [16, 32, 48, 64]
    assert starts(done, "a.neurons.0") == [16 + 16 + 5, 53, 69, 85]


def test_a_small_input_buffer_holds_the_producer_back(tmp_path: Any) -> None:
    """8 rows; a second layer with slow neurons and room for 3 rows lets the first run only that far ahead."""
    ones = np.ones((2, 2, 8, 8), np.uint8)
    layers = [CONV, {**CONV, "name": "b", "out_channels": 12}]
    given = {"input": ones, "a": ones}
    net = network(tmp_path, layers, given, (2, 8, 8))
    slow = {"neuron": {"units": 1}, "adc": {"conversion": 1}}
    free, tight = (execute(lower_graph(chip(buffer={"rows": rows}, **slow), net)) for rows in ("all", 3))
    waits = {unit.unit: unit for unit in attribute(tight).units}
    assert sum(waits["a.neurons.0"].blocked.values()) > 0 and free.cycles <= tight.cycles
    with pytest.raises(MisfitError, match="demands 3 rows"):
        lower_graph(chip(buffer={"rows": 2}), net)
    with pytest.raises(UnsupportedError, match="bands"):
        lower_graph(chip(buffer={"rows": 3}, mapping={"replicate": 2}), net)


@pytest.mark.parametrize(
    "change",
    [
        {"adc": {"conversion": 6}}, {"crossbar": {"read": 40}}, {"crossbar": {"column_mux": 4}},
        {"neuron": {"units": 1}},
        {"noc": {"flit_bits": 1}}, {"pipeline": "none"}, {"adc": {"share": "pe"}},
    ],
)  # fmt: skip
def test_slower_hardware_lengthens_the_run(tmp_path: Any, change: dict[str, Any]) -> None:
    ones = np.ones((2, 2, 4, 4), np.uint8)
    layers = [{**CONV, "out_channels": 8}, {**CONV, "name": "b"}]
    net = network(tmp_path, layers, {"input": ones, "a": np.ones((2, 8, 4, 4), np.uint8)}, (2, 4, 4))
    slow_neurons = {"neuron": {"units": 2}} if "neuron" not in change else {}
    before = execute(lower_graph(chip(**slow_neurons), net)).cycles
    assert execute(lower_graph(chip(**change), net)).cycles > before


def test_replicas_and_sample_hold_shorten_the_run(tmp_path: Any) -> None:
    ones = np.ones((2, 2, 4, 4), np.uint8)
    net = network(tmp_path, [CONV], {"input": ones}, (2, 4, 4))
    one, two = (execute(lower_graph(chip(mapping={"replicate": n}), net)).cycles for n in (1, 2))
    held = execute(lower_graph(chip(crossbar={"conducts": "sample_hold"}), net)).cycles
    assert two < one and held < one


@pytest.mark.parametrize("workload", ["cnn-mnist", "vgg9-cifar10", "resnet19-cifar10", "icassp-tdbn"])
@pytest.mark.parametrize("replicate", [1, 3])
def test_both_engines_agree_on_shipped_networks(workload: str, replicate: int) -> None:
    large = chip(
        clock=250, crossbar={"rows": 64, "cols": 64, "cell_bits": 2}, neuron={"units": 64}, noc={"flit_bits": 32},
        mapping={"replicate": replicate}, granularity="row",
    )  # fmt: skip
    graph = lower_graph(large, load_workload(workload))
    expected = des.start_cycles(graph)
    assert np.all(expected >= 0) and np.array_equal(fast.start_cycles(graph, False), expected)
