"""One memory cell: the same object prices reads and programming and says how conductances err.

The current through a cell is taken as linear in the voltage: no I-V curve, no access transistor. What a file leaves at
null is *not modelled*: asking for its price (or for drift) is an UnsupportedError, other sampling leaves the
conductance as it is, and ``Device.not_modelled`` names it.
"""

from __future__ import annotations

from math import ceil
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from archsim.analog.schema import (
    NS_PER_S,
    US_PER_S,
    Cell,
    Conductance,
    Drift,
    Leakage,
    Levels,
    Programming,
    Read,
    ReadNoise,
    Siemens,
    Stuck,
    Text,
    Variation,
)
from archsim.config import Strict
from archsim.errors import ConfigError, Problem, UnsupportedError

PJ_PER_NJ = 1e3  # V^2 S = W; W ns = nJ
Part = TypeVar("Part")

UNMODELLED = ("read", "programming", "cell", "leakage", "variation", "stuck", "read_noise", "drift")


class Device(Strict):
    """A memory cell that conducts: one file of arch_configs/device."""

    kind: Literal["rram", "pcm", "sram", "flash", "fefet", "measured"] = Field(description="what stores the state")
    name: Text = Field(description="name of the device")
    description: str = Field("", description="what it is, in a sentence")
    conductance: Conductance = Field(description="range of the conductance")
    levels: Levels = Field(description="conductances that a cell can be told to take")
    read: Read | None = Field(description="read pulse; null: reads have no price")
    programming: Programming | None = Field(description="price and time of programming; null: not modelled")
    cell: Cell | None = Field(description="layout; null: not modelled")
    leakage: Leakage | None = Field(description="static power; null: not modelled (non-volatile cells)")
    variation: Variation | None = Field(description="spread of programmed conductances; null: not modelled")
    stuck: Stuck | None = Field(description="cells that programming does not move; null: not modelled")
    read_noise: ReadNoise | None = Field(description="noise drawn at every read; null: not modelled")
    drift: Drift | None = Field(description="decay with time; null: not modelled")

    @model_validator(mode="after")
    def _parts_agree(self) -> Device:
        """Listed states span the stated range; verifying needs a read."""
        problems = []
        states = self.levels.states or ()
        ends = (("0", self.g_min_s), (str(len(states) - 1), self.g_max_s)) if states else ()
        for index, end_s in ends:
            if not np.isclose(states[int(index)] / US_PER_S, end_s, rtol=1e-9, atol=0):
                text = f"must be the end of the range, {end_s * US_PER_S:g} uS"
                problems.append(Problem(text, key=f"levels.states.{index}", value=states[int(index)]))
        if self.programming is not None and self.programming.verify and self.read is None:
            problems.append(Problem("needs `read`, which is null", key="programming.verify", value=True))
        if problems:
            raise ConfigError(problems)
        return self

    @property
    def g_min_s(self) -> float:
        """Lowest conductance in siemens."""
        stated = self.conductance
        return stated.g_min / US_PER_S if stated.g_min is not None else 1 / (stated.r_off or np.inf)

    @property
    def g_max_s(self) -> float:
        """Highest conductance in siemens."""
        stated = self.conductance
        return stated.g_max / US_PER_S if stated.g_max is not None else 1 / (stated.r_on or np.inf)

    @property
    def bits_per_cell(self) -> int:
        """Bits of a weight that one cell stores."""
        return self.levels.bits_per_cell or self.levels.most_bits

    @property
    def levels_s(self) -> Siemens:
        """Conductance of every level, in siemens, shape (levels,), ascending.

        G_k = G_min + (G_max - G_min) k / (levels - 1), unless the file lists the states.
        """
        if self.levels.states is not None:
            return np.array(self.levels.states) / US_PER_S
        return np.linspace(self.g_min_s, self.g_max_s, self.levels.count)

    @property
    def not_modelled(self) -> tuple[str, ...]:
        """The properties that the file leaves at null."""
        return tuple(name for name in UNMODELLED if getattr(self, name) is None)

    def conductances(self, codes: npt.ArrayLike) -> Siemens:
        """The conductances, in siemens, of integer codes 0..levels-1 of any shape.

        ConfigError for codes that are no whole numbers or no levels of this device.
        """
        array = np.asarray(codes)
        if not np.issubdtype(array.dtype, np.integer):
            raise ConfigError(Problem("codes must be whole numbers", key="codes", value=str(array.dtype)))
        if array.size and not 0 <= array.min() <= array.max() < self.levels.count:
            allowed = f"0 to {self.levels.count - 1}"
            wrong = int(array.max() if array.min() >= 0 else array.min())
            raise ConfigError(Problem(f"no such level of '{self.name}'", key="codes", value=wrong, allowed=allowed))
        return np.asarray(self.levels_s[array])

    @property
    def cell_area_um2(self) -> float:
        """Area of one cell in um2: squares times F^2, F in um."""
        cell = self._modelled(self.cell, "cell")
        return cell.area_f2 * (cell.feature / 1e3) ** 2

    @property
    def leakage_mw(self) -> float:
        """Static power of one cell in mW."""
        return self._modelled(self.leakage, "leakage").per_cell

    def read_energy_pj(self, conductance_s: npt.ArrayLike, duration_ns: npt.ArrayLike | None = None) -> Siemens:
        """Energy in pJ that cells dissipate in a read: V^2 G t.

        ``conductance_s``: siemens, any shape, of cells on active rows or sums of them. ``duration_ns``: how long they
        conduct, broadcast against it; default one read pulse (a line held through m column phases: m of them).
        """
        read = self._modelled(self.read, "read")
        time_ns = read.pulse if duration_ns is None else duration_ns
        return np.asarray(read.voltage**2 * np.asarray(conductance_s) * np.asarray(time_ns) * PJ_PER_NJ)

    def programming_energy_pj(self, cells: float) -> float:
        """Energy in pJ of programming ``cells`` cells: cells * pulses * (E_pulse + E_verify).

        E_verify is one read at the middle of the range, or 0 where pulses are not verified.
        """
        programming = self._modelled(self.programming, "programming")
        middle_s = (self.g_min_s + self.g_max_s) / 2
        verify_pj = float(self.read_energy_pj(middle_s)) if programming.verify else 0.0
        return cells * programming.pulses * (programming.pulse_energy + verify_pj)

    def programming_time_ns(self, cells: int, at_once: int = 1) -> float:
        """Time in ns of programming ``cells`` cells, ``at_once`` side by side.

        ceil(cells / at_once) * pulses * (t_pulse + t_read), t_read only where pulses are verified. That a group waits
        for its slowest cell is not in it: pulses is a mean.
        """
        programming = self._modelled(self.programming, "programming")
        verify_ns = self._modelled(self.read, "read").pulse if programming.verify else 0.0
        return ceil(cells / at_once) * programming.pulses * (programming.pulse + verify_ns)

    def programmed(self, target_s: Siemens, rng: np.random.Generator) -> Siemens:
        """Conductances, in siemens, after programming cells to ``target_s`` (any shape), drawn from ``rng``.

        normal: max(G + sigma(G) z, 0). lognormal: G exp(s z - s^2 / 2), s^2 = ln(1 + (sigma / G)^2), which has mean G
        and standard deviation sigma. Stuck cells then have an end of the range. Draws: one z for every cell, then one
        uniform number for every cell, whether or not they are needed: the z of a cell depends on neither targets nor
        other errors, so that a chip which is programmed again has the same cells.
        """
        cells_s = np.array(target_s, dtype=np.float64)
        z, chance = rng.standard_normal(cells_s.shape), rng.random(cells_s.shape)
        if self.variation is not None:
            sigma_s = self.variation.sigma_s(cells_s, self.g_max_s)
            if self.variation.distribution == "normal":
                cells_s = np.maximum(cells_s + sigma_s * z, 0.0)
            else:
                log_variance = np.log1p((sigma_s / np.maximum(cells_s, np.finfo(np.float64).tiny)) ** 2)
                cells_s = cells_s * np.exp(np.sqrt(log_variance) * z - log_variance / 2)
        if self.stuck is not None:
            cells_s = np.where(chance < self.stuck.at_g_min, self.g_min_s, cells_s)
            cells_s = np.where(chance >= 1 - self.stuck.at_g_max, self.g_max_s, cells_s)
        return cells_s

    def drift_exponents(self, target_s: Siemens, rng: np.random.Generator) -> Siemens:
        """One exponent nu = abs(mean + sigma z) for every cell, by its target: a property of the cell, drawn once.

        Mean and sigma depend on the target as the file says; the absolute value is aihwkit's.
        """
        drift = self._modelled(self.drift, "drift")
        target = np.asarray(target_s, dtype=np.float64)
        mean, sigma = drift.nu_mean.at(target, self.g_max_s), drift.nu_sigma.at(target, self.g_max_s)
        return np.asarray(np.abs(mean + np.maximum(sigma, 0.0) * rng.standard_normal(target.shape)))

    def drifted(self, programmed_s: Siemens, t_s: float, exponents: Siemens) -> Siemens:
        """Conductances, in siemens, ``t_s`` seconds after programming: G (max(t, t0) / t0)^-nu."""
        t0_s = self._modelled(self.drift, "drift").t0 / NS_PER_S
        return np.asarray(programmed_s * (max(t_s, t0_s) / t0_s) ** -np.asarray(exponents))

    def read_sigma_s(self, cells_s: Siemens, t_s: float | None = None) -> Siemens:
        """Standard deviation, in siemens, of one read of each cell; 0 where read noise is not modelled.

        The noise of a column's sum has the sum of their squares as its variance. ``t_s``: seconds since programming,
        which 1/f noise needs (UnsupportedError without).
        """
        cells = np.asarray(cells_s, dtype=np.float64)
        if self.read_noise is None:
            return np.zeros_like(cells)
        sigma_s = self.read_noise.sigma_s(cells, self.g_max_s)
        if self.read_noise.flicker is None:
            return sigma_s
        if t_s is None:
            text = f"the 1/f noise of '{self.name}' needs the time since programming"
            raise UnsupportedError(Problem(text, key="t_s"))
        return np.hypot(sigma_s, self.read_noise.flicker.sigma_s(cells, self.g_max_s, t_s))

    def read_cells(self, cells_s: Siemens, rng: np.random.Generator, t_s: float | None = None) -> Siemens:
        """The conductances, in siemens, that one read sees: max(G + sigma z, 0), one z for every cell."""
        cells = np.asarray(cells_s, dtype=np.float64)
        if self.read_noise is None:
            return cells
        return np.maximum(cells + self.read_sigma_s(cells, t_s) * rng.standard_normal(cells.shape), 0.0)

    def _modelled(self, part: Part | None, key: str) -> Part:
        """The part, or an UnsupportedError that names it."""
        if part is None:
            text = f"not modelled by the device '{self.name}': its file leaves it at null"
            raise UnsupportedError(Problem(text, key=key, allowed=f"set {key} in a device file of your own"))
        return part
