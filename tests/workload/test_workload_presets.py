"""Every shipped network against numbers worked out by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from archsim.config import names
from archsim.workload import load_workload

VGG_CONVOLUTIONS = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 512),
                    (512, 512), (512, 512), (512, 512), (512, 512), (512, 512)]  # fmt: skip
VGG_SIDES = [1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 16, 16, 16]


def vgg16_macs(side, *classifier):
    convolutions = sum(9 * a * b * (side // s) ** 2 for (a, b), s in zip(VGG_CONVOLUTIONS, VGG_SIDES, strict=True))
    widths = (512 * (side // 32) ** 2, *classifier)
    return convolutions + sum(a * b for a, b in pairwise(widths))


VGG9_TABLE = (
    9 * (3 * 64 + 64 * 64) * 32**2 + 9 * 64 * 128 * 16**2 + 9 * 128 * 128 * 8**2
    + 9 * (128 * 256 + 2 * 256 * 256) * 4**2 + 1024 * 1024 + 1024 * 512
)  # fmt: skip
FIVE_CONVOLUTIONS = (
    9 * (3 * 128 + 128 * 256) * 32**2 + 9 * 256 * 512 * 16**2 + 9 * 512 * 1024 * 8**2 + 9 * 1024 * 512 * 4**2
    + 8192 * 1024 + 1024 * 512
)  # fmt: skip
VGG9 = (
    9 * (3 * 64 + 64 * 64) * 32**2 + 9 * (64 * 128 + 128 * 128) * 16**2 + 9 * (128 * 256 + 2 * 256 * 256) * 8**2
    + 4096 * 1024 + 1024 * 10
)  # fmt: skip
RESNET19_CONVOLUTIONS = (
    9 * (3 * 128 + 6 * 128 * 128) * 32**2 + 9 * (128 * 256 + 5 * 256 * 256) * 16**2
    + 9 * (256 * 512 + 3 * 512 * 512) * 8**2
)  # fmt: skip
RESNET19_SHORTCUTS = 128 * 256 * 16**2 + 256 * 512 * 8**2
RESNET34 = (
    49 * 3 * 64 * 112**2
    + 9 * 6 * 64 * 64 * 56**2
    + (9 * 64 * 128 + 9 * 7 * 128 * 128 + 64 * 128) * 28**2
    + (9 * 128 * 256 + 9 * 11 * 256 * 256 + 128 * 256) * 14**2
    + (9 * 256 * 512 + 9 * 5 * 512 * 512 + 256 * 512) * 7**2
    + 512 * 1000
)
EXPECTED = {
    # name: (dense products per timestep, timesteps, weighted layers, density of the second weighted layer)
    "icassp-direct": (FIVE_CONVOLUTIONS, 10, 7, 0.1),
    "icassp-tssl": (FIVE_CONVOLUTIONS, 5, 7, 0.1),
    "icassp-bntt": (VGG9_TABLE, 20, 9, 0.09),
    "icassp-sbp": (VGG9_TABLE, 50, 9, 0.1),
    "icassp-lth": (RESNET19_CONVOLUTIONS + 8192 * 256, 5, 18, 0.02),
    "icassp-tdbn": (RESNET19_CONVOLUTIONS + 8192 * 256, 4, 18, 0.15),
    "vgg9-cifar10": (VGG9, 5, 9, 0.135011),
    "vgg16-cifar10": (vgg16_macs(32, 512, 512, 10), 4, 16, 0.0896),
    "vgg16-imagenet": (vgg16_macs(224, 4096, 4096, 1000), 4, 16, 0.0896),
    "resnet19-cifar10": (RESNET19_CONVOLUTIONS + RESNET19_SHORTCUTS + 512 * 256 + 256 * 10, 4, 21, 0.15),
    "resnet34-imagenet": (RESNET34, 4, 37, 0.25),
}
DIRECT = sorted(set(EXPECTED) - {"icassp-bntt", "icassp-sbp"})


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_shipped_network_is_the_published_one(name):
    workload = load_workload(name)
    macs, timesteps, layers, density = EXPECTED[name]
    network = workload.network
    assert (network.name, workload.name) == (name, name)
    assert network.macs == macs
    assert network.timesteps == timesteps
    assert len(network.weighted_layers) == layers
    assert workload.activity.density_of(network.weighted_layers[1]) == density
    assert network.chained == (not name.startswith("icassp"))
    assert network.description and network.source


def test_the_figures_are_those_that_everybody_quotes():
    assert vgg16_macs(224, 4096, 4096, 1000) == 15_470_264_320
    assert load_workload("vgg16-cifar10").network.macs == 313_725_952
    assert RESNET34 == 3_663_761_408
    neurons = sum(layer.neurons for layer in load_workload("vgg16-imagenet").network.layers)
    assert neurons == 13_547_520 + 8192


@pytest.mark.parametrize("name", DIRECT)
def test_a_direct_coded_network_reads_a_dense_image_of_bytes(name):
    workload = load_workload(name)
    first = workload.network.layers[0]
    assert first.sources == ("input",)
    assert (first.in_bits, first.in_max) == (8, 255)
    assert workload.activity.density_of(first) == 1.0
    values = workload.activity.inputs_of(first)
    assert values.min() >= 1 and np.array_equal(values[0], values[-1])


@pytest.mark.parametrize("name", ["icassp-bntt", "icassp-sbp"])
def test_a_rate_coded_network_reads_spikes_of_the_stated_density(name):
    workload = load_workload(name)
    first = workload.network.layers[0]
    assert (first.sources, first.in_bits) == (("input",), 1)
    assert workload.activity.inputs_of(first).mean() == pytest.approx(EXPECTED[name][3], abs=0.01)


def test_vgg9_is_spikesims():
    network = load_workload("vgg9-cifar10").network
    assert sum(layer.weights for layer in network.layers) == 5_938_880
    assert [network.layer(name).in_bits for name in ("conv2", "conv3", "fc1")] == [1, 3, 3]  # sums of four spikes
    assert sum(layer.neurons for layer in network.layers) == 245_760 + 1024


def test_resnet19_adds_currents_so_that_all_spikes_are_binary():
    network = load_workload("resnet19-cifar10").network
    assert sum(layer.kind == "neuron" for layer in network.layers) == 8
    for layer in network.layers:
        if layer.kind == "add":
            assert layer.out_signed and layer.out_bits == 16
            assert (network.consumers(layer.name)[0].kind, len(layer.sources)) == ("neuron", 2)
        if layer.kind == "conv2d":
            assert layer.in_bits == (8 if layer.name == "conv1" else 1)
            assert (layer.neuron is None) == layer.name.endswith(("conv2", "down"))
    assert network.layer("block2_1_add").sources == ("block2_1_conv2", "block2_1_down")
    assert network.layer("block2_1_down").sources == ("block1_3_lif",)
    assert network.layer("block2_2_add").sources == ("block2_2_conv2", "block2_1_lif")
    assert (network.layer("fc1").in_bits, network.layer("fc1").in_max) == (7, 64)


def test_resnet34_adds_spikes_so_that_later_blocks_read_integers():
    network = load_workload("resnet34-imagenet").network
    assert {layer.kind for layer in network.layers} == {"conv2d", "add", "maxpool2d", "avgpool2d", "linear"}
    sums = [layer.out_max for layer in network.layers if layer.kind == "add"]
    assert sums == [2, 3, 4, 2, 3, 4, 5, 2, 3, 4, 5, 6, 7, 2, 3, 4]
    assert network.layer("layer3_6_conv1").in_max == 6
    assert network.layer("fc").in_max == 4 * 49
    assert network.layer("layer2_1_conv1").sources == ("layer1_3_add",)
    assert network.layer("pool2").in_shape == (512, 7, 7)


@pytest.mark.parametrize("name", ["resnet19-cifar10", "resnet34-imagenet"])
def test_neurons_before_the_last_pool_fire_at_the_density_of_all_others(name):
    workload = load_workload(name)
    last = [layer for layer in workload.network.layers if layer.neuron is not None and layer.kind != "linear"][-1]
    assert workload.activity.outputs_of(last).mean() == pytest.approx(EXPECTED[name][3], rel=0.05)


def test_every_preset_is_covered_here():
    assert set(EXPECTED) | {"cnn-mnist"} == set(names("workload")) | {"cnn-mnist"}
