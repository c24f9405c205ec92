"""Where weights lie: every one exactly once, blocks by hand, capacities, replicas, rounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.accelerators.crossbar.cells import weight_cells
from archsim.accelerators.crossbar.mapping import (
    Hierarchy,
    Placement,
    balanced_replicas,
    pes_of,
    place,
    useful_replicas,
)
from archsim.errors import MisfitError, UnsupportedError
from archsim.workload import Layer


def conv(name: str = "conv", channels: int = 2, filters: int = 4, kernel: int = 3, **more: Any) -> Layer:
    size = 8
    return Layer(
        index=0, name=name, kind="conv2d", sources=("input",), in_shape=(channels, size, size),
        out_shape=(filters, size, size), in_bits=1, out_bits=1, in_max=1, out_max=1,
        weight_bits=more.pop("weight_bits", 4), kernel=(kernel, kernel), padding=(kernel // 2, kernel // 2), **more,
    )  # fmt: skip


def chip(**changes: Any) -> Hierarchy:
    sizes = {"rows": 4, "cols": 4, "cell_bits": 4, "signed": "offset", "crossbars_per_pe": 9, "pes_per_tile": 2}
    return Hierarchy(**{**sizes, **changes})


def times_placed(placed: Placement) -> np.ndarray[Any, Any]:
    """[replicas, groups, filters, K]: how many crossbars hold each weight."""
    layer = placed.layer
    found = np.zeros((int(placed.replica.max()) + 1, layer.groups, layer.filters, layer.reduction), int)
    for x in range(placed.crossbars):
        rows = placed.first[x] + placed.step * np.arange(placed.rows[x])
        outputs = placed.output[x] + np.arange(placed.outputs[x])
        found[placed.replica[x], placed.group[x], outputs[:, None], rows[None, :]] += 1
    return found


def test_cells_of_a_weight() -> None:
    assert weight_cells(4, 1, "offset") == (4, 1, 1, 1)
    assert weight_cells(4, 1, "differential") == (3, 2, 1, 0)
    assert weight_cells(4, 1, "diff") == (3, 1, 2, 0)
    assert weight_cells(8, 3, "differential").cells == 6  # 7 bits of magnitude in 3 slices, twice
    assert weight_cells(1, 1, "differential").columns == 2


def test_blocks_of_a_convolution_by_hand() -> None:
    """2 channels x 3 x 3, 4 filters of one cell each, 4 x 4 crossbars with a reference column: 3 filters and 1."""
    (placed,) = place([conv()], chip())
    assert placed.crossbars == 9 * 2
    assert placed.first.tolist() == list(range(9)) * 2 and placed.rows.tolist() == [2] * 18
    assert placed.output.tolist() == [0] * 9 + [3] * 9 and placed.outputs.tolist() == [3] * 9 + [1] * 9
    assert placed.pe.tolist() == [0] * 9 + [1] * 9 and set(placed.tile.tolist()) == {0}
    assert placed.used_cells == 2 * 9 * 4 and placed.utilisation == 72 / (2 * 9 * 16)


def test_flat_rows_fill_crossbars() -> None:
    """K = 18 in blocks of 4 rows: 4 full ones and 2 left; two crossbars per PE."""
    (placed,) = place([conv()], chip(unroll="flat", crossbars_per_pe=2, cols=5))
    assert placed.first.tolist() == [0, 4, 8, 12, 16] and placed.rows.tolist() == [4, 4, 4, 4, 2]
    assert placed.pe.tolist() == [0, 0, 1, 1, 2] and placed.tile.tolist() == [0, 0, 0, 0, 1]


def test_positive_and_negative_crossbars() -> None:
    (placed,) = place([conv()], chip(signed="diff", cell_bits=3, crossbars_per_pe=18))
    assert placed.sign.tolist() == [1, -1] * 9 and placed.pe.tolist() == [0] * 18
    assert np.all(times_placed(placed) == 2)


def test_layers_begin_with_tiles_of_their_own_unless_shared() -> None:
    layers = [conv("a", filters=3), conv("b", filters=3)]
    own, shared = place(layers, chip()), place(layers, chip(share_tiles=True))
    assert [set(one.pe.tolist()) for one in own] == [{0}, {2}]
    assert [set(one.pe.tolist()) for one in shared] == [{0}, {1}]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_weight_lies_exactly_once(data: st.DataObject) -> None:
    draw = data.draw
    layers = []
    for number in range(draw(st.integers(1, 3))):
        groups = draw(st.sampled_from([1, 2, 4]))
        kernel = draw(st.sampled_from([1, 2, 3, 5]))
        channels, filters = groups * draw(st.integers(1, 9)), groups * draw(st.integers(1, 9))
        bits = draw(st.integers(1, 8))
        layers.append(conv(f"l{number}", channels, filters, kernel, groups=groups, weight_bits=bits))
    sizes = chip(
        rows=draw(st.integers(1, 16)), cols=draw(st.integers(17, 40)), cell_bits=draw(st.integers(1, 4)),
        signed=draw(st.sampled_from(["differential", "diff", "offset"])),
        unroll=draw(st.sampled_from(["kernel", "flat"])), crossbars_per_pe=draw(st.integers(2, 10)),
        pes_per_tile=draw(st.integers(1, 4)), share_tiles=draw(st.booleans()),
    )  # fmt: skip
    replicas = [draw(st.integers(1, 3)) for _ in layers]
    placed = place(layers, sizes, replicas)
    for one, count in zip(placed, replicas, strict=True):
        assert np.all(times_placed(one) == one.cells.crossbars)
        assert len(np.unique(one.replica)) == count
        assert one.used_cells == count * one.layer.weights * one.cells.cells
        assert np.all(one.rows <= sizes.rows)
        assert np.all(one.outputs * one.cells.columns + one.cells.reference_columns <= sizes.cols)
        for pe in np.unique(one.pe):
            here = one.pe == pe
            assert here.sum() <= sizes.crossbars_per_pe and len(np.unique(one.column[here])) == 1
        assert 0 < one.utilisation <= 1
    pes = [set(one.pe.tolist()) for one in placed]
    assert sum(map(len, pes)) == len(set().union(*pes))
    if not sizes.share_tiles:
        tiles = [set(one.tile.tolist()) for one in placed]
        assert sum(map(len, tiles)) == len(set().union(*tiles))


def test_a_network_larger_than_the_chip_is_refused_with_levers() -> None:
    layers = [conv("small", filters=3), conv("large", filters=30)]
    with pytest.raises(MisfitError, match="'large'") as caught:
        place(layers, chip(tiles=3))
    assert (caught.value.demand, caught.value.capacity) == (6, 3)
    assert any("reload" in lever for lever in caught.value.levers)


def test_a_chip_is_loaded_in_rounds_and_no_column_is_cut() -> None:
    """12 channels: 27 crossbars of 3 PEs for each block of 3 filters; a chip of 4 PEs holds one block at a time."""
    (placed,) = place([conv(channels=12, filters=9)], chip(tiles=2, reload=True))
    assert [placed.pe[placed.column == number].min() for number in range(3)] == [0, 4, 8]
    assert [set(placed.round[placed.column == number].tolist()) for number in range(3)] == [{0}, {1}, {2}]
    with pytest.raises(MisfitError, match="partial sums belong together"):
        place([conv(channels=12)], chip(tiles=1, reload=True))


def test_replicas_go_where_the_most_positions_are() -> None:
    """8 x 8 positions each; one PE a replica, two in a tile. Six tiles have room for eight of 'a' and four of 'b': no
    faster than four of each, unless a position of 'a' takes twice as long.
    """
    layers = [conv("a", filters=3), conv("b", filters=3)]
    assert [pes_of(layer, chip()) for layer in layers] == [1, 1]
    assert balanced_replicas(layers, chip(tiles=6), [1, 1]) == [4, 4]
    assert balanced_replicas(layers, chip(tiles=6), [2, 1]) == [8, 4]
    assert balanced_replicas(layers, chip(tiles=100), [1, 1]) == [8, 8]
    assert [useful_replicas(layers[0], wanted) for wanted in (1, 3, 4, 5, 7, 8, 9)] == [1, 3, 4, 4, 4, 8, 8]
    place(layers, chip(tiles=6), [8, 4])
    with pytest.raises(UnsupportedError, match="number of tiles"):
        balanced_replicas(layers, chip(), [1, 1])


def test_a_weight_wider_than_a_crossbar_is_refused_for_all_layers_at_once() -> None:
    layers = [conv("a", weight_bits=8), conv("b", weight_bits=8), conv("c", weight_bits=2)]
    with pytest.raises(UnsupportedError) as caught:
        place(layers, chip(cell_bits=1))
    assert [problem.key for problem in caught.value.problems] == ["crossbar.cols"] * 2
    assert "'a'" in str(caught.value) and "'b'" in str(caught.value)


def test_both_signs_of_a_block_lie_in_one_pe() -> None:
    (placed,) = place([conv()], chip(signed="diff", cell_bits=3, crossbars_per_pe=5))
    assert placed.pe.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 2
    with pytest.raises(UnsupportedError, match="at least 2"):
        place([conv(), conv()], chip(signed="diff", cell_bits=3, crossbars_per_pe=1))
