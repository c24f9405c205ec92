"""A dataflow from outside: outputs stay in the PEs, with filters along the rows and positions along the columns."""

from archsim.accelerators.systolic.dataflows import Dataflow, register

TRANSPOSED = register(
    Dataflow(
        "transposed_output_stationary",
        rows="filters",
        cols="positions",
        stream="reduction",
        description="one output value per PE, filters along the rows",
    )
)
