"""SATA_Sim: every reference figure, the formulas on random chips, and the published column."""

from __future__ import annotations

from dataclasses import replace

import peer_emulator as literal
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peer_reference import BASELINES, document, sata_network, table

from archsim.errors import ArchsimError, UnsupportedError
from archsim.peers import sata_sim
from archsim.peers.layers import PeerLayer, layers_of
from archsim.peers.sata_sim import CURRENT, EYERISS, EYERISS_T4, SATA, Glb, PeUnit, SataSimConfig, Scratchpad, glb
from archsim.peers.sata_sim_kernels import tag_powers
from archsim.workload import load_workload

CHIPS = {"sata-config": SATA, "eyeriss-config": EYERISS, "eyeriss-T4": EYERISS_T4}
SUMMARY = table("sata_sim_summary.csv")


@pytest.mark.parametrize("row", SUMMARY, ids=[f"{row['workload']}-{row['arch']}" for row in SUMMARY])
def test_every_column_of_the_summary(row: dict[str, str]) -> None:
    layers, timesteps, sparsity = sata_network(row["workload"])
    got = sata_sim.answer(layers, timesteps, sparsity, CHIPS[row["arch"]]).summary()
    stated = {key: float(value) for key, value in row.items() if value and key not in ("workload", "arch")}
    assert len(stated) >= 17
    assert {key: got[key] for key in stated} == pytest.approx(stated, rel=1e-9)
    assert set(got) == set(stated)


@pytest.mark.parametrize("run", sorted(document("sata_sim_cycle_stat.json")["runs"]))
def test_every_value_of_the_cycle_statistics(run: str) -> None:
    reference = document("sata_sim_cycle_stat.json")
    workload, arch = run.split("__")
    layers, timesteps, sparsity = sata_network(workload)
    got = sata_sim.answer(layers, timesteps, sparsity, CHIPS[arch]).layers
    rows = [[stat.as_yaml_row()[column] for column in reference["columns"]] for stat in got]
    assert rows == reference["runs"][run]


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_the_published_column_under_the_shipped_accounting(name: str) -> None:
    expected = {"sbp": 4.565, "bntt": 2.900, "direct": 2.289, "tssl": 4.881, "lth": 1.320, "tdbn": 6.776}
    current = {"sbp": 4.705, "bntt": 3.064, "direct": 2.752, "tssl": 6.781, "lth": 1.627, "tdbn": 12.843}
    layers, timesteps, sparsity = sata_network(name)
    for accounting, figures in (("shipped", expected), ("current", current)):
        chip = SATA.under(accounting)  # type: ignore[arg-type]
        baseline = sata_sim.answer(layers, BASELINES[name], 0.5, chip).total_nj
        assert round(baseline / sata_sim.answer(layers, timesteps, sparsity, chip).total_nj, 3) == figures[name]


VARIANTS: dict[str, SataSimConfig] = {"A": SATA.under("shipped"), "B": SATA}
VARIANTS["C"] = SATA.turned(true_weight_load=True)
VARIANTS["D"] = VARIANTS["C"].turned(
    input_dram_per_timestep=True, input_sram_per_timestep=True, output_dram_per_timestep=True
)
VARIANTS["E"] = VARIANTS["D"].turned(dram_per_burst=True, sram_per_block=True, leakage_of_all_banks=True)
VARIANTS["F"] = VARIANTS["E"].turned(weights_restreamed=True)


@pytest.mark.parametrize("row", table("sata_sim_sensitivity.csv"), ids=lambda row: row["workload"] + row["variant"][:1])
def test_the_corrected_variants(row: dict[str, str]) -> None:
    layers, timesteps, sparsity = sata_network(row["workload"])
    chip = VARIANTS[row["variant"][0]]
    got = sata_sim.answer(layers, timesteps, sparsity, chip)
    baseline = sata_sim.answer(layers, int(row["base_T"]), float(row["base_sparsity"]), chip)
    assert got.total_cycles == float(row["cycles"])
    assert round(got.total_nj, 1) == float(row["total_nJ"])
    assert round(baseline.total_nj, 1) == float(row["baseline_total_nJ"])
    assert round(got.compute["lif"].total_nj / got.total_nj, 3) == float(row["share_LIF"])
    assert round(got.sram_leakage_nj / got.total_nj, 3) == float(row["share_SRAM_leak"])


def test_shipped_timestep_sweep_with_packed_spikes() -> None:
    """Totals of the shipped runs with T bits per activation, 8 KiB input buffer: 3.524, 4.746, 7.189, 8.411 mJ."""
    layers, _, _ = sata_network("bntt")
    for timesteps, total in ((2, 3.524e6), (4, 4.746e6), (8, 7.189e6), (10, 8.411e6)):
        chip = replace(EYERISS_T4, act_bits=timesteps).turned(fc_as_padded_conv=True)
        assert sata_sim.answer(layers, timesteps, 0.9, chip).total_nj == pytest.approx(total, rel=1.5e-4)


small_layers = st.builds(
    lambda height, width, kernel, channels, filters, stride: PeerLayer(
        "layer", max(height, kernel), max(width, kernel), kernel, kernel, channels, filters, stride
    ),
    st.integers(2, 9),
    st.integers(2, 9),
    st.integers(1, 3),
    st.integers(1, 24),
    st.integers(1, 12),
    st.integers(1, 3),
)


@settings(max_examples=120, deadline=None)
@given(small_layers, st.integers(1, 8), st.integers(1, 8), st.sampled_from([1024, 2500]))
def test_cycle_statistics_equal_the_emulated_traces(layer: PeerLayer, rows: int, cols: int, size: int) -> None:
    buffer = Glb(size, 1.0, 1.0, 1.0)
    got = sata_sim.answer([layer], 2, 0.5, SataSimConfig(rows=rows, cols=cols, ifmap=buffer, ofmap=buffer)).layers[0]
    os, ws = (literal.demands(layer, rows, cols, flow) for flow in ("os", "ws"))
    kept = size // 1024 * 1024
    first_input, last_input = literal.span(os.ifmap)
    first_output, last_output = literal.span(os.ofmap)
    first_weight, last_weight = literal.span(ws.filters)
    assert got.dram_ifmap_reads == literal.read_buffer(os.ifmap, kept)
    assert got.dram_ofmap_writes == literal.write_buffer(os.ofmap, cols, kept)
    assert got.dram_filter_reads == literal.read_buffer(ws.filters, 147456)
    assert got.sram_filter_reads == literal.requests(ws.filters)
    assert got.sram_ifmap_cycles == last_input - first_input
    assert got.sram_ofmap_start_cycle == first_output
    assert got.sram_ofmap_cycles == last_output - first_output
    assert got.sram_filter_cycles == last_weight - first_weight
    folds = -(-layer.positions // rows) * -(-layer.filters // cols)
    assert got.sram_ofmap_writes == literal.requests(os.ofmap) + folds * (rows + cols)


def test_capacity_conventions_against_the_emulated_buffer() -> None:
    layer = PeerLayer("layer", 9, 9, 3, 3, 16, 9)
    chip = replace(SATA, rows=4, cols=4, ifmap=Glb(1024, 1.0, 1.0, 1.0), act_bits=5)
    asked = literal.demands(layer, 4, 4, "os").ifmap
    reads = {
        (False, False): literal.read_buffer(asked, 1024),
        (False, True): literal.read_buffer(asked, 1024, active_sets=100),
        (True, False): literal.read_buffer(asked, 1024 * 8 // 5),
        (True, True): literal.read_buffer(asked, 1024 * 8 // 5, active_sets=100),
    }
    assert len(set(reads.values())) == 4
    for (packed, full), expected in reads.items():
        got = sata_sim.answer([layer], 1, 0.0, chip.turned(packed_spikes=packed, full_capacity=full))
        assert got.layers[0].dram_ifmap_reads == expected


def test_energies_by_hand() -> None:
    """One fully connected layer of 4 inputs and 2 outputs on 2 x 2, T = 3, s = 0.5, 100 MHz."""
    chip = SataSimConfig(
        rows=2,
        cols=2,
        clock_mhz=100,
        act_bits=2,
        output_bits=4,
        pe=(PeUnit("spike-mac", "adder", 8, True), PeUnit("lif", "register", 4, False, 2)),
        scratchpads=(Scratchpad(2, False),),
        ifmap=Glb(1024, 0.1, 9.0, 0.5),
        weight=Glb(1024, 0.2, 9.0, 0.25),
        ofmap=Glb(1024, 9.0, 0.3, 1.0),
        dram_nj=0.8,
    )
    got = sata_sim.answer([PeerLayer("fc", 1, 1, 1, 1, 4, 2, kind="fc")], 3, 0.5, chip)
    # one output-stationary fold: outputs in cycles 3 + 1 (one row of two unused) and 5: 5 cycles per timestep;
    # weights: two folds of 1 + 4 + 2 - 2 = 5 cycles, the span is 5 + 1
    assert got.total_cycles == 5 * 3 + 6
    assert (got.mac_ops, got.lif_ops) == (4 * 2 * 3 // 2, 6)
    cycle_ns = 10.0
    assert got.compute["spike-mac"].operation_nj == pytest.approx(0.01689 * 12 * cycle_ns * 1e-3)
    assert got.compute["spike-mac"].ungated_nj == 0
    assert got.compute["lif"].ungated_nj == pytest.approx(2 * 0.00637 * 21 * 4 * cycle_ns * 1e-3)
    assert got.compute["lif"].leakage_nj == pytest.approx(0.00002 * 21 * 4 * cycle_ns * 1e-3)
    assert got.compute["spad"].ungated_nj == pytest.approx(2 * 0.01249 * 21 * 4 * cycle_ns * 1e-3)
    assert got.memory.dram_nj == pytest.approx({"ifmap": 0.8 * 4 / 4, "weight": 0.8 * 8, "ofmap": 0.8 * 2 / 2})
    # outputs: 2 + (2 + 2) surplus, three times
    assert got.memory.sram_dynamic_nj == pytest.approx({"ifmap": 0.1, "weight": 1.6, "ofmap": 0.3 * 18 / 2})
    assert got.memory.sram_leakage_nj == pytest.approx({"ifmap": 0.105, "weight": 0.0525, "ofmap": 0.21})
    assert sum(got.components_nj().values()) == pytest.approx(got.total_nj, rel=1e-12)


def test_follows_timesteps_density_array_and_buffers() -> None:
    layers, timesteps, sparsity = sata_network("bntt")
    base = sata_sim.answer(layers, timesteps, sparsity)
    per_step = sata_sim.answer(layers, 2, sparsity).total_cycles - sata_sim.answer(layers, 1, sparsity).total_cycles
    assert base.total_cycles == base.weight_load_cycles + per_step * timesteps
    assert sata_sim.answer(layers, timesteps, 0.0).mac_ops == pytest.approx(base.mac_ops / 0.09, rel=1e-6)
    assert sata_sim.answer(layers, timesteps, 0.0).total_cycles == base.total_cycles
    larger = sata_sim.answer(layers, timesteps, sparsity, replace(SATA, rows=32, ifmap=glb(131072)))
    assert larger.total_cycles < base.total_cycles
    assert larger.memory.dram_nj["ifmap"] < base.memory.dram_nj["ifmap"]
    assert larger.memory.sram_dynamic_nj["ifmap"] > base.memory.sram_dynamic_nj["ifmap"]


def test_true_padding_is_the_networks() -> None:
    layer = PeerLayer("layer", 8, 8, 5, 5, 2, 4, 2, "conv", (2, 2))
    peer = sata_sim.answer([layer], 1, 0.0)
    assert peer.lif_ops == 4 * 3 * 3  # padding 1: (8 + 2 - 5) // 2 + 1
    assert peer.layers[0].sram_ifmap_reads == 3 * 3 * 50  # padding 0, rounded up: ceil((8 - 5 + 2) / 2)
    true = sata_sim.answer([layer], 1, 0.0, SATA.turned(true_padding=True))
    assert true.lif_ops == 4 * 4 * 4
    assert true.layers[0].sram_ifmap_reads == 4 * 4 * 50
    assert "operations are counted with padding 1 instead of: layer (2, 2)" in peer.limits
    assert true.layers[0].sram_ifmap_cycles > peer.layers[0].sram_ifmap_cycles


def test_a_kernel_that_only_fits_with_its_padding() -> None:
    layer = PeerLayer("layer", 2, 2, 3, 3, 2, 4, 1, "conv", (1, 1))
    with pytest.raises(UnsupportedError, match="true_padding"):
        sata_sim.answer([layer], 1, 0.0)
    assert sata_sim.answer([layer], 1, 0.0, SATA.turned(true_padding=True)).lif_ops == 4 * 4


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_the_shipped_workload_is_the_peers_file(name: str) -> None:
    layers, timesteps, sparsity = sata_network(name)
    network = load_workload(f"icassp-{name}").network
    assert network.timesteps == timesteps
    got = sata_sim.answer(layers_of(network), timesteps, sparsity)
    assert got.summary() == sata_sim.answer(layers, timesteps, sparsity).summary()


def test_ungated_units_per_operation_or_per_cycle() -> None:
    layers, timesteps, sparsity = sata_network("bntt")
    dense = sata_sim.answer(layers, timesteps, 0.0).mac_ops
    per_cycle = sata_sim.answer(layers, timesteps, sparsity)
    got = sata_sim.answer(layers, timesteps, sparsity, SATA.turned(ungated_per_operation=True))
    # powers of the chip in mW, 2.5 ns per cycle, result in nJ; a silent spike switches ungated units too
    assert got.compute["spike-mac"].ungated_nj == pytest.approx(0.01924 * dense * 2.5e-3)
    assert got.compute["lif"].ungated_nj == pytest.approx(0.05625 * got.lif_ops * 2.5e-3)
    assert per_cycle.compute["lif"].ungated_nj == pytest.approx(0.05625 * got.total_cycles * 128 * 2.5e-3)
    assert got.compute["lif"].operation_nj == per_cycle.compute["lif"].operation_nj


def test_output_write_artefacts_can_be_left_out() -> None:
    layers, timesteps, sparsity = sata_network("direct")
    clean = sata_sim.answer(layers, timesteps, sparsity, SATA.turned(no_fold_surplus=True, no_line_padding=True)).layers
    peer = sata_sim.answer(layers, timesteps, sparsity).layers
    assert [stat.sram_ofmap_writes for stat in clean] == [layer.positions * layer.filters for layer in layers]
    assert [stat.dram_ofmap_writes for stat in clean] == [layer.positions * layer.filters for layer in layers]
    assert [a.dram_ofmap_writes - b.dram_ofmap_writes for a, b in zip(peer, clean, strict=True)] == [7] * 4 + [0] * 3


def test_buffers_between_the_known_sizes() -> None:
    assert glb(32768) == Glb(32768, 0.0110295, 0.012772, 6.25862)
    middle = glb(16384)  # half way between 8 and 32 KiB on a logarithmic scale
    assert middle.read_nj == pytest.approx((0.00665794 * 0.0110295) ** 0.5)
    assert middle.leakage_mw == pytest.approx((1.81265 * 6.25862) ** 0.5)
    for size in (4096, 262144):
        with pytest.raises(UnsupportedError, match=r"CACTI.*Glb\(size_bytes"):
            glb(size)


def test_powers_are_the_peers_rounded_sums() -> None:
    powers = tag_powers(SATA.pe, SATA.scratchpads)
    assert (powers["lif"].area_mm2, powers["lif"].gated_mw, powers["lif"].ungated_mw) == (0.000129, 0.01886, 0.05625)
    assert (powers["spad"].area_mm2, powers["spad"].leakage_mw) == (0.000891, 0.000523)
    assert tag_powers(EYERISS.pe, EYERISS.scratchpads)["mac"].gated_mw == 0.10721


def test_refusals_name_everything() -> None:
    with pytest.raises(UnsupportedError) as caught:
        sata_sim.answer([], 0, 1.5)
    assert len(caught.value.problems) == 3
    with pytest.raises(UnsupportedError) as caught:
        SataSimConfig(rows=0, clock_mhz=-1, ifmap=Glb(100, 1.0, 1.0, 1.0))
    assert len(caught.value.problems) == 3
    odd = replace(SATA, pe=(PeUnit("a", "comparitor", 8, True), PeUnit("b", "adder", 12, True)))
    with pytest.raises(UnsupportedError, match="did you mean 'comparator'") as caught:
        sata_sim.answer([PeerLayer("fc", 1, 1, 1, 1, 4, 2, kind="fc")], 1, 0.5, odd)
    assert len(caught.value.problems) == 2
    with pytest.raises(ArchsimError, match="kernel larger"):
        sata_sim.answer([PeerLayer("conv", 2, 2, 3, 3, 4, 2)], 1, 0.5)


def test_sparsity_is_free_of_binary_rounding() -> None:
    assert 1 - 0.91 != 0.09
    assert sata_sim.sparsity_of(0.09) == 0.91
    assert sata_sim.sparsity_of(0.15) == 0.85


def test_every_step_turns_one_convention() -> None:
    for steps, start in ((sata_sim.SHIPPED_STEPS, SATA.under("shipped")), (sata_sim.STEPS, SATA)):
        for step in steps:
            changed = step.change(start)
            assert replace(changed, conventions=start.conventions) == start
            fields = vars(CURRENT)
            assert sum(vars(changed.conventions)[key] != vars(start.conventions)[key] for key in fields) == 1
    chip = SATA.under("shipped")
    for step in sata_sim.SHIPPED_STEPS:
        chip = step.change(chip)
    assert chip == SATA
