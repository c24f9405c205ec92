"""Converters: prices by hand from the points of their sources."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.cost.component import Component
from archsim.cost.explain import explain
from archsim.cost.records import ComponentCost
from archsim.cost.table import load_costs
from archsim.errors import CostError

TABLE = load_costs()


def adc(bits: int, samples_per_s: float = 250e6, node_nm: float = 65, model: str = "survey") -> ComponentCost:
    attributes = {"bits": bits, "conversion_ns": 1e9 / samples_per_s, "model": model}
    return TABLE.cost_of(Component("it", "adc", "compute", attributes), node_nm)


@pytest.mark.parametrize(
    ("bits", "node", "rate", "pj", "leak_uw", "um2"),
    [
        (4, 65, 10e6, 2.800597126877162, 7.001492817192904, 6503.58127268794),
        (4, 65, 62.5e6, 2.800597126877162, 43.75933010745565, 9056.915898844454),
        (5, 65, 250e6, 2.8384998785366076, 177.40624240853796, 11682.295763542463),
        (6, 32, 1e9, 0.8520743962233688, 213.0185990558422, 5179.751376522215),
        (7, 65, 1e9, 3.9782492821393087, 994.5623205348272, 16602.834846267302),
        (8, 32, 62.5e6, 1.3709695758146885, 21.421399622104506, 3618.17955852677),
        (8, 65, 1e9, 5.19558352778227, 1298.8958819455677, 17983.0525834047),
    ],
)
def test_the_survey_gives_the_points_that_its_package_gives(
    bits: int, node: float, rate: float, pj: float, leak_uw: float, um2: float
) -> None:
    cost = adc(bits, rate, node)
    assert cost.energy_pj["convert"].value == pytest.approx(pj, rel=1e-6)
    assert cost.leakage_mw_each.value == pytest.approx(leak_uw / 1000, rel=1e-6)
    assert cost.area_um2_each.value == pytest.approx(um2, rel=2e-6)


def test_leakage_is_a_fifth_of_the_power_at_the_full_rate() -> None:
    cost = adc(8, 400e6)
    dynamic_mw = cost.energy_pj["convert"].value * 400e6 * 1e-9
    assert cost.leakage_mw_each.value == pytest.approx(0.2 * (dynamic_mw + cost.leakage_mw_each.value), rel=1e-6)


def test_between_two_rates_and_two_nodes_it_is_log_log() -> None:
    area = adc(8, 300e6).area_um2_each.value
    slow, fast = adc(8, 250e6).area_um2_each.value, adc(8, 320e6).area_um2_each.value
    assert area == pytest.approx(slow * (fast / slow) ** (math.log(300 / 250) / math.log(320 / 250)), rel=1e-12)
    small, large = (adc(8, 250e6, node).energy_pj["convert"].value for node in (32, 65))
    assert adc(8, 250e6, 45).energy_pj["convert"].value == pytest.approx(
        small * (large / small) ** (math.log(45 / 32) / math.log(65 / 32)), rel=1e-12
    )
    part = Component("it", "adc", "compute", {"bits": 8, "conversion_ns": 1e9 / 3e8})
    text = "\n".join(explain(part, "area", TABLE, 45))
    assert "log-log between node 32 .. 65 and samples per second 2.5e+08 .. 3.2e+08" in text


@given(st.integers(4, 11), st.floats(1e6, 1e10), st.floats(1.0, 3.0))
def test_more_bits_and_a_higher_rate_never_cost_less(bits: int, rate: float, faster: float) -> None:
    one, wider, quicker = adc(bits, rate), adc(bits + 1, rate), adc(bits, min(rate * faster, 1e10))
    for other in (wider, quicker):
        assert other.energy_pj["convert"].value >= one.energy_pj["convert"].value * (1 - 1e-12)
        assert other.area_um2_each.value >= one.area_um2_each.value * (1 - 1e-12)
    assert wider.energy_pj["convert"].value > one.energy_pj["convert"].value


@pytest.mark.parametrize("bits", [3, 13])
def test_bits_outside_the_table_name_the_bounds(bits: int) -> None:
    with pytest.raises(CostError, match=rf"it\.bits: lie outside .* \(got {bits}; allowed: 4 to 12 bits\)"):
        adc(bits)


@pytest.mark.parametrize("rate", [999_999.0, 1.01e10])
def test_a_rate_outside_the_table_names_the_bounds(rate: float) -> None:
    with pytest.raises(CostError, match=r"it\.conversion_ns: .*allowed: 0\.1 to 1000 ns"):
        adc(8, rate)


def test_a_node_outside_the_table_is_scaled_from_the_nearest() -> None:
    at_7, at_16 = adc(8, 250e6, 7), adc(8, 250e6, 16)
    factor = TABLE.scaling.factor("energy", 16, 7).value
    assert at_7.energy_pj["convert"].value == pytest.approx(at_16.energy_pj["convert"].value * factor)
    assert "scaled 16 -> 7 nm" in at_7.energy_pj["convert"].steps[-1]
    ratio = adc(8, 250e6, 180).area_um2_each.value / adc(8, 250e6, 130).area_um2_each.value
    assert ratio == pytest.approx(TABLE.scaling.factor("area", 130, 180).value)


def test_28_nm_lies_on_the_surveys_own_line() -> None:
    at_28 = adc(4, 250e6, 28).energy_pj["convert"]
    exponent = math.log(2.800597 / 0.7389995) / math.log(65 / 32)  # a power of the node: one line through all nodes
    assert at_28.value == pytest.approx(2.800597 * (28 / 65) ** exponent, rel=1e-5)
    assert not any("scaled" in step for step in at_28.steps)


@pytest.mark.parametrize(
    ("model", "bits", "node", "pj", "um2"),
    [("spikesim", 4, 65, 2.03084, 693.633), ("spikesim", 9, 65, 2.03084, 693.633),
     ("mlsa", 4, 65, 0.16343853, 12992.184 / 8), ("isaac", 8, 32, 16 / 9.6, 1200)],
)  # fmt: skip
def test_the_other_sources_by_name(model: str, bits: int, node: float, pj: float, um2: float) -> None:
    cost = adc(bits, 250e6, node, model)
    assert cost.energy_pj["convert"].value == pytest.approx(pj, rel=1e-9)
    assert cost.area_um2_each.value == pytest.approx(um2, rel=1e-9)


def test_published_converters_scale_like_logic() -> None:
    ratio = adc(4, 250e6, 28, "spikesim").energy_pj["convert"].value / 2.03084
    assert ratio == pytest.approx(TABLE.scaling.factor("energy", 65, 28).value)
    assert adc(4, 250e6, 28, "spikesim").area_um2_each.value == pytest.approx(
        693.633 * TABLE.scaling.factor("area", 65, 28).value
    )


def test_a_published_converter_has_the_bits_it_has() -> None:
    for model, bits in (("mlsa", 4), ("isaac", 8)):
        with pytest.raises(CostError, match=rf"it\.bits: the {model} converter is one of {bits} bits .*model: survey"):
            adc(7, model=model)
    with pytest.raises(CostError, match=r"it\.model: .*allowed: survey, spikesim, mlsa, isaac"):
        adc(4, model="flash")


def test_a_successive_approximation_pays_by_the_bit_and_a_sense_amplifier_cannot() -> None:
    for model, bits in (("survey", 6), ("spikesim", 6), ("isaac", 8)):
        energy = adc(bits, model=model).energy_pj
        assert energy["decide"].value * bits == pytest.approx(energy["convert"].value, rel=1e-12)
    assert set(adc(4, model="mlsa").energy_pj) == {"convert"}


def test_the_range_of_the_survey_holds_the_other_sources_at_their_own_point() -> None:
    survey = adc(4, 250e6)
    assert survey.energy_pj["convert"].low == pytest.approx(0.16343853, rel=1e-5)
    assert survey.area_um2_each.low == pytest.approx(693.633, rel=1e-4)
    isaac = adc(8, 1.2e9, 32).energy_pj["convert"]
    assert isaac.low < 16 / 9.6 < isaac.high
    factor = TABLE.constant("adc.survey.energy_factor")
    said = {round(other.value, 3) for other in factor.alternatives}
    assert {round(2.03084 / 2.800597126877162, 3), round(16 / 9.6 / 1.4788871154718692, 3)} <= said


def test_an_overlay_may_bring_its_own_converters(tmp_path: Path) -> None:
    rows = [
        "node_nm,bits,samples_per_s,convert_pj,leakage_mw,area_um2",
        "65,6,1e8,7.5,0.25,900",
        "65,6,2e8,8.5,0.5,900",
    ]
    (tmp_path / "mine.csv").write_text("\n".join(rows))
    (tmp_path / "mine.yaml").write_text("grids: {adc: {file: mine.csv, source: our converter}}")
    table = load_costs(overlays=[str(tmp_path / "mine.yaml")])
    part = Component("it", "adc", "compute", {"bits": 6, "conversion_ns": 10.0})
    cost = table.cost_of(part, 65)
    assert (cost.energy_pj["convert"].value, cost.leakage_mw_each.value, cost.area_um2_each.value) == (7.5, 0.25, 900)
    assert cost.energy_pj["convert"].constant.source == "our converter" and table.hash != TABLE.hash
    with pytest.raises(CostError, match="allowed: 6 to 6 bits"):
        table.cost_of(Component("it", "adc", "compute", {"bits": 7, "conversion_ns": 10.0}), 65)


def test_the_table_of_converters_is_rectangular() -> None:
    grid = TABLE.adc.adc
    places = {frozenset(figures) for quantities in grid.values() for figures in quantities.values()}
    assert len(places) == 1 and sorted(grid) == list(range(4, 13))
    nodes, rates = ({place[axis] for place in next(iter(places))} for axis in (0, 1))
    assert len(next(iter(places))) == len(nodes) * len(rates)
