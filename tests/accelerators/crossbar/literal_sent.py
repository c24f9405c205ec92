"""Maps on their way: packets between tiles link by link, lines written, what comes from DRAM and goes there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from literal_chip import Shelf, passed, shelves_of
from literal_counts import Literal, Part, up
from literal_maps import INPUT, places_of, sent_as
from literal_tail import present_in, tail

from archsim.workload import Layer

Times = Iterable[tuple[int, int]]  # timestep of the values, timestep that counts them
Source = Callable[[int, int, int], int | None]  # tile that sends an element; None: nobody, now
CORNER = 0


def everything(found: Literal) -> dict[tuple[int, int, str, str], int]:
    """All counts that are not zero."""
    loaded: set[str] = set()
    for part in found.parts():
        found.programmed(part)
        _load(found, part.stage.layer, loaded)
        found.arrays(part)
        tail(found, part)
        _operands(found, part)
        for layer in part.stage.members:
            _hand_on(found, part, layer)
    return {key: count for key, count in found.counts.items() if count}


def _load(found: Literal, reader: Layer, loaded: set[str]) -> None:
    """Input of the chip, when it is first read: row by row from DRAM, encoded, sent from the corner."""
    name = reader.sources[0] if reader.sources else f"input of {reader.name}"
    if found.arch.dram is None or name in loaded or name in found.completed:
        return
    loaded.add(name)
    encoding, steps = found.network.encoding, found.network.timesteps
    image = name == INPUT and encoding in ("direct", "rate", "ttfs")
    once = image and (found.arch.buffer.rows == "all" or found.arch.timesteps == "together")
    channels, height, width = found.map_read(reader)[1]
    bits = found.network.precision.input_bits if image else reader.in_bits
    for t in [0] if once else range(steps):
        for _ in range(height):
            found.add(reader, t, "dram", "read_bit", channels * width * bits)
            found.add(reader, t, "dram", "activate", up(channels * width * bits, int(found.arch.dram.row) * 8))
            pixels = channels * width * (steps if once else 1)
            if name == INPUT and encoding == "rate":
                found.add(reader, t, "encoder_random", "op", pixels)
            if name == INPUT and encoding in ("rate", "ttfs"):
                found.add(reader, t, "encoder_comparator", "op", pixels)
    times = [(t, 0 if once else t) for t in range(steps)]
    readers = [one for one in found.network.layers if INPUT in one.sources] if name == INPUT else [reader]
    for one in readers:
        sent = times[:1] if once and encoding == "direct" else times
        width_ = found.network.input_max.bit_length() if name == INPUT else reader.in_bits
        _send(found, reader, name, width_, sent, lambda c, y, x: CORNER, _shelves(found, one))


def _shelves(found: Literal, reader: Layer) -> list[Shelf]:
    """Where a reader's map waits, in any round: at its crossbars, or where it is added."""
    if reader.kind != "add":
        return shelves_of(reader, found.map_read(reader)[1], found.crossbars[reader.name])
    head = next(stage.layer for stage in found.stages if reader in stage.members)
    shelves: dict[tuple[int, int], Shelf] = {}
    for place in places_of(reader.out_shape):
        replica = found.replica_at(head, found.completed[reader.name][place])
        for (number, c), (tile, _) in sorted(found.homes[head.name].items()):
            if number == replica:
                shelf = shelves.setdefault((replica, tile), Shelf(replica, tile, {}))
                shelf.at.setdefault(place, []).append(c)
    return list(shelves.values())


def _send(
    found: Literal, booked: Layer, name: str, bits: int, times: Times, source: Source, shelves: list[Shelf]
) -> None:
    """Packets and lines of one map on its way to one reader."""
    origin = sent_as(found.network, name)
    shape = _shape(found, origin, booked)
    known = found.values[origin]
    address = 1
    while 2**address < shape[0] * shape[1] * shape[2]:
        address += 1
    address += bits if bits > 1 else 0
    noc = found.arch.noc
    for y, x in places_of(shape):
        sending = [c for c in range(shape[0]) if source(c, y, x) is not None]
        alike = _same_way(sending, (y, x), source, shelves)
        for t, counted in times:
            active = {c for c in sending if known is None or known[t][c][y][x]}
            for (tile, away), channels in alike.items():
                if noc.packets == "bitmap":
                    packets, flits = int(not active.isdisjoint(channels)), up(len(channels) * bits, noc.flit_bits)
                else:
                    packets, flits = len(active.intersection(channels)), up(address, noc.flit_bits)
                links, routers = passed(tile, away, found.tiles, noc.cast == "multicast")
                found.add(booked, counted, "router", "flit", packets * flits * routers)
                found.add(booked, counted, "link", "bit", packets * flits * links * noc.flit_bits)
            for shelf in shelves:
                held = [c for c in shelf.at.get((y, x), []) if c in sending]
                if not active.isdisjoint(held):
                    lines = up(len(held) * bits, found.arch.buffer.line_bits)
                    found.add(booked, counted, "input_buffer", "line_write", lines)


def _same_way(
    channels: list[int], place: tuple[int, int], source: Source, shelves: list[Shelf]
) -> dict[tuple[int, frozenset[int]], list[int]]:
    """Channels of a place by the tile that they leave and the other tiles that they go to."""
    alike: dict[tuple[int, frozenset[int]], list[int]] = {}
    for c in channels:
        tile = source(c, *place)
        assert tile is not None
        away = frozenset(shelf.tile for shelf in shelves if c in shelf.at.get(place, [])) - {tile}
        if away:
            alike.setdefault((tile, away), []).append(c)
    return alike


def _shape(found: Literal, origin: str, booked: Layer) -> tuple[int, int, int]:
    if origin == INPUT:
        assert found.network.input_shape is not None
        return found.network.input_shape
    return found.network.layer(origin).out_shape if origin in found.completed else booked.in_shape


def _hand_on(found: Literal, part: Part, layer: Layer) -> None:
    """What leaves a stage: to the layers of other stages that read it, or to DRAM."""
    head, origin = part.stage.layer, sent_as(found.network, layer.name)
    completed, steps = found.completed[origin], found.network.timesteps
    tiles = {n: present_in(found, part, n) for n in range(found.replicas[head.name])}

    def source(c: int, y: int, x: int) -> int | None:
        return tiles[found.replica_at(head, completed[y, x])].get(c)

    readers = [one for one in found.network.layers if layer.name in one.sources]
    for reader in readers:
        if reader.name not in part.stage.names:
            times = [(t, t) for t in range(steps)]
            _send(found, head, layer.name, layer.out_bits, times, source, _shelves(found, reader))
    dram = found.arch.dram
    if not readers and dram is not None:
        channels, height, width = found.network.layer(origin).out_shape
        noc = found.arch.noc
        for y, x in places_of((channels, height, width)):
            senders = [source(c, y, x) for c in range(channels)]
            for tile in set(senders) - {None, CORNER}:
                assert tile is not None
                flits = up(senders.count(tile) * layer.out_bits, noc.flit_bits)
                links, routers = passed(tile, frozenset({CORNER}), found.tiles, True)
                for t in range(steps):
                    found.add(head, t, "router", "flit", flits * routers)
                    found.add(head, t, "link", "bit", flits * links * noc.flit_bits)
        bits = width * len(tiles[0]) * layer.out_bits
        for t in range(steps):
            found.add(head, t, "dram", "write_bit", height * bits)
            found.add(head, t, "dram", "activate", height * up(bits, int(dram.row) * 8))


def _operands(found: Literal, part: Part) -> None:
    """Operands of residual adds wait in buffers, from which they are read when they are added."""
    head, steps = part.stage.layer, found.network.timesteps
    for layer in part.stage.members:
        outside = [name for name in layer.sources if layer.kind == "add" and name not in part.stage.names]
        for name in outside:
            bits = found.network.input_max.bit_length() if name == INPUT else found.network.layer(name).out_bits
            for shelf in _shelves(found, layer):
                for (y, x), held in shelf.at.items():
                    present = present_in(found, part, shelf.replica)
                    here = [c for c in held if present.get(c) == shelf.tile]
                    for t in range(steps):
                        known = found.values[name]
                        silent = known is not None and not any(known[t][c][y][x] for c in here)
                        if not (silent and found.arch.adc.skip_silent):
                            lines = up(len(here) * bits, found.arch.buffer.line_bits)
                            found.add(head, t, "input_buffer", "line_read", lines)
