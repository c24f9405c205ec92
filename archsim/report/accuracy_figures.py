"""The accuracy on chips as a figure: that of each beside software's, and what their crossbars do to each layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from archsim.report.saving import save_figure
from archsim.report.style import DOWN, GREY, LABEL_LETTERS, TITLE_LETTERS, TOTAL, UP, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.fidelity import Accuracies


def draw_accuracies(found: Accuracies, file: str | Path) -> Path:
    """A .png, .svg or .pdf, written whole or not at all."""
    return save_figure(lambda: accuracies_figure(found), file)


def accuracies_figure(found: Accuracies) -> Figure:
    """Left, accuracy (without labels: agreement) of each chip; right, errors and changed spikes of each layer."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.2, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    _chips(left, found)
    _layers(right, found)
    what = f"{shortened(found.arch, TITLE_LETTERS)} × {shortened(found.workload, TITLE_LETTERS)}, {found.inputs}"
    figure.suptitle(f"Accuracy on chips: {what}", x=0.01, ha="left", fontsize=10, weight="bold")
    return figure


def _chips(axes: Axes, found: Accuracies) -> None:
    from matplotlib.ticker import MaxNLocator

    known = found.mean is not None
    values = [100 * (chip.agreement if chip.accuracy is None else chip.accuracy) for chip in found.chips]
    numbers = [chip.number for chip in found.chips]
    axes.scatter(numbers, values, color=TOTAL, s=30, zorder=3, edgecolors="white", linewidths=0.7)
    mean = 100 * (found.mean if found.mean is not None else found.agreement)
    lines = [(mean, TOTAL, f"mean of the chips {mean:.1f} %", "-")]
    if found.stated is not None and found.trained is not None:
        lines += [
            (100 * found.stated, DOWN, f"software, stated bits {100 * found.stated:.1f} %", "-"),
            (100 * found.trained, "black", f"software, as trained {100 * found.trained:.1f} %", ":"),
        ]
    for value, colour, label, style in lines:
        axes.axhline(value, color=colour, linewidth=1.3, linestyle=style, label=label, zorder=2)
    every = [*values, *(value for value, *_ in lines)]
    spread = max(max(every) - min(every), 2.0)
    axes.set_ylim(min(every) - 0.15 * spread, max(every) + 0.55 * spread)
    axes.set_yticks([tick for tick in axes.get_yticks() if axes.get_ylim()[0] <= tick <= 100])
    axes.set_xlim(numbers[0] - 0.6, numbers[-1] + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="upper left")
    axes.grid(axis="y")
    axes.set_xlabel("chip")
    axes.set_ylabel("accuracy, %" if known else "agreement with software, %")


def _layers(axes: Axes, found: Accuracies) -> None:
    """Bars of the relative error of pre-activations, of clipped conversions and of changed spikes, per cent."""
    kinds = (
        ("relative_rms", "error of pre-activations, RMS", TOTAL), ("clipped", "clipped conversions", GREY),
        ("spikes_changed", "changed spikes", UP),
    )  # fmt: skip
    at = np.arange(len(found.layers))
    for number, (name, label, colour) in enumerate(kinds):
        height = [100 * (getattr(layer, name) or 0.0) for layer in found.layers]
        axes.bar(at + (number - 1) * 0.27, height, width=0.27, color=colour, label=label)
    axes.set_xticks(at, [shortened(layer.layer, LABEL_LETTERS) for layer in found.layers])
    if len(at) > 5:
        axes.tick_params(axis="x", labelrotation=60)
    axes.margins(y=0.45)
    axes.set_ylim(0)
    axes.grid(axis="y")
    axes.legend(loc="upper right")
    axes.set_ylabel("%")
