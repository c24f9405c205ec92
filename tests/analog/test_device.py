"""Devices: hand-computed prices, sampled statistics, presets whose every number has a source, and bad files."""

from __future__ import annotations

from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archsim.analog import Device, load_device
from archsim.config import find, names, parse_document, validate
from archsim.errors import ArchsimError, ConfigError, UnsupportedError

DRAWS = 40_000
NULLS = ("read", "programming", "cell", "leakage", "variation", "stuck", "read_noise", "drift")


def device(**parts) -> Device:
    """A cell of 10 uS to 40 uS with four levels; everything not stated is not modelled."""
    data = {
        "kind": "rram", "name": "cell", "conductance": {"g_min": 10, "g_max": 40, "source": "a test"},
        "levels": {"count": 4, "source": "a test"}, **dict.fromkeys(NULLS),
    }  # fmt: skip
    for name, part in parts.items():
        data[name] = part if not isinstance(part, dict) else {"source": "a test", **part}
    return validate(Device, parse_document(yaml.safe_dump(data, sort_keys=False), "cell.yaml"))


def refusal(call, *arguments, **keywords) -> str:
    with pytest.raises(ArchsimError) as caught:
        call(*arguments, **keywords)
    return str(caught.value)


READ = {"voltage": 0.2, "pulse": 5}
FULL = {"read": READ, "programming": {"pulse_energy": 2.0, "pulse": 100, "pulses": 4, "verify": True}}


def assert_mean_and_sigma(samples, mean, sigma):
    """Within four standard errors; that of a normal sigma is sigma / sqrt(2 n), doubled for tails that are heavier."""
    assert abs(samples.mean() - mean) < 4 * sigma / sqrt(samples.size)
    assert abs(samples.std() - sigma) < 2 * 4 * sigma / sqrt(2 * samples.size)


# levels


def test_levels_are_equally_spaced_in_siemens():
    cell = device()
    assert cell.levels_s == pytest.approx([10e-6, 20e-6, 30e-6, 40e-6], rel=1e-12)
    assert (cell.bits_per_cell, cell.g_min_s, cell.g_max_s) == (2, 1e-5, 4e-5)
    assert cell.conductances([[0, 3], [2, 1]]) == pytest.approx(np.array([[1e-5, 4e-5], [3e-5, 2e-5]]))


def test_resistances_are_another_way_to_say_it():
    cell = device(conductance={"r_on": "20 kohm", "r_off": "200 kohm"})
    assert (cell.g_min_s, cell.g_max_s) == (5e-6, 5e-5)
    assert device(conductance={"g_min": "5 uS", "g_max": "50 uS"}).levels_s == pytest.approx(cell.levels_s)


def test_listed_states_need_not_be_equally_spaced():
    cell = device(levels={"count": 3, "states": [10, "11 uS", 40]})
    assert cell.levels_s == pytest.approx([10e-6, 11e-6, 40e-6])
    assert cell.bits_per_cell == 1


@pytest.mark.parametrize(("codes", "part"), [([4], "got 4"), ([0, -1], "got -1"), ([0.0], "whole numbers")])
def test_codes_that_are_no_levels_are_refused(codes, part):
    assert part in refusal(device().conductances, codes)


# prices


def test_read_energy_by_hand():
    """0.2 V on 30 uS for 5 ns: 0.04 x 30e-6 W = 1.2 uW, times 5 ns = 6 fJ = 0.006 pJ."""
    cell = device(read=READ)
    assert float(cell.read_energy_pj(30e-6)) == pytest.approx(0.006, rel=1e-12)
    assert cell.read_energy_pj(np.array([30e-6, 60e-6]), [10, 5]) == pytest.approx([0.012, 0.012], rel=1e-12)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=64))
def test_energy_of_a_column_is_the_sum_over_its_cells(codes):
    cell = device(read=READ)
    cells_s = cell.conductances(np.array(codes))
    assert cell.read_energy_pj(cells_s).sum() == pytest.approx(float(cell.read_energy_pj(cells_s.sum())), rel=1e-12)


def test_programming_by_hand():
    """Four pulses of 2 pJ and 100 ns, each verified at 25 uS: 0.04 x 25e-6 x 5 x 1e3 = 0.005 pJ and 5 ns."""
    cell = device(**FULL)
    assert cell.programming_energy_pj(10) == pytest.approx(10 * 4 * 2.005, rel=1e-12)
    assert cell.programming_time_ns(10) == pytest.approx(10 * 4 * 105)
    assert cell.programming_time_ns(10, at_once=4) == pytest.approx(3 * 4 * 105)
    blind = device(programming={**FULL["programming"], "verify": False})
    assert (blind.programming_energy_pj(1), blind.programming_time_ns(1)) == (8.0, 400.0)


def test_area_and_leakage_by_hand():
    cell = device(cell={"area_f2": 4, "feature": "40 nm"}, leakage={"per_cell": "2 nW"})
    assert cell.cell_area_um2 == pytest.approx(0.0064, rel=1e-12)
    assert cell.leakage_mw == pytest.approx(2e-6)


def test_what_is_not_modelled_has_no_price_and_says_so():
    cell = device()
    assert cell.not_modelled == NULLS
    calls = {
        "read": lambda: cell.read_energy_pj(1e-5), "programming": lambda: cell.programming_energy_pj(1),
        "cell": lambda: cell.cell_area_um2, "leakage": lambda: cell.leakage_mw,
        "drift": lambda: cell.drift_exponents(np.array([1e-5]), np.random.default_rng(0)),
    }  # fmt: skip
    for key, call in calls.items():
        with pytest.raises(UnsupportedError, match=f"^{key}: not modelled by the device 'cell'"):
            call()


# sampling


@pytest.mark.parametrize("distribution", ["normal", "lognormal"])
def test_parts_of_the_variation_add_in_quadrature(distribution):
    """At 30 uS: 10 % is 3 uS, and 4 uS beside it make 5 uS."""
    cell = device(variation={"distribution": distribution, "proportional": 0.1, "independent": 4})
    drawn = cell.programmed(np.full(DRAWS, 30e-6), np.random.default_rng(1))
    assert_mean_and_sigma(drawn, 30e-6, 5e-6)
    skew = ((drawn - drawn.mean()) ** 3).mean() / drawn.std() ** 3
    assert abs(skew) < 0.05 if distribution == "normal" else skew > 0.3


def test_lognormal_conductances_stay_positive_where_normal_ones_end_at_zero():
    wide = {"independent": 10}
    target = np.full(DRAWS, 10e-6)
    normal = device(variation={"distribution": "normal", **wide}).programmed(target, np.random.default_rng(2))
    lognormal = device(variation={"distribution": "lognormal", **wide}).programmed(target, np.random.default_rng(2))
    assert normal.min() == 0.0
    assert lognormal.min() > 0.0


def test_polynomial_and_table_are_sigma_by_state():
    cell = device(variation={"distribution": "normal", "polynomial": [1.0, 2.0, -3.5]})
    assert cell.variation.sigma_s(np.array([20e-6, 40e-6]), 40e-6) == pytest.approx([1.125e-6, 0.0])
    points = [{"g": "10 uS", "sigma": 1}, {"g": 30, "sigma": 2}]
    table = device(variation={"distribution": "normal", "table": points})
    found = table.variation.sigma_s(np.array([5e-6, 20e-6, 40e-6]), 40e-6)
    assert found == pytest.approx([1e-6, 1.5e-6, 2e-6])
    drawn = table.programmed(np.full(DRAWS, 20e-6), np.random.default_rng(3))
    assert_mean_and_sigma(drawn, 20e-6, 1.5e-6)


def test_stuck_cells_have_the_ends_of_the_range():
    cell = device(stuck={"at_g_min": 0.09, "at_g_max": 0.01})
    drawn = cell.programmed(np.full(DRAWS, 20e-6), np.random.default_rng(4))
    for end_s, share in ((1e-5, 0.09), (4e-5, 0.01)):
        assert abs((drawn == end_s).mean() - share) < 4 * sqrt(share * (1 - share) / DRAWS)
    assert set(np.unique(drawn)) == {1e-5, 2e-5, 4e-5}


def test_sampling_is_a_pure_function_of_target_and_seed():
    cell = device(variation={"distribution": "normal", "proportional": 0.1}, stuck={"at_g_min": 0.5, "at_g_max": 0})
    target = np.full((3, 4), 20e-6)
    first, again = (cell.programmed(target, np.random.default_rng(5)) for _ in range(2))
    assert first.shape == (3, 4)
    assert (first == again).all()
    assert (target == 20e-6).all()
    assert not (first == cell.programmed(target, np.random.default_rng(6))).all()


@pytest.mark.parametrize("part", [{"proportional": 0.1}, {"independent": 2}, {"table": [{"g": 10, "sigma": 1}]}])
@pytest.mark.parametrize("distribution", ["normal", "lognormal"])
def test_a_cell_that_is_programmed_again_keeps_its_deviation(distribution, part):
    """In units of sigma (of a lognormal: of the logarithm's) a cell lies where it did, whatever it was told to be."""
    cell = device(variation={"distribution": distribution, **part})
    one, other = (np.random.default_rng(seed).choice(cell.levels_s[1:], (8, 8)) for seed in (0, 1))
    assert (one != other).any()
    z = []
    for target in (one, other):
        sigma, made = cell.variation.sigma_s(target, cell.g_max_s), cell.programmed(target, np.random.default_rng(5))
        log_sigma = np.sqrt(np.log1p((sigma / target) ** 2))
        normal = (made - target) / sigma
        z.append(normal if distribution == "normal" else np.log(made / target) / log_sigma + log_sigma / 2)
    assert z[0] == pytest.approx(z[1], abs=1e-9)
    assert not np.allclose(z[0], np.random.default_rng(6).standard_normal((8, 8)))


def test_the_same_cells_are_stuck_and_drift_whatever_else_errs():
    stuck = {"at_g_min": 0.2, "at_g_max": 0.1}
    law = {"nu_mean": {"offset": 0.1}, "nu_sigma": {"offset": 0.02}, "t0": "1 s"}
    spread = {"distribution": "normal", "proportional": 0.1}
    alone, beside = device(stuck=stuck, drift=law), device(stuck=stuck, drift=law, variation=spread)
    found = []
    for cell, target in ((alone, np.full(100, 20e-6)), (beside, np.full(100, 30e-6))):
        rng = np.random.default_rng(7)
        made = cell.programmed(target, rng)
        found.append((made == cell.g_min_s, made == cell.g_max_s, cell.drift_exponents(target, rng)))
    assert all((one == other).all() for one, other in zip(*found, strict=True)) and found[0][0].any()


def test_without_errors_programming_and_reading_change_nothing():
    cell, target = device(), np.array([1e-5, 3e-5])
    assert (cell.programmed(target, np.random.default_rng(0)) == target).all()
    assert (cell.read_cells(target, np.random.default_rng(0)) == target).all()
    assert (cell.read_sigma_s(target) == 0).all()


def test_read_noise_is_drawn_anew_at_every_read():
    cell = device(read_noise={"proportional": 0.02})
    rng = np.random.default_rng(7)
    first, second = (cell.read_cells(np.full(DRAWS, 20e-6), rng) for _ in range(2))
    assert_mean_and_sigma(first, 20e-6, 0.4e-6)
    assert_mean_and_sigma(second - first, 0.0, 0.4e-6 * sqrt(2))


def test_flicker_noise_by_hand():
    """At half of g_max, 0.01 / 0.5^1 = 2 %, times sqrt(ln((t + 1) / 2)) at t_read = 1 s; capped at 3 % at a quarter."""
    flicker = {"coefficient": 0.01, "exponent": 1.0, "limit": 0.03, "t_read": "1 s"}
    cell = device(read_noise={"flicker": flicker})
    t_s = 2 * exp(4) - 1
    found = cell.read_sigma_s(np.array([20e-6, 10e-6, 0.0]), t_s)
    assert found == pytest.approx([2 * 0.02 * 20e-6, 2 * 0.03 * 10e-6, 0.0])
    assert cell.read_sigma_s(np.array([20e-6]), 0.5) == 0
    assert "needs the time since programming" in refusal(cell.read_sigma_s, np.array([20e-6]))


def test_drift_by_hand():
    """nu is 0.1 at g_max and 0.1 + 0.05 ln 2 at half of it; from t0 = 20 s to 200 s, G falls by 10^-nu."""
    law = {"nu_mean": {"offset": 0.1, "slope": -0.05}, "nu_sigma": {"offset": 0.0}, "t0": "20 s"}
    cell, target = device(drift=law), np.array([40e-6, 20e-6])
    exponents = cell.drift_exponents(target, np.random.default_rng(8))
    assert exponents == pytest.approx([0.1, 0.1 + 0.05 * log(2)])
    assert cell.drifted(target, 200, exponents) == pytest.approx(target * 10.0**-exponents)
    assert (cell.drifted(target, 3, exponents) == target).all()


def test_published_pcm_fit():
    """aihwkit's PCM model at g = g_max / 2: sigma = 0.26348 + 0.9825 - 0.293275 uS; nu 0.049 (clipped)."""
    pcm = load_device("pcm-nandakumar2019")
    target = np.full(DRAWS, 12.5e-6)
    assert_mean_and_sigma(pcm.programmed(target, np.random.default_rng(9)), 12.5e-6, 0.952705e-6)
    exponents = pcm.drift_exponents(target, np.random.default_rng(10))
    assert_mean_and_sigma(exponents, 0.049, 0.008)
    assert pcm.drift_exponents(np.full(DRAWS, 0.25e-6), np.random.default_rng(11)).mean() == pytest.approx(
        -0.0155 * log(0.01) + 0.0244, abs=0.002
    )


def test_fits_that_crosssim_states_in_microsiemens():
    for name, g_us, sigma_us in (
        ("rram-milo2021", 100.0, 4.782321 - 0.009107 * 100),
        ("pcm-joshi2020", 10.0, -0.178767 + 0.7585724 + 0.28638599),
    ):
        found = load_device(name)
        assert found.variation.sigma_s(np.array([g_us * 1e-6]), found.g_max_s) == pytest.approx([sigma_us * 1e-6])


# presets


def numbers_without_a_source(node, sourced=False, path="") -> list[str]:
    sourced = sourced or (isinstance(node, dict) and bool(node.get("source")))
    if isinstance(node, dict):
        return [hit for key, value in node.items() for hit in numbers_without_a_source(value, sourced, f"{path}.{key}")]
    if isinstance(node, list):
        return [hit for value in node for hit in numbers_without_a_source(value, sourced, path)]
    return [path] if isinstance(node, int | float) and not isinstance(node, bool) and not sourced else []


@pytest.mark.parametrize("name", names("device"))
def test_presets_load_and_every_number_has_a_source(name):
    found = load_device(name)
    document = yaml.safe_load(find("device", name)[0].read_text())
    assert (found.name, numbers_without_a_source(document)) == (name, [])
    assert set(NULLS) <= set(document), "what is not modelled is said to be so"
    assert found.description
    assert found.levels_s[0] == pytest.approx(found.g_min_s)
    assert found.levels_s[-1] == pytest.approx(found.g_max_s)


def test_the_spikesim_cell_costs_what_spikesim_charges():
    """1.76423 pJ and 26.2144 um2 for 64 x 64 cells in the middle of the range."""
    cell = load_device("rram-spikesim")
    assert 4096 * float(cell.read_energy_pj(cell.levels_s.mean())) == pytest.approx(1.76423, rel=1e-9)
    assert 4096 * cell.cell_area_um2 == pytest.approx(26.2144, rel=1e-9)


def test_the_generic_cell_beside_hwcomponents():
    """2 fJ at 20 kohm; 0.0676 um2; a transistor of 20 kohm in series leads to hwcomponents' 0.62 fJ within 5 %."""
    cell = load_device("rram-20k-200k")
    assert float(cell.read_energy_pj(cell.g_max_s)) == pytest.approx(2e-3, rel=1e-9)
    assert cell.cell_area_um2 == pytest.approx(0.0676, rel=1e-9)
    in_series_s = (1 / 40e3 + 1 / 220e3) / 2
    assert float(cell.read_energy_pj(in_series_s)) == pytest.approx(0.619097195e-3, rel=0.05)


def test_dotted_overrides():
    variation = "variation={distribution: normal, proportional: 0.1, source: me}"
    cell = load_device("rram-20k-200k", ["read.voltage=200 mV", variation])
    assert float(cell.read_energy_pj(5e-5)) == pytest.approx(8e-3)
    assert "variation" not in cell.not_modelled


# files

CELL = """\
kind: rrram
name: mine
conductance: {g_min: 0, g_max: -3 uS, source: me}
levels: {count: 1, source: me}
read: {voltage: .nan, pulse: 4 ns, source: me}
programming: null
cell: {area_f2: 4, feature: 40 nm}
leakage: null
variation: {distribution: normal, source: me}
stuck: {at_g_min: 0.6, at_g_max: 0.6, source: me}
read_noise: null
"""


def test_a_bad_file_gets_every_error_at_once_with_its_line(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(CELL)
    text = refusal(load_device, file)
    for line, part in (
        (1, "kind: unknown value (got 'rrram'"), (3, "conductance.g_min"), (3, "conductance.g_max"),
        (4, "levels.count"), (5, "read.voltage"), (7, "cell.source: is missing"), (9, "variation: states no spread"),
        (10, "stuck.at_g_max"),
        (1, "drift: is missing"),
    ):  # fmt: skip
        assert any(one.startswith(f"{file}:{line}: ") and part in one for one in text.splitlines()), (line, part, text)
    assert "did you mean 'rram'?" in text


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"conductance": {"r_on": "200 kohm", "r_off": "20 kohm"}}, "conductance.r_off: must be above r_on"),
        ({"conductance": {"g_min": 40, "g_max": 40}}, "conductance.g_max: must be above g_min"),
        ({"conductance": {"g_min": 40}}, "conductance: needs either g_min and g_max or r_on and r_off"),
        ({"conductance": {"g_min": 1, "g_max": 2, "r_on": 3}}, "conductance: needs either"),
        ({"levels": {"count": 4, "bits_per_cell": 3}}, "levels.bits_per_cell: 4 levels tell no more than 2 bit"),
        ({"levels": {"count": 3, "states": [10, 40]}}, "levels.states: must list 3 conductances"),
        ({"levels": {"count": 3, "states": [10, 9, 40]}}, "levels.states.1: must be above the state before it"),
        ({"levels": {"count": 2, "states": [11, 40]}}, "levels.states.0: must be the end of the range, 10 uS"),
        ({"read": {"voltage": 0, "pulse": 1}}, "read.voltage"),
        ({"read": {"voltage": 1e300, "pulse": 1}}, "read.voltage"),
        ({"programming": FULL["programming"]}, "programming.verify: needs `read`, which is null"),
        ({"programming": {**FULL["programming"], "pulses": 0.5}}, "programming.pulses"),
        (
            {"variation": {"distribution": "normal", "polynomial": [1.0], "table": [{"g": 1, "sigma": 1}]}},
            "a polynomial or a table, not both",
        ),
        (
            {"variation": {"distribution": "normal", "table": [{"g": 2, "sigma": 1}, {"g": 2, "sigma": 1}]}},
            "variation.table.1.g: must be above the conductance before it",
        ),
        ({"variation": {"distribution": "uniform", "proportional": 0.1}}, "variation.distribution: unknown value"),
        (
            {"drift": {"nu_mean": {"offset": 0, "low": 2, "high": 1}, "nu_sigma": {"offset": 0}, "t0": 1}},
            "drift.nu_mean.low: must not be above high",
        ),
    ],
)  # fmt: skip
def test_bad_values(parts, message):
    text = refusal(device, **parts)
    assert message in text
    assert "cell.yaml:" in text


WRONG_CELL = """\
kind: rram
name: mine
conductance: {r_on: 200 kohm, r_off: 20 kohm}
levels: {count: 4, bits_per_cell: 3, states: [-1 uS, 0, 2, 3], source: me}
read: {voltage: 0.1, pulse: 4 ns, source: me}
programming: null
cell: {area_f2: 4, feature: 40 nm, source: me}
leakage: null
variation: {distribution: normall, proportional: -0.1, source: me}
stuck: {at_g_min: 0.6, at_g_max: 0.6}
read_noise: null
drift: null
"""


def test_what_belongs_together_is_checked_beside_what_is_wrong_on_its_own(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(WRONG_CELL)
    found = sorted(line.removeprefix(f"{file}:").split(" (")[0] for line in refusal(load_device, file).splitlines())
    assert found == [
        "10: stuck.at_g_max: with at_g_min more than all cells",
        "10: stuck.source: is missing; must be text of at least 1 character",
        "3: conductance.r_off: must be above r_on",
        "3: conductance.source: is missing; must be text of at least 1 character",
        "4: levels.bits_per_cell: 4 levels tell no more than 2 bit(s) apart",
        "4: levels.states.0: must be a number of uS, above 0 and at most 1000000, or text such as '40 uS'",
        "4: levels.states.1: must be a number of uS, above 0 and at most 1000000, or text such as '40 uS'",
        "9: variation.distribution: unknown value",
        "9: variation.proportional: must be a number from 0 to 1000 or null",
    ]


def test_unknown_device_names_the_nearest():
    assert "did you mean 'rram-20k-200k'?" in refusal(load_device, "rram-20k-20k")


# CSV

CSV = """\
# source: our chip, March
state,mean,sigma

0,5e-6,2e-7
1,20e-6,4e-7
2,50e-6,1e-6
"""


@pytest.fixture
def states(tmp_path: Path) -> Path:
    file = tmp_path / "my.csv"
    file.write_text(CSV)
    return file


def test_a_csv_file_gives_levels_and_variation(states):
    cell = load_device(str(states))
    assert cell.levels_s == pytest.approx([5e-6, 20e-6, 50e-6])
    assert (cell.kind, cell.name, cell.bits_per_cell) == ("measured", "my", 1)
    assert cell.variation.source == "our chip, March"
    assert cell.variation.sigma_s(cell.levels_s, cell.g_max_s) == pytest.approx([2e-7, 4e-7, 1e-6])
    assert cell.not_modelled == ("read", "programming", "cell", "leakage", "stuck", "read_noise", "drift")
    drawn = cell.programmed(np.full(DRAWS, cell.conductances(1)), np.random.default_rng(12))
    assert_mean_and_sigma(drawn, 20e-6, 4e-7)


def test_the_rest_is_that_of_another_device(states):
    base = load_device("rram-20k-200k")
    cell = load_device(states, ["read.voltage=0.3"], like=base)
    assert (cell.kind, cell.read.pulse, cell.read.voltage) == ("rram", base.read.pulse, 0.3)
    assert cell.cell == base.cell
    assert cell.levels_s == pytest.approx([5e-6, 20e-6, 50e-6])


def test_every_malformed_line_is_reported_with_its_number_at_once(states):
    rows = ["0,5e-6,2e-7", "1,-20e-6,nan", "two,1e-5,0", "3,5", "4,4e-6,1e-7", "5,50,1e-7", "6,x,-1", "7,1e-5,1e-7"]
    states.write_text("state,mean,sigma\n" + "\n".join(rows) + "\n")
    lines = refusal(load_device, states, ["read.volts=3", "oops"]).splitlines()
    expected = [
        (3, "mean: must be a number of siemens above 0 (got '-20e-6')"), (3, "sigma: must be"), (4, "state: must be 2"),
        (5, "must have 3 values"), (6, "mean: must be above the mean of the state before it"),
        (7, "mean: is above 1 S"), (8, "mean: must be a number"),
        (8, "sigma: must be a number of siemens of at least 0"),
    ]  # fmt: skip
    for number, part in expected:
        assert any(line.startswith(f"{states}:{number}: ") and part in line for line in lines), (number, part, lines)
    assert sum(line.startswith(f"{states}:") for line in lines) == len(expected)
    assert any("not of the form KEY=VALUE" in line for line in lines)
    assert any("read.volts: unknown key" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("", 1, "the first line must name the columns"),
        ("0,1e-6,1e-7\n1,2e-6,1e-7\n", 1, "allowed: state,mean,sigma"),
        ("# c\nstate,mean\n0,1e-6\n", 2, "the first line must name the columns"),
        ("state,mean,sigma\n0,1e-6,1e-7\n", 2, "at least two states"),
        ("state,mean,sigma\n", 1, "at least two states"),
    ],
)
def test_csv_files_without_header_or_states(states, text, line, part):
    states.write_text(text)
    found = refusal(load_device, states)
    assert found.startswith(f"{states}:{line}: ")
    assert part in found


def test_csv_files_that_cannot_be_read(tmp_path):
    assert "file not found" in refusal(load_device, tmp_path / "none.csv")
    (tmp_path / "odd.csv").write_bytes(b"state,mean,sigma\n\xff\n")
    with pytest.raises(ConfigError, match=r"odd\.csv:2: not UTF-8 text"):
        load_device(tmp_path / "odd.csv")
