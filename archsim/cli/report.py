"""Verb that makes a page of a finished run: report."""

from __future__ import annotations

from typing import Annotated

import typer

from archsim.cli.program import app


@app.command()
def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder that 'run -o' wrote, or id of a stored run.")],
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="The .html file to write.")],
) -> None:
    """Write one HTML file about a run: figures, tables, where every price comes from."""
    from archsim.report.html import write_report

    typer.echo(write_report(run, output))
