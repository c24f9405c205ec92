"""Loads of links are the flits that the ledger has, times links; membranes of replicas that lie differently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from by_hand import CONV, chip, counts, network

from archsim import load_architecture, load_workload
from archsim.accelerators.crossbar.lower import chip_of, emit, lower
from archsim.engine import execute

WAYS: tuple[tuple[str, ...], ...] = (
    ("noc.cast=unicast", "noc.packets=aer"),
    ("dram={bandwidth: 1 GB/s}", "mapping.replicate=3", "crossbar.signed=diff"),
    ("dram={bandwidth: 1 GB/s}", "tiles=6", "reload=true", "crossbar.device=rram-20k-200k", "pe.crossbars=64"),
    ("pe.crossbars=3", "tile.pes=2", "first_layer=once"),
)


@pytest.mark.parametrize("workload", ["cnn-mnist", "resnet19-cifar10"])
@pytest.mark.parametrize("way", WAYS)
def test_every_flit_has_its_links(way: tuple[str, ...], workload: str) -> None:
    if workload == "resnet19-cifar10" and "reload=true" in way:
        way = (*way, "tile.pes=64")
    made = chip_of(load_architecture("spikeflow", way).chip, load_workload(workload), 0)
    emit(made)
    ledger = execute(made.builder.build(), "fast").ledger
    assert made.links.flit_hops * made.arch.noc.flit_bits == ledger.total("link", "bit") > 0


def test_membrane_lines_are_those_of_each_replicas_tiles(tmp_path: Path) -> None:
    """4 channels in 2 PEs, three PEs in a tile: the second replica's channels lie in two tiles.

    4 states of 16 bits fill one line of 8 bytes; 2 and 2 take a line each. A replica has one row of 2 places.
    """
    silent = {"input": np.zeros((2, 2, 2, 2), np.uint8)}
    net = network(tmp_path, [{**CONV, "out_channels": 4}], silent)
    two = chip(mapping={"replicate": 2}, tile={"pes": 3}, neuron={"membrane": {"line": 8}})
    assert counts(execute(lower(two, net).graph))["membrane_buffer", "line_write"] == (2 * 1 + 2 * 2, 0)


def test_a_chip_that_is_loaded_once_is_as_if_it_could_not_be_loaded_again(tmp_path: Path) -> None:
    """Its buffers hold the next input back as those of any other chip do."""
    net = network(tmp_path, [CONV, {**CONV, "name": "b"}], {"input": np.ones((2, 2, 2, 2), np.uint8)})
    settings = {"tiles": 2, "dram": {"bandwidth": "1 GB/s"}}
    plain, loadable = (lower(chip(reload=reload, **settings), net).graph for reload in (False, True))
    assert [buffer.name for buffer in plain.buffers] == [buffer.name for buffer in loadable.buffers]
    assert np.array_equal(execute(plain.unrolled(3)).start, execute(loadable.unrolled(3)).start)
