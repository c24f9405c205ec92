"""The command line: arguments in, public functions called, tables or JSON out. No logic of its own."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from archsim.errors import ArchsimError

if TYPE_CHECKING:
    from archsim.comparison import Comparison
    from archsim.result import Result

EXIT_WRONG_INPUT = 2
EXIT_READER_GONE = 1  # as typer ends then


class _Group(TyperGroup):
    """Commands whose ArchsimErrors become ``error: ...`` lines and exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; everything else than an ArchsimError is a bug and keeps its traceback."""
        try:
            return super().invoke(ctx)
        except ArchsimError as error:
            for problem in error.problems:
                typer.echo(f"error: {problem}", err=True)
            raise typer.Exit(EXIT_WRONG_INPUT) from None


app = typer.Typer(
    cls=_Group, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="What a spiking neural network costs on a chip, and which part of the chip is to blame.",
)  # fmt: skip


def _version(wanted: bool) -> None:
    if wanted:
        from archsim.catalog import own_version

        typer.echo(f"archsim {own_version()}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""


@app.command()
def run(  # noqa: PLR0913, PLR0917 - one parameter per option
    arch: Annotated[str, typer.Argument(help="Chip: a preset's name or a YAML file.")],
    workload: Annotated[str, typer.Argument(help="Network with its activity: a preset's name or a YAML file.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="array.rows=32, or workload.timesteps=8. Repeatable."),
    ] = None,
    device: Annotated[str | None, typer.Option(metavar="CELL", help="Cell of crossbars: preset, YAML or CSV.")] = None,
    costs: Annotated[list[str] | None, typer.Option(metavar="FILE", help="Cost overlay. Repeatable.")] = None,
    engine: Annotated[str, typer.Option(metavar="auto|des|fast", help="How to execute; the answers agree.")] = "auto",
    samples: Annotated[str, typer.Option(help="Inputs to execute: 3, 0..15, 0,3,5 or all.")] = "0",
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PEER", help="sata-sim, sata-sim-shipped, scalesim, spikesim; sata-sim:act_bits=4. Repeatable."
        ),
    ] = None,
    vary_costs: Annotated[bool, typer.Option("--vary-costs", help="Show which constant the answer hangs on.")] = False,
    plugin: Annotated[list[str] | None, typer.Option(metavar="FILE", help="Python file to load. Repeatable.")] = None,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Allow a trace that lies outside the workload's folder.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    output: Annotated[str | None, typer.Option("-o", "--output", metavar="DIR", help="Write the result here.")] = None,
) -> None:
    """Execute a network on a chip: energy, latency, area, and what is to blame."""
    from archsim.report.progress import progress
    from archsim.request import device_override, prepare
    from archsim.simulation import fulfil

    given = [*device_override(device), *(overrides or ())]
    request = prepare(
        arch, workload, overrides=given, costs=costs or (), engine=engine, samples=samples,
        plugins=plugin or (), against=against or (), vary_costs=vary_costs, allow_outside=allow_outside, output=output,
    )  # fmt: skip
    with progress() as report:
        result = fulfil(request, report)
    _show(result, as_json, output)


def _show(result: Result, as_json: bool, output: str | None) -> None:
    """Save and print; what cannot be saved is printed all the same."""
    text = result.to_text() if as_json else ""
    unsaved: ArchsimError | None = None
    if output is not None:
        try:
            path = result.save(output)
            typer.echo(f"saved: {path}", err=True)
        except ArchsimError as error:
            unsaved = error
    if as_json:
        typer.echo(text)
    else:
        from archsim.report.tables import print_result

        print_result(result)
    if unsaved is not None:
        raise unsaved


@app.command()
def compare(  # noqa: PLR0913, PLR0917 - one parameter per option
    subjects: Annotated[
        list[str], typer.Argument(metavar="ARCH_OR_RUN...", help="Chips (names, YAML files), or folders of 'run -o'.")
    ],
    workload: Annotated[str | None, typer.Option("--workload", "-w", help="Network that chips execute.")] = None,
    node: Annotated[str | None, typer.Option(metavar="28nm", help="Technology node of all chips.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Of every chip, or workload.*. Repeatable.")
    ] = None,
    costs: Annotated[list[str] | None, typer.Option(metavar="FILE", help="Cost overlay. Repeatable.")] = None,
    engine: Annotated[str | None, typer.Option(metavar="auto|des|fast", help="How to execute. Default: auto.")] = None,
    samples: Annotated[str | None, typer.Option(help="Inputs to execute: 3, 0..15, 0,3,5 or all. Default: 0.")] = None,
    plugin: Annotated[list[str] | None, typer.Option(metavar="FILE", help="Python file to load. Repeatable.")] = None,
    allow_outside: Annotated[bool, typer.Option("--allow-outside", help="Allow a trace outside its folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    output: Annotated[str | None, typer.Option("-o", "--output", metavar="DIR", help="Write data and figure.")] = None,
    figure: Annotated[str | None, typer.Option(metavar="FILE", help="Draw the figure: a .png, .svg or .pdf.")] = None,
) -> None:
    """Set chips and runs side by side, and say what is not like for like."""
    from archsim.comparison import fulfil_comparison, prepare_comparison
    from archsim.report.progress import progress

    request = prepare_comparison(
        *subjects, workload=workload, node=node, overrides=overrides or (), costs=costs or (), engine=engine,
        samples=samples, plugins=plugin or (), allow_outside=allow_outside, output=output, figure=figure,
    )  # fmt: skip
    with progress() as report:
        comparison = fulfil_comparison(request, report)
    _show_comparison(comparison, as_json, output, figure)


def _show_comparison(comparison: Comparison, as_json: bool, output: str | None, figure: str | None) -> None:
    """Save and print; what cannot be saved is printed all the same."""
    text = comparison.to_text() if as_json else ""
    unsaved: ArchsimError | None = None
    if output is not None or figure is not None:
        from archsim.report.compare_files import save_comparison

        try:
            for path in save_comparison(comparison, output, figure):
                typer.echo(f"saved: {path}", err=True)
        except ArchsimError as error:
            unsaved = error
    if as_json:
        typer.echo(text)
    else:
        from archsim.report.compare_tables import print_comparison

        print_comparison(comparison)
    if unsaved is not None:
        raise unsaved


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(help="Chips, workloads, cost tables, devices: files or presets.")],
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Allow a trace that lies outside the workload's folder.")
    ] = False,
) -> None:
    """Find every error of every file, without running anything."""
    from archsim.checking import NOUNS
    from archsim.checking import check as check_files

    for found in check_files(*files, allow_outside=allow_outside):
        typer.echo(f"{found.file}: {NOUNS[found.kind]} {found.summary}: ok")


@app.command("list")
def list_(
    topic: Annotated[
        str | None, typer.Argument(help="archs, workloads, costs, devices, components or dataflows. Default: all.")
    ] = None,
) -> None:
    """List presets, components and dataflows."""
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
    kind: Annotated[str, typer.Argument(help="arch, workload, cost, overlay or device; or a family such as systolic.")],
) -> None:
    """Print the JSON Schema of a kind of file."""
    import json

    from archsim.catalog import schema as schema_of

    typer.echo(json.dumps(schema_of(kind), indent=2))


@app.command()
def explain(
    folder: Annotated[str, typer.Argument(metavar="RUN", help="Folder that 'archsim run ... -o' wrote.")],
    what: Annotated[str, typer.Argument(metavar="COMPONENT.ACTION", help="Such as dram.read_bit, or dram.leakage.")],
) -> None:
    """Say where a price comes from: count, constant, source, scaling."""
    from archsim.explanation import explain as explain_run

    for line in explain_run(folder, what):
        typer.echo(line)


@app.command()
def plot(
    folder: Annotated[str, typer.Argument(metavar="RUN", help="Folder that 'archsim run ... -o' wrote.")],
    by: Annotated[
        str | None,
        typer.Option(
            help="component, layer, timestep, level, area, utilisation, time, costs or against-PEER; default: all."
        ),
    ] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="A .png, .svg or .pdf; default: into RUN.")
    ] = None,
) -> None:
    """Draw figures of a run."""
    from archsim.report.plots import plot as plot_run

    for path in plot_run(folder, by=by, output=output):
        typer.echo(path)


def main() -> None:
    """Entry point of the ``archsim`` command: 0, 2 for wrong input or an output that takes no more, 130 if interrupted.

    A reader that goes away early (``archsim list | head``) is no error worth a word.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without µ or ± still gets its tables
    try:
        try:
            app(prog_name="archsim")
        finally:
            if sys.stdout is not None:  # it is where the shell has closed it
                sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        if error.filename is not None:
            raise  # a file's error that nobody foresaw is a bug; the streams have no name
        _give_up_output()
        if error.errno == errno.EPIPE:
            sys.exit(EXIT_READER_GONE)
        with suppress(OSError):
            typer.echo(f"error: cannot write the output: {error.strerror}", err=True)
        sys.exit(EXIT_WRONG_INPUT)


def _give_up_output() -> None:
    """Let what a stream no longer takes go nowhere, so that the interpreter does not fail on it, too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    main()
