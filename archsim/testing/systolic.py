"""Checks of a dataflow of the systolic family, by its registered name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from archsim.accelerators.systolic.dataflows import DIMENSIONS, Dataflow, dataflow
from archsim.testing.family import FAMILY_CHECKS, covered_inputs
from archsim.testing.subjects import network, subject


def check_is_a_permutation(name: str) -> None:
    """The dataflow lays out each dimension once, and a mapping that does not is refused."""
    flow = dataflow(name)
    assert sorted((flow.rows, flow.cols, flow.stream)) == sorted(DIMENSIONS), "not a permutation"
    try:
        Dataflow(name, flow.rows, flow.rows, flow.stream)
    except ValueError:
        return
    raise AssertionError("a mapping that uses a dimension twice was accepted")


def check_family(name: str) -> None:
    """All checks of a family, with and without sparsity, a DRAM that stalls, and several orders of timesteps."""
    unchanged: dict[str, Any] = {}
    for changes in (
        unchanged,
        {"sparsity": "none", "dram": {"bandwidth": "unlimited"}},
        {"timesteps": {"scope": "tile", "order": "sequential"}},
        {"timesteps": {"scope": "network", "order": {"batched": 2}}},
        {"timesteps": {"scope": "layer", "order": "parallel"}},
    ):
        case = subject(name, **changes)
        for check in FAMILY_CHECKS:
            check(case)


def check_every_product_once(name: str) -> None:
    """A dense array has one slot for each product of the network, and no PE has two in a cycle."""
    case = subject(name, sparsity="none")
    wanted, array = case.workload.network.macs * case.workload.network.timesteps, case.architecture.chip.array
    slots = case.count("pe_and", "op")
    assert slots == wanted, f"{slots} product slots for {wanted} products"
    graph = case.lowered.graph
    of_array = [unit.name for unit in graph.units].index("array")
    busy = int(graph.duration[graph.unit == of_array].sum())
    pes = array.rows * array.cols
    assert busy * pes >= slots, f"{slots} products in {busy} cycles of {pes} PEs"


def check_operands_are_read(name: str) -> None:
    """Every weight is read at least once, and every input value that some window covers."""
    case = subject(name, sparsity="none")
    for layer in case.workload.network.weighted_layers:
        weights = case.count("weight_buffer", "element_read", layer.index)
        assert weights >= layer.weights, f"layer {layer.name}: {weights} of {layer.weights} weights read"
        inputs = case.count("ifmap_buffer", "element_read", layer.index)
        least = case.workload.network.timesteps * covered_inputs(layer)
        assert inputs >= least, f"layer {layer.name}: {inputs} inputs read, at least {least} needed"


def check_partial_sums_return(name: str) -> None:
    """Partial sums that leave the array come back exactly once; outputs are written once."""
    case = subject(name, sparsity="none")
    for layer in case.workload.network.weighted_layers:
        steps, channels_and_places = case.workload.network.timesteps, layer.out_shape[0] * layer.positions
        written = case.count("ofmap_buffer", "element_write", layer.index) - steps * channels_and_places
        read = case.count("ofmap_buffer", "element_read", layer.index)
        assert written == read, f"layer {layer.name}: {written} partial sums written, {read} read back"


def check_outputs_are_stored(name: str) -> None:
    """What the chip stores is every layer's map, at every timestep, once."""
    case = subject(name)
    network_, steps = case.workload.network, case.workload.network.timesteps
    wanted = sum(steps * int(np.prod(layer.out_shape)) * layer.out_bits for layer in network_.weighted_layers)
    stored = case.count("dram", "write_bit")
    assert stored == wanted, f"{stored} bits stored of maps of {wanted}"


def check_gating_saves_products_only(name: str) -> None:
    """``gate`` changes neither time nor traffic, only the adder's operations: those of active products remain."""
    dense, gated = subject(name, sparsity="none"), subject(name, sparsity="gate")
    assert np.array_equal(dense.execution.start, gated.execution.start), "gating changes when tasks start"
    for read in (("ifmap_buffer", "element_read"), ("weight_buffer", "element_read"), ("dram", "read_bit")):
        assert dense.count(*read) == gated.count(*read), f"gating changes {read[0]}.{read[1]}"
    assert gated.count("pe_adder", "op") == gated.count("pe_adder", "sop") < dense.count("pe_adder", "op")


def check_one_timestep(name: str) -> None:
    """With a single timestep, scope and order change nothing: there is nothing to put in order."""
    single = network(timesteps=1)
    runs = [
        subject(name, single, timesteps={"scope": scope, "order": order})
        for scope in ("network", "layer", "tile")
        for order in ("sequential", "parallel")
    ]
    first = runs[0]
    for other in runs[1:]:
        assert np.array_equal(first.execution.start, other.execution.start), "scope or order changes a single timestep"
    assert first.count("membrane_buffer", "element_read") == 0, "a membrane is restored within a single timestep"


def check_orders_keep_weights(name: str) -> None:
    """Handling timesteps together never reads more weights, from their buffer or from DRAM."""
    orders = [{"scope": "layer", "order": order} for order in ("sequential", {"batched": 2}, "parallel")]
    runs = [subject(name, timesteps=order) for order in orders]
    for component, action in (("weight_buffer", "element_read"), ("weight_buffer", "line_write")):
        counts = [run.count(component, action) for run in runs]
        assert counts == sorted(counts, reverse=True), f"{component}.{action} grows with the batch: {counts}"


DATAFLOW_CHECKS: tuple[Callable[[str], None], ...] = (
    check_is_a_permutation,
    check_family,
    check_every_product_once,
    check_operands_are_read,
    check_partial_sums_return,
    check_outputs_are_stored,
    check_gating_saves_products_only,
    check_one_timestep,
    check_orders_keep_weights,
)
