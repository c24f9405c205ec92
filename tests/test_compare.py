"""``archsim compare`` and its twin: figures beside each other, every unfair difference, everything wrong at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.comparison import TABLES, Comparison, Side
from archsim.comparison.folder import FIGURES
from archsim.comparison.memories import memories
from archsim.comparison.sides import by_value, labels, said_samples
from archsim.errors import ArchsimError
from archsim.result import ComponentRow, CountRow, Result

CELLS: dict[str, Any] = {
    "name": "cells", "primitive": "crossbar_cells", "level": "compute", "attributes": {"rows": 64, "cols": 32},
    "count": 10, "on_chip": True, "description": "",
}  # fmt: skip
REFUSING = """
from dataclasses import replace
from archsim.accelerators import family, register_family
from archsim.config import Strict
from archsim.errors import MisfitError

class Fixed(Strict):
    family: str
    name: str

    @property
    def node_nm(self):
        return 28.0

    @property
    def clock_mhz(self):
        return 400.0

def lower(*words):
    raise MisfitError("weights", demand=3, capacity=2, unit="bytes", levers=())

register_family(replace(family("systolic"), name="fixed", schema=Fixed, memories=None, lower=lower))
"""


@pytest.fixture(scope="module")
def sata() -> Result:
    return archsim.simulate("sata", "cnn-mnist")


@pytest.fixture(scope="module")
def eyeriss() -> Result:
    return archsim.simulate("eyeriss-snn", "cnn-mnist")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def of(*results: Result) -> Comparison:
    names = [f"chip{number}" for number, _ in enumerate(results)]
    return Comparison(tuple(Side(name, name, "run", result) for name, result in zip(names, results, strict=True)))


def changed_inputs(result: Result, **changes: Any) -> Result:
    return replace(result, inputs={**result.inputs, **changes})


def with_cells(result: Result, programmed: float = 0.0) -> Result:
    """The chip with its weights in crossbars: cells added, DRAM and weight buffer taken away."""
    gone = ("dram", "weight_buffer")
    parts = [part for part in result.inputs["components"] if part["name"] not in gone]
    rows = tuple(row for row in result.components if row.name not in gone)
    row = ComponentRow("cells", "compute", 5.0, 5.0, 0.0, 2000.0, 10, "")
    counts = tuple(row for row in result.counts if row.component not in gone)
    if programmed:
        counts += (CountRow("conv1", -1, "cells", "program", programmed, 5.0, "compute"),)
    energy = sum(part.energy_pj for part in rows) + 5.0
    changed = replace(result, components=(*rows, row), counts=counts, energy_pj=energy)
    return changed_inputs(changed, components=[*parts, CELLS])


def topics(*results: Result) -> list[str]:
    return [difference.topic for difference in of(*results).differences]


def text_of(topic: str, *results: Result) -> str:
    (difference,) = [found for found in of(*results).differences if found.topic == topic]
    return difference.text


def call(*words: str) -> Any:
    return CliRunner().invoke(app, ["compare", *words])


def errors(*words: str) -> list[str]:
    done = call(*words)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    lines = done.stderr.splitlines()
    assert all(line.startswith("error: ") for line in lines)
    return [line.removeprefix("error: ") for line in lines]


# figures


def test_figures_and_ratios_are_those_of_the_results(sata: Result, eyeriss: Result) -> None:
    metrics = {metric.name: metric for metric in of(sata, eyeriss).metrics}
    for name in ("energy_pj", "latency_ns", "edp_pj_ns", "area_um2", "steady_energy_pj", "throughput_per_s"):
        one, two = getattr(sata, name), getattr(eyeriss, name)
        assert metrics[name].values == (one, two)
        assert metrics[name].ratios == (1.0, pytest.approx(two / one))
    operations = sum(layer.active_products for layer in eyeriss.layers)
    assert metrics["pj_per_synaptic_operation"].values[1] == pytest.approx(eyeriss.energy_pj / operations)
    dram = next(part.energy_pj for part in sata.components if part.name == "dram")
    assert metrics["on_chip_pj"].values[0] == pytest.approx(sata.energy_pj - dram)


def test_figures_that_a_side_lacks_have_no_ratio(sata: Result) -> None:
    without = replace(sata, throughput_per_s=None, interval_cycles=None, layers=())
    for results in ((sata, without), (without, sata)):
        metrics = {metric.name: metric for metric in of(*results).metrics}
        for name in ("throughput_per_s", "steady_energy_pj", "pj_per_synaptic_operation"):
            assert None in metrics[name].values
            assert metrics[name].ratios[1] is None


def test_levels_of_all_chips_add_up(sata: Result) -> None:
    other = replace(
        sata, components=tuple(replace(p, level="interconnect") if p.level == "DRAM" else p for p in sata.components)
    )
    levels = of(sata, other).levels
    for at, result in enumerate((sata, other)):
        assert sum((row.dynamic_pj[at] or 0) + (row.static_pj[at] or 0) for row in levels) == pytest.approx(
            result.energy_pj
        )
        assert sum(row.area_um2[at] or 0 for row in levels) == pytest.approx(result.area_um2)
    (dram,) = [row for row in levels if row.level == "DRAM"]
    assert dram.dynamic_pj[1] is None and dram.area_um2[1] is None
    assert [row.level for row in levels][-2:] == ["DRAM", "interconnect"]


def test_layers_stand_beside_each_other_where_names_agree(sata: Result) -> None:
    renamed = replace(sata, layers=(replace(sata.layers[0], name="stem"), *sata.layers[1:]))
    found = of(sata, renamed)
    assert [pair.name for pair in found.layers] == [row.name for row in sata.layers[1:]]
    assert found.other_layers == ((sata.layers[0].name,), ("stem",))
    assert found.layers[0].energy_pj == (sata.layers[1].energy_pj,) * 2


# what is not like for like


def test_equal_runs_are_like_for_like(sata: Result) -> None:
    found = of(sata, replace(sata, engine="fast", tasks=3))
    assert found.differences == ()
    assert found.to_data()["like_for_like"] is True


@pytest.mark.parametrize(
    ("topic", "change", "parts"),
    [
        ("node", lambda r: replace(r, node_nm=65.0), ("28 nm for chip0", "65 nm for chip1", "--node 28nm")),
        ("clock", lambda r: replace(r, clock_mhz=250.0), ("400 MHz for chip0", "250 MHz for chip1")),
        ("timesteps", lambda r: replace(r, timesteps=5), ("8 timesteps for chip0", "5 timesteps for chip1")),
        ("samples", lambda r: replace(r, samples=(0, 1, 2)), ("sample 0 for chip0", "samples 0..2 for chip1")),
        ("version", lambda r: replace(r, versions={"archsim": "0.0.7"}), ("0.0.7 for chip1",)),
        ("cost table", lambda r: replace(r, hashes={**r.hashes, "costs": "beef"}), ("hash beef for chip1",)),
        ("network", lambda r: replace(r, workload="lenet"), ("cnn-mnist for chip0", "lenet for chip1")),
        ("activity", lambda r: replace(r, synthetic=True, assumptions=("activity: synthetic: bernoulli density 0.1",
                                                                        *r.assumptions[1:])),
         ("recorded: cnn-mnist.npz", "bernoulli density 0.1 for chip1", "no measurement")),
        ("area", lambda r: replace(r, area_um2=r.area_um2 * 2), ("factor of 2", "may buy its speed")),
        ("assumptions", lambda r: replace(r, assumptions=(*r.assumptions, "one task is a row")),
         ("Only chip1: one task is a row.",)),
        ("operations", lambda r: replace(r, layers=r.layers[1:]), ("other numbers of synaptic operations",)),
        ("precision", lambda r: changed_inputs(r, workload={**r.inputs["workload"], "precision": {"weight_bits": 4}}),
         ("width of weights", "4 bits for chip1")),
        ("SRAM cells", lambda r: changed_inputs(r, components=[
            {**p, "attributes": {**p["attributes"], "cell": "itrs-hp"}} for p in r.inputs["components"]
        ]), ("itrs-lop for chip0", "itrs-hp for chip1")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_each_unfair_difference_is_said(
    sata: Result, topic: str, change: Callable[[Result], Result], parts: tuple[str, ...]
) -> None:
    for part in parts:
        assert part in text_of(topic, sata, change(sata))


def test_one_change_is_one_difference(sata: Result) -> None:
    assert topics(sata, replace(sata, node_nm=65.0)) == ["node"]
    assert topics(sata, replace(sata, timesteps=5), replace(sata, clock_mhz=1.0)) == ["timesteps", "clock"]
    assert topics(sata, replace(sata, area_um2=sata.area_um2 * 1.04)) == []


def test_changed_workloads_of_one_name_name_the_keys() -> None:
    one, two = (
        archsim.simulate(
            "sata", "icassp-bntt", overrides=["workload.timesteps=1", f"workload.activity.density={density}"]
        )
        for density in (0.1, 0.2)
    )
    found = text_of("network", one, two)
    assert "activity.density (0.1 / 0.2)" in found and "timesteps" not in found
    assert topics(one, two) == ["network", "activity"]


def test_other_spikes_under_the_same_description_are_noticed(sata: Result) -> None:
    other = replace(sata, hashes={**sata.hashes, "workload": "beef"})
    assert "in the recorded spikes" in text_of("network", sata, other)


def test_weights_in_cells_beside_weights_in_dram(sata: Result) -> None:
    crossbar = with_cells(sata)
    text = text_of("weights", sata, crossbar)
    read_mib = sata.count("dram", "read_bit") / 8 / 1024
    assert f"chip0 moves them from DRAM through its SRAM for every input ({read_mib:.4g} KiB" in text
    assert "chip1 holds them in 20,480 crossbar cells, programmed before the first input: no charge" in text
    assert "DRAM is part of chip0 (" in text_of("DRAM", sata, crossbar)
    assert "and not of chip1" in text_of("DRAM", sata, crossbar)
    assert "Only chip1 computes with analog cells" in text_of("accuracy", sata, crossbar)
    assert "20,480 crossbar cells" in text_of("on-chip memory", sata, crossbar)
    assert topics(crossbar, crossbar) == []


def test_programming_that_is_counted_is_charged(sata: Result) -> None:
    text = text_of("weights", sata, with_cells(sata, programmed=4096))
    assert "4,096 are programmed in this run, and charged" in text and "no charge" not in text


def test_memories_are_summed_from_components(sata: Result) -> None:
    found = memories(sata)
    assert found.sram_bytes == (144 + 32 + 32) * 1024
    assert found.register_bytes == 128 * (9 + 9 + 8)
    assert (found.cells, found.has_dram, found.weights_in) == (0, True, "dram")
    areas = {part.name: part.area_um2 for part in sata.components}
    stores = [name for name in areas if name.endswith(("_buffer", "_scratchpad"))]
    assert found.memory_area_um2 == pytest.approx(sum(areas[name] for name in stores))
    assert memories(changed_inputs(sata, components=[])).weights_in == "chip"


def test_words() -> None:
    assert labels(["a", "b"], ["x", "y"]) == ("a", "b")
    assert labels(["a", "a", "b"], ["a", "run/a", "b"]) == ("a", "a (run/a)", "b")
    assert labels(["a", "a"], ["a", "a"]) == ("a #1", "a #2")
    assert [said_samples(numbers) for numbers in ((4,), (0, 1, 2), (5, 1), tuple(range(0, 20, 2)))] == [
        "sample 4", "samples 0..2", "samples 5, 1", "10 samples of 0..18",
    ]  # fmt: skip


def test_values_are_grouped(sata: Result) -> None:
    sides = of(sata, sata, sata).sides
    assert by_value(sides, ["x", "y", "x"]) == "x for chip0 and chip2, y for chip1"


# the verb


def test_chips_are_executed_on_the_workload(sata: Result, eyeriss: Result) -> None:
    done = call("sata", "eyeriss-snn", "--workload", "cnn-mnist", "--json")
    assert done.exit_code == 0, done.stderr
    data = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert [side["label"] for side in data["sides"]] == ["sata", "eyeriss-snn"]
    (energy,) = [metric for metric in data["metrics"] if metric["name"] == "energy_pj"]
    assert energy["values"] == [sata.energy_pj, eyeriss.energy_pj]
    assert data == json.loads(archsim.compare("sata", "eyeriss-snn", workload="cnn-mnist").to_text())
    assert not data["like_for_like"] and list(Path().iterdir()) == []


def test_runs_and_chips_mix(sata: Result, eyeriss: Result) -> None:
    sata.save("mine")
    found = archsim.compare("mine", eyeriss, "sata", workload="cnn-mnist", samples=1)
    assert [side.origin for side in found.sides] == ["run", "run", "executed"]
    assert [side.label for side in found.sides] == ["sata (mine)", "eyeriss-snn", "sata"]
    assert found.sides[0].result == archsim.load_result("mine")
    assert found.differences[0].topic == "samples"


def test_families_state_what_both_assume_in_the_same_words() -> None:
    """Neither family models clock tree and control, and in both everything leaks: that sets no chips apart."""
    found = archsim.compare("sata", "spikeflow", workload="cnn-mnist")
    apart = [difference.text for difference in found.differences if difference.topic == "assumptions"]
    for words in ("clock tree", "control", "leaks all the time"):
        assert all(any(words in note for note in side.result.assumptions) for side in found.sides)
        assert not [text for text in apart if words in text]
    assert any("unused rows" in text for text in apart)


def test_one_node_for_all_chips() -> None:
    found = archsim.compare("sata", "scalesim-os", workload="cnn-mnist", node="65nm", overrides="clock=200 MHz")
    assert [side.result.node_nm for side in found.sides] == [65.0, 65.0]
    assert {"node", "clock"}.isdisjoint(difference.topic for difference in found.differences)
    alone = archsim.simulate("sata", "cnn-mnist", overrides=["node=65 nm", "clock=200 MHz"])
    assert found.sides[0].result.energy_pj == alone.energy_pj


def test_progress_counts_the_samples_of_all_chips() -> None:
    seen: list[tuple[int, int]] = []
    archsim.compare(
        "sata",
        "scalesim-os",
        workload="cnn-mnist",
        samples="0..1",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_tables_for_people(sata: Result, eyeriss: Result) -> None:
    sata.save("one")
    eyeriss.save("two")
    done = call("one", "two")
    assert done.exit_code == 0, done.stderr
    order = ["sata: cnn-mnist, sample 0", "the run two", "What differs", "eyeriss-snn needs ", "Side by side",
             "Energy by component, from sata to eyeriss-snn", "Energy by action", "Energy by layer", "Latency by layer",
             "Area by component", "Energy by level", "Area by level", "Layers", "Settings that differ",
             "neuron.units", "Not like for like", "The chips are not of one size"]  # fmt: skip
    places = [done.stdout.index(part) for part in order]
    assert places == sorted(places)
    assert "…" not in done.stdout
    equal = call("one", "one").stdout
    assert "Like for like: the same network" in equal and "sata (one) #2 is equal to sata (one) #1" in equal
    assert "Energy by component" not in equal and "Settings" not in equal


# where it is written


def test_a_folder_holds_data_and_figure_and_only_comparisons_are_replaced(sata: Result, eyeriss: Result) -> None:
    sata.save("one")
    eyeriss.save("two")
    for words in (("one", "two"), ("two", "one")):
        done = call(*words, "-o", "deep/out")
        assert done.exit_code == 0, done.stderr
        assert sorted(path.name for path in Path("deep/out").iterdir()) == sorted(
            ["compare.json", *FIGURES.values(), *(f"{table}.csv" for table in TABLES)]
        )
    assert json.loads(Path("deep/out/compare.json").read_text())["sides"][0]["label"] == "eyeriss-snn"
    for name in FIGURES.values():
        assert Path("deep/out", name).read_bytes().startswith(b"\x89PNG")
    Path("empty").mkdir()
    assert call("one", "two", "-o", "empty").exit_code == 0
    for taken in ("one", "deep"):
        before = sorted(Path(taken).rglob("*"))
        (line,) = errors("one", "two", "-o", taken)
        assert line.startswith(f"{taken}: the folder is not empty, and what it holds is no comparison")
        assert sorted(Path(taken).rglob("*")) == before


def test_the_figure_alone(sata: Result, eyeriss: Result) -> None:
    found = archsim.compare(sata, eyeriss)
    assert archsim.save_comparison(found, figure="new/a.svg") == (Path("new/a.svg"),)
    text = Path("new/a.svg").read_text()
    archsim.save_comparison(found, figure="b.svg")
    assert Path("b.svg").read_text() == text and text.startswith("<?xml")
    archsim.save_comparison(found, figure="c.pdf")
    assert Path("c.pdf").read_bytes().startswith(b"%PDF")
    for draw, title in (("energy", "energy by component"), ("latency", "latency by layer"), ("area", "area by comp")):
        archsim.save_comparison(found, figure="d.svg", draw=draw)
        assert f"From sata to eyeriss-snn: {title}" in Path("d.svg").read_text()


def test_nothing_half_written(sata: Result, eyeriss: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figure's file cannot be written: the data, written before, goes again, and so does the folder."""
    found = archsim.compare(sata, eyeriss)
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if "png" in path.name:
            raise OSError(28, "No space left on device", str(path))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ArchsimError, match="cannot write the comparison: No space left"):
        archsim.save_comparison(found, folder="new/out")
    assert list(Path().iterdir()) == []


def test_what_cannot_be_saved_in_the_end_is_printed_all_the_same(sata: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    sata.save("one")

    def refuse(*words: Any) -> None:
        raise ArchsimError("the disk is gone")

    monkeypatch.setattr("archsim.report.compare_files.write_whole", refuse)
    done = call("one", "one", "-o", "out")
    assert done.exit_code == 2 and "Like for like" in done.stdout
    assert done.stderr == "error: the disk is gone\n"


# everything wrong at once


def test_everything_wrong_is_said_at_once() -> None:
    Path("notrun").mkdir()
    Path("file").write_text("x")
    lines = errors(
        "satta", "notrun", "sata", "--node", "28km", "--set", "neuron.units=foo", "--set", "x", "--engine", "quick",
        "--samples", "b", "--costs", "none.yaml", "--plugin", "none.py", "-o", "file/out", "--figure", "f.gif",
    )  # fmt: skip
    parts = (
        "'satta'; allowed: eyeriss-snn", "notrun", "node: not a technology node (got '28km'", "did you mean",
        "neuron.units: sata: unknown value", "got 'x'", "no such engine", "--samples: not a sample", "none.yaml",
        "none.py", "a file is in the way", "got 'f.gif'", "workload: is missing",
    )  # fmt: skip
    for part in parts:
        assert any(part in line for line in lines), part
    assert len(lines) == len(parts) - 1  # 'did you mean' is part of the first
    assert sorted(path.name for path in Path().iterdir()) == ["file", "notrun"]


def test_problems_of_all_chips_are_said_once_and_those_of_one_with_its_name() -> None:
    lines = errors(
        "sata", "eyeriss-snn", "-w", "cnn-mnits", "--engine", "quick", "--set", "buffers.membrane.size=16MiB"
    )
    assert len(lines) == 4
    assert sum("cnn-mnist" in line for line in lines) == 1
    assert sum("no such engine" in line for line in lines) == 1
    for chip in ("sata", "eyeriss-snn"):
        assert sum(f"buffers.membrane.size: {chip}: " in line for line in lines) == 1


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("one",), "a comparison takes two or more chips or runs (got 'one')"),
        (("one", "one", "-w", "cnn-mnist"), "workload: changes nothing: all sides are runs"),
        (("one", "one", "--samples", "0"), "samples: changes nothing"),
        (("one", "one", "--set", "array.rows=2"), "overrides: changes nothing"),
        (("one", "one", "--node", "28nm"), "node: changes nothing"),
        (("one", "sata"), "workload: is missing"),
        (("one", "sata", "-w", "cnn-mnist", "--node", "65nm"), "node: one is a run, priced at 28 nm"),
        (("sata", "sata", "-w", "cnn-mnist", "--node", "65nm", "--set", "node=28 nm"), "node: is stated twice"),
        (("sata", "./nothing.yaml", "-w", "cnn-mnist"), "nothing.yaml: file not found"),
    ],
)  # fmt: skip
def test_refusals(sata: Result, words: tuple[str, ...], part: str) -> None:
    sata.save("one")
    (line,) = errors(*words)
    assert line.startswith(part) or part in line


def test_a_run_in_a_folder_that_is_called_like_a_preset(sata: Result) -> None:
    sata.save("sata")
    (line,) = errors("sata", "./sata")
    assert "the run in the folder sata is ./sata" in line
    assert call("./sata", "./sata").exit_code == 0


def test_a_family_without_a_node_and_chips_that_the_network_does_not_fit() -> None:
    Path("plugin.py").write_text(REFUSING)
    for name in ("f1", "f2"):
        Path(f"{name}.yaml").write_text(f"family: fixed\nname: {name}\n")
    words = ("sata", "f1.yaml", "f2.yaml", "-w", "cnn-mnist", "--plugin", "plugin.py", "-o", "out")
    lines = errors(*words, "--node", "28nm")
    assert [line.split(" cannot be set")[0] for line in lines] == [
        "node: the node of f1.yaml",
        "node: the node of f2.yaml",
    ]
    assert [line.split(":")[0] for line in errors(*words)] == ["f1", "f2"]
    assert not Path("out").exists()


def test_python_refuses_what_is_no_chip(sata: Result) -> None:
    with pytest.raises(ArchsimError, match="not by int"):
        archsim.compare(sata, 3)  # type: ignore[arg-type]
    with pytest.raises(ArchsimError, match="this override cannot be applied: the chip is loaded already"):
        archsim.compare(archsim.load_architecture("sata"), sata, workload="cnn-mnist", node="28nm")


def test_a_crossbar_chip_beside_a_systolic_one() -> None:
    found = archsim.compare("sata", "spikeflow", workload="cnn-mnist", node="28nm")
    assert {side.result.node_nm for side in found.sides} == {28.0}
    told = {difference.topic: difference.text for difference in found.differences}
    assert "node" not in told
    assert {"clock", "weights", "on-chip memory", "area", "accuracy"} <= set(told)
    assert "spikeflow holds them in" in told["weights"] and "sata moves them from DRAM" in told["weights"]
    assert any("Only spikeflow" in text for text in (difference.text for difference in found.differences))
    assert [pair.name for pair in found.layers] == ["conv1", "conv2", "fc1", "fc2"]
    data = json.loads(found.to_text())
    assert all(len(row["values"]) == 2 for row in data["metrics"])
