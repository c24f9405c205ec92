"""Verbs for stored runs: runs list, show, rm, export."""

from __future__ import annotations

from typing import Annotated

import typer

from archsim.cli.options import StoreFile
from archsim.cli.program import app

stored = typer.Typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
app.add_typer(stored, name="runs", help="List, show, remove and export the runs that the store keeps.")


@stored.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list and nothing else.")] = False,
    store: StoreFile = None,
) -> None:
    """List the stored runs, the oldest first."""
    from archsim.store.loading import existing_store

    source = existing_store(store)
    rows = source.rows()
    if as_json:
        import json

        typer.echo(json.dumps([row.to_data() for row in rows], indent=1))
    else:
        from archsim.report.stored_tables import print_runs

        print_runs(rows, str(source.path))


@stored.command()
def show(
    run: Annotated[str, typer.Argument(metavar="ID", help="As 'archsim runs list' shows it, or its beginning.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    output: Annotated[str | None, typer.Option("-o", "--output", metavar="DIR", help="Write the result here.")] = None,
    store: StoreFile = None,
) -> None:
    """Print a stored run as 'archsim run' printed it."""
    from archsim.cli.execute import show_result
    from archsim.store.loading import existing_store

    show_result(existing_store(store).find(run), as_json, output)


@stored.command()
def rm(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As 'archsim runs list' shows them.")],
    store: StoreFile = None,
) -> None:
    """Remove stored runs; none where an id is wrong."""
    from archsim.store.loading import existing_store

    typer.echo(f"removed: {existing_store(store).remove(ids)}")


@stored.command()
def export(
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="A .csv or .parquet file.")],
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Default: every run.")] = None,
    table: Annotated[
        str, typer.Option(help="runs, counts, layers, components, units, critical_path or levels.")
    ] = "runs",
    store: StoreFile = None,
) -> None:
    """Write stored runs as one table: CSV, or Parquet where pyarrow is installed."""
    from archsim.store.export import export_runs

    typer.echo(export_runs(output, ids or (), table, store))
