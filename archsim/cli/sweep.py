"""Verbs for many runs at once: sweep, pareto."""

from __future__ import annotations

from typing import Annotated

import typer

from archsim.cli.options import AsJson
from archsim.cli.program import app


@app.command()
def sweep(
    spec: Annotated[str, typer.Argument(metavar="SPEC.yaml", help="Chips, networks, and the keys to vary.")],
    jobs: Annotated[int, typer.Option("-j", "--jobs", metavar="N", help="Processes on this machine.")] = 1,
    on: Annotated[
        str | None, typer.Option(metavar="dask:tcp://HOST:PORT", help="Execute on this Dask cluster instead.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="DIR", help="Write, or go on, here. Default: SPEC-sweep.")
    ] = None,
    store: Annotated[str | None, typer.Option(metavar="FILE", help="Look answers up in this store, and add.")] = None,
    as_json: AsJson = False,
) -> None:
    """Execute every point of a design space; interrupted, the same command goes on."""
    from archsim.report.progress import progress
    from archsim.sweeps import fulfil_sweep, prepare_sweep

    request = prepare_sweep(spec, jobs=jobs, on=on, output=output, store=store)
    try:
        with progress("executing points") as report:
            table = fulfil_sweep(request, report)
    except KeyboardInterrupt:
        typer.echo(f"interrupted: what is done is kept in {request.folder}, and the same command goes on", err=True)
        raise
    typer.echo(f"saved: {request.folder / 'results.csv'}", err=True)
    if as_json:
        typer.echo(table.to_text())
    else:
        from archsim.report.sweep_tables import print_sweep

        print_sweep(table)


@app.command()
def pareto(
    folder: Annotated[str, typer.Argument(metavar="SWEEP_DIR", help="Folder that 'archsim sweep' wrote.")],
    objectives: Annotated[list[str], typer.Argument(metavar="NUMBER...", help="energy_pj latency_ns area_um2 ...")],
    as_json: AsJson = False,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="The figure: a .png, .svg or .pdf.")
    ] = None,
) -> None:
    """Show the points of a sweep that no other point beats, as a table and a figure."""
    from archsim.report.sweep_figures import draw_front
    from archsim.report.sweep_tables import print_front
    from archsim.sweeps import pareto as front_of

    front = front_of(folder, *objectives)
    path = draw_front(front, output or f"{folder}/pareto.png")
    typer.echo(f"saved: {path}", err=True)
    if as_json:
        typer.echo(front.to_text())
    else:
        print_front(front)
