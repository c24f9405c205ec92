"""The op-count estimate beside an executed chip: what counts as AC and as MAC, the arithmetic, where it is shown."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

import archsim
from archsim.op_count import AC, MAC, OpCount
from archsim.report.tables import print_result
from archsim.workload import load_workload

LAYERS = """
name: both
timesteps: 2
input: {shape: [2, 4, 4], encoding: events}
layers:
  - {name: one, type: conv2d, out_channels: 3, kernel: 1}
  - {name: pool, type: avgpool2d, kernel: 2}
  - {name: two, type: linear, out_features: 5}
  - {name: three, type: linear, out_features: 4, spiking: false}
activity: {density: 1.0}
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    path = tmp_path_factory.mktemp("op-count") / "both.yaml"
    path.write_text(LAYERS)
    return archsim.simulate("sata", path)


def test_the_prices_are_those_that_everybody_quotes_and_are_cited():
    assert (AC.value_pj, MAC.value_pj) == (0.9, 4.6)
    assert all("Horowitz" in price.source and "2014" in price.source and price.node_nm == 45 for price in (AC, MAC))


def test_spikes_are_accumulated_and_values_of_several_bits_multiplied(result):
    """Every value is there: 2 x 3 weights at 16 places; 12 x 5 on averages of four spikes; 5 x 4 on spikes."""
    assert result.op_count == OpCount(acs=2 * (6 * 16 + 5 * 4), macs=2 * 12 * 5)
    assert result.op_count.estimated_pj == pytest.approx(0.9 * 232 + 4.6 * 120)
    assert result.op_count.acs + result.op_count.macs == result.synaptic_operations


def test_the_json_says_estimated_versus_actual(result):
    said = json.loads(result.to_text())["estimated_versus_actual"]
    assert said["estimated_pj"] == pytest.approx(760.8)
    assert said["actual_pj"] == result.energy_pj
    assert said["actual_over_estimated"] == pytest.approx(result.energy_pj / 760.8)
    assert (said["acs"], said["macs"], said["ac_pj"], said["mac_pj"]) == (232, 120, 0.9, 4.6)


def test_the_report_prints_both_and_their_ratio(result):
    console = Console(file=io.StringIO(), width=160)
    print_result(result, console)
    line = next(line for line in console.file.getvalue().splitlines() if "estimated versus actual" in line)
    assert "761 pJ / " in line and "232 ACs of 0.9 pJ, 120 MACs of 4.6 pJ (45 nm)" in line
    ratio = float(line.partition(" x ")[2].partition(":")[0].replace(",", ""))
    assert ratio == pytest.approx(result.energy_pj / 760.8, rel=5e-3)


def test_several_samples_give_the_mean():
    one, other, both = (archsim.simulate("sata", "cnn-mnist", samples=samples) for samples in (0, 1, (0, 1)))
    assert one.op_count != other.op_count
    assert both.op_count.acs == pytest.approx((one.op_count.acs + other.op_count.acs) / 2)
    first = load_workload("cnn-mnist").activity
    network = first.network
    sops = {sample: (first.inputs_of(network.layer("fc2"), sample) > 0).sum() * 10 for sample in (0, 1)}
    assert both.layers[-1].active_products == sum(sops.values()) / 2


def test_nothing_is_estimated_where_nothing_is_active():
    assert OpCount(0, 0).beside(5.0)["actual_over_estimated"] is None
