"""Verb that measures a network on paper: metrics."""

from __future__ import annotations

from typing import Annotated

import typer

from archsim.cli.options import AllowOutside, AsJson, Inputs, Network
from archsim.cli.program import app


@app.command()
def metrics(  # noqa: PLR0913, PLR0917 - one parameter per option
    workload: Network,
    inputs: Inputs = None,
    samples: Annotated[
        str | None, typer.Option(help="Samples of the workload: 3, 0..15, 0,3,5 or all. Default: all recorded.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(metavar="float|stated", help="Weights as trained, or the workload's bits.")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Samples that a framework runs together. Default: all.")] = None,
    framework: Annotated[
        str, typer.Option(metavar="snntorch|snntorch-shared|none", help="What the footprint holds beside weights.")
    ] = "snntorch",
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="timesteps=8. Repeatable.")
    ] = None,
    allow_outside: AllowOutside = False,
    as_json: AsJson = False,
) -> None:
    """Measure a network as NeuroBench does: footprint, sparsity, synaptic operations, updates, accuracy."""
    from archsim.measures import metrics as measure
    from archsim.report.progress import progress

    with progress() as report:
        found = measure(
            workload, inputs=inputs, samples=samples, precision=precision, batch=batch, framework=framework,
            overrides=overrides or (), allow_outside=allow_outside, progress=report,
        )  # fmt: skip
    if as_json:
        typer.echo(found.to_text())
        return
    from archsim.report.metric_tables import print_metrics

    print_metrics(found)
