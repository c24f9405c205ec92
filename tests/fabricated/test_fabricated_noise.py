"""Read noise: its size, what it averages out to, and that an input's noise is its own."""

from __future__ import annotations

import numpy as np
import pytest
from fabricated_chips import NEURON, chip_of, linear_of, spikes, workload_of

from archsim.fabricated import fabricate

NOISE = "crossbar.errors.read_noise={proportional: 0.1, independent: 1 uS}"
VARIES = "crossbar.errors.variation={distribution: normal, proportional: 0.1}"
WIRES = "crossbar.wires={wordline: 10, bitline: 10}"
PLACE = {"differential": [1, 2, 4, -1, -2, -4], "offset": [1, 2, 4, 8]}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A convolution and a linear layer."""
    rng = np.random.default_rng(5)
    layers = [{"name": "conv", "type": "conv2d", "out_channels": 3, "kernel": 2, "neuron": NEURON},
              {"name": "fc", "type": "linear", "out_features": 4, "neuron": NEURON}]  # fmt: skip
    arrays = {"conv.weight": rng.integers(-7, 8, (3, 2, 2, 2)), "fc.weight": rng.integers(-7, 8, (4, 27))}
    return workload_of(tmp_path_factory.mktemp("noise"), layers, arrays, (2, 4, 4), timesteps=3)


def noisy(network, *sets):
    chip = fabricate(chip_of(NOISE, VARIES, WIRES, "adc.offset=0.5", "adc.range=full", *sets), network, 4)
    return chip, spikes(np.random.default_rng(2), 140, 3, 2, 4, 4)


def same(found, wanted, chosen=slice(None)):
    for name, sent in wanted.spikes.items():
        np.testing.assert_array_equal(found.spikes[name], sent[chosen])
    np.testing.assert_array_equal(found.outputs, wanted.outputs[chosen])


@pytest.mark.parametrize("sets", [(), ("crossbar.errors.read_noise=none",), ("adc.ideal=true", "adc.offset=0")])
def test_threads_and_batches_change_nothing(network, sets):
    chip, inputs = noisy(network, *sets, *(["adc.range=calibrated"] if sets[:1] == ("adc.ideal=true",) else []))
    wanted = chip.simulate(inputs, threads=1)
    same(chip.simulate(inputs, threads=3), wanted)
    order = np.random.default_rng(0).permutation(140)[:30]
    same(chip.simulate(inputs[order], numbers=order.tolist()), wanted, order)
    same(chip.simulate(inputs[70:75], numbers=70), wanted, slice(70, 75))
    same(chip.watched(lambda *_: None, inputs), wanted)


def test_the_blocks_in_which_windows_are_unfolded_change_nothing(network, monkeypatch):
    chip, inputs = noisy(network, "crossbar.errors.read_noise=none")
    wanted = chip.simulate(inputs)
    monkeypatch.setattr("archsim.fabricated.layer.AT_ONCE", 500)
    same(chip.simulate(inputs), wanted)


def test_noise_depends_on_the_number_of_the_input_and_of_the_chip(network):
    chip, inputs = noisy(network)
    values = np.repeat(inputs[:1], 2, axis=0)
    layer = chip.layers["conv"]
    sums = layer.sums(values, np.array([6, 7]))
    assert (sums[0] != sums[1]).any()
    np.testing.assert_array_equal(layer.sums(values[:1], np.array([7]))[0], sums[1])
    assert (sums[0, 0] != layer.sums(values[:, ::-1], np.array([6, 7]))[0, -1]).any()
    other = fabricate(chip_of(NOISE, "adc.range=full"), network, 5).layers["conv"]
    one = fabricate(chip_of(NOISE, "adc.range=full"), network, 6).layers["conv"]
    assert (one.sums(values, np.array([6, 7])) != other.sums(values, np.array([6, 7]))).any()


@pytest.mark.parametrize("signed", ["differential", "offset"])
@pytest.mark.parametrize("wires", [0, 100])
def test_the_noise_of_a_sum_is_that_of_all_its_cells(tmp_path, signed, wires):
    weights = np.random.default_rng(3).integers(-7, 8, (3, 12))
    workload = linear_of(tmp_path, weights)
    sets = [NOISE, f"crossbar.signed={signed}", "adc.ideal=true", "mapping.unroll=flat", "crossbar.rows=5",
            f"crossbar.wires.wordline={wires}", f"crossbar.wires.bitline={wires}", "adc.analog_sum=false"]  # fmt: skip
    layer = fabricate(chip_of(*sets), workload).layers["fc"]
    active = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1], np.uint8)
    made, wanted, mean = layer.cells, np.zeros(3), np.zeros(3)
    place = np.array(PLACE[signed])
    for x in range(3):
        rows = np.flatnonzero(active[5 * x : 5 * x + 5])
        rows = rows + 5 - len(active[5 * x : 5 * x + 5])
        on_s, effective_s = made.conductance_s[x, rows], made.effective_s[x, rows]
        sigma = np.hypot(0.1 * on_s, 1e-6) * effective_s / on_s / made.step_s
        variance, answer = (sigma**2).sum(axis=0), effective_s.sum(axis=0) / made.step_s
        if signed == "offset":
            variance, answer = variance + variance[-1], answer - answer[-1]
        for out in range(3):
            columns = slice(out * len(place), (out + 1) * len(place))
            wanted[out] += place**2 @ variance[columns]
            mean[out] += place @ answer[columns]
            if signed == "offset":
                wanted[out] += 64 * variance[3 * len(place)]
                mean[out] -= 8 * answer[3 * len(place)]
    reads = layer.banks[0, 0].reads
    variance = sum(active[one.inputs] @ one.noise for one in reads.reads)
    of_digits = variance[: 3 * len(place)].reshape(3, -1) @ place**2
    of_reference = 64 * variance[reads.reference] if signed == "offset" else 0
    np.testing.assert_allclose(of_digits + of_reference, wanted, rtol=1e-9)
    values = np.broadcast_to(active[None, None, :, None, None], (4000, 2, 12, 1, 1))
    found = layer.sums(values, np.arange(4000)).reshape(-1, 3)
    np.testing.assert_allclose(found.std(axis=0), np.sqrt(wanted), rtol=0.04)
    np.testing.assert_allclose(found.mean(axis=0), mean, atol=5 * np.sqrt(wanted.max() / len(found)))
    steps = found.reshape(4000, 2, 3)
    assert abs(np.corrcoef(steps[:, 0, 0], steps[:, 1, 0])[0, 1]) < 0.06


def errors_of_time_sums(folder, steps, *sets):
    """Relative errors of a directly coded layer's currents, summed over time, for 300 inputs: their spread and mean."""
    weights = np.random.default_rng(3).integers(-7, 8, (4, 24))
    workload = linear_of(folder, weights, input={"encoding": "direct"}, timesteps=steps)
    chip = fabricate(chip_of("adc.ideal=true", "crossbar.signed=differential", *sets), workload, 3)
    layer = chip.layers["fc"]
    image = np.random.default_rng(1).integers(0, 16, (1, 1, 24, 1, 1)).astype(np.uint8)
    read = layer.read_values(np.repeat(image, 300, axis=0))
    sums = layer.sums(read, np.arange(300)).mean(axis=1).reshape(300, 4)
    errors = sums - layer.exact([image.astype(float)]).reshape(4)
    return errors.std(axis=0).mean(), np.abs(errors.mean(axis=0)).mean()


def test_read_noise_averages_out_over_time_and_programming_errors_do_not(tmp_path):
    of_reads, _ = errors_of_time_sums(tmp_path, 2, NOISE)
    of_more, left = errors_of_time_sums(tmp_path, 32, NOISE)
    assert of_reads / of_more == pytest.approx(4, rel=0.15)
    assert left < of_reads / 10
    short, long = (errors_of_time_sums(tmp_path, steps, VARIES) for steps in (2, 32))
    assert short[0] == long[0] == 0
    assert short[1] == long[1] > 0
    both = errors_of_time_sums(tmp_path, 32, VARIES, NOISE)
    assert both[1] == pytest.approx(short[1], rel=0.1)
    once = [errors_of_time_sums(tmp_path, steps, NOISE, "first_layer=once")[0] for steps in (2, 32)]
    assert once[0] == once[1] > of_reads


def test_no_order_of_additions_changes_a_sum(network):
    chip, _ = noisy(network)
    rng = np.random.default_rng(0)
    for layer in chip.layers.values():
        for one in layer.banks[0, 0].prepared:
            for values in (one.response, one.noise):
                assert values.dtype == np.float32
                rows = (rng.random((50, len(values))) < 0.7).astype(np.float32)
                order = rng.permutation(len(values))
                exact = rows.astype(float) @ values.astype(float)
                np.testing.assert_array_equal(np.cumsum(values[order] * rows[0, order, None], axis=0)[-1], exact[0])
                np.testing.assert_array_equal(rows @ values, exact)
                wanted = one.read.response if values is one.response else one.read.noise
                np.testing.assert_allclose(values, wanted, atol=1e-4)
