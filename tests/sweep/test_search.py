"""A search: the same table whatever happens on the way, every design once, its constraints and failures learnt."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sweep_processes import ROOT, answers, finish, held_up, kill, said, start, wait_until
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.errors import ArchsimError
from archsim.sweeps.journal import FILE as JOURNAL
from archsim.sweeps.spec import load_spec
from archsim.sweeps.suggest import Suggestions

pytest.importorskip("optuna")

SPACE = """
space:
  array.rows: {from: 2, to: 16}
  array.cols: [2, 4, 8, 16]
  dram.bandwidth: {from: 1.0e+9, to: 12.8e+9, scale: log}
  buffers.weight.size: [64 KiB, 144 KiB]
"""
SAMPLERS = pytest.mark.parametrize("sampler", ["nsga2", "tpe"])


def search(sampler: str = "tpe", trials: int = 24, objectives: str = "energy_pj, area_um2", **more: int) -> str:
    settings = ", ".join(f"{key}: {value}" for key, value in more.items())
    return f"method: {{search: {{sampler: {sampler}, trials: {trials}, objectives: [{objectives}], {settings}}}}}\n"


def lines(folder: str) -> int:
    return Path(folder, JOURNAL).read_bytes().count(b"\n") - 1


def refused(path: Path, **more: object) -> list[str]:
    with pytest.raises(ArchsimError) as caught:
        archsim.sweep(path, output="refused", **more)
    assert not Path("refused").exists()
    return [str(problem) for problem in caught.value.problems]


@SAMPLERS
def test_the_seed_fixes_the_table_and_the_processes_do_not_touch_it(write, sampler):
    one = archsim.sweep(write(SPACE + search(sampler, seed=3)), output="one")
    two = archsim.sweep("spec.yaml", output="two", jobs=2)
    assert Path("one/results.csv").read_bytes() == Path("two/results.csv").read_bytes()
    assert one.rows == two.rows and len(one.rows) == 24
    other = archsim.sweep(write(SPACE + search(sampler, seed=4)), output="other")
    assert [row["id"] for row in one.rows] != [row["id"] for row in other.rows]
    assert json.loads(Path("one/made_with.json").read_text())["versions"]["optuna"]


@SAMPLERS
def test_values_are_of_the_space_and_rows_say_what_single_runs_say(write, sampler):
    table = archsim.sweep(write(SPACE + search(sampler)), output="out")
    for row in table.rows:
        assert type(row["array.rows"]) is int and 2 <= row["array.rows"] <= 16 and row["array.cols"] in (2, 4, 8, 16)
        assert type(row["dram.bandwidth"]) is float and 1e9 <= row["dram.bandwidth"] <= 12.8e9
    last = table.rows[-1]
    alone = archsim.simulate("sata", "tiny.yaml", overrides=[f"{key}={last[key]}" for key in table.keys])
    assert (last["energy_pj"], last["area_um2"]) == (alone.energy_pj, alone.area_um2)


@SAMPLERS
def test_every_design_is_tried_once_until_there_is_no_other(write, sampler):
    space = "space: {array.rows: [2, 4, 8], array.cols: {from: 2, to: 4}, sparsity: [none, gate]}\n"
    table = archsim.sweep(write(space + search(sampler, trials=17)), output="some")
    assert len({row["id"] for row in table.rows}) == len(table.rows) == 17
    table = archsim.sweep(write(space + search(sampler, trials=100)), output="all")
    grid = archsim.sweep(write(space.replace("to: 4", "to: 4, step: 1")), output="grid")
    assert len(table.rows) == 18
    assert sorted(map(str, table.rows)) == sorted(map(str, grid.rows))


def test_what_a_grid_has_answered_is_not_executed_again(write):
    space = "space: {array.rows: [2, 4, 8], array.cols: [2, 4, 8]}\n"
    archsim.sweep(write(space), output="out", store="s.db")
    before = lines("out")
    table = archsim.sweep(write(space + search(trials=6)), output="out")
    assert lines("out") == before == 9 and len(table.rows) == 6
    archsim.sweep("spec.yaml", output="new", store="s.db")
    assert len(archsim.Store("s.db").rows()) == 9
    assert Path("out/results.csv").read_bytes() == Path("new/results.csv").read_bytes()


def test_more_trials_go_on_where_fewer_ended(write):
    few = archsim.sweep(write(SPACE + search(trials=16)), output="out")
    more = archsim.sweep(write(SPACE + search(trials=32)), output="out")
    assert more.rows[:16] == few.rows and lines("out") == 32


@SAMPLERS
def test_constraints_are_learnt(write, sampler):
    text = SPACE + "constraints: [area_um2 < 4.6e+5, latency_ns < 6000]\n"
    drawn = archsim.sweep(write(text + "method: {random: {points: 60}}"), output="drawn")
    table = archsim.sweep(write(text + search(sampler, trials=60, objectives="energy_pj, latency_ns")), output="out")
    late = [row["status"] for row in table.rows[30:]].count("ok")
    assert late > 1.5 * len(drawn.of("ok")) / 2 > 0
    assert all("not " in row["message"] for row in table.of("constraint"))


@SAMPLERS
def test_failures_do_not_stop_a_search_and_are_avoided(write, sampler):
    space = "space: {array.rows: {from: -40, to: 40}, array.cols: {from: -10, to: 30}}\n"
    drawn = archsim.sweep(write(space + "method: {random: {points: 60}}"), output="drawn")
    table = archsim.sweep(write(space + search(sampler, trials=60)), output="out")
    late = [row["status"] for row in table.rows[30:]].count("failed")
    assert len(table.rows) == 60 and 0 < late < len(drawn.of("failed")) / 2
    assert all("must be a whole number" in row["message"] for row in table.of("failed"))


def test_spaces_of_few_and_of_odd_values_come_to_an_end(write):
    for space, designs in (
        ("clock: {from: 1.0, to: 1.0000000000000002}", 2),
        ("clock: {from: 2.5, to: 2.5}", 1),
        ("array.rows: [4]", 1),
        ("array.rows: [4, 4, 2]", 2),
        ("sparsity: [none, {a: 1}, [1, 2], true]", 4),
    ):
        table = archsim.sweep(write(f"space: {{{space}}}\n" + search(trials=9)), output="out")
        assert len({row["id"] for row in table.rows}) == len(table.rows) == designs


def test_where_every_design_fails_the_table_says_why(write):
    table = archsim.sweep(write("space: {array.rows: {from: -40, to: 0}}\n" + search(trials=12)), output="out")
    assert [row["status"] for row in table.rows] == ["failed"] * 12
    from archsim.report.sweep_tables import print_sweep

    print_sweep(table)


@SAMPLERS
def test_the_larger_throughput_is_the_better_one(write, sampler):
    table = archsim.sweep(write(SPACE + search(sampler, trials=48, objectives="throughput_per_s")), output="out")
    drawn = archsim.sweep(write(SPACE + "method: {random: {points: 48}}"), output="drawn")
    late, chance = (np.median([row["throughput_per_s"] for row in rows]) for rows in (table.rows[24:], drawn.rows))
    assert late > 1.1 * chance


def test_the_chip_may_be_a_choice(write):
    path = write("space: {array.rows: {from: 2, to: 8}, clock: [200 MHz, 400 MHz]}\n" + search(trials=20))
    path.write_text(path.read_text().replace("[sata]", "[scalesim-os, sata]"))
    table = archsim.sweep(path, output="out")
    assert {row["arch"] for row in table.rows} == {"sata", "scalesim-os"} and "archs" not in table.keys
    file, _ = load_spec(path)
    first = Suggestions({"archs": ["scalesim-os", "sata"], **file.space}, file.search).ask(8)
    assert [{"archs": row["arch"]} | {key: row[key] for key in table.keys} for row in table.rows[:8]] == first
    for row in table.rows[:3]:
        keys = [f"{key}={row[key]}" for key in table.keys]
        assert row["energy_pj"] == archsim.simulate(row["arch"], "tiny.yaml", overrides=keys).energy_pj
    path.write_text(path.read_text().replace("[scalesim-os, sata]", "[spikeflow, sata]"))
    assert any("spec.yaml:3: space.array.rows: not every chip has this key" in text for text in refused(path))


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
@SAMPLERS
def test_killed_at_random_moments_it_ends_in_the_same_table(write, sampler, jobs):
    spec = write(SPACE + search(sampler, trials=60))
    whole = archsim.sweep(spec, output="whole")
    chance = random.Random(7)
    with held_up("killed"):
        for number in (3, 21, 40):
            process = start(spec, "killed", "-j", jobs)
            wait_until(lambda number=number: answers("killed") >= number, process)
            time.sleep(chance.random() * 0.05)
            assert kill(process)
    assert not Path("killed/results.csv").exists()
    finish(spec, "killed")
    assert said("killed").endswith(f"saved: {Path('killed/results.csv')}\n")
    assert Path("killed/results.csv").read_bytes() == Path("whole/results.csv").read_bytes() == whole.to_csv().encode()
    assert lines("killed") == 60


@pytest.mark.slow
def test_a_cluster_makes_the_same_table(write, monkeypatch):
    distributed = pytest.importorskip("distributed")
    archsim.sweep(write(SPACE + search()), output="here")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        archsim.sweep("spec.yaml", output="there", on=f"dask:{cluster.scheduler_address}")
    assert Path("there/results.csv").read_bytes() == Path("here/results.csv").read_bytes()


def test_the_bar_counts_trials(write):
    shown = []
    archsim.sweep(write(SPACE + search(trials=20)), output="out", progress=lambda *at: shown.append(at))
    assert shown[0] == (0, 20) and shown[-1] == (20, 20) and [at for at, _ in shown] == sorted(at for at, _ in shown)
    shown.clear()
    archsim.sweep(write(SPACE + search(trials=24)), output="out", progress=lambda *at: shown.append(at))
    assert shown[0][0] >= 16 and shown[-1] == (24, 24)
    shown.clear()
    archsim.sweep("spec.yaml", output="out", progress=lambda *at: shown.append(at))
    assert not shown


def test_the_verbs_show_the_front_and_nothing_of_optuna(write):
    spec = write(SPACE + search())
    command = [sys.executable, "-W", "default", "-m", "archsim", "sweep", str(spec), "-o", "out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == f"saved: {Path('out/results.csv')}\n"
    assert "points on the front of energy_pj × area_um2" in done.stdout
    body = json.loads(CliRunner().invoke(app, ["sweep", str(spec), "-o", "out", "--json"]).stdout)
    assert body["objectives"] == ["energy_pj", "area_um2"] and len(body["rows"]) == 24
    shown = CliRunner().invoke(app, ["pareto", "out", "energy_pj", "latency_ns"])
    assert shown.exit_code == 0 and "of 24 points on the front" in shown.stdout


def test_optuna_is_left_as_it_was(write):
    import logging

    before = logging.getLogger("optuna").level
    archsim.sweep(write(SPACE + search(trials=4)), output="out")
    assert logging.getLogger("optuna").level == before


def test_without_the_extra_the_message_says_how_to_get_it(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    spec = write("space: {array.rowz: [4]}\n" + search())
    found = refused(spec)
    assert any("pip install 'archsim[dse]'" in text for text in found) and any("'array.rows'" in text for text in found)
    done = CliRunner().invoke(app, ["sweep", str(spec), "-o", "refused"])
    assert done.exit_code == 2 and not Path("refused").exists()


def test_an_optuna_that_is_too_old_is_refused(write, monkeypatch):
    import optuna

    monkeypatch.setattr(optuna, "__version__", "4.9.0")
    assert any("needs optuna 5 or newer" in text for text in refused(write(SPACE + search())))


def test_everything_that_is_wrong_is_said_at_once(write):
    path = write(
        "method: {search: {sampler: nsga3, trials: 0, objectives: [energy, area_um2, area_um2], sede: 1}}\n"
        "points: [{array.rows: 4}]\nrepeats: 2\ncosts: [null, cheap.yaml]\n"
    )
    path.write_text(path.read_text().replace("[tiny.yaml]", "[tiny.yaml, cnn-mnist]"))
    found = refused(path)
    wanted = [
        "a search needs keys to vary", ":2: workloads: a search is for one network", "did you mean 'nsga2'",
        "search.trials: must be a whole number from 1", "objectives.0: no such number", "did you mean 'energy_pj'",
        "objectives.2: an objective stands once", "did you mean 'seed'", ":4: points: a search finds its points",
        ":5: repeats: a search compares designs, not seeds", ":6: costs: a search has one price",
    ]  # fmt: skip
    assert not [said for said in wanted if not any(said in text for text in found)] and len(found) == 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "method: search",
            "allowed: {search: {sampler: tpe, trials: 100, seed: 0, objectives: [energy_pj, latency_ns]}}",
        ),
        ("method: random", "allowed: {random: {points: 100, seed: 0}}"),
        (
            search(trials=4, batch=5),
            "method.search.batch: more designs at once than trials (got 5; allowed: at most 4)",
        ),
        (search("nsga2", trials=4, batch=1), "a population has two or more"),
        (search(objectives=""), "method.search.objectives: must be a list of at least 1"),
        ("method: {search: {objectives: [energy_pj]}}", "method.search.trials: is missing"),
        ("method: {search: {trials: 3, objectives: [energy_pj]}, random: {points: 3}}", "a sweep has one method"),
        ("method: {}", "a sweep has one method (allowed: one of random, latin_hypercube, search)"),
        ("seeds: [3]\n" + search(), "seeds: a search compares designs"),
        (search() + "constraints: [area < 3]", "did you mean 'area_um2'"),
    ],
)
def test_what_makes_no_sense_is_refused(write, text, said):
    assert any(said in problem for problem in refused(write(SPACE + text)))


def test_only_a_grid_needs_steps(write):
    assert any("a grid needs the range's" in text for text in refused(write(SPACE)))
