"""The waterfall: sums without remainder, steps in any order, each worth something of its own."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peer_reference import sata_network

from archsim.errors import ArchsimError
from archsim.peers import sata_sim
from archsim.peers.sata_sim import SATA, SataSimConfig
from archsim.peers.waterfall import Given, Step, waterfall


@dataclass(frozen=True)
class Box:
    width: float = 2.0
    height: float = 3.0


WIDER = Step[Box]("wider", "twice the width", lambda box: replace(box, width=box.width * 2))
HIGHER = Step[Box]("higher", "one more", lambda box: replace(box, height=box.height + 1))


def area(box: Box) -> float:
    return box.width * box.height


def test_bars_by_hand() -> None:
    result = waterfall(Box(), area, [WIDER, Given("paint", "measured", 5.0), HIGHER])
    assert result.start == 6
    assert [(row.name, row.after, row.difference, row.solo) for row in result.rows] == [
        ("wider", 12.0, 6.0, 6.0),
        ("paint", 17.0, 5.0, None),
        ("higher", 21.0, 4.0, 2.0),  # 4 wide now, 2 wide alone
    ]
    assert (result.end, result.remainder) == (21.0, 0.0)


def test_order_moves_the_bars_but_not_the_ends() -> None:
    one, other = (waterfall(Box(), area, steps) for steps in ([WIDER, HIGHER], [HIGHER, WIDER]))
    assert (one.start, one.end) == (other.start, other.end)
    assert [row.difference for row in one.rows] == [6.0, 4.0]
    assert [row.difference for row in other.rows] == [2.0, 8.0]
    assert {row.name: row.solo for row in one.rows} == {row.name: row.solo for row in other.rows}


def test_a_gap_is_an_error_not_a_bar() -> None:
    assert waterfall(Box(), area, [WIDER], end=12.0).end == 12.0
    with pytest.raises(ArchsimError, match="do not reach"):
        waterfall(Box(), area, [WIDER], end=13.0)
    with pytest.raises(ArchsimError, match="one name"):
        waterfall(Box(), area, [WIDER, WIDER])
    with pytest.raises(ArchsimError, match="name its convention"):
        waterfall(Box(), area, [Given("Other", "?", 1.0)])
    assert waterfall(Box(), area, []).end == 6


@given(st.lists(st.floats(-1e9, 1e9), max_size=8))
def test_given_steps_sum(differences: list[float]) -> None:
    steps = [Given(f"step {index}", "", value) for index, value in enumerate(differences)]
    result = waterfall(Box(), area, steps)
    assert math.isclose(result.end, math.fsum([6.0, *differences]), rel_tol=1e-12, abs_tol=1e-5)
    assert abs(result.remainder) <= 1e-5


def test_the_peers_steps_in_random_orders_reach_one_end() -> None:
    layers, timesteps, sparsity = sata_network("bntt")

    def total(chip: SataSimConfig) -> float:
        return sata_sim.answer(layers, timesteps, sparsity, chip).total_nj

    steps = [*sata_sim.SHIPPED_STEPS, *sata_sim.STEPS]
    start = SATA.under("shipped")
    ends = set()
    for seed in range(3):
        shuffled = random.Random(seed).sample(steps, len(steps))
        result = waterfall(start, total, shuffled)
        assert abs(result.remainder) <= 1e-9 * result.start
        ends.add(round(result.end, 3))
    assert len(ends) == 1
    assert all(row.solo for row in waterfall(start, total, steps).rows)
    some = waterfall(start, total, steps[:3])
    assert some.end == pytest.approx(total(SATA), rel=1e-12)
