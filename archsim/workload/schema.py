"""What a workload file may say. Meaning (do the shapes chain? do the names exist?) is checked in ``resolve``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from archsim.config import Strict
from archsim.errors import Problem, WorkloadError
from archsim.workload.layer_schema import AnyLayer, Name, NeuronSpec, ShapeList, WeightBits
from archsim.workload.network import Readout

Density = Annotated[float, Field(ge=0.0, le=1.0)]
OF_ENCODINGS = {"scale": "direct", "max_spikes": "events", "rate": "rate", "peak": "rate", "seed": "rate"}
"""Keys of the input that say something about one encoding only."""


class PrecisionSpec(Strict):
    """Bits of the stored numbers."""

    weight_bits: WeightBits = Field(default=8, description="of a weight")
    membrane_bits: int = Field(default=16, ge=2, le=32, description="of a membrane potential, and of any current")
    input_bits: int = Field(default=8, ge=1, le=16, description="of an element of a direct-coded input")


class InputSpec(Strict):
    """The network's input and its code."""

    shape: ShapeList = Field(description="[channels, height, width]")
    encoding: Literal["direct", "rate", "ttfs", "events"] = Field(
        description="direct: real values, the same at every timestep; the others: spikes"
    )
    scale: float | None = Field(
        default=None, gt=0.0, description="direct: an integer stands for the real value integer / scale; default: 1"
    )
    max_spikes: int | None = Field(
        default=None, ge=1, le=65_535, description="events: largest value of an element in one timestep; default: 1"
    )
    rate: Literal["bernoulli", "regular"] | None = Field(
        default=None, description="rate: spikes drawn by chance, or evenly spread; default: bernoulli"
    )
    peak: float | None = Field(
        default=None, gt=0.0, le=1.0, description="rate: spikes per timestep of the brightest pixel; default: 1"
    )
    seed: int | None = Field(
        default=None, ge=0, lt=1 << 63, description="rate: fixes the spikes that bernoulli draws; default: 0"
    )

    @model_validator(mode="after")
    def _fits_encoding(self) -> InputSpec:
        problems = [
            Problem(f"says something about the encoding '{of}' only", key=key, allowed=f"encoding: {of}")
            for key, of in OF_ENCODINGS.items()
            if getattr(self, key) is not None and self.encoding != of
        ]
        if self.seed is not None and self.rate == "regular":
            problems.append(Problem("evenly spread spikes are not drawn", key="seed", value=self.seed))
        if problems:
            raise WorkloadError(problems)
        return self


class ActivitySpec(Strict):
    """A recorded trace, inputs that the network itself is executed on, or densities that spikes are drawn at."""

    density: Density | dict[str, Density] | None = Field(
        default=None,
        description="non-zero fraction at the input of weighted layers: one for all, or by layer and 'default'",
    )
    trace: str | None = Field(
        default=None, min_length=1, max_length=1000, description="npz file beside the workload file"
    )
    inputs: str | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="what the network itself is executed on: mnist:0..15, digits:all, an npz file; needs weights",
    )
    precision: Literal["stated", "float", "chip"] = Field(
        default="stated",
        description="inputs: with the bits of `precision`, with the weights as trained, or on analog crossbars as made",
    )
    chip: int | None = Field(default=None, ge=0, lt=1 << 31, description="precision chip: its number; default 0")
    calibrate: Literal["none", "layer", "column"] | None = Field(
        default=None, description="precision chip: what gets a gain of its own; default none"
    )
    calibration: str | None = Field(
        default=None, min_length=1, max_length=1000, description="precision chip: inputs to calibrate it with"
    )
    generator: Literal["bernoulli", "clustered"] = Field(
        default="bernoulli", description="how spikes are drawn: each on its own, or gathered in channels and places"
    )
    dispersion: float | None = Field(
        default=None, ge=0.0, lt=1.0, description="clustered: how unlike channels and places are"
    )
    seed: int = Field(default=0, ge=0, lt=1 << 63, description="fixes the spikes that are drawn")

    @model_validator(mode="after")
    def _one_source(self) -> ActivitySpec:
        if sum(one is not None for one in (self.density, self.trace, self.inputs)) != 1:
            raise WorkloadError(Problem("an activity is either a 'density', a 'trace' or 'inputs'"))
        drawn = self.model_fields_set & {"generator", "dispersion", "seed"}
        if self.density is None and drawn:
            text = "recorded spikes need no generator" if self.inputs is None else "inputs need no generator"
            raise WorkloadError(Problem(text, key=min(drawn)))
        if self.inputs is None and "precision" in self.model_fields_set:
            raise WorkloadError(Problem("says how 'inputs' are executed, and there are none", key="precision"))
        of_chip = self.model_fields_set & {"chip", "calibrate", "calibration"}
        if self.precision != "chip" and of_chip:
            raise WorkloadError(Problem("is of a chip: it needs 'precision: chip'", key=min(of_chip)))
        if self.generator == "clustered" and self.dispersion is None:
            text = "the clustered generator needs a stated 'dispersion' from 0 (as bernoulli) to below 1"
            raise WorkloadError(Problem(text, key="generator"))
        if self.generator == "bernoulli" and self.dispersion:
            text = "bernoulli spikes have no dispersion; 'generator: clustered' has"
            raise WorkloadError(Problem(text, key="dispersion", value=self.dispersion))
        return self


class WorkloadFile(Strict):
    """A spiking network and its activity."""

    name: Name = Field(description="of the network")
    description: str = Field(default="", description="what it is; `archsim list` shows the first sentence")
    source: str = Field(default="", description="where the network and its densities come from")
    timesteps: int = Field(ge=1, le=100_000, description="T, of one inference")
    input: InputSpec | None = Field(default=None, description="needed where layers chain")
    neuron: NeuronSpec = Field(default=NeuronSpec(), description="of every layer that states no other")
    precision: PrecisionSpec = PrecisionSpec()
    layers: Annotated[list[AnyLayer], Field(min_length=1, max_length=10_000)] = Field(description="in order")
    chained: bool = Field(default=True, description="false: a table of layers that do not feed each other")
    readout: Readout | None = Field(
        default=None,
        description="what of the last layer predicts: its sum over the timesteps, its last or its largest value, or "
        "which neuron spikes first; default: sum, of potentials last",
    )
    weights: str | None = Field(
        default=None, min_length=1, max_length=1000, description="npz file beside the workload file"
    )
    activity: ActivitySpec | None = Field(default=None, description="default: every value non-zero")

    @model_validator(mode="after")
    def _has_input(self) -> WorkloadFile:
        if self.chained and self.input is None:
            text = "layers that chain need the shape and encoding of the network's input"
            raise WorkloadError(Problem(text, key="input"))
        return self
