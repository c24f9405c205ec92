"""The verb that weighs a spiking network against a quantised ANN: ``breakeven``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.options import (
    AllowOutside,
    Arch,
    AsJson,
    Cell,
    Costs,
    Inputs,
    Network,
    Overrides,
    Plugins,
    save_and_show,
)
from archsim.cli.program import app

if TYPE_CHECKING:
    from archsim.crossover import Breakeven


@app.command()
def breakeven(  # noqa: PLR0913, PLR0917 - one parameter per option
    arch: Arch,
    workload: Network,
    overrides: Overrides = None,
    timesteps: Annotated[str, typer.Option(metavar="T", help="Timesteps of the SNN: 4, 1..8 or 2,4,8.")] = "1..8",
    ann_density: Annotated[
        float, typer.Option(metavar="D", help="Non-zero share of the ANN's activations. 1.0 is shown, too.")
    ] = 0.56,
    ann_pe: Annotated[
        str | None,
        typer.Option(
            metavar="multiplier|bit_serial", help="How a systolic chip multiplies for the ANN. Default: multiplier."
        ),
    ] = None,
    set_ann: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Of the ANN's chip only. Repeatable.")
    ] = None,
    uniform: Annotated[
        bool, typer.Option("--uniform", help="One density for all layers behind the input, not their own.")
    ] = False,
    device: Cell = None,
    costs: Costs = None,
    engine: Annotated[str, typer.Option(metavar="auto|des|fast", help="How to execute; the answers agree.")] = "fast",
    samples: Annotated[
        str | None, typer.Option(help="Inputs to execute: 3, 0..15, 0,3,5 or all. Default: 0, or all of --inputs.")
    ] = None,
    inputs: Inputs = None,
    plugin: Plugins = None,
    allow_outside: AllowOutside = False,
    as_json: AsJson = False,
    output: Annotated[str | None, typer.Option("-o", "--output", metavar="DIR", help="Write data and figure.")] = None,
    figure: Annotated[str | None, typer.Option(metavar="FILE", help="Draw the figure: a .png, .svg or .pdf.")] = None,
) -> None:
    """Say at which spike rate, and up to which T, an SNN beats the same network as a quantised ANN."""
    from archsim.crossover import fulfil_breakeven, prepare_breakeven
    from archsim.report.progress import progress

    request = prepare_breakeven(
        arch, workload, timesteps=timesteps, ann_density=ann_density, ann_pe=ann_pe, ann_overrides=set_ann or (),
        uniform=uniform, overrides=overrides or (), device=device, costs=costs or (), engine=engine, samples=samples,
        inputs=inputs, plugins=plugin or (), allow_outside=allow_outside, output=output, figure=figure,
    )  # fmt: skip
    with progress("executing spike rates") as report:
        found = fulfil_breakeven(request, report)
    _show(found, as_json, output, figure)


def _show(found: Breakeven, as_json: bool, output: str | None, figure: str | None) -> None:
    """Save and print."""

    def save() -> Iterable[Path]:
        from archsim.report.breakeven_files import save_breakeven

        return save_breakeven(found, output, figure)

    def show() -> None:
        if as_json:
            typer.echo(found.to_text())
            return
        from archsim.report.breakeven_tables import print_breakeven

        print_breakeven(found)

    save_and_show(None if output is None and figure is None else save, show)
