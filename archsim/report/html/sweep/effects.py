"""Which key moves which number: how much of a number's spread a key explains alone, and which way it goes.

*Share* is the correlation ratio (Pearson 1905; Fisher 1925), eta² = SS_between / SS_total: with the points grouped by
the key's value v (n_v points, mean y_v), SS_between = sum over v of n_v (y_v - y)², and SS_total = sum over the points
of (y_i - y)². On a full grid it is the first-order sensitivity index of Sobol' (1993), Var(E[y | key]) / Var(y); with
drawn points it estimates it (McKay 1995), and a key of g values that does nothing still gets (g - 1) / (n - 1) on
average: eta² then has a Beta((g - 1) / 2, (n - g) / 2) distribution (normal errors), whose variance is
2 (g - 1)(n - g) / ((n - 1)² (n + 1)). What lies below the mean plus two standard deviations may be chance, unless the
ranks say otherwise: rho of a key that does nothing has the standard deviation 1 / sqrt(n - 1).

*Rank correlation* is Spearman's rho (1904): the correlation coefficient of the ranks, ties having their mean rank.

*Main effect* of a value: y_v - y (Box, Hunter and Hunter 1978).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.report.html.sweep.values import FEW, Values, short, values_of
from archsim.sweeps.table import Row

BINS = 5
SURE = 2.0  # standard deviations above chance
CHIP = "arch"  # the column of the chip
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Grouping:
    """The points of a network by the value of one key; ``labels`` name the groups in order, ``of`` a row's group."""

    key: str
    labels: tuple[str, ...]
    of: Mapping[str, int]
    values: Values

    def groups(self, rows: Sequence[Row]) -> Ints:
        """[rows] the group of each."""
        return np.array([self.of[row[self.key]] for row in rows], dtype=np.int64)


@dataclass(frozen=True)
class Influence:
    """What a key does to a number: share of its spread, 0 to 1, and rank correlation. None: not defined.

    ``is_clear``: share or correlation is more than what a key gets by chance (always on a full grid: nothing is drawn).
    """

    key: str
    metric: str
    share: float | None
    rank: float | None
    is_clear: bool = True


def groupings(keys: Sequence[str], rows: Sequence[Row]) -> tuple[Grouping, ...]:
    """Every key that has more than one value in the rows; many numbers in five groups of equal size."""
    found = (_grouping(key, [row[key] for row in rows]) for key in keys)
    return tuple(one for one in found if len(one.labels) > 1)


def _grouping(key: str, texts: Sequence[str]) -> Grouping:
    values = values_of(tuple(dict.fromkeys(texts)))
    if values.numbers is None or len(values.texts) <= FEW:
        return Grouping(key, values.texts, values.by_text, values)
    numbers = values.numbers
    ends = np.unique(np.quantile([numbers[text] for text in texts], np.linspace(0, 1, BINS + 1)[1:-1]))
    of = {text: int(np.searchsorted(ends, number, side="left")) for text, number in numbers.items()}
    members = {at: [text for text in values.texts if of[text] == at] for at in sorted(set(of.values()))}
    labels = tuple(f"{short(each[0])} to {short(each[-1])}" for each in members.values())
    ranks = {at: rank for rank, at in enumerate(members)}
    return Grouping(key, labels, {text: ranks[at] for text, at in of.items()}, values)


def influence(grouping: Grouping, metric: str, rows: Sequence[Row], drawn: bool = True) -> Influence:
    """What the key does to the number, over the rows that have it; ``drawn``: they are no full grid."""
    having = [row for row in rows if row[metric] is not None]
    values = np.array([row[metric] for row in having], dtype=np.float64)
    if len(having) < 2:
        return Influence(grouping.key, metric, None, None)
    numeric = grouping.values.numbers
    rank = None
    if numeric is not None:
        rank = spearman(np.array([numeric[row[grouping.key]] for row in having], dtype=np.float64), values)
    groups = grouping.groups(having)
    share = explained(groups, values)
    is_clear = not drawn or _above_chance(share, rank, len(np.unique(groups)), len(having))
    return Influence(grouping.key, metric, share, rank, is_clear)


def _above_chance(share: float | None, rank: float | None, groups: int, points: int) -> bool:
    ranked = rank is not None and abs(rank) >= SURE / math.sqrt(points - 1)
    return ranked or (share is not None and share >= chance(groups, points))


def chance(groups: int, points: int) -> float:
    """Mean plus two standard deviations of the eta² of a key that does nothing (see the module); two points or more."""
    variance = 2 * (groups - 1) * (points - groups) / ((points - 1) ** 2 * (points + 1))
    return (groups - 1) / (points - 1) + SURE * math.sqrt(variance)


def full_grid(keys: Sequence[str], rows: Sequence[Row]) -> bool:
    """Whether every combination of the keys' values occurs, all equally often."""
    often = Counter(tuple(row[key] for key in keys) for row in rows)
    combinations = math.prod(len({row[key] for row in rows}) for key in keys)
    return len(often) == combinations and len(set(often.values())) <= 1


def explained(groups: Ints, values: Floats) -> float | None:
    """eta² (see the module). None where nothing varies, there is one group, or every point is a group of its own."""
    values = values / (np.abs(values).max() or 1.0)  # squares of extreme numbers stay in range
    total = float(((values - values.mean()) ** 2).sum())
    _, members, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if total == 0 or not 1 < len(sizes) < len(values):
        return None
    means = np.bincount(members, weights=values) / sizes
    return float((sizes * (means - values.mean()) ** 2).sum()) / total


def spearman(one: Floats, two: Floats) -> float | None:
    """The correlation coefficient of the ranks, -1 to 1. None where one of them is the same everywhere."""
    if np.ptp(one) == 0 or np.ptp(two) == 0:
        return None
    return float(np.clip(np.corrcoef(_ranks(one), _ranks(two))[0, 1], -1.0, 1.0))


def _ranks(values: Floats) -> Floats:
    """Ranks from 0; equal values share their mean rank."""
    _, members, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    means = (ends - 1 + ends - sizes) / 2.0
    return np.asarray(means[members], dtype=np.float64)


def influences(
    grouped: Sequence[Grouping], metrics: Sequence[str], rows: Sequence[Row]
) -> dict[str, dict[str, Influence]]:
    """By key, by number; the key that moves the numbers most (its largest share) first."""
    drawn = not full_grid([one.key for one in grouped], rows)
    found = {one.key: {metric: influence(one, metric, rows, drawn) for metric in metrics} for one in grouped}
    return dict(sorted(found.items(), key=lambda item: -max(each.share or 0.0 for each in item[1].values())))
