"""Crossbars of which only some word lines are driven at once: every count and start cycle by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from by_hand import CONV, chip, counts, network, starts

from archsim.accelerators import load_architecture
from archsim.accelerators.crossbar.lower import lower, replicas_of
from archsim.accelerators.stages import stages_of
from archsim.engine import execute
from archsim.workload import load_workload

POINTWISE = {"name": "a", "type": "conv2d", "out_channels": 2, "kernel": 1}


@pytest.mark.parametrize("engine", ["des", "fast"])
def test_three_rows_two_at_once(tmp_path: Path, engine: Any) -> None:
    """3 channels, 1 x 1, 2 filters: one crossbar of 3 x 4 cells; its first pass drives rows 0 and 1, its second row 2.

    Of a 2 x 2 map at t = 0 the places see channels {0, 2}, {2}, {0, 1} and none: two passes, one (the first is silent),
    one (the second is), none. t = 1 is silent. A chunk is a row of 2 positions: 3 passes and 1.

    * read: 2 cycles a pass, though the second drives but one row: 6 and 2; the lines are held until converted.
    * adc: 2 columns for each converter, 3 cycles each: 6 a pass, 18 and 6.
    """
    spikes = np.zeros((2, 3, 2, 2), np.uint8)
    for channel, y, x in ((0, 0, 0), (2, 0, 0), (2, 0, 1), (0, 1, 0), (1, 1, 0)):
        spikes[0, channel, y, x] = 1
    net = network(tmp_path, [POINTWISE], {"input": spikes}, (3, 2, 2))
    done = execute(lower(chip(crossbar={"active_rows": 2}), net).graph, engine)
    assert starts(done, "a.fetch.0") == [0, 2, 8, 28]
    assert starts(done, "a.read.0") == [2, 26, 34, 34]
    assert starts(done, "a.adc.0") == [8, 28, 34, 37]
    assert starts(done, "a.neurons.0") == [27, 35, 37, 39]
    assert done.cycles == 41
    counted = {name: count for name, count in counts(done, 0).items() if "neuron" not in name[0]}
    assert counted == {
        ("input_buffer", "line_read"): (3, 0),
        ("htree", "bit"): (3 * 3 + 3 * 2 * 16, 0),  # the rows of a place once, whatever its passes; 2 sums of 16 bits
        ("wordline_driver", "drive"): (5, 0),
        ("cells", "read"): (5 * 4, 0),
        ("cells", "hold"): (5 * 4 * 2, 0),  # each row through the two phases of its own pass
        ("cells", "sop"): (5 * 2, 0),
        ("column_mux", "select"): (4 * 4, 0),
        ("adc", "convert"): (4 * 4, 0),
        ("subtractor", "op"): (4 * 2, 0),
        ("pe_accumulator", "op"): (4 * 2, 0),
        ("tile_accumulator", "op"): (3 * 2, 0),  # passes are added in the PE
        ("membrane_buffer", "element_write"): (8, 0),
        ("membrane_buffer", "line_write"): (4, 0),
        ("membrane_buffer", "element_read"): (0, 8),
        ("membrane_buffer", "line_read"): (0, 4),
    }


@pytest.mark.parametrize(("silent", "passes"), [(True, 1), (False, 2)])
def test_the_same_pass_of_all_crossbars_of_a_pe_is_converted_together(
    tmp_path: Path, silent: bool, passes: int
) -> None:
    """Channel 1 spikes everywhere, channel 0 nowhere: four taps in the second pass, added; the first is silent.

    12 of sums of four cells with 4 levels take 4 bits; one row at a time still adds up over the crossbars of the PE.
    """
    spikes = np.zeros((2, 2, 2, 2), np.uint8)
    spikes[0, 1] = 1
    adc = {"share": "pe", "analog_sum": True, "skip_silent": silent, "resolution": "active_rows", "bits": 6}
    arch = chip(crossbar={"active_rows": 1}, adc=adc)
    lowered = lower(arch, network(tmp_path, [CONV], {"input": spikes}))
    done = execute(lowered.graph)
    counted = counts(done)
    assert counted["column_mux", "select"][0] == 4 * passes * 4
    assert counted["adc", "decide"][0] == 4 * (4 + (passes - 1)) * 4  # of silence one bit
    assert counted["popcount", "op"][0] == 4 * passes and counted["wordline_driver", "drive"] == (16, 0)
    popcount = next(part for part in lowered.components if part.name == "popcount")
    assert popcount.attributes["inputs"] == 1 * 9


def test_blocks_of_few_rows_have_no_part_in_later_passes(tmp_path: Path) -> None:
    """5 channels in crossbars of 4 rows, 2 at once, silence read: blocks of 4 and of 1 rows take 2 passes and 1.

    A row of two places takes 2 passes each; 3 turns where both blocks share the converters of a PE. Lines that are held
    are driven in every turn, those that are sampled in every pass.
    """
    net = network(tmp_path, [POINTWISE], {"input": np.zeros((2, 5, 2, 2), np.uint8)}, (5, 2, 2))
    ways = (("crossbar", "hold", 2, 2), ("pe", "hold", 3, 3), ("pe", "sample_hold", 2, 3))
    for share, conducts, driven, turns in ways:
        crossbar = {"active_rows": 2, "conducts": conducts}
        done = execute(lower(chip(crossbar=crossbar, adc={"skip_silent": False, "share": share}), net).graph)
        assert counts(done)["adc", "convert"] == (4 * 3 * 4,) * 2
        first = [int(done.graph.duration[done.graph.unit == _unit(done, f"a.{unit}.0")][0]) for unit in ("read", "adc")]
        assert first == [2 * driven * 2, 2 * turns * 6], (share, conducts)


def test_replicas_are_balanced_by_passes(tmp_path: Path) -> None:
    """Of 2 and of 4 rows: one takes as long as the other when all are driven at once, half as long one by one."""
    layers = [{**POINTWISE, "out_channels": 4}, {**POINTWISE, "name": "b", "out_channels": 4}]
    found = []
    for rows in ("all", 1):
        arch = chip(crossbar={"active_rows": rows}, tiles=3, mapping={"replicate": "auto"})
        net = network(tmp_path, layers, {}).network
        found.append(replicas_of(arch, net, stages_of(net)))
    assert found == [[2, 2], [1, 2]]


def test_fewer_rows_at_once_need_fewer_bits(tmp_path: Path) -> None:
    net = network(tmp_path, [POINTWISE], {"input": np.ones((2, 4, 2, 2), np.uint8)}, (4, 2, 2))
    every, one = (
        " ".join(lower(chip(crossbar={"active_rows": rows}, adc={"bits": 2}), net).assumptions) for rows in ("all", 1)
    )
    assert "conversions are clipped" in every and "'a' needs 4 bits" in every and "conversions are clipped" not in one


def test_as_many_rows_as_there_are_is_all_of_them() -> None:
    workload = load_workload("cnn-mnist")
    every, stated = (
        execute(lower(load_architecture("spikeflow", [f"crossbar.active_rows={rows}"]).chip, workload).graph)
        for rows in ("all", 64)
    )
    assert list(every.ledger.rows()) == list(stated.ledger.rows()) and np.array_equal(every.start, stated.start)


def _unit(done: Any, name: str) -> int:
    return [unit.name for unit in done.graph.units].index(name)
