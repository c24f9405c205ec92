"""A piece of hardware: what it is, how many there are, and which of its actions have a price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from archsim.errors import CostError, Problem, nearest

Attribute = float | int | str

LEVELS: Final = (
    "compute",
    "neuron module",
    "scratchpad",
    "global buffer",
    "DRAM",
    "interconnect",
    "input/output",
)

INFORMATIONAL: Final[frozenset[str]] = frozenset(
    {
        "element_read",
        "element_write",
        "spike",
        "spike_in",
        "spike_out",
        "scan",
        "skip",
        "gate",
        "mac",
        "sop",
        "update",
        "busy",
        "idle",
    }
)
"""Actions that a ledger may hold for people to read; they are no physical access and have no price."""


@dataclass(frozen=True)
class Component:
    """``count`` equal instances of one primitive, on one level of the chip, with the attributes that size them.

    ``attributes`` hold what the primitive's estimator asks for, in base units: ``bits`` (word width), ``bytes`` (whole
    capacity over all banks), ``line_bytes``, ``banks``, ``depth``, ``ports``. ``on_chip=False`` keeps the instances out
    of the area; their energy still counts.
    """

    name: str
    primitive: str
    level: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    count: int = 1
    on_chip: bool = True
    description: str = ""

    def __post_init__(self) -> None:
        problems = []
        if self.level not in LEVELS:
            problems.append(
                Problem("unknown level", key=f"{self.name}.level", value=self.level, allowed=", ".join(LEVELS),
                        nearest=nearest(self.level, LEVELS))
            )  # fmt: skip
        if self.count < 0:
            problems.append(Problem("a component cannot be there fewer than 0 times", key=f"{self.name}.count",
                                    value=self.count))  # fmt: skip
        if problems:
            raise CostError(problems)
        object.__setattr__(self, "attributes", MappingProxyType(dict(self.attributes)))

    def __reduce__(self) -> tuple[type[Component], tuple[object, ...]]:
        return Component, (self.name, self.primitive, self.level, dict(self.attributes), self.count, self.on_chip,
                           self.description)  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.name, self.primitive, self.level, tuple(sorted(self.attributes.items())), self.count))
