"""A family from outside whose two operands share a buffer: it cannot make progress with fewer than two places."""

from archsim.accelerators import Family, LayerFacts, Lowered, register_family
from archsim.config import Strict
from archsim.cost.component import Component
from archsim.taskgraph import DATA, GraphBuilder
from archsim.workload import Workload


class Chip(Strict):
    family: str
    name: str
    clock_mhz: float = 100.0
    node_nm: float = 28.0
    places: int = 1


def lower(chip: Chip, workload: Workload, sample: int = 0) -> Lowered:
    """Both operands of a product take a place of the buffer, and only the product frees them."""
    layer = workload.network.layers[0]
    builder = GraphBuilder([known.name for known in workload.network.layers], workload.network.timesteps)
    loads = builder.block(2, layer=0, unit=builder.unit("port"), duration=3)
    product = builder.block(1, layer=0, unit=builder.unit("multiplier"), duration=5)
    for load in loads.ids:
        builder.edge(product, int(load), DATA)
    builder.holds("operands", chip.places, loads.ids, product.first, 1)
    builder.count("multiplier", "op", product, 1)
    facts = LayerFacts(
        layer.name, layer.kind, 1, 1, 1.0, layer.macs, 1.0, layer.in_bits, layer.out_shape, (layer.name,)
    )
    part = Component("multiplier", "multiplier", "compute", {"bits": 8})
    return Lowered(builder.build(), (part,), (facts,), (), {"compute": {"multiplier": 1.0}})


register_family(Family("deadlocked", Chip, lower))
