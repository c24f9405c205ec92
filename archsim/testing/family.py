"""Checks of any accelerator family: engines, determinism, counts, attribution and sums."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import reduce
from typing import Any

import numpy as np

from archsim.analysis.attribution import attribute
from archsim.config import apply_overrides, validate
from archsim.cost.table import load_costs
from archsim.engine import execute
from archsim.errors import ArchsimError
from archsim.run import run_once
from archsim.simulation import result_of
from archsim.testing.subjects import Subject
from archsim.workload import Layer
from archsim.workload.network import INPUT

COLUMNS = ("unit", "duration", "latency", "layer", "timestep", "pred", "kind")


def check_engines_agree(case: Subject) -> None:
    """Both engines find the same start cycle for every task, and the run takes time."""
    assert np.array_equal(case.execution.start, case.executed("fast").start), "the engines differ"
    assert case.execution.cycles > 0, "the run takes no time"


def check_deterministic(case: Subject) -> None:
    """Lowering twice gives the same tasks and the same counts."""
    once, again = case.lowered.graph, case.lower().graph
    for column in COLUMNS:
        assert np.array_equal(getattr(once, column), getattr(again, column)), f"column {column} differs"
    ledgers = [list(execute(graph, "fast").ledger.rows()) for graph in (once, again)]
    assert ledgers[0] == ledgers[1], "the counts differ"


def check_counts_have_components(case: Subject) -> None:
    """Counts are whole, not negative, and every component that counts is a part of the chip."""
    ledger, known = case.execution.ledger, {part.name for part in case.lowered.components}
    assert np.issubdtype(ledger.count.dtype, np.integer), "counts must be whole numbers"
    assert (ledger.count >= 0).all(), "a count is negative"
    assert set(ledger.component.tolist()) <= known, f"no such components: {set(ledger.component.tolist()) - known}"
    timesteps = set(ledger.timestep.tolist())
    assert timesteps <= set(range(-1, case.workload.network.timesteps)), f"no such timesteps: {timesteps}"


def check_synaptic_operations(case: Subject) -> None:
    """Every product with a value that is not zero is counted once (action ``sop``), however many spikes it stands for.

    A directly coded image is left out: it is the same at every timestep, and a chip may execute it once.
    """
    ledger, network = case.execution.ledger, case.workload.network
    for layer in network.weighted_layers:
        if network.encoding != "direct" or INPUT not in layer.sources:
            counted = int(ledger.count[(ledger.action == "sop") & (ledger.layer == layer.index)].sum())
            wanted = active_products(layer, case.workload.activity.inputs_of(layer, case.sample))
            assert counted == wanted, f"layer {layer.name}: {counted} synaptic operations, its spikes cause {wanted}"


def check_attribution(case: Subject) -> None:
    """The pieces of every unit's time, and the critical path, are the makespan."""
    found, cycles = attribute(case.execution), case.execution.cycles
    for unit in found.units:
        assert unit.total == cycles, f"unit {unit.unit}: {unit.total} of {cycles} cycles explained"
    assert sum(share.cycles for share in found.path) == cycles, "the critical path is not the makespan"


def check_buffers(case: Subject) -> None:
    """At no time does a buffer hold more than its capacity: places are taken at a start and freed at a finish."""
    start, finish = case.execution.start, case.execution.finish
    for buffer in case.lowered.graph.buffers:
        time = np.concatenate([finish[buffer.release], start[buffer.acquire]])
        change = np.concatenate([-buffer.amount, buffer.amount])
        held = np.cumsum(change[np.lexsort((change, time))])  # what is freed in a cycle is free in it
        assert held.max(initial=0) <= buffer.capacity, f"{buffer.name} holds {held.max()} of {buffer.capacity}"
        assert held.size == 0 or held[-1] == 0, f"{buffer.name}: what was taken is not what was freed"


def check_sums(case: Subject) -> None:
    """Every count has a price, and layers, components and levels sum to the totals."""
    table = load_costs()
    result = result_of(run_once(case.architecture, case.workload, table, case.sample, "fast"), table)
    total, near = result.energy_pj, 1e-9 * result.energy_pj
    assert total > 0, "the run costs nothing"
    assert sum(layer.cycles for layer in result.layers) == result.cycles, "cycles of layers"
    assert abs(sum(part.energy_pj for part in result.components) - total) <= near, "energies of components"
    assert abs(sum(sum(pair) for pair in result.levels().values()) - total) <= near, "energies of levels"
    assert sum(layer.energy_pj for layer in result.layers) <= total + near, "layers cost more than the run"


def check_only_prices(case: Subject) -> None:
    """What the family calls a price, halved and doubled, changes neither tasks nor counts nor parts of the chip."""
    family, document = case.architecture.family, case.architecture.document
    for key in family.only_prices:
        value = reduce(getattr, key.split("."), case.architecture.chip)
        tried = 0
        for other in (value / 2, value * 2):
            with suppress(ArchsimError):
                chip = validate(family.schema, apply_overrides(document, [f"{key}={other}"]))
                lowered = family.lower(chip, case.workload, case.sample)
                tried += 1
                for column in COLUMNS:
                    same = np.array_equal(getattr(lowered.graph, column), getattr(case.lowered.graph, column))
                    assert same, f"{key}={other}: column {column} differs"
                ledgers = [list(execute(one.graph, "fast").ledger.rows()) for one in (lowered, case.lowered)]
                assert ledgers[0] == ledgers[1], f"{key}={other}: the counts differ"
                assert lowered.components == case.lowered.components, f"{key}={other}: the parts differ"
        assert tried, f"{key}: neither half nor double the value is allowed, so it cannot be checked"


FAMILY_CHECKS: tuple[Callable[[Subject], None], ...] = (
    check_engines_agree,
    check_deterministic,
    check_counts_have_components,
    check_synaptic_operations,
    check_attribution,
    check_buffers,
    check_sums,
    check_only_prices,
)


def active_products(layer: Layer, values: np.ndarray[Any, Any]) -> int:
    """Products of a layer whose input value is not zero, window by window: ``values`` is [T, C, H, W]."""
    (pad_y, pad_x), (step_y, step_x), (high, wide) = layer.padding, layer.stride, layer.reach
    padded = np.pad(values != 0, ((0, 0), (0, 0), (pad_y, pad_y), (pad_x, pad_x)))
    total = 0
    for y in range(layer.out_shape[1]):
        for x in range(layer.out_shape[2]):
            rows = slice(y * step_y, y * step_y + high, layer.dilation[0])
            window = padded[:, :, rows, x * step_x : x * step_x + wide : layer.dilation[1]]
            total += int(window.sum()) * layer.filters  # each channel belongs to one group
    return total


def covered_inputs(layer: Layer) -> int:
    """Input values that lie in some window."""
    (pad_y, pad_x), (step_y, step_x), (high, wide) = layer.padding, layer.stride, layer.reach
    channels, height, width = layer.in_shape
    covered = np.zeros((height + 2 * pad_y, width + 2 * pad_x), bool)
    for y in range(layer.out_shape[1]):
        for x in range(layer.out_shape[2]):
            rows = slice(y * step_y, y * step_y + high, layer.dilation[0])
            covered[rows, x * step_x : x * step_x + wide : layer.dilation[1]] = True
    return channels * int(covered[pad_y : pad_y + height, pad_x : pad_x + width].sum())
