"""A run as a trace in the Chrome trace event format (JSON), which ui.perfetto.dev and chrome://tracing open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from archsim.analysis.timeline import Floats, Slices, Steps, Timeline
from archsim.catalog import own_version
from archsim.errors import ArchsimError, Problem
from archsim.result import writable_folder, written_whole
from archsim.taskgraph import Ints

UNITS, BUFFERS, POWER = 1, 2, 3  # processes of the trace; what belongs to no unit is on the track of that number
FIRST_TRACK = 10  # of the units; 0 means the idle thread to some viewers
ENDING, OPENING = ".json", '{"displayTimeUnit"'
AT_ONCE = 20_000  # events per write


def place_for_trace(path: str | Path) -> None:
    """ArchsimError where no trace can be written: another ending, no rights, a folder or another file in the way."""
    file = Path(path)
    if file.suffix != ENDING:
        raise ArchsimError(Problem("a trace is a JSON file", key="trace", value=str(path), allowed=f"FILE{ENDING}"))
    if file.is_dir():
        raise ArchsimError(Problem("is a folder, not a file", key="trace", value=str(path)))
    writable_folder(file.parent)
    if file.exists() and not _replaceable(file):
        raise ArchsimError(Problem("the file exists, and what it holds is no trace", key="trace", value=str(path)))


def _replaceable(file: Path) -> bool:
    """Whether a file is an earlier trace, or empty."""
    try:
        with file.open("rb") as stream:
            return stream.read(len(OPENING)) in {b"", OPENING.encode()}
    except OSError:
        return False


def write_trace(timeline: Timeline, path: str | Path) -> Path:
    """Write the trace, whole or not at all: a slice per task of non-zero length, buffers and power as counters."""
    place_for_trace(path)
    file = Path(path)
    with (
        written_whole(file, "the trace") as part,
        part.open("w", encoding="utf-8", errors="backslashreplace") as stream,  # half a letter, as in JSON
    ):
        _write(timeline, stream)
    return file


def whole_ns(cycles: Ints, clock_mhz: float) -> Ints:
    """The ns in which a cycle begins. Perfetto keeps whole ns, rounding beginnings and durations one by one, and drops
    a slice that then overlaps the one before: slices that are written in whole ns follow each other after that, too."""
    ns: Ints = np.floor(cycles * 1000.0 / clock_mhz).astype(np.int64)
    return ns


def microseconds(ns: Ints) -> Floats:
    """Whole ns in us, as numbers that give the same ns again whether a reader cuts or rounds ``us * 1000.0``."""
    us = ns / 1000.0
    return np.where(np.floor(us * 1000.0) < ns, np.nextafter(us, np.inf), us)


def _write(timeline: Timeline, stream: TextIO) -> None:
    head = {"displayTimeUnit": "ns", "otherData": _about(timeline)}
    stream.write(_json(head)[:-1] + ', "traceEvents": [\n')
    events = chain(_names(timeline), _slices(timeline), _counters(timeline))
    before = ""
    while block := list(islice(events, AT_ONCE)):
        stream.write(before + ",\n".join(block))
        before = ",\n"
    stream.write("\n]}\n")


def _about(timeline: Timeline) -> dict[str, Any]:
    return {
        "archsim": own_version(), "chip": timeline.arch, "workload": timeline.workload,
        "sample": timeline.samples[0], "activity": "synthetic" if timeline.synthetic else "recorded",
        "clock_mhz": timeline.clock_mhz, "cycles": timeline.execution.cycles,
    }  # fmt: skip


def _json(value: Any) -> str:
    """JSON with letters as they are: Perfetto shows ``\\u00d7`` as it stands."""
    return json.dumps(value, ensure_ascii=False)


def _names(timeline: Timeline) -> Iterator[str]:
    """Metadata: what processes and tracks are called, and in which order they stand."""
    what = {UNITS: f"{timeline.arch} × {timeline.workload}: units", BUFFERS: "buffers", POWER: "power"}
    for pid, name in what.items():
        track = {"ph": "M", "pid": pid, "tid": pid}
        yield _json(track | {"name": "process_name", "args": {"name": name}})
        yield _json(track | {"name": "process_sort_index", "args": {"sort_index": pid}})
    for unit in np.unique(timeline.slices.unit).tolist():
        track = {"ph": "M", "pid": UNITS, "tid": FIRST_TRACK + unit}
        name = timeline.execution.graph.units[unit].name
        yield _json(track | {"name": "thread_name", "args": {"name": name}})
        yield _json(track | {"name": "thread_sort_index", "args": {"sort_index": unit}})


def _slices(timeline: Timeline) -> Iterator[str]:
    """Complete events, one track per unit: layer and timestep as the name, the layer as the category."""
    slices: Slices = timeline.slices
    layers = timeline.execution.graph.layers
    steps = len(slices.labels) // max(len(layers), 1)
    named = [
        f',"name":{_json(label)},"cat":{_json(layers[number // steps])},"args":{{"task":'
        for number, label in enumerate(slices.labels)
    ]
    start, finish = (whole_ns(cycles, timeline.clock_mhz) for cycles in (slices.start, slices.finish))
    columns = (
        FIRST_TRACK + slices.unit, microseconds(start), microseconds(finish - start), slices.label, slices.task,
        slices.finish - slices.start, timeline.energy_pj[slices.task],
    )  # fmt: skip
    for track, ts, duration, label, task, cycles, energy in _rows(*columns):
        yield (
            f'{{"ph":"X","pid":{UNITS},"tid":{track},"ts":{ts},"dur":{duration}{named[label]}{task},'
            f'"cycles":{cycles},"energy_pj":{energy}}}}}'
        )


def _counters(timeline: Timeline) -> Iterator[str]:
    """Counter events: places held of each buffer; power of the whole chip, and the leakage in it, in mW."""
    for curve, buffer in zip(timeline.buffers, timeline.execution.graph.buffers, strict=True):
        yield from _counter(timeline, BUFFERS, f"{buffer.name} (of {buffer.capacity:,})", "held", curve)
    yield from _counter(timeline, POWER, "power", "mW", timeline.power_mw)
    ends = np.array([0, timeline.execution.cycles])
    leakage = Steps("leakage", ends, np.array([timeline.leakage_mw, 0.0]))
    yield from _counter(timeline, POWER, "leakage", "mW", leakage)


def _counter(timeline: Timeline, pid: int, name: str, unit: str, curve: Steps) -> Iterator[str]:
    at: Ints = curve.at
    value: NDArray[Any] = curve.value
    if not len(at) or at[0] > 0:
        at, value = np.insert(at, 0, 0), np.insert(value, 0, 0)
    head = f'{{"ph":"C","pid":{pid},"tid":{pid},"name":{_json(name)},"ts":'
    for when, held in _rows(at / timeline.clock_mhz, value):
        yield f'{head}{when},"args":{{"{unit}":{held}}}}}'


def _rows(*columns: Any) -> Iterable[tuple[Any, ...]]:
    """The columns row by row, as numbers of Python; a block at a time, so that memory stays small."""
    for first in range(0, len(columns[0]), AT_ONCE):
        yield from zip(*(column[first : first + AT_ONCE].tolist() for column in columns), strict=True)
