"""What a sweep's file may say. What its names mean (chips, keys, files) is checked in ``checks``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from archsim.config import Document, Strict, load_document, validate
from archsim.errors import ConfigError, Problem

MOST_POINTS = 1_000_000
Key = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\s=]+$")]
Name = Annotated[str, Field(min_length=1, max_length=1000)]
Names = Annotated[list[Name], Field(min_length=1, max_length=1000)]
Count = Annotated[int, Field(ge=1, le=MOST_POINTS)]
Seed = Annotated[int, Field(ge=0, lt=1 << 63)]


class Range(Strict):
    """Numbers from one end to the other, both included; whole numbers where both ends are whole numbers."""

    from_: float | int = Field(alias="from", description="first value, in the key's base unit")
    to: float | int = Field(description="last value")
    steps: int | None = Field(default=None, ge=1, le=100_000, description="how many values")
    step: float | int | None = Field(default=None, gt=0, description="distance of two values; linear only")
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _makes_sense(self) -> Range:
        if self.to < self.from_:
            raise ConfigError(Problem("ends before it starts", key="to", value=self.to, allowed=f"from {self.from_}"))
        if self.steps is not None and self.step is not None:
            raise ConfigError(Problem("a range has 'steps' or a 'step', not both", key="step"))
        if self.scale == "log" and self.from_ <= 0:
            raise ConfigError(Problem("a logarithmic range starts above 0", key="from", value=self.from_))
        if self.scale == "log" and self.step is not None:
            raise ConfigError(Problem("a logarithmic range has 'steps'", key="step", value=self.step))
        if self.step is not None and (self.to - self.from_) / self.step >= 100_000:
            raise ConfigError(Problem("makes more than 100000 values", key="step", value=self.step))
        return self


class Draw(Strict):
    """How many points are drawn, and the seed that makes them the same every time."""

    points: Count
    seed: Seed = 0


class RandomMethod(Strict):
    """Every key independently and uniformly."""

    random: Draw


class LatinHypercube(Strict):
    """Every key's range is cut into as many strata as there are points, and each stratum is used once."""

    latin_hypercube: Draw


Values = Annotated[list[Any], Field(min_length=1, max_length=100_000)]


class SweepFile(Strict):
    """A space of designs, and how it is visited."""

    archs: Names = Field(description="chips: presets, or YAML files (seen from this file's folder)")
    workloads: Names = Field(description="networks: presets, or YAML files")
    space: dict[Key, Values | Range] = Field(
        default={}, description="dotted keys of the chip, or with 'workload.' in front of the workload: values or range"
    )
    method: Literal["grid", "list"] | RandomMethod | LatinHypercube = "grid"
    points: Annotated[list[dict[Key, Any]], Field(max_length=MOST_POINTS)] | None = Field(
        default=None, description="of method list: the keys of every point"
    )
    constraints: list[str] = Field(default=[], description="area_um2 < 1e7; points that break one stay, marked")
    repeats: int | None = Field(default=None, ge=1, le=10_000, description="synthetic activity: seeds 0 to repeats - 1")
    seeds: Annotated[list[Seed], Field(min_length=1)] | None = Field(default=None, description="in place of repeats")
    costs: Annotated[list[Name | list[Name] | None], Field(min_length=1)] = Field(
        default=[None], description="cost overlays to price every execution with; null: none"
    )
    samples: str | int = Field(default=0, description="inputs to execute: 3, 0..15, '0,3,5' or all")
    plugins: list[Name] = Field(default=[], description="Python files with dataflows or families")
    engine: Literal["auto", "des", "fast"] = Field(default="fast", description="the answers agree")

    @model_validator(mode="after")
    def _one_way(self) -> SweepFile:
        if self.points is not None and (self.space or self.method not in ("grid", "list")):
            raise ConfigError(Problem("listed points need neither a 'space' nor another method", key="points"))
        if self.method == "list" and self.points is None:
            raise ConfigError(Problem("method list needs 'points'", key="method"))
        if self.points is not None and not self.points:
            raise ConfigError(Problem("the list of points is empty", key="points"))
        if self.repeats is not None and self.seeds is not None:
            raise ConfigError(Problem("a sweep has 'repeats' or 'seeds', not both", key="seeds"))
        if self.method == "grid":
            self._whole_grid()
        return self

    def _whole_grid(self) -> None:
        for key, values in self.space.items():
            if isinstance(values, Range) and values.steps is None and values.step is None and values.to > values.from_:
                text = "a grid needs the range's 'steps' or 'step'"
                raise ConfigError(Problem(text, key=f"space.{key}" if "." not in key else "space", value=key))


def load_spec(path: str | Path) -> tuple[SweepFile, Document]:
    """A sweep's file as it stands. ConfigError: file:line of everything that is not of the schema."""
    document = load_document(Path(path))
    return validate(SweepFile, document), document
