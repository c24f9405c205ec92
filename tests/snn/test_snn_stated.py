"""The stated precision equals integers that Python itself calculates, and does not depend on batches or threads."""

from __future__ import annotations

import numpy as np
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from literal_integers import Words
from networks import random_network

from archsim.snn import simulate
from archsim.workload import load_workload
from archsim.workload.weights import OF_NEURONS, write_weights


def folded(workload):
    """Weights in float64 with batch norms and scales by channel folded into the layer before them."""
    network = workload.network
    parts = {layer.name: {p: a.astype(float) for p, a in workload.weights.of(layer.name).items()}
             for layer in network.layers}  # fmt: skip
    gone = set()
    for layer in network.layers:
        if layer.kind != "batchnorm":
            continue
        into, own = parts[layer.sources[0]], parts[layer.name]
        if own["scale"].ndim == 2:  # a bias for each timestep is not in the literal interpreter
            return None
        axes = (-1, *(1,) * (into["weight"].ndim - 1))
        bias = into.get("bias", np.zeros(len(own["scale"]))) * own["scale"] + own["offset"]
        parts[layer.sources[0]] |= {"weight": into["weight"] * own["scale"].reshape(axes), "bias": bias}
        gone.add(layer.name)
    return parts


def groups(network):
    """Layers whose weights meet in a sum: every weighted layer with those that an add or a recurrence joins to it."""
    reach, found = {"input": set()}, []
    for layer in network.layers:
        arriving = {layer.name} if layer.weighted else set().union(*(reach[source] for source in layer.sources))
        own = {layer.name} if layer.recurrent is not None else set()
        joined = [arriving | own] if layer.kind == "add" or own else []
        joined += [{layer.name}] if layer.weighted else []
        for names in joined:
            touching = [group for group in found if group & names]
            found = [group for group in found if not group & names] + [names.union(*touching)]
        reach[layer.name] = set() if layer.neuron is not None else arriving
    return [group for group in found if group]


def compare(workload, inputs):
    names = [layer.name for layer in workload.network.layers if layer.neuron is not None]
    found = simulate(workload, inputs, precision="stated", membranes=names)
    parts = folded(workload)
    if parts is None:
        return
    saturated = dict.fromkeys(names, 0)
    for number, given_ in enumerate(inputs):
        words = Words(workload, parts, groups(workload.network))
        maps = given_ if given_.ndim == 4 else [given_] * workload.network.timesteps
        words.run(np.array(maps, object))
        for name, steps in words.spikes.items():
            np.testing.assert_array_equal(found.spikes[name][number], steps, err_msg=name)
        for name, steps in words.potentials.items():
            np.testing.assert_array_equal(found.potentials[name][number], steps, err_msg=name)
        outputs = np.array(words.outputs, float) * words.unit[workload.network.layers[-1].name]
        np.testing.assert_array_equal(found.outputs[number], outputs)
        saturated = {name: saturated[name] + words.saturated[name] for name in names}
    assert found.saturations == saturated


@settings(max_examples=60)
@given(seed=st.integers(0, 1 << 32))
def test_random_networks_equal_integers_one_by_one(tmp_path_factory, seed):
    workload, inputs = random_network(seed, tmp_path_factory.mktemp("net"), integers=True)
    compare(workload, inputs)


def apart(folder):
    """The network in the folder with all neurons in layers of their own; the new names of those that had some."""
    document = yaml.safe_load((folder / "random.yaml").read_text())
    arrays = dict(np.load(folder / "random-weights.npz"))
    layers, moved = [], {}
    for layer in document["layers"]:
        if "inputs" in layer:
            layer["inputs"] = [moved.get(name, name) for name in layer["inputs"]]
        if layer["type"] == "neuron" or "neuron" not in layer:
            layers.append(layer)
            continue
        name = layer["name"]
        moved[name] = f"{name}n"
        own = {key: layer.pop(key) for key in ("neuron", "recurrent") if key in layer}
        layers += [layer | {"spiking": False}, {"name": moved[name], "type": "neuron"} | own]
        for part in (*OF_NEURONS, "recurrent_weight", "recurrent_bias"):
            if f"{name}.{part}" in arrays:
                arrays[f"{moved[name]}.{part}"] = arrays.pop(f"{name}.{part}")
    arrays.pop("format", None)
    document |= {"layers": layers, "weights": "apart-weights.npz"}
    (folder / "apart.yaml").write_text(yaml.safe_dump(document))
    write_weights(folder / "apart-weights.npz", arrays)
    return load_workload(folder / "apart.yaml"), moved


@settings(max_examples=60)
@given(seed=st.integers(0, 1 << 32))
def test_neurons_in_layers_of_their_own_get_the_same_currents(tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("net")
    together, inputs = random_network(seed, folder, integers=True)
    separate, moved = apart(folder)
    first = simulate(together, inputs, precision="stated")
    second = simulate(separate, inputs, precision="stated")
    for name, spikes in first.spikes.items():
        np.testing.assert_array_equal(second.spikes[moved.get(name, name)], spikes, err_msg=name)
    np.testing.assert_array_equal(second.outputs, first.outputs)
    assert second.saturations == {moved.get(name, name): count for name, count in first.saturations.items()}
