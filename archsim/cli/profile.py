"""The verb that asks what limits a run: ``profile``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.options import (
    AllowOutside,
    Arch,
    AsJson,
    Cell,
    Costs,
    Engine,
    Network,
    Overrides,
    Plugins,
    save_and_show,
)
from archsim.cli.program import app

if TYPE_CHECKING:
    from archsim.profiling import Profile


@app.command()
def profile(  # noqa: PLR0913, PLR0917 - one parameter per option
    arch: Arch,
    workload: Network,
    overrides: Overrides = None,
    device: Cell = None,
    costs: Costs = None,
    engine: Engine = "auto",
    samples: Annotated[str, typer.Option(help="The one input to execute.")] = "0",
    plugin: Plugins = None,
    allow_outside: AllowOutside = False,
    as_json: AsJson = False,
    output: Annotated[str | None, typer.Option("-o", "--output", metavar="DIR", help="Write data and figures.")] = None,
) -> None:
    """Say what limits a run, what would make it shorter or cheaper, and what to change first."""
    from archsim.profiling import fulfil_profile, prepare_profile

    request = prepare_profile(
        arch, workload, overrides=overrides or (), device=device, costs=costs or (), engine=engine, samples=samples,
        plugins=plugin or (), allow_outside=allow_outside, output=output,
    )  # fmt: skip
    _show(fulfil_profile(request), as_json, output)


def _show(found: Profile, as_json: bool, output: str | None) -> None:
    """Save and print."""

    def save() -> Iterable[Path]:
        from archsim.report.profile_files import save_profile

        return save_profile(found, str(output))

    def show() -> None:
        if as_json:
            typer.echo(found.to_text())
            return
        from archsim.report.profile_tables import print_profile

        print_profile(found)

    save_and_show(None if output is None else save, show)
