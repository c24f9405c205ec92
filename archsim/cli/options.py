"""Arguments and options that several verbs have, and how they end: saved and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer

from archsim.errors import ArchsimError

Arch = Annotated[str, typer.Argument(help="Chip: a preset's name or a YAML file.")]
Network = Annotated[str, typer.Argument(help="Network with its activity: a preset's name or a YAML file.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="array.rows=32, workload.timesteps=8, cost.dram.read_bit=20. Repeatable."
    ),
]
Cell = Annotated[str | None, typer.Option(metavar="CELL", help="Cell of crossbars: preset, YAML or CSV.")]
Costs = Annotated[list[str] | None, typer.Option(metavar="FILE", help="Cost overlay. Repeatable.")]
Engine = Annotated[str, typer.Option(metavar="auto|des|fast", help="How to execute; the answers agree.")]
Inputs = Annotated[
    str | None,
    typer.Option(metavar="DATA", help="Execute the network itself on mnist:0..15, digits:all, my.npz: accuracy, too."),
]
Precision = Annotated[
    str | None,
    typer.Option(metavar="stated|float|chip", help="--inputs on: stated bits, as trained, or this chip's crossbars."),
]
Plugins = Annotated[list[str] | None, typer.Option(metavar="FILE", help="Python file to load. Repeatable.")]
AllowOutside = Annotated[
    bool, typer.Option("--allow-outside", help="Allow a trace that lies outside the workload's folder.")
]
Known = Annotated[str | None, typer.Option(metavar="FILE", help="Results that are known. Default: yours.")]
StoreFile = Annotated[str | None, typer.Option("--store", metavar="FILE", help="The store's file. Default: yours.")]
NoStore = Annotated[bool, typer.Option("--no-store", help="Neither ask the store nor keep the result.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def save_and_show(save: Callable[[], Iterable[Path]] | None, show: Callable[[], None]) -> None:
    """Save, if that is wanted, and show; what cannot be saved is shown all the same, and then said."""
    unsaved: ArchsimError | None = None
    try:
        for path in save() if save is not None else ():
            typer.echo(f"saved: {path}", err=True)
    except ArchsimError as error:
        unsaved = error
    show()
    if unsaved is not None:
        raise unsaved
