"""What a workload file may say. Meaning (do the shapes chain? do the names exist?) is checked in ``resolve``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from archsim.config import Strict
from archsim.errors import Problem, WorkloadError

Size = Annotated[int, Field(ge=1, le=1 << 24)]
Offset = Annotated[int, Field(ge=0, le=1 << 16)]
Pair = Size | tuple[Size, Size]
OffsetPair = Offset | tuple[Offset, Offset]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\w[\w.+ \-]*$")]
ShapeList = Annotated[list[Size], Field(min_length=1, max_length=3)]
Density = Annotated[float, Field(ge=0.0, le=1.0)]
WeightBits = Annotated[int, Field(ge=1, le=32)]


class NeuronSpec(Strict):
    """A neuron model; what is not stated comes from the workload's ``neuron``, then from the defaults named here."""

    model: Literal["if", "lif", "cuba_lif"] | None = Field(default=None, description="default: lif")
    leak: float | None = Field(
        default=None,
        ge=0.0,
        le=1.0,
        description="fraction of the membrane potential kept per timestep; if: 1; default 0.9375",
    )
    threshold: float | None = Field(default=None, gt=0.0, description="default: 1.0")
    reset: Literal["hard", "subtract", "delayed_subtract"] | None = Field(default=None, description="default: hard")
    compare: Literal[">", ">="] | None = Field(
        default=None, description="how the potential meets the threshold; default: >="
    )
    max_spikes: int | None = Field(
        default=None, ge=1, le=255, description="largest value sent in one timestep; default: 1"
    )
    current_leak: float | None = Field(
        default=None,
        ge=0.0,
        le=1.0,
        description="cuba_lif: fraction of the synaptic current kept per timestep; default: 0.5",
    )

    @model_validator(mode="after")
    def _fits_model(self) -> NeuronSpec:
        if self.model == "if" and self.leak not in (None, 1.0):
            raise WorkloadError(Problem("an IF neuron does not leak", key="leak", value=self.leak, allowed="1.0"))
        if self.model in ("if", "lif") and self.current_leak is not None:
            raise WorkloadError(Problem(f"{self.model} keeps no synaptic current; cuba_lif does", key="current_leak"))
        return self


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


class LayerSpec(Strict):
    """What every layer may say."""

    name: Name = Field(description="of the layer; unique")
    from_: Name | None = Field(
        default=None, alias="from", description="an earlier layer, or 'input'; default: the previous layer"
    )
    input_shape: ShapeList | None = Field(
        default=None,
        description="[channels, height, width], or [features]; of a matmul [rows, in_features], [in_features] for one "
        "row, or a map [in_features, height, width] whose places are the rows; checked where layers chain, needed "
        "where they do not",
    )
    output_shape: ShapeList | None = Field(
        default=None,
        description="[channels, height, width], or [features]; of a matmul [rows, out_features], [out_features] for "
        "one row, or [out_features, rows, 1]; checked",
    )


class WeightedSpec(LayerSpec):
    """What every layer with weights may say."""

    bias: bool = Field(default=False, description="an addition per output and timestep")
    spiking: bool | None = Field(
        default=None,
        description="whether neurons follow; default: yes, unless an explicit neuron layer follows on every way",
    )
    neuron: NeuronSpec | None = Field(default=None, description="default: the workload's `neuron`")
    weight_bits: WeightBits | None = Field(default=None, description="default: that of `precision`")


class Conv2dSpec(WeightedSpec):
    """A convolution; output sizes are rounded down."""

    type: Literal["conv2d"] = Field(description="what the layer does")
    out_channels: Size = Field(description="filters")
    in_channels: Size | None = Field(default=None, description="checked")
    kernel: Pair = Field(description="one number, or [height, width]")
    stride: Pair = Field(default=1, description="one number, or [height, width]")
    padding: OffsetPair = Field(default=0, description="zeros on each side: one number, or [height, width]")
    groups: Size = Field(default=1, description="groups of channels; as many as there are: depthwise")


class LinearSpec(WeightedSpec):
    """A fully connected layer; a map before it is flattened."""

    type: Literal["linear"] = Field(description="what the layer does")
    out_features: Size = Field(description="outputs")
    in_features: Size | None = Field(default=None, description="checked where layers chain")


class MatmulSpec(WeightedSpec):
    """Rows of tokens times one weight matrix: [rows, in_features] x [in_features, out_features]."""

    type: Literal["matmul"] = Field(description="what the layer does")
    out_features: Size = Field(description="columns of the weight matrix")
    in_features: Size | None = Field(default=None, description="checked where layers chain")
    rows: Size | None = Field(default=None, description="checked where layers chain")


class PoolSpec(LayerSpec):
    """A pool; output sizes are rounded down."""

    type: Literal["avgpool2d", "sumpool2d", "maxpool2d"] = Field(description="what the layer does")
    kernel: Pair = Field(description="one number, or [height, width]")
    stride: Pair | None = Field(default=None, description="default: the kernel")
    padding: OffsetPair = Field(default=0, description="zeros on each side")


class AddSpec(LayerSpec):
    """The sum of two or more maps of one shape: ``inputs``, or the previous layer and ``with``."""

    type: Literal["add"] = Field(description="what the layer does")
    inputs: Annotated[list[Name], Field(min_length=2, max_length=64)] | None = Field(
        default=None, description="layers that are added, or 'input'"
    )
    with_: Name | None = Field(
        default=None, alias="with", description="layer that is added to the previous one, in place of inputs"
    )

    @model_validator(mode="after")
    def _one_way(self) -> AddSpec:
        if (self.inputs is None) == (self.with_ is None):
            text = "an add names its operands with 'inputs: [A, B]', or 'with: B' beside the previous layer"
            raise WorkloadError(Problem(text))
        if self.inputs is not None and self.from_ is not None:
            raise WorkloadError(Problem("'inputs' already says where the operands come from", key="from"))
        return self


class PlainSpec(LayerSpec):
    """A layer that only reshapes, or whose numbers are folded into weights and thresholds."""

    type: Literal["flatten", "batchnorm"] = Field(description="what the layer does")


class NeuronLayerSpec(LayerSpec):
    """Neurons at a place of their own: behind a pool or an add."""

    type: Literal["neuron"] = Field(description="what the layer does")
    neuron: NeuronSpec | None = Field(default=None, description="default: the workload's `neuron`")


AnyLayer = Annotated[
    Conv2dSpec | LinearSpec | MatmulSpec | PoolSpec | AddSpec | PlainSpec | NeuronLayerSpec, Field(discriminator="type")
]


class ActivitySpec(Strict):
    """A recorded trace, or densities and the generator that turns them into spikes."""

    density: Density | dict[str, Density] | None = Field(
        default=None,
        description="non-zero fraction at the input of weighted layers: one for all, or by layer and 'default'",
    )
    trace: str | None = Field(
        default=None, min_length=1, max_length=1000, description="npz file beside the workload file"
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
        if (self.density is None) == (self.trace is None):
            raise WorkloadError(Problem("an activity is either a 'density' or a 'trace'"))
        drawn = self.model_fields_set & {"generator", "dispersion", "seed"}
        if self.trace is not None and drawn:
            raise WorkloadError(Problem("recorded spikes need no generator", key=min(drawn)))
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
    activity: ActivitySpec | None = Field(default=None, description="default: every value non-zero")

    @model_validator(mode="after")
    def _has_input(self) -> WorkloadFile:
        if self.chained and self.input is None:
            text = "layers that chain need the shape and encoding of the network's input"
            raise WorkloadError(Problem(text, key="input"))
        return self
