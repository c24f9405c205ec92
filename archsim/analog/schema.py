"""The parts of a device file: each states its numbers and where they come from."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from archsim.config import Microsiemens, Milliwatts, Nanometres, Nanoseconds, Ohms, Picojoules, Strict, Volts
from archsim.errors import ConfigError, Problem

Siemens = npt.NDArray[np.float64]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Conducting = Annotated[Microsiemens, Field(gt=0, le=1e6)]
Resisting = Annotated[Ohms, Field(ge=1)]
Lasting = Annotated[Nanoseconds, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Relative = Annotated[float, Field(ge=0, le=1e3)]
Sigma = Annotated[Microsiemens, Field(le=1e6)]
Coefficient = Annotated[float, Field(ge=-1e9, le=1e9)]

MOST_LEVELS = 65536
US_PER_S = 1e6
NS_PER_S = 1e9


class Sourced(Strict):
    """Numbers that share one source."""

    source: Text = Field(description="where the numbers come from: paper and figure, tool and version, or file")
    note: str = Field("", description="how they were read or derived, and what they leave out")


class Conductance(Sourced):
    """The range of the cell, as conductances or as resistances, whichever the source states."""

    g_min: Conducting | None = Field(None, description="lowest conductance (with g_max)")
    g_max: Conducting | None = Field(None, description="highest conductance")
    r_on: Resisting | None = Field(None, description="lowest resistance (with r_off)")
    r_off: Resisting | None = Field(None, description="highest resistance")

    @field_validator("g_max", "r_off")
    @classmethod
    def _in_order(cls, value: float | None, info: ValidationInfo) -> float | None:
        """The highest is above the lowest."""
        low = "g_min" if info.field_name == "g_max" else "r_on"
        lowest = info.data.get(low)
        if value is not None and lowest is not None and value <= lowest:
            raise ConfigError(Problem(f"must be above {low}", value=value))
        return value

    @model_validator(mode="after")
    def _one_pair(self) -> Conductance:
        """Either g_min and g_max, or r_on and r_off."""
        conductances, resistances = (self.g_min, self.g_max), (self.r_on, self.r_off)
        stated = [pair for pair in (conductances, resistances) if any(value is not None for value in pair)]
        if len(stated) != 1 or None in stated[0]:
            raise ConfigError(Problem("needs either g_min and g_max or r_on and r_off"))
        return self


class Levels(Sourced):
    """How many conductances a cell can be told to take; equally spaced unless ``states`` lists them."""

    count: Annotated[int, Field(ge=2, le=MOST_LEVELS)] = Field(description="distinct levels; code 0 is the lowest")
    bits_per_cell: Annotated[int, Field(ge=1, le=16)] | None = Field(
        None, description="bits of a weight that one cell stores; default: all that the levels can tell apart"
    )
    states: tuple[Conducting, ...] | None = Field(
        None, description="conductance of each level in ascending order, where they are not equally spaced"
    )

    @field_validator("bits_per_cell")
    @classmethod
    def _levels_tell_them_apart(cls, value: int | None, info: ValidationInfo) -> int | None:
        """There is a level for each value of the bits."""
        count = info.data.get("count")
        if value is not None and count is not None and 2**value > count:
            most = count.bit_length() - 1
            text = f"{count} levels tell no more than {most} bit(s) apart"
            raise ConfigError(Problem(text, value=value, allowed=f"1 to {most}"))
        return value

    @model_validator(mode="after")
    def _states_fit(self) -> Levels:
        """There is one ascending state for each level."""
        problems = []
        states = self.states or ()
        if self.states is not None and len(states) != self.count:
            problems.append(Problem(f"must list {self.count} conductances, one for each level", key="states"))
        for index, (lower, upper) in enumerate(pairwise(states), 1):
            if lower >= upper:
                problems.append(Problem("must be above the state before it", key=f"states.{index}", value=upper))
        if problems:
            raise ConfigError(problems)
        return self

    @property
    def most_bits(self) -> int:
        """The largest b with 2**b levels."""
        return self.count.bit_length() - 1


class Read(Sourced):
    """One read pulse."""

    voltage: Annotated[Volts, Field(gt=0, le=100)] = Field(description="on the word line of an active row")
    pulse: Lasting = Field(description="how long the cell conducts during one read")


class Programming(Sourced):
    """Setting a cell to a level by pulses, each followed by a read where ``verify``."""

    pulse_energy: Picojoules = Field(description="energy of one programming pulse in one cell")
    pulse: Lasting = Field(description="duration of one programming pulse")
    pulses: Annotated[float, Field(ge=1, le=1e6)] = Field(description="pulses until a cell is accepted, mean")
    verify: bool = Field(description="each pulse is followed by a read of the cell (needs `read`)")


class Cell(Sourced):
    """The layout of one cell."""

    area_f2: Annotated[float, Field(gt=0, le=1e6)] = Field(description="area in squares of the feature size")
    feature: Annotated[Nanometres, Field(le=1e5)] = Field(description="feature size F")


class Leakage(Sourced):
    """Static power of a volatile cell."""

    per_cell: Milliwatts = Field(description="static power of one cell")


class SpreadPoint(Strict):
    """One point of a measured spread."""

    g: Conducting = Field(description="conductance")
    sigma: Sigma = Field(description="standard deviation of the conductance there")


class Spread(Sourced):
    """The standard deviation of a conductance as a function of the conductance; its parts add in quadrature.

    sigma(G)^2 = (proportional * G)^2 + independent^2 + shape(G)^2, where shape is ``polynomial`` or ``table``:
    max(sum_i c_i (G / g_max)^i, 0), or linear between the points of the table and constant beyond its ends.

    Sources: CrossSim 3.2, simulator/devices/generic_device.py (normal errors, independent of the state and proportional
    to it, of programming and of reads); aihwkit, inference/noise/pcm.py (polynomial in G / g_max).
    """

    proportional: Relative | None = Field(None, description="sigma as a fraction of the conductance")
    independent: Sigma | None = Field(None, description="sigma that is the same at every conductance")
    polynomial: tuple[Coefficient, ...] | None = Field(
        None, min_length=1, description="sigma in microsiemens: coefficients of (G / g_max)^0, ^1, ..."
    )
    table: tuple[SpreadPoint, ...] | None = Field(
        None, min_length=1, description="measured sigma by conductance, ascending"
    )

    @model_validator(mode="after")
    def _states_something_once(self) -> Spread:
        """At least one part, and one shape at most."""
        problems = []
        if not self._is_stated():
            problems.append(Problem(f"states no spread; allowed: {', '.join(self._parts())}; null: not modelled"))
        if self.polynomial is not None and self.table is not None:
            problems.append(Problem("the shape is a polynomial or a table, not both", key="polynomial"))
        for index, (lower, upper) in enumerate(pairwise(self.table or ()), 1):
            if lower.g >= upper.g:
                problems.append(Problem("must be above the conductance before it", key=f"table.{index}.g"))
        if problems:
            raise ConfigError(problems)
        return self

    def _parts(self) -> tuple[str, ...]:
        return ("proportional", "independent", "polynomial", "table")

    def _is_stated(self) -> bool:
        return any(getattr(self, part) is not None for part in self._parts())

    def sigma_s(self, g_s: Siemens, g_max_s: float) -> Siemens:
        """Standard deviation in siemens at conductances of any shape, in siemens."""
        shape = np.zeros_like(g_s)
        if self.polynomial is not None:
            shape = np.maximum(np.polynomial.polynomial.polyval(g_s / g_max_s, self.polynomial), 0) / US_PER_S
        if self.table is not None:
            known, sigma = np.array([(point.g, point.sigma) for point in self.table]).T
            shape = np.interp(g_s * US_PER_S, known, sigma) / US_PER_S
        independent_s = (self.independent or 0.0) / US_PER_S
        return np.asarray(np.sqrt(((self.proportional or 0.0) * g_s) ** 2 + independent_s**2 + shape**2))


class Variation(Spread):
    """How far a programmed conductance lies from its target: drawn once per cell.

    Sources: normal and proportional is the cell variation of NeuroSim V2.1 (G + G N(0, sigma)) and of CrossSim;
    lognormal that of D. Joksas et al., Advanced Science 9 (2022) 2105784, whose resistances are lognormal. So are the
    inverses of lognormal conductances, with the same spread of the logarithm; here the conductance keeps its mean.
    """

    distribution: Literal["normal", "lognormal"] = Field(
        description="normal is cut off at 0; lognormal has the same mean and sigma"
    )


class Flicker(Strict):
    """1/f noise accumulated since programming (S. R. Nandakumar et al., ICECS 2019, as in aihwkit's PCM model).

    sigma(G, t) = G * min(coefficient / (G / g_max)^exponent, limit) * sqrt(ln((t + t_read) / (2 t_read))).
    """

    coefficient: Relative = Field(description="relative noise at g_max")
    exponent: Relative = Field(description="how it falls with the conductance")
    limit: Relative = Field(description="largest relative noise")
    t_read: Lasting = Field(description="duration of a read")

    def sigma_s(self, g_s: Siemens, g_max_s: float, t_s: float) -> Siemens:
        """Standard deviation in siemens, t_s seconds after programming; 0 up to t_s = t_read."""
        t_read_s = self.t_read / NS_PER_S
        relative = np.maximum(g_s / g_max_s, np.finfo(np.float64).tiny)
        share = np.minimum(self.coefficient / relative**self.exponent, self.limit)
        return np.asarray(g_s * share * np.sqrt(max(np.log((t_s + t_read_s) / (2 * t_read_s)), 0.0)))


class ReadNoise(Spread):
    """How far a conductance lies from its mean in one read: drawn anew at every read."""

    flicker: Flicker | None = Field(None, description="1/f noise, which grows with the time since programming")

    def _parts(self) -> tuple[str, ...]:
        return (*super()._parts(), "flicker")


class Stuck(Sourced):
    """Cells that programming does not move, wherever they lie: independent fractions, as in MNSIM 2.0 and MemTorch."""

    at_g_min: Fraction = Field(description="fraction of cells stuck at the lowest conductance")
    at_g_max: Fraction = Field(description="fraction of cells stuck at the highest conductance")

    @field_validator("at_g_max")
    @classmethod
    def _no_more_than_all(cls, value: float, info: ValidationInfo) -> float:
        """The two fractions are of the same cells."""
        if info.data.get("at_g_min", 0.0) + value > 1:
            raise ConfigError(Problem("with at_g_min more than all cells", value=value))
        return value


class StateLaw(Strict):
    """A coefficient that depends on the state: clip(offset + slope * ln(G / g_max), low, high)."""

    offset: float = Field(description="value at g_max")
    slope: float = Field(0.0, description="per natural logarithm of G / g_max")
    low: float | None = Field(None, description="lowest value")
    high: float | None = Field(None, description="highest value")

    @model_validator(mode="after")
    def _in_order(self) -> StateLaw:
        """The bounds are in order."""
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ConfigError(Problem("must not be above high", key="low", value=self.low))
        return self

    def at(self, g_s: Siemens, g_max_s: float) -> Siemens:
        """The coefficient at conductances of any shape, in siemens; the logarithm stops at 1e-7 of g_max."""
        value = self.offset + self.slope * np.log(np.maximum(g_s / g_max_s, 1e-7))
        return np.asarray(np.clip(value, self.low, self.high))


class Drift(Sourced):
    """Decay of a conductance with time: G(t) = G (t / t0)^-nu, t and t0 counted from programming.

    Source: aihwkit, inference/noise/pcm.py, with one exponent for every cell.
    """

    nu_mean: StateLaw = Field(description="mean of the exponent over cells")
    nu_sigma: StateLaw = Field(description="standard deviation of the exponent over cells")
    t0: Lasting = Field(description="when the programmed conductance was measured")
