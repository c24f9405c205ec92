"""Dataflows: which dimension of a layer lies along the array's rows, which along its columns, which streams through.

A layer is the product of an (positions x reduction) matrix of inputs with a (reduction x filters) matrix of weights. A
dataflow lays two of the three dimensions out in space, in folds of at most rows x columns, and streams the third:

============ ========== ========== ========== ============================ =====================
dataflow     rows       columns    stream     cycles of a fold             loaded before it
============ ========== ========== ========== ============================ =====================
output       positions  filters    reduction  S + R + C - 2                nothing
weight       reduction  filters    positions  S + R + C - 2, and R to load weights
input        reduction  positions  filters    S + R + C - 2, and R to load inputs
============ ========== ========== ========== ============================ =====================

with S the streamed length, R and C the array's rows and columns (SCALE-Sim's cycle counts; the first product leaves the
skewed array after R + C - 2 cycles more than the stream is long).

A dataflow from outside is one more :class:`Dataflow`, registered by the entry-point group ``archsim.dataflows`` or by a
file given to ``--plugin`` that calls :func:`register`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import entry_points
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ConfigError, Problem, nearest

Dimension = Literal["positions", "reduction", "filters"]
Ints = NDArray[np.int64]
CycleModel = Callable[[Ints, int, int], Ints]
DIMENSIONS: tuple[Dimension, ...] = ("positions", "reduction", "filters")
OPERAND_OF = {
    frozenset(("positions", "reduction")): "ifmap",
    frozenset(("reduction", "filters")): "weight",
    frozenset(("positions", "filters")): "ofmap",
}


def skewed_stream_cycles(stream: Ints, rows: int, cols: int) -> Ints:
    """Cycles of a fold that streams S values through a skewed array: ``S + R + C - 2``; none if nothing streams."""
    return np.where(stream > 0, stream + rows + cols - 2, 0)


@dataclass(frozen=True)
class Dataflow:
    """A mapping of (positions, reduction, filters) to (rows, columns, stream).

    ``fold_cycles(stream, rows, cols)`` gives the cycles that a fold takes once its stationary operand is there;
    ``load_cycles(rows, cols)`` those to place that operand. Raises ValueError for a mapping that is not a permutation.
    """

    name: str
    rows: Dimension
    cols: Dimension
    stream: Dimension
    description: str = ""
    fold_cycles: CycleModel = skewed_stream_cycles
    load_cycles: Callable[[int, int], int] | None = None

    def __post_init__(self) -> None:
        if {self.rows, self.cols, self.stream} != set(DIMENSIONS):
            raise ValueError(f"dataflow {self.name}: rows, cols and stream must be a permutation of {DIMENSIONS}")

    @cached_property
    def stationary(self) -> str:
        """The operand that stays in the array during a fold: ``ifmap``, ``weight`` or ``ofmap``."""
        return OPERAND_OF[frozenset((self.rows, self.cols))]

    def loads_before_fold(self, rows: int, cols: int) -> int:
        """Cycles to place the stationary operand: R unless the dataflow says otherwise; 0 for stationary outputs."""
        if self.load_cycles is not None:
            return self.load_cycles(rows, cols)
        return 0 if self.stationary == "ofmap" else rows


OUTPUT_STATIONARY = Dataflow("output_stationary", "positions", "filters", "reduction", "one output value per PE")
WEIGHT_STATIONARY = Dataflow("weight_stationary", "reduction", "filters", "positions", "one weight per PE")
INPUT_STATIONARY = Dataflow("input_stationary", "reduction", "positions", "filters", "one input value per PE")

_registered: dict[str, Dataflow] = {}
SHORT_NAMES = {"os": "output_stationary", "ws": "weight_stationary", "is": "input_stationary"}


def register(dataflow: Dataflow) -> Dataflow:
    """Make a dataflow known by its name; the last one registered under a name wins."""
    _registered[dataflow.name] = dataflow
    return dataflow


def dataflow_names() -> list[str]:
    """All registered dataflows, those of installed packages included."""
    _load_entry_points()
    return sorted(_registered)


def dataflow(name: str) -> Dataflow:
    """The dataflow of that name; ConfigError names the nearest one."""
    _load_entry_points()
    known = _registered.get(SHORT_NAMES.get(name, name))
    if known is None:
        names = dataflow_names()
        raise ConfigError(
            Problem(
                "unknown dataflow",
                key="array.dataflow",
                value=name,
                allowed=", ".join(names),
                nearest=nearest(name, names),
            )
        )
    return known


@cache
def _load_entry_points() -> None:
    """The built-ins come in by the same door as everybody else's, and first, so that a package may replace one."""
    for built_in in (OUTPUT_STATIONARY, WEIGHT_STATIONARY, INPUT_STATIONARY):
        _registered.setdefault(built_in.name, built_in)
    for entry in entry_points(group="archsim.dataflows"):
        try:
            register(entry.load())
        except Exception as error:
            raise ConfigError(
                f"the dataflow '{entry.name}' of an installed package cannot be loaded: {error}"
            ) from error
