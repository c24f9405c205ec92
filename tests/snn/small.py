"""Small workloads written out in the tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import yaml

from archsim.workload import Workload, load_workload
from archsim.workload.weights import write_weights


def small(folder, layers, arrays=None, **keys: Any) -> Workload:
    """A workload of these layers and weights; three features in, four timesteps, unless the keys say otherwise."""
    document = {"name": "small", "timesteps": 4, "input": {"shape": [3], "encoding": "events"}, "layers": layers} | keys
    if arrays is not None:
        write_weights(folder / "small-weights.npz", {name: np.asarray(array) for name, array in arrays.items()})
        document["weights"] = "small-weights.npz"
    (folder / "small.yaml").write_text(yaml.safe_dump(document))
    return load_workload(folder / "small.yaml")


def features(steps):
    """Features by timestep as [T, F, 1, 1]."""
    return np.array(steps, np.uint8)[:, :, None, None]
