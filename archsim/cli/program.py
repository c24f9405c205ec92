"""The program itself: its options, how it ends, and where verbs are added."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from archsim.errors import ArchsimError

EXIT_WRONG_INPUT = 2
EXIT_READER_GONE = 1  # as typer ends then


FIRST = ("run", "profile", "compare", "sweep", "pareto", "breakeven", "early-exit", "accuracy", "metrics", "import")
"""Verbs in the order in which people meet them; the others follow as they come."""


class _Group(TyperGroup):
    """Commands whose ArchsimErrors become ``error: ...`` lines and exit code 2."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The verbs, those of ``FIRST`` first."""
        return sorted(super().list_commands(ctx), key=lambda name: (*FIRST, name).index(name))

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
