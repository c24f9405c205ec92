"""What differs between two runs: signed, without remainder, explained by count and price, and put in words."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

import archsim
from archsim.cli import app
from archsim.comparison import CHANGE_TABLES, TABLES, Amount, Change, Comparison, Product, Side, sentences
from archsim.comparison.sentences import factor
from archsim.errors import ArchsimError
from archsim.report.compare_tables import print_comparison
from archsim.result import Result

NETWORK = """
name: {name}
timesteps: {timesteps}
input: {{shape: [2, 6, 6], encoding: direct}}
neuron: {{model: lif, leak: 0.9, threshold: 1.0, reset: hard}}
precision: {{weight_bits: 4, membrane_bits: 16, input_bits: 4}}
layers:
  - {{name: {first}, type: conv2d, out_channels: {channels}, kernel: 3, padding: 1}}
  - {{name: pool, type: avgpool2d, kernel: 2}}
  - {{name: fc, type: linear, out_features: 5, spiking: false}}
activity: {{density: {density}, seed: 3}}
"""
CHIPS = {
    "sata": ["array.rows=3", "array.rows=16", "clock=200 MHz", "node=45 nm", "sparsity=skip: union", "dram.devices=1"],
    "eyeriss-snn": ["array.cols=2", "clock=800 MHz", "sparsity=none"],
    "spikeflow": ["adc.bits=5", "clock=100 MHz", "crossbar.rows=32", "node=32 nm"],
}
COUNTED = ("energy_by_action", "energy_by_layer_action", "latency_by_layer", "latency_by_unit", "area_by_component")
UNIT = {"energy": "pj", "latency": "ns", "area": "um2"}


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def sata() -> Result:
    return archsim.simulate("sata", "cnn-mnist")


@pytest.fixture(scope="module")
def slower() -> Result:
    return archsim.simulate("sata", "cnn-mnist", overrides=["clock=100 MHz", "array.rows=8"])


@pytest.fixture(scope="module")
def spikeflow() -> Result:
    return archsim.simulate("spikeflow", "cnn-mnist")


def change(first: Result, other: Result) -> Change:
    return Change(Side("A", "a", "run", first), Side("B", "b", "run", other))


def of(*results: Result) -> Comparison:
    return Comparison(tuple(Side(f"chip{at}", f"chip{at}", "run", result) for at, result in enumerate(results)))


def call(*words: str) -> Any:
    return CliRunner().invoke(app, ["compare", *words])


@st.composite
def runs(draw: st.DrawFn) -> tuple[str, list[str], dict[str, Any], str]:
    chip = draw(st.sampled_from(sorted(CHIPS)))
    changes = draw(st.lists(st.sampled_from(CHIPS[chip]), max_size=2, unique_by=lambda text: text.split("=")[0]))
    network = {
        "name": "net", "timesteps": draw(st.integers(1, 3)), "channels": draw(st.integers(1, 5)),
        "first": draw(st.sampled_from(["conv", "stem"])), "density": draw(st.sampled_from([0.0, 0.2, 1.0])),
    }  # fmt: skip
    return chip, changes, network, draw(st.sampled_from(["0", "0..1"]))


def executed(chip: str, changes: list[str], network: dict[str, Any], samples: str) -> Result:
    Path("net.yaml").write_text(NETWORK.format(**network))
    return archsim.simulate(chip, "net.yaml", overrides=changes, samples=samples)


# sums


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=runs(), two=runs())
def test_parts_of_real_runs_sum_to_the_difference(one: Any, two: Any) -> None:
    first, other = executed(*one), executed(*two)
    found, back = change(first, other), change(other, first)
    figures = {"energy": "energy_pj", "latency": "latency_ns", "area": "area_um2"}
    for name in CHANGE_TABLES:
        table = getattr(found, name)
        values = [getattr(result, figures[table.quantity]) for result in (first, other)]
        assert table.totals == tuple(values)
        scale = max(values)
        for side in (0, 1):
            assert math.fsum(part.values[side] for part in table.parts) == pytest.approx(values[side], rel=1e-9)
        assert math.fsum(part.difference for part in table.parts) == pytest.approx(
            values[1] - values[0], rel=1e-9, abs=1e-9 * scale
        )
        assert abs(table.remainder) <= 1e-9 * scale
        mirrored = {part.names: part for part in getattr(back, name).parts}
        for part in table.parts:
            assert mirrored[part.names].difference == pytest.approx(-part.difference)
            if name in COUNTED:
                both = part.count_effect + part.price_effect
                assert both == pytest.approx(part.difference, rel=1e-9, abs=1e-9 * scale)
                assert mirrored[part.names].count_effect == pytest.approx(-part.count_effect)
    effects: dict[Any, float] = {}
    for part in found.energy_by_layer_action.parts:
        effects[part.names[1:]] = effects.get(part.names[1:], 0.0) + part.count_effect
    for part in found.energy_by_action.parts:
        assert effects.pop(part.names) == pytest.approx(part.count_effect, rel=1e-9, abs=1e-9 * first.energy_pj)
    assert not effects


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(run=runs())
def test_a_run_beside_itself_differs_in_nothing(run: Any) -> None:
    result = executed(*run)
    found = change(result, replace(result, engine="fast"))
    assert found.is_equal and found.is_same_question
    assert all(part.difference == 0 for name in CHANGE_TABLES for part in getattr(found, name).parts)
    assert [text.split(" ")[1] for text in sentences(found)] == ["asks", "is"]


def test_static_energy_of_layers_is_what_they_state_and_the_rest_is_idle(sata: Result, slower: Result) -> None:
    table = change(sata, slower).energy_by_layer
    rows = {part.names[0]: part for part in table.parts}
    for at, result in enumerate((sata, slower)):
        for layer in result.layers:
            assert rows[layer.name].dynamic[at] == layer.dynamic_pj
            assert rows[layer.name].static[at] == layer.static_pj
        idle = result.static_pj - sum(layer.static_pj for layer in result.layers)
        assert rows["idle"].static[at] == pytest.approx(idle) and rows["idle"].dynamic[at] == 0


def test_a_component_is_one_part_whatever_its_level(sata: Result, slower: Result) -> None:
    """Chips may count a membrane buffer to the global buffer or to the neuron module: it is neither new nor gone."""
    name, home = slower.components[0].name, slower.components[0].level
    away = next(part.level for part in slower.components if part.level != home)
    parts = tuple(replace(part, level=away) if part.name == name else part for part in slower.components)
    moved = replace(slower, components=parts)
    for which in ("energy_by_component", "area_by_component"):
        table, as_before = (getattr(change(sata, other), which) for other in (moved, slower))
        assert [part.values for part in table.parts if part.names == (name, " | ".join(sorted((home, away))))] == [
            part.values for part in as_before.parts if part.names == (name, home)
        ]
        assert len({part.names[0] for part in table.parts}) == len(table.parts) == len(as_before.parts)
    (told,) = of(sata, moved).moved
    assert (told.component, told.levels) == (name, (home, away))
    assert not of(sata, slower).moved
    console = Console(file=StringIO(), width=200)
    print_comparison(of(sata, moved), console)
    note = f"not like for like: {name} counts as {home} for chip0, {away} for chip1"
    assert console.file.getvalue().count(note) == 2  # type: ignore[attr-defined]


def test_rows_are_sorted_by_size_whatever_their_sign(sata: Result, spikeflow: Result) -> None:
    for name in CHANGE_TABLES:
        sizes = [abs(part.difference) for part in getattr(change(sata, spikeflow), name).parts]
        assert sizes == sorted(sizes, reverse=True)


# count and price


def test_the_split_by_hand() -> None:
    """3 at 2 become 5 at 1: 2 more at the mean price 1.5; the mean count 4 at 1 less."""
    part = Product(("x",), Amount(3, 2.0, 6.0), Amount(5, 1.0, 5.0))
    assert (part.difference, part.count_effect, part.price_effect) == (-1.0, 3.0, -4.0)


def test_what_one_side_has_none_of_is_all_count() -> None:
    for part, count in ((Product(("x",), Amount(0, None, 0.0), Amount(4, 2.5, 10.0)), 10.0),
                        (Product(("x",), Amount(4, 2.5, 10.0), Amount(0, None, 0.0)), -10.0)):  # fmt: skip
        assert (part.count_effect, part.price_effect) == (count, 0.0)


def test_prices_that_differ_by_rounding_are_one_price() -> None:
    part = Product(("x",), Amount(3, 0.1 + 0.2, 0.9), Amount(5, 0.3, 1.5))
    assert (part.count_effect, part.price_effect) == (pytest.approx(0.6), 0.0)


def test_doubled_prices_are_all_price_and_doubled_counts_all_count(sata: Result) -> None:
    dearer = replace(sata, counts=tuple(replace(row, energy_pj=2 * row.energy_pj) for row in sata.counts))
    oftener = replace(sata, counts=tuple(replace(row, energy_pj=2 * row.energy_pj, count=2 * row.count)
                                         for row in sata.counts))  # fmt: skip
    for result, effect, none in ((dearer, "price_effect", "count_effect"), (oftener, "count_effect", "price_effect")):
        for name in ("energy_by_action", "energy_by_layer_action"):
            parts = [part for part in getattr(change(sata, result), name).parts if part.names[-1] != "leakage"]
            assert sum(getattr(part, effect) for part in parts) == pytest.approx(sata.dynamic_pj)
            assert max(abs(getattr(part, none)) for part in parts) <= 1e-12 * sata.dynamic_pj


def test_leakage_is_run_time_times_power(sata: Result, slower: Result) -> None:
    rows = {part.names: part for part in change(sata, slower).energy_by_action.parts}
    dram = rows["dram", "leakage"]
    (one,), (two,) = ([row for row in result.components if row.name == "dram"] for result in (sata, slower))
    assert (dram.first.count, dram.other.count) == (sata.latency_ns, slower.latency_ns)
    assert dram.values == (one.static_pj, two.static_pj)
    assert dram.price_effect == pytest.approx(0, abs=1e-9 * dram.difference)  # DRAM has the same power
    array = rows["pe_and", "leakage"]
    assert array.other.price == pytest.approx(array.first.price / 2)  # half the rows


def test_cycles_and_clock_tell_the_time(sata: Result, slower: Result) -> None:
    for part in change(sata, slower).latency_by_layer.parts:
        (one,), (two,) = (
            [layer.cycles for layer in result.layers if layer.name == part.names[0]] for result in (sata, slower)
        )
        assert (part.first.count, part.other.count) == (one, two)
        assert (part.first.price, part.other.price) == (2.5, 10.0)
        assert part.difference == 10.0 * two - 2.5 * one


def test_layers_that_one_side_lacks_have_the_price_of_the_action(sata: Result) -> None:
    """N at p become none at 2p: -1.5 Np by the count, +0.5 Np by the price; over all layers as for the whole action."""
    dearer = tuple(replace(row, energy_pj=2 * row.energy_pj) for row in sata.counts if row.layer != "fc1")
    found = change(sata, replace(sata, counts=dearer, layers=tuple(row for row in sata.layers if row.name != "fc1")))
    rows = [part for part in found.energy_by_layer_action.parts if part.names[0] == "fc1" and part.first.price]
    spent = sum(row.energy_pj for row in sata.counts if row.layer == "fc1")
    assert rows and sum(part.count_effect for part in rows) == pytest.approx(-1.5 * spent)
    assert sum(part.price_effect for part in rows) == pytest.approx(0.5 * spent)


def test_layers_that_are_executed_with_another_one_are_told_as_that_one(sata: Result) -> None:
    """What the pool does on its way out of the array is conv1's, wherever the ledger and the path put it."""
    (conv1,) = [row for row in sata.layers if row.name == "conv1"]
    member = next(name for name in conv1.members if name != "conv1")

    def moved(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(replace(row, layer=member) if row.layer == "conv1" and at % 2 else row
                     for at, row in enumerate(rows))  # fmt: skip

    other = replace(sata, counts=moved(sata.counts), critical_path=moved(sata.critical_path))
    assert other != sata and change(sata, other).is_equal


def test_energy_of_no_mapped_layer_is_idle(sata: Result) -> None:
    without = replace(sata, layers=tuple(row for row in sata.layers if row.name != "fc1"))
    (fc1,) = [row for row in sata.layers if row.name == "fc1"]
    rows = {part.names[0]: part for part in change(sata, without).energy_by_layer.parts}
    assert rows["idle"].dynamic == (0, pytest.approx(fc1.dynamic_pj))
    assert rows["idle"].static[1] - rows["idle"].static[0] == pytest.approx(fc1.static_pj)
    assert rows["fc1"].values == (pytest.approx(fc1.energy_pj), 0)


# words


def test_the_sentences_name_the_part_and_the_reason(sata: Result, slower: Result, spikeflow: Result) -> None:
    energy, latency, area = sentences(change(sata, slower))
    ratio = slower.energy_pj / sata.energy_pj
    assert energy.startswith(f"B needs {ratio:.3g}x the energy of A; ")
    times = slower.latency_ns / sata.latency_ns
    assert "% of the difference is dram.leakage, because the run takes " + f"{times:.3g}x as long." in energy
    assert latency.startswith(f"B takes {times:.3g}x the time of A; ") and "a cycle lasts 4x as long" in latency
    assert area.startswith("B has ") and area.endswith("because there are 0.5x as many.")
    energy, _, area = sentences(change(sata, spikeflow))
    assert "dram.leakage" in energy and energy.endswith("of which B has none.")
    assert area.endswith("% of the difference is adc, of which A has none.")


def test_one_dear_action_is_blamed_in_its_layer(sata: Result) -> None:
    """conv2 reads its weights four times as often, and nothing else changes."""
    conv2 = next(row.members for row in sata.layers if row.name == "conv2")
    chosen = {"component": "weight_buffer", "action": "line_read"}

    def more(row: Any) -> Any:
        there = row.layer in conv2 and all(getattr(row, name) == value for name, value in chosen.items())
        return replace(row, count=4 * row.count, energy_pj=4 * row.energy_pj) if there else row

    counts = tuple(map(more, sata.counts))
    added = sum(row.energy_pj for row in counts) - sum(row.energy_pj for row in sata.counts)
    assert added > 0
    other = replace(sata, counts=counts, energy_pj=sata.energy_pj + added)
    energy = sentences(change(sata, other))[-3]
    count, before = other.count("weight_buffer", "line_read"), sata.count("weight_buffer", "line_read")
    assert "100 % of the difference is weight_buffer.line_read in conv2" in energy
    assert energy.endswith(f"because it is counted {count / before:.3g}x as often.")


def test_what_offsets_each_other_is_said(sata: Result) -> None:
    """Two components trade places but for a little."""
    components = list(sata.components)
    big = max(part.static_pj for part in components)
    at = next(number for number, part in enumerate(components) if part.static_pj == big)
    components[at] = replace(components[at], static_pj=big / 2, energy_pj=components[at].energy_pj - big / 2)
    to = (at + 1) % len(components)
    gain = 0.4 * big
    components[to] = replace(components[to], static_pj=components[to].static_pj + gain,
                             energy_pj=components[to].energy_pj + gain)  # fmt: skip
    other = replace(sata, components=tuple(components), energy_pj=sata.energy_pj - 0.1 * big)
    energy = sentences(change(sata, other))[-3]
    name = sata.components[at].name
    assert f"the largest part is {name}.leakage (5 times the difference, which others offset)" in energy
    assert energy.endswith("because it leaks 0.5x as much.")
    evened = replace(other, energy_pj=sata.energy_pj)
    assert sentences(change(sata, evened))[-3].endswith("as much energy as A; what differs cancels out.")


def test_the_same_question_with_other_answers_is_said(sata: Result) -> None:
    found = sentences(change(sata, replace(sata, energy_pj=2 * sata.energy_pj)))
    assert found[0].startswith("B asks the same question as A")
    assert "another version" in found[1] and "none of its parts differs" in found[2]
    unknown = replace(sata, hashes={})
    assert not change(unknown, unknown).is_same_question


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(2.1, "2.1x"), (4.0, "4x"), (1930.4, "1,930x"), (0.0867, "0.0867x"), (1 / 35988, "1/35,988x"), (1.0, "1x"),
     (1.00029, "1.00029x"), (0.9997, "0.99970x"), (0.0, "0x"), (99.99, "100x")],
)  # fmt: skip
def test_factors(ratio: float, text: str) -> None:
    assert factor(ratio) == text


# settings


def test_settings_are_listed_with_what_was_written_and_with_defaults(sata: Result, slower: Result) -> None:
    found = {one.key: one.values for one in of(sata, slower).settings}
    assert found == {"clock": ("400 MHz", "100 MHz"), "array.rows": ("16", "8")}
    text = call_on(sata, slower)
    assert "Settings that differ" in text and "100 MHz" in text


def test_values_are_compared_as_they_are_meant(sata: Result) -> None:
    same = archsim.simulate("sata", "cnn-mnist", overrides="clock=0.4 GHz")
    assert of(sata, same).settings == ()
    default = archsim.simulate("sata", "cnn-mnist", overrides=["scan_bits=64"])
    assert of(sata, default).settings == ()
    wider = archsim.simulate("sata", "cnn-mnist", overrides=["sparsity=skip: union", "scan_bits=32"])
    assert {one.key: one.values for one in of(sata, wider).settings}["scan_bits"] == ("64", "32")


def test_settings_of_different_families_are_not_listed(sata: Result, spikeflow: Result) -> None:
    assert of(sata, spikeflow).settings == ()


def test_chips_that_cannot_be_read_here_are_compared_as_they_were_written(sata: Result) -> None:
    def stating(result: Result, **keys: Any) -> Result:
        arch = {**result.inputs["arch"], "family": "elsewhere", **keys}
        return replace(result, inputs={**result.inputs, "arch": arch})

    found = of(stating(sata), stating(sata, clock="1 MHz", extra=3)).settings
    assert {one.key: one.values for one in found} == {"clock": ("400 MHz", "1 MHz"), "extra": ("none", "3")}


def test_other_files_under_the_same_names_are_noticed(sata: Result) -> None:
    other = replace(sata, hashes={**sata.hashes, "architecture": "beef"})
    (found,) = of(sata, other).settings
    assert found.values[1] == "beef" and "files" in found.key


def call_on(*results: Result) -> str:
    names = [f"run{at}" for at, _ in enumerate(results)]
    for name, result in zip(names, results, strict=True):
        result.save(name)
    done = call(*names)
    assert done.exit_code == 0, done.stderr
    return str(done.stdout)


def test_seeds_single_prices_and_plugins_are_not_like_for_like(sata: Result) -> None:
    Path("net.yaml").write_text(NETWORK.format(name="net", timesteps=2, channels=2, first="conv", density=0.3))
    Path("nothing.py").write_text("")
    keys = ("workload.activity.seed=4", "cost.dram.read_bit=20")
    changes: list[dict[str, Any]] = [{}, *({"overrides": key} for key in keys), {"plugins": "nothing.py"}]
    plain, *others = [archsim.simulate("sata", "net.yaml", **one) for one in changes]
    seed, price, plugin = [
        {found.topic: found.text for found in of(plain, other).differences} for other in others
    ]  # fmt: skip
    assert "activity.seed (3 / 4)" in seed["network"] and "seed 4 for chip1" in seed["activity"]
    assert list(price) == ["cost table"] and "default + cost.dram.read_bit=20, hash" in price["cost table"]
    assert list(plugin) == ["plug-ins"] and "none for chip0" in plugin["plug-ins"]
    assert [change(plain, other).is_same_question for other in others] == [False, False, False]
    part = change(plain, others[1]).energy_by_action.parts[0]
    assert part.names == ("dram", "read_bit") and part.count_effect == 0 and part.price_effect == part.difference


# every table for programs


def test_json_csv_and_frames_hold_all_rows(sata: Result, slower: Result, spikeflow: Result) -> None:
    found = of(sata, slower, spikeflow)
    data = json.loads(found.to_text())
    assert [(one["first"], one["other"]) for one in data["changes"]] == [("chip0", "chip1"), ("chip0", "chip2")]
    archsim.save_comparison(found, "out")
    import pandas

    for name in CHANGE_TABLES:
        rows = [row for one in data["changes"] for row in one[name]["rows"]]
        frame = found.frame(name)
        assert len(frame) == len(rows) and list(frame["other"].unique()) == ["chip1", "chip2"]
        column = next(key for key in frame if key.startswith("difference_"))
        for label, one in zip(("chip1", "chip2"), data["changes"], strict=True):
            chosen = frame[frame["other"] == label]
            assert chosen[column].sum() == pytest.approx(one[name]["difference"])
            assert chosen["percent"].sum() == pytest.approx(100 * one[name]["difference"] / one[name]["totals"][0])
        written = pandas.read_csv(f"out/{name}.csv", keep_default_na=False)
        assert list(written.columns) == list(frame.columns) and len(written) == len(frame)
        assert written[column].astype(float).to_list() == frame[column].to_list()
    assert found.frame("settings").empty  # of several families
    assert of(sata, slower).frame("settings")["key"].to_list() == ["clock", "array.rows"]
    assert sorted(path.stem for path in Path("out").glob("*.csv")) == sorted(TABLES)
    with pytest.raises(ArchsimError, match="did you mean 'energy_by_layer'"):
        found.frame("energy_by_layr")


# the store


def test_chips_are_asked_of_the_store_and_kept_there() -> None:
    words = ("sata", "scalesim-os", "--workload", "cnn-mnist", "--store", "mine.sqlite", "--json")
    once, twice = call(*words), call(*words)
    assert once.exit_code == twice.exit_code == 0 and once.stdout == twice.stdout
    assert [line.split(": run")[0] for line in once.stderr.splitlines()] == ["sata: stored", "scalesim-os: stored"]
    assert [line.split(": run")[0] for line in twice.stderr.splitlines()] == [
        "sata: from the store", "scalesim-os: from the store"
    ]  # fmt: skip
    store = archsim.Store("mine.sqlite")
    assert [row.arch for row in store.rows()] == ["sata", "scalesim-os"]
    run = CliRunner().invoke(app, ["run", "sata", "cnn-mnist", "--store", "mine.sqlite"])
    assert run.stderr.startswith("from the store: run ")
    ids = [row.id for row in store.rows()]
    by_id = call(*ids, "--store", "mine.sqlite", "--json")
    assert json.loads(by_id.stdout)["changes"] == json.loads(once.stdout)["changes"]
    assert archsim.compare(*ids, store=store).changes[0].energy_by_component.totals[0] == store.find(ids[0]).energy_pj


def test_no_store_is_neither_asked_nor_filled() -> None:
    words = ("sata", "sata", "-w", "cnn-mnist")
    done = call(*words, "--no-store", "--set", "array.rows=7")
    assert done.exit_code == 0 and done.stderr == ""
    assert all("array.rows=7" not in row.overrides for row in archsim.Store().rows())
    both = call(*words, "--no-store", "--store", "mine.sqlite")
    assert both.exit_code == 2 and "contradicts --no-store" in both.stderr
    archsim.compare("sata", "scalesim-os", workload="cnn-mnist", store="twin.sqlite")
    assert len(archsim.Store("twin.sqlite").rows()) == 2


def test_a_store_that_takes_nothing_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("broken.sqlite").write_bytes(b"no database at all, but long enough to be looked at" * 20)
    named = call("sata", "scalesim-os", "-w", "cnn-mnist", "--store", "broken.sqlite")
    assert named.exit_code == 2 and named.stdout == ""
    monkeypatch.setenv("ARCHSIM_STORE", "broken.sqlite")
    done = call("sata", "scalesim-os", "-w", "cnn-mnist")
    assert done.exit_code == 0 and done.stderr.count("not stored: ") == 1 == len(done.stderr.splitlines())


# runs that are not there


def test_ids_that_name_no_run_or_several_and_folders_of_older_formats(sata: Result) -> None:
    store = archsim.Store("mine.sqlite")
    for key in ("abcd1" + "0" * 59, "abcd2" + "0" * 59, "dddd" * 16):
        store.put(key, sata, 1.0)
    store.remove("dddd")
    sata.save("old")
    text = Path("old/result.json").read_text()
    Path("old/result.json").write_text(text.replace('"archsim-result-2"', '"archsim-result-1"'))
    done = call("abcd", "dddddddd", "old", "abcd1", "--store", "mine.sqlite", "-o", "out", "--draw", "enrgy")
    assert done.exit_code == 2 and done.stdout == "" and not Path("out").exists()
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    for part in (
        "several runs of the store begin so (got 'abcd'; allowed: abcd100000, abcd200000)",
        "no run of the store has this id (got 'dddddddd'; allowed: an id that 'archsim runs list' shows",
        "not a result of this version (got 'archsim-result-1'; allowed: archsim-result-2)",
        "draw: no such figure (got 'enrgy'; allowed: overview, energy, latency, area; did you mean 'energy'?)",
    ):
        assert sum(part in line for line in lines) == 1, (part, lines)


def test_options_that_change_nothing(sata: Result) -> None:
    sata.save("one")
    for words, text in (
        (("one", "one", "--draw", "area"), "draw: changes nothing: no figure is asked for"),
        (("one", "one", "--store", "mine.sqlite"), "store: changes nothing: all sides are runs"),
    ):
        done = call(*words)
        assert done.exit_code == 2 and text in done.stderr
