"""What is said of the accuracy on chips: of each, of all together, of their layers, and of what was taken into account.

With the accuracy ``a_c`` of C chips and ``d_i``, the share of them that are wrong on input i of N minus 1 if software
at the stated bits is wrong on it, the loss is ``100 mean(d)`` points and its standard error

    100 sqrt(s(a)^2 / C + s(d)^2 / N),

``s`` being sample standard deviations: chips and inputs are drawn independently. What both vary together is counted in
either term, so on average the error is not too small. Of one chip only the second term is known, of one input only the
first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.fidelity.imperfections import Imperfection

FORMAT = "archsim-accuracy-1"
Array = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ChipRow:
    """One chip: its number, accuracy (None without labels), and how often it predicts what software predicts."""

    number: int
    accuracy: float | None
    agreement: float


@dataclass(frozen=True)
class LayerErrors:
    """What crossbars do to one layer, means over the chips; None where a layer has no weights, or does not spike.

    ``relative_rms`` and ``bias``: root mean square and mean of the error of its pre-activations over the root mean
    square of the exact ones for the same input; ``clipped``: share of conversions beyond the converters' codes;
    ``spikes_changed``: share of neurons and timesteps at which another spike leaves than at the stated bits; spikes
    are of one inference.
    """

    layer: str
    relative_rms: float | None
    bias: float | None
    clipped: float | None
    spikes_changed: float | None
    spikes_stated: float | None
    spikes_chip: float | None


@dataclass(frozen=True)
class Accuracies:
    """Accuracies are fractions, losses percentage points; ``loss`` is that of the chips against the stated bits.

    ``trained`` and ``stated``: in software, with the weights as trained and at the workload's bits, which is what ideal
    crossbars give. ``spread``: sample standard deviation over chips. ``looked``: inputs that ``layers`` are of.
    ``calibration``: the inputs that ``calibrated`` parts were set with. Without labels all but agreements is None.
    """

    arch: str
    workload: str
    inputs: str
    samples: int
    emulated: bool
    timesteps: int
    weight_bits: tuple[int, ...]
    membrane_bits: int
    trained: float | None
    stated: float | None
    mean: float | None
    spread: float | None
    worst: float | None
    worst_chip: int | None
    loss_points: float | None
    loss_error_points: float | None
    agreement: float
    agreement_spread: float | None
    chips: tuple[ChipRow, ...]
    layers: tuple[LayerErrors, ...]
    looked: int
    calibrate: str
    calibrated: tuple[str, ...]
    calibration: str
    calibration_note: str
    imperfections: tuple[Imperfection, ...]

    def to_json(self) -> dict[str, Any]:
        """The one object that ``--json`` prints."""
        return {"format": FORMAT, **asdict(self)}

    def to_text(self) -> str:
        """:meth:`to_json` as text."""
        return json.dumps(self.to_json(), allow_nan=False)


def over_chips(predicted: Array, numbers: Sequence[int], stated: Array, trained: Array, labels: Array | None) -> Any:
    """The fields of :class:`Accuracies` that follow from predictions [chips, inputs] and those of software [inputs]."""
    agreement = (predicted == stated).mean(axis=1)
    fields = {"agreement": float(agreement.mean()), "agreement_spread": _spread(agreement)}
    if labels is None:
        rows = tuple(ChipRow(int(n), None, float(share)) for n, share in zip(numbers, agreement, strict=True))
        unknown = ("trained", "stated", "mean", "spread", "worst", "worst_chip", "loss_points", "loss_error_points")
        return {"chips": rows, **fields, **dict.fromkeys(unknown)}
    right = predicted == labels
    each = right.mean(axis=1)
    rows = tuple(
        ChipRow(int(n), float(one), float(share)) for n, one, share in zip(numbers, each, agreement, strict=True)
    )
    lost = (stated == labels) - right.mean(axis=0)
    worst = int(each.argmin())
    return fields | {
        "chips": rows,
        "trained": float((trained == labels).mean()), "stated": float((stated == labels).mean()),
        "mean": float(each.mean()), "spread": _spread(each),
        "worst": float(each[worst]), "worst_chip": int(numbers[worst]),
        "loss_points": 100 * float(lost.mean()), "loss_error_points": _error_points(each, lost),
    }  # fmt: skip


def _spread(values: Floats) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _error_points(each: Floats, lost: Floats) -> float | None:
    """The standard error of the loss; None where one chip saw one input."""
    parts = [spread**2 / len(of) for of in (each, lost) if (spread := _spread(of)) is not None]
    return 100 * math.sqrt(sum(parts)) if parts else None
