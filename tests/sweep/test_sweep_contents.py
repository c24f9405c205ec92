"""What an answer depends on is in its key: files that values, overlays and plug-ins name, wherever they lie."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import archsim
from archsim import ArchsimError
from archsim.config.presets import find
from archsim.sweeps.journal import FILE as JOURNAL
from archsim.sweeps.table import METRICS
from archsim.workload.trace import write_trace

ROOT = Path(__file__).parents[2]


def states(path: Path, factor: float) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"state,mean,sigma\n0,{5e-6 * factor},1e-7\n1,{50e-6 * factor},1e-6\n")


def spikes(path: Path, seed: int) -> None:
    import numpy as np

    chance = np.random.default_rng(seed)
    shapes = {"input": (2, 6, 6), "conv1": (4, 6, 6), "fc1": (5, 1, 1)}
    drawn = {name: chance.random((1, 2, *shape)) < 0.3 for name, shape in shapes.items()}
    write_trace(path, 2, drawn.pop("input").astype(np.uint8), drawn)


def gates(folder: Path, factor: float) -> None:
    shutil.copy(find("cost", "default")[0].parent / "gates_28nm.csv", folder / "gates.csv")
    lines = (folder / "gates.csv").read_text().splitlines()
    head = next(at for at, line in enumerate(lines) if not line.startswith("#"))
    column = lines[head].split(",").index("area_um2")
    for at in range(head + 1, len(lines)):
        cells = lines[at].split(",")
        cells[column] = str(float(cells[column]) * factor)
        lines[at] = ",".join(cells)
    (folder / "gates.csv").write_text("\n".join(lines) + "\n")
    (folder / "grid.yaml").write_text(
        "grids: {gates: {file: gates.csv, source: this test, node_nm: 28}}\n"
        "constants: {gates.clock: {value: 400, source: this test}}\n"
    )


CASES = {
    "a device's states": (
        "archs: [spikeflow]\nworkloads: [tiny.yaml]\nspace: {crossbar.states: [m.csv]}",
        lambda folder, n: states(folder / "m.csv", n),
    ),
    "states within a mapping": (
        "archs: [spikeflow]\nworkloads: [tiny.yaml]\npoints: [{crossbar: {rows: 64, cols: 64, device: rram-spikesim,"
        " signed: offset, states: m.csv}}]",
        lambda folder, n: states(folder / "m.csv", n),
    ),
    "a trace beside the workload": (
        "archs: [sata]\nworkloads: [nets/tiny.yaml]\npoints: [{workload.activity: {trace: a.npz}}]",
        lambda folder, n: spikes(folder / "nets" / "a.npz", n),
    ),
    "an overlay's grid": (
        "archs: [sata]\nworkloads: [tiny.yaml]\nspace: {array.rows: [8]}\ncosts: [./grid.yaml]",
        gates,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_changed_file_is_another_question(write, case):
    text, change = CASES[case]
    Path("nets").mkdir()
    shutil.copy("tiny.yaml", "nets/tiny.yaml")
    Path("spec.yaml").write_text(text)
    for folder in ("one", "two"):  # the same process and folder, and another folder
        found = []
        for n in (1, 3, 1):
            change(Path.cwd(), n)
            table = archsim.sweep("spec.yaml", output="kept" if folder == "one" else f"new{n}{len(found)}")
            assert [row["status"] for row in table.rows] == ["ok"], table.rows[0]["message"]
            found.append((table.rows[0]["id"], *(table.rows[0][name] for name in METRICS)))
        assert found[0] == found[2] and found[0][0] != found[1][0] and found[0][1:] != found[1][1:]
    assert Path("kept", JOURNAL).read_bytes().count(b"\n") == 3


def test_files_of_values_are_seen_from_the_sweeps_file(write, monkeypatch):
    states(Path("sub/m.csv"), 3)
    shutil.copy("tiny.yaml", "sub/tiny.yaml")
    Path("sub/spec.yaml").write_text("archs: [spikeflow]\nworkloads: [./tiny.yaml]\nspace: {crossbar.states: [m.csv]}")
    (found,) = archsim.sweep("sub/spec.yaml", output="out").rows
    monkeypatch.chdir("sub")
    alone = archsim.simulate("spikeflow", "tiny.yaml", overrides="crossbar.states=m.csv")
    assert found["crossbar.states"] == "m.csv" and found["energy_pj"] == alone.energy_pj


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("change", ["edited", "lost"])
def test_a_file_that_changes_while_a_sweep_runs_stops_it_and_nothing_wrong_is_kept(write, change, jobs):
    spec = write("space: {workload.timesteps: {from: 1, to: 12, step: 1}}")
    before = Path("tiny.yaml").read_text()

    def meddle(done: int, _total: int) -> None:
        if done == 1 and change == "edited":
            Path("tiny.yaml").write_text(before.replace("out_features: 5", "out_features: 100"))
        elif done == 1:
            Path("tiny.yaml").unlink()

    with pytest.raises(ArchsimError, match=r"tiny\.yaml.*has changed while the sweep was executed"):
        archsim.sweep(spec, output="out", jobs=jobs, progress=meddle)
    Path("tiny.yaml").write_text(before)
    again = archsim.sweep(spec, output="out")
    assert again.to_csv() == archsim.sweep(spec, output="new").to_csv()


def test_a_module_that_a_plugin_imports_is_part_of_the_question(write, monkeypatch):
    spec = write("plugins: [./plug.py]")
    Path("plug.py").write_text("import beside\n")
    monkeypatch.syspath_prepend(Path.cwd())
    found = []
    for load in (0, 1000):
        Path("beside.py").write_text(f"LOAD = {load}\n")
        found.append(archsim.sweep(spec, output="out"))
    assert Path("out", JOURNAL).read_bytes().count(b"\n") == 3
    assert found[0].rows == found[1].rows  # the module changes nothing here, but it might


def test_draws_of_whole_numbers_are_even(write):
    spec = "space: {{array.rows: {{from: 1, to: 4}}}}\nmethod: {{{method}: {{points: 400, seed: 1}}}}"
    from archsim.sweeps.sample import draw_points
    from archsim.sweeps.spec import load_spec

    for method, slack in (("latin_hypercube", 1), ("random", 40)):
        drawn = [point["array.rows"] for point in draw_points(load_spec(write(spec.format(method=method)))[0])]
        assert all(abs(drawn.count(n) - 100) <= slack for n in (1, 2, 3, 4))
    huge = "space: {array.rows: {from: 1, to: 9223372036854775807}}\nmethod: {random: {points: 400}}"
    assert all(1 <= point["array.rows"] < 1 << 63 for point in draw_points(load_spec(write(huge))[0]))


FAMILY = """
from dataclasses import replace
from pathlib import Path
import archsim
from archsim.accelerators import family, register_family
systolic = family("systolic")

class Tabled(systolic.schema):
    family: str
    device: str = "rram-spikesim"
    table: str = ""

def lower(chip, workload, sample):
    archsim.load_device(chip.device)
    faster = int(Path(chip.table).read_text()) if chip.table else 400
    return systolic.lower(chip.model_copy(update={"pool_lanes": faster}), workload, sample)

register_family(replace(systolic, name="tabled", schema=Tabled, lower=lower))
"""


def test_files_that_a_plugin_reads_while_it_executes_are_no_change_but_part_of_the_question(write):
    Path("fam.py").write_text(FAMILY)
    chip = find("arch", "sata")[0].read_text().replace("family: systolic", "family: tabled")
    Path("chip.yaml").write_text(chip)
    Path("spec.yaml").write_text(
        "archs: [chip.yaml]\nworkloads: [tiny.yaml]\nplugins: [./fam.py]\n"
        "space: {table: [t.csv], device: [rram-wan2022]}"
    )
    ids = []
    for text in ("100", "200"):
        Path("t.csv").write_text(text)
        (row,) = archsim.sweep("spec.yaml", output="out").rows
        assert row["status"] == "ok", row["message"]
        ids.append(row["id"])
    assert ids[0] != ids[1] and Path("out", JOURNAL).read_bytes().count(b"\n") == 3


def test_the_sweeps_own_file_may_go_while_it_runs(write):
    spec = write("space: {array.rows: [0, 8, 16]}")
    table = archsim.sweep(spec, output="out", progress=lambda done, _: done == 1 and spec.unlink())
    assert [row["status"] for row in table.rows] == ["failed", "ok", "ok"]


def test_draws_stay_between_their_ends(write):
    from archsim.sweeps.sample import draw_points
    from archsim.sweeps.spec import load_spec

    spec = "space: {clock: {from: 3.0, to: 3.0, scale: log}}\nmethod: {random: {points: 20}}"
    assert {point["clock"] for point in draw_points(load_spec(write(spec))[0])} == {3.0}
