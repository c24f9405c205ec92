"""What one stage's batches leave for its next ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.stages import TailOp

Ints = NDArray[np.int64]


@dataclass
class StageState:
    """What one stage's batches leave for its next ones."""

    weights_stay: bool = False
    image_stays: bool = False  # a direct-coded input that is the same in every batch
    # load tasks and bits whose place is free after the last pass of a later batch:
    pending_weights: tuple[Ints, Ints] | None = None
    # bits of the buffer that a skip map comes through:
    skip_room: dict[TailOp, int] = field(default_factory=dict)
    # per neuron layer, the store of each completing pass of the last batch:
    membrane_stores: dict[str, Ints] = field(default_factory=dict)
