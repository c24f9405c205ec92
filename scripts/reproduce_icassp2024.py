"""Recompute the table of the ICASSP 2024 study "Are SNNs Truly Energy-efficient?": estimated and actual improvement.

For each of its six networks, the improvement over that network's dense baseline (more timesteps, sparsity 0.5):

* published: the study's estimated column (operation counts) and its actual column (SATA_Sim);
* operations: (T_base / T) (1 - s_base) / (1 - s), every operation an addition of 0.9 pJ;
* first layer 4.6 pJ: E = T (4.6 pJ x MACs of the first layer + 0.9 pJ x (1 - s) x MACs of the others), since a directly
  coded first layer multiplies real values; improvement = E_base / E;
* shipped, current: SATA_Sim's formulas under the accounting of its published results and of its current script;
* archsim: executed on archsim's `sata`.

    python scripts/reproduce_icassp2024.py [--no-archsim] [-o table.csv | table.md]
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.errors import ArchsimError
from archsim.peers import sata_sim
from archsim.peers.layers import layers_of
from archsim.workload import load_workload
from archsim.workload.network import Network

BASELINE_SPARSITY = 0.5
ADD_PJ, MULTIPLY_ADD_PJ = 0.9, 4.6  # 32-bit floating point at 45 nm, Horowitz, ISSCC 2014


@dataclass(frozen=True)
class Study:
    """One network of the study; ``baseline_timesteps`` decoded from the result files that SATA_Sim ships."""

    label: str
    workload: str
    timesteps: int
    sparsity: float
    baseline_timesteps: int
    published_estimated: float
    published_actual: float


STUDIES = (
    Study("S-BP", "icassp-sbp", 50, 0.90, 260, 10, 4.5),
    Study("BNTT", "icassp-bntt", 20, 0.91, 80, 20, 2.8),
    Study("Direct", "icassp-direct", 10, 0.90, 40, 20, 2.3),
    Study("TSSL", "icassp-tssl", 5, 0.90, 80, 80, 4.9),
    Study("LTH", "icassp-lth", 5, 0.98, 10, 15, 1.3),
    Study("TDBN", "icassp-tdbn", 4, 0.85, 100, 83, 6.8),
)
HEADER = (
    "network",
    "estimated (published)",
    "operations",
    "first layer 4.6 pJ",
    "actual (published)",
    "SATA_Sim shipped",
    "SATA_Sim current",
    "archsim",
)


def operations_improvement(study: Study) -> float:
    """Ratio of operation counts at one energy per operation."""
    return study.baseline_timesteps / study.timesteps * (1 - BASELINE_SPARSITY) / (1 - study.sparsity)


def estimated_improvement(study: Study, network: Network) -> float:
    """Ratio of operation counts with the first layer as dense multiplications."""
    first, *others = (layer.macs for layer in network.layers if layer.weighted)

    def energy_pj(timesteps: int, sparsity: float) -> float:
        return timesteps * (MULTIPLY_ADD_PJ * first + ADD_PJ * (1 - sparsity) * sum(others))

    return energy_pj(study.baseline_timesteps, BASELINE_SPARSITY) / energy_pj(study.timesteps, study.sparsity)


def peer_improvement(study: Study, network: Network, accounting: sata_sim.Accounting) -> float:
    """What SATA_Sim's formulas give under one accounting."""
    layers, chip = layers_of(network), sata_sim.SATA.under(accounting)
    baseline = sata_sim.answer(layers, study.baseline_timesteps, BASELINE_SPARSITY, chip)
    return baseline.total_nj / sata_sim.answer(layers, study.timesteps, study.sparsity, chip).total_nj


def archsim_energy_pj(workload: str, timesteps: int, sparsity: float) -> float:
    """Energy of one inference executed on archsim's `sata` at these timesteps and one density for all layers."""
    import archsim

    density = sata_sim.sparsity_of(sparsity)
    loaded = load_workload(workload, overrides=[f"timesteps={timesteps}", f"activity.density={density}"])
    return float(archsim.simulate("sata", loaded).energy_pj)


def archsim_improvement(study: Study) -> float:
    """What archsim's execution gives."""
    baseline = archsim_energy_pj(study.workload, study.baseline_timesteps, BASELINE_SPARSITY)
    return baseline / archsim_energy_pj(study.workload, study.timesteps, study.sparsity)


def row_of(study: Study, with_archsim: bool) -> tuple[str, ...]:
    """One line of the table."""
    network = load_workload(study.workload).network
    return (
        study.label,
        f"{study.published_estimated:g}",
        f"{operations_improvement(study):.1f}",
        f"{estimated_improvement(study, network):.1f}",
        f"{study.published_actual:g}",
        f"{peer_improvement(study, network, 'shipped'):.3f}",
        f"{peer_improvement(study, network, 'current'):.3f}",
        f"{archsim_improvement(study):.3f}" if with_archsim else "-",
    )


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """The table as aligned markdown."""
    table = [HEADER, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADER))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in table
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"


def write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write the table as CSV (``.csv``) or markdown (anything else)."""
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([HEADER, *rows])
    else:
        path.write_text(markdown(rows))


def main() -> int:
    """Print the table; exit code 2 with all problems if an input is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-archsim", action="store_true", help="leave out the column that archsim executes")
    parser.add_argument("-o", "--output", type=Path, help="write the table to this .csv or .md file too")
    options = parser.parse_args()
    try:
        rows = [row_of(study, not options.no_archsim) for study in STUDIES]
    except ArchsimError as error:
        print(error, file=sys.stderr)
        return 2
    print(markdown(rows), end="")
    if options.output is not None:
        write(options.output, rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
