"""SCALE-Sim's own figures (tests/golden/scalesim_calc.csv: v2 22f88b1 and v3 1d62b68 in CALC mode), both engines.

Its total is the index of the last cycle, so ours is one more; its output-stationary runs count rows + cols writes
per fold too many.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from drawn import workload
from typer.testing import CliRunner

import archsim
from archsim.cli import app

GOLDEN = Path(__file__).parents[2] / "golden" / "scalesim_calc.csv"
Row = dict[str, str]


def tables() -> dict[tuple[str, str, str, str], list[Row]]:
    """Rows by (version, topology, array, dataflow)."""
    lines = [line for line in GOLDEN.read_text().splitlines() if not line.startswith("#")]
    found: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for row in csv.DictReader(lines):
        assert row["mode"] == "CALC"
        found[row["version"], row["topology"], row["array"], row["dataflow"]].append(row)
    return found


TABLES = tables()


def described(rows: list[Row]) -> dict[str, Any]:
    """The rows as a table of independent matrix products."""
    layers = [
        {"name": f"L{number}", "type": "matmul"}
        | {"rows": int(r["P"]), "in_features": int(r["K"]), "out_features": int(r["F"])}
        for number, r in enumerate(rows)
    ]
    return {"name": "table", "timesteps": 1, "chained": False, "layers": layers, "activity": {"density": 1.0}}


def test_the_golden_file_has_every_row_and_dataflow() -> None:
    assert sum(len(rows) for rows in TABLES.values()) == 109
    assert {key[3] for key in TABLES} == {"os", "ws", "is"}


@pytest.mark.parametrize("engine", ["des", "fast"])
@pytest.mark.parametrize("key", sorted(TABLES))
def test_cycles_and_sram_accesses_equal_scalesim(
    key: tuple[str, str, str, str], engine: str, tmp_path: Path
) -> None:
    """Through the Python door and through the command line."""
    rows, (height, width) = TABLES[key], key[2].split("x")
    sizes = [f"array.rows={height}", f"array.cols={width}"]
    result = archsim.simulate(f"scalesim-{key[3]}", workload(described(rows)), overrides=sizes, engine=engine)
    file = tmp_path / "table.yaml"
    file.write_text(json.dumps(described(rows)))
    settings = [word for size in sizes for word in ("--set", size)]
    words = [f"scalesim-{key[3]}", str(file), *settings, "--engine", engine, "--no-store", "--json"]
    done = CliRunner().invoke(app, ["run", *words])
    printed = json.loads(done.stdout)
    assert (printed["cycles"], printed["engine"]) == (result.cycles, engine)
    assert {(row["layer"], row["component"], row["action"]): row["count"] for row in printed["counts"]} == {
        (row.layer, row.component, row.action): row.count for row in result.counts
    }
    for row, layer in zip(rows, result.layers, strict=True):
        surplus = (int(height) + int(width)) * layer.folds if key[3] == "os" else 0
        theirs = (
            float(row["total_cycles"]) + 1,
            float(row["SRAM_IFMAP_Reads"]),
            float(row["SRAM_Filter_Reads"]),
            float(row["SRAM_OFMAP_Writes"]) - surplus,
        )
        ours = (
            layer.cycles,
            result.count("ifmap_buffer", "element_read", layer.name),
            result.count("weight_buffer", "element_read", layer.name),
            result.count("ofmap_buffer", "element_write", layer.name),
        )
        assert ours == theirs, row["layer"]
    assert result.cycles == sum(float(row["total_cycles"]) + 1 for row in rows)


def test_a_real_convolution_rounds_its_size_down() -> None:
    """34 x 34 with a kernel of 3 at stride 2: (34 - 3) // 2 + 1 = 16, where SCALE-Sim has 17."""
    conv = {"name": "c", "type": "conv2d", "out_channels": 32, "kernel": 3, "stride": 2}
    given = {
        "name": "conv",
        "timesteps": 1,
        "input": {"shape": [4, 34, 34], "encoding": "events"},
        "layers": [conv],
        "activity": {"density": 1.0},
    }
    result = archsim.simulate("scalesim-os", workload(given))
    # 256 positions in 8 folds of 32 rows, 32 filters in one of columns; K = 36: 36 + 32 + 32 - 2 = 98 cycles a fold
    assert result.layers[0].folds == 8
    assert result.cycles == 8 * 98
    assert result.count("ifmap_buffer", "element_read") == 256 * 36
    assert result.count("weight_buffer", "element_read") == 36 * 32 * 8
    assert result.count("ofmap_buffer", "element_write") == 256 * 32
