"""The network's input: loaded from DRAM row by row, encoded, and sent from the corner tile to its readers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archsim.accelerators.crossbar.chip import CORNER, Chip
from archsim.accelerators.crossbar.chunks import Rows
from archsim.accelerators.crossbar.delivery import reading_of
from archsim.accelerators.crossbar.sources import Arrival, Source
from archsim.accelerators.crossbar.steps import Step
from archsim.accelerators.dram import Dram, DramChannel
from archsim.accelerators.neurons import encoder_actions
from archsim.taskgraph import NONE
from archsim.workload import Layer
from archsim.workload.network import INPUT

Ints = NDArray[np.int64]


def input_name(layer: Layer) -> str:
    """Under which name a layer's input is delivered: that of the map, or its own where the layers do not chain."""
    return layer.sources[0] if layer.sources else f"{INPUT} of {layer.name}"


def source_of(chip: Chip, name: str, reader: Layer) -> Source:
    """What delivers a map; inputs of the chip are loaded when they are first asked for."""
    if name not in chip.sources:
        chip.sources[name] = _load(chip, name, reader)
    return chip.sources[name]


def _load(chip: Chip, name: str, reader: Layer) -> Source:
    """The input from DRAM; without DRAM it is there from the beginning and costs nothing.

    An image is the same at every timestep: it is loaded once where the buffers keep it, with all of its spikes where it
    is encoded.
    """
    shape = chip.shape_sent(reader)
    completed = np.repeat(np.arange(shape[1])[:, None], shape[2], axis=1)
    home = np.full((1, shape[0]), CORNER, np.int64)
    is_image = name == INPUT and chip.network.encoding in ("direct", "rate", "ttfs")
    once = is_image and (chip.arch.buffer.rows == "all" or chip.arch.timesteps == "together")
    steps = 1 if once else chip.network.timesteps
    readers = chip.network.consumers(INPUT) if name == INPUT else (reader,)
    if chip.arch.dram is None:
        absent = np.full((steps, shape[1]), NONE, np.int64)
        source = Source(Rows(shape[1]), {name: completed}, Step(chip.builder, absent, (), False), home)
        for one in readers:
            replicas = chip.placed[chip.stage_of[one.name].layer.name].replicas
            source.arrivals |= {(one.name, replica): Arrival(absent, absent) for replica in range(replicas)}
        return source
    values = shape[0] * shape[2]  # of one row
    bits = values * (chip.network.precision.input_bits if is_image else chip.bits_of(name, reader))
    done = _loads(chip, chip.arch.dram, reader, np.full((steps, shape[1]), bits))
    encoded = np.full((steps, shape[1]), values * (chip.network.timesteps if once else 1))
    for component, action, counts in encoder_actions(chip.network, encoded):
        done.count(component, action, counts)
    source = Source(Rows(shape[1]), {name: completed}, done, home)
    if name == INPUT:
        chip.deliver(source, name)
    else:
        chip.send(source, name, reader, chip.active(reader), reading_of(chip.placed[reader.name]))
    return source


def _loads(chip: Chip, dram: Dram, reader: Layer, bits: Ints) -> Step:
    """A task for each row and time it is loaded [times, rows]; of no length where DRAM never stalls the chip."""
    channel = DramChannel(chip.builder, dram, chip.arch.clock_mhz, reader.index)
    together = chip.arch.timesteps == "together"
    times = np.broadcast_to(np.arange(len(bits))[:, None], bits.shape)
    ordered, when = ((both.T if together else both).ravel() for both in (bits, times))
    if channel.timed:
        span = channel.tasks(ordered, when)
    else:
        unit = chip.builder.unit("dram")
        span = chip.builder.block(len(ordered), layer=reader.index, unit=unit, duration=0, timestep=when)
    ids = span.ids.reshape(bits.T.shape).T if together else span.ids.reshape(bits.shape)
    channel.count(span, "read", ordered)
    return Step(chip.builder, ids, ((np.arange(bits.shape[1]), span),), together)
