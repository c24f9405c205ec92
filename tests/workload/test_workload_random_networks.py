"""Random chains against a literal count of window positions."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.config import parse_document, validate
from archsim.workload.draft import draft_of
from archsim.workload.resolve import resolve
from archsim.workload.schema import WorkloadFile

SIZE = st.integers(1, 5)
PAIR = st.one_of(SIZE, st.tuples(SIZE, SIZE))
WINDOW = {"kernel": PAIR, "padding": st.one_of(st.integers(0, 2), st.tuples(st.integers(0, 2), st.integers(0, 2)))}
LAYER = st.one_of(
    st.fixed_dictionaries({"type": st.just("conv2d"), "out_channels": SIZE, "stride": PAIR, "groups": st.integers(1, 3),
                           "spiking": st.booleans(), **WINDOW}),
    st.fixed_dictionaries({"type": st.sampled_from(["avgpool2d", "sumpool2d", "maxpool2d"]), **WINDOW},
                          optional={"stride": PAIR}),
    st.fixed_dictionaries({"type": st.sampled_from(["batchnorm", "flatten", "neuron"])}),
    st.fixed_dictionaries({"type": st.sampled_from(["linear", "matmul"]), "out_features": SIZE}),
)  # fmt: skip
INPUT = st.tuples(st.integers(1, 4), st.integers(1, 20), st.integers(1, 20))


def both(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def places(size, kernel, stride, padding):
    """Window positions that lie wholly inside the padded line, counted one by one."""
    return sum(1 for start in range(0, size + 2 * padding, stride) if start + kernel <= size + 2 * padding)


def reference(shape, layer):
    """Output shape, or None where the layer is impossible."""
    channels, height, width = shape
    kind = layer["type"]
    windowless = {
        "batchnorm": shape,
        "neuron": shape,
        "flatten": (channels * height * width, 1, 1),
        "linear": (layer.get("out_features"), 1, 1),
        "matmul": (layer.get("out_features"), height * width, 1),
    }
    if kind in windowless:
        return windowless[kind]
    kernel, padding = both(layer["kernel"]), both(layer["padding"])
    stride = both(layer.get("stride", layer["kernel"]))
    sizes = [places(size, *numbers) for size, *numbers in zip((height, width), kernel, stride, padding, strict=True)]
    if 0 in sizes:
        return None
    if kind != "conv2d":
        return channels, *sizes
    return (
        None
        if channels % layer["groups"] or layer["out_channels"] % layer["groups"]
        else (layer["out_channels"], *sizes)
    )


@settings(max_examples=300, deadline=None)
@given(INPUT, st.lists(LAYER, min_size=1, max_size=5), st.sampled_from(["direct", "rate"]))
def test_random_chains_resolve_to_the_reference_shapes(shape, layers, encoding):
    named = [{"name": f"l{index}", **layer} for index, layer in enumerate(layers)]
    data = {"name": "n", "timesteps": 2, "input": {"shape": shape, "encoding": encoding}, "layers": named}
    document = parse_document(json.dumps(data), "random")
    network, problems = resolve(draft_of(validate(WorkloadFile, document)), document)
    impossible = None
    for index, layer in enumerate(named):
        leaving = reference(shape, layer)
        if leaving is None:
            impossible = index
            break
        found = network.layers[index]
        assert found.out_shape == leaving
        assert found.in_shape[0] * found.in_shape[1] * found.in_shape[2] == shape[0] * shape[1] * shape[2]
        assert found.in_max < 1 << found.in_bits and found.in_max >= 1 << (found.in_bits - 1)
        assert found.neuron is None or found.out_max == 1
        shape = leaving
    if impossible is None:
        assert problems == []
        assert len(network.layers) == len(named)
    else:
        assert min(int(problem.key.split(".")[1]) for problem in problems) == impossible
        resolved = [layer.index for layer in network.layers]
        assert resolved[:impossible] == list(range(impossible)) and impossible not in resolved
