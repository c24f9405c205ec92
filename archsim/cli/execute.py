"""Verbs that execute networks on chips: run, compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.program import app
from archsim.errors import ArchsimError

if TYPE_CHECKING:
    from archsim.comparison import Comparison
    from archsim.request import Request
    from archsim.result import Result
    from archsim.simulation import Progress
    from archsim.tracing import Watch


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
    store: Annotated[str | None, typer.Option(metavar="FILE", help="Results that are known. Default: yours.")] = None,
    no_store: Annotated[bool, typer.Option("--no-store", help="Neither ask the store nor keep the result.")] = False,
    trace: Annotated[
        str | None, typer.Option(metavar="FILE.json", help="Write what happened when, for ui.perfetto.dev.")
    ] = None,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="Draw what units do when, and power over time, into DIR.")
    ] = False,
) -> None:
    """Execute a network on a chip: energy, latency, area, and what is to blame."""
    from archsim.report.progress import progress
    from archsim.request import device_override, prepare
    from archsim.store import answer, chosen

    given = [*device_override(device), *(overrides or ())]
    watch = _watch(trace, timeline)
    request = (prepare if watch is None else watch.prepare)(
        arch, workload, overrides=given, costs=costs or (), engine=engine, samples=samples,
        plugins=plugin or (), against=against or (), vary_costs=vary_costs, allow_outside=allow_outside, output=output,
        store=store,
    )  # fmt: skip
    with progress() as report:
        execute = _fulfil if watch is None else watch.fulfil
        found = answer(request, chosen(store, not no_store), lambda: execute(request, report), anew=watch is not None)
    if found.origin:
        typer.echo(found.origin, err=True)
    show_result(found.result, as_json, output)
    for path in () if watch is None else watch.save(output):
        typer.echo(f"saved: {path}", err=True)
    if found.unsaved is not None and store is not None:
        raise found.unsaved


def _watch(trace: str | None, figures: bool) -> Watch | None:
    """What is to be kept of when everything happened, if anything is; such runs are executed anew."""
    if trace is None and not figures:
        return None
    from archsim.tracing import Watch

    return Watch(trace, figures)


def _fulfil(request: Request, report: Progress | None) -> Result:
    """Loads what executes only where something is executed."""
    from archsim.simulation import fulfil

    return fulfil(request, report)


def show_result(result: Result, as_json: bool, output: str | None) -> None:
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
