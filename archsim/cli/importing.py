"""The verb for networks that other tools wrote: import."""

from __future__ import annotations

from typing import Annotated

import typer

from archsim.cli.program import app


@app.command("import")
def import_(  # noqa: PLR0913, PLR0917 - one parameter per option
    file: Annotated[str, typer.Argument(help="NIR (.nir), SCALE-Sim topology (.csv) or SATA_Sim workload (.yaml).")],
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="NAME", help="Write NAME.yaml. Default: the file's name.")
    ] = None,
    dialect: Annotated[
        str | None, typer.Option(metavar="DIALECT", help="NIR: what wrote it, such as snntorch or sinabs.")
    ] = None,
    dt: Annotated[float | None, typer.Option(metavar="S", help="NIR: time step. Default: the dialect's.")] = None,
    input_shape: Annotated[str | None, typer.Option(metavar="C,H,W", help="Shape of the input.")] = None,
    timesteps: Annotated[int | None, typer.Option(metavar="T", help="Timesteps of one inference.")] = None,
    encoding: Annotated[str | None, typer.Option(metavar="CODE", help="direct, rate, ttfs or events.")] = None,
    input_scale: Annotated[
        float | None, typer.Option(metavar="S", help="direct: what integers are divided by, such as 255. Default: 1.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="The network's name. Default: NAME.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="nir, scalesim or sata-sim. Default: by ending.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Write another tool's network as a workload file."""
    from archsim.importing import import_network

    written = import_network(
        file, output, dialect=dialect, dt=dt, input_shape=input_shape, timesteps=timesteps, encoding=encoding,
        input_scale=input_scale, name=name, format=format_, force=force,
    )  # fmt: skip
    for note in written.notes:
        typer.echo(f"note: {note}", err=True)
    for path in written.files:
        typer.echo(path)
