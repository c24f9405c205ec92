"""What differs from chip to chip, and what does not: cells, stuck cells, drift, converters."""

from __future__ import annotations

import numpy as np
import pytest
from fabricated_chips import chip_of, linear_of, workload_of

from archsim.analog import effective_conductance
from archsim.fabricated import fabricate
from archsim.fabricated.converters import drawn

VARIES = "crossbar.errors.variation={distribution: normal, independent: 1 uS}"
SMALL = ["crossbar.rows=16", "crossbar.cols=16", "mapping.unroll=flat"]
OHM = "crossbar.wires={wordline: 20, bitline: 30, driver: 100, sense: 10}"


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """Two layers of the same weights."""
    weights = np.random.default_rng(1).integers(-7, 8, (40, 40))
    layers = [{"name": name, "type": "linear", "out_features": 40, "neuron": {"model": "if", "threshold": 4.0}}
              for name in ("one", "two")]  # fmt: skip
    arrays = {"one.weight": weights, "two.weight": weights}
    return workload_of(tmp_path_factory.mktemp("twins"), layers, arrays, [40]), weights.astype(float)


def cells(chip, name="one"):
    return chip.layers[name].cells.conductance_s


def test_a_number_is_a_chip(twins):
    arch = chip_of(VARIES, *SMALL)
    first, again, other = (fabricate(arch, twins[0], number) for number in (3, 3, 4))
    np.testing.assert_array_equal(cells(first), cells(again))
    target = fabricate(chip_of(*SMALL), twins[0]).layers["one"].cells.conductance_s
    deviations = [cells(first) - target, cells(other) - target, cells(first, "two") - target]
    for one in range(3):
        assert abs(deviations[one].std() - 1e-6) < 0.05e-6
        for two in range(one):
            assert abs(np.corrcoef(deviations[one].ravel(), deviations[two].ravel())[0, 1]) < 0.05
    of_crossbars = deviations[0].reshape(len(deviations[0]), -1)
    assert np.abs(np.corrcoef(of_crossbars) - np.eye(len(of_crossbars))).max() < 0.3


def test_a_cell_that_is_programmed_again_keeps_its_deviation(twins):
    workload, weights = twins
    ideal, made = (fabricate(chip_of(*SMALL, *sets), workload, 7).layers["one"] for sets in ([], [VARIES]))
    before = made.cells.conductance_s - ideal.cells.conductance_s
    for layer in (ideal, made):
        layer.program(-weights[::-1])
    assert (ideal.cells.conductance_s != fabricate(chip_of(*SMALL), workload).layers["one"].cells.conductance_s).any()
    np.testing.assert_allclose(made.cells.conductance_s - ideal.cells.conductance_s, before, atol=1e-18)


def test_the_same_weights_without_solving_change_nothing(twins):
    workload, weights = twins
    layer = fabricate(chip_of(VARIES, OHM, *SMALL, "adc.range=full"), workload, 7).layers["one"]
    rng = np.random.default_rng(0)
    values = (rng.random((8, 2, 40, 1, 1)) < 0.4).astype(np.uint8)
    layer.program(weights, solve=True)
    solved, found = layer.cells.effective_s, layer.numbered([values], np.arange(8))
    layer.program(weights, solve=False)
    np.testing.assert_allclose(layer.cells.effective_s, solved, rtol=1e-12)
    np.testing.assert_array_equal(layer.numbered([values], np.arange(8)), found)
    other = -weights[::-1]
    layer.program(other, solve=False)
    assert (layer.cells.effective_s < layer.cells.conductance_s).all()
    roughly = layer.cells.effective_s
    layer.program(other, solve=True)
    np.testing.assert_allclose(roughly, layer.cells.effective_s, rtol=0.3)
    assert np.abs(roughly / layer.cells.effective_s - 1).max() > 1e-4


def test_stuck_cells_do_not_move(twins):
    workload, weights = twins
    sets = [*SMALL, "crossbar.errors.stuck={at_g_min: 0.1, at_g_max: 0.2}"]
    ideal, made = (fabricate(chip_of(*some), workload, 7).layers["one"] for some in (SMALL, sets))
    low, high = (np.isclose(made.cells.conductance_s, end) for end in made.programmer.states_s[[0, -1]])
    np.testing.assert_array_equal(low | high, True)
    wrong = made.cells.conductance_s != ideal.cells.conductance_s
    at_low = np.isclose(ideal.cells.conductance_s, made.programmer.states_s[0])
    assert abs(wrong[at_low].mean() - 0.2) < 0.02
    assert abs(wrong[~at_low].mean() - 0.1) < 0.02
    for layer in (made, ideal):
        layer.program(-weights)
    still = made.cells.conductance_s[wrong]
    np.testing.assert_array_equal(still, np.where(high, *made.programmer.states_s[[-1, 0]])[wrong])


def test_drift_shrinks_cells_by_the_power_law_and_the_network_is_solved_anew(twins):
    law = ("crossbar.errors.drift={nu_mean: {offset: 0.06, slope: -0.01}, nu_sigma: {offset: 0.0}, t0: 20 s}")
    fresh, old = (fabricate(chip_of(OHM, *SMALL, law, f"crossbar.errors.age={age}"), twins[0]).layers["one"]
                  for age in ("20 s", "2000000 s"))  # fmt: skip
    target_s = fabricate(chip_of(*SMALL), twins[0]).layers["one"].cells.conductance_s
    np.testing.assert_allclose(fresh.cells.conductance_s, target_s, rtol=1e-12)
    most_s = fresh.programmer.device.g_max_s
    nu = 0.06 - 0.01 * np.log(target_s / most_s)
    np.testing.assert_allclose(old.cells.conductance_s, target_s * 1e5**-nu, rtol=1e-12)
    for layer in (fresh, old):
        made = layer.cells
        solved_s = effective_conductance(made.conductance_s, 20, 30, 100, 10)
        np.testing.assert_allclose(made.effective_s, solved_s, rtol=1e-12)


def test_exponents_belong_to_the_cell(twins):
    law = "crossbar.errors.drift={nu_mean: {offset: 0.1}, nu_sigma: {offset: 0.02}, t0: 1 s}"
    workload, weights = twins
    layer = fabricate(chip_of(*SMALL, law, "crossbar.errors.age=100 s"), workload, 2).layers["one"]
    ideal = fabricate(chip_of(*SMALL), workload).layers["one"]
    exponents = []
    for wanted in (weights, -weights):
        layer.program(wanted)
        ideal.program(wanted)
        exponents.append(-np.log(layer.cells.conductance_s / ideal.cells.conductance_s) / np.log(100))
    np.testing.assert_allclose(*exponents, rtol=1e-9)
    assert abs(exponents[0].std() - 0.02) < 0.001


@pytest.mark.parametrize("encoding", ["plain", "complement", "compensated"])
def test_a_chip_like_another_one_holds_the_same(twins, encoding):
    arch = chip_of(VARIES, OHM, *SMALL, f"mapping.encoding={encoding}")
    alone, first = (fabricate(arch, twins[0], number) for number in (5, 2))
    found = fabricate(arch, twins[0], 5, like=first)
    for name, layer in alone.layers.items():
        np.testing.assert_array_equal(found.layers[name].cells.effective_s, layer.cells.effective_s)
        assert found.layers[name].scale == layer.scale
        assert (cells(first, name) != layer.cells.conductance_s).all()


@pytest.mark.parametrize("share", ["crossbar", "pe"])
def test_columns_of_one_converter_share_its_errors(twins, share):
    sets = ["crossbar.column_mux=4", f"adc.share={share}", "adc.analog_sum=false", "pe.crossbars=2", "adc.offset=0.5",
            "adc.gain=0.05", *SMALL]  # fmt: skip
    arch = chip_of(*sets)
    placement = fabricate(arch, twins[0]).layers["one"].placement
    errors, another = drawn(arch, placement, 3, 16), drawn(arch, placement, 4, 16)
    for each, other in ((errors.gain, another.gain), (errors.offset, another.offset)):
        by_converter = each.reshape(len(each), 4, 4)
        assert (by_converter == by_converter[:, :, :1]).all()
        assert (each != other).all()
        owner = placement.pe if share == "pe" else np.arange(placement.crossbars)
        same = owner[:, None] == owner
        np.testing.assert_array_equal((by_converter[:, None] == by_converter).all(axis=(2, 3)), same)
        assert len(np.unique(by_converter)) == 4 * len(np.unique(owner))


def test_converters_spread_as_stated(twins):
    arch = chip_of("crossbar.column_mux=1", "adc.share=crossbar", "adc.analog_sum=false", "adc.offset=0.5",
                   "adc.gain=0.05", *SMALL)  # fmt: skip
    placement = fabricate(arch, twins[0]).layers["one"].placement
    errors = [drawn(arch, placement, number, 16) for number in range(8)]
    gain, offset = np.array([one.gain for one in errors]), np.array([one.offset for one in errors])
    assert abs(gain.mean() - 1) < 0.005
    assert abs(offset.mean()) < 0.05
    assert gain.std() == pytest.approx(0.05, rel=0.08)
    assert offset.std() == pytest.approx(0.5, rel=0.08)


def test_unused_cells_and_the_dummy_vary_too(tmp_path):
    workload = linear_of(tmp_path, [[1, -1, 2]])
    made = fabricate(chip_of(VARIES, *SMALL), workload).layers["fc"].cells
    assert len(np.unique(made.conductance_s)) == made.conductance_s.size
