"""Early ends: nothing starts behind the prediction, and the last timestep costs what the whole run costs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from test_real_inputs import small
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.ending import decided, spent
from archsim.errors import ArchsimError
from archsim.request import prepare
from archsim.simulation import run_of

STEPWISE = [
    "timesteps.scope=network",
    "neuron.membrane.home=sram",
    "buffers.membrane={size: 16 KiB, line: 32 B, banks: 2}",
]


def run_on(tmp_path, overrides=(), arch="sata"):
    request = prepare(arch, small(tmp_path, "activity: {inputs: mine.npz}\n"), overrides=overrides)
    return run_of(request, 0)


@pytest.mark.parametrize("arch", ["sata", "spikeflow"])
def test_the_last_timestep_costs_what_the_run_costs(tmp_path, arch):
    run = run_on(tmp_path, arch=arch)
    energy_pj, latency_ns = spent(run, 3)
    assert energy_pj[-1] == pytest.approx(run.prices.total_pj.value, rel=1e-12)
    assert latency_ns[-1] == pytest.approx(run.latency_ns, rel=1e-12)
    assert (np.diff(energy_pj) >= 0).all() and (np.diff(latency_ns) >= 0).all() and (energy_pj > 0).all()


def test_what_is_paid_is_what_has_started(tmp_path):
    """Counted task by task, from start cycles and the actions of each task."""
    run = run_on(tmp_path, STEPWISE)
    graph, start = run.execution.graph, run.execution.start
    ready = decided(run, 3)
    prices = {
        (name, action): each.value
        for name, bill in run.prices.bills.items()
        for action, each in bill.cost.energy_pj.items()
    }
    for step, cycle in enumerate(ready.tolist()):
        dynamic = 0.0
        for action in graph.actions:
            counts = np.broadcast_to(np.asarray(action.counts), (action.span.count,))
            for task, count in zip(np.arange(graph.tasks)[action.span.slice], counts, strict=True):
                dynamic += prices.get((action.component, action.action), 0.0) * count * (start[task] < cycle)
        static = run.prices.static_pj.value * cycle / run.execution.cycles
        assert spent(run, 3)[0][step] == pytest.approx(dynamic + static, rel=1e-9)


def test_a_chip_that_goes_through_the_network_step_by_step_can_end_early(tmp_path):
    ready = decided(run_on(tmp_path, STEPWISE), 3)
    assert (np.diff(ready) > 0).all()
    run = run_on(tmp_path, STEPWISE)
    tasks = run.execution.graph
    for step in range(2):  # the prediction of a step needs all work of that step, in every layer
        of_step = tasks.timestep == step
        assert ready[step] >= run.execution.finish[of_step].max()


def test_thresholds_trade_accuracy_for_energy(tmp_path):
    path = small(tmp_path, "activity: {inputs: mine.npz}\n")
    found = archsim.early_exit("sata", path, samples="all", thresholds=[0.5, 1.0], overrides=STEPWISE)
    never, high, low = found.rows
    assert (never.threshold, high.threshold, low.threshold) == (None, 1.0, 0.5)
    assert never.timesteps == 3 and low.timesteps == 1 and low.ended_early == 1.0
    assert never.energy_pj == pytest.approx(archsim.simulate("sata", path, samples="all", overrides=STEPWISE).energy_pj)
    assert low.energy_pj < never.energy_pj and low.latency_ns < never.latency_ns
    assert never.accuracy == 0.75 and not found.note
    assert json.loads(found.to_text())["rows"][0]["threshold"] is None


def test_a_chip_that_finishes_layers_first_saves_nothing_and_says_so(tmp_path):
    found = archsim.early_exit(
        "sata", small(tmp_path, "activity: {inputs: mine.npz}\n"), overrides="timesteps.scope=layer"
    )
    assert "finishes layers for all timesteps" in found.note


def test_the_command_draws(tmp_path, monkeypatch):
    small(tmp_path)
    monkeypatch.chdir(tmp_path)
    asked = ["early-exit", "sata", "small.yaml", "--inputs", "mine.npz", "--figure", "exit.png", "--thresholds", "0.6"]
    done = CliRunner().invoke(app, [*asked, *(part for one in STEPWISE for part in ("--set", one))])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "exit.png").stat().st_size > 5000 and "never" in done.output


@pytest.mark.parametrize("order", ["parallel", "{batched: 2}", "{batched: 3}"])
@pytest.mark.parametrize("scope", ["network", "layer"])
def test_timesteps_that_are_computed_together_do_not_end(tmp_path, scope, order):
    path = small(tmp_path, "activity: {inputs: mine.npz}\n")
    chip = [f"timesteps={{scope: {scope}, order: {order}}}", *STEPWISE[1:]]
    if order == "parallel":
        chip = chip[:1]
    with pytest.raises(ArchsimError, match=r"several timesteps .*timesteps.order=sequential"):
        archsim.early_exit("sata", path, overrides=chip)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"thresholds": "0.5,high"}, "not a number"),
        ({"thresholds": [1.5]}, "between 0 and 1"),
        ({"thresholds": []}, "no threshold"),
        ({"confidence": "sofmax"}, "did you mean 'softmax'"),
        ({"figure": "a.gif"}, "unknown kind of figure"),
    ],
)
def test_wrong_questions(tmp_path, options, text):
    with pytest.raises(ArchsimError, match=text):
        archsim.early_exit("sata", small(tmp_path, "activity: {inputs: mine.npz}\n"), **options)


def test_thresholds_out_of_reach_are_told_with_all_else_that_is_wrong(tmp_path):
    path = small(tmp_path, "activity: {inputs: mine.npz}\nreadout: max\n")
    path.write_text(path.read_text().replace(", spiking: false", ""))
    found = archsim.early_exit("sata", path, thresholds=[0.7], overrides=STEPWISE)
    assert found.rows[-1].threshold == 0.7
    with pytest.raises(ArchsimError) as wrong:
        archsim.early_exit("sata", path, thresholds=[0.7, 0.8, 0.9, 1.5])
    said = [(problem.key, problem.value) for problem in wrong.value.problems]
    assert said == [("thresholds", 1.5), ("thresholds", 0.8), ("thresholds", 0.9)]
    assert "the confidence never exceeds 0.7311" in str(wrong.value)


def test_recorded_spikes_cannot_end(tmp_path):
    with pytest.raises(ArchsimError, match="executed on"):
        archsim.early_exit("sata", "vgg9-cifar10")
