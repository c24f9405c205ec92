"""Verb that makes a page of a finished run or sweep: report."""

from __future__ import annotations

from typing import Annotated

import typer

from archsim.cli.options import StoreFile
from archsim.cli.program import app


@app.command()
def report(
    subject: Annotated[
        str, typer.Argument(metavar="RUN|SWEEP_DIR", help="Folder of 'run -o' or 'sweep', or id of a stored run.")
    ],
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="The .html file to write.")],
    objectives: Annotated[
        str | None, typer.Option(metavar="NUMBER,...", help="Of a sweep: what its front is of (energy_pj,area_um2).")
    ] = None,
    store: StoreFile = None,
) -> None:
    """Write one HTML file about a run, or about a sweep with its front."""
    from archsim.report.html import write_report

    names = None if objectives is None else [name.strip() for name in objectives.split(",")]
    typer.echo(write_report(subject, output, objectives=names, store=store))
