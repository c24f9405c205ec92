"""NeuroBench's metrics as tables for people: the figures, each layer's share, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from archsim.op_count import AC, MAC
from archsim.report.look import HEADING, console_for_people, grid_table, titled
from archsim.report.units import ENERGY, percent, readable, whole

if TYPE_CHECKING:
    from archsim.measures import Metrics

UNKNOWN = "not known"
OWNERS = {"parameter": "weights and biases", "neuron": "numbers of the neurons", "framework": "kept by the framework"}


def print_metrics(metrics: Metrics, console: Console | None = None) -> None:
    """Everything that was measured, on stdout or on the given console."""
    console = console or console_for_people()
    for part in _parts(metrics):
        console.print(part)
        console.print()


def _parts(metrics: Metrics) -> Iterator[RenderableType]:
    yield _title(metrics)
    yield _headline(metrics)
    yield titled("Synaptic operations per sample", _connections(metrics))
    yield titled("Neurons per sample", _neurons(metrics))
    yield titled(f"Footprint (framework: {metrics.framework})", _footprint(metrics))
    if metrics.notes:
        yield titled("Not known, assumed", Text("\n".join(f"- {note}" for note in metrics.notes)))


def _title(metrics: Metrics) -> RenderableType:
    count = len(metrics.samples)
    text = f": {count} sample{'s' * (count > 1)} in batches of {metrics.batch}, {metrics.timesteps} timesteps"
    return Group(
        Text.assemble((metrics.workload, HEADING), f"{text}, precision: {metrics.precision}"), Text(metrics.source)
    )


def _headline(metrics: Metrics) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 3, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for row in _figures(metrics):
        table.add_row(*row)
    return table


def _figures(metrics: Metrics) -> Iterator[tuple[str, str, str]]:
    """Name, value and remark of each figure."""
    owners = [f"{whole(size)} {OWNERS[owner]}" for owner, size in metrics.footprint_by_owner().items() if size]
    yield "footprint", f"{whole(metrics.footprint_bytes)} B", ", ".join(owners)
    yield "parameters", whole(metrics.parameter_count), ""
    yield "connection sparsity", _fraction(metrics.connection_sparsity), "weights that are zero"
    yield "activation sparsity", _fraction(metrics.activation_sparsity), "outputs of neurons that are zero"
    yield "effective ACs", _count(metrics.effective_acs), "a single spike meets a weight"
    yield "effective MACs", _count(metrics.effective_macs), "a value of several bits meets a weight"
    effective = metrics.effective_acs + metrics.effective_macs
    yield "dense operations", _count(metrics.dense), f"{percent(effective, metrics.dense)} of them are effective"
    yield "membrane updates", _count(metrics.membrane_updates), ""
    operations, dense = metrics.neuron_operations
    yield "neuron operations", _count(operations), f"{_count(dense)} dense"
    yield "accuracy", _fraction(metrics.classification_accuracy), ""
    prices = f"{AC.value_pj:g} pJ per AC, {MAC.value_pj:g} pJ per MAC, {AC.node_nm:g} nm; 'archsim run' says the actual"
    yield "op-count energy", readable(metrics.op_count.estimated_pj, ENERGY), prices


def _connections(metrics: Metrics) -> Table:
    table = grid_table("layer", "kind", "effective ACs", "effective MACs", "dense", "effective", texts=2)
    for row in metrics.connections:
        table.add_row(
            row.name, row.kind, _count(row.effective_acs), _count(row.effective_macs), _count(row.dense),
            percent(row.effective, row.dense),
        )  # fmt: skip
    return table


def _neurons(metrics: Metrics) -> Table:
    table = grid_table("layer", "model", "neurons", "sparsity", "updates", "operations", "dense operations", texts=2)
    for row in metrics.neurons:
        table.add_row(
            row.name, row.model, whole(row.neurons), _fraction(row.activation_sparsity), _count(row.membrane_updates),
            _count(row.operations), _count(row.dense_operations),
        )  # fmt: skip
    return table


def _footprint(metrics: Metrics) -> Table:
    """Parts of one name in one row."""
    table = grid_table("part", "of", "elements", "bytes", "layers", texts=2)
    groups: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row in metrics.footprint:
        groups.setdefault((row.part, row.owner), []).append((row.elements, row.bytes))
    for (part, owner), sizes in groups.items():
        elements, size = (sum(column) for column in zip(*sizes, strict=True))
        table.add_row(part, OWNERS[owner], whole(elements), whole(size), whole(len(sizes)))
    return table


def _count(value: float | None) -> str:
    """A number of operations per sample; fractions are of means."""
    if value is None:
        return UNKNOWN
    return whole(value) if value == int(value) else f"{value:,.2f}"


def _fraction(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.4f}"
