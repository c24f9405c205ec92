"""Networks small enough to count and time by hand: every count and every start cycle is written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from by_hand import CONV, Given, chip, counts, network, starts

from archsim.accelerators.crossbar.lower import lower
from archsim.engine import execute
from archsim.workload import Workload, load_workload


@pytest.mark.parametrize("engine", ["des", "fast"])
def test_one_convolution_two_timesteps(tmp_path: Path, engine: Any) -> None:
    """2 channels, 3 x 3, 2 filters in differential columns: 9 crossbars of 2 x 4 cells in one PE, one tile.

    t = 0 has one spike, of channel 1 in the corner of a 2 x 2 map: each of the four positions sees it, in a crossbar of
    its own. t = 1 is silent. A chunk is a row of 2 positions.

    * fetch: 1 line each: 2 cycles a row; nothing at t = 1. Two rows may be in the registers: row 0 of t = 1 is fetched
      when row 0 of t = 0 has been read (6), row 1 when row 1 has (22).
    * read: 2 cycles each, 4 a row; the lines are held until the row is converted.
    * adc: 2 columns for each converter, 3 cycles each: 6 a position, 12 a row. The sums of two rows may wait: the last
      (empty) conversion begins when the neurons have handled row 1 of t = 0 (37).
    * neurons: 2 values at 2 units, their membranes one line of 32 bits: 1 cycle a position, 2 a row; one cycle behind
      the converters.
    """
    spikes = np.zeros((2, 2, 2, 2), np.uint8)
    spikes[0, 1, 0, 0] = 1
    done = execute(lower(chip(), network(tmp_path, [CONV], {"input": spikes})).graph, engine)
    assert starts(done, "a.fetch.0") == [0, 2, 6, 22]
    assert starts(done, "a.read.0") == [2, 18, 34, 34]
    assert starts(done, "a.adc.0") == [6, 22, 34, 37]
    assert starts(done, "a.neurons.0") == [19, 35, 37, 39]
    assert done.cycles == 41
    assert counts(done) == {
        ("input_buffer", "line_read"): (4, 0),
        ("htree", "bit"): (4 * 2 + 4 * 2 * 16, 0),  # 2 rows in, 2 sums of 16 bits out
        ("wordline_driver", "drive"): (4, 0),
        ("cells", "read"): (4 * 4, 0),
        ("cells", "hold"): (4 * 4 * 2, 0),  # through two phases
        ("cells", "sop"): (4 * 2, 0),
        ("column_mux", "select"): (4 * 4, 0),
        ("adc", "convert"): (4 * 4, 0),
        ("subtractor", "op"): (4 * 2, 0),
        ("pe_accumulator", "op"): (4 * 2, 0),
        ("tile_accumulator", "op"): (4 * 2, 0),
        ("neuron_adder", "op"): (8, 8),
        ("neuron_leak", "op"): (8, 8),
        ("neuron_comparator", "op"): (8, 8),
        ("neuron_threshold", "read"): (8, 8),
        ("neuron_membrane", "read"): (8, 8),
        ("neuron_membrane", "write"): (8, 8),
        ("neuron_membrane", "update"): (8, 8),
        ("membrane_buffer", "element_write"): (8, 0),  # S N (B - 1) with B = 2 visits
        ("membrane_buffer", "line_write"): (4, 0),
        ("membrane_buffer", "element_read"): (0, 8),
        ("membrane_buffer", "line_read"): (0, 4),
    }


@pytest.mark.parametrize("engine", ["des", "fast"])
def test_partial_sums_of_two_tiles_meet_at_the_first(tmp_path: Path, engine: Any) -> None:
    """The same with one crossbar per PE and five PEs per tile: taps 0-4 lie in tile 0, taps 5-8 in tile 1.

    The spike at (0, 0) meets tap (1 - y, 1 - x) of the position (y, x): taps 4, 3, 1, 0, all in tile 0: nothing is
    sent. A second spike at (1, 1) meets taps 8, 7, 5, 4: tile 1 has sums at three positions, 2 of 16 bits in 8 flits of
    4 bits; (1, 1) itself has both its taps in tile 0.
    """
    spikes = np.zeros((2, 2, 2, 2), np.uint8)
    spikes[0, 1, 0, 0] = spikes[0, 0, 1, 1] = 1
    spread = chip(pe={"crossbars": 1}, tile={"pes": 5})
    done = execute(lower(spread, network(tmp_path, [CONV], {"input": spikes})).graph, engine)
    counted = counts(done)
    assert counted["router", "flit"] == (3 * 8 * 2, 0)  # one hop, two routers
    assert counted["link", "bit"] == (3 * 8 * 4, 0)
    assert counted["pe_accumulator", "op"] == (8 * 2, 0)
    assert counted["tile_accumulator", "op"] == (8 * 2 + 3 * 2, 0)
    # a row still takes 4 + 12; its sums are there one cycle later, row 0 sends 16 flits, row 1 8 flits, over one hop
    assert starts(done, "a.adc.0")[:2] == [2 * 2 + 4, 8 + 12 + 4]
    assert starts(done, "port.0") == [8 + 12 + 1, 24 + 12 + 1]
    assert starts(done, "a.neurons.0")[:2] == [21 + 16 + 5, max(42 + 2, 37 + 8 + 5)]


@pytest.mark.parametrize("engine", ["des", "fast"])
def test_two_layers_overlap_as_the_pipeline_allows(tmp_path: Path, engine: Any) -> None:
    """Both layers full of spikes; the second lies in a tile of its own.

    A row of 2 positions: 4 lines each, 8 cycles; read 4, converted 12, updated 2. It goes on as 2 bitmap flits over one
    hop of 5 cycles. Row 0 of the second layer needs row 1 of the first.
    """
    ones = np.ones((2, 2, 2, 2), np.uint8)
    layers = [CONV, {**CONV, "name": "b"}]

    def run(pipeline: str) -> Any:
        net = network(tmp_path, layers, {"input": ones, "a": ones})
        return execute(lower(chip(pipeline=pipeline), net).graph, engine)

    full, layer, none = run("full"), run("layer"), run("none")
    assert starts(full, "a.read.0") == [8, 24, 40, 56]
    assert starts(full, "a.neurons.0") == [25, 41, 57, 73]
    assert starts(full, "port.1") == [27, 43, 59, 75]
    assert starts(full, "b.fetch.0") == [43 + 2 + 5, 58, 75 + 2 + 5, 90]
    assert starts(layer, "b.fetch.0") == starts(full, "b.fetch.0")
    assert starts(none, "b.fetch.0")[0] == 75 + 2 + 5
    counted = counts(full, layer=0)
    assert counted["router", "flit"] == (4 * 2, 4 * 2) and counted["link", "bit"] == (4 * 4, 4 * 4)
    assert counted["input_buffer", "line_write"] == (4, 4)  # of the second layer, when its spikes arrive
    assert full.cycles < none.cycles


def test_timesteps_of_a_row_may_follow_each_other(tmp_path: Path) -> None:
    """Every neuron is then visited once: its membrane never leaves the unit."""
    spikes = np.zeros((2, 2, 2, 2), np.uint8)
    spikes[0] = 1
    done = execute(lower(chip(timesteps="together"), network(tmp_path, [CONV], {"input": spikes})).graph)
    assert done.graph.timestep[:4].tolist() == [0, 1, 0, 1]
    assert starts(done, "a.read.0") == [8, 24, 24, 40]
    assert not any(component == "membrane_buffer" for component, _ in counts(done))


def test_wide_values_are_read_plane_by_plane(tmp_path: Path) -> None:
    """An image of 3-bit values, of which one place holds 5 = 101: two planes are read, one is silent."""
    described = [{"name": "a", "type": "conv2d", "out_channels": 2, "kernel": 1}]
    network(tmp_path, described, {})
    text = (tmp_path / "net.yaml").read_text().replace('"events"', '"direct"')
    (tmp_path / "net.yaml").write_text(text.replace('"weight_bits": 3', '"weight_bits": 3, "input_bits": 3'))
    loaded = load_workload(str(tmp_path / "net.yaml"))
    image = np.zeros((1, 2, 2, 2), np.uint8)
    image[0, 0, 1, 0] = 5
    given = Given(loaded.network, {"input": np.broadcast_to(image, (2, 2, 2, 2))})
    net = Workload(loaded.network, given, loaded.document, loaded.hash)
    done = execute(lower(chip(), net).graph)
    counted = counts(done)
    assert counted["wordline_driver", "drive"] == (2, 2) and counted["cells", "sop"] == (2, 2)
    assert counted["adc", "convert"] == (8, 8) and counted["shift_add", "op"] == (8, 8)
    assert counted["pe_accumulator", "op"] == (4, 4)  # two outputs, two planes
    assert counted["tile_accumulator", "op"] == (2, 2)  # the planes are added before
    graph = done.graph
    of_adc = graph.unit == [unit.name for unit in graph.units].index("a.adc.0")
    assert graph.duration[of_adc].tolist() == [0, 2 * 6, 0, 2 * 6]


def test_an_image_may_be_read_once(tmp_path: Path) -> None:
    """A 1 x 1 layer on a 2 x 2 image of ones, T = 3: everything up to the converters happens at t = 0 only.

    The sums (16 bits a neuron, 2 neurons a place: one line of 4 bytes) are written once and read twice; membranes are
    written at t = 0, 1 and read at t = 1, 2 as ever.
    """
    network(tmp_path, [{"name": "a", "type": "conv2d", "out_channels": 2, "kernel": 1}], {})
    text = (tmp_path / "net.yaml").read_text().replace('"timesteps": 2', '"timesteps": 3')
    (tmp_path / "net.yaml").write_text(text.replace('"events"', '"direct"'))
    loaded = load_workload(str(tmp_path / "net.yaml"))
    given = Given(loaded.network, {"input": np.broadcast_to(np.ones((1, 2, 2, 2), np.uint8), (3, 2, 2, 2))})
    net = Workload(loaded.network, given, loaded.document, loaded.hash)
    once, repeat = (execute(lower(chip(first_layer=how), net).graph) for how in ("once", "repeat"))
    counted, every = counts(once), counts(repeat)
    for action in (("adc", "convert"), ("cells", "read"), ("input_buffer", "line_read"), ("tile_accumulator", "op")):
        assert every[action] == (every[action][0],) * 3 and counted[action] == (every[action][0], 0, 0)
    assert counted["neuron_adder", "op"] == every["neuron_adder", "op"] == (8, 8, 8)
    assert every["membrane_buffer", "line_write"] == (4, 4, 0) and every["membrane_buffer", "line_read"] == (0, 4, 4)
    assert counted["membrane_buffer", "line_write"] == (8, 4, 0)
    assert counted["membrane_buffer", "line_read"] == (0, 8, 8)
    assert counted["membrane_buffer", "element_write"] == (16, 8, 0)
    assert once.cycles < repeat.cycles
