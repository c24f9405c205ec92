"""The cost table: constants with their sources, the CSV grids, overlays, and what a component costs by it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property

from archsim.config.document import Document, load_document
from archsim.config.kinds import refuse_swapped
from archsim.config.presets import find
from archsim.config.validate import validate
from archsim.cost.component import Component
from archsim.cost.grids import COLUMNS, Grid, read_grid
from archsim.cost.known import KnownCosts
from archsim.cost.overrides import with_overrides
from archsim.cost.records import Alternative, ComponentCost, Constant
from archsim.cost.scaling import Scaling
from archsim.cost.schema import CostFileModel, GridModel, OverlayModel, PartialRecordModel, RecordModel
from archsim.errors import ArchsimError, ConfigError, CostError, Problem, nearest

DEFAULT = "default"


@dataclass(frozen=True)
class CostTable:
    """Everything a price is made of. Frozen; ``with_constant`` gives a changed copy."""

    name: str
    constants: Mapping[str, Constant]
    prices: Mapping[str, Constant]
    gates: Grid
    sram: Grid
    scaling: Scaling
    adc: Grid

    def constant(self, key: str) -> Constant:
        """The constant of that name; CostError names the nearest."""
        try:
            return self.constants[key]
        except KeyError:
            near = nearest(key, self.constants)
            raise CostError(Problem("no such constant in the cost table", self.name, key=key, nearest=near)) from None

    def divisor(self, key: str) -> Constant:
        """A constant that other figures are divided by; CostError where it may be zero."""
        constant = self.constant(key)
        if not constant.span.low:
            text = "must be above zero: other figures are divided by it"
            raise CostError(Problem(text, self.name, key=key, value=constant.span.low))
        return constant

    def with_constant(self, key: str, value: float) -> CostTable:
        """A copy in which one constant (or fixed price) has another value and no range."""
        if key in self.prices:
            fixed = replace(self.prices[key], value=value, low=None, high=None)
            return replace(self, prices={**self.prices, key: fixed})
        changed = replace(self.constant(key), value=value, low=None, high=None)
        return replace(self, constants={**self.constants, key: changed})

    def cost_of(self, component: Component, node_nm: float) -> ComponentCost:
        """What one instance of the component costs at ``node_nm``. CostError for what no entry or estimator gives."""
        from archsim.cost.primitives import estimate

        return estimate(component, node_nm, self)

    def costs_of(
        self, components: Iterable[Component], node_nm: float, known: KnownCosts | None = None
    ) -> dict[str, ComponentCost]:
        """The cost of every component, by name; all problems of all components in one CostError."""
        from archsim.cost.primitives import PRIMITIVES

        chosen = list(components)
        problems, costs = self._unused_prices(chosen, set(PRIMITIVES)), {}
        for component in chosen:
            try:
                costs[component.name] = (
                    self.cost_of(component, node_nm) if known is None else known.cost_of(component, node_nm, self)
                )
            except ArchsimError as error:
                problems += error.problems
        if problems:
            raise CostError(problems)
        return costs

    @cached_property
    def hash(self) -> str:
        """SHA-256 over every figure and source of the table, whatever files they came from."""
        content = {
            "constants": {key: asdict(value) for key, value in self.constants.items()},
            "prices": {key: asdict(value) for key, value in self.prices.items()},
            "grids": [grid.text for grid in (self.gates, self.sram, self.scaling.scaling, self.adc)],
            "pinned": dict(self.scaling.pinned),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _unused_prices(self, components: Sequence[Component], primitives: set[str]) -> list[Problem]:
        known = {component.name for component in components} | primitives
        return [
            Problem("a price for a component that this chip does not have", self.name, key=f"prices.{key}",
                    nearest=nearest(key.rpartition(".")[0], known))
            for key in self.prices
            if key.rpartition(".")[0] not in known
        ]  # fmt: skip


def load_costs(
    name_or_path: str = DEFAULT, overlays: Sequence[str] = (), overrides: Sequence[str] = ()
) -> CostTable:
    """Read a cost table (preset name or path) and lay overlays over it, in order, key by key, then single constants.

    An overlay's new ``value`` needs its own ``source``; it drops the range and alternatives of the old one unless it
    states them. ``overrides`` are those of :mod:`archsim.cost.overrides`. ConfigError:
    file:line of everything that is wrong, unknown entries with the nearest known one.
    """
    document = load_document(*find("cost", name_or_path))
    refuse_swapped(document, "cost")
    base = validate(CostFileModel, document)
    constants, prices = dict(base.constants), dict(base.prices)
    problems = _range_problems(document, constants, prices)
    grids = {kind: _grid(kind, document, getattr(base.grids, kind)) for kind in COLUMNS}
    shown = [base.name]
    for overlay in overlays:
        change = load_document(*find("cost", overlay))
        refuse_swapped(change, "cost")
        model = validate(OverlayModel, change)
        problems += _merge(change, model, constants, prices)
        for kind in COLUMNS:
            replacement = getattr(model.grids, kind)
            if replacement is not None:
                grids[kind] = _grid(kind, change, replacement)
        shown.append(model.name or change.file)
    table = CostTable(
        " + ".join(shown),
        {key: _constant(record) for key, record in constants.items()},
        {key: _constant(record) for key, record in prices.items()},
        grids["gates"],
        grids["sram"],
        Scaling(grids["scaling"], grids["sram"]),
        grids["adc"],
    )
    try:
        table = with_overrides(table, overrides)
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(problems)
    return table


def _grid(kind: str, document: Document, model: GridModel) -> Grid:
    def blame(message: str) -> Problem:
        return document.problem(("grids", kind, "file"), message, value=model.file)

    return read_grid(kind, model, document.folder, blame)


def _merge(
    document: Document,
    overlay: OverlayModel,
    constants: dict[str, RecordModel],
    prices: dict[str, RecordModel],
) -> list[Problem]:
    problems = []
    for key, part in overlay.constants.items():
        place = ("constants", key)
        if key not in constants:
            problems.append(document.problem(place, "no such constant", nearest=nearest(key, constants)))
            continue
        old = constants[key]
        if part.value is not None and part.source is None:
            problems.append(document.problem(place, "a new value needs its own source"))
        if part.unit is not None and part.unit != old.unit:
            problems.append(document.problem((*place, "unit"), "wrong unit", value=part.unit, allowed=old.unit))
        constants[key] = _merged(old, part)
    prices.update(overlay.prices)
    changed = {key: constants[key] for key in overlay.constants if key in constants}
    return problems + _range_problems(document, changed, overlay.prices)


def _merged(old: RecordModel, part: PartialRecordModel) -> RecordModel:
    update = {name: getattr(part, name) for name in part.model_fields_set}
    if part.value is not None:
        update = {"low": None, "high": None, "alternatives": [], "note": ""} | update
    return old.model_copy(update=update)


def _range_problems(
    document: Document, constants: Mapping[str, RecordModel], prices: Mapping[str, RecordModel]
) -> list[Problem]:
    problems = []
    for group, records in (("constants", constants), ("prices", prices)):
        for key, record in records.items():
            if record.low is not None and record.low > record.value:
                problems.append(document.problem((group, key, "low"), f"is above the value {record.value:g}",
                                                 value=record.low))  # fmt: skip
            if record.high is not None and record.high < record.value:
                problems.append(document.problem((group, key, "high"), f"is below the value {record.value:g}",
                                                 value=record.high))  # fmt: skip
            problems += _uncovered(document, (group, key), record)
            if group == "prices" and not all(key.rpartition(".")[::2]):
                problems.append(document.problem((group, key), "a price is named COMPONENT.ACTION",
                                                 allowed="NAME.ACTION, NAME.leakage or NAME.area"))  # fmt: skip
    return problems


def _uncovered(document: Document, place: tuple[str, str], record: RecordModel) -> list[Problem]:
    """Alternatives outside the stated range: a variation over the sources would leave them out."""
    low = record.value if record.low is None else record.low
    high = record.value if record.high is None else record.high
    if not low <= record.value <= high:
        return []
    said = [other.value for other in record.alternatives]
    problems = []
    if min(said, default=low) < low:
        problems.append(document.problem((*place, "low"), f"does not cover the alternative {min(said):g}",
                                         value=record.low, allowed=f"at most {min(said):g}"))  # fmt: skip
    if max(said, default=high) > high:
        problems.append(document.problem((*place, "high"), f"does not cover the alternative {max(said):g}",
                                         value=record.high, allowed=f"at least {max(said):g}"))  # fmt: skip
    return problems


def _constant(record: RecordModel) -> Constant:
    others = tuple(Alternative(other.value, other.source, other.note) for other in record.alternatives)
    return Constant(
        record.value, record.unit, record.node_nm, record.source, record.note, record.low, record.high, others
    )
