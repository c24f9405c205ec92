"""Cells, word-line drivers and column multiplexers: prices by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.cost.component import Component
from archsim.cost.records import ComponentCost
from archsim.cost.table import load_costs
from archsim.errors import CostError

TABLE = load_costs()
CELLS = {
    "rows": 64, "cols": 64, "read_v": 0.1, "pulse_ns": 4.0, "g_min_us": 5.0, "g_max_us": 50.0, "mean_us": 27.5,
    "program_pj": 0.6, "cell_f2": 4, "feature_nm": 40, "device": "RRAM of 20 to 200 kOhm, a test",
}  # fmt: skip


def cost(primitive: str, node_nm: float = 65, **attributes: float | str) -> ComponentCost:
    return TABLE.cost_of(Component("it", primitive, "compute", attributes), node_nm)


def test_a_cell_of_20_kohm_read_at_a_tenth_of_a_volt_for_4_ns_takes_2_fj() -> None:
    energy = cost("crossbar_cells", **{**CELLS, "mean_us": 50.0}).energy_pj
    assert energy["read"].value == pytest.approx(2e-3, rel=1e-12)
    assert energy["read_base"].value == pytest.approx(0.2e-3, rel=1e-12)
    assert energy["read_step"].value == pytest.approx(1.8e-3, rel=1e-12)
    assert energy["program"].value == 0.6
    assert "(0.1 V)^2 x 50 uS x 4 ns" in energy["read"].steps[0]
    assert energy["read"].constant.source == "RRAM of 20 to 200 kOhm, a test"


@given(st.integers(0, 2**31), st.sampled_from([2, 4, 16]), st.floats(0, 1))
def test_base_and_steps_counted_give_v2_g_t_of_the_active_rows_exactly(seed: int, levels: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    level, spikes = rng.integers(0, levels, (8, 5)), rng.random(8) < density
    energy = cost("crossbar_cells", **{**CELLS, "levels": levels}).energy_pj
    counted = int(spikes.sum()) * 5 * energy["read_base"].value + int(spikes @ level @ np.ones(5, int)) * (
        energy["read_step"].value
    )
    conductance_us = 5.0 + level * 45.0 / (levels - 1)
    assert counted == pytest.approx(0.1**2 * (spikes @ conductance_us).sum() * 4.0 * 1e-3, rel=1e-12)


def test_area_is_squares_times_feature_size_and_neither_it_nor_energy_scales_with_the_node() -> None:
    at_65, at_28 = cost("crossbar_cells", **CELLS), cost("crossbar_cells", 28, **CELLS)
    assert at_65.area_um2_each.value == pytest.approx(26.2144, rel=1e-12)  # SpikeSim's 64 x 64 cells
    assert at_28.area_um2_each.value == at_65.area_um2_each.value
    assert at_28.energy_pj == at_65.energy_pj
    assert at_65.leakage_mw_each.value == 0
    assert cost("crossbar_cells", **{**CELLS, "leakage_mw": 1e-6}).leakage_mw_each.value == pytest.approx(4096e-6)


def test_cells_that_cannot_be_are_refused() -> None:
    with pytest.raises(CostError, match=r"it\.mean_us: lies outside the device's range .*allowed: 5 to 50 uS"):
        cost("crossbar_cells", **{**CELLS, "mean_us": 51.0})
    with pytest.raises(CostError, match=r"it\.g_max_us: is below the lowest"):
        cost("crossbar_cells", **{**CELLS, "g_max_us": 4.0})
    with pytest.raises(CostError) as caught:
        cost("crossbar_cells", **{**CELLS, "levels": 1, "read_v": -0.1, "pulse_ns": "long", "rows": 1.5, "cols": 1e999})
    assert {problem.key for problem in caught.value.problems} == {
        f"it.{name}" for name in ("levels", "read_v", "pulse_ns", "rows", "cols")
    }
    assert "a number of V >= 0" in str(caught.value)


@pytest.mark.parametrize(
    ("size", "at_5_percent", "driven", "um2", "leak_w"),
    [(32, 0.039338381395, 0.0442348979, 460.329, 1.916594e-08),
     (64, 0.03958405362825, 0.049147772565, 986.4192, 3.833187e-08),
     (128, 0.040082365299175, 0.05911780598349999, 2235.884, 7.666374e-08)],
)  # fmt: skip
def test_word_lines_cost_what_neurosim_says(
    size: int, at_5_percent: float, driven: float, um2: float, leak_w: float
) -> None:
    driver = cost("wordline_driver", rows=size, cols=size)
    drive, silent = (driver.energy_pj[name].value for name in ("drive", "silent"))
    assert drive == pytest.approx(driven, rel=3e-3)
    assert 0.05 * drive + 0.95 * silent == pytest.approx(at_5_percent, rel=3e-4)
    assert driver.area_um2_each.value == pytest.approx(um2, rel=1e-5)
    assert driver.leakage_mw_each.value == pytest.approx(leak_w * 1e3, rel=1e-5)


def test_drivers_are_as_many_as_rows_and_as_long_as_columns() -> None:
    one, more = cost("wordline_driver", rows=16, cols=64), cost("wordline_driver", rows=48, cols=64)
    assert more.area_um2_each.value == pytest.approx(3 * one.area_um2_each.value)
    assert more.energy_pj == one.energy_pj
    longer = cost("wordline_driver", rows=16, cols=256).energy_pj["drive"].value
    assert longer - one.energy_pj["drive"].value == pytest.approx(192 * 1.57298e-4)
    drive = one.energy_pj["drive"]
    assert drive.low < drive.value < drive.high and drive.constant.source.count("NeuroSim") == 2


def test_isaacs_driver_and_the_scaling_of_both() -> None:
    isaac = cost("wordline_driver", 32, rows=128, cols=128, model="isaac")
    assert isaac.energy_pj["drive"].value == 0.41667 and isaac.energy_pj["silent"].value == 0
    assert isaac.area_um2_each.value == pytest.approx(170 / 8)
    for model, node in product(("isaac", "neurosim"), (28, 65)):
        known = 32 if model == "isaac" else 65
        home, away = (cost("wordline_driver", at, rows=8, cols=8, model=model) for at in (known, node))
        factor = TABLE.scaling.factor("energy", known, node).value
        assert away.energy_pj["drive"].value == pytest.approx(home.energy_pj["drive"].value * factor)
    with pytest.raises(CostError, match=r"it\.model: no such driver .*neurosim, isaac"):
        cost("wordline_driver", rows=8, cols=8, model="dac")


def test_a_multiplexer_of_eight_bit_lines_is_spikesims() -> None:
    mux = cost("column_mux", inputs=8)
    assert mux.energy_pj["select"].value == 0.094245
    assert mux.area_um2_each.value == pytest.approx(45.9)
    assert mux.area_um2_each.high == pytest.approx(14262.70282 / 8)
    assert cost("column_mux", inputs=16).area_um2_each.value == pytest.approx(91.8)
    alone = cost("column_mux", inputs=1)
    assert alone.energy_pj["select"].value == alone.area_um2_each.value == 0
    ratio = cost("column_mux", 28, inputs=8).energy_pj["select"].value / 0.094245
    assert ratio == pytest.approx(TABLE.scaling.factor("energy", 65, 28).value)
