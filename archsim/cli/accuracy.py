"""The verb for what analog crossbars leave of a network's accuracy: ``accuracy``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.options import AllowOutside, Arch, AsJson, Cell, Inputs, Network, Overrides, Plugins, save_and_show
from archsim.cli.program import app

if TYPE_CHECKING:
    from archsim.fidelity import Accuracies


@app.command()
def accuracy(  # noqa: PLR0913, PLR0917 - one parameter per option
    arch: Arch,
    workload: Network,
    inputs: Inputs = None,
    chips: Annotated[int, typer.Option(metavar="N", help="Chips to make, one after another.")] = 1,
    first_chip: Annotated[int, typer.Option(metavar="N", help="Number of the first; a chip's number is its seed.")] = 0,
    calibrate: Annotated[
        str, typer.Option(metavar="none|layer|column", help="What of each chip gets a gain of its own.")
    ] = "none",
    calibration: Annotated[
        str | None, typer.Option(metavar="DATA", help="Inputs to calibrate with. Default: 32 others than --inputs.")
    ] = None,
    overrides: Overrides = None,
    device: Cell = None,
    plugin: Plugins = None,
    allow_outside: AllowOutside = False,
    as_json: AsJson = False,
    figure: Annotated[str | None, typer.Option(metavar="FILE", help="Draw a .png, .svg or .pdf.")] = None,
) -> None:
    """Say what accuracy a network keeps on crossbar chips as they are made."""
    from archsim.fidelity import accuracy as answer
    from archsim.report.progress import progress

    with progress("executing inputs on chips") as report:
        found = answer(
            arch, workload, inputs=inputs, chips=chips, first_chip=first_chip, calibrate=calibrate,
            calibration=calibration, overrides=overrides or (), device=device, plugins=plugin or (),
            allow_outside=allow_outside, figure=figure, progress=report,
        )  # fmt: skip
    _show(found, as_json, figure)


def _show(found: Accuracies, as_json: bool, figure: str | None) -> None:
    def save() -> Iterable[Path]:
        from archsim.report.accuracy_figures import draw_accuracies

        yield draw_accuracies(found, figure or "")

    def show() -> None:
        if as_json:
            typer.echo(found.to_text())
            return
        from archsim.report.accuracy_tables import print_accuracies

        print_accuracies(found)

    save_and_show(None if figure is None else save, show)
