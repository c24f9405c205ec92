"""Currents of crossbars with wire resistance: badcrossbar's, hand-computed ones, a dense nodal solve, and laws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archsim
from archsim.analog import crossbar_currents, effective_conductance, gated_currents
from archsim.errors import ConfigError

GOLDEN = np.load(Path(__file__).parent.parent / "golden" / "badcrossbar" / "cases.npz")
CASES = sorted({name.split("/")[0] for name in GOLDEN})
GATED = [name for name in CASES if f"{name}/gated_a" in GOLDEN]
WIRES = st.sampled_from([0.0, 0.3, 5.0, 700.0])
SEEDS = st.integers(0, 2**32 - 1)


def golden(name: str, *keys: str) -> list[np.ndarray]:
    return [GOLDEN[f"{name}/{key}"] for key in keys]


def nodal(cells_s, volts, r_word, r_bit, r_driver=0.0, r_sense=0.0, active=None) -> np.ndarray:
    """The currents of one input by a dense solve for all node potentials; resistances of 0 join their nodes.

    Nodes: (0, i, j) on word lines, (1, i, j) on bit lines, ("v", i) drivers, "ground". Rows not active have no cells.
    """
    rows, columns = cells_s.shape
    wires = []
    for i in range(rows):
        nodes = [("v", i), *((0, i, j) for j in range(columns))]
        ohms = [r_word + r_driver] + [r_word] * (columns - 1)
        wires += list(zip(nodes, nodes[1:], ohms, strict=False))
    for j in range(columns):
        nodes = [*((1, i, j) for i in range(rows)), "ground"]
        wires += list(zip(nodes, nodes[1:], [r_bit] * (rows - 1) + [r_bit + r_sense], strict=False))
    joined = {node: node for wire in wires for node in wire[:2]}
    for near, far, ohm in wires:
        if ohm == 0:
            keep, gone = sorted((joined[near], joined[far]), key=lambda node: not (node == "ground" or node[0] == "v"))
            joined = {node: keep if name == gone else name for node, name in joined.items()}
    edges = [(joined[near], joined[far], 1 / ohm) for near, far, ohm in wires if ohm > 0]
    live = range(rows) if active is None else np.flatnonzero(active)
    edges += [(joined[0, i, j], joined[1, i, j], cells_s[i, j]) for i in live for j in range(columns)]
    known = {("v", i): volts[i] for i in range(rows)} | {"ground": 0.0}
    free = {node: k for k, node in enumerate(sorted(set(joined.values()) - set(known), key=str))}
    matrix, right = np.zeros((len(free), len(free))), np.zeros(len(free))
    for a, b, s in edges:
        for here, there in ((a, b), (b, a)):
            if here in free:
                matrix[free[here], free[here]] += s
                if there in free:
                    matrix[free[here], free[there]] -= s
                else:
                    right[free[here]] += s * known[there]
    potential = known | dict(zip(free, np.linalg.solve(matrix, right), strict=True))
    into = [
        sum(cells_s[i, j] * (potential[joined[0, i, j]] - potential[joined[1, i, j]]) for i in live)
        for j in range(columns)
    ]
    return np.array(into, dtype=float)


def crossbar(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Up to 5 x 5 cells of 1 uS to 10 mS, three inputs, and which of their rows are active."""
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(1, 6, 2)
    cells_s = 10 ** rng.uniform(-6, -2, (rows, columns))
    return cells_s, rng.uniform(0.01, 0.3, (3, rows)) * rng.choice([-1, 1], (3, rows)), rng.random((3, rows)) < 0.6


def close(got, wanted, cells_s, volts, relative=1e-9) -> None:
    """Equal but for a share of the currents that ideal wires would carry."""
    assert np.all(np.abs(got - wanted) <= relative * (np.abs(volts) @ cells_s))


@pytest.mark.parametrize("name", CASES)
def test_currents_are_badcrossbars(name):
    cells_s, volts, ohm, wanted = golden(name, "conductance_s", "voltage_v", "ohm", "grounded_a")
    np.testing.assert_allclose(crossbar_currents(cells_s, volts, *ohm), wanted, rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", GATED)
def test_currents_with_gated_rows_are_badcrossbars(name):
    cells_s, volts, ohm, wanted = golden(name, "conductance_s", "voltage_v", "ohm", "gated_a")
    np.testing.assert_allclose(crossbar_currents(cells_s, volts, *ohm, "gated"), wanted, rtol=1e-9, atol=0)
    np.testing.assert_allclose(gated_currents(cells_s, volts != 0, 0.1, *ohm), wanted, rtol=1e-9, atol=0)


def test_all_cases_are_there():
    assert len(CASES) == 31 and len(GATED) == 6


def test_one_cell_is_in_series_with_both_lines_and_both_ends():
    got = archsim.crossbar_currents([[1e-3]], [0.2], 3.0, 5.0, r_driver_ohm=7.0, r_sense_ohm=11.0)
    assert got == pytest.approx([0.2 / (1000 + 3 + 5 + 7 + 11)], rel=1e-14)


def test_two_rows_of_one_column_share_the_last_segment():
    """Cells of 100 and 200 ohm: branches of 2 + 100 + 4 and 2 + 200 ohm meet above the last 4 ohm."""
    first, second, last = 106.0, 202.0, 4.0
    node_v = (0.1 / first + 0.3 / second) / (1 / first + 1 / second + 1 / last)
    got = crossbar_currents([[1 / 100], [1 / 200]], [0.1, 0.3], 2.0, 4.0)
    assert got == pytest.approx([node_v / last], rel=1e-14)
    assert crossbar_currents([[1 / 100], [1 / 200]], [0.0, 0.3], 2.0, 4.0, "gated") == pytest.approx(
        [0.3 / (second + last)], rel=1e-12
    )


def test_two_columns_of_one_row_share_the_first_segment():
    near, far, first = 100 + 4.0, 2.0 + 200 + 4.0, 2.0
    node_v = (0.1 / first) / (1 / first + 1 / near + 1 / far)
    got = crossbar_currents([[1 / 100, 1 / 200]], [0.1], 2.0, 4.0)
    assert got == pytest.approx([node_v / near, node_v / far], rel=1e-14)


def test_without_resistance_the_conductances_are_returned_to_the_bit():
    cells_s, _, _ = crossbar(1)
    assert np.array_equal(effective_conductance(cells_s, 0.0, 0.0), cells_s)


@settings(max_examples=60, deadline=None)
@given(SEEDS, WIRES, WIRES, WIRES, WIRES)
def test_driven_rows_are_a_dense_nodal_solve(seed, r_word, r_bit, r_driver, r_sense):
    cells_s, volts, _ = crossbar(seed)
    ends = {"r_driver_ohm": r_driver, "r_sense_ohm": r_sense}
    wanted = [nodal(cells_s, one, r_word, r_bit, r_driver, r_sense) for one in volts]
    close(crossbar_currents(cells_s, volts, r_word, r_bit, **ends), wanted, cells_s, volts)


@settings(max_examples=60, deadline=None)
@given(SEEDS, WIRES, WIRES, WIRES, WIRES)
def test_gated_rows_are_a_dense_nodal_solve_without_their_cells(seed, r_word, r_bit, r_driver, r_sense):
    cells_s, volts, active = crossbar(seed)
    volts = np.where(active, volts, 0.0)
    wanted = [nodal(cells_s, one, r_word, r_bit, r_driver, r_sense, on) for one, on in zip(volts, active, strict=True)]
    got = gated_currents(cells_s, active, volts, r_word, r_bit, r_driver, r_sense)
    close(got, wanted, cells_s, volts)
    ends = {"r_driver_ohm": r_driver, "r_sense_ohm": r_sense}
    assert np.array_equal(crossbar_currents(cells_s, volts, r_word, r_bit, "gated", **ends), got)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.lists(WIRES, min_size=4, max_size=4), st.sampled_from(["grounded", "gated"]))
def test_wires_of_a_picoohm_are_as_good_as_none(seed, ohm, how):
    cells_s, volts, active = crossbar(seed)
    volts = np.where(active, volts, 0.0)
    both = [
        crossbar_currents(cells_s, volts, *wires[:2], how, r_driver_ohm=wires[2], r_sense_ohm=wires[3])
        for wires in (ohm, [r or 1e-12 for r in ohm])
    ]
    close(*both, cells_s, volts)


@settings(max_examples=40, deadline=None)
@given(SEEDS, WIRES, WIRES)
def test_currents_add_up_and_wires_only_take_from_them(seed, r_word, r_bit):
    cells_s, volts, _ = crossbar(seed)
    one, two, three = crossbar_currents(cells_s, [volts[0], volts[1], volts[0] + 2 * volts[1]], r_word, r_bit)
    close(one + 2 * two, three, cells_s, np.abs(volts[0]) + 2 * np.abs(volts[1]), 1e-13)
    effective_s = effective_conductance(cells_s, r_word, r_bit)
    assert np.all(effective_s > 0)
    assert np.all(effective_s.sum(axis=0) <= cells_s.sum(axis=0) * (1 + 1e-13))
    assert np.all(effective_s.sum(axis=1) <= cells_s.sum(axis=1) * (1 + 1e-13))
    assert effective_conductance(cells_s, r_word + 1, r_bit + 1).sum() < effective_s.sum()  # Rayleigh


def test_the_transposed_crossbar_has_the_transposed_effective_conductance():
    """Reciprocity: drivers and sense ends change places, so both axes are also reversed."""
    cells_s = np.random.default_rng(3).uniform(1e-5, 1e-3, (9, 5))
    one = effective_conductance(cells_s, 2.0, 7.0, 20.0, 3.0)
    other = effective_conductance(cells_s[::-1, ::-1].T, 7.0, 2.0, 3.0, 20.0)
    np.testing.assert_allclose(other, one[::-1, ::-1].T, rtol=1e-12)


def test_effective_conductance_tends_to_the_conductance():
    cells_s = np.random.default_rng(4).uniform(5e-6, 5e-5, (32, 24))
    off = [np.abs(effective_conductance(cells_s, r, r) / cells_s - 1).max() for r in (1e-2, 1e-4, 1e-6, 1e-8)]
    assert off == sorted(off, reverse=True)
    assert off[1] == pytest.approx(off[0] / 100, rel=1e-2) and off[3] < 1e-9


def test_a_batch_is_its_crossbars_one_by_one():
    cells_s = np.random.default_rng(5).uniform(5e-6, 5e-5, (2, 40, 12, 48))
    effective_s = effective_conductance(cells_s, 2.0, 3.0, 50.0, 10.0)
    assert effective_s.shape == cells_s.shape
    for place in ((0, 0), (0, 39), (1, 17)):
        one = effective_conductance(cells_s[place], 2.0, 3.0, 50.0, 10.0)
        np.testing.assert_allclose(effective_s[place], one, rtol=1e-13)


def test_gating_no_row_is_grounding_none():
    cells_s = np.random.default_rng(6).uniform(5e-6, 5e-5, (40, 30))
    volts = np.random.default_rng(7).uniform(0.05, 0.1, (2, 3, 40))
    grounded, gated = (crossbar_currents(cells_s, volts, 2.0, 5.0, how) for how in ("grounded", "gated"))
    assert gated.shape == (2, 3, 30)
    np.testing.assert_allclose(gated, grounded, rtol=1e-11)


def test_cells_of_gated_rows_do_not_matter_and_those_of_grounded_rows_do():
    rng = np.random.default_rng(8)
    cells_s, active = rng.uniform(5e-6, 5e-5, (20, 10)), np.arange(20) % 3 == 0
    others_s = np.where(active[:, None], cells_s, 1e-2)
    volts = np.where(active, 0.1, 0.0)
    gated = [crossbar_currents(cells, volts, 2.0, 2.0, "gated") for cells in (cells_s, others_s)]
    assert np.array_equal(*gated)
    grounded = [crossbar_currents(cells, volts, 2.0, 2.0) for cells in (cells_s, others_s)]
    assert np.all(grounded[1] < 0.9 * grounded[0]) and np.all(grounded[0] < gated[0])


def test_inputs_that_sweeps_do_not_solve_are_eliminated():
    """Wires of 500 ohm and cells of 20: sweeps would take thousands of rounds; inputs of all densities side by side."""
    rng = np.random.default_rng(9)
    cells_s, active = np.full((12, 12), 1 / 20), rng.random((20, 12)) < rng.random((20, 1))
    got = gated_currents(cells_s, active, 0.1, 500.0, 500.0)
    for one, on in zip(got, active, strict=True):
        np.testing.assert_allclose(one, nodal(cells_s, np.where(on, 0.1, 0.0), 500.0, 500.0, active=on), rtol=1e-8)


@pytest.mark.parametrize("ohm", [1e2, 1e6])
def test_lines_of_great_resistance_do_not_seem_settled(ohm):
    """Their currents are a millionth of those without wires: an error must be small beside what flows."""
    cells_s, volts = np.random.default_rng(3).uniform(1e2, 1e3, (4, 3)), np.ones(4)
    grounded, gated = (crossbar_currents(cells_s, volts, ohm, ohm, how) for how in ("grounded", "gated"))
    np.testing.assert_allclose(gated, grounded, rtol=1e-9, atol=0)


def test_a_loose_tolerance_is_kept():
    rng = np.random.default_rng(10)
    cells_s, active = rng.uniform(5e-6, 5e-5, (64, 64)), rng.random((30, 64)) < 0.4
    exact = gated_currents(cells_s, active, 0.1, 5.0, 5.0)
    ideal = 0.1 * active @ cells_s
    for tolerance in (1e-3, 1e-6, 1e-9):
        off = np.abs(gated_currents(cells_s, active, 0.1, 5.0, 5.0, tolerance=tolerance) - exact) / ideal
        assert 1e-13 < off.max() <= 1.5 * tolerance


def test_everything_wrong_is_said_at_once():
    cells_s = np.full((3, 4), 1e-5)
    cells_s[1, 2], cells_s[2, 0] = 0.0, np.nan
    with pytest.raises(ConfigError) as caught:
        crossbar_currents(cells_s, np.zeros((5, 4)), -1.0, float("inf"), "gatet", r_driver_ohm=np.nan, tolerance=0)
    assert [str(problem) for problem in caught.value.problems] == [
        "conductance_s: 2 of 12 values cannot be; the first is at [1, 2] (got 0.0; allowed: finite and > 0 S)",
        "r_wordline_ohm: must be a resistance (got -1.0; allowed: a finite number >= 0 ohm)",
        "r_bitline_ohm: must be a resistance (got inf; allowed: a finite number >= 0 ohm)",
        "r_driver_ohm: must be a resistance (got nan; allowed: a finite number >= 0 ohm)",
        "tolerance: must be a relative error (got 0; allowed: a number above 0 and below 1)",
        "voltage_v: must have the rows of conductance_s (3, 4) as its last axis (got (5, 4); allowed: (..., 3))",
        "silent_rows: unknown treatment (got 'gatet'; allowed: grounded or gated; did you mean 'gated'?)",
    ]


@pytest.mark.parametrize(
    ("cells_s", "volts", "said"),
    [
        ([[1e-5, 1e-5], [1e-5]], [0.1, 0.1], "conductance_s: must be an array"),
        (np.array([[1j]]), [0.1], "conductance_s: must be real numbers (got 'complex128'"),
        ([[True]], [0.1], "conductance_s: must be real numbers (got 'bool'"),
        ([1e-5], [0.1], "conductance_s: must have other axes (got (1,); allowed: (rows, columns))"),
        (np.ones((0, 3)), [], "conductance_s: needs a row and a column (got (0, 3))"),
        ([[-2e-5]], [0.1], "the first is at [0, 0] (got -2e-05"),
        ([[1e-5]], 0.1, "voltage_v: must have other axes (got (); allowed: (..., rows))"),
        ([[1e-5]], [np.inf], "voltage_v: 1 of 1 values cannot be; the first is at [0] (got inf; allowed: finite)"),
        ([[1e-5]], ["high"], "voltage_v: must be real numbers"),
    ],
)
def test_arrays_that_are_none_are_refused(cells_s, volts, said):
    for how in ("grounded", "gated"):
        with pytest.raises(ConfigError) as caught:
            crossbar_currents(cells_s, volts, 1.0, 1.0, how)
        assert len(caught.value.problems) == 1 and said in str(caught.value)


@pytest.mark.parametrize(
    ("active", "volts", "said"),
    [
        ([[1, 0]], 0.1, "active: must be truth values (got 'int64 of shape (1, 2)'; allowed: bool (inputs, rows))"),
        ([True, False], 0.1, "active: must be truth values"),
        ([[True, False], [True]], 0.1, "active: must be an array"),
        ([[True]], 0.1, "active: must have the rows of conductance_s (2, 1) as its last axis (got (1, 1)"),
        ([[True, False]], [0.1, 0.2, 0.3], "voltage_v: does not broadcast to the shape of `active` (got (3,)"),
    ],
)
def test_active_rows_that_are_none_are_refused(active, volts, said):
    with pytest.raises(ConfigError) as caught:
        gated_currents([[1e-5], [2e-5]], active, volts, 1.0, 1.0)
    assert len(caught.value.problems) == 1 and said in str(caught.value)
    with pytest.raises(ConfigError, match="r_wordline_ohm"):
        effective_conductance([[1e-5], [2e-5]], True, 1.0)
