"""The crossbars of a placed layer one by one, and the routes between tiles link by link."""

from __future__ import annotations

from typing import NamedTuple

from literal_maps import Place, element, inside, is_vector, places_of

from archsim.accelerators.crossbar.mapping import Placement
from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.workload import Layer

Shape = tuple[int, int, int]
Tile = int


class Crossbar(NamedTuple):
    replica: int
    group: int
    outputs: tuple[int, ...]  # channels of the output map
    rows: tuple[int, ...]  # reduction indices
    sign: int
    pe: int
    tile: int  # counted without end
    chip_tile: int
    round: int
    columns: int  # physical ones, those of a reference included
    reference: int

    @property
    def column(self) -> tuple[int, int, int]:
        """Those that are equal in this make partial sums of the same outputs."""
        return self.replica, self.group, self.outputs[0]


def cells_in_a_row(weight_bits: int, arch: CrossbarArchitecture) -> tuple[int, int, int]:
    """Slices of a weight, physical columns of one output in a crossbar, and reference columns."""
    signed, bits = arch.crossbar.signed, weight_bits
    if signed != "offset":
        bits -= 1  # of the magnitude
    slices = 0
    while bits > 0 or slices == 0:
        slices, bits = slices + 1, bits - arch.crossbar.cell_bits
    return slices, slices * (2 if signed == "differential" else 1), 1 if signed == "offset" else 0


def crossbars_of(placed: Placement, arch: CrossbarArchitecture) -> list[Crossbar]:
    _, columns, reference = cells_in_a_row(placed.layer.weight_bits, arch)
    each = zip(
        *(getattr(placed, name).tolist() for name in
          ("replica", "group", "output", "outputs", "first", "rows", "sign", "pe")), strict=True
    )  # fmt: skip
    found = []
    for replica, group, output, outputs, first, rows, sign, pe in each:
        start, tile = group * (placed.layer.out_shape[0] // placed.layer.groups) + output, pe // arch.tile.pes
        here, round_ = (tile, 0) if arch.tiles == "as_needed" else (tile % arch.tiles, tile // arch.tiles)
        held = tuple(first + placed.step * row for row in range(rows))
        found.append(
            Crossbar(replica, group, tuple(range(start, start + outputs)), held, sign, pe, tile, here, round_,
                     outputs * columns + reference, reference)
        )  # fmt: skip
    return found


def homes_of(crossbars: list[Crossbar]) -> dict[tuple[int, int], tuple[Tile, int]]:
    """Tile (and round) of the first crossbar that makes sums of a channel, by replica and channel."""
    found: dict[tuple[int, int], tuple[Tile, int]] = {}
    for crossbar in crossbars:
        for channel in crossbar.outputs:
            found.setdefault((crossbar.replica, channel), (crossbar.chip_tile, crossbar.round))
    return found


def replicas(wanted: int, rows: int) -> int:
    """As many as get a band of output rows, all of the same height but for the last one."""
    band = 1
    while band * wanted < rows:
        band += 1
    return len(range(0, rows, band))


def replica_of(layer: Layer, bands: int, position: int) -> int:
    """Bands of output rows, all of the same height but for the last ones."""
    height, width = layer.out_shape[1:]
    band = 1
    while band * bands < height:
        band += 1
    return position // width // band


class Shelf(NamedTuple):
    """What the buffer of a tile holds of a map for one replica of a reader: channels at each place."""

    replica: int
    tile: Tile
    at: dict[Place, list[int]]


def shelves_of(layer: Layer, shape: Shape, crossbars: list[Crossbar]) -> list[Shelf]:
    """Buffers for the map of that ``shape`` that a weighted layer reads, at the tiles of these crossbars."""
    bands = 1 + max(one.replica for one in crossbars)
    found = []
    for replica, tile in sorted({(one.replica, one.chip_tile) for one in crossbars}):
        mine = [one for one in crossbars if (one.replica, one.chip_tile) == (replica, tile)]
        at: dict[Place, set[int]] = {}
        if is_vector(layer, shape):
            for one in mine:
                for k in one.rows:
                    channel, y, x = element(layer, shape, one.group, k, 0)
                    at.setdefault((y, x), set()).add(channel)
        else:
            held = {element(layer, shape, one.group, k, 0)[0] for one in mine for k in one.rows}
            for position in range(layer.positions):
                if replica_of(layer, bands, position) == replica:
                    for place in places_under(layer, shape, position):
                        at[place] = held
        found.append(Shelf(replica, tile, {place: sorted(channels) for place, channels in at.items()}))
    return found


def places_under(layer: Layer, shape: Shape, position: int) -> list[Place]:
    """Places of the map that an output position reads."""
    if is_vector(layer, shape):
        return places_of(shape)
    taps = layer.kernel[0] * layer.kernel[1] if layer.kind == "conv2d" else 1
    found = [element(layer, shape, 0, tap if layer.kind == "conv2d" else 0, position)[1:] for tap in range(taps)]
    return [place for place in found if inside(shape, *place)]


def passed(source: Tile, targets: frozenset[Tile], tiles: int, multicast: bool) -> tuple[int, int]:
    """Links and routers that the copies of a packet pass on their way to all targets."""
    width = 1
    while width * width < tiles:
        width += 1
    links, routers = [], []
    for target in sorted(targets):
        (y, x), (last_y, last_x) = divmod(source, width), divmod(target, width)
        routers.append((y, x))
        while (y, x) != (last_y, last_x):
            before = y, x
            if x != last_x:
                x += 1 if last_x > x else -1
            else:
                y += 1 if last_y > y else -1
            links.append((before, (y, x)))
            routers.append((y, x))
    return (len(set(links)), len(set(routers))) if multicast else (len(links), len(routers))
