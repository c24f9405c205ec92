"""What crossbar size, wires, variation, converters and timesteps leave of the accuracy of cnn-mnist.

Published without readable figures: errors accumulate over the timesteps because crossbars are read again at each of
them (arXiv:2206.09599), larger crossbars lose more, and weights encoded for the errors of crossbars win it back
(SpikeSim, arXiv:2210.12899). Every question is asked of the same chips, `spikeflow` with one thing changed at a time.

    python scripts/reproduce_crossbar_accuracy.py [--images 500] [--chips 5] [-o table.md] [--figure accuracy.png]
        [--only repairs] [--retrained OWN.yaml:CHIP ...] [--robust UNSEEN.yaml]

Retrained networks are those that scripts/train_cnn_mnist.py --chip writes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import archsim
from archsim.datasets import load_inputs
from archsim.fabricated import fabricate
from archsim.report.style import paper

ARCH, WORKLOAD = "spikeflow", "cnn-mnist"
CHIP = ("crossbar.signed=differential", "adc.analog_sum=false", "mapping.unroll=flat")
IDEAL = "adc.ideal=true"
OFFSET = "crossbar.signed=offset"
COMPENSATED = "mapping.encoding=compensated"
SIZES = (16, 32, 64, 128)
OHM = (0.0, 1.0, 2.0, 5.0, 10.0)
OHM_OFFSET = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
VARIATION = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
BITS = (4, 5, 6, 7, 8)
TIMESTEPS = (1, 2, 4, 8, 16)
FIXED_CHIPS = 20
DEVIATION = 0.1


def wires(ohm: float) -> str:
    """So much resistance in each segment of each line."""
    return f"crossbar.wires={{wordline: {ohm}, bitline: {ohm}}}"


def varied(relative: float) -> str:
    """Programmed conductances with so much relative deviation."""
    return f"crossbar.errors.variation={{distribution: normal, proportional: {relative}}}"


def size(cells: int) -> tuple[str, ...]:
    """Square crossbars."""
    return f"crossbar.rows={cells}", f"crossbar.cols={cells}"


FIXED = (*CHIP, wires(2.0), varied(0.1), "adc.bits=4")
"""The case that repairs are judged by: 64 x 64, 2 ohm, 10 %, 4 bits."""


class Row(NamedTuple):
    """One point of a curve; accuracies in per cent, ``spread`` the standard deviation over chips."""

    question: str
    curve: str
    x: float
    software: float
    mean: float
    spread: float
    worst: float
    chips: int


class Study:
    """Asks, tells what it found, and keeps it."""

    def __init__(self, images: int, chips: int) -> None:
        self.inputs, self.chips = f"mnist:0..{images - 1}", chips
        self.rows: list[Row] = []

    def ask(self, question: str, curve: str, x: float, *overrides: str, chips: int | None = None, **more: Any) -> None:
        """One point; ``chips`` 1 where all chips are alike."""
        found = archsim.accuracy(
            ARCH, more.pop("workload", WORKLOAD), inputs=self.inputs, chips=chips or self.chips,
            overrides=overrides, **more,
        )  # fmt: skip
        software, mean, worst, spread = (
            100 * (value or 0.0) for value in (found.stated, found.mean, found.worst, found.spread)
        )
        self.rows.append(Row(question, curve, x, software, mean, spread, worst, len(found.chips)))
        print(*self.rows[-1], sep="; ", file=sys.stderr, flush=True)

    def of(self, question: str) -> dict[str, list[Row]]:
        """The rows of a question by curve."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            if row.question == question:
                found.setdefault(row.curve, []).append(row)
        return found


def sizes_and_wires(study: Study) -> None:
    """Ideal cells and converters, so that only the wires are left."""
    for ohm in (2.0, 5.0, 10.0):
        for cells in SIZES:
            study.ask("size", f"{ohm:g} ohm", cells, *CHIP, IDEAL, *size(cells), wires(ohm), chips=1)
    for cells in SIZES:
        study.ask("size", "10 ohm, compensated", cells, *CHIP, IDEAL, *size(cells), wires(10.0), COMPENSATED, chips=1)
    for ohm in OHM:
        study.ask("wires", "128 x 128, differential", ohm, *CHIP, IDEAL, *size(128), wires(ohm), chips=1)
    for ohm in OHM_OFFSET:
        study.ask("wires", "64 x 64, offset", ohm, *CHIP, OFFSET, IDEAL, wires(ohm), chips=1)
        study.ask("wires", "64 x 64, offset, compensated", ohm, *CHIP, OFFSET, IDEAL, wires(ohm), COMPENSATED, chips=1)


def variations(study: Study) -> None:
    """Ideal wires and converters, so that only the cells are left."""
    for relative in VARIATION:
        chips = 1 if relative == 0 else study.chips
        study.ask("variation", "differential", relative, *CHIP, IDEAL, varied(relative), chips=chips)
        study.ask("variation", "offset", relative, *CHIP, OFFSET, IDEAL, varied(relative), chips=chips)


def converters(study: Study) -> None:
    """Bits and ranges of converters in the fixed case."""
    for bits in BITS:
        for range_ in ("full", "calibrated"):
            study.ask("converter bits", f"range {range_}", bits, *FIXED[:-1], f"adc.bits={bits}", f"adc.range={range_}")


def timesteps(study: Study) -> None:
    """The same error is made at every timestep: variation does not average out."""
    for steps in TIMESTEPS:
        told, noise = f"workload.timesteps={steps}", f"crossbar.errors.read_noise={{proportional: {DEVIATION}}}"
        study.ask("timesteps", "variation 0.1, offset", steps, *CHIP, OFFSET, IDEAL, varied(DEVIATION), told)
        study.ask("timesteps", "read noise 0.1, offset", steps, *CHIP, OFFSET, IDEAL, noise, told)
        study.ask("timesteps", "variation 0.3, differential", steps, *CHIP, IDEAL, varied(3 * DEVIATION), told)


def errors_over_time(images: int = 16) -> dict[str, list[float]]:
    """Relative error of conv1's currents summed over T timesteps: of variation, and of read noise."""
    found: dict[str, list[float]] = {}
    parts = {"variation 0.1": varied(0.1), "read noise 0.1": "crossbar.errors.read_noise={proportional: 0.1}"}
    for name, part in parts.items():
        for steps in TIMESTEPS:
            workload = archsim.load_workload(WORKLOAD, [f"timesteps={steps}", "activity={density: 0.1}"])
            chip = fabricate(archsim.load_architecture(ARCH, [*CHIP, IDEAL, part]).chip, workload)
            layer = chip.layers["conv1"]
            values = load_inputs(f"mnist:0..{images - 1}", workload.network).values[:, None]
            sums = layer.sums(layer.read_values(values), np.arange(images))
            exact = np.broadcast_to(layer.exact([values]), sums.shape).sum(axis=1)
            error = sums.sum(axis=1) - exact
            if sums.shape[1] == 1 and steps > 1:  # read once, used at every timestep: both sums grow alike
                exact, error = exact * steps, error * steps
            found.setdefault(name, []).append(float(np.sqrt((error**2).mean() / (exact**2).mean())))
    return found


PARTS = {"wires": sizes_and_wires, "variation": variations, "converters": converters, "timesteps": timesteps}


def repairs(study: Study, chips: int, retrained: Sequence[str], robust: str | None) -> None:
    """The fixed case, and what wins its loss back."""
    full = (*FIXED, "adc.range=full")
    study.ask("repair", "none (range full)", 0, *full, chips=chips)
    for per in ("layer", "column"):
        study.ask("repair", f"gain of each {per}", 0, *full, chips=chips, calibrate=per)
    study.ask("repair", "range of converters", 0, *FIXED, chips=chips)
    study.ask("repair", "range of converters, gain of each layer", 0, *FIXED, chips=chips, calibrate="layer")
    study.ask("repair", "compensated weights", 0, *full, COMPENSATED, chips=chips)
    for item in retrained:
        file, _, number = item.rpartition(":")
        study.ask("repair", "retrained, its own chip", int(number), *full, workload=file, chips=1,
                  first_chip=int(number))  # fmt: skip
        study.ask("repair", f"retrained on chip {number}, others", int(number), *full, workload=file, chips=chips,
                  first_chip=1000)  # fmt: skip
    if robust is not None:
        study.ask("repair", "retrained on many chips, unseen ones", 0, *full, workload=robust, chips=chips)


def table(study: Study, over_time: dict[str, list[float]]) -> str:
    """A table in Markdown for each question: a row for each curve, mean and spread over the chips."""
    lines: list[str] = []
    for question in dict.fromkeys(row.question for row in study.rows):
        curves = study.of(question)
        if question == "repair":
            lines += _table(["repair", "chips", "accuracy", "worst chip", "loss recovered"], _repaired(curves))
            continue
        places = sorted({row.x for rows in curves.values() for row in rows})
        lines += _table([question, *(f"{x:g}" for x in places)],
                        [[curve, *_along(rows, places)] for curve, rows in curves.items()])  # fmt: skip
    if over_time:
        head = ["error of conv1's currents summed over T", *map(str, TIMESTEPS)]
        lines += _table(head, [[name, *(f"{100 * value:.1f} %" for value in values)]
                               for name, values in over_time.items()])  # fmt: skip
    return "\n".join(lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)] + [""]


def _along(rows: Sequence[Row], places: Sequence[float]) -> list[str]:
    found = {row.x: f"{row.mean:.1f}" + (f" ± {row.spread:.1f}" if row.chips > 1 else "") for row in rows}
    return [found.get(x, "") for x in places]


def _repaired(curves: dict[str, list[Row]]) -> list[list[str]]:
    (without,) = curves["none (range full)"]
    loss, found = without.software - without.mean, []
    for curve, rows in curves.items():
        for row in rows:
            won = "" if row is without else f"{100 * (row.mean - without.mean) / loss:.0f} %"
            accuracy = f"{row.mean:.1f}" + (f" ± {row.spread:.1f}" if row.chips > 1 else "")
            found.append([curve, str(row.chips), accuracy, f"{row.worst:.1f}", won])
    return [["software", "", f"{without.software:.1f}", "", ""], *found]


def draw(study: Study, over_time: dict[str, list[float]], path: Path) -> None:
    """Six panels, one for each question."""
    import matplotlib.pyplot as plt

    labels = {
        "size": "rows and columns of a crossbar", "wires": "ohm per segment",
        "variation": "relative deviation of cells", "converter bits": "bits of converters", "timesteps": "timesteps T",
    }  # fmt: skip
    with paper():
        figure, axes = plt.subplots(2, 3, figsize=(11, 6.4), layout="constrained")
        for panel, (question, label) in zip(axes.flat, labels.items(), strict=False):
            for curve, rows in study.of(question).items():
                x = [row.x for row in rows]
                mean, spread = [row.mean for row in rows], [row.spread for row in rows]
                panel.errorbar(x, mean, yerr=spread, marker="o", markersize=3.5, linewidth=1.2, capsize=2, label=curve)
            software = [(row.x, row.software) for row in study.rows if row.question == question]
            panel.plot(*zip(*sorted(set(software)), strict=True), color="grey", linestyle=":", label="software")
            if question in ("size", "timesteps"):
                panel.set_xscale("log", base=2)
                ticks = SIZES if question == "size" else TIMESTEPS
                panel.set_xticks(ticks, [str(tick) for tick in ticks])
            if question == "wires":
                panel.set_xscale("symlog", linthresh=0.05)
                panel.set_xticks([0, 0.1, 1, 10], ["0", "0.1", "1", "10"])
            panel.set_xlabel(label)
            panel.set_ylabel("accuracy, %")
            panel.set_ylim(0, 102)
            panel.grid(True)
            panel.legend(fontsize=7, loc="lower center" if question == "timesteps" else "best")
        last = axes.flat[-1]
        for name, values in over_time.items():
            last.plot(TIMESTEPS, 100 * np.array(values), marker="o", markersize=3.5, label=name)
        first = 100 * over_time["read noise 0.1"][0]
        last.plot(TIMESTEPS, first / np.sqrt(TIMESTEPS), color="grey", linestyle=":", label="1 / sqrt(T)")
        last.set_xscale("log", base=2)
        last.set_yscale("log")
        last.set_xticks(TIMESTEPS, [str(tick) for tick in TIMESTEPS])
        last.set_xlabel("timesteps T")
        last.set_yticks([1, 2, 4, 8], ["1", "2", "4", "8"])
        last.minorticks_off()
        last.set_ylabel("error of conv1's summed currents, %")
        last.grid(True)
        last.legend(fontsize=7)
        figure.savefig(path)


def main() -> None:
    """Ask everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--chips", type=int, default=5)
    parser.add_argument("--fixed-chips", type=int, default=FIXED_CHIPS)
    parser.add_argument("--only", action="append", choices=[*PARTS, "repairs"], help="ask some of the questions")
    parser.add_argument("--retrained", action="append", default=[], metavar="FILE.yaml:CHIP")
    parser.add_argument("--robust", metavar="FILE.yaml")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    study, chosen = Study(options.images, options.chips), set(options.only or [*PARTS, "repairs"])
    for name, part in PARTS.items():
        if name in chosen:
            part(study)
    if "repairs" in chosen:
        repairs(study, options.fixed_chips, options.retrained, options.robust)
    over_time = errors_over_time() if "timesteps" in chosen else {}
    text = table(study, over_time)
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")
    print(text)
    if options.figure is not None and chosen.issuperset(PARTS):
        draw(study, over_time, options.figure)


if __name__ == "__main__":
    main()
