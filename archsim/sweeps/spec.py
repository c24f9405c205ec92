"""What a sweep's file may say. What its names mean (chips, keys, files) is checked in ``checks``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from archsim.config import Document, Strict, load_document, refuse_swapped, validate
from archsim.errors import ConfigError, Problem, nearest
from archsim.sweeps.table import METRICS

MOST_POINTS = 1_000_000
BATCH = 8
LARGEST = 1e300  # of a range's ends, whose distance is a number then
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
    scale: Literal["linear", "log"] = Field(default="linear", description="equal distances, or equal ratios")

    @model_validator(mode="after")
    def _makes_sense(self) -> Range:
        if max(abs(self.from_), abs(self.to)) > LARGEST:
            key, value = ("to", self.to) if abs(self.to) > LARGEST else ("from", self.from_)
            raise ConfigError(Problem("is too large", key=key, value=value, allowed=f"up to {LARGEST:g}"))
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

    points: Count = Field(description="points to draw")
    seed: Seed = Field(default=0, description="fixes the points")


class Search(Strict):
    """What a search looks for, which sampler of optuna suggests its designs, and how many there may be."""

    sampler: Literal["tpe", "nsga2"] = Field(default="tpe", description="how optuna chooses what to try next")
    trials: Count = Field(description="designs to try, each once")
    objectives: Annotated[list[Name], Field(min_length=1, max_length=len(METRICS))] = Field(
        description="numbers of a result; smaller is better, except where 'archsim pareto' has it the other way"
    )
    seed: Seed = Field(default=0, description="fixes what is tried")
    batch: Count | None = Field(
        default=None, description=f"designs that are suggested at once, of nsga2 the population; {BATCH} if not stated"
    )

    @field_validator("objectives")
    @classmethod
    def _known(cls, names: Sequence[str]) -> Sequence[str]:
        allowed = ", ".join(METRICS)
        unknown = [
            Problem("no such number", key=str(at), value=name, allowed=allowed, nearest=nearest(name, METRICS))
            for at, name in enumerate(names)
            if name not in METRICS
        ]
        doubled = [
            Problem("an objective stands once", key=str(at), value=name)
            for at, name in enumerate(names)
            if name in names[:at]
        ]
        if unknown or doubled:
            raise ConfigError([*unknown, *doubled])
        return names

    @field_validator("batch")
    @classmethod
    def _possible(cls, batch: int | None, given: ValidationInfo) -> int | None:
        trials = given.data.get("trials")
        if batch is not None and trials is not None and batch > trials:
            raise ConfigError(Problem("more designs at once than trials", value=batch, allowed=f"at most {trials}"))
        if batch == 1 and given.data.get("sampler") == "nsga2":
            raise ConfigError(Problem("a population has two or more designs", value=batch, allowed="2 or more"))
        return batch

    @property
    def batch_size(self) -> int:
        """How many designs are suggested before any of them is judged; not the number of processes."""
        return self.batch or BATCH


class OnChipsSpec(Strict):
    """Chips of analog crossbars that every design is made as, to find out the accuracy that it keeps."""

    inputs: Name = Field(description="what they are executed on: mnist:0..199, or an npz file")
    chips: Annotated[int, Field(ge=1, le=100_000)] = Field(default=1, description="how many are made of each design")
    first_chip: Annotated[int, Field(ge=0, lt=1 << 31)] = Field(default=0, description="number of the first one")
    calibrate: Literal["none", "layer", "column"] = Field(default="none", description="what gets a gain of its own")
    calibration: Name | None = Field(default=None, description="inputs to calibrate with; null: others than `inputs`")


class Method(Strict):
    """One of the ways to visit a space that have settings."""

    random: Draw | None = Field(default=None, description="every key independently and uniformly")
    latin_hypercube: Draw | None = Field(
        default=None, description="every key's range is cut into as many strata as points, and each is used once"
    )
    search: Search | None = Field(default=None, description="suggested by what is known of the designs before")

    @model_validator(mode="after")
    def _one_of_them(self) -> Method:
        if sum(getattr(self, name) is not None for name in _SETTINGS) != 1:
            raise ConfigError(Problem("a sweep has one method", allowed="one of " + ", ".join(_SETTINGS)))
        return self


_SETTINGS = {
    "random": "{points: 100, seed: 0}",
    "latin_hypercube": "{points: 100, seed: 0}",
    "search": "{sampler: tpe, trials: 100, seed: 0, objectives: [energy_pj, latency_ns]}",
}
_SEEDS = "a search compares designs, not seeds; 'samples: 0..3' makes every number the mean of four inputs"
_NOT_FOR_SEARCH = {"points": "a search finds its points in a 'space'", "repeats": _SEEDS, "seeds": _SEEDS}
_ONE_FOR_SEARCH = {
    "workloads": "a search is for one network, as no choice among several is a better design; write a file for each",
    "costs": "a search has one price; write a file for each",
}

Values = Annotated[list[Any], Field(min_length=1, max_length=100_000)]


class SweepFile(Strict):
    """A space of designs, and how it is visited."""

    archs: Names = Field(description="chips: presets, or YAML files (seen from this file's folder)")
    workloads: Names = Field(description="networks: presets, or YAML files")
    space: dict[Key, Values | Range] = Field(
        default={}, description="dotted keys of the chip, or with 'workload.' in front of the workload: values or range"
    )
    method: Literal["grid", "list"] | Method = Field(
        default="grid", description="every combination, the listed points, a draw, or a search"
    )
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
    accuracy: OnChipsSpec | None = Field(
        default=None, description="of designs of analog crossbars, on chips as they are made; null: not asked for"
    )
    plugins: list[Name] = Field(default=[], description="Python files with dataflows or families")
    engine: Literal["auto", "des", "fast"] = Field(default="fast", description="the answers agree")

    @field_validator("method", mode="before")
    @classmethod
    def _with_settings(cls, method: Any) -> Any:
        if isinstance(method, str) and method in _SETTINGS:
            allowed = f"{{{method}: {_SETTINGS[method]}}}"
            raise ConfigError(Problem(f"a {method} has settings", value=method, allowed=allowed))
        return method

    @property
    def search(self) -> Search | None:
        """The settings of method search."""
        return self.method.search if isinstance(self.method, Method) else None

    @model_validator(mode="after")
    def _one_way(self) -> SweepFile:
        if self.search is None and self.points is not None and (self.space or self.method not in ("grid", "list")):
            raise ConfigError(Problem("listed points need neither a 'space' nor another method", key="points"))
        if isinstance(self.method, Method) and not self.space and self.points is None:
            raise ConfigError(Problem("there is nothing to choose from: the space has no key", key="method"))
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
    refuse_swapped(document, "sweep")
    problems = _not_for_search(document)
    try:
        file = validate(SweepFile, document)
    except ConfigError as error:
        raise ConfigError(sorted([*problems, *error.problems], key=lambda problem: problem.line or 0)) from None
    if problems:
        raise ConfigError(problems)
    return file, document


def _not_for_search(document: Document) -> list[Problem]:
    """What stands beside a search and does not go with it, read before the schema so that all is said at once."""
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("method"), dict) or "search" not in data["method"]:
        return []
    problems = [document.problem((key,), text) for key, text in _NOT_FOR_SEARCH.items() if data.get(key) is not None]
    for key, text in _ONE_FOR_SEARCH.items():
        if isinstance(data.get(key), list) and len(data[key]) > 1:
            problems.append(document.problem((key,), text, value=", ".join(map(str, data[key])), allowed="one"))
    if data.get("space", {}) == {}:
        problems.append(document.problem(("space",), "a search needs keys to vary", allowed="a 'space'"))
    return problems
