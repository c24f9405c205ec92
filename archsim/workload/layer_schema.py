"""What a workload file may say of a layer and of its neurons."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from archsim.config import Strict
from archsim.errors import Problem, WorkloadError
from archsim.workload.network import NeuronModel, Reset

Size = Annotated[int, Field(ge=1, le=1 << 24)]
WeightBits = Annotated[int, Field(ge=1, le=32)]
Offset = Annotated[int, Field(ge=0, le=1 << 16)]
Pair = Size | tuple[Size, Size]
OffsetPair = Offset | tuple[Offset, Offset]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\w[\w.+ \-]*$")]
ShapeList = Annotated[list[Size], Field(min_length=1, max_length=3)]
OF_CURRENTS = ("current_leak", "current_gain", "membrane_sees")
"""Keys of neurons that keep a synaptic current."""
OF_SPIKES = ("threshold", "reset", "compare", "max_spikes", "reset_to")
"""Keys of neurons that spike."""


class NeuronSpec(Strict):
    """A neuron model; what is not stated comes from the workload's ``neuron``, then from the defaults named here."""

    model: NeuronModel | None = Field(
        default=None, description="li and cuba_li send no spikes, the potential is what leaves; default: lif"
    )
    leak: float | None = Field(
        default=None,
        ge=0.0,
        le=1.0,
        description="fraction of the membrane potential kept per timestep; if: 1; default 0.9375",
    )
    threshold: float | None = Field(default=None, gt=0.0, description="default: 1.0")
    reset: Reset | None = Field(
        default=None,
        description="to `reset_to`, by the threshold, either (to 0) at the next timestep, or none; default: hard",
    )
    compare: Literal[">", ">="] | None = Field(
        default=None, description="how the potential meets the threshold; default: >="
    )
    max_spikes: int | None = Field(
        default=None, ge=1, le=65_535, description="largest value sent in one timestep; default: 1"
    )
    current_leak: float | None = Field(
        default=None,
        ge=0.0,
        le=1.0,
        description="cuba_lif, cuba_li: fraction of the synaptic current kept per timestep; default: 0.5",
    )
    current_gain: float | None = Field(
        default=None, description="cuba_lif, cuba_li: factor of what is added to the synaptic current; default: 1"
    )
    gain: float | None = Field(default=None, description="factor of the current that reaches the membrane; default: 1")
    rest: float | None = Field(default=None, description="potential that the membrane leaks to; default: 0")
    reset_to: float | None = Field(default=None, description="reset hard: the potential after a spike; default: 0")
    minimum: float | None = Field(
        default=None, le=0.0, description="the potential is never lower, before it is compared; default: no bound"
    )
    update: Literal["decay", "euler"] | None = Field(
        default=None,
        description="leak v + gain I, or v + (1 - leak)(rest - v + gain I), rounded so; default: decay",
    )
    membrane_sees: Literal["new", "old"] | None = Field(
        default=None,
        description="cuba_lif, cuba_li: the synaptic current of this timestep or of the one before; default: new",
    )

    @model_validator(mode="after")
    def _fits_model(self) -> NeuronSpec:
        problems = []
        if self.model == "if" and self.leak not in (None, 1.0):
            problems.append(Problem("an IF neuron does not leak", key="leak", value=self.leak, allowed="1.0"))
        if self.model in ("if", "lif", "li"):
            problems += [
                Problem(f"{self.model} keeps no synaptic current; cuba_lif and cuba_li do", key=key)
                for key in OF_CURRENTS
                if getattr(self, key) is not None
            ]
        if self.model in ("li", "cuba_li"):
            problems += [
                Problem(f"{self.model} sends no spikes, so this changes nothing", key=key)
                for key in OF_SPIKES
                if getattr(self, key) is not None
            ]
        if self.reset not in (None, "hard") and self.reset_to is not None:
            problems.append(Problem(f"a reset '{self.reset}' sets no potential; 'hard' does", key="reset_to"))
        if problems:
            raise WorkloadError(problems)
        return self


class RecurrenceSpec(Strict):
    """Connections from the layer's neurons back to themselves, a timestep later."""

    type: Literal["linear", "elementwise", "conv2d"] = Field(
        description="all to all, each to itself, or by a kernel that keeps the map's size"
    )
    kernel: Pair | None = Field(default=None, description="conv2d: one odd number, or [height, width]")
    bias: bool = Field(default=False, description="an addition per neuron and timestep")

    @model_validator(mode="after")
    def _kernel_of_conv(self) -> RecurrenceSpec:
        sizes = (self.kernel,) if isinstance(self.kernel, int) else self.kernel or ()
        if (self.kernel is not None) != (self.type == "conv2d"):
            text = "a conv2d needs its kernel" if self.type == "conv2d" else "only a conv2d has a kernel"
            raise WorkloadError(Problem(text, key="kernel", value=self.kernel))
        if any(size % 2 == 0 for size in sizes):
            raise WorkloadError(Problem("must be odd: the map keeps its size", key="kernel", value=self.kernel))
        return self


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
    recurrent: RecurrenceSpec | None = Field(default=None, description="its neurons feed themselves; default: no")


class Conv1dSpec(WeightedSpec):
    """A convolution along one axis: one on a map of width 1."""

    type: Literal["conv1d"] = Field(description="what the layer does")
    out_channels: Size = Field(description="filters")
    in_channels: Size | None = Field(default=None, description="checked")
    kernel: Size = Field(description="values along the axis")
    stride: Size = Field(default=1, description="step along the axis")
    padding: Offset = Field(default=0, description="zeros on each side")
    dilation: Size = Field(default=1, description="distance of a kernel's values")
    groups: Size = Field(default=1, description="groups of channels; as many as there are: depthwise")


class Conv2dSpec(WeightedSpec):
    """A convolution; output sizes are rounded down."""

    type: Literal["conv2d"] = Field(description="what the layer does")
    out_channels: Size = Field(description="filters")
    in_channels: Size | None = Field(default=None, description="checked")
    kernel: Pair = Field(description="one number, or [height, width]")
    stride: Pair = Field(default=1, description="one number, or [height, width]")
    padding: OffsetPair = Field(default=0, description="zeros on each side: one number, or [height, width]")
    dilation: Pair = Field(default=1, description="distance of a kernel's values: one number, or [height, width]")
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


class Pool1dSpec(LayerSpec):
    """A pool along one axis: one on a map of width 1."""

    type: Literal["avgpool1d", "sumpool1d", "maxpool1d"] = Field(description="what the layer does")
    kernel: Size = Field(description="values along the axis")
    stride: Size | None = Field(default=None, description="default: the kernel")
    padding: Offset = Field(default=0, description="zeros on each side")


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

    type: Literal["flatten", "batchnorm", "scale"] = Field(description="what the layer does")


class DelaySpec(LayerSpec):
    """What enters leaves ``steps`` timesteps later; nothing does before."""

    type: Literal["delay"] = Field(description="what the layer does")
    steps: Annotated[int, Field(ge=1, le=100_000)] = Field(description="timesteps")


class NeuronLayerSpec(LayerSpec):
    """Neurons at a place of their own: behind a pool or an add."""

    type: Literal["neuron"] = Field(description="what the layer does")
    neuron: NeuronSpec | None = Field(default=None, description="default: the workload's `neuron`")
    recurrent: RecurrenceSpec | None = Field(default=None, description="its neurons feed themselves; default: no")


AnyLayer = Annotated[
    Conv1dSpec
    | Conv2dSpec
    | LinearSpec
    | MatmulSpec
    | PoolSpec
    | Pool1dSpec
    | AddSpec
    | PlainSpec
    | DelaySpec
    | NeuronLayerSpec,
    Field(discriminator="type"),
]
