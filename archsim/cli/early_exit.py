"""The verb that ends inputs once their prediction is certain: ``early-exit``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.options import (
    AllowOutside,
    Arch,
    AsJson,
    Costs,
    Engine,
    Inputs,
    Network,
    Overrides,
    Plugins,
    Precision,
    save_and_show,
)
from archsim.cli.program import app

if TYPE_CHECKING:
    from archsim.ending import EarlyExit


@app.command("early-exit")
def early_exit(  # noqa: PLR0913, PLR0917 - one parameter per option
    arch: Arch,
    workload: Network,
    inputs: Inputs = None,
    thresholds: Annotated[
        str, typer.Option(metavar="P,P,...", help="Confidences at which an input ends.")
    ] = "0.5,0.6,0.7,0.8,0.9,0.95,0.99",
    confidence: Annotated[
        str, typer.Option(metavar="softmax|entropy", help="Largest probability, or 1 - entropy.")
    ] = "softmax",
    precision: Precision = None,
    overrides: Overrides = None,
    costs: Costs = None,
    engine: Engine = "auto",
    plugin: Plugins = None,
    allow_outside: AllowOutside = False,
    as_json: AsJson = False,
    figure: Annotated[str | None, typer.Option(metavar="FILE", help="Draw a .png, .svg or .pdf.")] = None,
) -> None:
    """Say what ending inputs early saves on a chip, and what it costs in accuracy."""
    from archsim.ending import early_exit as answer
    from archsim.report.progress import progress

    with progress() as report:
        found = answer(
            arch, workload, inputs=inputs, thresholds=thresholds, confidence=confidence, precision=precision,
            overrides=overrides or (), costs=costs or (), engine=engine, plugins=plugin or (),
            allow_outside=allow_outside, figure=figure, progress=report,
        )  # fmt: skip
    _show(found, as_json, figure)


def _show(found: EarlyExit, as_json: bool, figure: str | None) -> None:
    def save() -> Iterable[Path]:
        from archsim.report.early_exit import draw_early_exit

        yield draw_early_exit(found, figure or "")

    def show() -> None:
        if as_json:
            typer.echo(found.to_text())
            return
        from archsim.report.early_exit import print_early_exit

        print_early_exit(found)

    save_and_show(None if figure is None else save, show)
