from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.cost.interpolate import loglog, loglog2

positive = st.floats(1e-6, 1e6)
curves = st.dictionaries(st.integers(1, 10_000).map(float), positive, min_size=2, max_size=8)


@given(curves)
def test_a_grid_point_is_the_table_value_itself(curve: dict[float, float]) -> None:
    assert all(loglog(x, curve).value == y and loglog(x, curve).exact for x, y in curve.items())


@given(curves, st.floats(0, 1))
def test_between_two_neighbours_lies_their_range(curve: dict[float, float], share: float) -> None:
    xs = sorted(curve)
    x = xs[0] * (xs[-1] / xs[0]) ** share
    x = min(max(x, xs[0]), xs[-1])
    point = loglog(x, curve)
    ends = [curve[position] for position in point.between[0]]
    assert min(ends) <= point.value <= max(ends)


@given(st.floats(-3, 3), st.floats(0.01, 100), st.floats(1, 64))
def test_a_power_law_is_followed_exactly(power: float, scale: float, x: float) -> None:
    curve = {position: scale * position**power for position in (1.0, 4.0, 16.0, 64.0)}
    assert math.isclose(loglog(x, curve).value, scale * x**power, rel_tol=1e-9)


@given(st.floats(1, 8), st.floats(1, 8))
def test_a_product_of_power_laws_is_followed_exactly_in_two_dimensions(x: float, y: float) -> None:
    grid = {(a, b): 3 * a**0.5 * b**-1.5 for a in (1.0, 2.0, 8.0) for b in (1.0, 4.0, 8.0)}
    assert math.isclose(loglog2(x, y, grid).value, 3 * x**0.5 * y**-1.5, rel_tol=1e-9)


def test_the_middle_of_two_points_is_their_geometric_mean() -> None:
    point = loglog(4.0, {2.0: 1.0, 8.0: 100.0})
    assert point.value == pytest.approx(10.0)
    assert point.between == ((2.0, 8.0),)


@pytest.mark.parametrize("x", [0.5, 9.0])
def test_outside_the_grid_is_refused(x: float) -> None:
    with pytest.raises(ValueError, match="outside"):
        loglog(x, {1.0: 1.0, 8.0: 2.0})
