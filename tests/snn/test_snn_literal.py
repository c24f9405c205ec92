"""Random networks give what a literal interpreter gives, number for number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from literal_numbers import Literal
from networks import random_network

from archsim.snn import simulate


def entering(workload, inputs):
    """Real values or spikes [N, T, C, H, W]."""
    if workload.network.encoding == "events":
        return inputs
    real = inputs / workload.network.code.scale
    return np.repeat(real[:, None], workload.network.timesteps, axis=1)


def compare(workload, inputs, dtype):
    names = [layer.name for layer in workload.network.layers if layer.neuron is not None]
    found = simulate(workload, inputs, dtype=dtype, membranes=names)
    for number, maps in enumerate(entering(workload, inputs)):
        literal = Literal(workload, np.dtype(dtype).type).run(maps)
        for name, steps in literal.spikes.items():
            np.testing.assert_array_equal(found.spikes[name][number], steps, err_msg=name)
        for name, steps in literal.potentials.items():
            np.testing.assert_array_equal(found.potentials[name][number], steps, err_msg=name)
        np.testing.assert_array_equal(found.outputs[number], np.array(literal.outputs, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(max_examples=60)
@given(seed=st.integers(0, 1 << 32))
def test_random_networks_equal_the_literal_interpreter(tmp_path_factory, dtype, seed):
    workload, inputs = random_network(seed, tmp_path_factory.mktemp("net"))
    compare(workload, inputs, dtype)
