"""A dilated window on crossbars, by hand: its four taps are the corners of a map of 3 x 3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from by_hand import chip, counts, network

from archsim.accelerators.crossbar.lower import lower
from archsim.engine import execute
from archsim.errors import MisfitError

CORNERS: dict[str, Any] = {"name": "a", "type": "conv2d", "out_channels": 2, "kernel": 2, "dilation": 2}
DRAM = {"bandwidth": "unlimited"}


def test_what_lies_between_the_taps_is_neither_sent_nor_read(tmp_path: Path) -> None:
    """t = 0: every value of both channels spikes; t = 1: all but the corners.

    A corner is one line (2 channels), and a crossbar of its own with two active rows.
    """
    spikes = np.ones((2, 2, 3, 3), np.uint8)
    spikes[1, :, ::2, ::2] = 0
    done = execute(lower(chip(dram=DRAM), network(tmp_path, [CORNERS], {"input": spikes}, (2, 3, 3))).graph)
    found = counts(done)
    assert found["input_buffer", "line_write"] == found["input_buffer", "line_read"] == (4, 0)
    assert found["wordline_driver", "drive"] == (4 * 2, 0)
    assert found["cells", "sop"] == (4 * 2 * 2, 0)  # two filters
    assert found["neuron_membrane", "update"] == (2, 2)
    assert found["dram", "read_bit"] == (18, 18)  # all that comes, comes through the corner tile


def test_the_buffer_holds_the_rows_that_a_window_spans(tmp_path: Path) -> None:
    layers = [{"name": "b", "type": "conv2d", "out_channels": 2, "kernel": 1}, CORNERS]
    given = {"input": np.ones((2, 2, 3, 3), np.uint8), "b": np.ones((2, 2, 3, 3), np.uint8)}
    tight = {"buffer": {"rows": 2}, "pipeline": "full"}
    with pytest.raises(MisfitError, match="the window of layer 'a'") as caught:
        lower(chip(**tight), network(tmp_path, layers, given, (2, 3, 3)))
    assert caught.value.demand == 3
    tight["buffer"] = {"rows": 3}
    assert execute(lower(chip(**tight), network(tmp_path, layers, given, (2, 3, 3))).graph).cycles > 0
