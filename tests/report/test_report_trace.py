"""Traces: valid by the public format, complete, without overlaps, and worth the run's energy."""

from __future__ import annotations

import errno
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from trace_schema import counters_of, integral, read_trace, slices_of, validate

import archsim
from archsim.analysis.timeline import Timeline, timeline_of
from archsim.engine import execute
from archsim.errors import ArchsimError
from archsim.report import trace as trace_module
from archsim.report.trace import FIRST_TRACK, microseconds, whole_ns, write_trace
from archsim.taskgraph import GraphBuilder

CHIPS = (("sata", "cnn-mnist"), ("spikeflow", "vgg9-cifar10"))


@pytest.mark.parametrize(("arch", "workload"), CHIPS)
def test_a_run_as_a_trace(arch: str, workload: str, tmp_path: Path) -> None:
    timeline = archsim.timeline(arch, workload, engine="fast")
    graph = timeline.execution.graph
    document = read_trace(write_trace(timeline, tmp_path / "t.json"))
    validate(document)
    slices = slices_of(document)
    assert sorted(event["args"]["task"] for event in slices) == np.flatnonzero(graph.duration).tolist()
    for event in slices[:: max(len(slices) // 500, 1)]:
        task = event["args"]["task"]
        step = graph.timestep[task]
        assert event["name"] == graph.layers[graph.layer[task]] + (f" t{step}" if step >= 0 else "")
        assert (event["cat"], event["tid"]) == (graph.layers[graph.layer[task]], FIRST_TRACK + graph.unit[task])
        start, cycles = timeline.execution.start[task], graph.duration[task]
        assert -1e-9 < start / timeline.clock_mhz - event["ts"] < 0.001  # the ns in which it starts
        assert abs(cycles / timeline.clock_mhz - event["dur"]) < 0.001 and event["args"]["cycles"] == cycles
    counters = counters_of(document)
    assert len(counters) == len(graph.buffers) + 2
    for samples in counters.values():
        assert samples[0][0] == 0 and samples[-1][1] == 0
        assert all(one[0] < two[0] for one, two in pairwise(samples))
    result = archsim.simulate(arch, workload, engine="fast")
    in_pj = 1000.0  # mW x us
    assert integral(counters["power"]) * in_pj == pytest.approx(result.energy_pj, rel=1e-9)
    assert integral(counters["leakage"]) * in_pj == pytest.approx(result.static_pj, rel=1e-9)
    assert max(value for _, value in counters["power"]) == pytest.approx(result.peak_power_mw, rel=1e-9)
    energy = sum(event["args"]["energy_pj"] for event in slices)
    assert energy <= result.dynamic_pj * (1 + 1e-9)


def odd_timeline(names: tuple[str, ...], clock_mhz: float = 333.0) -> Timeline:
    """One unit and layer per name: three tasks each, one of them without length; one buffer for all."""
    builder = GraphBuilder(list(names), 2)
    for number, name in enumerate(names):
        unit = builder.unit(name, "fifo" if number % 2 else "in_order")
        tasks = builder.block(2, layer=number, unit=unit, duration=np.array([7, 10**9]), timestep=np.array([-1, 1]))
        point = builder.block(1, layer=number, unit=builder.unit("sync"), duration=0)
        builder.count("adder", "op", tasks, 3)
        builder.count("adder", "op", point, 3)
        builder.holds(f"{name} buffer", 5, tasks.ids, tasks.ids, np.array([5, 5]))
    return timeline_of(
        execute(builder.build()), {("adder", "op"): 0.1}, clock_mhz=clock_mhz, leakage_mw=0.0, arch=names[0],
        workload=names[-1], synthetic=True, sample=3,
    )  # fmt: skip


def test_names_of_any_kind(tmp_path: Path) -> None:
    names = ("conv", "слой-1 · 层", "<script>\"'\\\n\t\x00", "x" * 5000, "lone \ud800", "a/b:c,{}[]")
    document = read_trace(write_trace(odd_timeline(names), tmp_path / "t.json"))
    validate(document)
    tracks = [event["args"]["name"] for event in document["traceEvents"] if event["name"] == "thread_name"]
    assert tuple(tracks) == names  # "sync" has no slice, and no track
    assert {event["name"] for event in slices_of(document)} == {f"{n}{t}" for n in names for t in ("", " t1")}
    assert {f"{name} buffer (of 5)" for name in names} < set(counters_of(document))
    assert document["otherData"]["chip"] == "conv" and document["otherData"]["activity"] == "synthetic"
    assert integral(counters_of(document)["power"]) * 1000 == pytest.approx(len(names) * 0.9, rel=1e-9)


CLOCKS = [1.0, 333.0, 400.0, 1000.0, 1234.5, 3000.0]


@pytest.mark.parametrize("clock_mhz", CLOCKS)
def test_whole_nanoseconds_are_read_as_they_are(clock_mhz: float) -> None:
    cycles = np.concatenate([np.arange(200_000), np.random.default_rng(1).integers(0, 10**11, 50_000)])
    ns = whole_ns(cycles, clock_mhz)
    exact = cycles * 1000.0 / clock_mhz
    assert np.all(ns <= exact) and np.all(exact - ns < 1.0)
    us = microseconds(ns)
    assert np.array_equal((us * 1000.0).astype(np.int64), ns)
    assert np.array_equal(np.rint(us * 1000.0).astype(np.int64), ns)


@pytest.mark.parametrize("clock_mhz", CLOCKS)
def test_what_follows_at_once_does_not_overlap_at_any_clock(clock_mhz: float, tmp_path: Path) -> None:
    builder = GraphBuilder(["layer"], 1)
    lengths = np.random.default_rng(2).integers(1, 30, 2000)
    tasks = builder.block(len(lengths), layer=0, unit=builder.unit("a"), duration=lengths)
    timeline = odd_timeline(("x",), clock_mhz)
    executed = replace(timeline, execution=execute(builder.build()), energy_pj=np.zeros(len(tasks.ids)))
    document = read_trace(write_trace(executed, tmp_path / "t.json"))
    validate(document)
    assert len(slices_of(document)) == len(lengths)


def test_a_run_without_slices_is_a_trace_all_the_same(tmp_path: Path) -> None:
    builder = GraphBuilder(["layer"], 1)
    builder.block(1, layer=0, unit=builder.unit("a"), duration=0)
    timeline = replace(odd_timeline(("x",)), execution=execute(builder.build()), energy_pj=np.zeros(1))
    document = read_trace(write_trace(timeline, tmp_path / "t.json"))
    validate(document)
    assert slices_of(document) == []


def test_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timeline, path = odd_timeline(("x",)), tmp_path / "deep" / "t.json"
    write_trace(timeline, path)
    before = path.read_bytes()

    def full(_: Timeline) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(trace_module, "_counters", full)
    with pytest.raises(ArchsimError, match=r"cannot write the trace: no space left.*t\.json|t\.json: cannot write"):
        write_trace(timeline, path)
    assert [entry.name for entry in path.parent.iterdir()] == ["t.json"] and path.read_bytes() == before
    monkeypatch.undo()
    write_trace(timeline, path)  # a trace replaces a trace


def test_places_that_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "chip.json").write_text("{}")
    for name, message in (
        ("t.yaml", r"allowed: FILE\.json"),
        ("folder.json", "is a folder"),
        ("chip.json", "holds is no trace"),
        ("chip.json/t.json", "a file is in the way"),
    ):
        with pytest.raises(ArchsimError, match=message):
            write_trace(odd_timeline(("x",)), tmp_path / name)
    assert (tmp_path / "chip.json").read_text() == "{}"


def test_all_problems_at_once(tmp_path: Path) -> None:
    with pytest.raises(ArchsimError) as caught:
        archsim.trace("sat", "cnn-mnst", tmp_path / "t.txt", overrides="x", sample=[0, 1])  # type: ignore[arg-type]
    text = str(caught.value)
    assert all(word in text for word in ("sata", "cnn-mnist", "FILE.json", "one sample")), text
    assert list(tmp_path.iterdir()) == []
