"""A literal recount of what a systolic array does with one layer: loops over batches, folds, PEs and streamed values.

Nothing here is clever and nothing is shared with archsim. The timesteps of a batch are handled together; every value
that meets a weight in a PE is looked at. Indices of a dimension are cut into folds of the array's extent.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

MEMBRANE_BITS = 12


@dataclass(frozen=True)
class Case:
    """One layer on one array. ``values[t][c][y][x]``; ``order`` is the number of timesteps handled together."""

    values: list[Any]
    filters: int  # output channels, all groups
    kernel: int
    stride: int
    padding: int
    dilation: int
    groups: int
    bits: int  # of an input value
    constant: bool  # a direct-coded image
    rows: int
    cols: int
    dataflow: str  # os, ws, is
    sparsity: str  # none, gate, union, row
    scope: str
    order: int
    placement: str
    multiplier: bool
    once: bool
    scratchpad_weights: int  # weights that fit one PE's scratchpad
    state_words: int
    clear: bool = True
    event: bool = False  # neurons without input are left untouched
    spiking: bool = True  # otherwise potentials leave, at every timestep

    @property
    def timesteps(self) -> int:
        return len(self.values)

    @property
    def untouched(self) -> bool:
        """Whether neurons without input are left alone: a potential that leaves is made at every timestep."""
        return self.event and self.spiking


@dataclass
class Recount:
    """Totals, the array cycles of every pass, and the places whose order matters."""

    total: Counter[str] = field(default_factory=Counter)
    synaptic_at: Counter[int] = field(default_factory=Counter)  # by timestep
    cycles: list[int] = field(default_factory=list)


def output_size(case: Case) -> tuple[int, int]:
    height, width = len(case.values[0][0]), len(case.values[0][0][0])
    return (
        (height + 2 * case.padding - case.dilation * (case.kernel - 1) - 1) // case.stride + 1,
        (width + 2 * case.padding - case.dilation * (case.kernel - 1) - 1) // case.stride + 1,
    )


def taps(case: Case) -> list[tuple[int, int, int]]:
    """Reduction index -> (channel of the group, dy, dx), channel outermost."""
    channels = len(case.values[0]) // case.groups
    return [(c, y, x) for c in range(channels) for y in range(case.kernel) for x in range(case.kernel)]


def value(case: Case, t: int, group: int, position: int, k: int) -> int:
    """The input value that output ``position`` multiplies with weight ``k``; 0 in the padding."""
    width_out = output_size(case)[1]
    channel, dy, dx = taps(case)[k]
    y = (position // width_out) * case.stride - case.padding + dy * case.dilation
    x = (position % width_out) * case.stride - case.padding + dx * case.dilation
    image = case.values[t][group * (len(case.values[0]) // case.groups) + channel]
    if 0 <= y < len(image) and 0 <= x < len(image[0]):
        return int(image[y][x])
    return 0


def cut(items: list[Any], extent: int) -> list[list[Any]]:
    return [items[first : first + extent] for first in range(0, len(items), extent)]


def work_of(case: Case, number: int) -> int:
    """Active products that a value causes with one weight: set bits, or one on a multiplier."""
    if number == 0:
        return 0
    return 1 if case.multiplier else bin(number).count("1")


def cycles_per_value(case: Case) -> int:
    return 1 if case.multiplier else case.bits


def recount(case: Case) -> Recount:
    found = Recount()
    batches = cut(list(range(case.timesteps)), case.order)
    for number, batch in enumerate(batches):
        for group in range(case.groups):
            if not (case.once and number > 0):
                RECOUNT_OF[case.dataflow](case, batch, number, group, found)
    _neurons(case, batches, found)
    return found


def _product(case: Case, number: int, t: int, found: Recount) -> None:
    found.total["slots"] += cycles_per_value(case)
    found.total["active"] += work_of(case, number)
    found.total["synaptic"] += number != 0
    found.synaptic_at[t] += number != 0


def _os(case: Case, batch: list[int], number: int, group: int, found: Recount) -> None:
    """Rows: positions (with the batch's timesteps, or n accumulators per PE); columns: filters; stream: reduction."""
    height, width = output_size(case)
    positions = list(range(height * width))
    reduction, filters = range(len(taps(case))), list(range(case.filters // case.groups))
    together = batch[:1] if case.once else batch
    if case.placement == "in_pe":
        lanes = [[(p, t) for t in together] for p in positions]
    else:
        lanes = [[(p, t)] for p in positions for t in together]
    for index, row_fold in enumerate(cut(lanes, case.rows)):
        for col_fold in cut(filters, case.cols):
            _os_pass(case, group, list(reduction), row_fold, col_fold, found)
            _os_weights(case, number, index, len(batch), row_fold, col_fold, group, found)


def _alive(case: Case, group: int, lane: list[tuple[int, int]], k: int) -> bool:
    return any(value(case, t, group, p, k) != 0 for p, t in lane)


def _os_pass(
    case: Case, group: int, reduction: list[int], row_fold: list[Any], col_fold: list[int], found: Recount
) -> None:
    streamed: list[list[int]] = []
    for lane in row_fold:  # which indices each row handles
        if case.sparsity == "union":
            streamed.append([k for k in reduction if any(_alive(case, group, other, k) for other in row_fold)])
        elif case.sparsity == "row":
            streamed.append([k for k in reduction if _alive(case, group, lane, k)])
        else:
            streamed.append(reduction)
    for lane, indices in zip(row_fold, streamed, strict=True):
        for k in indices:
            found.total["weight_uses"] += len(col_fold)
            found.total["weight_moves"] += len(col_fold)
            for p, t in lane:
                found.total["ifmap_elements"] += 1
                for _ in col_fold:
                    _product(case, value(case, t, group, p, k), t, found)
    longest = max(len(indices) for indices in streamed)
    found.cycles.append(longest * cycles_per_value(case) + case.rows + case.cols - 2 if longest else 0)


def _os_weights(
    case: Case, number: int, index: int, size: int, row_fold: list[Any], col_fold: list[int], group: int, found: Recount
) -> None:
    """Weights read from the buffer: those of every streamed index, unless all K stay in the scratchpads."""
    reduction = range(len(taps(case)))
    if case.scope == "tile" and len(reduction) <= case.scratchpad_weights:
        beside = (
            size if case.placement == "rows" and not case.once else 1
        )  # folds that hold what one fold holds otherwise
        if number == 0 and index % beside == 0:
            found.total["weight_elements"] += len(reduction) * len(col_fold)
        return
    if case.sparsity == "row":
        for lane in row_fold:
            found.total["weight_elements"] += sum(_alive(case, group, lane, k) for k in reduction) * len(col_fold)
    elif case.sparsity == "union":
        for k in reduction:
            if any(_alive(case, group, lane, k) for lane in row_fold):
                found.total["weight_elements"] += len(col_fold)
    else:
        found.total["weight_elements"] += len(reduction) * len(col_fold)


def _ws(case: Case, batch: list[int], number: int, group: int, found: Recount) -> None:
    """Rows: reduction; columns: filters; stream: positions, the batch's timesteps one after the other."""
    height, width = output_size(case)
    together = batch[:1] if case.once else batch
    stream = [(p, t) for t in together for p in range(height * width)]
    reduction = list(range(len(taps(case))))
    row_folds = cut(reduction, case.rows)
    col_folds = cut(list(range(case.filters // case.groups)), case.cols)
    for col_fold in col_folds:
        for index, row_fold in enumerate(row_folds):
            streamed = stream
            if case.sparsity == "union":
                streamed = [(p, t) for p, t in stream if any(value(case, t, group, p, k) for k in row_fold)]
            for p, t in streamed:
                for k in row_fold:
                    found.total["ifmap_elements"] += 1
                    for _ in col_fold:
                        found.total["weight_uses"] += 1
                        _product(case, value(case, t, group, p, k), t, found)
            cycles = len(streamed) * cycles_per_value(case) + case.rows + case.cols - 2 if streamed else 0
            # the only weights that are never replaced are those of a layer that is a single fold
            single = case.groups * len(row_folds) * len(col_folds) == 1
            inside = case.scope == "tile" and len(row_folds) == 1  # t innermost, nothing in between
            if number == 0 or not (inside or (single and case.scope == "layer")):
                found.total["weight_elements"] += len(row_fold) * len(col_fold)
                for row in range(len(row_fold)):  # a weight for row r passes r rows on its way
                    found.total["weight_moves"] += (row + 1) * len(col_fold)
                cycles += case.rows
            found.cycles.append(cycles)
            _partial_sums(len(stream) * len(col_fold), index, len(row_folds), found)


def _is(case: Case, batch: list[int], number: int, group: int, found: Recount) -> None:
    """Rows: reduction; columns: positions with the batch's timesteps; stream: filters. Inputs are placed first."""
    height, width = output_size(case)
    together = batch[:1] if case.once else batch
    lanes = [(p, t) for p in range(height * width) for t in together]
    filters = case.filters // case.groups
    row_folds = cut(list(range(len(taps(case)))), case.rows)
    for col_fold in cut(lanes, case.cols):
        for index, row_fold in enumerate(row_folds):
            for p, t in col_fold:
                for k in row_fold:
                    found.total["ifmap_elements"] += 1
                    for _ in range(filters):
                        found.total["weight_uses"] += 1
                        found.total["weight_moves"] += 1
                        _product(case, value(case, t, group, p, k), t, found)
            found.total["weight_elements"] += len(row_fold) * filters
            found.cycles.append(filters * cycles_per_value(case) + 2 * case.rows + case.cols - 2)
            _partial_sums(len(col_fold) * filters, index, len(row_folds), found)


RECOUNT_OF = {"os": _os, "ws": _ws, "is": _is}


def _partial_sums(values: int, fold: int, folds: int, found: Recount) -> None:
    if fold > 0:
        found.total["partial_sums_read"] += values
    if fold < folds - 1:
        found.total["partial_sums_written"] += values


def _neurons(case: Case, batches: list[list[int]], found: Recount) -> None:
    """Every neuron, timestep by timestep: where its state comes from, and where it goes."""
    height, width = output_size(case)
    for position in range(height * width):
        for out in range(case.filters):
            visits = _visits(case, batches, position)
            for number, visit in enumerate(visits):
                for t in visit:
                    found.total["outputs"] += 1
                    found.total["stored_bits"] += 1 if case.spiking else MEMBRANE_BITS
                    group = out // (case.filters // case.groups)
                    heard = any(value(case, t, group, position, k) for k in range(len(taps(case))))
                    if heard or case.once or not case.untouched:
                        found.total["updates"] += 1
                        found.total["compared"] += case.spiking
                heard = (
                    case.once
                    or not case.untouched
                    or any(value(case, t, group, position, k) for t in visit for k in range(len(taps(case))))
                )
                if number > 0 and heard:
                    found.total["membrane_read"] += case.state_words
                if number < len(visits) - 1 and heard:
                    found.total["membrane_written"] += case.state_words
            cleared = case.clear and len(batches) > 1 and not (case.scope == "tile" and case.dataflow == "os")
            if cleared:
                found.total["membrane_written"] += case.state_words
            if case.once and len(batches) > 1 and not (case.scope == "tile" and case.dataflow == "os"):
                found.total["membrane_written"] += 1  # the held current
                found.total["membrane_read"] += len(batches) - 1


def _visits(case: Case, batches: list[list[int]], position: int) -> list[list[int]]:
    """The timesteps of a neuron, cut where its state must leave the neuron unit."""
    spatial = case.placement == "rows" and not case.once and case.dataflow != "ws"
    extent = case.rows if case.dataflow == "os" else case.cols
    visits: list[list[int]] = []
    for batch in batches:
        together = case.scope == "tile" and case.dataflow == "os" and bool(visits)
        previous_fold = None
        for lane, t in enumerate(batch):
            fold = (position * len(batch) + lane) // extent if spatial and len(batch) > 1 else 0
            if (lane == 0 and not together) or (lane > 0 and fold != previous_fold):
                visits.append([])
            visits[-1].append(t)
            previous_fold = fold
    return visits
