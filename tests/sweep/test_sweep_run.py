"""A sweep's table: the numbers of the same runs done one by one, whatever happens on the way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import archsim
from archsim.errors import ArchsimError
from archsim.sweeps import fulfil_sweep, prepare_sweep
from archsim.sweeps.journal import FILE as JOURNAL
from archsim.sweeps.journal import Journal
from archsim.sweeps.table import METRICS, load_sweep
from archsim.sweeps.work import Outcome

CHEAP = """
name: cheap dram
constants:
  dram.read_bit: {value: 0.5, source: a test}
"""
SPACE = "space: {array.rows: [2, 4, 8], array.cols: [2, 4], workload.timesteps: [1, 2]}\n"


def test_rows_hold_what_single_runs_say(write):
    table = archsim.sweep(write(SPACE), output="out")
    assert len(table.rows) == 12 and [row["status"] for row in table.rows] == ["ok"] * 12
    for row in (table.rows[0], table.rows[7]):
        keys = [f"{key}={row[key]}" for key in table.keys]
        alone = archsim.simulate("sata", "tiny.yaml", overrides=keys, engine="des")
        assert {name: row[name] for name in METRICS} == {name: getattr(alone, name) for name in METRICS}
    assert len({row["id"] for row in table.rows}) == 12


def test_the_table_reads_back_as_it_was_written(write):
    table = archsim.sweep(write(SPACE), output="out")
    again = load_sweep("out")
    assert again.columns == table.columns
    for one, two in zip(again.rows, table.rows, strict=True):
        assert [one[name] for name in METRICS] == [two[name] for name in METRICS]


def test_two_processes_make_the_same_table_as_one(write):
    spec = write(SPACE)
    archsim.sweep(spec, output="one")
    archsim.sweep(spec, output="two", jobs=2)
    assert Path("one/results.csv").read_bytes() == Path("two/results.csv").read_bytes()


def test_failures_are_recorded_with_their_message_and_skipped(write):
    table = archsim.sweep(write("space: {array.rows: [0, 4], buffers.weight.size: [144 KiB, 1 B]}"), output="out")
    assert [row["status"] for row in table.rows] == ["failed", "failed", "ok", "failed"]
    assert "array.rows: must be a whole number" in table.rows[0]["message"]
    assert table.rows[0]["energy_pj"] is None and table.rows[3]["message"]


def test_a_constraint_that_nothing_meets_keeps_the_points(write, capsys):
    from archsim.report.sweep_tables import print_sweep

    table = archsim.sweep(write("space: {array.rows: [2, 4]}\nconstraints: [area_um2 < 1]"), output="out")
    assert [row["status"] for row in table.rows] == ["constraint"] * 2
    assert table.rows[0]["message"] == "not area_um2 < 1" and table.rows[0]["area_um2"] > 1
    print_sweep(table)
    assert "no point meets all constraints" in capsys.readouterr().out
    with pytest.raises(ArchsimError, match="meets the constraints"):
        archsim.pareto(table, "energy_pj")


def test_networks_do_not_compete_in_the_summary(write, capsys):
    from archsim.report.sweep_tables import print_front, print_sweep

    text = "archs: [sata]\nworkloads: [cnn-mnist, icassp-bntt]\nspace: {array.rows: [4, 8]}"
    Path("two.yaml").write_text(text)
    table = archsim.sweep("two.yaml", output="out")
    print_sweep(table)
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if " sata " in line]
    networks = [words[words.index("sata") + 1] for words in lines]
    assert networks == ["cnn-mnist"] * 5 + ["icassp-bntt"] * 5
    for at in (0, 5):
        own = [row for row in table.rows if row["workload"] == networks[at]]
        assert min(own, key=lambda row: row["energy_pj"])["id"] in lines[at]
    print_front(archsim.pareto(table, "energy_pj"))
    assert "note: " not in capsys.readouterr().out


def test_a_sweep_over_nodes_says_what_ranks_them(write, capsys):
    from archsim.report.html import html_report
    from archsim.report.sweep_tables import print_front, print_sweep

    table = archsim.sweep(write("space: {node: [45 nm, 28 nm]}"), output="out")
    said = "note: Energies at different nodes differ by leakage more than by the shrink: equal"
    for shown in (lambda: print_sweep(table), lambda: print_front(archsim.pareto(table, "energy_pj"))):
        shown()
        assert said in capsys.readouterr().out
    assert said.removeprefix("note: ") in html_report("out").replace("&#39;", "'")


def test_an_unfinished_or_damaged_sweep_says_how_it_goes_on(write):
    spec = write("space: {array.rows: [2, 4]}")
    archsim.sweep(spec, output="out")
    whole = Path("out/results.csv").read_text()
    Path("out/results.csv").unlink()
    with pytest.raises(ArchsimError, match="not finished: the same 'archsim sweep' command goes on"):
        archsim.pareto("out", "energy_pj")
    first, second, third = whole.splitlines()
    number = third.split(",")[4]
    for damaged in ("nonsense", "\n".join([first, second, third[:20]]), whole.replace(number, "x"), "\x00\udc80"):
        Path("out/results.csv").write_bytes(damaged.encode("utf-8", "surrogateescape"))
        with pytest.raises(ArchsimError, match="; the same 'archsim sweep' command writes it anew"):
            archsim.pareto("out", "energy_pj")
        archsim.sweep(spec, output="out")
        assert Path("out/results.csv").read_text() == whole
    Path("alone.csv").write_text("nonsense")
    with pytest.raises(ArchsimError, match=r"alone\.csv:1: not the table of a sweep of this version$"):
        archsim.pareto("alone.csv", "energy_pj")


@pytest.fixture
def executions(monkeypatch):
    """How often a sweep in this process has executed something."""
    from archsim.sweeps import work

    counted = []
    execute_once = work.execute_once
    monkeypatch.setattr(work, "execute_once", lambda *args: counted.append(1) or execute_once(*args))
    return counted


def as_alone(row, arch="sata", samples=0):
    """The numbers of a row, executed and priced by itself."""
    own = ("id", "arch", "workload", "costs", "status", "message", *METRICS)
    overrides = [f"{key}={value}" for key, value in row.items() if key not in own and value is not None]
    costs = [row["costs"]] if row.get("costs") else []
    alone = archsim.simulate(arch, "tiny.yaml", overrides=overrides, costs=costs, samples=samples)
    return {name: getattr(alone, name) for name in METRICS}


def test_prices_share_one_execution(write, executions):
    Path("cheap.yaml").write_text(CHEAP)
    table = archsim.sweep(write("space: {array.rows: [2, 4]}\ncosts: [null, cheap.yaml]"), output="out")
    assert len(executions) == 2 and len(table.rows) == 4
    for row in table.rows:
        assert {name: row[name] for name in METRICS} == as_alone(row)
    assert table.rows[0]["energy_pj"] != table.rows[1]["energy_pj"]


PRICED = """
space:
  node: [65 nm, 45, 28]
  cost.dram.read_bit: [1, 20.5, 100]
  array.rows: [2, 4]
  cost.sram.read_factor: [1, 2]
"""


@pytest.mark.parametrize(("arch", "samples"), [("sata", 0), ("sata", "0..2"), ("spikeflow", 0)])
def test_constants_and_nodes_share_one_execution(write, executions, arch, samples):
    space = PRICED if arch == "sata" else PRICED.replace("array.rows: [2, 4]", "crossbar.rows: [64, 32]")
    spec = write(f"{space}\nsamples: {samples}")
    spec.write_text(spec.read_text().replace("[sata]", f"[{arch}]"))
    table = archsim.sweep(spec, output="out")
    assert {row["status"] for row in table.rows} == {"ok"}
    assert len(executions) == (2 if samples == 0 else 6) and len(table.rows) == 36
    assert len({row["energy_pj"] for row in table.rows}) == (36 if arch == "sata" else 12)  # spikeflow reads no DRAM
    for row in table.rows[::7]:
        assert {name: row[name] for name in METRICS} == as_alone(row, arch, samples)


def test_a_price_that_cannot_be_leaves_the_others(write, executions):
    table = archsim.sweep(write("space: {node: [28, 1000, 65], cost.dram.read_bit: [2, -2]}"), output="out")
    assert [row["status"] for row in table.rows] == ["ok", "failed", "failed", "failed", "ok", "failed"]
    assert "cost.dram.read_bit" in table.rows[1]["message"] and "1000" in table.rows[2]["message"]
    assert len(executions) == 1


def test_what_cannot_be_executed_is_tried_once(write, executions):
    table = archsim.sweep(write("space: {buffers.ifmap.size: [64 B, 64 KiB], cost.dram.read_bit: [2, 3, 4]}"))
    assert [row["status"] for row in table.rows] == ["failed"] * 3 + ["ok"] * 3
    assert len(executions) <= 2 and len({row["message"] for row in table.rows[:3]}) == 1


def test_seeds_repeat_synthetic_activity(write):
    table = archsim.sweep(write("repeats: 3"), output="out")
    assert [row["workload.activity.seed"] for row in table.rows] == [0, 1, 2]
    assert len({row["energy_pj"] for row in table.rows}) == 3


def test_what_is_answered_is_not_executed_again_until_it_changes(write):
    spec = write(SPACE)
    archsim.sweep(spec, output="out")
    lines = Path("out", JOURNAL).read_bytes()
    archsim.sweep(spec, output="out")
    assert Path("out", JOURNAL).read_bytes() == lines
    network = Path("tiny.yaml")
    network.write_text(network.read_text().replace("0.3", "0.4"))
    changed = archsim.sweep(spec, output="out")
    assert Path("out", JOURNAL).read_bytes().count(b"\n") == 2 * 12 + 1
    archsim.sweep(spec, output="new")
    assert changed.to_csv() == Path("new/results.csv").read_text()


def test_the_store_answers_another_sweep(write):
    from archsim.store import Store

    spec = write(SPACE)
    archsim.sweep(spec, output="one", store="s.db")
    assert len(Store("s.db").rows()) == 12
    archsim.sweep(spec, output="two", store="s.db")
    assert len(Store("s.db").rows()) == 12
    assert Path("one/results.csv").read_bytes() == Path("two/results.csv").read_bytes()


def test_a_torn_line_is_executed_again(write):
    spec = write(SPACE)
    whole = archsim.sweep(spec, output="out")
    journal = Path("out", JOURNAL)
    content = journal.read_bytes()
    for cut in (3, len(content) // 2, len(content) - 1):
        journal.write_bytes(content[:cut])
        assert archsim.sweep(spec, output="out") == whole
        assert journal.read_bytes().count(b"\n") == 13
        with Journal("out") as again:
            assert len(again.outcomes) == 12


def test_one_folder_has_one_writer(write, tmp_path):
    with Journal(tmp_path / "out"), pytest.raises(ArchsimError, match="another sweep is writing"):
        archsim.sweep(write(SPACE), output="out")


def test_a_folder_with_something_else_is_refused(write, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(ArchsimError, match="what it holds is no sweep"):
        archsim.sweep(write(SPACE), output="mine")
    assert os.listdir(tmp_path / "mine") == ["notes.txt"]


def test_a_full_disk_keeps_what_is_there(write, monkeypatch):
    def full(number):
        raise OSError(28, "No space left on device")

    request = prepare_sweep(write(SPACE), output="out")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ArchsimError, match="no space left on device; what was written is kept"):
            fulfil_sweep(request)
    assert len(fulfil_sweep(request).of("ok")) == 12


def test_a_lone_outcome_survives_the_journal(tmp_path):
    with Journal(tmp_path / "out") as journal:
        journal.add([Outcome("a", {"energy_pj": 0.1}), Outcome("b", None, "too\nbig")])
    with Journal(tmp_path / "out") as journal:
        assert journal.outcomes == {"a": Outcome("a", {"energy_pj": 0.1}), "b": Outcome("b", None, "too\nbig")}


def test_the_file_as_given_and_what_made_the_table_lie_beside_it(write):
    spec = write("# mine\nspace: {array.rows: [8]}\n")
    archsim.sweep(spec, output="out")
    assert Path("out/sweep.yaml").read_bytes() == spec.read_bytes()
    made = json.loads(Path("out/made_with.json").read_text())
    assert made["versions"]["archsim"] and len(set(made["hashes"].values())) == 3
    before = made["hashes"]["network tiny.yaml"]
    Path("tiny.yaml").write_text(Path("tiny.yaml").read_text().replace("0.3", "0.4"))
    archsim.sweep(spec, output="out")
    made = json.loads(Path("out/made_with.json").read_text())
    assert made["hashes"]["network tiny.yaml"] != before
