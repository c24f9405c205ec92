"""The command line: what it prints, what it refuses, what it leaves behind."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import archsim
from archsim.cli import app

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"
KEYS = {
    "arch", "workload", "engine", "cycles", "latency_ns", "energy_pj", "dynamic_pj", "static_pj", "area_um2",
    "edp_pj_ns", "throughput_per_s", "power_mw", "layers", "components", "counts", "against", "versions", "hashes",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def answer(*words: str) -> dict[str, Any]:
    done = call("run", *words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of three digits, against a peer, with varied costs."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    words = ("--samples", "0..2", "--against", "sata-sim:steps=none", "--vary-costs", "-o", str(folder))
    done = call("run", "sata", "cnn-mnist", *words)
    assert done.exit_code == 0, done.stderr
    (folder.parent / "out.txt").write_text(done.stdout)
    return folder


def test_one_json_object_with_the_stated_keys() -> None:
    got = answer("sata", "cnn-mnist")
    assert set(got) >= KEYS
    assert {"name", "cycles", "span_cycles", "energy_pj"} <= set(got["layers"][0])
    assert {"name", "energy_pj", "static_pj", "area_um2"} <= set(got["components"][0])
    assert {"layer", "timestep", "component", "action", "count"} <= set(got["counts"][0])
    assert got["energy_pj"] == pytest.approx(got["dynamic_pj"] + got["static_pj"], rel=1e-9)
    assert got["energy_pj"] == pytest.approx(sum(part["energy_pj"] for part in got["components"]), rel=1e-9)
    assert got["cycles"] == sum(layer["cycles"] for layer in got["layers"])
    assert got["edp_pj_ns"] == got["energy_pj"] * got["latency_ns"]
    assert got["energy_pj"] == archsim.simulate("sata", "cnn-mnist").energy_pj
    assert list(Path().iterdir()) == []


def test_overrides_reach_chip_and_workload() -> None:
    got = answer("sata", "cnn-mnist", "--set", "array.rows=32", "--set", "clock=200 MHz", "--engine", "fast")
    assert got["inputs"]["arch"]["array"]["rows"] == 32
    assert (got["engine"], got["latency_ns"]) == ("fast", got["cycles"] * 5)
    shorter = answer("sata", "icassp-bntt", "--set", "workload.timesteps=1", "--set", "workload.activity.density=0.5")
    assert (shorter["timesteps"], shorter["synthetic"]) == (1, True)
    assert all(row["density"] == pytest.approx(0.5, abs=0.02) for row in shorter["layers"])  # drawn, then counted


@pytest.mark.parametrize(
    ("workload", "row", "words"),
    [
        ("icassp-direct", "sata-config", ("--against", "sata-sim")),
        (
            "icassp-lth",
            "eyeriss-T4",
            ("--set", "pe.scratchpad.weight=288B", "--set", "pe.scratchpad.partial_sum=64B",
             "--set", "buffers.ifmap.size=8KiB", "--against", "sata-sim:act_bits=4,output_bits=8"),
        ),
    ],
)  # fmt: skip
def test_against_sata_sim_end_to_end(workload: str, row: str, words: tuple[str, ...]) -> None:
    got = answer("sata", workload, *words)
    lines = (GOLDEN / "sata_sim_summary.csv").read_text().splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    (stated,) = [r for r in rows if (r["workload"], r["arch"]) == (workload.removeprefix("icassp-"), row)]
    figures = {key: float(value) for key, value in stated.items() if value and key not in ("workload", "arch")}
    peer = got["against"]["sata-sim"]
    assert {key: peer[key] for key in figures} == pytest.approx(figures, rel=1e-9)
    assert peer["waterfall"]["end"] == pytest.approx(got["energy_pj"], rel=1e-9)
    assert {"name", "explanation", "after", "difference", "solo"} <= set(peer["waterfall"]["rows"][0])


def test_tables_for_people(run: Path) -> None:
    text = (run.parent / "out.txt").read_text()
    order = [
        "sata x cnn-mnist: mean", "energy", "latency", "throughput", "area", "mean power", "per synaptic operation",
        "Energy by level", "Largest components", "Layers", "Where the units' time goes", "Against sata-sim",
        "the peer's answer", "archsim's answer", "Which constant", "Assumed", "verdict: ",
    ]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "±" in text
    assert "…" not in text
    assert "synthetic" not in text
    assert text.rstrip().count("\n", text.index("verdict: ")) <= 1


def test_synthetic_activity_is_labelled() -> None:
    text = call("run", "sata", "icassp-bntt", "--set", "workload.timesteps=1").stdout
    assert "synthetic activity, not recorded spikes: bernoulli density 0.09 seed 0" in text.splitlines()[1]


def test_several_samples_are_means(run: Path) -> None:
    result = archsim.load_result(run)
    each = [archsim.simulate("sata", "cnn-mnist", samples=[number]).energy_pj for number in range(3)]
    assert result.energy_pj == pytest.approx(sum(each) / 3)
    mean = sum(each) / 3
    assert result.spread["energy_pj"]["std"] == pytest.approx((sum((e - mean) ** 2 for e in each) / 3) ** 0.5)
    assert (result.spread["energy_pj"]["min"], result.spread["energy_pj"]["max"]) == (min(each), max(each))
    assert [row["energy_pj"] for row in result.per_sample] == each
    assert len(result.vary_costs) == len({row["constant"] for row in result.vary_costs})


def test_all_samples_and_lists_of_them() -> None:
    assert answer("sata", "cnn-mnist", "--samples", "all")["samples"] == list(range(16))
    assert answer("sata", "cnn-mnist", "--samples", "7,0..1, 7")["samples"] == [7, 0, 1]


def test_a_saved_run_reads_back_as_it_was(run: Path) -> None:
    assert [path.name for path in run.iterdir()] == ["result.json"]
    result = archsim.load_result(run)
    again = archsim.simulate("sata", "cnn-mnist", samples=range(3), against=["sata-sim:steps=none"], vary_costs=True)
    assert json.loads(result.to_text()) == json.loads(again.to_text())
    assert result.layers == again.layers


def test_explain_a_saved_run(run: Path) -> None:
    text = call("explain", str(run), "dram.read_bit").stdout
    result = archsim.load_result(run)
    assert f"count: {round(result.count('dram', 'read_bit')):,} -> " in text
    assert "source: CACTI" in text
    assert "pJ/bit" in text
    leak = call("explain", str(run), "weight_buffer.leakage").stdout
    (row,) = [part for part in result.components if part.name == "weight_buffer"]
    assert f"{row.static_pj:.6g} pJ for all instances" in leak
    assert "um2" in call("explain", str(run), "pe_adder.area").stdout
    assert "no price" in call("explain", str(run), "pe_adder.sop").stdout


def test_explain_uses_the_overlay_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("constants:\n  dram.read_bit: {value: 4, unit: pJ/bit, source: a made-up data sheet}\n")
    assert call("run", "sata", "cnn-mnist", "--costs", "mine.yaml", "-o", "run").exit_code == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    text = call("explain", "../run", "dram.read_bit").stdout
    assert "a made-up data sheet" in text
    assert "changed since" not in text
    overlay.write_text(overlay.read_text().replace("4", "5"))
    assert "the cost table has changed since this run" in call("explain", "../run", "dram.read_bit").stdout


def test_show_is_the_file_verbatim() -> None:
    assert call("show", "sata").stdout == (ROOT / "arch_configs/systolic/sata.yaml").read_text()
    assert call("show", "cnn-mnist").stdout == (ROOT / "workloads/cnn-mnist.yaml").read_text()
    assert call("show", "default").stdout == (ROOT / "arch_configs/cost/default.yaml").read_text()


def test_a_shown_preset_runs_as_a_file() -> None:
    Path("mine.yaml").write_text(call("show", "sata").stdout)
    assert call("check", "mine.yaml").exit_code == 0
    assert answer("mine.yaml", "cnn-mnist")["energy_pj"] == archsim.simulate("sata", "cnn-mnist").energy_pj


def test_lists() -> None:
    text = call("list").stdout
    for word in ("sata", "cnn-mnist", "default", "sram", "output_stationary"):
        assert word in text
    assert "cnn-mnist" not in call("list", "archs").stdout


@pytest.mark.parametrize("kind", ["arch", "systolic", "workload", "cost", "overlay", "device"])
def test_schemas(kind: str) -> None:
    schema = json.loads(call("schema", kind).stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema.get("properties") or schema.get("$ref") or schema.get("anyOf")


def test_check_recognises_every_preset() -> None:
    known = {kind: archsim.entries(kind) for kind in ("archs", "workloads", "costs", "devices")}
    names = [entry.name for entries in known.values() for entry in entries]
    done = call("check", *names)
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == len(names)
    assert done.stdout.count(": chip ") == len(known["archs"])
    assert done.stdout.count(": workload ") == len(known["workloads"])


def test_check_names_all_errors_of_all_files() -> None:
    Path("chip.yaml").write_text(
        call("show", "sata").stdout.replace("rows: 16", "rowz: 16").replace("clock: 400", "clock: -4")
    )
    chip = Path("chip.yaml").read_text().splitlines()
    clock = next(number for number, line in enumerate(chip, 1) if line.startswith("clock: -4"))
    Path("net.yaml").write_text(call("show", "icassp-bntt").stdout.replace("timesteps:", "timestep:"))
    Path("over.yaml").write_text("constants:\n  dram.reed_bit: {value: 1, source: x}\n")
    Path("plain.txt").write_text("hello\n")
    done = call("check", "chip.yaml", "net.yaml", "over.yaml", "plain.txt", "./nothing.yaml", "satta")
    assert (done.exit_code, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert all(line.startswith("error: ") for line in lines)
    for part in (
        f"chip.yaml:{clock}: clock: ", "did you mean 'rows'?", "array.rows: is missing", "did you mean 'timesteps'?",
        "did you mean 'dram.read_bit'?", "plain.txt:1: must be a mapping", "nothing.yaml: file not found",
        "did you mean 'sata'?",
    ):  # fmt: skip
        assert any(part in line for line in lines), part


WRONG = {
    "unknown chip": (("run", "satta", "cnn-mnist"), "did you mean 'sata'?"),
    "both at once": (("run", "satta", "cnn-mnits"), "did you mean 'cnn-mnist'?"),
    "unknown key": (("run", "sata", "cnn-mnist", "--set", "array.row=3"), "--set: array.row: unknown key"),
    "nearest key": (("run", "sata", "cnn-mnist", "--set", "array.row=3"), "did you mean 'rows'?"),
    "workload key": (("run", "sata", "cnn-mnist", "--set", "workload.timestep=3"), "--set: workload.timestep: unknown"),
    "no assignment": (("run", "sata", "cnn-mnist", "--set", "array.rows"), "--set: not of the form KEY=VALUE"),
    "negative": (("run", "sata", "cnn-mnist", "--set", "array.rows=-1"), "array.rows: must be a whole number"),
    "text": (("run", "sata", "cnn-mnist", "--set", "clock=fast"), "--set: clock: must be a number of MHz"),
    "samples": (("run", "sata", "cnn-mnist", "--samples", "a"), "--samples: not a sample (got 'a'"),
    "reversed": (("run", "sata", "cnn-mnist", "--samples", "3..1"), "ends before it starts"),
    "too many": (("run", "sata", "cnn-mnist", "--samples", "15..17"), "no such samples (got '16, 17'; allowed: 0..15)"),
    "endless": (("run", "sata", "icassp-bntt", "--samples", "all"), "no last sample"),
    "peer": (("run", "sata", "cnn-mnist", "--against", "sata_sim"), "did you mean 'sata-sim'?"),
    "setting": (("run", "sata", "cnn-mnist", "--against", "sata-sim:act_bit=1"), "did you mean 'act_bits'?"),
    "other peer": (
        ("run", "sata", "cnn-mnist", "--against", "spikesim"),
        "--against: this tool knows no systolic chips, such as 'sata' (got 'spikesim'; allowed: sata-sim, ",
    ),
    "cell": (
        ("run", "sata", "cnn-mnist", "--device", "rram-20k-200k"),
        "error: --device: the chip has no crossbar.device (got 'rram-20k-200k')",
    ),
    "states": (("profile", "sata", "cnn-mnist", "--device", "my.csv"), "--device: the chip has no crossbar.states"),
    "no cell": (("run", "spikeflow", "cnn-mnist", "--device", "rram-20k"), "--device: no device preset has this name"),
    "node": (
        ("compare", "sata", "eyeriss-snn", "-w", "cnn-mnist", "--node", "3nm"),
        "error: node: the technology node lies outside the scaling table (got '3nm'; allowed: 7 to 180 nm)",
    ),
    "swapped": (("run", "cnn-mnist", "sata"), "error: this is a chip; a workload is wanted here (got 'sata'; allowed:"),
    "overlay": (("run", "sata", "cnn-mnist", "--costs", "none.yaml"), "none.yaml: file not found"),
    "plugin": (("run", "sata", "cnn-mnist", "--plugin", "none.py"), "no such plugin file"),
    "output": (("run", "sata", "cnn-mnist", "-o", "file"), "file: a file is in the way"),
    "output first": (("run", "satta", "cnn-mnist", "-o", "file"), "file: a file is in the way"),
    "below a file": (("run", "sata", "cnn-mnist", "-o", "file/run"), "a file is in the way"),
    "no run": (("explain", "nowhere", "dram.read_bit"), "nowhere: no result here"),
    "not a run": (("explain", "file", "dram.read_bit"), "not a result"),
    "no run to plot": (("plot", "nowhere"), "nowhere: no result here"),
    "preset": (("show", "cnn-mnits"), "did you mean 'cnn-mnist'?"),
    "topic": (("list", "arch"), "did you mean 'archs'?"),
    "kind": (("schema", "workloads"), "did you mean 'workload'?"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_ends_with_2_and_leaves_nothing(case: str) -> None:
    Path("file").write_text("x")
    words, message = WRONG[case]
    done = call(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr
    assert all(line.startswith("error: ") for line in done.stderr.splitlines())
    assert [path.name for path in Path().iterdir()] == ["file"]
    assert Path("file").read_text() == "x"


@pytest.mark.parametrize(
    "words", [("frobnicate",), ("run", "sata"), ("run", "sata", "cnn-mnist", "--engine", "quick"), ("--nope",)]
)
def test_unknown_verbs_and_options_end_with_2(words: tuple[str, ...]) -> None:
    assert call(*words).exit_code == 2


def test_unknown_actions_of_a_run(run: Path) -> None:
    for what, message in (
        ("dram.reed_bit", "did you mean 'read_bit'?"), ("drum.read_bit", "did you mean 'dram."),
        ("dram", "COMPONENT.ACTION"),
    ):  # fmt: skip
        done = call("explain", str(run), what)
        assert (done.exit_code, done.stdout) == (2, "")
        assert message in done.stderr


def test_figures_that_json_cannot_hold_are_refused() -> None:
    Path("huge.yaml").write_text("constants:\n  dram.read_bit: {value: 1e308, unit: pJ/bit, source: nobody}\n")
    for options in ((), ("--json",), ("-o", "run")):
        done = call("run", "sata", "cnn-mnist", "--costs", "huge.yaml", *options)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "the costs add up to more than a number can hold" in done.stderr
    assert not Path("run").exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="rights do not bind the administrator")
def test_a_folder_without_rights_is_refused() -> None:
    Path("locked").mkdir(mode=0o500)
    done = call("run", "sata", "cnn-mnist", "-o", "locked/run")
    assert done.exit_code == 2
    assert "permission denied" in done.stderr


def process(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "archsim.cli", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, **options)


def test_the_process_itself() -> None:
    assert process("--version").stdout.startswith("archsim ")
    done = process("run", "sata", "cnn-mnist", "--json", "--no-store")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["arch"] == "sata"
    wrong = process("run", "sata", "nothing")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "Traceback" not in wrong.stderr
    plain = process("run", "sata", "cnn-mnist", "--samples", "0,1", env={"PYTHONIOENCODING": "ascii"})
    assert plain.returncode == 0


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, archsim.cli\n"
        "try:\n    sys.argv = ['archsim', '--help']\n    archsim.cli.main()\n"
        "finally:\n    print([m for m in ('numpy', 'pydantic', 'simpy', 'yaml', 'matplotlib', 'pandas', 'numba')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_interrupted_run_ends_with_130_and_writes_nothing() -> None:
    command = [sys.executable, "-m", "archsim.cli", "run", "sata", "vgg16-imagenet", "-o", "run"]
    Path("plugin.py").write_text("from pathlib import Path\n\nPath('prepared').touch()\n")
    command += ["--set", "workload.timesteps=64", "--plugin", "plugin.py"]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    while not Path("prepared").exists():  # the run is under way; executing takes seconds
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert not Path("run").exists()
