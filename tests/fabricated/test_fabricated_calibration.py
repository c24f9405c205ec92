"""What is set on a chip after it was programmed: ranges of converters, and gains."""

from __future__ import annotations

import numpy as np
import pytest
from fabricated_chips import NEURON, chip_of, linear_of, spikes, workload_of

from archsim.fabricated import fabricate
from archsim.snn import simulate

ERRS = ["crossbar.wires={wordline: 60, bitline: 60}", "crossbar.signed=differential", "adc.analog_sum=false",
        "crossbar.errors.variation={distribution: normal, proportional: 0.1}", "mapping.unroll=flat"]  # fmt: skip


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Two layers with neurons, and one without behind them."""
    rng = np.random.default_rng(5)
    layers = [{"name": "one", "type": "linear", "out_features": 30, "neuron": NEURON},
              {"name": "two", "type": "linear", "out_features": 20, "neuron": NEURON},
              {"name": "out", "type": "linear", "out_features": 6, "spiking": False}]  # fmt: skip
    arrays = {"one.weight": rng.integers(-6, 8, (30, 50)), "two.weight": rng.integers(-6, 8, (20, 30)),
              "out.weight": rng.integers(-7, 8, (6, 20))}  # fmt: skip
    return workload_of(tmp_path_factory.mktemp("calibration"), layers, arrays, [50], timesteps=4)


def test_the_range_is_the_best_of_its_candidates(network):
    chip = fabricate(chip_of(*ERRS, "adc.bits=4"), network, 1)
    inputs = spikes(np.random.default_rng(0), 12, 4, 50)[..., None, None]
    chip.calibrate(inputs)
    place = np.array([1.0, 2.0, 4.0, -1.0, -2.0, -4.0])

    def check(layer, values, numbers):
        seen, most = [], 15
        chosen, layer.quantiser = layer.quantiser, None
        layer.sums(values, numbers, lambda _, columns: seen.append(columns.astype(float)))
        layer.quantiser = chosen
        sums = np.concatenate(seen)
        unseen = 1.25 * sums.max()

        def worth(columns):
            return columns.reshape(len(columns), -1, 6) @ place

        def loss(range_):
            lsb = range_ / most
            coded = worth(lsb * np.clip(np.floor(sums / lsb + 0.5), 0, most))
            cut_off = 16 * max(0.0, unseen - range_ - lsb / 2) ** 2
            signal = (coded * worth(sums)).sum()
            return (((coded - worth(sums)) ** 2).sum() + cut_off) / signal if signal > 0 else np.inf

        candidates = [15.0, *(unseen * np.arange(1, 101) / 100)]
        losses = np.array([loss(one) for one in candidates])
        assert np.isclose(candidates, chosen.range).any()
        assert loss(chosen.range) <= 1.01 * losses.min()
        assert losses.max() > 2 * losses.min()

    chip.watched(check, inputs)


@pytest.mark.parametrize(("signed", "bits"), [("offset", 6), ("offset", 12), ("differential", 5), ("diff", 5)])
def test_ranges_that_are_chosen_for_ideal_cells_lose_nothing(network, signed, bits):
    """One code for each level step is exact, also where both columns of a weight have the lowest level's offset."""
    chip = fabricate(chip_of(f"crossbar.signed={signed}", f"adc.bits={bits}", "pe.crossbars=10"), network)
    inputs = spikes(np.random.default_rng(0), 12, 4, 50)[..., None, None]
    chip.calibrate(inputs)
    found, exact = chip.simulate(inputs), simulate(network, inputs, precision="stated")
    assert all(np.array_equal(found.spikes[name], exact.spikes[name]) for name in exact.spikes)
    assert np.array_equal(found.outputs, exact.outputs)


def test_coarse_codes_keep_a_signal(network):
    """Cutting off all that an offset makes large would lose less in squares, and everything else."""
    chip = fabricate(chip_of("crossbar.signed=offset", "adc.bits=2"), network)
    inputs = spikes(np.random.default_rng(0), 12, 4, 50)[..., None, None]
    chip.calibrate(inputs)
    for layer in chip.layers.values():
        assert layer.quantiser.range > 4

    def check(layer, values, numbers):
        sums, exact = layer.sums(values, numbers), layer.exact([values])
        assert np.corrcoef(sums.ravel(), exact.ravel())[0, 1] > 0.5

    chip.watched(check, inputs)


def test_calibrating_again_sets_the_same(network):
    chip = fabricate(chip_of(*ERRS), network, 1)
    inputs = spikes(np.random.default_rng(0), 12, 4, 50)[..., None, None]
    found = []
    for _ in range(2):
        chip.calibrate(inputs, gains="column")
        found.append([(layer.quantiser.range, *layer.gain.ravel()) for layer in chip.layers.values()])
    assert found[0] == found[1]
    chip.calibrate(inputs)
    fresh = fabricate(chip_of(*ERRS), network, 1)
    fresh.calibrate(inputs)
    np.testing.assert_array_equal(chip.simulate(inputs).outputs, fresh.simulate(inputs).outputs)


def test_all_inputs_count_however_many_they_are(network):
    inputs = np.zeros((150, 4, 50, 1, 1), np.uint8)
    inputs[:60] = spikes(np.random.default_rng(0), 60, 4, 50)[..., None, None]
    few, many = (fabricate(chip_of(*ERRS, "adc.bits=8"), network, 1) for _ in range(2))
    few.calibrate(inputs[:60])
    many.calibrate(inputs)
    for name, layer in many.layers.items():
        assert layer.quantiser.range == few.layers[name].quantiser.range


def test_silent_inputs_and_columns_leave_a_range_that_works(tmp_path):
    workload = linear_of(tmp_path, [[-1, 1, 1], [-1, 0, 1]])
    for skip in ("true", "false"):
        for on in (0, 1):
            chip = fabricate(chip_of(f"adc.skip_silent={skip}", "adc.bits=4"), workload)
            chip.calibrate(np.broadcast_to(np.array([0, 0, on]).reshape(3, 1, 1), (2, 2, 3, 1, 1)))
            assert 0 < chip.layers["fc"].quantiser.range <= 15
            found = chip.simulate(np.zeros((1, 2, 3, 1, 1), np.uint8))
            assert not found.outputs.any()


@pytest.mark.parametrize("per", ["layer", "column"])
def test_a_gain_takes_the_mean_error_away(network, per):
    """Behind the last layer there are no neurons: the slope of the exact sums over its own is then 1."""
    chip = fabricate(chip_of(*ERRS, "adc.ideal=true"), network, 2)
    inputs = spikes(np.random.default_rng(0), 20, 4, 50)[..., None, None]

    def slopes():
        found = []

        def see(layer, values, numbers):
            if layer.layer.name == "out":
                sums, exact = layer.sums(values, numbers) * layer.gain, layer.exact([values])
                axes = (0, 1, 3, 4) if per == "column" else None
                found.append((exact * sums).sum(axis=axes) / (exact**2).sum(axis=axes))

        chip.watched(see, inputs)
        return np.asarray(found[0])

    assert (slopes() < 0.97).all()
    chip.calibrate(inputs, gains=per)
    np.testing.assert_allclose(slopes(), 1, rtol=1e-12)
    assert chip.layers["out"].gain.size == (6 if per == "column" else 1)


@pytest.mark.parametrize("per", ["layer", "column"])
def test_with_gains_neurons_spike_as_often_as_in_software(network, per):
    chip = fabricate(chip_of(*ERRS, "adc.ideal=true"), network, 2)
    inputs = spikes(np.random.default_rng(0), 40, 4, 50)[..., None, None]
    wanted = simulate(network, inputs, precision="stated").spikes

    def off():
        """How many spikes too many or too few there are, of those of a busy neuron; gains end at 8."""
        found, worst = chip.simulate(inputs).spikes, []
        for name, sent in wanted.items():
            axes = (0, 1, 3, 4) if per == "column" else None
            missing = np.abs(found[name].sum(axis=axes, dtype=float) - sent.sum(axis=axes, dtype=float))
            within = np.broadcast_to(chip.layers[name].gain.ravel() < 7.9, np.shape(np.atleast_1d(missing)))
            worst.append(np.atleast_1d(missing)[within].max() / sent.sum(axis=axes).max())
            assert within.mean() > 0.5
        return max(worst)

    before = off()
    chip.calibrate(inputs, gains=per)
    assert off() < min(0.03, before / 3)
    assert chip.layers["one"].gain.size == (30 if per == "column" else 1)


@pytest.mark.parametrize(("range_", "wanted"), [("levels", 15), ("full", None), (7.5, 7.5)])
def test_stated_ranges(tmp_path, range_, wanted):
    workload = linear_of(tmp_path, np.ones((3, 40)))
    for signed, offset in (("differential", 5 / 45), ("offset", 0.0)):
        sets = ["crossbar.device=rram-20k-200k", "crossbar.cell_bits=2", f"crossbar.signed={signed}", "adc.bits=4",
                "adc.analog_sum=false", "mapping.unroll=flat", f"adc.range={range_}"]  # fmt: skip
        layer = fabricate(chip_of(*sets), workload).layers["fc"]
        full = 40 * (3 + 3 * offset)
        assert layer.quantiser.range == pytest.approx(full if wanted is None else wanted)
