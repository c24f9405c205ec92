from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from archsim.config.document import load_document, parse_document
from archsim.config.presets import find, names
from archsim.config.validate import validate
from archsim.cost.component import Component
from archsim.cost.grids import COLUMNS
from archsim.cost.schema import CostFileModel
from archsim.cost.table import CostTable, load_costs
from archsim.errors import ConfigError, CostError

ADDER = Component("pe_adder", "adder", "compute", {"bits": 16})


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    return tmp_path / "my.yaml"


def problems_of(overlay: Path, text: str) -> list[str]:
    overlay.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_costs(overlays=[str(overlay)])
    return [str(problem).removeprefix(str(overlay)) for problem in caught.value.problems]


@pytest.mark.parametrize("name", names("cost"))
def test_every_entry_of_every_shipped_table_has_a_source(name: str) -> None:
    path, shown = find("cost", name)
    model = validate(CostFileModel, load_document(path, shown))
    for key, record in {**model.constants, **model.prices}.items():
        assert record.source.strip(), key
        assert all(other.source.strip() for other in record.alternatives), key
        ends = [end for end in (record.low, record.high) if end is not None and end != record.value]
        said = [other.value for other in record.alternatives]
        span = [record.value if end is None else end for end in (record.low, record.high)]
        assert all(span[0] <= value <= span[1] for value in [record.value, *said]), f"{key}: a source outside the range"
        assert all(end in said for end in ends), f"{key}: an end of the range that no source gives"
    for kind in COLUMNS:
        grid = getattr(model.grids, kind)
        assert grid.source.strip()
        assert (path.parent / grid.file).read_text().startswith("# source: ")


def test_an_entry_without_a_source_is_refused_with_its_line() -> None:
    path, _ = find("cost", "default")
    lines = path.read_text().splitlines()
    at = lines.index("  dram.read_bit:")
    source = next(n for n in range(at, len(lines)) if lines[n].strip().startswith("source:"))
    del lines[source]
    with pytest.raises(ConfigError) as caught:
        validate(CostFileModel, parse_document("\n".join(lines), "broken.yaml"))
    (problem,) = caught.value.problems
    assert problem.line is not None and at + 1 <= problem.line <= source + 1
    assert "dram.read_bit" in str(problem) and "source" in str(problem)


def test_an_overlay_changes_one_entry_and_leaves_the_rest(table: CostTable, overlay: Path) -> None:
    overlay.write_text("constants:\n  dram.read_bit: {value: 4.0, source: our memory's data sheet}\n")
    changed = load_costs(overlays=[str(overlay)])
    constant = changed.constant("dram.read_bit")
    assert (constant.value, constant.source, constant.unit) == (4.0, "our memory's data sheet", "pJ/bit")
    assert (constant.low, constant.high, constant.alternatives) == (None, None, ())
    assert changed.constant("dram.write_bit") == table.constant("dram.write_bit")
    assert changed.name.startswith("default + ") and changed.hash != table.hash
    assert load_costs().hash == table.hash


def test_an_overlay_may_change_only_a_range(table: CostTable, overlay: Path) -> None:
    overlay.write_text("constants: {dram.read_bit: {low: 2.0}}")
    constant = load_costs(overlays=[str(overlay)]).constant("dram.read_bit")
    old = table.constant("dram.read_bit")
    assert (constant.low, constant.value, constant.high) == (2.0, old.value, old.high)


def test_a_range_that_leaves_out_a_stated_source_is_refused(overlay: Path) -> None:
    found = problems_of(overlay, "constants:\n  dram.read_bit: {low: 15, high: 30}\n  fifo.access_share: {high: 1}\n")
    assert found[0].startswith(":2: constants.dram.read_bit.low: does not cover the alternative 12.45 (got 15")
    assert found[1].startswith(":2: constants.dram.read_bit.high: does not cover the alternative 40.625 (got 30")
    assert len(found) == 2
    overlay.write_text("constants: {dram.read_bit: {low: 15, high: 30, alternatives: []}}")
    assert load_costs(overlays=[str(overlay)]).constant("dram.read_bit").high == 30


def test_a_later_overlay_goes_over_an_earlier_one(tmp_path: Path) -> None:
    for name, value in (("a", 5), ("b", 6)):
        (tmp_path / f"{name}.yaml").write_text(f"constants: {{dram.activate: {{value: {value}, source: {name}}}}}")
    both = load_costs(overlays=[str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")])
    assert (both.constant("dram.activate").value, both.constant("dram.activate").source) == (6, "b")


def test_everything_wrong_in_an_overlay_is_said_at_once_with_file_and_line(overlay: Path) -> None:
    text = """constants:
  dram.red_bit: {value: 4, source: x}
  dram.write_bit: {value: 4}
  gates.clock: {unit: pJ}
  dram.activate: {low: 5000}
prices:
  adder: {value: 1, unit: pJ, source: x}
"""
    found = problems_of(overlay, text)
    assert found[0].startswith(":2: constants.dram.red_bit: no such constant") and "'dram.read_bit'" in found[0]
    assert found[1] == ":3: constants.dram.write_bit: a new value needs its own source"
    assert found[2].startswith(":4: constants.gates.clock.unit: wrong unit (got 'pJ'; allowed: MHz")
    assert found[3].startswith(":5: constants.dram.activate.low: is above the value 3675")
    assert found[4].startswith(":7: prices.adder: a price is named COMPONENT.ACTION")
    assert len(found) == 5


@pytest.mark.parametrize(
    ("text", "what"),
    [("constant: {}", "constant"), ("constants: {gates.clock: {valu: 3}}", "'value'"),
     ("constants: {gates.clock: {value: -1, source: x}}", "gates.clock.value"), ("[1, 2]", "")],
)  # fmt: skip
def test_an_overlay_of_another_shape_is_refused(overlay: Path, text: str, what: str) -> None:
    (found,) = problems_of(overlay, text)
    assert what in found


def test_a_fixed_price_goes_before_the_estimator_by_primitive_and_by_component(overlay: Path) -> None:
    overlay.write_text(
        "prices:\n  adder.op: {value: 1.0, unit: pJ, node_nm: 28, source: a}\n"
        "  pe_adder.op: {value: 2.0, unit: pJ, node_nm: 28, source: b}\n"
        "  pe_adder.area: {value: 10.0, unit: um2, node_nm: 28, source: b}\n"
    )
    costs = load_costs(overlays=[str(overlay)])
    other = Component("other", "adder", "compute", {"bits": 16})
    both = costs.costs_of([ADDER, other], 28)
    assert both["pe_adder"].energy_pj["op"].value == 2.0
    assert both["other"].energy_pj["op"].value == 1.0
    assert both["pe_adder"].area_um2_each.value == 10.0
    at_65 = costs.cost_of(ADDER, 65).energy_pj["op"]
    assert at_65.value == pytest.approx(2.0 * costs.scaling.factor("energy", 28, 65).value)


def test_a_fixed_price_that_nothing_uses_names_the_nearest(overlay: Path) -> None:
    overlay.write_text(
        "prices:\n  pe_ader.op: {value: 1.0, unit: pJ, source: a}\n  pe_adder.opp: {value: 1, unit: pJ, source: a}\n"
        "  pe_adder.leakage: {value: 1, unit: pJ, source: a}\n"
    )
    with pytest.raises(CostError) as caught:
        load_costs(overlays=[str(overlay)]).costs_of([ADDER], 28)
    text = str(caught.value)
    assert "prices.pe_ader.op" in text and "did you mean 'pe_adder'?" in text
    assert "prices.pe_adder.opp: adder has no such action" in text and "did you mean 'op'?" in text
    assert "prices.pe_adder.leakage: wrong unit (got 'pJ'; allowed: mW" in text


def test_an_overlay_may_bring_its_own_grid(tmp_path: Path) -> None:
    path, _ = find("cost", "default")
    rows = (path.parent / "gates_28nm.csv").read_text().replace("adder,0,16,45.024,0.0367", "adder,0,16,45.024,0.4")
    (tmp_path / "gates.csv").write_text(rows)
    (tmp_path / "my.yaml").write_text("grids: {gates: {file: gates.csv, node_nm: 28, source: our library}}")
    adder = load_costs(overlays=[str(tmp_path / "my.yaml")]).cost_of(ADDER, 28).energy_pj["op"]
    assert adder.value == pytest.approx(1.0) and adder.constant.source == "our library"


def test_a_broken_grid_names_its_lines(tmp_path: Path) -> None:
    path, _ = find("cost", "default")
    shutil.copytree(path.parent, tmp_path / "cost")
    gates = tmp_path / "cost" / "gates_28nm.csv"
    lines = gates.read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("adder,0,16"))
    lines[at] = "adder,0,16,much,-1,0.035"
    gates.write_text("\n".join(lines))
    with pytest.raises(ConfigError) as caught:
        load_costs(str(tmp_path / "cost" / "default.yaml"))
    assert [str(problem) for problem in caught.value.problems] == [
        f"gates_28nm.csv:{at + 1}: area_um2: is not a finite number (got 'much')",
        f"gates_28nm.csv:{at + 1}: dynamic_mw: must be above zero (got '-1')",
    ]
    gates.unlink()
    with pytest.raises(ConfigError, match=r"grids\.gates\.file: the table cannot be read"):
        load_costs(str(tmp_path / "cost" / "default.yaml"))
    gates.write_text("primitive,bits\nadder,8\n")
    with pytest.raises(ConfigError, match="columns missing: depth, area_um2"):
        load_costs(str(tmp_path / "cost" / "default.yaml"))


def test_the_shipped_sram_grid_is_rectangular_and_positive() -> None:
    path, _ = find("cost", "default")
    lines = [line for line in (path.parent / "sram_cacti7.csv").read_text().splitlines() if not line.startswith("#")]
    groups: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for row in csv.DictReader(lines):
        groups.setdefault((row["node_nm"], row["cell"]), set()).add((row["size_bytes"], row["line_bytes"]))
        assert min(float(row[name]) for name in ("read_pj", "write_pj", "leakage_mw", "area_um2")) > 0
    for places in groups.values():
        sizes, widths = {size for size, _ in places}, {line for _, line in places}
        assert len(places) == len(sizes) * len(widths)


def test_an_unknown_constant_names_the_nearest(table: CostTable) -> None:
    with pytest.raises(CostError, match=r"dram\.readbit: no such constant .*'dram\.read_bit'"):
        table.constant("dram.readbit")


def test_single_constants_can_be_stated_in_their_unit():
    plain = load_costs()
    table = load_costs(overrides=["cost.dram.read_bit=20", "cost.dram.write_bit=21 pJ/bit"])
    assert (table.constant("dram.read_bit").value, table.constant("dram.write_bit").value) == (20.0, 21.0)
    assert f"{plain.constant('dram.read_bit').value:g} pJ/bit" in table.constant("dram.read_bit").note
    assert table.constant("dram.read_bit").source == "stated by the user"
    assert table.constant("dram.read_bit").low is None and not table.constant("dram.read_bit").alternatives
    assert table.hash != plain.hash


def test_constants_that_cannot_be_stated_are_all_named():
    overrides = ["cost.dram.reed_bit=1", "cost.dram.read_bit=-1", "cost.dram.write_bit=3 pJ", "cost.dram.activate"]
    with pytest.raises(ConfigError) as caught:
        load_costs(overrides=[*overrides, "cost.dram.activate=.inf", "cost.dram.activate=yes"])
    said = [str(problem) for problem in caught.value.problems]
    assert load_costs(overrides=["cost.sram.read_factor=2"]).constant("sram.read_factor").value == 2.0
    for text in ('"21"', '"0.1"', "2 1", "4_0 pJ/bit"):  # a factor has no unit to be read with
        with pytest.raises(ConfigError, match="no such value"):
            load_costs(overrides=[f"cost.sram.read_factor={text}"])
        with pytest.raises(ConfigError, match="no such value"):
            load_costs(overrides=[f"cost.dram.read_bit={text}"])
    assert len(said) == 6 and "did you mean 'cost.dram.read_bit'?" in "".join(said)
    assert sum("a number of pJ" in text for text in said) == 4


@pytest.mark.parametrize(
    ("key", "nearest", "group"),
    [
        ("dram.foo", None, "dram.read_bit, dram.write_bit, dram.activate, dram.row_bytes, dram.background"),
        ("dram.bit", "dram.read_bit", "dram.read_bit"),  # not edram.bit, which looks more like it
        ("drum.read_bit", "dram.read_bit", None),
    ],
)
def test_an_unknown_constant_is_looked_for_in_its_group(key: str, nearest: str | None, group: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        load_costs(overrides=[f"cost.{key}=1"])
    (problem,) = caught.value.problems
    assert problem.nearest == (nearest and f"cost.{nearest}")
    assert problem.allowed is not None and problem.allowed.startswith("what 'archsim show default' and overlays name")
    assert group in problem.allowed if group else "such as" not in problem.allowed
