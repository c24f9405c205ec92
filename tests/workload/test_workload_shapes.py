from __future__ import annotations

import pytest


def shapes(workload):
    return {layer.name: (layer.in_shape, layer.out_shape) for layer in workload.network.layers}


def test_sizes_of_a_convolutional_network_by_hand(load):
    found = load("""\
  - {name: conv1, type: conv2d, out_channels: 8, kernel: 3, stride: 2, padding: 1}      # (32+2-3)/2 = 15.5 -> 15, +1
  - {name: conv2, type: conv2d, out_channels: 12, kernel: [5, 3], padding: [0, 1], groups: 4}
  - {name: pool, type: avgpool2d, kernel: 3, stride: 2}                                 # (12-3)/2 = 4.5 -> 4, +1
  - {name: pool2, type: maxpool2d, kernel: 2}                                           # 5 -> 2: the rest is dropped
  - {name: flat, type: flatten}
  - {name: fc, type: linear, out_features: 10, spiking: false}
""")
    assert shapes(found) == {
        "conv1": ((3, 32, 32), (8, 16, 16)),
        "conv2": ((8, 16, 16), (12, 12, 16)),
        "pool": ((12, 12, 16), (12, 5, 7)),
        "pool2": ((12, 5, 7), (12, 2, 3)),
        "flat": ((12, 2, 3), (72, 1, 1)),
        "fc": ((72, 1, 1), (10, 1, 1)),
    }


def test_work_of_layers_by_hand(load):
    network = load("""\
  - {name: conv1, type: conv2d, out_channels: 8, kernel: 3, stride: 2, padding: 1}
  - {name: conv2, type: conv2d, out_channels: 12, kernel: [5, 3], padding: [0, 1], groups: 4, bias: true}
  - {name: fc, type: linear, out_features: 10, spiking: false, weight_bits: 4}
""").network
    conv1, conv2, fc = network.layers
    assert (conv1.reduction, conv1.filters, conv1.positions, conv1.weights) == (27, 8, 256, 216)
    assert (conv1.macs, conv1.neurons) == (216 * 256, 8 * 256)
    # 8/4 = 2 input channels x 15 taps; 12/4 = 3 filters in each of 4 groups; 12 x 16 places
    assert (conv2.reduction, conv2.filters, conv2.groups, conv2.positions) == (30, 3, 4, 192)
    assert (conv2.weights, conv2.macs, conv2.bias) == (360, 360 * 192, True)
    assert (fc.reduction, fc.weights, fc.positions, fc.neurons) == (12 * 192, 23040, 1, 0)
    assert (conv1.weight_bits, fc.weight_bits) == (8, 4)
    assert network.macs == 216 * 256 + 360 * 192 + 23040


def test_a_linear_layer_flattens_and_a_matmul_takes_places_as_rows(load):
    found = load("""\
  - {name: conv, type: conv2d, out_channels: 16, kernel: 4, stride: 4}
  - {name: token, type: matmul, rows: 64, in_features: 16, out_features: 24}
  - {name: fc, type: linear, in_features: 1536, out_features: 10}
""")
    assert shapes(found)["token"] == ((16, 64, 1), (24, 64, 1))
    assert shapes(found)["fc"] == ((1536, 1, 1), (10, 1, 1))
    token = found.network.layer("token")
    assert (token.positions, token.reduction, token.filters, token.macs) == (64, 16, 24, 64 * 16 * 24)


def test_a_table_of_matrix_products(load):
    network = load("""\
name: table
timesteps: 1
chained: false
layers:
  - {name: a, type: matmul, rows: 5, in_features: 7, out_features: 9}
  - {name: b, type: matmul, input_shape: [4, 11], out_features: 2}
  - {name: c, type: linear, in_features: 6, out_features: 3}
  - {name: p, type: maxpool2d, input_shape: [4, 9, 9], kernel: 2}
""").network
    assert [layer.in_shape for layer in network.layers] == [(7, 5, 1), (11, 4, 1), (6, 1, 1), (4, 9, 9)]
    assert [layer.macs for layer in network.layers] == [5 * 7 * 9, 4 * 11 * 2, 18, 0]
    assert all(layer.sources == () for layer in network.layers)
    assert (network.input_shape, network.encoding) == (None, None)


@pytest.mark.parametrize("stated", ["[7, 50]", "[50, 7, 1]", "[50, 1, 7]"])
def test_two_entries_of_a_matmul_are_rows_and_features_three_are_a_map(load, stated):
    """[rows, in_features] x [in_features, out_features], and a map's places are the rows: 7 x 50 x 10 products."""
    (layer,) = load(f"""\
name: table
timesteps: 1
chained: false
layers:
  - {{name: a, type: matmul, input_shape: {stated}, rows: 7, in_features: 50, out_features: 10, output_shape: [7, 10]}}
""").network.layers
    assert (layer.positions, layer.reduction, layer.filters) == (7, 50, 10)
    assert (layer.in_shape, layer.out_shape, layer.macs) == ((50, 7, 1), (10, 7, 1), 3500)


def test_one_entry_of_a_matmul_is_one_row(load):
    head = "name: table\ntimesteps: 1\nchained: false\nlayers:\n"
    (layer,) = load(head + "  - {name: a, type: matmul, input_shape: [50], out_features: 10}\n").network.layers
    assert (layer.positions, layer.reduction, layer.filters) == (1, 50, 10)


def test_a_chained_matmul_checks_rows_and_features(load, problems):
    conv = "  - {name: conv, type: conv2d, out_channels: 16, kernel: 4, stride: 4}\n"  # [16, 8, 8]: 64 rows of 16
    matmul = "  - {name: a, type: matmul, input_shape: SHAPE, out_features: 24}\n"
    assert load(conv + matmul.replace("SHAPE", "[64, 16]")).network.layer("a").out_shape == (24, 64, 1)
    assert load(conv + matmul.replace("SHAPE", "[16, 8, 8]")).network.layer("a").out_shape == (24, 64, 1)
    ((line, key, text),) = problems(conv + matmul.replace("SHAPE", "[16, 64]"))
    assert (line, key) == (6, "layers.1.input_shape")
    assert "delivers, [16, 8, 8]" in text


def test_the_chip_input_feeds_the_first_row_of_a_table_only_where_the_shapes_agree(load):
    table = """\
name: table
timesteps: 2
chained: false
input: {shape: [3, 8, 8], encoding: direct}
layers:
  - {name: a, type: conv2d, input_shape: SHAPE, out_channels: 4, kernel: 3}
  - {name: b, type: conv2d, input_shape: [3, 8, 8], out_channels: 4, kernel: 3}
"""
    fed = load(table.replace("SHAPE", "[3, 8, 8]")).network
    assert [(layer.sources, layer.in_bits) for layer in fed.layers] == [(("input",), 8), ((), 1)]
    apart = load(table.replace("SHAPE", "[3, 9, 9]")).network
    assert [(layer.sources, layer.in_bits) for layer in apart.layers] == [((), 1), ((), 1)]


def test_a_residual_block_with_a_downsampling_shortcut(load):
    network = load("""\
  - {name: stem, type: conv2d, out_channels: 8, kernel: 3, padding: 1}
  - {name: a, type: conv2d, out_channels: 16, kernel: 3, stride: 2, padding: 1}
  - {name: b, type: conv2d, out_channels: 16, kernel: 3, padding: 1}
  - {name: down, type: conv2d, from: stem, out_channels: 16, kernel: 1, stride: 2}
  - {name: sum, type: add, from: b, with: down}
  - {name: lif, type: neuron}
  - {name: again, type: add, with: a}
  - {name: skip_input, type: conv2d, from: input, out_channels: 2, kernel: 1}
""").network
    assert network.layer("sum").sources == ("b", "down")
    assert network.layer("sum").out_shape == (16, 16, 16)
    assert network.layer("again").sources == ("lif", "a")
    assert [layer.name for layer in network.consumers("stem")] == ["a", "down"]
    assert [layer.name for layer in network.consumers("input")] == ["stem", "skip_input"]
    assert network.consumers("again") == ()


@pytest.mark.parametrize(
    ("layer", "bits", "maximum"),
    [
        ("{name: x, type: avgpool2d, kernel: 2}", 3, 4),
        ("{name: x, type: sumpool2d, kernel: [2, 4]}", 4, 8),
        ("{name: x, type: maxpool2d, kernel: 4}", 1, 1),
        ("{name: x, type: batchnorm}", 1, 1),
        ("{name: x, type: flatten}", 1, 1),
        ("{name: x, type: add, inputs: [c, c, c]}", 2, 3),
        ("{name: x, type: neuron, neuron: {max_spikes: 7}}", 3, 7),
        ("{name: x, type: linear, out_features: 5}", 1, 1),
        ("{name: x, type: linear, out_features: 5, spiking: false}", 16, 65535),
    ],
)
def test_width_of_the_values_behind_a_layer_that_reads_spikes(load, layer, bits, maximum):
    found = load(f"""\
  - {{name: c, type: conv2d, out_channels: 4, kernel: 3, padding: 1, spiking: true}}
  - {layer}
""").network.layer("x")
    assert (found.out_bits, found.out_max, found.out_signed) == (bits, maximum, maximum == 65535)


def test_widths_add_up_along_a_chain_and_start_with_those_of_the_input(load):
    network = load("""\
  - {name: pool0, type: avgpool2d, kernel: 2}
  - {name: conv, type: conv2d, out_channels: 4, kernel: 3, padding: 1, neuron: {max_spikes: 2}}
  - {name: pool1, type: avgpool2d, kernel: 2}
  - {name: sum, type: add, inputs: [pool1, pool1]}
  - {name: pool2, type: avgpool2d, kernel: 2}
  - {name: fc, type: linear, out_features: 2}
""").network
    assert [layer.in_max for layer in network.layers] == [255, 1020, 2, 8, 16, 64]
    assert [layer.in_bits for layer in network.layers] == [8, 10, 2, 4, 5, 7]
    rate = load(
        """\
  - {name: conv, type: conv2d, out_channels: 4, kernel: 3}
""",
        "input.encoding=rate",
    ).network
    assert rate.layers[0].in_bits == 1


@pytest.mark.parametrize(
    ("layers", "carriers"),
    [
        ("conv bn", ["conv"]),
        ("conv neuron", ["neuron"]),
        ("conv bn neuron", ["neuron"]),
        ("conv pool neuron fc", ["neuron", "fc"]),
        ("conv pool fc", ["conv", "fc"]),
        ("own pool neuron", ["own", "neuron"]),
        ("own neuron", ["neuron"]),
        ("bare fc", ["fc"]),
    ],
)
def test_where_neurons_stand(load, layers, carriers):
    kinds = {
        "conv": "type: conv2d, out_channels: 4, kernel: 3",
        "own": "type: conv2d, out_channels: 4, kernel: 3, spiking: true",
        "bare": "type: conv2d, out_channels: 4, kernel: 3, spiking: false",
        "bn": "type: batchnorm",
        "pool": "type: avgpool2d, kernel: 2",
        "neuron": "type: neuron",
        "fc": "type: linear, out_features: 3",
    }
    text = "".join(f"  - {{name: {one}, {kinds[one]}}}\n" for one in layers.split())
    network = load(text).network
    assert [layer.name for layer in network.layers if layer.neuron is not None] == carriers


def test_a_layer_whose_ways_do_not_all_meet_a_neuron_carries_its_own(load):
    network = load("""\
  - {name: a, type: conv2d, out_channels: 3, kernel: 3, padding: 1}
  - {name: n, type: neuron}
  - {name: b, type: conv2d, from: a, out_channels: 3, kernel: 1}
""").network
    assert [layer.neuron is not None for layer in network.layers] == [True, True, True]


def test_spiking_true_gives_way_only_to_a_neuron_layer_that_is_its_sole_reader(load):
    network = load("""\
  - {name: a, type: conv2d, out_channels: 3, kernel: 3, padding: 1, spiking: true}
  - {name: n, type: neuron}
  - {name: p, type: maxpool2d, kernel: 2, from: a}
  - {name: n2, type: neuron}
""").network
    assert [layer.name for layer in network.layers if layer.neuron is not None] == ["a", "n", "n2"]


def test_neurons_take_their_own_keys_then_those_of_the_network_then_defaults(load):
    network = load("""\
name: n
timesteps: 1
input: {shape: [4], encoding: rate}
neuron: {leak: 0.75, reset: subtract, compare: ">"}
layers:
  - {name: a, type: linear, out_features: 3}
  - {name: b, type: linear, out_features: 3, neuron: {model: if, reset: delayed_subtract}}
  - {name: c, type: linear, out_features: 3, neuron: {model: cuba_lif, threshold: 2.5, leak: 0.5}}
""").network
    a, b, c = (layer.neuron for layer in network.layers)
    assert (a.model, a.leak, a.threshold, a.reset, a.compare) == ("lif", 0.75, 1.0, "subtract", ">")
    assert (a.state_words, a.delayed_reset_bit, a.max_spikes) == (1, False, 1)
    assert (b.model, b.leak, b.delayed_reset_bit, b.compare) == ("if", 1.0, True, ">")
    assert (c.state_words, c.threshold, c.leak, c.current_leak) == (2, 2.5, 0.5, 0.5)
