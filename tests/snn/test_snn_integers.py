"""The rules of the stated precision by hand: grids, words, folds, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import features, small

from archsim.errors import ArchsimError
from archsim.snn import simulate
from archsim.snn.grids import grid, quantised, shift_for, step_of


@given(st.lists(st.integers(-1000, 1000), min_size=1), st.integers(-30, 10), st.sampled_from([1.0, 3.0, 7.0]))
def test_the_grid_is_the_largest_step(multiples, exponent, odd):
    values = np.array(multiples) * odd * 2.0**exponent
    wanted = float(np.gcd.reduce(np.array(multiples))) * odd * 2.0**exponent
    assert grid(values) == (wanted or 1.0)
    assert grid(np.array([1.0, 2.0**-60])) is None


def test_weights_on_a_grid_stay_and_others_get_one():
    assert step_of([(np.array([0.5, -1.25]), 4)], []) == 0.25
    assert step_of([(np.array([0.5, -2.0]), 3)], []) == 0.5  # -4 is a word of 3 bits, 4 is none
    assert step_of([(np.array([0.5, 2.0]), 3)], []) == 2.0 / 3
    assert step_of([(np.array([0.5, -1.25]), 3)], []) == 1.25 / 3
    assert step_of([(np.array([0.5, -0.25]), 8)], [np.array([0.125])]) == 0.125
    assert step_of([(np.array([0.5, -0.25]), 2)], [np.array([0.125])]) == 0.5
    assert step_of([(np.array([0.3, -0.3]), 1)], []) == 0.3
    assert step_of([(np.array([0.5, -1.5]), 1)], []) == 1.0
    assert quantised(np.array([0.5, -1.5, 0.0]), 1.0, 1).tolist() == [1, -1, 1]
    assert quantised(np.array([0.5, 1.5, -9.0, 9.0]), 1.0, 3).tolist() == [0, 2, -4, 3]
    assert [shift_for(needed, 127, 0.25) for needed in (31.75, 31.76, 1.0)] == [0, 1, -4]


FORMS = [(4, -8, 7), (2, -2, 1), (8, -128, 127), (8, -100, 100), (16, -32768, 9)]


@given(st.integers(0, 1 << 32), st.sampled_from(FORMS),
       st.sampled_from([0.1, 0.0123, 1 / 3, 2.7]), st.sampled_from([np.float16, np.float32, np.float64]))  # fmt: skip
def test_weights_on_a_grid_that_was_rounded_are_found(seed, form, step, stored):
    bits, low, high = form
    whole = np.random.default_rng(seed).integers(low, high + 1, (40, 30))
    whole[0, :4] = low, high, 1, low + 1
    if bits == 16 and stored == np.float16:  # 11 bits hold no 16
        whole //= 1 << 8
    for scale in (float(stored(step)), step):
        weights = (whole * scale).astype(stored)
        found = step_of([(weights.astype(float), bits)], [np.array([0.37])])
        np.testing.assert_array_equal(quantised(weights, found, bits), whole)
        np.testing.assert_allclose(found, step, rtol=2e-3 if stored == np.float16 else 1e-6)


def test_weights_on_no_grid_get_the_symmetric_one():
    weights = np.random.default_rng(3).normal(size=(20, 20)).astype(np.float32).astype(float)
    assert [step_of([(weights, bits)], []) for bits in (4, 8)] == [np.abs(weights).max() / top for top in (7, 127)]


def test_one_bit_weights_that_are_all_0_stay_0(tmp_path):
    workload = fc(tmp_path, [[0.0, 0.0, 0.0]], {"model": "if", "threshold": 1.0}, bits=(1, 8))
    found = simulate(workload, features([[1, 1, 1]] * 4), precision="stated", membranes=["fc"])
    assert not found.potentials["fc"].any()
    some = fc(tmp_path, [[0.0, 0.5, -0.25]], bits=(1, 8))
    found = simulate(some, features([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]), precision="stated")
    np.testing.assert_allclose(found.outputs.ravel(), [0.25, 0.25, -0.25, 0])


def fc(folder, weight, neuron=None, bits=(8, 16), **keys):
    layer = {"name": "fc", "type": "linear", "out_features": len(weight), "spiking": neuron is not None}
    layer |= {} if neuron is None else {"neuron": neuron}
    arrays = {"fc.weight": weight}
    if "bias" in keys:
        layer["bias"] = True
        arrays["fc.bias"] = keys.pop("bias")
    return small(folder, [layer], arrays, precision={"weight_bits": bits[0], "membrane_bits": bits[1]}, **keys)


def test_weights_are_rounded_to_their_bits(tmp_path):
    workload = fc(tmp_path, [[0.3, 0.7, -0.1]], bits=(4, 16), bias=[0.24])
    found = simulate(workload, features([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]), precision="stated")
    np.testing.assert_allclose(found.outputs[0, :, 0], np.array([3, 7, -1, 0]) * 0.1 + 0.2)


def test_a_potential_saturates_and_that_is_counted(tmp_path):
    neuron = {"model": "if", "threshold": 1.0}
    workload = fc(tmp_path, [[-3.0, 1.0, 1.0]], neuron, bits=(4, 6), timesteps=4)
    found = simulate(workload, features([[1, 0, 0]] * 4), precision="stated", membranes=["fc"])
    assert found.potentials["fc"].ravel().tolist() == [-3.0, -6.0, -8.0, -8.0]  # 6 bits: -32..31 quarters
    assert found.saturations == {"fc": 2}
    assert simulate(workload, features([[1, 0, 0]] * 4)).saturations == {"fc": 0}


def test_leaks_shift_or_multiply(tmp_path):
    drive = features([[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]])
    for leak, wanted in ((0.75, [-5, -3, -2, -1]), (0.8, [-5, -4, -3, -2])):
        neuron = {"model": "lif", "leak": leak, "threshold": 31.0}
        workload = fc(tmp_path, [[-5.0, 1.0, 31.0]], neuron, bits=(6, 8))
        found = simulate(workload, drive, precision="stated", membranes=["fc"])
        assert found.potentials["fc"].ravel().tolist() == wanted


def test_batch_norm_is_folded(tmp_path):
    layers = [
        {"name": "fc", "type": "linear", "out_features": 2, "spiking": False, "bias": True},
        {"name": "bn", "type": "batchnorm"}, {"name": "n", "type": "neuron", "neuron": {"model": "if"}},
    ]  # fmt: skip
    arrays = {"fc.weight": [[0.5, 0.25, -1], [1, 0, 0.5]], "fc.bias": [0.5, 0.25], "bn.scale": [2.0, -1.0]}
    offsets = np.array([[0.25, 0.5], [0, 0], [1, 1], [-1, 0.25]])
    drive = features([[1, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 1]])
    for offset in (offsets[0], offsets):
        scale = np.broadcast_to(arrays["bn.scale"], offset.shape)
        workload = small(tmp_path, layers, arrays | {"bn.offset": offset, "bn.scale": scale})
        found, trained = (simulate(workload, drive, precision=kind, membranes=["n"]) for kind in ("stated", "float"))
        np.testing.assert_array_equal(found.potentials["n"], trained.potentials["n"])
    timed = np.array([[2.0, 1.0]] * 3 + [[1.0, 1.0]])
    workload = small(tmp_path, layers, arrays | {"bn.offset": offsets, "bn.scale": timed})
    with pytest.raises(ArchsimError, match=r"'bn' cannot be folded .* from timestep to timestep"):
        simulate(workload, drive, precision="stated")


def test_an_identity_path_is_a_weight_of_one(tmp_path):
    layers = [
        {"name": "fc", "type": "linear", "out_features": 3, "spiking": False},
        {"name": "sum", "type": "add", "inputs": ["fc", "input"]},
        {"name": "n", "type": "neuron", "neuron": {"model": "if", "threshold": 100.0}},
    ]
    weight = np.diag([0.3, 0.7, -0.7])
    workload = small(tmp_path, layers, {"fc.weight": weight}, timesteps=1, precision={"weight_bits": 4})
    found = simulate(workload, features([[1, 1, 1]]), precision="stated", membranes=["n"])
    np.testing.assert_allclose(found.potentials["n"].ravel(), [1.3, 1.7, 0.3], atol=1e-3)
    coarse = small(tmp_path, layers, {"fc.weight": weight}, timesteps=1, precision={"weight_bits": 3})
    found = simulate(coarse, features([[1, 1, 1]]), precision="stated", membranes=["n"])
    step = 0.7 / 3
    np.testing.assert_allclose(found.potentials["n"].ravel(), np.array([5, 7, 1]) * step, atol=1e-2)


def test_what_integers_cannot_express_is_named(tmp_path):
    layers = [
        {"name": "first", "type": "linear", "out_features": 3, "neuron": {"model": "lif", "update": "euler"}},
        {"name": "second", "type": "linear", "out_features": 3, "neuron": {"model": "if", "gain": 0.0}},
        {"name": "flip", "type": "scale"},
    ]
    arrays = {"first.weight": np.eye(3), "second.weight": np.eye(3), "first.leak": [0.5, 0.75, 0.5], "flip.scale": 0.0}
    with pytest.raises(ArchsimError) as error:
        simulate(small(tmp_path, layers, arrays), features([[1, 0, 0]] * 4), precision="stated")
    told = [str(problem) for problem in error.value.problems]
    assert len(told) == 3
    assert "'first'" in told[0] and "'second'" in told[1] and "'flip'" in told[2]


def test_scales_behind_neurons_by_channel_are_refused(tmp_path):
    layers = [{"name": "n", "type": "neuron"}, {"name": "s", "type": "scale"}, {"name": "fc", "type": "linear",
               "out_features": 2}]  # fmt: skip
    arrays = {"s.scale": [1.0, 2.0, 3.0], "fc.weight": np.ones((2, 3))}
    with pytest.raises(ArchsimError, match="'s' cannot be folded"):
        simulate(small(tmp_path, layers, arrays), features([[1, 0, 0]] * 4), precision="stated")


def test_words_of_more_than_53_bits_are_refused(tmp_path):
    workload = fc(tmp_path, [[1.0, 2.0**-31, 1.0]], bits=(32, 16), input={"shape": [3], "encoding": "direct"})
    simulate(workload, np.array([1, 2, 3]), precision="stated")
    keys = {"input": {"shape": [3], "encoding": "events", "max_spikes": 65535}}
    layers = [
        {"name": name, "type": "linear", "out_features": 3, "spiking": False, "weight_bits": 32} for name in "ab"
    ]  # fmt: skip
    arrays = {f"{name}.weight": np.full((3, 3), 1.0) * (1 + 2.0**-30) for name in "ab"}
    arrays["a.weight"][0, 0] = arrays["b.weight"][0, 0] = 2.0**-30
    keys["precision"] = {"membrane_bits": 32}
    with pytest.raises(ArchsimError, match="more than 53 bits"):
        simulate(small(tmp_path, layers, arrays, **keys), features([[1, 0, 0]] * 4), precision="stated")


def test_currents_that_others_read_are_not_folded(tmp_path):
    layers = [
        {"name": "fc", "type": "linear", "out_features": 3, "spiking": False},
        {"name": "bn", "type": "batchnorm"},
        {"name": "sum", "type": "add", "inputs": ["bn", "fc"]},
        {"name": "n", "type": "neuron"},
    ]
    arrays = {"fc.weight": np.eye(3), "bn.scale": np.ones(3), "bn.offset": np.zeros(3)}
    with pytest.raises(ArchsimError, match="'fc' is read by others"):
        simulate(small(tmp_path, layers, arrays), features([[1, 0, 0]] * 4), precision="stated")


def test_a_negative_scale_turns_currents_around(tmp_path):
    layers = [
        {"name": "fc", "type": "linear", "out_features": 1, "spiking": False}, {"name": "s", "type": "scale"},
        {"name": "n", "type": "neuron", "neuron": {"model": "if", "threshold": 2.0}},
    ]  # fmt: skip
    workload = small(tmp_path, layers, {"fc.weight": [[1.0, -0.5, 0.25]], "s.scale": -2.0})
    drive = features([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]])
    found = simulate(workload, drive, precision="stated", membranes=["n"])
    assert found.potentials["n"].ravel().tolist() == [-2.0, -1.0, -1.5, -0.5]


def test_recurrent_weights_come_in_the_unit_of_the_input(tmp_path):
    recurrent = {"type": "elementwise"}
    layers = [{"name": "fc", "type": "linear", "out_features": 1, "neuron": {"model": "if", "threshold": 4.0},
               "recurrent": recurrent}]  # fmt: skip
    keys = {"input": {"shape": [3], "encoding": "direct", "scale": 16}}
    arrays = {"fc.weight": [[1.0, -0.5, 0.25]], "fc.recurrent_weight": -1.5}
    workload = small(tmp_path, layers, arrays, **keys)
    found = simulate(workload, np.array([72, 0, 0]), precision="stated", membranes=["fc"])
    assert found.potentials["fc"].ravel().tolist() == [4.5, 3.0, 7.5, 3.0]


def test_an_identity_path_keeps_its_value_on_a_coarse_grid(tmp_path):
    layers = [
        {"name": "fc", "type": "linear", "out_features": 3, "spiking": False},
        {"name": "sum", "type": "add", "inputs": ["fc", "input"]},
        {"name": "n", "type": "neuron", "neuron": {"model": "if", "threshold": 20.0, "reset": "none"}},
    ]
    for bits, near in ((4, 1 / 16), (8, 1 / 256)):
        precision = {"weight_bits": bits, "membrane_bits": 24}
        workload = small(tmp_path, layers, {"fc.weight": np.diag([100.3, 33.3, 0.0])}, precision=precision)
        found = simulate(workload, features([[0, 1, 1]] * 4), precision="stated", membranes=["n"])
        step = 100.3 / (2 ** (bits - 1) - 1)
        whole = step * round(33.3 / step)
        wanted = np.arange(1, 5)[:, None] * np.array([0.0, whole + 1, 1.0])
        np.testing.assert_allclose(found.potentials["n"][..., 0, 0], wanted, rtol=near)
        assert not found.spikes["n"][:, 2].any()


def scaled_and_added(folder, scales):
    """One current by several scales, added up."""
    names = [f"s{number}" for number in range(len(scales))]
    layers = [
        {"name": "fc", "type": "linear", "out_features": 3, "spiking": False},
        *({"name": name, "type": "scale", "from": "fc"} for name in names),
        {"name": "sum", "type": "add", "inputs": names},
        {"name": "n", "type": "neuron", "neuron": {"model": "if", "reset": "none"}},
    ]
    arrays = {f"{name}.scale": scale for name, scale in zip(names, scales, strict=True)} | {"fc.weight": np.eye(3)}
    return small(folder, layers, arrays, precision={"membrane_bits": 32})


def test_currents_on_different_grids_share_a_finer_one(tmp_path):
    found = simulate(
        scaled_and_added(tmp_path, [0.3, 0.25]), features([[1, 0, 0]] * 4), precision="stated", membranes=["n"]
    )
    np.testing.assert_allclose(found.potentials["n"][:, 0, 0, 0], 0.55 * np.arange(1, 5), rtol=1e-8)
    with pytest.raises(ArchsimError, match="'sum' adds values of units without a whole ratio"):
        simulate(scaled_and_added(tmp_path, [2**0.5, 3**0.5, 5**0.5]), features([[1, 0, 0]] * 4), precision="stated")


def test_large_currents_are_shifted_exactly_into_narrow_words(tmp_path):
    unit = 1 << 15  # the smallest with which 19 bits hold 16 thresholds
    whole = np.array([[number * unit + unit // 2 - 1, 0, 0] for number in range(900, 1000)])  # just not rounded up
    neuron = {"model": "if", "threshold": 1e9, "reset": "none"}
    workload = fc(tmp_path, [*whole, [1, 0, 0]], neuron, bits=(26, 20), timesteps=1)
    found = simulate(workload, features([[1, 0, 0]]), precision="stated", membranes=["fc"])
    assert (found.potentials["fc"].ravel()[:-1] / unit).tolist() == list(range(900, 1000))


@pytest.mark.parametrize(
    ("neuron", "arrays", "named"),
    [
        ({"threshold": 1 / 64, "reset": "hard", "reset_to": -8.0}, {}, r"reset_to: layer 'fc': a word of 8 b.*got -8"),
        ({}, {"fc.threshold": [1 / 640, 1.5]}, r"threshold: .* smallest threshold, 0.0015625; state more"),
        ({"model": "lif", "leak": 0.5, "threshold": 1 / 64, "rest": 8.0}, {}, r"rest: .* more membrane_bits.*got 8"),
    ],
)
def test_constants_that_no_word_holds_are_refused(tmp_path, neuron, arrays, named):
    layer = {"name": "fc", "type": "linear", "out_features": 2, "neuron": {"model": "if"} | neuron}
    arrays = {"fc.weight": np.full((2, 3), 1 / 64)} | arrays
    drive = features([[1, 1, 1]] * 4)
    with pytest.raises(ArchsimError, match=named):
        simulate(small(tmp_path, [layer], arrays, precision={"membrane_bits": 8}), drive, precision="stated")
    wide = small(tmp_path, [layer], arrays, precision={"membrane_bits": 16})
    found, trained = (simulate(wide, drive, precision=kind) for kind in ("stated", "float"))
    np.testing.assert_array_equal(found.spikes["fc"], trained.spikes["fc"])


def test_a_minimum_below_the_word_may_stay(tmp_path):
    workload = fc(tmp_path, [[1.0, -1.0, 1.0]], {"model": "if", "threshold": 1 / 64, "minimum": -8.0}, bits=(8, 8))
    found = simulate(workload, features([[0, 1, 0]] * 4), precision="stated", membranes=["fc"])
    assert found.potentials["fc"].ravel().tolist() == [-1.0, -2.0, -2.0, -2.0]  # -128 of 1/64
    assert found.saturations == {"fc": 2}


@pytest.mark.parametrize(("bits", "unit"), [(4, 1 / 4), (8, 1 / 64), (9, 1 / 64), (16, 1 / 512)])
def test_a_word_that_only_integrates_keeps_8_bits_for_a_current(tmp_path, bits, unit):
    workload = fc(tmp_path, [[1.0, 0.25, 0.0]], {"model": "li", "leak": 1.0}, bits=(8, bits), timesteps=40)
    found = simulate(workload, features([[0, 1, 0]] * 10 + [[1, 0, 0]] * 30), precision="stated")
    top, sums, saturated = ((1 << (bits - 1)) - 1) * unit, [0.0], 0
    for current in [0.25] * 10 + [1.0] * 30:
        saturated += sums[-1] + current > top
        sums.append(min(sums[-1] + current, top))
    np.testing.assert_array_equal(found.outputs[0, :, 0], sums[1:])
    assert found.saturations["fc"] == saturated
