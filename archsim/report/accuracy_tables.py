"""The accuracy on chips as tables for people: of all chips, of each, of the layers, and what it takes into account."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from archsim.fidelity import Accuracies
from archsim.report.look import HEADING, WARNING, console_for_people, grid_table, titled
from archsim.report.units import percent, significant

MOST_ROWS = 20


def print_accuracies(found: Accuracies, console: Console | None = None) -> None:
    """What software reaches, what the chips do, and why."""
    console = console or console_for_people()
    console.print(Text(f"{found.arch} x {found.workload}: accuracy on {_chips(found)}", style=HEADING))
    bits = "/".join(map(str, found.weight_bits))
    emulated = " of EMULATED events" if found.emulated else ""
    what = f"{found.samples} inputs{emulated} ({found.inputs}), {found.timesteps} timesteps, {bits}-bit weights"
    console.print(f"{what}, {found.membrane_bits}-bit membranes\n")
    table = Table.grid(padding=(0, 3))
    for row in _headline(found):
        table.add_row(*row)
    console.print(table)
    if 1 < len(found.chips) <= MOST_ROWS:
        console.print()
        _print_chips(found, console)
    console.print()
    _print_layers(found, console)
    console.print()
    imperfections = grid_table("imperfection", "", "", texts=3)
    for one in found.imperfections:
        imperfections.add_row(one.name, one.state, one.figures)
    console.print(titled("What the chips are taken to have", imperfections))
    console.print(Text(calibration_line(found), style=WARNING if found.calibration_note else "dim"))


def _headline(found: Accuracies) -> list[tuple[str, str, str]]:
    agreement = "predictions that are those of the stated bits" + _of_spread(found.agreement_spread)
    rows = [("agreement", percent(found.agreement, 1), agreement)]
    if found.mean is None or found.stated is None or found.trained is None or found.worst is None:
        return [("accuracy", "-", "the inputs have no labels"), *rows]
    error, of = "", ""
    if found.loss_error_points == 0:
        of = "; no chip differs on any of these inputs"
    elif found.loss_error_points is not None:
        error, of = f" ± {significant(found.loss_error_points)}", ", with its standard error"
        of += " over inputs: one chip says nothing of others" if len(found.chips) == 1 else ""
    return [
        ("as trained", percent(found.trained, 1), "in software, in floating point"),
        ("stated bits", percent(found.stated, 1), "in software; what ideal crossbars give"),
        ("on the chips", percent(found.mean, 1), f"mean{_of_spread(found.spread)}"),
        ("worst chip", percent(found.worst, 1), f"chip {found.worst_chip}"),
        ("loss", f"{found.loss_points:.1f}{error} points", f"against the stated bits{of}"),
        *rows,
    ]


def _of_spread(spread: float | None) -> str:
    return "; of one chip" if spread is None else f"; standard deviation over chips {100 * spread:.1f} points"


def _chips(found: Accuracies) -> str:
    first, last = found.chips[0].number, found.chips[-1].number
    return f"chip {first}" if first == last else f"chips {first}..{last}"


def _print_chips(found: Accuracies, console: Console) -> None:
    table = grid_table("chip", "accuracy", "agreement")
    for chip in found.chips:
        right = "-" if chip.accuracy is None else percent(chip.accuracy, 1)
        table.add_row(str(chip.number), right, percent(chip.agreement, 1))
    console.print(table)


def _print_layers(found: Accuracies, console: Console) -> None:
    table = grid_table("layer", "error, RMS", "bias", "clipped", "spikes changed", "spikes", "on chip")
    for layer in found.layers:
        table.add_row(
            layer.layer, _share(layer.relative_rms), _share(layer.bias), _share(layer.clipped),
            _share(layer.spikes_changed), _number(layer.spikes_stated), _number(layer.spikes_chip),
        )  # fmt: skip
    console.print(titled("Layers", table))
    told = (
        f"means over {found.looked} inputs and the chips; error and bias of pre-activations, of the RMS of exact ones"
        " for the same input; spikes per inference, at the stated bits and on chip"
    )
    console.print(Text(told, style="dim"))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def calibration_line(found: Accuracies) -> str:
    """What was set on every chip, and with which inputs."""
    if not found.calibrated:
        return "nothing is calibrated: converters have a stated range or are exact, and no gain is asked for"
    note = f", {found.calibration_note}" if found.calibration_note else ""
    return f"calibrated on every chip: {' and '.join(found.calibrated)}, with {found.calibration}{note}; no labels"
