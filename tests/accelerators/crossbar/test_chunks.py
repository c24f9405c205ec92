"""Which chunk of a producer a reader waits for: by hand, and against the windows themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archsim.accelerators.crossbar.chunks import NOTHING, Chunks, beside, producers
from archsim.accelerators.stages import stages_of
from archsim.config import parse_document
from archsim.workload import Network
from archsim.workload.load import load_workload


def network(tmp_path: Any, *layers: str, size: int = 4) -> Network:
    text = "\n".join(f"  - {{{layer}}}" for layer in layers)
    file = tmp_path / "net.yaml"
    head = f"name: net\ntimesteps: 2\ninput: {{shape: [2, {size}, {size}], encoding: events}}\n"
    file.write_text(f"{head}layers:\n{text}\nactivity: {{density: 0.5}}\n")
    assert parse_document(file.read_text(), "net").data
    return load_workload(str(file)).network


CONV = "name: {0}, type: conv2d, out_channels: 2, kernel: 3, padding: 1"


def test_rows_wait_for_the_row_below(tmp_path: Any) -> None:
    net = network(tmp_path, CONV.format("a"), CONV.format("b"))
    a, b = (Chunks(stage, "row", 1) for stage in stages_of(net))
    assert a.completed_by(net)["a"].tolist() == [[row] * 4 for row in range(4)]
    (wanted,) = producers(b, a.completed_by(net)["a"], a)
    assert wanted.tolist() == [1, 2, 3, 3]


def test_positions_wait_for_the_corner_of_their_window(tmp_path: Any) -> None:
    net = network(tmp_path, CONV.format("a"), CONV.format("b"))
    a, b = (Chunks(stage, "position", 1) for stage in stages_of(net))
    (wanted,) = producers(b, a.completed_by(net)["a"], a)
    assert wanted.reshape(4, 4).tolist() == [[5, 6, 7, 7], [9, 10, 11, 11], [13, 14, 15, 15], [13, 14, 15, 15]]


def test_a_pool_completes_with_its_last_row(tmp_path: Any) -> None:
    net = network(tmp_path, CONV.format("a"), "name: p, type: maxpool2d, kernel: 2", CONV.format("b"))
    a, b = (Chunks(stage, "row", 1) for stage in stages_of(net))
    assert a.completed_by(net)["p"].tolist() == [[1, 1], [3, 3]]
    assert producers(b, a.completed_by(net)["p"], a)[0].tolist() == [3, 3]
    positions = Chunks(stages_of(net)[0], "position", 1)
    assert positions.completed_by(net)["p"].tolist() == [[5, 7], [13, 15]]


def test_a_linear_layer_waits_for_everything(tmp_path: Any) -> None:
    net = network(tmp_path, CONV.format("a"), "name: f, type: flatten", "name: l, type: linear, out_features: 3")
    a, linear = (Chunks(stage, "row", 2) for stage in stages_of(net))
    assert linear.count == 1 and a.replica.tolist() == [0, 0, 1, 1]
    first, second = producers(Chunks(linear.stage, "row", 1), a.completed_by(net)["f"], a)
    assert first.tolist() == [NOTHING] and second.tolist() == [3]


def test_replicas_that_deliver_at_once_are_both_waited_for(tmp_path: Any) -> None:
    """Rows 0-1 come from replica 0, rows 2-3 from replica 1: the window of output row 1 has rows of both."""
    net = network(tmp_path, CONV.format("a"), CONV.format("b"))
    a, b = (Chunks(stage, "row", 2) for stage in stages_of(net))
    first, second = producers(b, a.completed_by(net)["a"], a)
    assert first.tolist() == [1, 1, 1, NOTHING] and second.tolist() == [NOTHING, 2, 3, 3]


def test_a_residual_operand_is_waited_for_where_it_is_added(tmp_path: Any) -> None:
    net = network(tmp_path, CONV.format("a"), CONV.format("b"), "name: s, type: add, with: a")
    a, b = (Chunks(stage, "row", 1) for stage in stages_of(net))
    (wanted,) = beside(b, b.completed_by(net)["s"], a.completed_by(net)["a"], a)
    assert wanted.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("granularity", ["row", "position"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("replicas", [1, 3])
def test_no_place_of_a_window_comes_later_than_what_is_waited_for(
    tmp_path: Any, granularity: Any, stride: int, dilation: int, replicas: int
) -> None:
    reader = f"name: b, type: conv2d, out_channels: 2, kernel: 3, padding: 1, stride: {stride}, dilation: {dilation}"
    net = network(tmp_path, CONV.format("a"), "name: p, type: avgpool2d, kernel: 2, stride: 1", reader, size=7)
    a, b = (Chunks(stage, granularity, replicas) for stage in stages_of(net))
    completed = a.completed_by(net)["p"]
    wanted = producers(b, completed, a)
    layer = b.layer
    for chunk in range(b.count):
        latest = np.full(replicas, NOTHING)
        for position in range(chunk * b.width, (chunk + 1) * b.width):
            y, x = divmod(position, layer.out_shape[2])
            for row in range(y * stride - 1, y * stride + 2 * dilation, dilation):
                for col in range(x * stride - 1, x * stride + 2 * dilation, dilation):
                    if 0 <= row < layer.in_shape[1] and 0 <= col < layer.in_shape[2]:
                        needed = completed[row, col]
                        latest[a.replica[needed]] = max(latest[a.replica[needed]], needed)
        assert [int(vector[chunk]) for vector in wanted] == latest.tolist()
