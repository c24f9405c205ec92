"""The rows of a Result's tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CountRow:
    """One line of the ledger with its price: energy is count times the action's cost."""

    layer: str
    timestep: int  # -1: shared by several timesteps
    component: str
    action: str
    count: float  # a whole number in one run; the mean over several samples
    energy_pj: float
    level: str


@dataclass(frozen=True)
class LayerRow:
    """One mapped layer. ``cycles`` is its share of the critical path; shares sum to the run's cycles."""

    name: str
    kind: str
    cycles: float
    span_cycles: float  # first start to last finish; spans of layers may overlap
    energy_pj: float
    dynamic_pj: float
    static_pj: float  # leakage while its units were busy
    folds: int
    passes: int
    utilisation: float  # used PEs / all PEs
    density: float  # non-zero inputs
    dense_products: int
    active_products: float
    in_bits: int
    members: tuple[str, ...] = ()  # the network's layers that are executed here
    static_by_level: Mapping[str, float] = field(default_factory=dict)
    first_cycle: float | None = None  # its first start; None: a result of an earlier version


@dataclass(frozen=True)
class ComponentRow:
    """One part of the chip."""

    name: str
    level: str
    energy_pj: float
    dynamic_pj: float
    static_pj: float
    area_um2: float
    instances: int
    description: str


@dataclass(frozen=True)
class UnitRow:
    """Where one unit's time went, in cycles; the pieces sum to the makespan."""

    unit: str
    busy: float
    starved: Mapping[str, float]
    blocked: Mapping[str, float]
    arbitration: Mapping[str, float]
    idle: float


@dataclass(frozen=True)
class Accuracy:
    """How often the network was right on the inputs that were executed, at the precision that the workload states.

    Predictions are classes, in the order of the result's samples; ``float_predictions`` those of the network as it was
    trained. ``inputs`` says what was executed, ``emulated`` that its events come from no real camera. Where the network
    was executed on analog crossbars, ``chip`` says on which, predictions are that chip's, and ``stated_predictions``
    those at the stated precision.
    """

    inputs: str
    weight_bits: tuple[int, ...]  # of the layers, each once
    membrane_bits: int
    labels: tuple[int, ...]
    predictions: tuple[int, ...]
    float_predictions: tuple[int, ...]
    emulated: bool = False
    chip: str = ""
    stated_predictions: tuple[int, ...] = ()

    @property
    def correct(self) -> int:
        """Inputs that were classified correctly."""
        return sum(one == other for one, other in zip(self.labels, self.predictions, strict=True))

    @property
    def fraction(self) -> float:
        """Of the inputs that were classified correctly."""
        return self.correct / len(self.labels)

    @property
    def float_fraction(self) -> float:
        """Of the inputs that the network as it was trained classifies correctly."""
        return self._of(self.float_predictions)

    @property
    def stated_fraction(self) -> float:
        """Of the inputs that the network at the stated precision classifies correctly."""
        return self._of(self.stated_predictions or self.predictions)

    def _of(self, predictions: tuple[int, ...]) -> float:
        return sum(one == other for one, other in zip(self.labels, predictions, strict=True)) / len(self.labels)


@dataclass(frozen=True)
class OnChips:
    """The accuracy on several chips of analog crossbars: mean, sample standard deviation (None: of one), the worst."""

    inputs: str
    chips: int
    mean: float | None
    spread: float | None
    worst: float | None


@dataclass(frozen=True)
class PathRow:
    """Cycles of the critical path that one (unit, layer) contributes."""

    unit: str
    layer: str
    what: str
    cycles: float
