"""Verbs that execute networks on chips: run, compare."""

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
    Inputs,
    Known,
    Network,
    NoStore,
    Overrides,
    Plugins,
    Precision,
    save_and_show,
)
from archsim.cli.program import app

if TYPE_CHECKING:
    from archsim.comparison import Comparison
    from archsim.request import Request
    from archsim.result import Result
    from archsim.simulation import Progress
    from archsim.tracing import Watch


@app.command()
def run(  # noqa: PLR0913, PLR0917 - one parameter per option
    arch: Arch,
    workload: Network,
    overrides: Overrides = None,
    device: Cell = None,
    costs: Costs = None,
    engine: Engine = "auto",
    samples: Annotated[
        str | None, typer.Option(help="Recorded inputs to execute: 3, 0..15, 0,3,5 or all. Default: 0.")
    ] = None,
    inputs: Inputs = None,
    precision: Precision = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PEER", help="sata-sim, sata-sim-shipped, scalesim, spikesim; sata-sim:act_bits=4. Repeatable."
        ),
    ] = None,
    vary_costs: Annotated[bool, typer.Option("--vary-costs", help="Show which constant the answer hangs on.")] = False,
    plugin: Plugins = None,
    allow_outside: AllowOutside = False,
    as_json: AsJson = False,
    output: Annotated[str | None, typer.Option("-o", "--output", metavar="DIR", help="Write the result here.")] = None,
    store: Known = None,
    no_store: NoStore = False,
    trace: Annotated[
        str | None, typer.Option(metavar="FILE.json", help="Write what happened when, for ui.perfetto.dev.")
    ] = None,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="Draw what units do when, and power over time, into DIR.")
    ] = False,
) -> None:
    """Execute a network on a chip: energy, latency, area, and what is to blame."""
    from archsim.report.progress import progress
    from archsim.request import prepare
    from archsim.store import answer, chosen

    watch = _watch(trace, timeline)
    request = (prepare if watch is None else watch.prepare)(
        arch, workload, overrides=overrides or (), device=device, costs=costs or (), engine=engine, samples=samples,
        inputs=inputs, precision=precision, plugins=plugin or (), against=against or (), vary_costs=vary_costs,
        allow_outside=allow_outside, output=output, store=store,
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
    """Save and print; figures of an earlier result go with it, and that is said."""

    def save() -> Iterable[Path]:
        from archsim.result import figures_in

        earlier = figures_in(output or "")
        yield result.save(output or "")
        if earlier:
            names = ", ".join(figure.name for figure in earlier)
            typer.echo(f"removed: {names} (figures of the result that was in {output})", err=True)

    def show() -> None:
        if as_json:
            typer.echo(result.to_text())
            return
        from archsim.report.tables import print_result

        print_result(result)

    save_and_show(None if output is None else save, show)


@app.command()
def compare(  # noqa: PLR0913, PLR0917 - one parameter per option
    subjects: Annotated[
        list[str], typer.Argument(metavar="ARCH_OR_RUN...", help="Chips (names, YAML files); ids, folders of runs.")
    ],
    workload: Annotated[str | None, typer.Option("--workload", "-w", help="Network that chips execute.")] = None,
    node: Annotated[str | None, typer.Option(metavar="28nm", help="Technology node of all chips.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Of every chip, or workload.*. Repeatable.")
    ] = None,
    costs: Costs = None,
    engine: Annotated[str | None, typer.Option(metavar="auto|des|fast", help="How to execute. Default: auto.")] = None,
    samples: Annotated[str | None, typer.Option(help="Inputs to execute: 3, 0..15, 0,3,5 or all. Default: 0.")] = None,
    plugin: Plugins = None,
    allow_outside: AllowOutside = False,
    as_json: AsJson = False,
    output: Annotated[str | None, typer.Option("-o", "--output", metavar="DIR", help="Write data and figures.")] = None,
    figure: Annotated[str | None, typer.Option(metavar="FILE", help="Draw one figure: a .png, .svg or .pdf.")] = None,
    draw: Annotated[
        str, typer.Option(metavar="overview|energy|latency|area", help="What that is: all runs, or a waterfall.")
    ] = "overview",
    store: Known = None,
    no_store: NoStore = False,
) -> None:
    """Set chips and runs side by side: where they differ, how much, and what is not like for like."""
    from archsim.comparison import fulfil_comparison, prepare_comparison
    from archsim.report.progress import progress
    from archsim.store import chosen

    request = prepare_comparison(
        *subjects, workload=workload, node=node, overrides=overrides or (), costs=costs or (), engine=engine,
        samples=samples, plugins=plugin or (), allow_outside=allow_outside, output=output, figure=figure, draw=draw,
        store=store,
    )  # fmt: skip
    with progress() as report:
        found = fulfil_comparison(request, report, chosen(store, not no_store))
    for line in found.origins:
        typer.echo(line, err=True)
    _show_comparison(found.comparison, as_json, output, figure, draw)
    if found.unsaved is not None and store is not None:
        raise found.unsaved


def _show_comparison(comparison: Comparison, as_json: bool, output: str | None, figure: str | None, draw: str) -> None:
    """Save and print."""

    def save() -> Iterable[Path]:
        from archsim.report.compare_files import save_comparison

        return save_comparison(comparison, output, figure, draw)

    def show() -> None:
        if as_json:
            typer.echo(comparison.to_text())
            return
        from archsim.report.compare_tables import print_comparison

        print_comparison(comparison)

    save_and_show(None if output is None and figure is None else save, show)
