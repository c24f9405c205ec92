"""The verb that asks what limits a run: ``profile``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.program import app
from archsim.errors import ArchsimError

if TYPE_CHECKING:
    from archsim.profiling import Profile


@app.command()
def profile(  # noqa: PLR0913, PLR0917 - one parameter per option
    arch: Annotated[str, typer.Argument(help="Chip: a preset's name or a YAML file.")],
    workload: Annotated[str, typer.Argument(help="Network with its activity: a preset's name or a YAML file.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="array.rows=32, or workload.timesteps=8. Repeatable."),
    ] = None,
    device: Annotated[str | None, typer.Option(metavar="CELL", help="Cell of crossbars: preset, YAML or CSV.")] = None,
    costs: Annotated[list[str] | None, typer.Option(metavar="FILE", help="Cost overlay. Repeatable.")] = None,
    engine: Annotated[str, typer.Option(metavar="auto|des|fast", help="How to execute; the answers agree.")] = "auto",
    samples: Annotated[str, typer.Option(help="The one input to execute.")] = "0",
    plugin: Annotated[list[str] | None, typer.Option(metavar="FILE", help="Python file to load. Repeatable.")] = None,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Allow a trace that lies outside the workload's folder.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    output: Annotated[str | None, typer.Option("-o", "--output", metavar="DIR", help="Write data and figures.")] = None,
) -> None:
    """Say what limits a run, what would make it shorter or cheaper, and what to change first."""
    from archsim.profiling import fulfil_profile, prepare_profile
    from archsim.request import device_override

    request = prepare_profile(
        arch, workload, overrides=[*device_override(device), *(overrides or ())], costs=costs or (), engine=engine,
        samples=samples, plugins=plugin or (), allow_outside=allow_outside, output=output,
    )  # fmt: skip
    _show(fulfil_profile(request), as_json, output)


def _show(found: Profile, as_json: bool, output: str | None) -> None:
    """Save and print; what cannot be saved is printed all the same."""
    unsaved: ArchsimError | None = None
    if output is not None:
        from archsim.report.profile_files import save_profile

        try:
            for path in save_profile(found, output):
                typer.echo(f"saved: {path}", err=True)
        except ArchsimError as error:
            unsaved = error
    if as_json:
        typer.echo(found.to_text())
    else:
        from archsim.report.profile_tables import print_profile

        print_profile(found)
    if unsaved is not None:
        raise unsaved
