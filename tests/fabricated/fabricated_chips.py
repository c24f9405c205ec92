"""Small networks with weights, and chips, for the tests of this folder."""

from __future__ import annotations

import numpy as np
import yaml

from archsim.accelerators import load_architecture
from archsim.analog import load_device
from archsim.snn.plan import operator_of
from archsim.snn.stated import stated_plan
from archsim.workload import load_workload
from archsim.workload.weights import write_weights

NEURON = {"model": "if", "threshold": 2.0, "reset": "subtract"}


def chip_of(*sets, preset="spikeflow"):
    """A chip with these settings."""
    return load_architecture(preset, list(sets)).chip


def workload_of(folder, layers, arrays, shape, **keys):
    """A workload of these layers; ``keys`` replace parts of the document (``precision`` and ``input`` are merged)."""
    document = {
        "name": "small", "timesteps": keys.pop("timesteps", 2), "layers": layers, "weights": "small-weights.npz",
        "input": {"shape": list(shape), "encoding": "events"} | keys.pop("input", {}),
        "precision": {"weight_bits": 4, "membrane_bits": 16, "input_bits": 4} | keys.pop("precision", {}),
    } | keys  # fmt: skip
    write_weights(folder / "small-weights.npz", {name: np.asarray(array, float) for name, array in arrays.items()})
    (folder / "small.yaml").write_text(yaml.safe_dump(document))
    return load_workload(folder / "small.yaml")


def linear_of(folder, weights, inputs_max=1, **keys):
    """One linear layer of whole weights [out, in] with IF neurons, on events."""
    weights = np.asarray(weights)
    layers = [{"name": "fc", "type": "linear", "out_features": len(weights), "neuron": NEURON}]
    events = {"encoding": "events", "max_spikes": inputs_max} if "input" not in keys else keys.pop("input")
    return workload_of(folder, layers, {"fc.weight": weights}, [weights.shape[1]], input=events, **keys)


def whole_weights(workload):
    """The integer weights of every layer."""
    found = {}

    def keep(layer, parts, dtype):
        found[layer.name] = parts["weight"]
        return operator_of(layer, parts, workload.network.timesteps, dtype)

    stated_plan(workload.network, workload.weights, keep)
    return found


def device_of(folder, levels, **conductance):
    """A file of a cell with so many levels that are evenly spaced and do not err."""
    document = load_device("rram-20k-200k").model_dump(mode="json", exclude_none=True)
    document["levels"] = {"count": levels, "source": "made up"}
    document["conductance"] |= conductance
    document |= dict.fromkeys(("leakage", "variation", "stuck", "read_noise", "drift"))
    path = folder / f"cell-{levels}.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def spikes(rng, *shape, share=0.5):
    """Random events."""
    return (rng.random(shape) < share).astype(np.uint8)
