"""The cost table file: every entry a record with value, unit and source; and the overlay that changes part of one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from archsim.config.validate import Strict

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Unit = Literal["pJ", "pJ/bit", "pF/mm", "mW", "um2", "MHz", "bytes", "1"]


class AlternativeModel(Strict):
    """What another source says of the same constant."""

    value: float = Field(ge=0, description="the other source's figure, in the entry's unit")
    source: Text = Field(description="where it comes from: paper and table, tool and version, or file")
    note: str = Field("", description="what it includes, or how it was read")


class RecordModel(Strict):
    """One constant."""

    value: float = Field(ge=0, description="nominal figure")
    unit: Unit = Field(description="1 for a pure factor")
    node_nm: float | None = Field(None, gt=0, description="technology node it holds for; absent: does not scale")
    source: Text = Field(description="where it comes from: paper and table, tool and version, or file")
    note: str = Field("", description="assumptions: clock, toggle rate, temperature, what is included")
    low: float | None = Field(None, ge=0, description="lowest that the sources allow (--vary-costs)")
    high: float | None = Field(None, ge=0, description="highest that the sources allow (--vary-costs)")
    alternatives: list[AlternativeModel] = Field(default_factory=list, description="other sources of the same constant")


class PartialRecordModel(Strict):
    """The part of a constant that an overlay changes; a new value needs its own source."""

    value: float | None = Field(None, ge=0, description="nominal figure")
    unit: Unit | None = Field(None, description="1 for a pure factor")
    node_nm: float | None = Field(None, gt=0, description="technology node it holds for")
    source: Text | None = Field(None, description="where the new figure comes from")
    note: str | None = Field(None, description="assumptions")
    low: float | None = Field(None, ge=0, description="lowest that the sources allow (--vary-costs)")
    high: float | None = Field(None, ge=0, description="highest that the sources allow (--vary-costs)")
    alternatives: list[AlternativeModel] | None = Field(None, description="other sources of the same constant")


class GridModel(Strict):
    """A CSV file of many constants that share one source."""

    file: Text = Field(description="CSV file beside this one")
    source: Text = Field(description="where the figures come from")
    note: str = Field("", description="assumptions behind all of them")
    node_nm: float | None = Field(None, gt=0, description="node of all rows, where the rows do not say")


class GridsModel(Strict):
    """The CSV files."""

    gates: GridModel = Field(description="logic, registers and FIFOs by width")
    sram: GridModel = Field(description="SRAM banks by node, cell, size and line")
    scaling: GridModel = Field(description="factors between technology nodes")
    adc: GridModel = Field(description="converters by node, bits and rate")


class PartialGridsModel(Strict):
    """The CSV files that an overlay replaces."""

    gates: GridModel | None = Field(None, description="logic, registers and FIFOs by width")
    sram: GridModel | None = Field(None, description="SRAM banks by node, cell, size and line")
    scaling: GridModel | None = Field(None, description="factors between technology nodes")
    adc: GridModel | None = Field(None, description="converters by node, bits and rate")


class CostFileModel(Strict):
    """A whole cost table."""

    name: Text = Field(description="of the table")
    description: str = Field("", description="what it holds; `archsim list` shows the first sentence")
    grids: GridsModel
    constants: dict[str, RecordModel] = Field(description="named constants of the estimators")
    prices: dict[str, RecordModel] = Field(
        default_factory=dict,
        description="fixed prices that go before the estimators: COMPONENT_OR_PRIMITIVE.ACTION (or .leakage, .area)",
    )


class OverlayModel(Strict):
    """A file for ``--costs``: only what differs."""

    name: str | None = Field(None, description="of the overlay")
    description: str | None = Field(None, description="what it changes, and why")
    grids: PartialGridsModel = PartialGridsModel()
    constants: dict[str, PartialRecordModel] = Field(
        default_factory=dict, description="by the names of the table's constants: what changes of each"
    )
    prices: dict[str, RecordModel] = Field(
        default_factory=dict, description="fixed prices: COMPONENT_OR_PRIMITIVE.ACTION (or .leakage, .area)"
    )
