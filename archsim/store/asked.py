"""How a run was asked for, beside its chip and network, as options say it: what tells the lines of a listing apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.result import Result

USUAL_SAMPLES = (0,)


@dataclass(frozen=True)
class Asked:
    """Overrides, and the options that were given; of runs that an earlier archsim stored, the overrides only."""

    overrides: tuple[str, ...] = ()
    samples: tuple[int, ...] = USUAL_SAMPLES
    costs: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    vary_costs: bool = False

    def words(self) -> tuple[str, ...]:
        """``array.rows=32``, ``--samples 0..3``, ``--costs my.yaml``: only what is not usual, files without folders."""
        words = list(self.overrides)
        if self.samples != USUAL_SAMPLES:
            words.append(f"--samples {_numbers(self.samples)}")
        words += [f"--costs {Path(name).name}" for name in self.costs]
        words += [f"--against {peer}" for peer in self.against]
        words += [f"--plugin {Path(name).name}" for name in self.plugins]
        return (*words, "--vary-costs") if self.vary_costs else tuple(words)


def asked_of(result: Result) -> Asked:
    """As the result states it."""
    costs, overrides, plugins = (tuple(result.inputs.get(name, ())) for name in ("costs", "overrides", "plugins"))
    return Asked(overrides, tuple(result.samples), costs, tuple(result.against), plugins, bool(result.vary_costs))


def read_asked(data: Mapping[str, Any] | Sequence[str]) -> Asked:
    """What a store holds of it: the fields by name, or (an earlier archsim's) a list of overrides."""
    if not isinstance(data, Mapping):
        return Asked(tuple(data))
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return Asked(**fields)


def _numbers(samples: Sequence[int]) -> str:
    """``3``, ``0..15``, ``0,3,5``."""
    in_a_row = len(samples) > 1 and tuple(samples) == tuple(range(samples[0], samples[-1] + 1))
    return f"{samples[0]}..{samples[-1]}" if in_a_row else ",".join(map(str, samples))
