"""Verbs that look at files, presets and finished runs: check, list, show, schema, explain, plot."""

from __future__ import annotations

from typing import Annotated

import typer

from archsim.cli.options import Plugins, StoreFile
from archsim.cli.program import app


@app.command()
def check(
    files: Annotated[
        list[str], typer.Argument(help="Chips, workloads, cost tables, devices, sweeps: files or presets.")
    ],
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Allow a trace that lies outside the workload's folder.")
    ] = False,
    plugin: Plugins = None,
) -> None:
    """Find every error of every file, without running anything."""
    from archsim.checking import NOUNS
    from archsim.checking import check as check_files

    for found in check_files(*files, allow_outside=allow_outside, plugins=plugin or ()):
        typer.echo(f"{found.file}: {NOUNS[found.kind]} {found.summary}: ok")


@app.command("list")
def list_(
    topic: Annotated[
        str | None,
        typer.Argument(help="archs, workloads, costs, devices, components, dataflows or datasets. Default: all."),
    ] = None,
) -> None:
    """List presets, components, dataflows and datasets."""
    from archsim.catalog import TOPICS, entries
    from archsim.report.tables import print_entries

    for name in TOPICS if topic is None else (topic,):
        print_entries(name, entries(name))


@app.command()
def show(name: Annotated[str, typer.Argument(help="Name of a preset.")]) -> None:
    """Print a preset's YAML, to edit."""
    from archsim.catalog import preset_text

    typer.echo(preset_text(name), nl=False)


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(help="arch, workload, cost, overlay, device or sweep; or a family: systolic.")],
) -> None:
    """Print the JSON Schema of a kind of file."""
    import json

    from archsim.catalog import schema as schema_of

    typer.echo(json.dumps(schema_of(kind), indent=2))


@app.command()
def explain(
    folder: Annotated[str, typer.Argument(metavar="RUN", help="Folder of 'run -o', or id of a stored run.")],
    what: Annotated[str, typer.Argument(metavar="COMPONENT.ACTION", help="Such as dram.read_bit, or dram.leakage.")],
    store: StoreFile = None,
) -> None:
    """Say where a price comes from: count, constant, source, scaling."""
    from archsim.explanation import explain as explain_run

    for line in explain_run(folder, what, store):
        typer.echo(line)


@app.command()
def plot(
    folder: Annotated[str, typer.Argument(metavar="RUN", help="Folder of 'run -o', or id of a stored run.")],
    by: Annotated[
        str | None,
        typer.Option(
            help="component, layer, timestep, level, area, utilisation, time, costs or against-PEER; default: all."
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="A .png, .svg or .pdf, or a folder for all. Default: RUN."),
    ] = None,
    store: StoreFile = None,
) -> None:
    """Draw figures of a run."""
    from archsim.report.plots import plot as plot_run

    for path in plot_run(folder, by=by, output=output, store=store):
        typer.echo(path)
